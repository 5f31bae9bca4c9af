"""A backup that opens nothing: what the hub keeps sealed, and what proves whose it is.

A tar file: `envelopes/0001` and on hold the events, sealed as they came, by camera and sequence (of one that was
deleted only its place); `audit` the log;
`manifest` (JSON) names the cameras with their public keys, the owner's statements and the hash of every other member;
`signature` is the hub's over the manifest (design/wire.md 2.1, `sealcam/backup`). No content key, no prekey, no secret
of any kind is in it: only the owner's 24 words open the events, by the recovery recipient's slot. `recovery` reads
it. A full copy, with the hub's own keys, is `fullcopy`'s.
"""

from __future__ import annotations

import io
import json
import struct
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, select

from sealcam.wire.labels import BACKUP, blake2b
from sealcam_hub import audit, tables
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.newfile import whole_file
from sealcam_hub.rekey import Told
from sealcam_hub.store import Store
from sealcam_hub.tables import APPENDED, cameras, epochs, events

VERSION = 1
PART_BYTES = 1 << 23
RECORD = struct.Struct(">8sIQ32s32sBQI")  # camera kid | epoch | seq | prev | hash | type | arrived_ns | length
_CERTIFICATES = "hub-certificate/"


@dataclass(frozen=True, slots=True)
class Report:
    """What a backup holds."""

    cameras: int
    events: int
    size_bytes: int


def write_backup(
    store: Store, keys: HubKeys, clock: Clock, path: Path, told: Told = lambda _done, _all: None
) -> Report:
    """Write everything this hub has, sealed, to a file at `path`; a plain file that was there is replaced.

    Raises:
        StorageError: the disk is full, or the ledger can't be read.
    """
    with store.reading() as connection, whole_file(path) as file:  # one view of the ledger, whatever comes meanwhile
        total = connection.execute(select(func.count()).select_from(events)).scalar_one()
        known = connection.execute(select(cameras).order_by(cameras.c.id)).all()
        members: dict[str, str] = {}
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:

            def add(name: str, data: bytes) -> None:
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode, entry.mtime = len(data), 0o600, clock.wall_ns() // 1_000_000_000
                tar.addfile(entry, io.BytesIO(data))
                members[name] = blake2b(BACKUP, data).hex()

            done = 0
            for number, (part, count) in enumerate(_parts(connection, known), 1):
                add(f"envelopes/{number:04d}", part)
                done += count
                told(done, total)
            add("audit", b"".join(struct.pack(">I", len(one)) + one for one in audit.entries(connection)))
            said = manifest(connection, keys, clock, known) | {"members": dict(members)}
            signed = json.dumps(said, indent=1).encode()
            add("manifest", signed)
            add("signature", keys.operating.sign(BACKUP, signed))
        size = file.tell()
    return Report(len(known), total, size)


def _parts(connection: Connection, known: Sequence[Row[*tuple[Any, ...]]]) -> Iterator[tuple[bytes, int]]:
    part, count = bytearray(), 0
    for camera in known:
        for row in _events(connection, camera.id):
            sealed = row.sealed or b""
            if not sealed and row.status != APPENDED:
                continue  # deleted before it found its place
            head = (camera.kid, row.epoch, row.seq, row.prev, row.hash, row.kind, row.arrived_ns, len(sealed))
            part += RECORD.pack(*head) + sealed
            count += 1
            if len(part) >= PART_BYTES:
                yield bytes(part), count
                part, count = bytearray(), 0
    if part:
        yield bytes(part), count


def _events(connection: Connection, camera: int) -> Iterator[Row[*tuple[Any, ...]]]:
    """A camera's events by sequence, a few at a time; those that were deleted without their envelope."""
    query = select(events, tables.envelopes.c.sealed)
    query = query.outerjoin(tables.envelopes, tables.envelopes.c.hash == events.c.hash)
    query = query.where(events.c.camera == camera).order_by(events.c.seq, events.c.hash).limit(256)
    after: tuple[int, bytes] = (-1, b"")
    while True:
        beyond = (events.c.seq > after[0]) | ((events.c.seq == after[0]) & (events.c.hash > after[1]))
        rows = connection.execute(query.where(beyond)).all()
        yield from rows
        if len(rows) < 256:
            return
        after = (rows[-1].seq, rows[-1].hash)


def manifest(
    connection: Connection, keys: HubKeys, clock: Clock, known: Sequence[Row[*tuple[Any, ...]]]
) -> dict[str, Any]:
    """What a backup says of whose it is: the owner's statements, and the cameras in `known` with their public keys."""
    certificates = select(tables.values).where(tables.values.c.name.like(f"{_CERTIFICATES}%"))
    return {
        "format": "sealcam backup",
        "version": VERSION,
        "made_ns": clock.wall_ns(),
        "root": keys.root_public.hex(),
        "hub_certificate": keys.certificate.hex(),
        "recipient_set": keys.recipient_set.hex(),
        "audit_certificates": {row.name: row.value.hex() for row in connection.execute(certificates)},
        "cameras": [_camera(connection, one) for one in known],
    }


def _camera(connection: Connection, row: Row[*tuple[Any, ...]]) -> dict[str, object]:
    newest = select(func.max(tables.prekeys.c.number)).where(tables.prekeys.c.camera == row.id)
    signed = connection.execute(select(epochs).where(epochs.c.camera == row.id).order_by(epochs.c.epoch)).all()
    return {
        "alias": row.alias,
        "name": row.name,
        "kid": row.kid.hex(),
        "enrolled_ns": row.enrolled_ns,
        "expelled": row.expelled,
        "gone": row.gone,
        "head_seq": row.head_seq,
        "prekey": connection.execute(newest).scalar() or 0,
        "epochs": [
            {
                "epoch": one.epoch,
                "public": one.public.hex(),
                "command": one.command.hex(),
                "after_seq": one.after_seq,
            }
            for one in signed
        ],
    }
