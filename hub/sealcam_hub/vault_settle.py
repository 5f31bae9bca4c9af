"""As a hub begins to serve, the vault's folder and the ledger are made to agree, whatever a crash or a person has left.

What was deleted is removed; what a row says is here and isn't comes again when it is sent; what is whole and isn't said
to be so is said. A clip that somebody put into the folder, such as from the hub that this one takes the place of, is
taken up once all of it verifies. Names and sizes are looked at, and only what differs is opened. design/clips.md,
"Vault".
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable

from sqlalchemy import Connection, delete, select

from sealcam.wire.clip import State, verify
from sealcam.wire.errors import EnvelopeError
from sealcam_hub import vault_rows
from sealcam_hub.clip_keys import known_camera
from sealcam_hub.clip_rows import DELETED
from sealcam_hub.clock import Clock
from sealcam_hub.tables import clips, vault
from sealcam_hub.vault import Vault
from sealcam_hub.vault_files import FileRange
from sealcam_hub.vault_rows import Kept

_log = logging.getLogger(__name__)


def settle(place: Vault, clock: Clock) -> None:
    """Make folder and ledger agree.

    Raises:
        StorageError: the ledger can't be read or written.
        OSError: the folder can't be.
    """
    found = place.files.all()
    with place.store.reading() as connection:
        rows = {row.clip: row.state for row in connection.execute(select(vault.c.clip, vault.c.state))}
        gone = select(clips.c.clip).where(DELETED)
        deleted = set(connection.execute(gone).scalars())
    missing = [clip for clip, state in rows.items() if state == Kept.WHOLE and not found.get(clip, False)]
    for clip, whole in found.items():
        if clip in deleted or (not whole and (clip not in rows or rows[clip] == Kept.DROPPED)):
            place.files.remove(clip)
        elif whole and rows.get(clip) != Kept.WHOLE:
            _take_up(place, clip, clock)
    if missing:
        with place.store.writing() as connection:
            _forget(connection, missing)
        _log.warning("%d clips are not where they were: they come again if their cameras have them", len(missing))


def _forget(connection: Connection, missing: Iterable[bytes]) -> None:
    """They aren't here; of one whose camera sends it again all of it is taken."""
    for clip in missing:
        connection.execute(delete(vault).where(vault.c.clip == clip))


def _take_up(place: Vault, clip: bytes, clock: Clock) -> None:
    """Say of a clip that it is here, if it is one, and ends as its camera has signed."""
    with place.files.opened(clip) as (handle, _whole):
        source = FileRange(handle, os.fstat(handle).st_size)
        try:
            with place.store.reading() as connection:
                camera, signers = known_camera(connection, source)
                owner = vault_rows.owner(connection, clip)
            status = verify(source, signers)
        except EnvelopeError:
            status = None
    if status is None or status.header.clip != clip or status.state is State.CUT or owner not in (None, camera):
        _log.warning("%s in the folder of clips is no clip of this hub's cameras, and stays as it is", clip.hex())
        return
    with place.store.writing() as connection:
        vault_rows.put(connection, camera, clip, Kept.COMING, clock.wall_ns())
        vault_rows.whole(connection, clip, source.size, status.state is State.INTERRUPTED, clock.wall_ns())
