"""Recovery: a camera that stalls, freezes, is lost or hangs is told, and recovered rung by rung; the eye whole."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from sealcam import camera_opening
from sealcam.board.fake_live import FakeLive, Mood
from sealcam.board.protocols import Camera, Frame
from sealcam.ladder import MOST_REBOOTS, RESTARTS, Climbed, Ladder
from sealcam.recovery import LadderFile, Recovering, ask_for_reboot
from sealcam.wire import schema
from sealcam.wire.bodies import EventType, HealthBody
from sealcam.wire.envelope import Opened
from tests.claimed import household
from tests.eye_home import Home, Post
from tests.waiting import eventually

REPO = Path(__file__).parents[2]


class Sensor:
    """A sensor in a mood, and the word that it may end."""

    def __init__(self) -> None:
        self.mood = Mood.WELL
        self.opened = 0
        self.over = threading.Event()

    def open(self) -> FakeLive:
        self.opened += 1
        return _Ending(self)


class _Ending(FakeLive):
    def __init__(self, sensor: Sensor) -> None:
        super().__init__(lambda: sensor.mood)
        self._sensor_of = sensor

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            if self._sensor_of.over.is_set():
                return
            yield frame


def codes(opened: Sequence[Opened]) -> list[str]:
    return [schema.decode(one.body, HealthBody).code for one in opened if one.kind == EventType.HEALTH]


def test_a_camera_that_is_lost_for_a_moment_is_told_opened_again_and_told_to_be_back(tmp_path: Path) -> None:
    sensor, home = Sensor(), Home(tmp_path, household(tmp_path))
    kept = LadderFile(tmp_path / "ladder")
    urgent: list[bool] = []

    def answer(opened: Opened) -> Sequence[bytes]:
        said = codes([opened])
        if "started" in said:
            sensor.mood = Mood.LOST
        if "camera-lost" in said:
            urgent.append(True)
            assert kept.load() == Climbed(reopened=1)
        if "camera-back" in said:
            sensor.over.set()
        return ()

    def reopened() -> FakeLive:
        if sensor.opened:
            sensor.mood = Mood.WELL
        return sensor.open()

    recovering = Recovering(Ladder(steady_s=0.5), kept.save)
    code, _ = home.run(reopened, answer=answer, recovering=recovering)
    assert code == 0
    assert codes(home.events()) == ["started", "camera-lost", "camera-back"]
    back = schema.decode(home.events()[-1].body, HealthBody)
    assert back.detail == "pictures come again, after 1 opening"
    assert kept.load() == Climbed()


def test_a_lost_camera_is_told_before_it_is_closed_which_may_take_its_time(tmp_path: Path) -> None:
    sensor, home = Sensor(), Home(tmp_path, household(tmp_path))
    told, closings = threading.Event(), list[bool]()

    class Slow(_Ending):
        def close(self) -> None:
            if sensor.mood is Mood.LOST:
                closings.append(told.wait(20))
                sensor.mood = Mood.WELL
            super().close()

    def slow() -> FakeLive:
        sensor.opened += 1
        return Slow(sensor)

    def answer(opened: Opened) -> Sequence[bytes]:
        said = codes([opened])
        if "started" in said:
            sensor.mood = Mood.LOST
        if "camera-lost" in said:
            told.set()
        if "camera-back" in said:
            sensor.over.set()
        return ()

    code, _ = home.run(slow, answer=answer, recovering=Recovering(Ladder(steady_s=0.5)))
    assert (code, closings) == (0, [True])


def test_a_camera_that_hangs_as_it_is_opened_is_told_and_opened_again(tmp_path: Path) -> None:
    sensor, home = Sensor(), Home(tmp_path, household(tmp_path))
    back = threading.Event()

    def hanging() -> FakeLive:
        if sensor.opened == 0:
            sensor.opened += 1
            back.wait(60)
        return sensor.open()

    def answer(opened: Opened) -> Sequence[bytes]:
        if "camera-back" in codes([opened]):
            sensor.over.set()
        return ()

    recovering = Recovering(Ladder(steady_s=0.5))

    def opened() -> Camera:
        return camera_opening.opened(hanging, 0.2 if sensor.opened == 0 else 60.0)

    code, _ = home.run(opened, answer=answer, recovering=recovering)
    back.set()
    assert code == 0
    assert codes(home.events()) == ["started", "camera-lost", "camera-back"]
    lost = schema.decode(home.events()[1].body, HealthBody)
    assert lost.detail.startswith("the camera didn't open within 0.2 s")


def test_what_cannot_be_read_or_kept_allows_no_restart_of_the_board(tmp_path: Path) -> None:
    kept = LadderFile(tmp_path / "ladder")
    assert kept.load() == Climbed()
    assert kept.save(Climbed(1, 2, 3))
    assert kept.load() == Climbed(1, 2, 3)
    for nonsense in ("", "1 2", "1 2 3 4", "1 -2 3", "x y z", "1 2 99999999"):
        (tmp_path / "ladder").write_text(nonsense)
        assert kept.load().reboots >= MOST_REBOOTS, nonsense
    (tmp_path / "file").write_text("")
    assert not LadderFile(tmp_path / "file" / "ladder").save(Climbed())
    ask_for_reboot(tmp_path / "nowhere" / "reboot")  # a unit that isn't there: said in the journal alone


class Board:
    """Starts the eye again as systemd does, restarts where it asks for that, and has a hub that opens what comes."""

    def __init__(self, folder: Path, uptime_s: float) -> None:
        self.folder, self.uptime_s = folder, uptime_s
        self.keys = household(folder)
        self.opened: list[Opened] = []
        self.starts = self.boots = 0
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._supervise), threading.Thread(target=self._deliver)]

    def __enter__(self) -> Board:
        self.set(Mood.WELL)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def set(self, mood: Mood) -> None:
        new = self.folder / "mood.new"
        new.write_text(mood)
        new.replace(self.folder / "mood")

    def codes(self) -> list[str]:
        chain = sorted((one for one in self.opened if one.kind < 0x80), key=lambda one: one.seq)
        return codes(list({one.seq: one for one in chain}.values()))

    def _supervise(self) -> None:
        wish = self.folder / "reboot"
        while not self._over.is_set():
            self.starts += 1
            command = (sys.executable, "-m", "tests.live_eye", str(self.folder), str(self.uptime_s))
            with subprocess.Popen(command, cwd=REPO, stderr=subprocess.DEVNULL) as eye:
                while eye.poll() is None and not self._over.wait(0.05) and not wish.exists():
                    pass
                if wish.exists():
                    wish.unlink()
                    self.boots += 1
                    self.uptime_s = 20.0
                eye.kill()

    def _deliver(self) -> None:
        def hub(envelope: bytes) -> Sequence[bytes]:
            self.opened.append(self.keys.open(envelope))
            return (self.keys.receipt(envelope),)

        post = Post(self.folder / "eye.sock", hub, lambda _: ())
        while not self._over.wait(0.02):
            with suppress(FileNotFoundError, ConnectionError):
                post.run()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    folder = tmp_path / "eye"
    folder.mkdir()
    assert len(os.fsencode(folder / "eye.sock")) < 108
    with Board(folder, uptime_s=1000.0) as made:
        eventually(lambda: "started" in made.codes(), 120, "a first start")
        yield made


@pytest.mark.slow
def test_a_camera_that_stays_stalled_climbs_to_a_restart_of_the_board_once_and_is_told_to_be_back(board: Board) -> None:
    board.set(Mood.STALLED)
    eventually(lambda: board.boots == 1, 240, "a restart of the board")
    eventually(lambda: board.codes().count("camera-restart") > RESTARTS, 240, "another new process after that")
    assert board.boots == 1, "a board that has just been started isn't restarted again"
    board.set(Mood.WELL)
    eventually(lambda: "camera-back" in board.codes(), 240, "pictures again")
    said = [code for code in board.codes() if code.startswith("camera-")]
    climb = said[: said.index("camera-reboot")]
    assert climb[-1 - RESTARTS :] == ["camera-lost", *["camera-restart"] * RESTARTS]


@pytest.mark.slow
@pytest.mark.parametrize("mood", [Mood.FROZEN, Mood.STUCK, Mood.GONE, Mood.HUNG])
def test_a_camera_that_freezes_goes_or_hangs_is_told_and_has_a_new_process(board: Board, mood: Mood) -> None:
    board.set(mood)
    eventually(lambda: "camera-restart" in board.codes(), 240, "a new process")
    board.set(Mood.WELL)
    eventually(lambda: "camera-back" in board.codes(), 240, "pictures again")
    said = [code for code in board.codes() if code.startswith("camera-")]
    assert said.index("camera-lost") < said.index("camera-restart")
