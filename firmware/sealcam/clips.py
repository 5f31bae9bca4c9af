"""The camera's clips: files in a folder, each sealed while it is written, found again after a power cut.

A clip begins in two steps, so that its key is always on its way before its first chunk: `prepare` writes the header,
the caller queues the event that carries the key, and only `queued` gives what can write. While a file's end isn't told
to the owner it is called `.part`; at the next start such a file is recovered and told. How much may be kept, and what
goes first, is `clip_store`'s to decide; bytes are `wire.clip`'s. design/wire.md 5.1 (keys of clips) and 7.3.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from sealcam.files import sync_folder
from sealcam.growing import Growing
from sealcam.kept import Rank
from sealcam.keystore import Keystore
from sealcam.outbox import Outbox
from sealcam.sealing import Seal
from sealcam.term import Term
from sealcam.wire.bodies import ClipKey, ClipState
from sealcam.wire.clip import CLIP_ID_BYTES, ClipInfo, ClipWriter, State, recover
from sealcam.wire.errors import EnvelopeError, StorageError
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import GENESIS

_log = logging.getLogger(__name__)

_OPEN, _CLOSED = ".part", ".scl1"
_NAME = re.compile(rf"[0-9a-f]{{{2 * CLIP_ID_BYTES}}}{re.escape(_CLOSED)}")
_MAX_HEADER_BYTES = 406 + 80 * 16  # a file that isn't longer has no chunk


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a clip, as its event says it: whole chunks, bytes of content in them, its last chain."""

    clip: bytes
    state: ClipState
    chunks: int
    size: int
    chain: bytes


class Recording:
    """A clip that is being written; one thread at a time."""

    def __init__(self, path: Path, file: BinaryIO, writer: ClipWriter, term: Term, growing: Growing) -> None:
        self._path, self._file, self._writer, self._term = path, file, writer, term
        self._growing, self._signed_bytes = growing, 0

    @property
    def over(self) -> bool:
        """Whether the keys or the recipients change: finish at the next keyframe, and begin a follow-on."""
        return self._term.over

    def write(self, data: bytes | memoryview) -> None:
        """Add content.

        Raises:
            StorageError: the disk is full or broken: the clip ends here, and is recovered at the next start.
            ValueError: the clip has ended, or is as long as one may be (64 GiB).
        """
        with _errors(self._path):
            try:
                self._writer.write(data)
            except OSError:
                self._file.close()
                self._term.close()
                self._growing.ended(self._writer.clip)
                raise
        if self._writer.signed_bytes != self._signed_bytes:
            self._signed_bytes = self._writer.signed_bytes
            self._growing.grew(self._writer.clip, self._signed_bytes)

    def counts(self, rank: Rank) -> None:
        """What its incident is worth now."""
        self._growing.counts(self._writer.clip, rank)

    def finish(self) -> Fate:
        """End it in order. Say what became of it, then call `told`.

        Raises:
            StorageError: as `write`.
        """
        try:
            with _errors(self._path), self._file:
                closed = self._writer.finish()
        finally:
            self._term.close()
        return Fate(self._writer.clip, ClipState.COMPLETE, closed.chunks, closed.size, closed.chain)

    def abandon(self) -> None:
        """Leave it as a power cut would: whole chunks stay, and the next start recovers it."""
        self._writer.abandon()
        self._file.close()
        self._term.close()
        self._growing.ended(self._writer.clip)

    def told(self) -> None:
        """What `finish` returned is queued: this clip won't be told again."""
        _told(self._path)


class Prepared:
    """A clip that has a header and no content, until its key is on its way.

    `key` goes into an incident's event. Either `queued` or `drop` follows, once.
    """

    def __init__(
        self, path: Path, file: BinaryIO, writer: ClipWriter, key: ClipKey, term: Term, growing: Growing
    ) -> None:
        self._path, self._file, self._term, self._growing = path, file, term, growing
        self._writer: ClipWriter | None = writer
        self.key = key

    def queued(self) -> Recording:
        """What writes this clip. Call it when the event with `key` is in the outbox, not before.

        Raises:
            ValueError: called twice, or after `drop`.
        """
        return Recording(self._path, self._file, self._taken(), self._term, self._growing)

    def drop(self) -> None:
        """No event carries the key: leave nothing of this clip."""
        self._taken().abandon()
        self._term.close()
        with _errors(self._path):
            self._file.close()
            self._path.unlink()

    def _taken(self) -> ClipWriter:
        writer, self._writer = self._writer, None
        if writer is None:
            raise ValueError("this clip has begun, or was dropped")
        return writer


class ClipFolder:
    """The clips in one folder. One process has it for itself; methods may be called from any thread.

    `growing` are those that are being written, from their first checkpoint on until `clip_store` has taken them up.
    """

    def __init__(self, path: Path) -> None:
        """The folder at `path`, made if it isn't there.

        Raises:
            StorageError: it can't be.
        """
        self._path = path
        self.growing = Growing()
        with _errors(path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def prepare(self, seal: Seal, info: ClipInfo) -> Prepared:
        """Begin a clip under a random id and key: its header is on the disk when this returns.

        `info.at.boot_ns` is when its first picture was taken, `info.part` its number within the incident.

        Raises:
            EnvelopeError: there is nobody to seal to.
            StorageError: the disk is full or broken.
        """
        try:
            return self._prepare(seal, info)
        except BaseException:
            seal.term.close()
            raise

    def _prepare(self, seal: Seal, info: ClipInfo) -> Prepared:
        clip = secrets.token_bytes(CLIP_ID_BYTES)
        path = self._path / (clip.hex() + _OPEN)
        with _errors(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            file = cast(BinaryIO, os.fdopen(handle, "r+b", buffering=0))  # each write is on its way to the disk
            try:
                writer = ClipWriter(
                    file,
                    seal.signer,
                    seal.recipients,
                    clip=clip,
                    info=info,
                    epoch=seal.epoch,
                    recipient_set=seal.recipient_set,
                    sync=lambda: os.fdatasync(handle),
                )
                sync_folder(self._path)
            except BaseException:
                file.close()
                path.unlink()
                raise
        key = ClipKey(clip=clip, content_key=writer.content_key, started_ns=info.at.boot_ns, part=info.part)
        return Prepared(path, file, writer, key, seal.term, self.growing)

    def recover(self, signers: Collection[bytes], signer: SigningKey, epoch: int, say: Callable[[Fate], None]) -> None:
        """Close every clip that the last start has left open, and `say` what became of each.

        Not while one is being written. `signers` are this camera's keys that may have signed them, `signer` signs now.
        A clip is said again when a power cut comes in between: the last word counts.

        Raises:
            StorageError: the disk is full or broken.
        """
        for path in self._all(_OPEN):
            fate = self._recovered(path, signers, signer, epoch)
            if fate is not None:
                say(fate)
                _told(path)

    def delete(self, clip: bytes) -> Fate:
        """Delete a clip, if it is there.

        Raises:
            StorageError: it is, and can't be deleted.
        """
        for ending in (_OPEN, _CLOSED):
            path = self._path / (clip.hex() + ending)
            with _errors(path):
                path.unlink(missing_ok=True)
        return Fate(clip, ClipState.EVICTED, 0, 0, GENESIS)

    def clips(self) -> tuple[Path, ...]:
        """The files of all clips whose end was told."""
        return tuple(self._all(_CLOSED))

    @property
    def index(self) -> Path:
        """Where an index of the folder may lie: what destroys the clips destroys it too."""
        return self._path / "index.db"

    def ids(self) -> set[bytes]:
        """Each clip whose end was told, by its name alone: no file is asked."""
        with _errors(self._path), os.scandir(self._path) as entries:
            names = [entry.name for entry in entries]
        return {bytes.fromhex(name[: 2 * CLIP_ID_BYTES]) for name in names if _NAME.fullmatch(name)}

    def written(self, clip: bytes) -> tuple[int, int]:
        """When a clip whose end was told was written last (ns of the wall clock), and its bytes.

        Raises:
            StorageError: it isn't there.
        """
        path = self._path / (clip.hex() + _CLOSED)
        with _errors(path):
            status = path.stat()
        return status.st_mtime_ns, status.st_size

    def size_of(self, clip: bytes) -> int:
        """The bytes of a clip whose end was told.

        Raises:
            StorageError: it isn't there.
        """
        return self.written(clip)[1]

    def part(self, clip: bytes, offset: int, most_bytes: int) -> tuple[bytes, int] | None:
        """At most so many bytes of a clip, and how many there are in all; none if it isn't there.

        Raises:
            StorageError: it can't be read.
        """
        for ending in (_OPEN, _CLOSED):  # in this order: it may be given its other name meanwhile
            path = self._path / (clip.hex() + ending)
            with _errors(path):
                try:
                    file = path.open("rb", buffering=0)
                except FileNotFoundError:
                    continue
                with file:
                    return os.pread(file.fileno(), most_bytes, offset), os.fstat(file.fileno()).st_size
        return None

    def runs(self, clip: bytes) -> bool:
        """Whether that clip is being written, or its end isn't told."""
        return (self._path / (clip.hex() + _OPEN)).exists()

    def _all(self, ending: str) -> list[Path]:
        with _errors(self._path):
            return sorted(self._path.glob("*" + ending))

    def _recovered(self, path: Path, signers: Collection[bytes], signer: SigningKey, epoch: int) -> Fate | None:
        """What became of the clip at `path`; none where nobody has heard of it, or can say."""
        with _errors(path), path.open("r+b") as file:
            try:
                found = recover(file, signers, signer, epoch, sync=lambda: os.fsync(file.fileno()))
            except EnvelopeError:
                if path.stat().st_size <= _MAX_HEADER_BYTES:  # it ended before its key was queued
                    path.unlink()
                else:
                    _log.warning("%s has a header that no key of this camera signed; left as it is", path.name)
                return None
        state = ClipState.COMPLETE if found.state is State.COMPLETE else ClipState.INTERRUPTED
        return Fate(found.header.clip, state, found.chunks, found.size, found.chain)


def settle(folder: ClipFolder, keys: Keystore, outbox: Outbox, say: Callable[[Fate], None]) -> None:
    """What a start owes the clips: delete those whose key was evicted, close and tell those that were cut short.

    Raises:
        StorageError: the disk is full or broken.
    """
    for clip in outbox.clips_to_delete():
        folder.delete(clip)
        outbox.clip_deleted(clip)
    folder.recover(keys.publics, keys.signer, keys.epoch, say)


def _told(path: Path) -> None:
    with _errors(path):
        path.rename(path.with_suffix(_CLOSED))
        sync_folder(path.parent)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Turn the system's errors into ours."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        message = f"can't keep a clip at {path}: {error.strerror or error}"
        raise StorageError(message, "is the disk full, or read-only?") from error
