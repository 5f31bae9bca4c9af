"""Reads a backup: nothing of it counts before the hub that made it has proved itself under the owner's root.

The words give the root; the root certified that hub; the hub signed the manifest; the manifest names the hash of every
other member. Whoever changed one byte is refused. What is in it and how it is written: `backup`.
"""

from __future__ import annotations

import json
import struct
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealcam.wire import statement
from sealcam.wire.errors import EnvelopeError, StorageError
from sealcam.wire.keys import verify
from sealcam.wire.labels import BACKUP, blake2b
from sealcam.wire.sealed import MAX_ENVELOPE_BYTES
from sealcam.wire.statement_kinds import HubCertificate, RecipientSet
from sealcam_hub.backup import PART_BYTES, RECORD, VERSION
from sealcam_hub.ownership import as_caller

MAX_MANIFEST_BYTES = 1 << 24
MAX_PART_BYTES = PART_BYTES + MAX_ENVELOPE_BYTES + RECORD.size
MAX_AUDIT_BYTES = 1 << 30
_CHANGED = "it was damaged or changed, or it isn't one of this owner's hub"


@dataclass(frozen=True, slots=True)
class SavedEpoch:
    """A key that a camera signed with, from behind `after_seq` on."""

    epoch: int
    public: bytes
    command: bytes
    after_seq: int


@dataclass(frozen=True, slots=True)
class SavedCamera:
    """A camera as the backup knows it; `prekey` is the highest number of its series."""

    alias: str
    name: str
    kid: bytes
    enrolled_ns: int
    expelled: bool
    gone: bool
    prekey: int
    epochs: tuple[SavedEpoch, ...]


@dataclass(frozen=True, slots=True)
class SavedEvent:
    """An event: sealed as it came, or of one that was deleted its place alone (`sealed` is empty)."""

    camera: bytes
    epoch: int
    seq: int
    prev: bytes
    hash: bytes
    kind: int
    arrived_ns: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup whose manifest has been verified; its other members are as they are read."""

    path: Path
    hub: bytes  # operating key of the hub that made it
    made_ns: int
    recipients: RecipientSet
    certificates: dict[str, bytes]  # of hubs that signed the audit log, by the name of their row
    cameras: tuple[SavedCamera, ...]
    members: dict[str, str]

    def events(self) -> Iterator[SavedEvent]:
        """Every event, by camera and sequence.

        Raises:
            StorageError: a part is missing, damaged or changed.
        """
        for name in sorted(one for one in self.members if one.startswith("envelopes/")):
            part = self._member(name, MAX_PART_BYTES)
            at = 0
            while at < len(part):
                if len(part) - at < RECORD.size:
                    raise _refused(self.path)
                camera, epoch, seq, prev, name_hash, kind, arrived_ns, length = RECORD.unpack_from(part, at)
                at += RECORD.size + length
                if at > len(part):
                    raise _refused(self.path)
                yield SavedEvent(camera, epoch, seq, prev, name_hash, kind, arrived_ns, part[at - length : at])

    def audit(self) -> Iterator[bytes]:
        """The entries of the audit log, oldest first, as they were signed.

        Raises:
            StorageError: the log is missing, damaged or changed.
        """
        data, at = self._member("audit", MAX_AUDIT_BYTES), 0
        while at + 4 <= len(data):
            (length,) = struct.unpack_from(">I", data, at)
            at += 4 + length
            yield data[at - length : at]

    def _member(self, name: str, limit: int) -> bytes:
        with _tar(self.path) as tar:
            data = _read(self.path, tar, name, limit)
        if blake2b(BACKUP, data).hex() != self.members[name]:
            raise _refused(self.path)
        return data


def check_backup(path: Path) -> None:
    """Return if the file at `path` can be read and has a backup's parts; whose it is, `open_backup` says.

    Raises:
        StorageError: it can't be read, or is none.
    """
    with _tar(path) as tar:
        _read(path, tar, "manifest", MAX_MANIFEST_BYTES)
        _read(path, tar, "signature", 64)


def open_backup(path: Path, root_public: bytes) -> Backup:
    """The backup at `path`, if a hub of this owner made it.

    Raises:
        StorageError: it can't be read, is none, was changed, or is another owner's.
    """
    with _tar(path) as tar:
        manifest = _read(path, tar, "manifest", MAX_MANIFEST_BYTES)
        signature = _read(path, tar, "signature", 64)
    try:
        said: dict[str, Any] = json.loads(manifest)
        if said["version"] > VERSION:
            raise StorageError(f"{path} was made by a newer Sealcam", "upgrade this one first")
        found = described(path, said, root_public)
        verify(found.hub, signature, BACKUP, manifest)
        return found
    except StorageError:
        raise
    except (EnvelopeError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refused(path) from error


def described(path: Path, said: dict[str, Any], root_public: bytes) -> Backup:
    """The backup that a manifest tells of; that a hub of this owner wrote it is the caller's to know.

    Raises:
        EnvelopeError: another owner's root signed what is in it.
        ValueError, KeyError, TypeError, AttributeError: it is none.
    """
    return Backup(
        path=path,
        hub=statement.read(bytes.fromhex(said["hub_certificate"]), root_public, HubCertificate).hub,
        made_ns=int(said["made_ns"]),
        recipients=statement.read(bytes.fromhex(said["recipient_set"]), root_public, RecipientSet),
        certificates={name: bytes.fromhex(one) for name, one in said["audit_certificates"].items()},
        cameras=tuple(_camera(one) for one in said["cameras"]),
        members=dict(said["members"]),
    )


def _camera(said: dict[str, Any]) -> SavedCamera:
    return SavedCamera(
        alias=str(said["alias"]),
        name=str(said["name"]),
        kid=bytes.fromhex(said["kid"]),
        enrolled_ns=int(said["enrolled_ns"]),
        expelled=bool(said["expelled"]),
        gone=bool(said["gone"]),
        prekey=int(said["prekey"]),
        epochs=tuple(
            SavedEpoch(
                int(one["epoch"]), bytes.fromhex(one["public"]), bytes.fromhex(one["command"]), int(one["after_seq"])
            )
            for one in said["epochs"]
        ),
    )


@as_caller()
def _tar(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path, "r:")
    except (OSError, tarfile.TarError) as error:
        words = getattr(error, "strerror", None) or "it is no backup"
        raise StorageError(f"{path} can't be read: {words}", "name a file that `sealcam-hub backup` wrote") from error


def _read(path: Path, tar: tarfile.TarFile, name: str, limit: int) -> bytes:
    try:
        entry = tar.getmember(name)
        file = tar.extractfile(entry) if entry.isreg() and entry.size <= limit else None
        data = file.read(limit + 1) if file is not None else b""
    except (OSError, KeyError, tarfile.TarError, EOFError, ValueError) as error:
        raise _refused(path) from error
    if file is None or len(data) != entry.size:
        raise _refused(path)
    return data


def _refused(path: Path) -> StorageError:
    return StorageError(f"{path} is refused as a backup", _CHANGED)
