"""A factory reset: the hub is told if it can be, and nothing is left either way."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from sealcam.clocks import Clock, SimulatedClock, SystemClock
from sealcam.messages import Decoder, Delivered, Forget, LinkState, Publish, Published, Side, encode
from sealcam.outbox import Outbox
from sealcam.reset import WAIT_S, Places, plan, reset
from sealcam.storage import InUse
from sealcam.wire import schema
from sealcam.wire.bodies import Cause, EventType, FarewellBody, Traffic
from sealcam.wire.envelope import Opened
from tests.claimed import Household, household

COVER_ENVELOPE_BYTES = 54 + 4 * 80 + 2048 + 16 + 64  # design/wire.md sections 4.1 and 11


class Pumped:
    """A post that hands every envelope to a hub, and brings back what it answers."""

    def __init__(self, path: Path, answer: Callable[[bytes], bytes | None]) -> None:
        self._path = path
        self._answer = answer
        self._ended = threading.Event()
        self.forgot = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Pumped:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._ended.wait(0.01):
            with suppress(FileNotFoundError, ConnectionError), socket.socket(socket.AF_UNIX) as link:
                link.connect(str(self._path))
                self._pump(link)

    def _pump(self, link: socket.socket) -> None:
        decoder = Decoder(Side.EYE)
        link.sendall(encode(LinkState(True)))
        while data := link.recv(65536):
            for frame in decoder.feed(data):
                if isinstance(frame, Forget):
                    self.forgot.set()
                if isinstance(frame, Publish):
                    answer = self._answer(frame.envelope)
                    said = b"" if answer is None else encode(Delivered(answer))
                    with suppress(ConnectionError):  # an eye that has gone may have left a last word
                        link.sendall(encode(Published(frame.token)) + said)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A claimed camera with clips, and its post."""
    made = Places(tmp_path / "eye", tmp_path / "post", tmp_path / "run" / "eye.sock")
    for folder in (made.eye / "clips", made.post, made.socket.parent):
        folder.mkdir(parents=True)
    (made.eye / "clips" / "one.scl").write_bytes(b"sealed")
    for name in ("tls.key", "tls.pem", "ca.pem", "post.toml"):
        (made.post / name).write_bytes(b"-")
    return made


@pytest.fixture
def home(places: Places) -> Household:
    made = household(places.eye)
    Outbox(places.eye / "outbox.db", max_bytes=1 << 20).close()
    return made


def left(places: Places) -> list[Path]:
    return [path for folder in (places.eye, places.post) for path in folder.iterdir()]


def run(places: Places, clock: Clock | None = None) -> tuple[bool, str]:
    said: list[str] = []
    return reset(places, clock or SystemClock(), said.append), "\n".join(said)


def test_the_hub_is_told_and_then_nothing_is_left(places: Places, home: Household) -> None:
    heard: list[Opened] = []

    def hub(envelope: bytes) -> bytes:
        heard.append(home.open(envelope))
        return home.receipt(envelope)

    with Pumped(places.socket, hub):
        confirmed, said = run(places)
    assert confirmed
    (farewell,) = [one for one in heard if one.kind == EventType.FAREWELL]
    assert schema.decode(farewell.body, FarewellBody).cause == Cause.SERVICE
    assert left(places) == []
    assert not places.socket.exists()
    assert "the hub has confirmed" in said


def test_by_the_button_the_eye_says_so_and_the_post_is_told_to_forget(places: Places, home: Household) -> None:
    heard: list[Opened] = []

    def hub(envelope: bytes) -> bytes:
        heard.append(home.open(envelope))
        return home.receipt(envelope)

    eye = Places(places.eye, None, places.socket)
    with Pumped(places.socket, hub) as post:
        assert reset(eye, SystemClock(), lambda _: None, cause=Cause.BUTTON)
        assert post.forgot.wait(20)
    (farewell,) = [one for one in heard if one.kind == EventType.FAREWELL]
    assert schema.decode(farewell.body, FarewellBody).cause == Cause.BUTTON
    assert heard[-1] is farewell
    assert list(places.eye.iterdir()) == []
    assert (places.post / "tls.key").exists(), "that is the post's own to destroy"


def test_by_the_button_without_a_post_it_says_what_is_left(places: Places, home: Household) -> None:
    said: list[str] = []
    assert not reset(Places(places.eye, None, places.socket), Hurried(), said.append, cause=Cause.BUTTON)
    assert list(places.eye.iterdir()) == []
    assert any("the post was not told" in line for line in said)


def test_with_cover_traffic_a_farewell_is_as_long_as_everything_else(places: Places, home: Household) -> None:
    heard: list[tuple[int, int]] = []

    def hub(envelope: bytes) -> bytes:
        heard.append((home.open(envelope).kind, len(envelope)))
        return home.receipt(envelope)

    with Pumped(places.socket, hub):
        assert reset(places, SystemClock(), lambda _: None, Traffic.COVER)
    assert EventType.FAREWELL in [kind for kind, _ in heard]
    assert {size for _, size in heard} == {COVER_ENVELOPE_BYTES}


def test_a_receipt_by_anyone_else_confirms_nothing(places: Places, home: Household, tmp_path: Path) -> None:
    stranger = household(tmp_path / "stranger")
    clock = Hurried()
    with Pumped(places.socket, stranger.receipt):
        confirmed, said = run(places, clock)
    assert not confirmed
    assert left(places) == []
    assert "has not confirmed" in said


class Hurried(SystemClock):
    """Real time, ten times as fast: a reset that waits in vain ends within a second."""

    def boot_ns(self) -> int:
        """Ten nanoseconds for each."""
        return 10 * super().boot_ns()


class Stepping(SimulatedClock):
    """A simulated clock that goes on by a second whenever it is looked at."""

    def boot_ns(self) -> int:
        self.advance(1)
        return super().boot_ns()


def test_the_farewell_waits_ten_seconds_for_its_receipt_and_no_longer(places: Places, home: Household) -> None:
    clock, said, told_s = Stepping(), list[str](), list[float]()

    def say(line: str) -> None:
        said.append(line)
        told_s.append(SimulatedClock.boot_ns(clock) / 1e9)

    assert not reset(places, clock, say)
    assert WAIT_S == 10
    assert "waiting for the post, up to 9 s more" in said[0], "a second has gone by when it is asked"
    waited_s = told_s[1] - told_s[0]
    assert WAIT_S - 1 <= waited_s <= WAIT_S + 2, "what is over is the simulated clock's steps"
    assert left(places) == []


def test_what_cannot_be_told_is_destroyed_all_the_same(places: Places) -> None:
    confirmed, said = run(places)
    assert not confirmed
    assert "the hub is not told: this camera has no keys" in said
    assert left(places) == []


def test_locked_keys_are_destroyed_too(places: Places, home: Household) -> None:
    (places.eye / "wrap").unlink()
    _, said = run(places)
    assert "is locked" in said
    assert left(places) == []


def test_it_can_be_run_again(places: Places) -> None:
    run(places)
    confirmed, said = run(places)
    assert not confirmed
    assert said == "there is nothing to destroy: this camera is reset"
    assert run(Places(places.eye / "no", places.post / "no", places.socket))[1] == said


def test_while_the_eye_runs_nothing_happens(places: Places, home: Household) -> None:
    outbox = Outbox(places.eye / "outbox.db", max_bytes=1 << 20)
    before = sorted(left(places))
    with pytest.raises(InUse) as caught:
        run(places)
    assert "stop it first" in str(caught.value.hint)
    assert sorted(left(places)) == before
    outbox.close()


def test_keys_go_after_what_they_signed(places: Places, home: Household) -> None:
    names = [path.name for path in places.doomed()]
    assert names[-2:] == ["keys", "wrap"]
    assert "outbox.db" in names[:-2]


def test_without_yes_it_only_says_what_would_go(places: Places, home: Household, tmp_path: Path) -> None:
    settings = tmp_path / "sealcam.toml"
    settings.write_text(f'[paths]\nstate = "{tmp_path}"\nsocket = "{places.socket}"\n')
    before = sorted(left(places))
    command = ["reset", "--config", str(settings)]
    sealcam = Path(sys.executable).with_name("sealcam")
    done = subprocess.run([str(sealcam), *command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == plan(places)
    assert str(places.eye / "clips") in done.stderr
    assert "hint: sealcam reset --yes" in done.stderr
    assert sorted(left(places)) == before
    (places.eye / "keys").unlink()  # nobody to say farewell to, so that nothing is waited for
    done = subprocess.run([str(sealcam), *command, "--yes"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "has not confirmed" in done.stdout
    assert left(places) == []
