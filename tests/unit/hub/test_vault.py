"""The vault: which clips there are and where, and one of them opened by ranges, with few reads."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from sealcam.wire.bodies import ClipState
from sealcam.wire.clip import SCL1, State, recover
from sealcam.wire.errors import ConfigError, EnvelopeError, SealcamError
from sealcam_hub import tables
from sealcam_hub.deletion import Deleter, named
from sealcam_hub.lines import json_line
from sealcam_hub.vault import Vault
from sealcam_hub.vault_files import VaultFiles
from sealcam_hub.vault_rows import Kept, put
from tests.hubs import WALL_NS
from tests.receiving import Desk, desk
from tests.scl1 import content
from tests.vault import clip_of as sealed

CHUNK = SCL1.chunk_bytes
PLAIN = content(17 * CHUNK + 1000)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    """A hub that has heard of clip 1, of incident 1."""
    with desk(tmp_path / "hub") as made:
        made.take(made.camera.incident(1, clip=made.camera.clip_key(1)))
        yield made


def clip_of(at: Desk, number: int = 1, plain: bytes = PLAIN, *, finish: bool = True) -> bytes:
    """The file of that clip of the desk's camera."""
    return sealed(at.camera, number, plain, finish=finish)


def hold(at: Desk, data: bytes, number: int = 1, *, whole: bool = True, interrupted: bool = False) -> str:
    """Have it in the vault; its id."""
    clip, files = number.to_bytes(16, "big"), at.home.vault().files
    files.begin(clip)
    files.append(clip, 0, data)
    state = Kept.WHOLE if whole else Kept.COMING
    values = {"size": len(data), "interrupted": interrupted} if whole else {}
    if whole:
        files.finish(clip)
    with at.home.store.writing() as connection:
        put(connection, 1, clip, state, WALL_NS, **values)
    return clip.hex()


def test_a_clip_opens_by_ranges_and_its_size_is_exact(at: Desk) -> None:
    name = hold(at, clip_of(at))
    with at.home.vault().open(name) as clip:
        assert clip.size == len(PLAIN)
        assert clip.status.state is State.COMPLETE
        assert (clip.info.media, clip.camera, clip.id) == ("video/mp4", "Door", name)
        for start, length in ((0, 10), (CHUNK - 3, 6), (16 * CHUNK - 1, 2), (5, 3 * CHUNK), (len(PLAIN) - 4, 100)):
            assert clip.read(start, length) == PLAIN[start : start + length]
        assert clip.read(len(PLAIN), 1) == clip.read(7, 0) == b""
        assert clip.read(0, len(PLAIN) + 1) == PLAIN


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, 16 * CHUNK, 16 * CHUNK - 1, 32 * CHUNK])
def test_a_clip_of_any_length_has_its_own_size(at: Desk, length: int) -> None:
    plain = content(length)
    with at.home.vault().open(hold(at, clip_of(at, plain=plain))) as clip:
        assert clip.size == length
        assert clip.read(0, length) == plain


def test_a_clip_whose_power_was_cut_opens_as_far_as_it_goes(at: Desk) -> None:
    file = io.BytesIO(clip_of(at, finish=False)[:-3000])
    recover(file, [at.camera.signer.public], at.camera.signer, at.camera.epoch)
    with at.home.vault().open(hold(at, file.getvalue(), interrupted=True)) as clip:
        assert clip.status.state is State.INTERRUPTED
        assert clip.read(0, clip.size) == PLAIN[: clip.size]
        assert clip.size >= 16 * CHUNK
    (view,) = at.home.vault().clips()
    assert (view.state, view.interrupted) == ("here", True)


def test_a_clip_that_is_coming_opens_as_far_as_it_is_verified(at: Desk) -> None:
    data = clip_of(at)
    header = len(data) - SCL1.segment_bytes - 2 * SCL1.sealed_bytes - 113
    name = hold(at, data[: header + SCL1.segment_bytes + 500], whole=False)
    with at.home.vault().open(name) as clip:
        assert clip.status.state is State.CUT
        assert clip.size == 16 * CHUNK
        assert clip.read(0, clip.size) == PLAIN[: 16 * CHUNK]
    at.take(at.camera.clip(1, chunks=18))
    view = at.home.vault().clip(name)
    assert view is not None
    assert (view.state, view.percent) == ("coming", 88)


def test_what_was_changed_on_the_disk_does_not_open(at: Desk) -> None:
    data = bytearray(clip_of(at))
    data[3 * SCL1.sealed_bytes] ^= 1  # of a chunk far from the end: it is found when it is asked for
    with at.home.vault().open(hold(at, bytes(data))) as clip:
        assert clip.read(10 * CHUNK, CHUNK) == PLAIN[10 * CHUNK : 11 * CHUNK]
        with pytest.raises(EnvelopeError):
            clip.read(2 * CHUNK, CHUNK)
    data[-1] ^= 1
    at.home.vault().files.remove((1).to_bytes(16, "big"))
    with pytest.raises(EnvelopeError):
        at.home.vault().open(hold(at, bytes(data)))


def test_a_clip_says_where_it_is(at: Desk) -> None:
    for number in range(2, 8):
        at.take(at.camera.incident(1, clip=at.camera.clip_key(number, number)))
    at.take(at.camera.clip(2, ClipState.EVICTED), at.camera.clip(3, ClipState.INTERRUPTED, 1))
    hold(at, clip_of(at, 4), 4)
    with at.home.store.writing() as connection:
        put(connection, 1, (5).to_bytes(16, "big"), Kept.COMING, WALL_NS, asked_ns=WALL_NS)
        put(connection, 1, (6).to_bytes(16, "big"), Kept.FULL, WALL_NS)
        put(connection, 1, (7).to_bytes(16, "big"), Kept.DROPPED, WALL_NS, size=7)
        put(connection, 1, (8).to_bytes(16, "big"), Kept.DAMAGED, WALL_NS)  # no event has told of it
    found = {int(one.id, 16): one for one in at.home.vault().clips()}
    assert [found[number].state for number in range(1, 9)] == [
        "recording", "evicted", "camera", "here", "asked", "stopped", "dropped", "stopped",
    ]  # fmt: skip
    assert [found[number].why for number in (4, 6, 8)] == ["", "full", "damaged"]
    assert (found[3].interrupted, found[8].incident, found[4].percent, found[1].percent) == (True, None, 100, None)
    incident = at.home.ledger().incidents()[0].id
    assert [int(one.id, 16) for one in at.home.vault().clips(incident)] == list(range(1, 8))
    assert at.home.vault().clips(camera="Door") == at.home.vault().clips()
    assert at.home.vault().clip((8).to_bytes(16, "big").hex()) == found[8]
    with at.home.store.writing() as connection:
        connection.execute(update(tables.cameras).values(expelled=True))
    assert [one.state for one in at.home.vault().clips(incident)][:4] == ["gone", "evicted", "gone", "here"]


def test_what_is_not_here_is_not_opened_and_it_is_said_why(at: Desk) -> None:
    vault = at.home.vault()
    with pytest.raises(SealcamError, match="still recording it"):
        vault.open((1).to_bytes(16, "big").hex())
    with pytest.raises(ConfigError, match="no clip"):
        vault.open("0" * 32)
    with pytest.raises(ConfigError, match="no incident"):
        vault.clips("0" * 16)
    with pytest.raises(ConfigError, match="no camera"):
        vault.clips(camera="Roof")


def test_ten_thousand_clips_are_listed_without_reading_a_file(at: Desk) -> None:
    counted: list[bytes] = []

    class Counted(VaultFiles):
        def size(self, clip: bytes) -> int:
            counted.append(clip)
            return super().size(clip)

    rows = [{"clip": n.to_bytes(16, "big"), "camera": 1, "part": 0, "wrapped": b"w" * 72} for n in range(2, 10_002)]
    held = [{"clip": one["clip"], "camera": 1, "state": 1, "size": 9, "changed_ns": 1} for one in rows]
    with at.home.store.writing() as connection:
        connection.execute(insert(tables.clips), rows)
        connection.execute(insert(tables.vault), held)
    home = at.home
    found = Vault(Counted(home.folder.clips), home.store, home.keys).clips()
    assert len(found) == 10_001
    assert counted == []


def test_a_deleted_clip_is_deleted_whatever_there_is_of_it(at: Desk) -> None:
    name = hold(at, clip_of(at))
    home = at.home
    with home.store.reading() as connection:
        doomed = named(connection, [home.ledger().incidents()[0].id])
    Deleter(home.folder, home.store, home.keys, home.clock).delete(doomed)
    view = home.vault().clip(name)
    assert view is not None
    assert (view.state, view.held) == ("deleted", 0)
    with pytest.raises(SealcamError, match="deleted"):
        home.vault().open(name)


def test_an_incident_tells_its_clips_and_an_event_which_one_it_tells_of(at: Desk) -> None:
    at.take(at.camera.incident(1, clip=at.camera.clip_key(2, 1)), at.camera.clip(1), at.camera.health())
    name = hold(at, clip_of(at))
    (incident,) = at.home.ledger().incidents()
    assert [(one.id, one.part, one.state) for one in incident.clips] == [
        (name, 0, "here"),
        ((2).to_bytes(16, "big").hex(), 1, "recording"),
    ]
    second = (2).to_bytes(16, "big").hex()
    assert [one.clip for one in at.home.ledger().lines()] == [name, second, name, None]
    assert [json.loads(json_line(one, False))["clip"] for one in at.home.ledger().lines()][:2] == [name, second]
