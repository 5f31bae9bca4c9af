"""The vault: the sealed clips that this hub holds, which of them there are, and what opens one while it is watched.

Nothing here is ever stored open. `Vault.open` checks a clip's header and its last segment and nothing else, whatever
its length: the rest was verified as it came (`intake`), and each chunk's tag is checked as it is opened. A clip that is
still coming is opened as far as it has come. Who may look, and the log's entry, is the caller's: `audit.opened` first.
design/clips.md, "Vault".
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from types import TracebackType

from sealcam.wire.clip import SCL1, CheckpointKind, ClipInfo, Header, Reader, Source, State, Status, read_info
from sealcam.wire.clip_walk import Walk
from sealcam.wire.errors import ConfigError, EnvelopeError, SealcamError, StorageError
from sealcam_hub import vault_rows
from sealcam_hub.clip_keys import known_clip
from sealcam_hub.clipfile import must_open
from sealcam_hub.keys import HubKeys
from sealcam_hub.ledger import find_incident
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras, clips
from sealcam_hub.vault_files import FileRange, VaultFiles
from sealcam_hub.views import ClipView

_ID = re.compile(r"[0-9a-f]{32}")
_LIST = "sealcam-hub clip list shows them"


class OpenedClip:
    """One clip's content by ranges of bytes, as `open` found it; for one thread at a time, to be closed.

    `size` is exact: it counts what opens, and of a clip whose end is here not its padding. `status.state` is *cut*
    while the clip is coming. `camera` is what the owner calls the camera.
    """

    def __init__(self, clip: bytes, camera: str, reader: Reader, status: Status, info: ClipInfo, handle: int) -> None:
        self.id, self.camera, self.info, self.status = clip.hex(), camera, info, status
        self._reader, self._handle = reader, handle
        self._kept: tuple[int, bytes] = (-1, b"")
        self.size = self._measured()

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes of content from `offset` on, fewer only at its end; opens the chunks that hold them alone.

        Raises:
            EnvelopeError: one of these was changed on the disk.
            StorageError: the disk fails.
        """
        if offset < 0 or length < 0:
            raise ValueError("a range that is none")
        end = min(offset + length, self.size)
        found = []
        while offset < end:
            number, start = divmod(offset, SCL1.chunk_bytes)
            part = self._chunk(number)[start : start + end - offset]
            found.append(part)
            offset += len(part)
        return b"".join(found)

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> OpenedClip:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of the file."""
        self.close()

    def _chunk(self, number: int) -> bytes:
        """One chunk's content; the last one that was asked for is kept, since players read on in small steps."""
        if self._kept[0] != number:
            try:
                self._kept = number, self._reader.chunk(number)
            except OSError as error:
                raise StorageError(f"a clip can't be read: {error.strerror}", "is its disk all right?") from error
        return self._kept[1]

    def _measured(self) -> int:
        """How much of it opens: of a clip that isn't complete the last segment's chunks as far as they do."""
        sure = must_open(self.status)
        size = max(0, sure - 1) * SCL1.chunk_bytes + (len(self._chunk(sure - 1)) if sure else 0)
        for number in range(sure, self.status.signed_chunks):
            try:
                size += len(self._chunk(number))
            except EnvelopeError:
                break
        return size


@dataclass(frozen=True, slots=True)
class Vault:
    """The sealed clips of one hub; safe to share between threads."""

    files: VaultFiles
    store: Store
    keys: HubKeys

    def clips(self, incident: str | None = None, camera: str | None = None) -> tuple[ClipView, ...]:
        """The clips that this hub has heard of, the newest incident's last; of one incident, of one camera, or all.

        Reads no file, and asks only for the length of what is coming.

        Raises:
            ConfigError: there is no such incident or camera.
            StorageError: the ledger can't be read.
        """
        with self.store.reading() as connection:
            if incident is not None:
                row = find_incident(connection, incident)
                if row is None:
                    raise ConfigError(f"there is no incident {incident!r}", "sealcam-hub events lists incidents")
                of = (clips.c.camera == row.camera, clips.c.incident == row.incident)
                return vault_rows.shown(connection, self.files.size, of)
            found = (
                *vault_rows.untold(connection, self.files.size),
                *vault_rows.shown(connection, self.files.size),
            )
            if camera is None:
                return found
            of_it = (cameras.c.alias == camera) | (cameras.c.name == camera)
            alias = connection.execute(cameras.select().where(of_it)).one_or_none()
        if alias is None:
            raise ConfigError(f"there is no camera {camera!r}", "sealcam-hub status lists them")
        return tuple(one for one in found if one.alias == alias.alias)

    def clip(self, name: str) -> ClipView | None:
        """The clip of that id (32 hex digits), or none.

        Raises:
            StorageError: the ledger can't be read.
        """
        if not _ID.fullmatch(name):
            return None
        clip = bytes.fromhex(name)
        with self.store.reading() as connection:
            found = vault_rows.shown(connection, self.files.size, (clips.c.clip == clip,))
            found = found or tuple(one for one in vault_rows.untold(connection, self.files.size) if one.id == name)
        return found[0] if found else None

    def open(self, name: str) -> OpenedClip:
        """The clip of that id, as far as it is here; to be closed by the caller.

        Raises:
            ConfigError: there is none.
            SealcamError: it was deleted, or nothing of it is here.
            EnvelopeError: what is on the disk isn't what came, or no key of this hub opens it.
            StorageError: the disk fails.
        """
        view = self.clip(name)
        if view is None:
            raise ConfigError(f"there is no clip {name!r}", _LIST)
        if not view.held:
            raise SealcamError(f"clip {name} isn't here: {_WHERE[view.state]}", _HINTS.get(view.state, _LIST))
        try:
            handle, whole = self.files.open(bytes.fromhex(name))
        except OSError as error:
            raise StorageError(f"clip {name} can't be read: {error.strerror}", "is its disk all right?") from error
        try:
            return self.opened(handle, whole)
        except OSError as error:
            os.close(handle)
            if isinstance(error, StorageError):
                raise
            raise StorageError(f"clip {name} can't be read: {error.strerror}", "is its disk all right?") from error
        except BaseException:
            os.close(handle)
            raise

    def opened(self, handle: int, whole: bool) -> OpenedClip:
        """The clip behind a handle, which is closed with it; `whole`: nothing more is written to it.

        Raises:
            EnvelopeError: it isn't what was kept, or no key of this hub opens it.
        """
        source = FileRange(handle, os.fstat(handle).st_size)
        with self.store.reading() as connection:
            known = known_clip(connection, self.keys, source)
        if not whole:  # what stands behind the last checkpoint may just be being written
            segments = (source.size - known.header.size_bytes) // SCL1.segment_bytes
            source = FileRange(handle, known.header.size_bytes + segments * SCL1.segment_bytes)
        status = last_status(source, known.header, known.signers)
        reader = Reader(source, known.header, known.content_key)
        info = read_info(known.header, known.content_key)
        return OpenedClip(known.header.clip, known.camera, reader, status, info, handle)


_WHERE = {
    "recording": "its camera is still recording it",
    "camera": "its camera has it",
    "asked": "its camera is asked for it",
    "coming": "it has only begun to come",
    "here": "its file is empty",
    "stopped": "it was stopped on its way",
    "evicted": "the camera had to drop it",
    "dropped": "this hub had to drop it",
    "deleted": "it was deleted",
    "gone": "its camera has left",
}
_HINTS = {"camera": "sealcam-hub clip fetch ID asks for it", "stopped": "sealcam-hub clip fetch ID asks again"}
_HINTS["deleted"] = "what was deleted opens for nobody any more"


def last_status(source: Source, header: Header, signers: tuple[bytes, ...]) -> Status:
    """What the last segment says that the clip in `source` is; what comes before it is taken as verified.

    Raises:
        EnvelopeError: the last segment or the checkpoint before it doesn't verify.
    """
    segments, rest = divmod(source.size - header.size_bytes, SCL1.segment_bytes)
    number = segments if rest or not segments else segments - 1
    walk = Walk(source, header, signers, SCL1)
    segment = walk.segment(number, walk.chain_before(number))
    if not segment.mark:
        signed = number * SCL1.segment_chunks
        return Status(State.CUT, signed + segment.chunks, signed, walk.chain_before(number), header, ())
    point = walk.checkpoint(segment)
    if point.chain != segment.chain:
        raise EnvelopeError
    states = {CheckpointKind.END: State.COMPLETE, CheckpointKind.RECOVERED: State.INTERRUPTED}
    return Status(states.get(point.kind, State.CUT), point.chunks, point.chunks, point.chain, header, ())
