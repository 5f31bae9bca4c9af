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
from sealcam.wire.bodies import BeatBody, Stamp, Traffic
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.statement_kinds import Receipt, Rotation
from sealcam_hub import beats, deletion, prekeys, registry
from sealcam_hub.batch import Batch
from sealcam_hub.clock import Clock
from sealcam_hub.contents import rotation_nonce
from sealcam_hub.early import Early
from sealcam_hub.inbox import Beat, Mail, Message, open_mail
from sealcam_hub.keys import HubKeys
from sealcam_hub.notices import NoticeKind, Refusal
from sealcam_hub.outcome import Outcome, What
from sealcam_hub.registry import Camera, Standing
from sealcam_hub.rows import Rows
from sealcam_hub.store import Store
from sealcam_hub.tables import events

EPOCH_NS = 7 * 24 * 3600 * 1_000_000_000  # a camera hands over to new keys weekly
LAST_EPOCH = (1 << 32) - 1  # that can be written: a camera that is there hands over no more
RESEND_NS = 60_000_000_000
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
        self._early = Early()
        self._resent_ns: dict[str, int] = {}
        self._standings: dict[str, Standing] = {}
        with store.reading() as connection:
            self._load(connection, registry.revisions(connection))

    @property
    def is_home(self) -> bool:
        """Whether this is the home hub, which alone receipts and commands."""
        return self._keys.is_home

    def take(self, alias: str, payload: bytes, arrived_ns: int) -> Outcome:
        """Take one message; see `take_all`."""
        return self.take_all([Message(alias, payload, arrived_ns)])[0]

    def take_all(self, messages: Sequence[Message]) -> list[Outcome]:
        """What became of each message, once all of it is on the disk; then of those that waited for one of them.

        Raises:
            StorageError: the disk is full or the ledger broken: nothing of the batch was kept, no receipt exists.
        """
        names = [envelope_hash(message.payload) for message in messages]
        known = self._prepare(messages, names)
        mails = [self._open(one, name, known) for one, name in zip(messages, names, strict=True)]
        with self._store.chaining() as connection:
            stale = self._refresh(connection, {one.alias for one in messages} & self._standings.keys())
            if stale:  # by another worker: what it stored is a repeat, and what it brought may open what was refused
                known = self._known(connection, names)
                told = zip(messages, names, mails, strict=True)
                mails = [
                    self._open(one, name, known) if isinstance(mail, Refusal) else mail for one, name, mail in told
                ]
            batch = Batch(connection, self._keys, self._standings, known, self._timely, self._opened)
            outcomes = [batch.take(*one) for one in zip(messages, names, mails, strict=True)]
            batch.finish()
        if any(_destroyed(self._standings[alias], now) for alias, now in batch.standings.items()):
            deletion.settle(self._store, self._clock.wall_ns())  # none is left in the log or in an older page either
        self._standings.update(batch.standings)
        found = [self._answered(*one) for one in zip(outcomes, names, mails, strict=True)]
        ready = self._early.sort_out(messages, outcomes, {one: self._epoch(one) for one in batch.standings})
        return found + (self.take_all(ready) if ready else [])

    def _epoch(self, alias: str) -> int:
        return self._standings[alias].camera.epochs[0].number

    def gaps(self) -> dict[str, tuple[int, int] | None]:
        """For each camera the next run of events that hasn't come, as far as the hub can know."""
        present = ((alias, one) for alias, one in self._standings.items() if not one.camera.left)
        return {alias: one.chain.gap(one.life.newest_seq) for alias, one in present}

    def tell(self, alias: str, kind: NoticeKind, first: int = 0, last: int = 0) -> tuple[str, ...]:
        """Write a notice that `watch` found due, and return the feed's topics that changed.

        Raises:
            StorageError: the disk is full or the ledger broken.
        """
        now_ns = self._clock.wall_ns()
        with self._store.writing() as connection:
            self._refresh(connection, {alias})
            standing, rows = self._standings[alias], Rows(connection)
            if kind is NoticeKind.GAP:
                rows.gap(standing.camera.id, alias, (first, last), now_ns)
            else:
                rows.notice(standing.camera.id, kind, f"{kind.value}:{alias}:{now_ns}", first, last, now_ns)
            if kind is NoticeKind.SILENT:
                beats.set_silent(connection, standing.camera.id)
                standing = replace(standing, life=replace(standing.life, silent=True), revision=standing.revision + 1)
            rows.write()
        self._standings[alias] = standing
        return ("notice", f"camera/{alias}")

    def give_up(self, alias: str, first: int) -> tuple[str, ...]:
        """Go on without the missing run that begins at `first`; the feed's topics that changed.

        Raises:
            StorageError: the disk is full or the ledger broken.
        """
        with self._store.writing() as connection:
            self._refresh(connection, {alias})
            batch = Batch(connection, self._keys, self._standings, {}, self._timely, self._opened)
            batch.give_up(alias, first, self._clock.wall_ns())
            batch.finish()
        self._standings.update(batch.standings)
        return ("notice", f"camera/{alias}")

    def renew(self) -> list[tuple[str, bytes]]:
        """Look again at every camera; issue the prekeys that are due; for whom and which statements to send.

        Raises:
            StorageError: the disk is full or the ledger broken.
        """
        now_ns = self._clock.wall_ns()
        deletion.settle(self._store, now_ns)  # what a reader has kept from it before
        with self._store.reading() as connection:
            self._look_again(connection)
            due = [one for one in self._standings.values() if prekeys.is_due(connection, one, now_ns)]
        if due:
            with self._store.writing() as connection:
                for one in due:
                    prekeys.issue_next(connection, self._keys, one.camera.id, now_ns)
                self._load(connection, [one.camera.alias for one in due])
        fresh = [self._standings[one.camera.alias].camera for one in due]
        sent = [(camera.alias, self._prekey(camera)) for camera in fresh]
        return sent + [(one.camera.alias, self._rotation(one.camera)) for one in self._old(now_ns)]

    def _old(self, now_ns: int) -> list[Standing]:
        """Cameras whose epoch key is due to be handed over, and that are there to hear of it."""
        if not self._keys.is_home:
            return []
        present = [one for one in self._standings.values() if not one.camera.left]
        heard = [one for one in present if one.life.boot is not None and not one.life.silent]
        heard = [one for one in heard if one.camera.epoch < LAST_EPOCH]  # whatever a claim has said
        return [one for one in heard if now_ns - one.camera.epochs[0].since_ns >= EPOCH_NS]

    def _rotation(self, camera: Camera) -> bytes:
        epoch = camera.epoch + 1
        nonce = rotation_nonce(self._keys, camera.kid, epoch)
        return statement.sign(self._keys.operating, Rotation(camera=camera.kid, epoch=epoch, nonce=nonce))

    def look_again(self) -> tuple[str, ...]:
        """Take up what other workers and commands have changed; the cameras of which a beat was counted since.

        Raises:
            StorageError: the ledger can't be read.
        """
        before = {alias: (one.life.boot, one.life.counter) for alias, one in self._standings.items()}
        with self._store.reading() as connection:
            self._look_again(connection)
        now = self._standings.items()
        beaten = (
            (alias, one.life.boot) for alias, one in now if before.get(alias) != (one.life.boot, one.life.counter)
        )
        return tuple(alias for alias, boot in beaten if boot is not None)

    def _look_again(self, connection: Connection) -> None:
        now = registry.revisions(connection)
        for alias in self._standings.keys() - now.keys():
            del self._standings[alias]
        known = self._standings
        self._load(connection, [one for one in now if one not in known or known[one].revision != now[one]])

    def standings(self) -> tuple[Standing, ...]:
        """Every camera as this worker knows it."""
        return tuple(self._standings.values())

    def _load(self, connection: Connection, aliases: Iterable[str]) -> None:
        self._standings.update(registry.load_all(connection, self._keys.table, list(aliases)))

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
        now = registry.locked(connection, aliases)
        changed = [alias for alias, revision in now.items() if self._standings[alias].revision != revision]
        self._load(connection, changed)
        return bool(changed)

    def _open(self, message: Message, name: bytes, known: dict[bytes, int]) -> Mail | None:
        """What the message is; none where it needn't be opened."""
        standing = self._standings.get(message.alias)
        if standing is None or name in known or standing.camera.expelled:
            return None
        return self._opened(message, name, standing.camera)

    def _opened(self, message: Message, name: bytes, camera: Camera) -> Mail:
        return open_mail(message.payload, name, camera, self._keys, self._cameras)

    def _cameras(self) -> Iterable[Camera]:
        return (one.camera for one in self._standings.values())

    def _timely(self, alias: str, at: Stamp) -> bool:
        return self._lags.timely(alias, at, self._clock.boot_ns())

    def _answered(self, outcome: Outcome, name: bytes, mail: Mail | None) -> Outcome:
        answer = self._receipt(name) if self._keys.is_home and _is_due_receipt(outcome, mail) else None
        also = self._lacking(outcome, mail)
        if not (answer or also):
            return outcome
        told = outcome.refusal, outcome.topics, also, outcome.answered
        return Outcome(outcome.alias, outcome.what, answer, *told)

    def _receipt(self, name: bytes) -> bytes:
        return statement.sign(self._keys.operating, Receipt(envelope_hash=name))

    def _lacking(self, outcome: Outcome, mail: Mail | None) -> tuple[bytes, ...]:
        """Statements that a camera lacks, by what it has just said."""
        if outcome.what is not What.BEAT and outcome.refusal is not Refusal.UNOPENABLE:
            return ()
        standing = self._standings.get(outcome.alias)
        if standing is None or not standing.camera.prekeys:
            return ()
        if outcome.what is What.BEAT and isinstance(mail, Beat):
            return self._lacked(standing, mail.body)
        if outcome.refusal is Refusal.UNOPENABLE:
            now_ns = self._clock.boot_ns()
            if now_ns - self._resent_ns.get(outcome.alias, -RESEND_NS) >= RESEND_NS:
                self._resent_ns[outcome.alias] = now_ns
                return (self._prekey(standing.camera),)
        return ()

    def _lacked(self, standing: Standing, body: BeatBody) -> tuple[bytes, ...]:
        camera, found = standing.camera, []
        listed = self._keys.is_home or any(one.hub == self._keys.kid for one in body.others or ())
        if listed and standing.life.prekey < camera.prekey_numbers[0]:
            found.append(self._prekey(camera))
        if self._keys.is_home and (body.recipient_set or self._keys.set_number) < self._keys.set_number:
            found.append(self._keys.recipient_set)
        return tuple(found)

    def _prekey(self, camera: Camera) -> bytes:
        return prekeys.signed(self._keys, camera.kid, camera.prekey_numbers[0], camera.prekeys[0].public)


def _is_due_receipt(outcome: Outcome, mail: Mail | None) -> bool:
    """Whether a message is answered with a receipt: what is stored, and all that a camera under cover sends."""
    if outcome.what in (What.APPENDED, What.PARKED, What.LATE, What.REPEAT, What.COVER):
        return True
    return outcome.what in (What.BEAT, What.STALE) and isinstance(mail, Beat) and mail.body.traffic == Traffic.COVER


def _destroyed(before: Standing, now: Standing) -> bool:
    """Whether a prekey of a camera is there no more."""
    return not set(before.camera.prekey_numbers) <= set(now.camera.prekey_numbers)
