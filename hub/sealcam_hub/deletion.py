"""Deletes incidents for good: their keys and sealed bytes go, their rows in the ledger stay (sequence and hash).

A recording of what the broker once carried opens with the prekeys that it was sealed to as well. So each camera gets
a new prekey at once, and a deletion is complete when every older one is destroyed, which waits for the camera's word
that nothing is sealed to them any more (`complete`). The owner's 24 words still open such a recording. Implements
design/wire.md section 10.1; the key table is written anew by `rekey`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, select, update

from sealcam.wire.bodies import EventType
from sealcam.wire.errors import ConfigError, StorageError
from sealcam.wire.statement_kinds import Action
from sealcam_hub import audit, forgetting, gists_rows, prekeys, share_copies, tables, vault_rows
from sealcam_hub.clip_carriers import Carried, carried
from sealcam_hub.clock import Clock
from sealcam_hub.folder import Folder
from sealcam_hub.keys import HubKeys
from sealcam_hub.ledger import find_incident, incident_id
from sealcam_hub.postgres import in_order
from sealcam_hub.rekey import Told, put, rekeyed
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras, clips, deletions, events, grants, incidents
from sealcam_hub.vault_files import VaultFiles
from sealcam_hub.wishes import Wishes

_DESTROYED = "destroyed"  # a row in `values`, while the ledger's log may hold destroyed prekeys


@dataclass(frozen=True, slots=True)
class Doomed:
    """An incident that shall be deleted; `arrived_ns` is when its first report came."""

    camera: int
    alias: str
    name: str
    incident: bytes
    arrived_ns: int

    @property
    def id(self) -> str:
        """What the hub calls it."""
        return incident_id(self.alias, self.incident)


@dataclass(frozen=True, slots=True)
class Part:
    """What of an incident shall be deleted: these events (hashes), and the keys of these clips."""

    camera: int
    incident: bytes
    events: tuple[bytes, ...]
    clips: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many deletions wait for prekeys to be destroyed, and how many are complete."""

    pending: int
    complete: int


_DOOMED = select(incidents, cameras.c.alias, cameras.c.name).join(cameras).order_by(incidents.c.arrived_ns)


def named(connection: Connection, names: Sequence[str]) -> list[Doomed]:
    """The incidents with these ids, each once.

    Raises:
        ConfigError: there is no such incident.
    """
    found: dict[tuple[int, bytes], Doomed] = {}
    for name in names:
        row = find_incident(connection, name)
        if row is None:
            raise ConfigError(f"there is no incident {name!r}", "sealcam-hub events lists incidents; nothing was done")
        one = Doomed(row.camera, row.alias, row.name, row.incident, row.arrived_ns)
        found[one.camera, one.incident] = one
    return list(found.values())


def before(connection: Connection, when_ns: int, camera: str | None = None) -> list[Doomed]:
    """The incidents whose first report came before `when_ns` (wall time), oldest first; of one camera or of all.

    Raises:
        ConfigError: there is no such camera.
    """
    query = _DOOMED.where(incidents.c.arrived_ns < when_ns)
    if camera is not None:
        query = query.where(incidents.c.camera == _camera(connection, camera))
    return [Doomed(row.camera, row.alias, row.name, row.incident, row.arrived_ns) for row in connection.execute(query)]


def _camera(connection: Connection, name: str) -> int:
    query = select(cameras.c.id).where((cameras.c.alias == name) | (cameras.c.name == name))
    found = connection.execute(query).scalars().all()
    if len(found) != 1:
        raise ConfigError(f"there is no camera {name!r}", "sealcam-hub status lists them")
    return int(found[0])


@dataclass(frozen=True, slots=True)
class Deleter:
    """What deletes in one hub."""

    folder: Folder
    store: Store
    keys: HubKeys
    clock: Clock

    def delete(self, doomed: Sequence[Doomed], told: Told = lambda _done, _all: None, actor: str = audit.OWNER) -> bool:
        """Delete these incidents; false when a copy of old pages may still be in the ledger's log, until it is emptied.

        Raises:
            StorageError: the disk is full, or another process deletes: nothing was deleted.
        """
        now_ns = self.clock.wall_ns()
        gone: list[bytes] = []
        with rekeyed(self.folder, self.store, self.keys, told) as connection:
            numbers = {one: self._next_prekey(connection, one, now_ns) for one in {each.camera for each in doomed}}
            for one in doomed:
                gone += self._one(connection, one, numbers[one.camera], now_ns, actor)
            self._forgotten(connection, gone, actor)
            complete(connection)
        return self._settled(gone, now_ns)

    def delete_clips(self, names: Sequence[bytes], actor: str = audit.OWNER) -> bool:
        """Delete these clips, whose incidents stay: the keys, the sealed files, and the reports that carry the keys.

        An incident that has no report left goes with its clip. False as in `delete`; clips without a key are left out.

        Raises:
            StorageError: as `delete`.
        """
        now_ns = self.clock.wall_ns()
        gone: list[bytes] = []
        with rekeyed(self.folder, self.store, self.keys) as connection:
            found = [one for name in names if (one := carried(connection, self.keys.table, name)) is not None]
            numbers = {one: self._next_prekey(connection, one, now_ns) for one in {each.camera for each in found}}
            for one in found:
                gone += self._clip(connection, one, numbers[one.camera], now_ns, actor)
            self._forgotten(connection, gone, actor)
            complete(connection)
        return self._settled(gone, now_ns)

    def delete_parts(self, parts: Sequence[Part], actor: str) -> bool:
        """Delete what the home hub has deleted: parts of incidents, which go as a whole where no report is left.

        False as in `delete`.

        Raises:
            StorageError: as `delete`.
        """
        now_ns = self.clock.wall_ns()
        gone: list[bytes] = []
        with rekeyed(self.folder, self.store, self.keys) as connection:
            numbers = {one: self._next_prekey(connection, one, now_ns) for one in {each.camera for each in parts}}
            for one in parts:
                gone += self._part(connection, one, numbers[one.camera], now_ns, actor)
            complete(connection)
        return self._settled(gone, now_ns)

    def _forgotten(self, connection: Connection, gone: Sequence[bytes], actor: str) -> None:
        """Have the cameras delete what they still have of these clips; they take the home hub's word alone."""
        if self.keys.is_home and gone:
            forgetting.ask(connection, Wishes(self.store, self.keys, self.clock), gone, actor)

    def _settled(self, gone: Sequence[bytes], now_ns: int) -> bool:
        clean = self.store.compact()
        done = settle(self.store, now_ns) and clean
        self._remove(gone)
        share_copies.tidy(VaultFiles(self.folder.path / share_copies.FOLDER), self.store, now_ns)
        return done

    def _next_prekey(self, connection: Connection, camera: int, now_ns: int) -> int:
        """The number below which the camera's prekeys must die."""
        held = select(func.max(tables.prekeys.c.number)).where(tables.prekeys.c.camera == camera)
        newest = connection.execute(held).scalar()
        if newest is None:  # expelled: its series is gone already
            return 0
        return prekeys.issue_next(connection, self.keys, camera, now_ns)

    def _remove(self, gone: Sequence[bytes]) -> None:
        """Remove the clips' sealed files. Without their keys they open for nobody, so it comes after; what a crash
        leaves of it `serve` makes good as it starts."""
        files = VaultFiles(self.folder.clips)
        for clip in gone:
            try:
                files.remove(clip)
            except OSError as error:
                message = f"the sealed file of clip {clip.hex()} can't be removed: {error.strerror}"
                raise StorageError(message, "its key is destroyed; remove the file by hand") from error

    def _one(self, connection: Connection, one: Doomed, below: int, now_ns: int, actor: str) -> list[bytes]:
        """Delete one in the caller's transaction; its clips."""
        of_it = (events.c.camera == one.camera) & (events.c.incident == one.incident)
        names = select(events.c.hash).where(of_it)
        its_clips = (clips.c.camera == one.camera) & (clips.c.incident == one.incident)
        for table in (tables.content_keys, tables.envelopes):
            connection.execute(delete(table).where(table.c.hash.in_(names)))
        gone = self._keys_of(connection, its_clips, now_ns)
        gists_rows.forget(connection, one.camera, one.incident)
        row = (incidents.c.camera == one.camera) & (incidents.c.incident == one.incident)
        connection.execute(delete(incidents).where(row))
        _note(connection, one.camera, one.incident, below, now_ns)
        audit.append(connection, self.keys, now_ns, Action.DELETED, actor, "an incident", one.incident)
        return gone

    def _clip(self, connection: Connection, one: Carried, below: int, now_ns: int, actor: str) -> list[bytes]:
        """Delete one clip in the caller's transaction; its file's name."""
        if not one.leaves_reports:
            row = connection.execute(
                _DOOMED.where(incidents.c.camera == one.camera, incidents.c.incident == one.incident)
            )
            for found in row.all():
                doomed = Doomed(found.camera, found.alias, found.name, found.incident, found.arrived_ns)
                return self._one(connection, doomed, below, now_ns, actor)
        for table in (tables.content_keys, tables.envelopes):
            connection.execute(delete(table).where(table.c.hash.in_(one.events)))
        gone = self._keys_of(connection, clips.c.clip == one.clip, now_ns)
        gists_rows.forget(connection, one.camera, one.incident)
        _note(connection, one.camera, one.incident, below, now_ns)
        audit.append(connection, self.keys, now_ns, Action.DELETED, actor, "a clip", one.clip)
        return gone

    def _part(self, connection: Connection, one: Part, below: int, now_ns: int, actor: str) -> list[bytes]:
        """Delete a part in the caller's transaction; the names of its clips' files."""
        for table in (tables.content_keys, tables.envelopes):
            connection.execute(delete(table).where(table.c.hash.in_(one.events)))
        gone = self._keys_of(connection, clips.c.clip.in_(one.clips), now_ns)
        gists_rows.forget(connection, one.camera, one.incident)
        reports = select(events.c.hash).join(tables.content_keys, tables.content_keys.c.hash == events.c.hash)
        reports = reports.where(events.c.camera == one.camera, events.c.incident == one.incident)
        whole = connection.execute(reports.where(events.c.kind == EventType.INCIDENT).limit(1)).first() is None
        if whole:
            row = (incidents.c.camera == one.camera) & (incidents.c.incident == one.incident)
            connection.execute(delete(incidents).where(row))
        _note(connection, one.camera, one.incident, below, now_ns)
        what = "an incident" if whole else "a clip" if one.clips else "reports of an incident"
        subjects = one.clips if one.clips and not whole else (one.incident,)
        for subject in subjects:
            audit.append(connection, self.keys, now_ns, Action.DELETED, actor, what, subject)
        return gone

    def _keys_of(self, connection: Connection, of: ColumnElement[bool], now_ns: int) -> list[bytes]:
        """Destroy the keys of clips, and end what was granted of them; the names of their files."""
        shared = update(grants).where(grants.c.clip.in_(select(clips.c.clip).where(of)))
        connection.execute(shared.where(grants.c.revoked_ns.is_(None)).values(revoked_ns=now_ns))
        share_copies.forget_sources(connection, select(clips.c.clip).where(of), now_ns)
        connection.execute(update(clips).where(of).values(wrapped=None))
        return vault_rows.forget(connection, of)


def _note(connection: Connection, camera: int, incident: bytes, below: int, now_ns: int) -> None:
    told = insert(deletions).values(camera=camera, incident=incident, below_prekey=below, asked_ns=now_ns)
    connection.execute(told)


def complete(connection: Connection) -> None:
    """Note that prekeys were destroyed: `settle` then tells which deletions have become complete.

    To be called in the transaction that destroyed them. The note survives a crash.
    """
    in_order(connection)  # one row for all cameras
    put(connection, _DESTROYED, secrets.token_bytes(8))


def settle(store: Store, now_ns: int) -> bool:
    """Empty the ledger's log of destroyed prekeys, and only then note the deletions that are complete by that.

    False while a reader holds on to an older view: what was destroyed is still in the log, and it stays noted.

    Raises:
        StorageError: the disk is full or broken.
    """
    row = select(tables.values.c.value).where(tables.values.c.name == _DESTROYED)
    with store.reading() as connection:
        noted = connection.execute(row).scalar()
    if noted is None:
        return True
    if not store.scrub():
        return False
    older = exists().where(
        tables.prekeys.c.camera == deletions.c.camera, tables.prekeys.c.number < deletions.c.below_prekey
    )
    with store.writing() as connection:
        if connection.execute(row).scalar() != noted:
            return False  # more was destroyed meanwhile, and may be in the log
        connection.execute(update(deletions).where(deletions.c.done_ns.is_(None), ~older).values(done_ns=now_ns))
        connection.execute(delete(tables.values).where(tables.values.c.name == _DESTROYED))
    return True


def count(connection: Connection) -> Count:
    """How far what was deleted has come."""
    done = func.count(deletions.c.done_ns)
    row = connection.execute(select(func.count(), done).select_from(deletions)).one()
    return Count(pending=row[0] - row[1], complete=row[1])
