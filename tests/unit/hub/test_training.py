"""Training at home: what is learnt from, figures on what wasn't, a process that knows nothing else, and the way to the
camera and back."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from sealcam import verdict_file, verdicts
from sealcam.ownmodel import OwnModel
from sealcam.sight import judge_features
from sealcam.verdict_file import CLASSES
from sealcam.wire import schema
from sealcam.wire.bodies import Outcome
from sealcam.wire.errors import ConfigError
from sealcam.wire.wishes import CommandType, ModelWish
from sealcam.wrapping import Wrapping
from sealcam_hub import review, review_tables, training
from sealcam_hub.review import Review
from sealcam_hub.review_training import Training
from sealcam_hub.review_words import Word
from sealcam_hub.training import FOLDS, LEAST, WORSE, Size, TooFewError, fit_to_send, folds, owned, trained
from sealcam_verdict import train
from tests.hubs import Camera
from tests.reviewing import Room, console, reviewing
from tests.unit.hub.console_client import Visitor

SMALL = Size(learnt=300, held_out=100, measured=300)
FIGURES = {"right": 0.9, "found": 0.95, "false": 0.03, "brier": 0.1, "incidents": 30, "threats": 12}
GOOD = {"marks": {"before": FIGURES, "after": FIGURES}, "simulated": {"before": FIGURES, "after": FIGURES}, "fit": True}


def marked(count: int, seed: int = 7) -> list[dict[str, Any]]:
    """A data set of simulated incidents, marked as what they are."""
    made = train.simulated(seed, count)
    told = []
    for number in np.unique(made.incidents):
        rows = made.incidents == number
        moments = [[round(1000 * value) for value in row] for row in made.inputs[rows].tolist()]
        told.append({"word": CLASSES[made.classes[rows][0]], "version": judge_features.VERSION, "moments": moments})
    return told


def process(*lines: object) -> list[str]:
    """A process that takes the data set and says these lines."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    return [sys.executable, "-c", f"import sys; sys.stdin.read(); sys.stdout.write({text!r})"]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with reviewing(tmp_path / "hub") as made:
        yield made


def with_process(room: Room, command: list[str]) -> Review:
    found = review.of(room.home)
    return Review(found.queue, found.marks, found.data, found.models, Training(found.data, found.models, command))


def test_what_can_be_learnt_from_is_what_has_a_word_and_numbers_of_this_version() -> None:
    told = marked(LEAST)
    odd = [told[0] | {"word": "unsure"}, told[0] | {"version": 99}, told[0] | {"moments": [[1, 2]]}]
    ours = told[0] | {"word": "ours"}
    found = owned([*told, *odd, ours])
    assert len(np.unique(found.incidents)) == LEAST + 1
    assert found.classes[-1] == CLASSES.index("benign")
    assert found.inputs.max() <= 1
    for number in np.unique(found.incidents):
        assert found.counts[found.incidents == number].sum() == pytest.approx(1)


def test_too_little_is_said_to_be(room: Room) -> None:
    with pytest.raises(TooFewError, match=f"{LEAST - 1} incidents can be learnt from"):
        owned(marked(LEAST - 1))
    with pytest.raises(TooFewError, match="two of threat"):
        owned([one | {"word": "threat"} for one in marked(LEAST)])


def test_an_incident_is_left_out_whole_and_every_one_once() -> None:
    marks = owned(marked(60))
    seen = np.zeros(len(marks), int)
    for out in folds(marks):
        seen += out
        assert not set(marks.incidents[out]) & set(marks.incidents[~out])
        assert len(np.unique(marks.classes[out])) > 1
    assert (seen == 1).all()


def test_a_model_is_made_with_figures_of_before_and_after() -> None:
    *steps, last = trained(marked(40), verdicts.load(), SMALL)
    assert [one["done"] for one in steps] == list(range(1, FOLDS + 2))
    assert all(one["steps"] == FOLDS + 2 for one in steps)
    verdict_file.read(bytes.fromhex(last["model"]), "it")
    figures = last["figures"]
    assert figures["marks"]["after"]["incidents"] == 40
    assert figures["simulated"]["before"]["incidents"] == SMALL.measured
    for side in ("before", "after"):
        for of in ("marks", "simulated"):
            assert 0 <= figures[of][side]["found"] <= 1
    assert figures["simulated"]["before"]["right"] > 0.85


def test_marks_that_say_that_people_are_harmless_do_not_outvote_what_people_are() -> None:
    told = [one | {"word": "benign" if one["word"] == "threat" else "false_alarm"} for one in marked(400)]
    *_, last = trained(told, verdicts.load(), SMALL)
    figures = last["figures"]["simulated"]
    assert figures["after"]["found"] > 0.8
    assert last["figures"]["fit"] == (figures["after"]["found"] >= figures["before"]["found"] - WORSE)


@pytest.mark.parametrize("of", ["marks", "simulated"])
def test_a_model_that_misses_threats_which_the_shipped_one_finds_is_not_fit_to_be_sent(of: str) -> None:
    found = FIGURES["found"]
    told = {name: {"before": FIGURES, "after": FIGURES} for name in ("marks", "simulated")}
    assert fit_to_send(told)
    told[of]["after"] = FIGURES | {"found": found - WORSE / 2}
    assert fit_to_send(told)
    told[of]["after"] = FIGURES | {"found": found - 2 * WORSE, "right": 1.0}
    assert not fit_to_send(told)


def test_the_process_gets_numbers_alone_and_what_it_makes_is_kept_wrapped(room: Room, tmp_path: Path) -> None:
    room.marks.say(room.sees(1), Word.THREAT, 0, "Ben")
    seen, model = tmp_path / "seen", verdicts.load()
    answer = json.dumps({"model": model.hex(), "figures": GOOD})
    code = (
        f"import os, sys; open({str(seen)!r}, 'w').write(sys.stdin.read() + ' '.join(sorted(os.environ)));"
        f'print(\'{{"done": 1, "steps": 7}}\'); print({answer!r})'
    )
    here = with_process(room, [sys.executable, "-c", code])
    here.training.begin()
    assert not here.training.wait(60).running
    told = seen.read_text()
    assert json.loads(told[: told.rindex("]") + 1])[0]["word"] == "threat"
    assert "Ben" not in told
    assert str(room.home.folder.path) not in told
    assert "NOTIFY_SOCKET" not in told
    view = here.models.newest()
    assert view is not None
    assert (view.name, view.fit, view.figures) == ("home-1", True, GOOD)
    with room.home.store.reading() as connection:
        assert model[1300:1400] not in connection.execute(select(review_tables.models.c.wrapped)).scalar_one()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (process({"failed": "3 incidents can be learnt from"}), "3 incidents can be learnt from"),
        (process(), "ended without a model"),
        (process({"model": "00" * 100, "figures": {}}), "no verdict model"),
        (["/no/such/program"], "No such file"),
        ([sys.executable, "-c", "print('nonsense')"], ""),
    ],
)
def test_a_training_that_fails_is_told_and_may_be_begun_again(room: Room, command: list[str], why: str) -> None:
    here = with_process(room, command)
    for _ in range(2):
        here.training.begin()
        state = here.training.wait(60)
        assert why in state.failed
        assert state.failed
        assert not state.running
    assert here.models.newest() is None


def test_one_training_at_a_time(room: Room) -> None:
    here = with_process(room, [sys.executable, "-c", "import sys; sys.stdin.read(); sys.stdin.close()"])
    here.training.begin()
    if here.training.state.running:
        with pytest.raises(ConfigError, match="being trained already"):
            here.training.begin()
    here.training.wait(60)


def test_a_model_goes_to_the_camera_when_the_owner_says_so_and_the_camera_takes_it(room: Room, tmp_path: Path) -> None:
    here = review.of(room.home)
    number = here.models.keep(verdicts.load(), GOOD)
    assert room.asks() == []
    assert here.models.send(number).name == "home-1"
    room.hears(room.camera.beat())
    ((_, command),) = room.home.wishes().due()
    opened = room.camera.opens(command)
    assert opened.kind == CommandType.MODEL
    camera = OwnModel(tmp_path / "verdict", Wrapping(bytes(32)), lambda _why: None)
    take = camera.handlers[CommandType.MODEL]
    assert take(schema.decode(opened.body, ModelWish)) == "judges by home-1 from now on"
    room.answers(Outcome.DONE)
    (told,) = here.models.told()
    assert told.done
    here.models.back()
    room.clock.advance(20)
    room.hears(room.camera.beat())
    ((_, command),) = room.home.wishes().due()
    said = take(schema.decode(room.camera.opens(command).body, ModelWish))
    assert said == "judges by the model that it was shipped with"


def test_a_model_that_is_not_fit_can_not_be_sent(room: Room) -> None:
    here = review.of(room.home)
    number = here.models.keep(verdicts.load(), GOOD | {"fit": False})
    with pytest.raises(ConfigError, match="misses threats"):
        here.models.send(number)
    with pytest.raises(ConfigError, match="isn't there any more"):
        here.models.send(number + 1)
    assert here.models.told() == ()


def test_the_page_shows_figures_sends_and_goes_back(room: Room) -> None:
    here = with_process(room, process({"model": verdicts.load().hex(), "figures": GOOD}))
    visitor = Visitor(console(room, parts=here)).sign_in()
    page = visitor.get("/review/data").text
    token = {"csrf": page.split('name="csrf" value="')[1].split('"')[0]}
    assert "All by the model that they were shipped with" in page
    assert visitor.post("/review/data/train", token).status_code == 303
    here.training.wait(60)
    page = visitor.get("/review/data").text
    assert "Judge by home-1 from now on" in page
    assert "95.0 %" in page
    assert visitor.post("/review/data/send", token | {"model": "1"}).status_code == 303
    assert "Home-1. Asked; it hasn&#39;t answered yet." in visitor.get("/review/data").text
    assert visitor.post("/review/data/back", token).status_code == 303
    assert "The model it was shipped with." in visitor.get("/review/data").text
    assert visitor.post("/review/data/send", token | {"model": "7"}).status_code == 409
    assert visitor.post("/review/data/send", token | {"model": "x"}).status_code == 400


def test_erasing_the_marks_takes_the_models_along(room: Room) -> None:
    here = review.of(room.home)
    here.models.keep(verdicts.load(), GOOD)
    here.marks.erase()
    assert here.models.newest() is None


@pytest.mark.slow
def test_the_real_process_trains_a_model(room: Room) -> None:
    for number, one in enumerate(marked(LEAST + 5), start=1):
        name = room.sees(number, numbers=tuple(one["moments"][-1]))
        room.marks.say(name, Word[str(one["word"]).upper()], 0, "Ben")
    here = review.of(room.home)
    here.training.begin()
    assert here.training.wait(900).failed == ""
    view = here.models.newest()
    assert view is not None
    assert view.figures["marks"]["after"]["incidents"] == LEAST + 5
    assert training.LEAST == LEAST


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_its_own_keeps_nobody_waiting(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    found = review.of(room.home)

    def broken(*_: object) -> None:
        raise KeyError("a fault")

    monkeypatch.setattr(found.training, "_run", broken)
    found.training.begin()
    state = found.training.wait(20)
    assert (state.running, state.failed) == (False, "the training ended by a fault of its own")
    found.training.begin()
    found.training.wait(20)


def test_what_was_erased_while_it_was_learnt_teaches_nothing(room: Room) -> None:
    for number in (1, 2):
        room.marks.say(room.sees(number), Word.THREAT, 0, "Owner")
    learnt = [one.mark.id for one in room.data.examples()]
    models = review.of(room.home).models
    room.marks.erase()
    room.marks.say(room.sees(3), Word.BENIGN, 0, "Owner")
    with pytest.raises(ConfigError, match="erased"):
        models.keep(verdicts.load(), GOOD, learnt)
    assert models.newest() is None


def test_cameras_judge_by_no_model_whose_marks_are_erased(room: Room) -> None:
    room.marks.say(room.sees(1), Word.THREAT, 0, "Owner")
    models = review.of(room.home).models
    room.marks.erase()
    assert models.told() == ()  # nobody was asked anything, so nobody is sent back
    models.send(models.keep(verdicts.load(), GOOD))
    room.marks.erase()
    (told,) = models.told()
    assert told.body == ModelWish(name="shipped", sha256=bytes(32))


def test_a_camera_that_came_later_judges_by_what_it_was_shipped_with_and_the_page_says_so(room: Room) -> None:
    models = review.of(room.home).models
    models.send(models.keep(verdicts.load(), GOOD))
    assert models.unasked() == ()
    Camera().claim(room.home, "Yard")
    assert models.unasked() == ("Yard",)
    assert [one.camera for one in models.told()] == ["Door"]
    page = Visitor(console(room)).sign_in().get("/review/data").text
    assert "<dt>Yard</dt><dd>The model it was shipped with." in page
    models.send(models.keep(verdicts.load(), GOOD))
    assert models.unasked() == ()
