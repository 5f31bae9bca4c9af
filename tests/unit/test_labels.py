"""Labels drawn by hand: where somebody is between two keys, and that a slip of the hand is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealcam.sight.types import Box, Subject
from sealcam.wire.errors import ConfigError
from tests.eval.labels import FOLDER, ClipLabels, Stretch, load

HEAD = 'clip = "made.avi"\nwidth_px = 200\nheight_px = 100\nnote = "made up"\n'
WALKER = """
[[person]]
name = "w01"
keys = [[1.0, 0, 10, 20, 50], [3.0, 40, 20, 60, 100], [4.0, 40, 20, 60, 60]]
hidden = [[2.5, 2.75]]
"""
COMMITTED = sorted(FOLDER.glob("*.toml"))


def read(tmp_path: Path, text: str) -> ClipLabels:
    path = tmp_path / "made.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load(path)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_every_committed_label_file_is_valid(path: Path) -> None:
    labels = load(path)
    assert Path(labels.clip).stem == path.stem
    assert labels.lives or labels.empty


def test_a_box_moves_in_a_straight_line_between_two_keys(tmp_path: Path) -> None:
    (walker,) = read(tmp_path, WALKER).persons
    assert walker.box_at(1.0) == Box(0, 10, 20, 50)
    assert walker.box_at(2.0) == Box(20, 15, 40, 75)
    assert walker.box_at(4.0) == Box(40, 20, 60, 60)


def test_nobody_is_there_before_the_first_key_or_after_the_last(tmp_path: Path) -> None:
    (walker,) = read(tmp_path, WALKER).persons
    assert walker.box_at(0.99) is None
    assert walker.box_at(4.01) is None
    assert walker.height_at(0.99) == 0
    assert not walker.visible_at(4.01)


def test_a_time_that_is_off_by_a_rounding_is_the_same_time(tmp_path: Path) -> None:
    (walker,) = read(tmp_path, WALKER.replace("[4.0,", "[14.7,")).persons
    assert 147 * 0.1 > 14.7
    assert walker.visible_at(147 * 0.1)
    assert walker.box_at(147 * 0.1) == Box(40, 20, 60, 60)


def test_the_hidden_keep_their_place_and_are_not_visible(tmp_path: Path) -> None:
    labels = read(tmp_path, WALKER)
    (walker,) = labels.persons
    assert walker.box_at(2.6) is not None
    assert not walker.visible_at(2.6)
    assert labels.visible_at(2.6) == ()
    assert labels.visible_at(2.4) == (walker,)


def test_the_first_moment_at_a_height_lies_between_the_keys(tmp_path: Path) -> None:
    (walker,) = read(tmp_path, WALKER).persons
    assert walker.first_at_height(60) == 2.0
    assert walker.first_at_height(40) == 1.0
    assert walker.first_at_height(81) is None


def test_nobody_hidden_counts_as_seen_at_a_height(tmp_path: Path) -> None:
    (walker,) = read(tmp_path, WALKER).persons
    assert walker.stretches_at_height(60) == (Stretch(2.0, 2.5), Stretch(2.75, 3.5))
    assert walker.first_at_height(72) == 2.75


def test_whole_lives_are_one_stretch_at_a_small_height(tmp_path: Path) -> None:
    (walker,) = read(tmp_path, WALKER.replace("hidden = [[2.5, 2.75]]", "")).persons
    assert walker.stretches_at_height(10) == (walker.in_view,)


def test_parked_things_other_subjects_and_empty_stretches_are_read(tmp_path: Path) -> None:
    text = """
[[static]]
name = "van"
subject = "vehicle"
box = [10, 10, 90, 60]

[[animal]]
name = "cat"
keys = [[0, 0, 0, 5, 5], [1, 5, 5, 9, 9]]

[[empty]]
from_s = 5.0
to_s = 7.5
"""
    labels = read(tmp_path, text)
    assert [(static.name, static.subject, static.box) for static in labels.statics] == [
        ("van", Subject.VEHICLE, Box(10, 10, 90, 60))
    ]
    assert [(life.name, life.subject) for life in labels.lives] == [("cat", Subject.ANIMAL)]
    assert labels.persons == ()
    assert [stretch.length_s for stretch in labels.empty] == [2.5]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("[[1, 0, 0, 9, 9]]", "person w: a life needs two keys"),
        ("[[1, 0, 0, 9, 9], [1, 0, 0, 9, 9]]", "person w: keys must be in time order"),
        ("[[1, 0, 0, 9, 9], [2, 0, 0, 201, 9]]", "person w at 2 s: box"),
        ("[[1, 9, 0, 0, 9], [2, 0, 0, 9, 9]]", "person w at 1 s: box"),
        ("[[1, 0, 0, 9], [2, 0, 0, 9, 9]]", "person w: keys: [1, 0, 0, 9] is not 5 numbers"),
        ("[[nan, 0, 0, 9, 9], [2, 0, 0, 9, 9]]", "is not 5 numbers"),
        ("[[-1, 0, 0, 9, 9], [2, 0, 0, 9, 9]]", "before the clip"),
        ("3", "keys must be a list"),
    ],
)
def test_keys_that_cannot_be_are_refused_by_name(tmp_path: Path, keys: str, said: str) -> None:
    assert said in refusal(tmp_path, f'[[person]]\nname = "w"\nkeys = {keys}\n')


@pytest.mark.parametrize("hidden", ["[[0.5, 1.5]]", "[[3.5, 4.5]]", "[[3, 2]]", "[[1, 2], [2, 3]]"])
def test_hidden_stretches_lie_inside_the_life_and_apart(tmp_path: Path, hidden: str) -> None:
    assert "person w01: hidden" in refusal(tmp_path, WALKER.replace("[[2.5, 2.75]]", hidden))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WALKER + WALKER, "person w01: this name stands twice"),
        (WALKER.replace("hidden", "hiden"), "person w01: unknown key hiden"),
        ('[[person]]\nname = "w"\n', "person w: keys is missing"),
        ("[[person]]\nkeys = []\n", "person: an entry has no name"),
        ('[[static]]\nname = "s"\nsubject = "tree"\nbox = [0, 0, 1, 1]\n', "subject 'tree' is none of"),
        ("[[empty]]\nfrom_s = 3\nto_s = 2\n", "empty: from 3 to 2 s is no stretch"),
        ("person = 1\n", "person: must be tables"),
        ("person = [", "made.toml: "),
    ],
)
def test_entries_that_cannot_be_are_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_a_picture_without_pixels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "made.toml"
    path.write_text(HEAD.replace("200", "0"), encoding="utf-8")
    with pytest.raises(ConfigError, match="0 x 100"):
        load(path)


def test_the_walkers_of_vtest_are_whole_persons_who_mostly_are_high_enough() -> None:
    labels = load(FOLDER / "vtest.toml")
    assert len(labels.persons) == 21
    low = [life.name for life in labels.persons if life.first_at_height(60) is None]
    assert low == ["w07", "w20"]  # far away on the path, and at the parked car
    assert {static.name for static in labels.statics} == {"van", "blue-car"}
