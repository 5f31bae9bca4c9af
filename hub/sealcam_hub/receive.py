"""Takes messages in batches: decides, commits, and only then makes the receipts.

Knows nothing of MQTT. Implements design/pipeline.md, "Hub": a repeat is receipted again, a refusal is counted and
never answered, a beat counts only where it advances, and the chain is decided in one transaction on the camera's
row. Opening happens before the transaction, so that several workers can open at once while the chain stays one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, select

from sealcam.wire import statement
from sealcam.wire.bodies import Stamp
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.statement import Receipt
from sealcam_hub import beats, prekeys, registry
from sealcam_hub.batch import Batch, Outcome, What
from sealcam_hub.clock import Clock
from sealcam_hub.inbox import Beat, Mail, Message, open_mail
from sealcam_hub.keys import HubKeys
from sealcam_hub.notices import NoticeKind
from sealcam_hub.registry import Camera, Standing
from sealcam_hub.rows import Rows
from sealcam_hub.store import Store
from sealcam_hub.tables import events

_AT_ONCE = 64
_SLOTS = tuple(f"h{n}" for n in range(_AT_ONCE))
# One statement of a fixed size: for a list SQLAlchemy writes a new one each time, which takes longer than running it.
_KNOWN = select(events.c.hash, events.c.camera).where(events.c.hash.in_([bindparam(slot) for slot in _SLOTS]))


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
            batch = Batch(connection, self._keys, self._standings, known, self._timely)
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
