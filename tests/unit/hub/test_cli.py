"""The hub's commands as a person or a program types them, in processes of their own."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sealcam.wire.bodies import Stage
from sealcam.wire.errors import ConfigError
from sealcam.wire.sealed import envelope_hash
from sealcam_hub import refusals
from sealcam_hub.arguments import lasting, moment, parse_address, parse_runs
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.folder import Address, Folder
from sealcam_hub.home import open_home
from sealcam_hub.inbox import Message
from sealcam_hub.receive import Receiver
from tests.hubs import JPEG, WALL_NS, Camera, make
from tests.waiting import eventually

HUB = str(Path(sys.executable).with_name("sealcam-hub"))


def hub(state: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([HUB, "--state", str(state), *words], input=stdin, capture_output=True, check=False)


def ok(state: Path, *words: str, stdin: bytes = b"") -> str:
    done = hub(state, *words, stdin=stdin)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture
def filled(tmp_path: Path) -> tuple[Folder, Camera, list[bytes]]:
    """A hub with three events, the last one pending, and one message refused; what was sent, the missing one last."""
    folder, camera = make(tmp_path / "hub"), Camera()
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        camera.claim(home, "Front door")
        one, two = camera.incident(1), camera.incident(1, Stage.END, JPEG)
        three = camera.incident(2)
        four = camera.health("camera.lost", "no frames \x1b[31m")
        receiver = Receiver(home.store, home.keys, home.clock)
        mail = [one, two, four, one[:-1] + bytes([one[-1] ^ 1])]
        receiver.take_all([Message(camera.alias, each, WALL_NS + n) for n, each in enumerate(mail)])
    return folder, camera, [one, two, four, three]


def test_a_trial_hub_says_where_the_words_are_and_how_the_broker_is_started(tmp_path: Path) -> None:
    state = tmp_path / "hub"
    said = ok(state, "init", "--broker", "localhost:18883", "--throwaway")
    assert re.search(r"^owner fingerprint: [0-9a-f]{64}$", said, re.MULTILINE)
    assert f"broker: mosquitto -c {state}/broker/mosquitto.conf" in said
    words = (state / "throwaway-words.txt").read_text().splitlines()
    assert words[0].startswith("# Throw-away")
    assert len(words[1].split()) == 24
    assert words[1] not in said
    again = hub(state, "init", "--throwaway")
    assert again.returncode == 1
    assert re.fullmatch(r"sealcam-hub: error: there is a hub in \S+ already\nhint: .+\n", again.stderr.decode())


def test_real_words_are_shown_on_the_terminal_alone(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    attach = "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)\n"
    attach += "os.execv(sys.argv[2], sys.argv[2:])"
    command = [sys.executable, "-c", attach, str(terminal), HUB, "--state", str(tmp_path / "hub"), "init"]
    done = subprocess.run(command, pass_fds=[terminal], capture_output=True, check=False)
    os.close(terminal)
    shown = os.read(controller, 65536).decode()
    os.close(controller)
    assert done.returncode == 0, done.stderr.decode()
    words = re.findall(r"\d+ ([a-z]+)", shown.partition("recovered.")[2])
    assert len(words) == 24
    assert "Write them on paper" in shown
    assert not any(f" {words[0]} {words[1]}" in text.decode() for text in (done.stdout, done.stderr))


def test_without_a_terminal_real_words_are_not_shown_at_all(tmp_path: Path) -> None:
    done = subprocess.run(
        [HUB, "--state", str(tmp_path / "hub"), "init"], capture_output=True, check=False, start_new_session=True
    )
    assert done.returncode == 2
    assert "hint:" in done.stderr.decode()
    assert not (tmp_path / "hub" / "hub.toml").exists()


def test_a_camera_is_enrolled_over_pipes(tmp_path: Path) -> None:
    folder, camera = make(tmp_path / "hub"), Camera()
    answer = hub(folder.path, "enrol", "--name", "Front door", stdin=camera.request())
    assert answer.returncode == 0
    assert len(answer.stdout) > 500
    refused = hub(folder.path, "enrol", "--name", "Door", stdin=b"nonsense")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert refused.stderr.decode() == f"sealcam-hub: error: refused\nhint: {refusals.CLAIM}\n"
    assert json.loads(ok(folder.path, "status", "--json"))["cameras"][0]["name"] == "Front door"


def test_events_are_one_json_line_each_in_the_ledgers_order(filled: tuple[Folder, Camera, list[bytes]]) -> None:
    folder, camera, sent = filled
    lines = [json.loads(line) for line in ok(folder.path, "events", "--json").splitlines()]
    assert [(one["seq"], one["type"], one["pending"]) for one in lines] == [
        (1, "incident", False),
        (2, "incident", False),
        (4, "health", True),
    ]
    assert [one["hash"] for one in lines] == [envelope_hash(one).hex() for one in sent[:3]]
    expected = {
        "camera": "Front door", "alias": camera.alias, "seq": 2, "type": "incident", "incident": "0000000000000001",
        "stage": "end", "subject": "person", "confidence": 0.875, "verdict": "threat", "threat": 0.9,
        "reasons": ["a person was seen", "armed away"], "trigger": "motion", "mode": "away",
        "occurred": "2027-01-15T08:00:00.000Z", "started": "2027-01-15T07:59:50.000Z",
        "ended": "2027-01-15T07:59:59.000Z", "arrived": "2027-01-15T08:00:00.000Z",
        "camera_clock": "2027-01-15T08:00:00.000Z",
        "thumbnail_bytes": len(JPEG), "clip": None, "hash": lines[1]["hash"],
        "text": None, "kind": None, "pending": False,
    }  # fmt: skip
    assert lines[1] == expected
    assert list(lines[1]) == list(expected)


def test_events_for_people_hold_no_control_characters(filled: tuple[Folder, Camera, list[bytes]]) -> None:
    said = ok(filled[0].path, "events")
    assert said.isprintable() is False  # line ends
    assert "\x1b" not in said
    assert re.search(r"Front door +▲ threat +person +88 % +new +a person was seen; armed away", said)
    assert "(an earlier event is still missing)" in said.splitlines()[2]


def test_events_can_be_chosen(filled: tuple[Folder, Camera, list[bytes]]) -> None:
    folder, camera, _ = filled
    assert len(ok(folder.path, "events", "--json", "--camera", camera.alias).splitlines()) == 3
    assert ok(folder.path, "events", "--json", "--camera", "Attic") == ""
    assert ok(folder.path, "events", "--json", "--since", "2027-01-15T09:00Z") == ""
    assert len(ok(folder.path, "events", "--json", "--since", "2027-01-15T08:00Z").splitlines()) == 3
    wrong = hub(folder.path, "events", "--since", "yesterday")
    assert wrong.returncode == 2
    assert "hint: write it as" in wrong.stderr.decode()


def test_a_follower_sees_what_comes_and_ends_with_exit_code_0(filled: tuple[Folder, Camera, list[bytes]]) -> None:
    folder, camera, sent = filled
    command = [HUB, "--state", str(folder.path), "events", "--follow", "--json", "--camera", "Front door"]
    output = folder.path.parent / "followed"
    with output.open("wb") as file:
        follower = subprocess.Popen(command, stdout=file)
    eventually(lambda: output.read_bytes().count(b"\n") == 3)
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        receiver = Receiver(home.store, home.keys, home.clock)
        mail = [camera.seal(1, camera.body(2), 2, envelope_hash(sent[0])), sent[3], camera.incident(5)]
        receiver.take_all([Message(camera.alias, each, WALL_NS + 9 + n) for n, each in enumerate(mail)])
    follower.terminate()
    assert follower.wait(20) == 0
    seen = [(one["seq"], one["type"], one["pending"]) for one in map(json.loads, output.read_text().splitlines())]
    assert seen[2:] == [(4, "health", True), (2, "notice", False), (3, "incident", False), (5, "incident", False)]


def test_one_envelope_is_opened_from_a_file(filled: tuple[Folder, Camera, list[bytes]], tmp_path: Path) -> None:
    folder, camera, sent = filled
    file = tmp_path / "envelope"
    file.write_bytes(sent[1])
    said = json.loads(ok(folder.path, "open", str(file)))
    assert (said["camera"], said["type"], said["seq"]) == ("Front door", "incident", 2)
    assert said["prev"] == envelope_hash(sent[0]).hex()
    assert (said["body"]["verdict"], said["body"]["thumbnail_bytes"]) == ("threat", len(JPEG))
    file.write_bytes(camera.incident(9))  # one that the ledger doesn't know
    assert json.loads(ok(folder.path, "open", str(file), "--signer", camera.signer.public.hex()))["seq"] == 5
    file.write_bytes(camera.beat())
    assert json.loads(ok(folder.path, "open", str(file)))["body"]["mode"] == "home"


@pytest.mark.parametrize("spoil", [lambda one: one[:-1], lambda one: b"", lambda one: b"X" + one[1:]])
def test_a_bad_envelope_is_refused_in_one_line(
    filled: tuple[Folder, Camera, list[bytes]], tmp_path: Path, spoil: object
) -> None:
    assert callable(spoil)
    file = tmp_path / "envelope"
    file.write_bytes(spoil(filled[2][0]))
    done = hub(filled[0].path, "open", str(file))
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"sealcam-hub: error: refused\nhint: {refusals.ENVELOPE}\n"


def test_a_picture_is_saved(filled: tuple[Folder, Camera, list[bytes]], tmp_path: Path) -> None:
    ok(filled[0].path, "thumbnail", "0000000000000001", "-o", str(tmp_path / "a.jpg"))
    assert (tmp_path / "a.jpg").read_bytes() == JPEG
    assert (tmp_path / "a.jpg").stat().st_mode & 0o777 == 0o600
    assert hub(filled[0].path, "thumbnail", "00000000000000ff", "-o", str(tmp_path / "b.jpg")).returncode == 1
    assert not (tmp_path / "b.jpg").exists()


def test_nothing_that_is_there_is_replaced_unasked(filled: tuple[Folder, Camera, list[bytes]], tmp_path: Path) -> None:
    state, mine = filled[0].path, tmp_path / "mine"
    for words in (("backup", "-o"), ("backup", "--with-keys", "-o"), ("audit", "--export")):
        mine.write_text("mine")
        done = hub(state, *words, str(mine))
        assert (done.returncode, done.stdout, mine.read_text()) == (1, b"", "mine")
        assert re.fullmatch(r"sealcam-hub: error: \S+ is there already\nhint: .*--force.*\n", done.stderr.decode())
        ok(state, *words, str(mine), "--force")
        told = ok(state, "audit")
        assert ("served     a full copy" if "--with-keys" in words else "served     a backup") in told
        assert mine.read_bytes() != b"mine"
        assert mine.stat().st_mode & 0o777 == 0o600
        mine.unlink()


def test_no_command_writes_into_the_hubs_folder(filled: tuple[Folder, Camera, list[bytes]], tmp_path: Path) -> None:
    state = filled[0].path
    (tmp_path / "way").symlink_to(state / "keys")
    before = {one: one.read_bytes() for one in sorted(state.rglob("*")) if one.is_file()}
    for target in (
        state / "ledger.db",
        state / "hub.toml",
        state / "new",
        tmp_path / "way" / "table",
        state / "ca" / ".." / "x",
    ):
        for words in (
            ("backup", "--force", "-o"),
            ("backup", "--with-keys", "--force", "-o"),
            ("audit", "--force", "--export"),
            ("audit", "--pin"),
            ("thumbnail", "0000000000000001", "-o"),
            ("share", "key", "-o"),
            ("join", "request", "-o"),
        ):
            done = hub(state, *words, str(target))
            assert done.returncode == 1
            assert b"is in the hub's own folder\nhint: " in done.stderr
    assert {one: one.read_bytes() for one in sorted(state.rglob("*")) if one.is_file()} == before


def test_status_counts(filled: tuple[Folder, Camera, list[bytes]]) -> None:
    said = json.loads(ok(filled[0].path, "status", "--json"))
    assert {key: said[key] for key in ("incidents", "opened", "refused", "repeats", "notices")} == {
        "incidents": 1, "opened": 1, "refused": 1, "repeats": 0, "notices": 0,
    }  # fmt: skip
    assert said["refused_by_kind"] == {"forged": 1}
    assert "1 incidents, 1 opened, 1 messages refused" in ok(filled[0].path, "status")


def test_a_wish_is_left_for_serve(filled: tuple[Folder, Camera, list[bytes]]) -> None:
    ok(filled[0].path, "arm", "Front door", "away")
    wrong = hub(filled[0].path, "arm", "Attic", "away")
    assert wrong.returncode == 2
    assert wrong.stderr.decode().endswith("hint: known: Front door\n")


def test_every_command_says_so_where_there_is_no_hub(tmp_path: Path) -> None:
    for words in (["status"], ["events"], ["serve", "--no-console"], ["arm", "a", "off"]):
        done = hub(tmp_path / "none", *words)
        assert done.returncode == 1
        assert re.fullmatch(r"sealcam-hub: error: there is no hub in \S+\nhint: make one: .+\n", done.stderr.decode())


def test_misuse_is_one_line_with_a_hint_and_exit_code_2(tmp_path: Path) -> None:
    for words in ([], ["dance"], ["arm", "Door", "asleep"], ["init", "--throwaway", "--broker", "nowhere"]):
        done = hub(tmp_path / "hub", *words)
        assert done.returncode == 2
        assert done.stderr.decode().startswith("sealcam-hub: error: ")
        assert "hint: " in done.stderr.decode()
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["events"], ["audit"]])
def test_an_output_that_is_full_is_one_clear_error(
    filled: tuple[Folder, Camera, list[bytes]], words: list[str]
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [HUB, "--state", str(filled[0].path), *words], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert re.fullmatch(rb"sealcam-hub: error: the output can't be written: .+\nhint: .+\n", done.stderr)


def test_times_beyond_reason_are_misuse(tmp_path: Path) -> None:
    folder = make(tmp_path / "hub")
    for words in (
        ("delete", "--before", "99999999d"),
        ("delete", "--before", "9999-01-01"),
        ("events", "--since", "0001-01-02T00:00Z"),
        ("events", "--since", "²d"),
    ):
        done = hub(folder.path, *words)
        assert done.returncode == 2
        assert re.fullmatch(r"sealcam-hub: error: '.+' is (too far away|no time)\nhint: .+\n", done.stderr.decode())
    for wrong in ("3654d", "100000d", "999999999d", "0d", "soon", "1d\n"):
        with pytest.raises(ConfigError) as told:
            lasting(wrong)
        assert told.value.hint
    assert lasting("3653d") == 3653 * 86400 * 10**9


def test_more_runs_than_a_message_holds_are_misuse() -> None:
    assert len(parse_runs(",".join(str(2 * n) for n in range(256)))) == 256
    with pytest.raises(ConfigError, match="257 runs"):
        parse_runs(",".join(str(2 * n) for n in range(257)))


def test_addresses_and_moments_are_read_strictly() -> None:
    assert parse_address("[::1]:8883") == Address("::1", 8883)
    assert str(Address("::1", 8883)) == "[::1]:8883"
    assert moment("2h", 10_000 * 10**9) == 2_800 * 10**9
    for wrong in ("localhost", "localhost:x", ":1", "a b:1", "h:70000"):
        with pytest.raises(ValueError, match="address"):
            parse_address(wrong)
