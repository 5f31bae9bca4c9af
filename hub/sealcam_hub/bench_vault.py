"""The vault's figures: a clip taken in piece by piece, and what a start, a list and an opening take among many clips.

As `bench`: a hub of its own in a temporary folder, nothing of a real one is touched, and no test asserts a speed.
"""

from __future__ import annotations

import io
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import insert

from sealcam.wire import piece
from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam.wire.clip import SCL1, ClipInfo, ClipWriter
from sealcam.wire.piece import MAX_DATA_BYTES, Piece
from sealcam_hub import setup
from sealcam_hub.bench import ALIAS, Figure, known
from sealcam_hub.clock import SystemClock
from sealcam_hub.feed import Feed
from sealcam_hub.folder import Address, Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.tables import clips, vault
from sealcam_hub.vault_settle import settle

CLIP_BYTES = 1 << 25
TIMES = 5
_CLIP = bytes(16)


def figures(where: Path | None = None, count: int = 10_000) -> Iterator[Figure]:
    """Of a hub that holds `count` clips; `where` is the disk for its folder."""
    with tempfile.TemporaryDirectory(prefix="sealcam-hub-bench-", dir=where) as path:
        folder = Folder(Path(path))
        setup.make_hub(folder, Address("localhost", 8883), lambda _words: None)
        with open_home(folder, SystemClock()) as home:
            yield from _measured(home, count)


def _measured(home: Home, count: int) -> Iterator[Figure]:
    data = _made(home)
    taken_s = _taken(home, data)
    how = f"a clip of {len(data) / 1e6:.0f} MB in pieces, each segment verified, synced and answered, then whole"
    yield Figure("hub, clips taken in", round(len(data) / 1e6 / taken_s), "MB/s", how)
    _filled(home, count)
    among = f"median of {TIMES}, among {count} clips"
    place = home.vault()
    yield Figure("hub, vault settled", _median_ms(lambda: settle(place, home.clock)), "ms", among)
    yield Figure("hub, vault listed", _median_ms(place.clips), "ms", among)
    opened = _median_ms(lambda: place.open(_CLIP.hex()).close())
    yield Figure("hub, clip opened", opened, "ms", f"{among}, one of {len(data) / 1e6:.0f} MB")
    with place.open(_CLIP.hex()) as clip:
        sought = _median_ms(lambda: clip.read(secrets.randbelow(CLIP_BYTES - 1), 1))
    yield Figure("hub, clip sought", sought, "ms", f"{among}, one byte anywhere")


def _median_ms(what: Callable[[], object]) -> float:
    found = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        what()
        found.append(time.perf_counter() - begun)
    return round(1000 * statistics.median(found), 2)


def _made(home: Home) -> bytes:
    """A clip of a camera that the hub knows."""
    camera, _ = known(home)
    at = Stamp(boot=bytes(16), boot_ns=10**11, wall_ns=1_790_000_000 * 10**9, quality=ClockQuality.SYNCHRONISED)
    info = ClipInfo(incident=bytes(8), at=at, media="video/mp4", part=0)
    file = io.BytesIO()
    writer = ClipWriter(
        file,
        camera.signer,
        camera.recipients,
        clip=_CLIP,
        info=info,
        epoch=1,
        recipient_set=1,
        content_key=secrets.token_bytes(32),
    )
    for _ in range(CLIP_BYTES // SCL1.chunk_bytes):
        writer.write(secrets.token_bytes(SCL1.chunk_bytes))
    writer.finish()
    return file.getvalue()


def _taken(home: Home, data: bytes) -> float:
    """Seconds that it takes to take it in."""
    intake, said = home.intake(Feed()), list[bytes]()
    sent = [
        piece.encode(Piece(at, len(data), data[at : at + MAX_DATA_BYTES])) for at in range(0, len(data), MAX_DATA_BYTES)
    ]

    def send(_alias: str, message: bytes) -> bool:
        said.append(message)
        return True

    begun = time.perf_counter()
    for one in sent:
        intake.deliver(ALIAS, _CLIP, one)
        intake.run_once(send, 0)
    taken_s = time.perf_counter() - begun
    if not home.vault().files.all().get(_CLIP):
        raise AssertionError("the hub's own clip was refused by the hub")
    return taken_s


def _filled(home: Home, count: int) -> None:
    """So many clips more: rows and names, as nothing opens them."""
    names = [number.to_bytes(16, "big") for number in range(1, count)]
    for name in names:
        (home.folder.clips / f"{name.hex()}.scl1").touch()
    told = [{"clip": one, "camera": 1, "incident": one[-8:], "part": 0, "wrapped": bytes(72)} for one in names]
    kept = [{"clip": one, "camera": 1, "state": 1, "size": 0, "changed_ns": 1} for one in names]
    with home.store.writing() as connection:
        connection.execute(insert(clips), told)
        connection.execute(insert(vault), kept)
