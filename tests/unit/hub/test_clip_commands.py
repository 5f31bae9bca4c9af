"""`sealcam-hub clip`: a sealed clip in a file is opened with the hub's keys or keys in files, or only checked."""

from __future__ import annotations

import io
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import delete

from sealcam.wire.bodies import ClipKey
from sealcam.wire.clip import BytesSource, ClipInfo, ClipWriter, State, recover, verify
from sealcam.wire.errors import ConfigError, EnvelopeError, StorageError
from sealcam.wire.keys import BoxKey
from sealcam_hub import clipfile, setup
from sealcam_hub.clip_keys import known_signers
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.inbox import Message
from sealcam_hub.newfile import clip_file, whole_file
from sealcam_hub.receive import Receiver
from sealcam_hub.refusals import CLIP as CLIP_HINT
from sealcam_hub.tables import prekeys
from sealcam_hub.words import new_words
from tests import typing_person
from tests.hubs import BROKER, WALL_NS, Camera, make
from tests.scl1 import CONTENT_KEY, SIGNER, STRANGER, content, sealed

HUB = str(Path(sys.executable).with_name("sealcam-hub"))
REFUSED = f"sealcam-hub: error: refused\nhint: {CLIP_HINT}\n"
PLAIN = content(17 * 65_536 + 1000)
CLIP = b"a clip's id, 16B"
SECRET = BoxKey(bytes([1]) * 32)  # the first of tests.scl1's recipients


def hub(state: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [HUB, "--state", str(state), "clip", *map(str, words)]
    return subprocess.run(command, capture_output=True, check=False, text=True)


def clip_of(camera: Camera, plain: bytes = PLAIN, clip: bytes = CLIP) -> bytes:
    file = io.BytesIO()
    info = ClipInfo(incident=b"incident", at=camera.stamp(), media="video/mp4", part=0)
    recipients = [camera.prekey.public, *camera.others]
    writer = ClipWriter(
        file, camera.signer, recipients, clip=clip, info=info, epoch=1, recipient_set=1, content_key=CONTENT_KEY
    )
    writer.write(plain)
    writer.finish()
    return file.getvalue()


@pytest.fixture
def home(tmp_path: Path) -> tuple[Folder, Camera]:
    """A hub that has heard of a clip, and the camera that made it."""
    folder, camera = make(tmp_path / "hub"), Camera()
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as opened:
        camera.claim(opened, "Front door")
        key = ClipKey(clip=CLIP, content_key=CONTENT_KEY, started_ns=1, part=0)
        Receiver(opened.store, opened.keys, opened.clock).take_all(
            [Message(camera.alias, camera.incident(clip=key), WALL_NS)]
        )
    return folder, camera


@pytest.fixture
def keyed(tmp_path: Path) -> tuple[Path, tuple[object, ...]]:
    """A clip of somebody without a hub, and the words that open it."""
    (tmp_path / "clip.scl1").write_bytes(sealed(PLAIN, clipfile.SCL1))
    (tmp_path / "secret").write_text(f"# a note\n{SECRET.secret.hex()}\n")
    return tmp_path / "clip.scl1", ("--key", tmp_path / "secret", "--signer", SIGNER.public.hex())


def test_the_hub_opens_and_checks_its_cameras_clip(home: tuple[Folder, Camera], tmp_path: Path) -> None:
    folder, camera = home
    file, out = tmp_path / "clip.scl1", tmp_path / "out.mp4"
    file.write_bytes(clip_of(camera))
    done = hub(folder.path, "open", file, "-o", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{out}: {len(PLAIN)} bytes, from 18 chunks\n"
    assert out.read_bytes() == PLAIN
    assert out.stat().st_mode & 0o777 == 0o600
    done = hub(folder.path, "verify", file)
    assert done.stdout == f"complete: 18 chunks, 18 chunks signed\nclip {CLIP.hex()}\n"
    log = subprocess.run([HUB, "--state", str(folder.path), "audit"], capture_output=True, check=True, text=True)
    assert log.stdout.count("opened") == 1
    assert CLIP.hex() in log.stdout


def test_a_clip_whose_event_never_came_opens_by_its_slots(home: tuple[Folder, Camera], tmp_path: Path) -> None:
    folder, camera = home
    file, out = tmp_path / "clip.scl1", tmp_path / "out.mp4"
    file.write_bytes(clip_of(camera, b"short", clip=b"another clip, 16"))
    assert hub(folder.path, "open", file, "-o", out).returncode == 0
    assert out.read_bytes() == b"short"


def test_a_clip_of_no_camera_of_this_hub_is_refused(home: tuple[Folder, Camera], tmp_path: Path) -> None:
    file = tmp_path / "clip.scl1"
    file.write_bytes(sealed(PLAIN, clipfile.SCL1))
    for words in (("open", file, "-o", tmp_path / "out"), ("verify", file)):
        done = hub(home[0].path, *words)
        assert (done.returncode, done.stdout, done.stderr) == (
            1,
            "",
            f"sealcam-hub: error: refused\nhint: {CLIP_HINT}\n",
        )
    assert not (tmp_path / "out").exists()


def test_a_recipients_secret_as_it_is_kept_in_its_file_is_a_key(
    keyed: tuple[Path, tuple[object, ...]], tmp_path: Path
) -> None:
    file, words = keyed
    secret = tmp_path / "secret"
    secret.write_text(f"# whoever has this line\nSEALCAM-RECIPIENT-SECRET-{SECRET.secret.hex()}\n")
    done = hub(tmp_path / "none", "open", file, "-o", tmp_path / "out.mp4", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out.mp4").read_bytes() == PLAIN
    done = hub(tmp_path / "none", "verify", file, "--signer", secret)  # nobody's secret is a signer
    assert done.returncode == 2
    assert SECRET.secret.hex() not in done.stderr


def test_keys_in_files_need_no_hub(keyed: tuple[Path, tuple[object, ...]], tmp_path: Path) -> None:
    file, words = keyed
    done = hub(tmp_path / "none", "open", file, "-o", tmp_path / "out.mp4", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out.mp4").read_bytes() == PLAIN
    (tmp_path / "signer").write_text(SIGNER.public.hex())
    done = hub(tmp_path / "none", "verify", file, "--signer", tmp_path / "signer")
    assert done.stdout.startswith("complete: 18 chunks")


def test_the_owners_words_open_a_clip_with_a_hub_and_without(tmp_path: Path) -> None:
    words: list[str] = []
    folder, camera = Folder(tmp_path / "hub"), Camera()
    setup.make_hub(folder, BROKER, words.append)
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as opened:
        camera.claim(opened, "Front door")
    file, signer, typed = tmp_path / "clip.scl1", camera.signer.public.hex(), [("word  1 of 24: ", words[0])]
    file.write_bytes(clip_of(camera))
    with open_home(folder) as opened, opened.store.writing() as connection:
        connection.execute(delete(prekeys))  # what the hub itself could have opened it with
    assert hub(folder.path, "open", file, "-o", tmp_path / "none").returncode == 1
    for number, (state, more) in enumerate(((folder.path, ()), (tmp_path / "no-hub", ("--signer", signer)))):
        out = tmp_path / f"out{number}"
        done = typing_person.run([HUB, "--state", state, "clip", "open", file, "-o", out, "--words", *more], typed)
        assert (done.code, done.error) == (0, "")
        assert out.read_bytes() == PLAIN
        shown = " ".join(done.shown.split())  # one of the words may be in any text; no two that follow each other are
        assert not any(" ".join(pair) in shown for pair in itertools.pairwise(words[0].split()))
    other, x = [("word  1 of 24: ", new_words())], tmp_path / "x"
    for state, more, code in ((folder.path, (), 2), (tmp_path / "no-hub", ("--signer", signer), 1)):
        done = typing_person.run(
            [HUB, "--state", state, "clip", "open", file, "-o", tmp_path / "x", "--words", *more], other
        )
        assert done.code == code
        assert "hint: " in done.error
    assert not x.exists()


def test_an_interrupted_or_cut_clip_is_opened_as_far_as_it_goes_and_said_to_be_so(
    keyed: tuple[Path, tuple[object, ...]], tmp_path: Path
) -> None:
    file, words = keyed
    whole, out = file.read_bytes(), tmp_path / "out.mp4"
    file.write_bytes(whole[:-70_000])
    done = hub(tmp_path, "open", file, "-o", out, *words)
    assert done.returncode == 0
    assert "warning: cut: the end of this clip is missing" in done.stderr
    assert "1 chunk at the end have no signature" not in done.stderr
    assert out.read_bytes() == PLAIN[: 16 * 65_536]
    with file.open("r+b") as handle:
        recover(handle, [SIGNER.public], SIGNER, 3)
    done = hub(tmp_path, "open", file, "-o", out, *words)
    assert done.returncode == 0
    assert "warning: interrupted: the camera's power was cut" in done.stderr
    assert out.read_bytes() == PLAIN[: 16 * 65_536]


@pytest.mark.parametrize("place", [100, 800, 1_000_000, -200, -1])
def test_a_changed_clip_is_refused_and_leaves_nothing(
    keyed: tuple[Path, tuple[object, ...]], tmp_path: Path, place: int
) -> None:
    file, words = keyed
    changed = bytearray(file.read_bytes())
    changed[place] ^= 1
    file.write_bytes(changed)
    (tmp_path / "folder").mkdir()
    done = hub(tmp_path, "open", file, "-o", tmp_path / "folder" / "out.mp4", *words)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", REFUSED)
    assert list((tmp_path / "folder").iterdir()) == []


def test_misuse_is_told(keyed: tuple[Path, tuple[object, ...]], tmp_path: Path) -> None:
    file, words = keyed
    out = ("-o", tmp_path / "out")
    (tmp_path / "bad").write_text("not a key")
    for wrong, said in (
        (("open", file, *out, *words[:2]), "--key and --signer go together"),
        (("open", file, *out, *words, "--words"), "two ways to open it"),
        (("open", file, *out, "--key", tmp_path / "bad", *words[2:]), "holds no key"),
        (("open", file, *out, *words[:2], "--signer", tmp_path / "none"), "can't be read"),
        (("open", tmp_path / "none", *out, *words), "can't be read"),
        (("open", tmp_path / "none", "-o", file, *words), "can't be read"),
        (("open", file, "-o", file, *words), "would replace the sealed clip"),
        ((), "required: WHAT"),
    ):
        done = hub(tmp_path, *wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_target_that_cannot_be_written_is_told(keyed: tuple[Path, tuple[object, ...]], tmp_path: Path) -> None:
    file, words = keyed
    for target in (tmp_path / "none" / "out", tmp_path):
        done = hub(tmp_path, "open", file, "-o", target, *words)
        assert done.returncode == 1
        assert "can't be written" in done.stderr


def test_what_is_no_plain_file_is_never_replaced(keyed: tuple[Path, tuple[object, ...]], tmp_path: Path) -> None:
    file, words = keyed
    (tmp_path / "real").write_text("mine")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name, what in (
        ("link", "a link"),
        ("dangling", "a link"),
        ("pipe", "no plain file"),
        ("none/out", "no folder"),
    ):
        before = sorted(tmp_path.iterdir())
        done = hub(tmp_path / "hub", "open", file, "-o", tmp_path / name, *words)
        assert done.returncode == 1
        assert re.fullmatch(rf"sealcam-hub: error: .* can't be written: .*{what}.*\nhint: .+\n", done.stderr)
        assert sorted(tmp_path.iterdir()) == before
        with pytest.raises(StorageError, match="can't be written"), whole_file(tmp_path / name) as opened:
            opened.write(b"x")
    assert (tmp_path / "real").read_text() == "mine"
    assert (tmp_path / "link").is_symlink()
    with pytest.raises(StorageError, match="no plain file"), whole_file(Path("/dev/full")):
        pass


@pytest.mark.parametrize("name", ["", ".", "/", ".."])
def test_a_target_without_a_name_is_one_clear_error(keyed: tuple[Path, tuple[object, ...]], name: str) -> None:
    file, words = keyed
    done = hub(file.parent / "hub", "open", file, "-o", name, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"sealcam-hub: error: \S+ can't be written: it is a folder\nhint: .+\n", done.stderr)


def test_a_chunk_that_a_power_cut_spoilt_ends_the_clip_there(tmp_path: Path) -> None:
    data = bytearray(sealed(PLAIN, clipfile.SCL1, finish=False) + bytes(65_552))
    file = io.BytesIO(data)
    recover(file, [SIGNER.public], SIGNER, 3)
    for after in (bytes(data), file.getvalue()):
        source = BytesSource(after)
        status = verify(source, [SIGNER.public])
        assert status.chunks == 18
        saved = clipfile.save(source, status, CONTENT_KEY, tmp_path / "out", lambda _done, _size: None)
        assert (saved.chunks, saved.size) == (17, 17 * 65_536)
    spoilt = bytearray(data)
    spoilt[800] ^= 1
    status = clipfile.Status(State.CUT, 18, 16, b"", status.header, ())
    with pytest.raises(EnvelopeError):
        clipfile.save(BytesSource(bytes(spoilt)), status, CONTENT_KEY, tmp_path / "other", lambda _done, _size: None)
    assert not (tmp_path / "other").exists()


def test_a_file_without_its_end_never_had_a_name(tmp_path: Path) -> None:
    target = tmp_path / "out"

    class Stop(Exception):
        pass

    def half() -> None:
        with whole_file(target) as file:
            file.write(b"secret")
            assert not target.exists()
            raise Stop

    with pytest.raises(Stop):
        half()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt), whole_file(target):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    target.write_bytes(b"before")
    target.chmod(0o644)
    with whole_file(target) as file:
        file.write(b"after")
    assert target.read_bytes() == b"after"
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_a_missing_file_and_a_file_that_fails_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigError), clip_file(tmp_path / "none"):
        pass
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="can't be read"), clip_file(tmp_path / "file"):
        raise OSError(5, "input/output error")


def test_a_stranger_is_not_a_signer(home: tuple[Folder, Camera]) -> None:
    folder, camera = home
    with open_home(folder) as opened, opened.store.reading() as connection:
        ours = opened.keys.operating.public
        mine = clip_of(camera, b"x")
        assert known_signers(connection, BytesSource(mine), ours) == (camera.signer.public,)
        assert known_signers(connection, BytesSource(b"SCL1\x01" + opened.keys.operating.kid), ours) == (ours,)
        with pytest.raises(EnvelopeError):
            known_signers(connection, BytesSource(b"SCL1\x01" + STRANGER.kid), ours)
