"""The configuration file: what a person may get wrong, and what they are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealcam import config
from sealcam.sight.types import ArmMode
from sealcam.wire.errors import ConfigError


def _write(folder: Path, text: str) -> Path:
    path = folder / "sealcam.toml"
    path.write_text(text)
    return path


def test_every_table_is_read(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        'arm = "night"\n[camera]\nsource = "pi"\nfps = 15\n[pins]\npir = 17\n[sight]\nperson_score = 0.5\ncalm_s = 4\n'
        '[outbox]\nmax_bytes = 2000000\n[paths]\nstate = "/srv/cam"\n[model]\nname = "yolox-nano"\n',
    )
    found = config.load(path)
    assert found.arm is ArmMode.NIGHT
    assert (found.camera.source, found.camera.fps, found.pins.pir) == ("pi", 15, 17)
    assert (found.sight.person_score, found.sight.calm_s) == (0.5, 4.0)
    assert found.outbox.max_bytes == 2_000_000
    assert found.paths.state == Path("/srv/cam")
    assert found.model.name == "yolox-nano"


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert config.load(_write(tmp_path, "")) == config.Config()


@pytest.mark.parametrize(
    ("text", "key", "near"),
    [
        ("[camera]\nsorce = 'pi'\n", "camera.sorce", "camera.source"),
        ("[sight]\nperson_scor = 0.5\n", "sight.person_scor", "sight.person_score"),
        ("armed = 'home'\n", "armed", "arm"),
        ("[camera]\npir_pin = 17\n", "camera.pir_pin", "pir under [pins]"),
    ],
)
def test_an_unknown_key_names_the_key_the_file_and_the_nearest_known_key(
    tmp_path: Path, text: str, key: str, near: str
) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert key in caught.value.message
    assert str(path) in caught.value.message
    assert near in (caught.value.hint or "")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[camera]\nfps = 'ten'\n", "camera.fps"),
        ("[camera]\nfps = true\n", "camera.fps"),
        ("[camera]\nfps = 0\n", "fps"),
        ("[camera]\nsource = 3\n", "camera.source"),
        ("camera = 3\n", "camera"),
        ('[pins]\nled = "GPIO27"\n', "pins.led"),
        ('[pins]\ninverted = ["door"]\n', "door"),
        ("[pins]\nshutter_open_degrees = 120\n", "shutter_open_degrees"),
        ("[model]\nthreads = 0\n", "threads"),
        ("arm = 'nigth'\n", "arm"),
        ("[sight]\nperson_score = 1.5\n", "person_score"),
        ("[sight]\nmotion_min_share = 1.0\n", "motion_min_share is at most 0.2"),
        ("[sight]\nconfirm_hits = 1000\n", "confirm_hits is at most 30"),
        ("[outbox]\nmax_bytes = 1\n", "max_bytes"),
    ],
)
def test_a_wrong_value_names_its_key_and_the_file(tmp_path: Path, text: str, said: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert said in caught.value.message
    assert str(path) in caught.value.message


def test_what_is_not_toml_is_one_error_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 1"):
        config.load(_write(tmp_path, "[camera\n"))


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no configuration file"):
        config.load(tmp_path / "absent.toml")


def test_the_table_of_clips_is_read_and_checked(tmp_path: Path) -> None:
    found = config.load(_write(tmp_path, '[clips]\npre_roll_s = 8\nrecord = true\n[camera]\nname = "the yard"\n'))
    assert (found.clips.pre_roll_s, found.clips.record, found.camera.name) == (8.0, True, "the yard")
    with pytest.raises(ConfigError, match=r"in .*, \[clips\]: fps must lie between 1 and 60, not 0"):
        config.load(_write(tmp_path, "[clips]\nfps = 0\n"))
    with pytest.raises(ConfigError, match="at most 64 printable bytes"):
        config.load(_write(tmp_path, f'[camera]\nname = "{"x" * 65}"\n'))
