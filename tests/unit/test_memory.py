"""The camera's memory on the disk: kept over a restart, marked by the hub, listed, exported, erased, never a pixel."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sealcam import memory_bodies, memory_command
from sealcam.cli import main
from sealcam.clocks import SimulatedClock
from sealcam.commands import Declined
from sealcam.keystore import Keystore
from sealcam.marks import Marks
from sealcam.memory_bodies import MOST_BYTES, Remembered
from sealcam.memoryfile import SAVE_EVERY_S, MemoryFile
from sealcam.outbox import Outbox
from sealcam.reset import Places, reset
from sealcam.sight.focus import Look
from sealcam.sight.looks import likeness
from sealcam.sight.memory import MOST, MOST_LOOKS, MOST_PARTS, Part, Trace
from sealcam.sight.statics import MOST as MOST_STATICS
from sealcam.sight.statics import StaticThing
from sealcam.sight.types import ArmMode, Box, Subject, Verdict
from sealcam.sight.verdict import IncidentFeatures, Mark, Told
from sealcam.wire.bodies import Outcome
from sealcam.wire.errors import EnvelopeError, SealcamError
from sealcam.wire.wishes import CommandType, MarkedIncident, MarksWish
from sealcam.wire.wishes import Mark as Wished
from sealcam.wrapping import Wrapping
from tests.claimed import household

MODEL, KEY = "nanodet-g", Wrapping(bytes(32))
HERE = Box(0.4, 0.3, 0.5, 0.7)
FEATURES = IncidentFeatures(
    Subject.PERSON, 0.71, 3.5, 4.0, 1, pir=True, light=False, hits=20, zones=("door",),
    told=Told(Mark.OURS, 1, place=True, look=True),
)  # fmt: skip


def _look(seed: int, channels: int = 128) -> Look:
    vector = np.abs(np.random.default_rng(seed).normal(size=channels)).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def _trace(number: int, mark: Mark | None = None, parts: int = 1, looks: int = 1) -> Trace:
    things = tuple(
        Part(Subject.PERSON, HERE, tuple(_look(number + 1000 * n) for n in range(looks))) for _ in range(parts)
    )
    return Trace(f"{number:016x}", Subject.PERSON, Verdict.THREAT, 0.83, ArmMode.NIGHT, FEATURES, things, mark)


CAR = StaticThing(Subject.VEHICLE, Box(0.8, 0.1, 0.9, 0.2), (_look(7),))


def _file(folder: Path, model: str = MODEL, now_s: int = 0) -> MemoryFile:
    return MemoryFile(folder / "memory", KEY, model, lambda: now_s)


def test_what_is_remembered_is_the_same_after_a_restart(tmp_path: Path) -> None:
    before = _file(tmp_path, now_s=1_700_000_000)
    before.keep([_trace(1), _trace(2)], (CAR,))
    before.mark([(f"{1:016x}", Mark.FALSE_ALARM)])
    after = _file(tmp_path)
    first, second = after.memory.traces
    assert (first.incident, first.mark, second.mark) == (f"{1:016x}", Mark.FALSE_ALARM, None)
    assert (first.subject, first.verdict, first.mode) == (Subject.PERSON, Verdict.THREAT, ArmMode.NIGHT)
    assert first.at_s == 1_700_000_000
    assert first.threat == pytest.approx(0.83)
    assert (first.features.confidence, first.features.zones, first.features.told) == (0.71, ("door",), None)
    assert likeness(first.parts[0].looks[0], _look(1)) > 0.999
    told = after.memory.told(Subject.PERSON, HERE, (_look(1),))
    assert told is not None
    assert told.mark is Mark.FALSE_ALARM
    (car,) = after.statics
    assert (car.subject, car.box.x0) == (Subject.VEHICLE, pytest.approx(0.8, abs=1e-4))
    assert likeness(car.looks[0], _look(7)) > 0.999


def test_looks_of_another_model_are_left_out_and_the_rest_stays(tmp_path: Path) -> None:
    before = _file(tmp_path)
    before.keep([_trace(1, Mark.FALSE_ALARM)], (CAR,))
    before.save()
    after = _file(tmp_path, "another")
    told = after.memory.told(Subject.PERSON, HERE, (_look(1, channels=96),))
    assert told is not None
    assert not told.look
    assert after.statics[0].looks == ()


def test_it_is_written_once_a_minute_and_at_once_for_a_mark(tmp_path: Path) -> None:
    memory, path = _file(tmp_path), tmp_path / "memory"
    memory.tend(0)
    assert not path.exists()
    memory.keep([_trace(1)], ())
    memory.tend(1)
    first = path.read_bytes()
    memory.keep([_trace(2)], ())
    memory.tend(2)
    assert path.read_bytes() == first
    memory.tend(round(SAVE_EVERY_S * 1e9) + 1)
    second = path.read_bytes()
    assert second != first
    memory.mark([(f"{2:016x}", Mark.OURS)])
    assert path.read_bytes() != second


def test_the_fullest_memory_fits_its_bound_and_loses_the_oldest_unmarked_first() -> None:
    long = tuple("zone " + "x" * 60 + str(number) for number in range(16))
    features = IncidentFeatures(Subject.PERSON, 0.7, 3.0, 3.0, 1, pir=False, light=False, zones=long)
    parts = _trace(1, parts=MOST_PARTS, looks=MOST_LOOKS).parts
    traces = tuple(
        Trace(f"{n:016x}", Subject.PERSON, Verdict.THREAT, 0.8, ArmMode.AWAY, features, parts,
              Mark.BENIGN if n < 10 else None)
        for n in range(MOST)
    )  # fmt: skip
    data = memory_bodies.encode(Remembered(traces, (CAR,) * MOST_STATICS), MODEL)
    assert len(data) <= MOST_BYTES
    kept = memory_bodies.decode(data, MODEL)
    assert len(kept.statics) == MOST_STATICS
    assert [one.incident for one in kept.traces[:10]] == [f"{n:016x}" for n in range(10)]
    assert kept.traces[-1].incident == f"{MOST - 1:016x}"
    assert len(kept.traces) < MOST


@pytest.mark.parametrize("damage", [b"", b"\x00", b"\xa0", b"not CBOR at all"])
def test_what_is_not_as_specified_is_refused(damage: bytes) -> None:
    with pytest.raises(EnvelopeError):
        memory_bodies.decode(damage, MODEL)


def test_a_damaged_file_is_forgotten_and_suppresses_nothing(tmp_path: Path) -> None:
    before = _file(tmp_path)
    before.keep([_trace(1, Mark.FALSE_ALARM)], (CAR,))
    before.save()
    path = tmp_path / "memory"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    after = _file(tmp_path)
    assert after.memory.traces == ()
    assert after.memory.told(Subject.PERSON, HERE, (_look(1),)) is None


def test_a_thief_reads_neither_incidents_nor_looks(tmp_path: Path) -> None:
    memory = _file(tmp_path)
    memory.keep([_trace(0x1122334455667788)], ())
    memory.save()
    content = (tmp_path / "memory").read_bytes()
    assert b"1122334455667788" not in content
    assert b"door" not in content


def _wish(*marks: tuple[int, Wished]) -> MarksWish:
    return MarksWish(marks=tuple(MarkedIncident(incident=n.to_bytes(8, "big"), mark=mark) for n, mark in marks))


def test_the_hubs_marks_are_taken_durably_and_what_is_not_known_is_said(tmp_path: Path) -> None:
    memory = _file(tmp_path)
    memory.keep([_trace(1), _trace(2)], ())
    take = Marks(memory).handlers[CommandType.MARKS]
    assert take(_wish((1, Wished.FALSE_ALARM), (2, Wished.THREAT))) == "2 marks are taken"
    assert (
        take(_wish((1, Wished.OURS), (9, Wished.OURS))) == "1 mark is taken; 1 incident is not remembered here any more"
    )
    with pytest.raises(Declined) as declined:
        take(_wish((8, Wished.BENIGN), (9, Wished.BENIGN)))
    assert declined.value.outcome is Outcome.FAILED
    assert [trace.mark for trace in _file(tmp_path).memory.traces] == [Mark.OURS, Mark.THREAT]


def test_a_mark_that_is_taken_back_is_none_any_more_and_teaches_nothing(tmp_path: Path) -> None:
    memory = _file(tmp_path)
    memory.keep([_trace(1, Mark.OURS), _trace(2)], ())
    take = Marks(memory).handlers[CommandType.MARKS]
    one, unknown = (number.to_bytes(8, "big") for number in (1, 9))
    assert take(MarksWish(marks=(), taken_back=(one, unknown))) == "1 mark is taken back"
    wish = replace(_wish((2, Wished.THREAT)), taken_back=(one,))
    assert take(wish) == "1 mark is taken; 1 mark is taken back"
    assert [trace.mark for trace in _file(tmp_path).memory.traces] == [None, Mark.THREAT]
    assert memory.memory.told(Subject.PERSON, HERE, (_look(1),)) is None


def _camera(folder: Path) -> tuple[Path, Path]:
    """A claimed camera that remembers two incidents and a car; its configuration and its folder."""
    eye = folder / "eye"
    eye.mkdir()
    household(eye)
    Outbox(eye / "outbox.db", max_bytes=1 << 20).close()
    memory = MemoryFile(eye / "memory", Keystore.open(eye).wrapping, MODEL, lambda: 1_700_000_000)
    memory.keep([_trace(1), _trace(2)], (CAR,))
    memory.mark([(f"{2:016x}", Mark.FALSE_ALARM)])
    config = folder / "sealcam.toml"
    config.write_text(f'[paths]\nstate = "{folder}"\n')
    return config, eye


def test_a_mark_on_what_nothing_was_kept_of_is_said_to_teach_nothing(tmp_path: Path) -> None:
    file = _file(tmp_path)
    file.keep([_trace(1, parts=0), _trace(2)], ())
    take = Marks(file).handlers[CommandType.MARKS]
    nothing = "noted, but nothing to recognise it by was kept"
    assert take(_wish((1, Wished.FALSE_ALARM))) == f"1 mark is {nothing}"
    assert take(_wish((1, Wished.OURS), (2, Wished.OURS))) == f"1 mark is taken; 1 mark is {nothing}"
    told = take(_wish((1, Wished.OURS), (9, Wished.OURS)))
    assert told == f"1 mark is {nothing}; 1 incident is not remembered here any more"
    assert _file(tmp_path).memory.traces[0].mark is Mark.OURS, "the owner's word is kept all the same"


def test_memory_is_listed_exported_and_erased_on_the_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, eye = _camera(tmp_path)
    assert main(["memory", "--config", str(config)]) == 0
    listed = capsys.readouterr().out
    assert "marked false_alarm" in listed
    assert listed.endswith("2 incidents, 1 of them marked; 1 static things\n")
    assert main(["memory", "--json", "--config", str(config)]) == 0
    first, second, car = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["mark"], second["mark"], car["static"]["subject"]) == (None, "false_alarm", "vehicle")
    assert len(first["parts"][0]["looks"][0]) == 128
    assert main(["memory", "--erase", f"{1:016x}", "--config", str(config)]) == 0
    assert capsys.readouterr().out == "forgotten: 1 incident\n"
    assert main(["memory", "--config", str(config), "--erase"]) == 0
    assert capsys.readouterr().out == "forgotten: 1 incident and 1 thing of the scene\n"
    assert not (eye / "memory").exists()


def test_erasing_what_is_not_there_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    config, eye = _camera(tmp_path)
    before = (eye / "memory").read_bytes()
    assert main(["memory", "--erase", f"{1:016x}", "ffff", "--config", str(config)]) == 1
    assert (eye / "memory").read_bytes() == before


def test_while_the_eye_runs_its_memory_is_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, eye = _camera(tmp_path)
    outbox = Outbox(eye / "outbox.db", max_bytes=1 << 20)
    try:
        assert main(["memory", "--config", str(config)]) == 1
    finally:
        outbox.close()
    assert "hub" in capsys.readouterr().err


class _Passing(SimulatedClock):
    """Two seconds go by whenever somebody asks: a reset that waits for a hub in vain ends at once."""

    def boot_ns(self) -> int:
        """Later each time."""
        self.advance(2)
        return super().boot_ns()


def test_a_reset_leaves_neither_memory_nor_scene(tmp_path: Path) -> None:
    _, eye = _camera(tmp_path)
    (eye / "scene").write_bytes(b"where the owner has drawn zones")
    reset(Places(eye, tmp_path / "post", tmp_path / "none.sock"), _Passing(), lambda _: None)
    assert list(eye.iterdir()) == []


def test_the_commands_words_say_what_failed() -> None:
    with pytest.raises(SealcamError, match="remembered"):
        memory_command.erase(MemoryFile(Path("/nonexistent/memory"), KEY, MODEL), ["00"])
