"""Clips made anew to be shared: a part of one, with people blurred or everything outside a box black.

Each is a clip of its own, with a key and an id of its own, sealed by this hub to the owner's recovery key and kept in
`HUB/shared`; nothing of it is ever on the disk in the clear. Its content key is in the ledger under the table key
until no grant of it stands any more. What changes pictures is `media`'s. design/hub.md, "Sharing".
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Select, delete, exists, insert, select, update

from sealcam.wire.bodies import Stamp
from sealcam.wire.clip import CLIP_ID_BYTES, ClipInfo, ClipWriter
from sealcam.wire.errors import ConfigError, SealcamError, StorageError
from sealcam.wire.statement_kinds import RecipientKind
from sealcam_hub import redact
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.media import Media
from sealcam_hub.media_messages import Done
from sealcam_hub.movie import Movie, read_movie
from sealcam_hub.redact import Facts, Redaction
from sealcam_hub.share_tables import copies
from sealcam_hub.store import Store
from sealcam_hub.tables import grants
from sealcam_hub.vault import OpenedClip, Vault
from sealcam_hub.vault_files import VaultFiles

FOLDER = "shared"
DRAFT_NS = 3600 * 1_000_000_000  # a copy that nobody was granted is kept so long
_PIECE = 1 << 18
_log = logging.getLogger(__name__)
_DISK = "is its disk all right, and has it room?"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy as the ledger knows it; `id` and `source` are hex digits."""

    id: str
    source: str
    made_ns: int
    size: int
    there: bool
    facts: Facts


@dataclass(frozen=True, slots=True)
class Copied:
    """The clip (id) that a copy was made of, and what was wanted."""

    source: bytes
    redaction: Redaction


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies of one hub; `files` are those of `HUB/shared`. Safe to share between threads."""

    files: VaultFiles
    store: Store
    keys: HubKeys
    clock: Clock
    media: Media

    def make(self, source: OpenedClip, wanted: Redaction, told: Callable[[float], bool] = lambda _share: True) -> Copy:
        """A new copy of an open clip; `told` hears what share is done, and says whether to go on.

        Raises:
            MediaError: the media process failed, or was told to stop; nothing is left of it.
            SealcamError: the clip has no pictures, or none in the part that is wanted.
            StorageError: the disk is full or broken.
        """
        movie = read_movie(source.read, source.size)
        if movie is None:
            raise SealcamError("nothing of this clip can be played", "so nothing of it can be made anew")
        clip, key = secrets.token_bytes(CLIP_ID_BYTES), secrets.token_bytes(32)
        try:
            self.files.begin(clip)
            done = self._written(clip, key, source, movie, wanted, told)
            kept = self._kept(clip, key, source.id, redact.facts(wanted, done))
            self.files.finish(clip)
            return kept
        except BaseException as error:
            self.files.remove(clip)
            with self.store.writing() as connection:
                connection.execute(delete(copies).where(copies.c.clip == clip))
            if isinstance(error, OSError) and not isinstance(error, SealcamError):
                raise StorageError(f"the copy can't be written: {error.strerror}", _DISK) from error
            raise

    def _written(
        self,
        clip: bytes,
        key: bytes,
        source: OpenedClip,
        movie: Movie,
        wanted: Redaction,
        told: Callable[[float], bool],
    ) -> Done:
        """Have the part made anew, and seal it as it comes."""
        first, last = _span(movie, wanted)
        from_s, all_us = movie.fragments[first].time / movie.timescale, _us(movie, first, last)
        job = redact.job(wanted, from_s)
        at = _later(source.info.at, max(from_s, wanted.begin_s))
        info = ClipInfo(incident=bytes(8), at=at, media="video/mp4", part=0)
        owner = [one.public for one in self.keys.chosen.recipients if one.kind is RecipientKind.RECOVERY]
        with (self.files.folder / f"{clip.hex()}.part").open("r+b") as file:
            sealing = ClipWriter(
                file,
                self.keys.operating,
                owner,
                clip=clip,
                info=info,
                epoch=0,
                recipient_set=0,
                content_key=key,
                sync=lambda: os.fsync(file.fileno()),
            )
            film = _fed(source, movie, first, last)
            done = self.media.run(job, film, sealing.write, lambda us: told(min(1.0, us / max(1, all_us))))
            sealing.finish()
        return done

    def _kept(self, clip: bytes, key: bytes, source: str, facts: Facts) -> Copy:
        now_ns, size = self.clock.wall_ns(), self.files.size(clip)
        with self.store.writing() as connection:
            wrap = self.keys.table.wrap
            row = {"clip": clip, "source": bytes.fromhex(source), "made_ns": now_ns, "size": size}
            connection.execute(insert(copies).values(**row, wrapped=wrap(key), facts=wrap(redact.pack(facts))))
        return Copy(clip.hex(), source, now_ns, size, True, facts)

    def find(self, clip: str) -> Copy | None:
        """The copy of that id, or none; also one whose key is gone."""
        with self.store.reading() as connection:
            row = connection.execute(select(copies).where(copies.c.clip == bytes.fromhex(clip))).one_or_none()
            if row is None:
                return None
            facts = redact.unpack(self.keys.table.unwrap(row.facts))
        return Copy(clip, row.source.hex(), row.made_ns, row.size, row.wrapped is not None, facts)

    def open(self, clip: str) -> OpenedClip:
        """A copy's content, for its owner; to be closed.

        Raises:
            ConfigError: it isn't here any more.
            EnvelopeError: its file was changed.
        """
        try:
            handle, whole = self.files.open(bytes.fromhex(clip))
        except OSError as error:
            raise ConfigError("this copy isn't here any more", "share the clip again if you want to") from error
        try:
            return Vault(self.files, self.store, self.keys).opened(handle, whole)
        except BaseException:
            os.close(handle)
            raise

    def drop(self, clip: str) -> None:
        """Destroy a copy that nobody was granted."""
        with self.store.writing() as connection:
            granted = exists().where(grants.c.clip == copies.c.clip)
            connection.execute(delete(copies).where(copies.c.clip == bytes.fromhex(clip), ~granted))
        self.tidy()

    def tidy(self) -> None:
        """As the module's `tidy`."""
        tidy(self.files, self.store, self.clock.wall_ns())

    def sweep(self) -> None:
        """As the hub starts: nobody makes a copy yet, so what isn't whole goes, and what nobody was granted."""
        with self.store.writing() as connection:
            connection.execute(delete(copies).where(~exists().where(grants.c.clip == copies.c.clip)))
        try:
            self.tidy()
            for clip, whole in self.files.all().items():
                if not whole:
                    self.files.remove(clip)
        except SealcamError:
            raise
        except OSError as error:  # one file that can't be removed keeps no hub from starting
            _log.warning("what an earlier run left of clips to share can't be removed: %s", error.strerror)


def tidy(files: VaultFiles, store: Store, now_ns: int) -> None:
    """Destroy the copies of which no grant stands, and the files that the ledger knows nothing of.

    A copy that was made within the last hour may yet be granted. Its key goes first.
    """
    stands = exists().where(grants.c.clip == copies.c.clip, grants.c.revoked_ns.is_(None), grants.c.expires_ns > now_ns)
    granted = exists().where(grants.c.clip == copies.c.clip)
    with store.writing() as connection:
        connection.execute(update(copies).where(granted, ~stands).values(wrapped=None))
        connection.execute(delete(copies).where(~granted, copies.c.made_ns <= now_ns - DRAFT_NS))
        kept = set(connection.execute(select(copies.c.clip).where(copies.c.wrapped.is_not(None))).scalars())
    for clip, whole in files.all().items():
        if clip not in kept and whole:
            files.remove(clip)


def copied(connection: Connection, keys: HubKeys, clip: bytes) -> Copied | None:
    """What a clip that was made to be shared is made of, and what was changed; none of any other clip."""
    row = connection.execute(select(copies).where(copies.c.clip == clip)).one_or_none()
    return None if row is None else Copied(row.source, redact.unpack(keys.table.unwrap(row.facts)).redaction)


def forget_sources(connection: Connection, sources: Select[tuple[bytes]], now_ns: int) -> None:
    """Destroy the keys of the copies of some clips (a query of ids), and end what was granted of them.

    The files, which open for nobody any more, go with the next `tidy`.
    """
    of = copies.c.source.in_(sources)
    shared = update(grants).where(grants.c.clip.in_(select(copies.c.clip).where(of)), grants.c.revoked_ns.is_(None))
    connection.execute(shared.values(revoked_ns=now_ns))
    connection.execute(update(copies).where(of).values(wrapped=None))


def _span(movie: Movie, wanted: Redaction) -> tuple[int, int]:
    """The first fragment that is needed, and the one behind the last."""
    times = [one.time / movie.timescale for one in movie.fragments]
    first = max((at for at, time in enumerate(times) if time <= wanted.begin_s), default=0)
    last = len(times) if wanted.end_s is None else sum(time < wanted.end_s for time in times)
    return first, max(first + 1, last)


def _us(movie: Movie, first: int, last: int) -> int:
    end = movie.duration if last == len(movie.fragments) else movie.fragments[last].time
    return (end - movie.fragments[first].time) * 1_000_000 // movie.timescale


def _fed(source: OpenedClip, movie: Movie, first: int, last: int) -> Iterator[bytes]:
    """What goes to the media process: the movie's beginning, and the fragments that are needed."""
    yield source.read(0, movie.beginning)
    at = movie.fragments[first].offset
    end = movie.end if last == len(movie.fragments) else movie.fragments[last].offset
    while at < end:
        piece = source.read(at, min(_PIECE, end - at))
        yield piece
        at += len(piece)


def _later(at: Stamp, seconds: float) -> Stamp:
    """When the copy's first picture was, about; without which boot of the camera that was in."""
    wall_ns = at.wall_ns + round(seconds * 1e9) if at.wall_ns else 0
    return replace(at, boot=bytes(16), boot_ns=0, wall_ns=wall_ns)
