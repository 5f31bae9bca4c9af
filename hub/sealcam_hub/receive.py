"""Takes messages in batches: decides, commits, and only then makes the receipts.

Knows nothing of MQTT. Implements design/pipeline.md, "Hub": a repeat is receipted again, a refusal is counted and
never answered, a beat counts only where it advances, and the chain is decided in one transaction on the camera's
row. Opening happens before the transaction, so that several workers can open at once while the chain stays one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection, bindparam, select

from sealcam.wire import statement
from sealcam.wire.bodies import Stamp
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.statement import Receipt
from sealcam_hub import beats, prekeys, registry
from sealcam_hub.chain import Known, Link, Move, Step, offer
from sealcam_hub.clock import Clock
from sealcam_hub.inbox import Beat, Event, Mail, Message, Outside, open_mail
from sealcam_hub.keys import HubKeys
from sealcam_hub.ledger import incident_id
from sealcam_hub.notices import NoticeKind, Refusal
from sealcam_hub.registry import Camera, Standing
from sealcam_hub.rows import Rows
from sealcam_hub.store import Store
from sealcam_hub.tables import APPENDED, DISPUTED, LATE, PENDING, events


class What(StrEnum):
    """What became of a message."""

    APPENDED = "appended"
    PARKED = "parked"
    LATE = "late"
    REPEAT = "repeat"
    BEAT = "beat"
    STALE = "stale"
    CLONE = "clone"
    REFUSED = "refused"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message, what to send back, and the feed's topics that changed.

    `answer` is a receipt for an event that is stored, and the newest prekey for a beat that names an older one.
    """

    alias: str
    what: What
    answer: bytes | None = None
    refusal: Refusal | None = None
    topics: tuple[str, ...] = ()


_AT_ONCE = 64
_SLOTS = tuple(f"h{n}" for n in range(_AT_ONCE))
# One statement of a fixed size: for a list SQLAlchemy writes a new one each time, which takes longer than running it.
_KNOWN = select(events.c.hash, events.c.camera).where(events.c.hash.in_([bindparam(slot) for slot in _SLOTS]))

_WHAT = {step: What(step.value) for step in Step}
_STATUS = {Step.APPENDED: APPENDED, Step.PARKED: PENDING, Step.LATE: LATE}


class Receiver:
    """One worker's hands on the ledger; not to be shared between threads."""

    def __init__(self, store: Store, keys: HubKeys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._lags = beats.Lags()
        self._standings: dict[str, Standing] = {}
        with store.reading() as connection:
            self._load(connection, registry.all_aliases(connection))

    def take(self, alias: str, payload: bytes, arrived_ns: int) -> Outcome:
        """Take one message; see `take_all`."""
        return self.take_all([Message(alias, payload, arrived_ns)])[0]

    def take_all(self, messages: Sequence[Message]) -> list[Outcome]:
        """What became of each message, once all of it is on the disk.

        Raises:
            StorageError: the disk is full or the ledger broken: nothing of the batch was kept, no receipt exists.
        """
        names = [envelope_hash(message.payload) for message in messages]
        known = self._prepare(messages, names)
        mails = [self._open(one, name, known) for one, name in zip(messages, names, strict=True)]
        with self._store.writing() as connection:
            stale = self._refresh(connection, {one.alias for one in messages} & self._standings.keys())
            known = self._known(connection, names) if stale else known
            batch = _Batch(connection, self._keys, self._standings, known, self._timely)
            outcomes = [batch.take(*one) for one in zip(messages, names, mails, strict=True)]
            batch.finish()
        self._standings.update(batch.standings)
        return [self._answered(*one) for one in zip(outcomes, names, mails, strict=True)]

    def gaps(self) -> dict[str, tuple[int, int] | None]:
        """For each camera the next run of events that hasn't come, as far as the hub can know."""
        return {alias: one.chain.gap(one.life.newest_seq) for alias, one in self._standings.items()}

    def tell(self, alias: str, kind: NoticeKind, first: int = 0, last: int = 0) -> tuple[str, ...]:
        """Write a notice that `watch` found due, and return the feed's topics that changed.

        Raises:
            StorageError: the disk is full or the ledger broken.
        """
        now_ns = self._clock.wall_ns()
        with self._store.writing() as connection:
            self._refresh(connection, {alias})
            standing, rows = self._standings[alias], Rows(connection)
            mark = f"gap:{alias}:{first}" if kind is NoticeKind.GAP else f"{kind.value}:{alias}:{now_ns}"
            rows.notice(standing.camera.id, kind, mark, first, last, now_ns)
            if kind is NoticeKind.SILENT:
                beats.set_silent(connection, standing.camera.id)
                standing = replace(standing, life=replace(standing.life, silent=True), revision=standing.revision + 1)
            rows.write()
        self._standings[alias] = standing
        return ("notice", f"camera/{alias}")

    def renew(self) -> list[tuple[str, bytes]]:
        """Issue the prekeys that are due, and return for whom and the statement to send.

        Raises:
            StorageError: the disk is full or the ledger broken.
        """
        now_ns = self._clock.wall_ns()
        single = [alias for alias, one in self._standings.items() if len(one.camera.prekeys) == 1]
        with self._store.reading() as connection:
            due = [one for one in single if prekeys.is_due(connection, self._standings[one].camera.id, now_ns)]
        if not due:
            return []
        with self._store.writing() as connection:
            for alias in due:
                camera = self._standings[alias].camera
                prekeys.issue(connection, self._keys, camera.id, camera.prekey_numbers[0] + 1, now_ns)
            fresh = [registry.load(connection, self._keys.table, alias) for alias in due]
        self._standings.update({one.camera.alias: one for one in fresh if one is not None})
        return [(alias, self._prekey(self._standings[alias].camera)) for alias in due]

    def standings(self) -> tuple[Standing, ...]:
        """Every camera as this worker knows it."""
        return tuple(self._standings.values())

    def _load(self, connection: Connection, aliases: Iterable[str]) -> None:
        for alias in aliases:
            standing = registry.load(connection, self._keys.table, alias)
            if standing is not None:
                self._standings[alias] = standing

    def _prepare(self, messages: Sequence[Message], names: Sequence[bytes]) -> dict[bytes, int]:
        with self._store.reading() as connection:
            self._load(connection, {one.alias for one in messages} - self._standings.keys())
            return self._known(connection, names)

    def _known(self, connection: Connection, names: Collection[bytes]) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        wanted = list(names)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            some += some[:1] * (_AT_ONCE - len(some))
            found.update(connection.execute(_KNOWN, dict(zip(_SLOTS, some, strict=True))).all())
        return found

    def _refresh(self, connection: Connection, aliases: Collection[str]) -> bool:
        """Lock the cameras' rows; whether another worker has moved one of them since this one looked."""
        now = registry.revisions(connection, aliases)
        changed = [alias for alias, revision in now.items() if self._standings[alias].revision != revision]
        self._load(connection, changed)
        return bool(changed)

    def _open(self, message: Message, name: bytes, known: dict[bytes, int]) -> Mail | None:
        """What the message is; none where it needn't be opened."""
        standing = self._standings.get(message.alias)
        if standing is None or name in known:
            return None
        return open_mail(message.payload, name, standing.camera, self._keys.slot, self._cameras)

    def _cameras(self) -> Iterable[Camera]:
        return (one.camera for one in self._standings.values())

    def _timely(self, alias: str, at: Stamp) -> bool:
        return self._lags.timely(alias, at, self._clock.boot_ns())

    def _answered(self, outcome: Outcome, name: bytes, mail: Mail | None) -> Outcome:
        if outcome.what in (What.APPENDED, What.PARKED, What.LATE, What.REPEAT):
            receipt = statement.sign(self._keys.operating, Receipt(envelope_hash=name))
            return Outcome(outcome.alias, outcome.what, receipt, None, outcome.topics)
        if outcome.what is What.BEAT and isinstance(mail, Beat):
            camera = self._standings[outcome.alias].camera
            if mail.body.prekey < max(camera.prekey_numbers, default=0):
                return replace(outcome, answer=self._prekey(camera))
        return outcome

    def _prekey(self, camera: Camera) -> bytes:
        return prekeys.signed(self._keys, camera.kid, camera.prekey_numbers[0], camera.prekeys[0].public)


class _Batch:
    """One transaction: decides message after message on working copies and gathers the rows."""

    def __init__(
        self,
        connection: Connection,
        keys: HubKeys,
        standings: dict[str, Standing],
        known: dict[bytes, int],
        timely: Callable[[str, Stamp], bool],
    ) -> None:
        self.standings: dict[str, Standing] = {}
        self._connection = connection
        self._keys = keys
        self._before = standings
        self._known = known
        self._timely = timely
        self._rows = Rows(connection)
        self._links: dict[tuple[int, int], Link] = {}  # appended in this batch, not yet written

    def take(self, message: Message, name: bytes, mail: Mail | None) -> Outcome:
        """Decide one message."""
        standing = self.standings.get(message.alias) or self._before.get(message.alias)
        if standing is None:
            return self._refuse("", message.alias, Refusal.UNKNOWN)
        if name in self._known:
            if self._known[name] != standing.camera.id:
                return self._refuse(message.alias, message.alias, Refusal.CROSSED)
            self._rows.count(message.alias, What.REPEAT)
            return Outcome(message.alias, What.REPEAT)
        match mail:
            case Event():
                return self._event(message, standing, mail)
            case Beat():
                return self._beat(message, standing, mail)
            case Outside():
                self._rows.count(message.alias, What.IGNORED)
                return Outcome(message.alias, What.IGNORED)
            case Refusal():
                return self._refused(message, standing, mail)
        raise AssertionError("a message that isn't known was not opened")

    def finish(self) -> None:
        """Write everything."""
        for alias, now in self.standings.items():
            before = self._before[alias]
            if now.chain != before.chain:
                self._rows.head(before, now.chain)
                self.standings[alias] = replace(now, revision=now.revision + 1)
        self._rows.write()

    def _event(self, message: Message, standing: Standing, event: Event) -> Outcome:
        camera = standing.camera
        move = offer(standing.chain, event.link, self._links_of(camera.id), event.bridges)
        if move.step is Step.CLONE:
            return self._clone(message, camera, event.link)
        self._known[event.link.hash] = camera.id
        row = {
            "hash": event.link.hash,
            "camera": camera.id,
            "seq": event.link.seq,
            "prev": event.link.prev,
            "kind": event.kind,
            "status": _STATUS[move.step],
            "incident": event.incident,
            "arrived_ns": message.arrived_ns,
        }
        self._rows.add_event(row, message.payload, self._keys.table.wrap(event.content_key))
        self._follow(message, camera, event.link, move)
        self.standings[camera.alias] = Standing(camera, standing.revision, move.chain, standing.life)
        changed = f"camera/{camera.alias}"
        if event.incident is not None:
            changed = f"incident/{incident_id(camera.alias, event.incident)}"
        topics = (changed, "notice") if move.disputed else (changed,)
        return Outcome(camera.alias, _WHAT[move.step], topics=topics)

    def _follow(self, message: Message, camera: Camera, link: Link, move: Move) -> None:
        for one in move.appended:
            self._links[camera.id, one.seq] = one
            self._rows.append(one.hash, LATE if move.step is Step.LATE and one is link else APPENDED)
        for one in move.disputed:
            self._rows.set_status(one.hash, DISPUTED)
            self._tell_clone(camera, one, message.arrived_ns)

    def _links_of(self, camera: int) -> Known:
        stored = registry.known_links(self._connection, camera)
        return lambda seq: self._links.get((camera, seq)) or stored(seq)

    def _clone(self, message: Message, camera: Camera, link: Link) -> Outcome:
        self._rows.count(camera.alias, Refusal.CLONE)
        self._tell_clone(camera, link, message.arrived_ns)
        return Outcome(camera.alias, What.CLONE, refusal=Refusal.CLONE, topics=("notice",))

    def _tell_clone(self, camera: Camera, link: Link, at_ns: int) -> None:
        mark = f"clone:{camera.alias}:{link.seq}:{link.hash[:16].hex()}"
        self._rows.notice(camera.id, NoticeKind.CLONE, mark, link.seq, link.seq, at_ns)

    def _refused(self, message: Message, standing: Standing, refusal: Refusal) -> Outcome:
        if refusal is Refusal.UNOPENABLE:
            mark = f"unopenable:{message.alias}"
            self._rows.notice(standing.camera.id, NoticeKind.UNOPENABLE, mark, 0, 0, message.arrived_ns)
            return self._refuse(message.alias, message.alias, refusal, ("notice",))
        return self._refuse(message.alias, message.alias, refusal)

    def _refuse(self, counted: str, alias: str, refusal: Refusal, topics: tuple[str, ...] = ()) -> Outcome:
        self._rows.count(counted, refusal)
        return Outcome(alias, What.REFUSED, refusal=refusal, topics=topics)

    def _beat(self, message: Message, standing: Standing, beat: Beat) -> Outcome:
        camera, body = standing.camera, beat.body
        if not (beats.advances(self._connection, standing, beat) and self._timely(camera.alias, body.at)):
            self._rows.count(camera.alias, What.STALE)
            return Outcome(camera.alias, What.STALE)
        topics = [f"camera/{camera.alias}"]
        there = beats.at(standing.chain, body.newest_seq, self._links_of(camera.id))
        if there is not None and there != body.newest_hash:
            self._tell_clone(camera, Link(body.newest_seq, body.newest_hash, b""), message.arrived_ns)
            topics.append("notice")
        if standing.life.silent:
            mark = f"{NoticeKind.BACK.value}:{camera.alias}:{message.arrived_ns}"
            self._rows.notice(camera.id, NoticeKind.BACK, mark, 0, 0, message.arrived_ns)
            topics.append("notice")
        self.standings[camera.alias] = beats.count(self._connection, standing, beat, message.arrived_ns)
        return Outcome(camera.alias, What.BEAT, topics=tuple(topics))
