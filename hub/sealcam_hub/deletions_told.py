"""The home hub's side of deleting everywhere: what another hub hasn't done yet, and what it has confirmed.

The number of a deletion is its row's in `deletions`, which only grows, and in the order of commits: whoever deletes has
the ledger alone. A ledger that was restored counts from an older
number again, so each number goes with a mark of what stood there: a hub that names one that isn't known here is told
everything once more. Implements design/wire.md section 6.2; `deletions_heard` is the other side.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from sealcam.wire import labels, statement
from sealcam.wire.deleted import MAX_LIST_BYTES, DeletedList, DeletedPart, seal_list
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import key_id
from sealcam.wire.statement_kinds import DeletedSince, Deletions, RecipientKind
from sealcam_hub.clip_rows import DELETED
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.rekey import put
from sealcam_hub.store import Store
from sealcam_hub.tables import MAX_INT, cameras, clips, deletions, envelopes, events, values

NONE = bytes(8)  # the mark of number 0
AT_ONCE = 100  # deletions in one answer
MOST_RUNS, MOST_CLIPS = 500, 500  # of one incident: 20 KiB
ROOM_BYTES = MAX_LIST_BYTES - 100  # what stands around the incidents takes less
HEARD_NS = 300_000_000_000  # how old what is kept of when a hub was heard last may be
_MARK = "sealcam-hub/deletion"
_ROW = (
    "hub-deleted/"  # in `values`, and a hub's key id in hex: number u64, mark 8, when it was heard u64 (wall time, ns)
)


@dataclass(frozen=True, slots=True)
class Behind:
    """How many deletions a hub hasn't confirmed; when it said last what it has done (wall time, ns), none for never."""

    count: int
    heard_ns: int | None


def other_hub(keys: HubKeys, message: bytes) -> bytes | None:
    """The operating key of the other hub of the set in force that a statement names as its signer; nothing verified."""
    others = (one.public for one in keys.chosen.recipients if one.kind is RecipientKind.HUB)
    return next((one for one in others if key_id(one) == message[5:13] != keys.kid), None)


class DeletionsTold:
    """Answers other hubs, and remembers what they have done."""

    def __init__(self, store: Store, keys: HubKeys, clock: Clock) -> None:
        self._store, self._keys, self._clock = store, keys, clock

    def answer(self, message: bytes) -> bytes | None:
        """The `deletions` for a `deleted-since`; none where it doesn't count, or nothing is left to do.

        Raises:
            StorageError: the ledger can't be read or written.
        """
        asker = other_hub(self._keys, message)
        if asker is None:
            return None
        try:
            said = statement.read(message, asker, DeletedSince)
        except EnvelopeError:
            return None
        if said.home != self._keys.kid:
            return None
        with self._store.reading() as connection:
            done = said.done if _is_known(connection, said.done, said.mark) else 0
            found = listed(connection, done)
        self._confirmed(key_id(asker), done, said.mark if done else NONE)
        if found is None:
            return None
        sealed = seal_list(said.public, found)
        return statement.sign(self._keys.operating, Deletions(to=key_id(asker), sealed=sealed))

    def _confirmed(self, hub: bytes, done: int, mark: bytes) -> None:
        now_ns, row = self._clock.wall_ns(), done.to_bytes(8, "big") + mark
        with self._store.reading() as connection:
            before = _kept(connection, hub)
        if before[:16] == row and abs(now_ns - int.from_bytes(before[16:], "big")) < HEARD_NS:
            return
        with self._store.writing() as connection:
            put(connection, _ROW + hub.hex(), row + now_ns.to_bytes(8, "big"))


def followers(connection: Connection, keys: HubKeys) -> dict[str, Behind]:
    """How far each other hub of the set in force has followed, by key id in hex; none where this isn't the home hub."""
    hubs = [one.public for one in keys.chosen.recipients if one.kind is RecipientKind.HUB] if keys.is_home else []
    return {key_id(one).hex(): _behind(connection, key_id(one)) for one in hubs if one != keys.operating.public}


def _behind(connection: Connection, hub: bytes) -> Behind:
    kept = _kept(connection, hub)
    done = int.from_bytes(kept[:8], "big")
    if not _is_known(connection, done, kept[8:16]):
        done = 0
    count = connection.execute(select(func.count()).select_from(deletions).where(deletions.c.id > done)).scalar_one()
    return Behind(count, int.from_bytes(kept[16:], "big") if kept else None)


def listed(connection: Connection, after: int) -> DeletedList | None:
    """What was deleted behind that number, as far as one answer holds it; none where nothing was."""
    query = select(deletions, cameras.c.kid).join(cameras).where(deletions.c.id > after)
    parts: dict[tuple[int, bytes], DeletedPart] = {}
    room, until, mark = ROOM_BYTES, after, NONE
    for row in connection.execute(query.order_by(deletions.c.id).limit(AT_ONCE)).all():
        name = row.camera, row.incident
        if name not in parts:
            part = _part(connection, row.camera, row.kid, row.incident)
            room -= 40 + 9 * len(part.runs) + 17 * len(part.clips)
            if room < 0:
                break
            parts[name] = part
        until, mark = row.id, _mark(row.kid, row.incident, row.asked_ns)
    if until == after:
        return None
    return DeletedList(after=after, until=until, mark=mark, parts=tuple(parts.values()))


def _part(connection: Connection, camera: int, kid: bytes, incident: bytes) -> DeletedPart:
    """What of an incident is deleted now."""
    query = select(events.c.seq, envelopes.c.hash.is_not(None)).outerjoin(envelopes, envelopes.c.hash == events.c.hash)
    query = query.where(events.c.camera == camera, events.c.incident == incident).order_by(events.c.seq)
    stands: dict[int, bool] = {}
    for seq, kept in connection.execute(query):
        stands[seq] = kept or stands.get(seq, False)
    gone = [seq for seq, kept in stands.items() if not kept]
    between = events.c.seq.between(min(gone, default=0), max(gone, default=0))
    known = set(connection.execute(select(events.c.seq).where(events.c.camera == camera, between)).scalars())
    runs = _runs(stands, known)
    of = clips.c.camera == camera, clips.c.incident == incident, DELETED
    named = connection.execute(select(clips.c.clip).where(*of).order_by(clips.c.clip).limit(MOST_CLIPS)).scalars()
    return DeletedPart(camera=kid, incident=incident, runs=tuple(runs), clips=tuple(named))


def _runs(stands: dict[int, bool], known: Set[int]) -> list[int]:
    """First and last of each run of deleted events, of an incident's by sequence whether they stand. One goes over
    events that are `known` (others' of the camera), and over none that is still missing: what comes of those stays."""
    runs: list[int] = []
    before = True
    for seq, kept in stands.items():
        if not kept:
            if not before and all(one in known for one in range(runs[-1] + 1, seq)):
                runs[-1] = seq
            elif len(runs) < 2 * MOST_RUNS:
                runs += [seq, seq]
            else:
                break  # so many are told, and none that stands
        before = kept
    return runs


def _mark(kid: bytes, incident: bytes, asked_ns: int) -> bytes:
    return labels.blake2b(_MARK, kid, incident, asked_ns.to_bytes(8, "big"), size=8)


def _is_known(connection: Connection, number: int, mark: bytes) -> bool:
    """Whether the deletion of that number is the one that the mark was made of."""
    query = select(deletions.c.incident, deletions.c.asked_ns, cameras.c.kid).join(cameras)
    if not 0 < number <= MAX_INT:
        return False
    row = connection.execute(query.where(deletions.c.id == number)).one_or_none()
    return row is not None and _mark(row.kid, row.incident, row.asked_ns) == mark


def _kept(connection: Connection, hub: bytes) -> bytes:
    return connection.execute(select(values.c.value).where(values.c.name == _ROW + hub.hex())).scalar() or b""
