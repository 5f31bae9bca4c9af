"""`sealcam doctor`: each part, on boards that are made of files, a recording, simulated pins and a real broker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from sealcam import checks_board, checks_camera, checks_link, checks_pins, doctor
from sealcam.board.button import SimulatedButton
from sealcam.board.infrared import FakeInfrared
from sealcam.board.led import FakeLight
from sealcam.board.pir import SimulatedPir
from sealcam.board.protocols import Frame, PirCounts, Shine
from sealcam.board.replay import ReplayCamera
from sealcam.board.scripted import ScriptedCamera
from sealcam.board.shutter import FakeShutter
from sealcam.checks import Check, Finding, Grade
from sealcam.cli import main
from sealcam.clocks import SimulatedClock, SystemClock
from sealcam.config import Config, ModelSettings, PathSettings
from sealcam.pin_settings import PinSettings
from sealcam.wire.errors import HardwareError
from tests import footage
from tests.broker import Broker
from tests.rig import write_claim


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("celsius", "grade"), [((41.2, 55.1), Grade.GOOD), ((30.0, 74.0), Grade.WARNING), ((85.0,), Grade.BAD)]
)
def test_the_warmest_thermometer_counts(root: Path, celsius: tuple[float, ...], grade: Grade) -> None:
    write(root, "sys/class/thermal/thermal_zone9/temp", "asleep\n")
    for number, one in enumerate(celsius):
        write(root, f"sys/class/thermal/thermal_zone{number}/temp", f"{one * 1000:.0f}\n")
    (found,) = checks_board.heat(root)
    assert (found.grade, found.figures["celsius"]) == (grade, max(celsius))


@pytest.mark.parametrize("folder", ["soc/soc:firmware", "soc@107c000000/soc@107c000000:firmware"])  # up to a Pi 4; 5
@pytest.mark.parametrize(
    ("flags", "grade", "words"),
    [
        ("0", Grade.GOOD, "steady"),
        ("50000", Grade.WARNING, "since it was switched on its voltage was too low, it was slowed down"),
        ("50005", Grade.BAD, "its voltage is too low now, it is slowed down now"),
    ],
)
def test_a_weak_supply_is_told(root: Path, folder: str, flags: str, grade: Grade, words: str) -> None:
    write(root, f"sys/devices/platform/{folder}/get_throttled", f"{flags}\n")
    (found,) = checks_board.supply(root)
    assert found.grade is grade
    assert words in found.words


def test_what_a_board_does_not_tell_is_absent(root: Path) -> None:
    for check in (checks_board.heat, checks_board.supply, checks_board.wear, checks_link.radio):
        assert [one.grade for one in check(root)] == [Grade.ABSENT]
    assert checks_board.model(root) == ""
    write(root, "proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    assert checks_board.model(root) == "Raspberry Pi 5 Model B Rev 1.0"


@pytest.mark.parametrize(
    ("life", "grade", "used"),
    [("0x01 0x02", Grade.GOOD, 20), ("0x08 0x03", Grade.WARNING, 80), ("0x0B 0x01", Grade.BAD, 110)],
)
def test_flash_that_tells_its_age(root: Path, life: str, grade: Grade, used: int) -> None:
    write(root, "sys/block/mmcblk0/device/life_time", f"{life}\n")
    (found,) = checks_board.wear(root)
    assert (found.grade, found.figures["used_percent"]) == (grade, used)


@pytest.mark.parametrize(("dbm", "grade"), [(-51, Grade.GOOD), (-70, Grade.WARNING), (-82, Grade.BAD)])
def test_a_radio_that_hears_little(root: Path, dbm: int, grade: Grade) -> None:
    rows = "Inter-| sta-|   Quality        |\n face | tus | link level noise |\n"
    write(root, "proc/net/wireless", f"{rows} wlan0: 0000   58.  {dbm}.  -256        0      0      0\n")
    (found,) = checks_link.radio(root)
    assert (found.grade, found.figures["dbm"]) == (grade, dbm)


@pytest.mark.parametrize(("free_kb", "grade"), [(400_000, Grade.GOOD), (50_000, Grade.WARNING)])
def test_memory_that_is_short(root: Path, free_kb: int, grade: Grade) -> None:
    write(root, "proc/meminfo", f"MemTotal:  {512_000} kB\nMemFree: 1 kB\nMemAvailable: {free_kb} kB\n")
    (found,) = checks_board.memory(root)
    assert (found.grade, found.figures["free_mb"]) == (grade, free_kb // 1024)


def test_storage_is_written_and_left_clean(tmp_path: Path) -> None:
    (found,) = checks_board.storage(tmp_path)
    assert found.grade in (Grade.GOOD, Grade.WARNING)
    assert found.figures["write_mb_s"] > 0
    assert list(tmp_path.iterdir()) == []
    (found,) = checks_board.storage(tmp_path / "none")
    assert (found.grade, "can't be written" in found.words) == (Grade.BAD, True)
    assert "when the camera is claimed" in str(found.hint)


def test_the_model_looks(tmp_path: Path) -> None:
    (found,) = checks_board.recognition("nanodet-g", 1)
    assert found.grade in (Grade.GOOD, Grade.WARNING)
    assert found.figures["look_ms"] > 0


Change = Callable[[np.ndarray], np.ndarray]


def shown(change: Change, count: int = 30) -> Callable[[], ScriptedCamera]:
    """A camera that shows the walkers, changed."""
    pictures = []
    for index, frame in enumerate(ReplayCamera(footage.vtest()).frames()):
        if index == count:
            break
        y = np.ascontiguousarray(change(np.asarray(frame.y).astype(np.float32)).clip(0, 255).astype(np.uint8))
        pictures.append(Frame(frame.t_ns, index, y, frame.u, frame.v))
    return lambda: ScriptedCamera(pictures)


@pytest.mark.parametrize(
    ("change", "part", "words"),
    [
        (lambda y: y, None, ""),
        (lambda y: cv2.GaussianBlur(y, (0, 0), 3), "focus", "the picture is soft"),
        (lambda y: y * 0.1, "light", "it is dark"),
        (lambda y: y * 0 + 245, "light", "it is blinded"),
        (lambda y: y * 0 + 120, "focus", "nothing can be said"),
    ],
)
def test_what_is_wrong_with_the_picture(change: Change, part: str | None, words: str) -> None:
    found = {one.part: one for one in checks_camera.look(shown(change), 10, SimulatedClock())}
    assert found.keys() == {"camera", "focus", "light"}
    assert found["camera"].grade is Grade.GOOD
    assert found["camera"].figures["fps"] == 10
    if part is None:
        assert {one.grade for one in found.values()} == {Grade.GOOD}
    else:
        assert found[part].grade is Grade.WARNING
        assert words in found[part].words


def test_a_camera_that_is_slow_or_gives_nothing() -> None:
    found = checks_camera.look(shown(lambda y: y), 30, SimulatedClock())[0]
    assert (found.grade, "30 were asked for" in found.words) == (Grade.WARNING, True)
    with pytest.raises(HardwareError, match="3 pictures and no more"):
        checks_camera.look(shown(lambda y: y, 3), 10, SimulatedClock())


@pytest.mark.parametrize(("opening_s", "grade"), [(0.7, Grade.GOOD), (2.0, Grade.GOOD), (2.1, Grade.WARNING)])
def test_a_camera_whose_first_picture_is_late_is_graded_for_it(opening_s: float, grade: Grade) -> None:
    clock = SimulatedClock()

    def opened() -> ScriptedCamera:
        clock.advance(opening_s)
        return camera()

    camera = shown(lambda y: y)
    found = checks_camera.look(opened, 10, clock)[0]
    assert (found.grade, found.figures["first_picture_ms"]) == (grade, 1000 * opening_s)
    assert f"the first after {1000 * opening_s:.0f} ms" in found.words
    assert ("more than 2 s" in found.words) == (found.hint is not None) == (grade is Grade.WARNING)


def test_a_part_that_is_broken_is_a_finding_with_its_hint() -> None:
    def broken() -> list[Finding]:
        raise HardwareError("no such device", "plug it in")

    assert Check("camera", broken).run() == [Finding("camera", Grade.BAD, "no such device", "plug it in")]


def test_a_motion_sensor_and_a_light() -> None:
    sensor = SimulatedPir()
    sensor.drive_high(5)
    (found,) = checks_pins.feel(sensor, 0.01)
    assert (found.grade, found.figures["felt"]) == (Grade.GOOD, 1)
    (found,) = checks_pins.feel(SimulatedPir(), 0.01)
    assert found.grade is Grade.WARNING
    light = FakeLight()
    (found,) = checks_pins.shine(light, 0.01)
    assert (found.grade, light.told) == (Grade.GOOD, [Shine.BLINKING, Shine.OFF])
    assert "set by software" in found.words


def test_a_motion_sensor_that_catches_radio_says_where_to_move_it() -> None:
    sensor = SimulatedPir()
    sensor.drive_high(5)
    sensor.counts = PirCounts(brief=12)
    (found,) = checks_pins.feel(sensor, 0.01)
    assert (found.grade, "12 pulses were too short" in found.words) == (Grade.WARNING, True)
    assert "antenna" in str(found.hint)


def test_a_button_an_infrared_lamp_and_a_shutter() -> None:
    button = SimulatedButton(SystemClock())
    button.press()
    (found,) = checks_pins.press(button, 30.0)
    assert found.grade is Grade.GOOD
    (found,) = checks_pins.press(SimulatedButton(SystemClock()), 0.01)
    assert found.grade is Grade.WARNING
    infrared, shutter = FakeInfrared(), FakeShutter()
    assert [one.grade for one in checks_pins.darken(infrared, 0.01)] == [Grade.GOOD]
    assert infrared.told == [True, False]
    assert [one.grade for one in checks_pins.cover(shutter)] == [Grade.GOOD]
    assert shutter.told == [True, False]


def test_pins_that_contradict_each_other_are_bad_whatever_board_it_is(tmp_path: Path) -> None:
    settings = Config(pins=PinSettings(pir=4, led=4, button=0, shutter=99))
    wired = ["motion-sensor", "status-light", "button", "shutter"]
    found = [check.run()[0] for check in doctor.chosen(doctor.parts(settings, tmp_path), wired)]
    assert {one.grade for one in found} == {Grade.BAD}
    assert "both on GPIO4" in found[0].words
    assert found[0].words == found[1].words
    assert "reserved" in found[2].words
    assert found[3].words == "there is no GPIO99 on the header", "the part is named beside it"


def test_the_claims_broker_answers_or_why_it_does_not(tmp_path: Path) -> None:
    assert [one.grade for one in checks_link.broker(tmp_path / "post")] == [Grade.ABSENT]
    with Broker(tmp_path) as broker:
        write_claim(tmp_path / "post", broker)
        (found,) = checks_link.broker(tmp_path / "post")
        assert (found.grade, "is this home's" in found.words) == (Grade.GOOD, True)
    (found,) = checks_link.broker(tmp_path / "post")
    assert (found.grade, "nobody listens" in found.words) == (Grade.BAD, True)


def test_all_of_it_as_a_program_reads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "sealcam.toml"
    config.write_text(f'[camera]\nsource = "{footage.vtest()}"\n[paths]\nstate = "{tmp_path}"\n')
    code = main(["doctor", "--config", str(config), "--json"])
    out, error = capsys.readouterr()
    found = json.loads(out)
    bad = [one["part"] for one in found["findings"] if one["grade"] == "bad"]
    assert (code, found["good"]) == ((1, False) if bad else (0, True))
    assert set(bad) <= {"speed", "temperature", "storage"}, "a machine may be hot or busy"
    named = {one["part"] for one in found["findings"]}
    parts = doctor.parts(Config(), Path("/"))
    assert named == {check.part for check in parts} | {"focus", "light"}
    assert error.count("sealcam: looking at ") == len(parts)


def test_a_person_reads_one_line_a_part_and_what_would_help(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "sealcam.toml"
    config.write_text(f'[camera]\nsource = "/dev/none"\n[paths]\nstate = "{tmp_path}"\n')
    assert main(["doctor", "--config", str(config), "--only", "camera", "motion-sensor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("BAD   camera:         ")
    assert lines[1].startswith(" " * 21)
    assert lines[2:] == [
        "-     motion sensor:  none is configured (pir under [pins])",
        "2 parts: 1 bad, 0 to look at",
    ]


def test_a_part_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--only", "soul"]) == 2
    error = capsys.readouterr().err
    assert "there is no part soul" in error
    assert "hint: there are: camera, motion-sensor, status-light, " in error


@pytest.mark.parametrize(("npu", "grade"), [("off", Grade.ABSENT), ("text", Grade.WARNING), ("none", Grade.BAD)])
def test_a_neural_processor_that_is_not_used_says_why(tmp_path: Path, npu: str, grade: Grade) -> None:
    (tmp_path / "text").write_text("no library")
    settings = Config(model=ModelSettings(npu="off" if npu == "off" else str(tmp_path / npu)))
    (check,) = doctor.chosen(doctor.parts(settings, tmp_path), ["neural-processor"])
    (found,) = check.run()
    assert found.grade is grade


def test_pins_that_cannot_be_opened_are_bad(tmp_path: Path) -> None:
    settings = Config(pins=PinSettings(pir=17, led=27), paths=PathSettings(state=tmp_path))
    pins = [check for check in doctor.parts(settings, tmp_path) if check.part in ("motion sensor", "status light")]
    if Path("/dev/gpiochip0").exists():
        pytest.skip("this machine has pins")
    assert [[one.grade for one in check.run()] for check in pins] == [[Grade.BAD], [Grade.BAD]]
