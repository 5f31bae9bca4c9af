"""What the owner wants of each camera, and the commands that say so.

A wish is a row in the ledger, the newest of each kind of command, so that any command or page may ask while `serve`
alone holds the link. A command names the nonce of the camera's newest beat, which goes stale within a minute: a wish
that still stands is signed anew, under a fresh number, at each later beat. How watchful a camera shall be stands while
its beats show another mode that isn't its schedule's; every other wish stands until the camera has answered. What is
of this moment alone, such as a live view, is signed without a wish (`command`). Implements design/wire.md section 5.3,
the hub's side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, or_, select, update

from sealcam.wire import schema
from sealcam.wire.bodies import Mode, Outcome
from sealcam.wire.envelope import SCM1, seal
from sealcam.wire.errors import ConfigError, EnvelopeError
from sealcam.wire.statement_kinds import Action
from sealcam.wire.wishes import ArmBody, CommandType
from sealcam_hub import audit
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras, wishes
from sealcam_hub.wish_words import body_type, kind_of, outcome_said, said

NONCE_LIFE_NS = 55_000_000_000  # the camera takes a nonce for 60 s in its own time; some of it passes on the way
SKIP = 1 << 20  # numbers left out when those in use can't be known: as with prekeys (section 10.1)
MAX_DETAIL = 256  # letters of a camera's words that are kept


@dataclass(frozen=True, slots=True)
class WishView:
    """A wish and what became of it; `sent` says whether a command was ever signed for it.

    `body` is one of `sealcam.wire.wishes`, or none when no key of this hub opens it.
    """

    camera: str
    alias: str
    kind: CommandType
    body: object | None
    asked_ns: int
    sent: bool
    done: bool
    outcome: Outcome | None
    detail: str | None


class Wishes:
    """The owner's wishes in a ledger."""

    def __init__(self, store: Store, keys: HubKeys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock

    def ask(self, camera: str, mode: str, actor: str = audit.OWNER) -> None:
        """Wish that a camera, by alias or name, be in `mode` from now on.

        Raises:
            ConfigError: there is no such camera or mode.
            StorageError: the ledger can't be written.
        """
        if mode.upper() not in Mode.__members__:
            raise ConfigError(f"there is no mode {mode!r}", "off, home, away or night")
        self.wish(camera, ArmBody(mode=Mode[mode.upper()]), actor)

    def wish(self, camera: str, body: object, actor: str = audit.OWNER) -> None:
        """Wish what `body`, one of `sealcam.wire.wishes`, says of a camera, instead of what was asked in that kind.

        Raises:
            ConfigError: there is no such camera, it was expelled, or this isn't the home hub.
            StorageError: the ledger can't be written.
        """
        with self._store.writing() as connection:
            self.put(connection, camera, body, actor)

    def put(self, connection: Connection, camera: str, body: object, actor: str) -> None:
        """As `wish`, in the caller's writing transaction."""
        if not self._keys.is_home:
            raise ConfigError("cameras take the home hub's commands alone", "ask there")
        kind, now_ns = kind_of(body), self._clock.wall_ns()
        row: dict[str, Any] = dict.fromkeys(("sent_nonce", "sent_number", "outcome", "detail"))
        row |= {"mode": body.mode if isinstance(body, ArmBody) else None, "asked_ns": now_ns}
        found = _camera(connection, camera)
        row["body"] = self._keys.table.wrap(schema.encode(body))  # in here: the table key may just be changing
        before = update(wishes).where(wishes.c.camera == found.id, wishes.c.kind == kind)
        if not connection.execute(before.values(**row)).rowcount:
            connection.execute(insert(wishes).values(camera=found.id, kind=kind, **row))
        detail = f"{found.name}: {said(body)}"
        audit.append(connection, self._keys, now_ns, Action.COMMANDED, actor, detail, subject=found.kid)

    def standing(
        self, connection: Connection, camera: int, kind: CommandType, *, answered: bool = False
    ) -> object | None:
        """The body of the wish of that kind which a camera (row) hasn't answered yet, or also of an `answered` one; or
        none."""
        query = select(wishes.c.body).where(wishes.c.camera == camera, wishes.c.kind == kind)
        body = connection.execute(query if answered else query.where(wishes.c.outcome.is_(None))).scalar()
        if body is None:
            return None
        try:
            found: object = schema.decode(self._keys.table.unwrap(body), body_type(kind))
        except EnvelopeError:
            return None
        return found

    def due(self) -> list[tuple[str, bytes]]:
        """Alias and command for each wish that stands, once for each beat of its camera.

        Raises:
            StorageError: the ledger can't be written.
        """
        since_ns = self._clock.wall_ns() - NONCE_LIFE_NS
        mine = (cameras.c.expelled.is_(False), cameras.c.gone.is_(False))
        query = (
            select(cameras, wishes.c.kind, wishes.c.body)
            .join(wishes)
            .where(_stands(), *mine, cameras.c.nonce.is_not(None), cameras.c.beat_ns > since_ns)
            .where(or_(wishes.c.sent_nonce.is_(None), wishes.c.sent_nonce != cameras.c.nonce))
            .order_by(cameras.c.id, wishes.c.kind)
        )
        with self._store.reading() as connection:
            if not connection.execute(query.limit(1)).all():
                return []
        commands = []
        with self._store.writing() as connection:
            numbers: dict[int, int] = {}
            for row in connection.execute(query).all():
                numbers[row.id] = numbers.get(row.id, row.command_number) + 1
                commands.append((row.alias, self._signed(row, numbers[row.id])))
                signed = {"sent_nonce": row.nonce, "sent_number": numbers[row.id]}
                this = update(wishes).where(wishes.c.camera == row.id, wishes.c.kind == row.kind)
                connection.execute(this.values(**signed))
            for camera, number in numbers.items():
                connection.execute(update(cameras).where(cameras.c.id == camera).values(command_number=number))
        return commands

    def command(self, alias: str, body: object) -> tuple[int, bytes] | None:
        """Sign one command that no wish stands behind, and none is kept of: its number and itself.

        None where the camera's newest beat is too old, so that no command would count.

        Raises:
            StorageError: the ledger can't be written.
        """
        since_ns = self._clock.wall_ns() - NONCE_LIFE_NS
        query = select(cameras).where(
            cameras.c.alias == alias, cameras.c.expelled.is_(False), cameras.c.gone.is_(False)
        )
        query = query.where(cameras.c.nonce.is_not(None), cameras.c.beat_ns > since_ns)
        with self._store.reading() as connection:
            if not self._keys.is_home or connection.execute(query).first() is None:
                return None
        with self._store.writing() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            number = row.command_number + 1
            connection.execute(update(cameras).where(cameras.c.id == row.id).values(command_number=number))
            return number, self._sealed(row, kind_of(body), number, schema.encode(body))

    def list(self) -> tuple[WishView, ...]:
        """Every wish, the newest first.

        Raises:
            StorageError: the ledger can't be read.
        """
        query = select(wishes, cameras.c.name, cameras.c.alias, cameras.c.mode.label("shown")).join(cameras)
        with self._store.reading() as connection:
            rows = connection.execute(query.order_by(wishes.c.asked_ns.desc(), wishes.c.kind)).all()
        return tuple(self._view(row) for row in rows)

    def _view(self, row: Row[*tuple[Any, ...]]) -> WishView:
        kind = CommandType(row.kind)
        try:
            body: object | None = schema.decode(self._keys.table.unwrap(row.body), body_type(kind))
        except EnvelopeError:
            body = None
        outcome = None if row.outcome is None else Outcome(row.outcome)
        shown = kind is CommandType.ARM and row.mode is not None
        done = row.shown == row.mode if shown else outcome is Outcome.DONE
        sent = row.sent_nonce is not None
        return WishView(row.name, row.alias, kind, body, row.asked_ns, sent, done, outcome, row.detail)

    def _signed(self, row: Row[*tuple[Any, ...]], number: int) -> bytes:
        return self._sealed(row, row.kind, number, self._keys.table.unwrap(row.body))

    def _sealed(self, row: Row[*tuple[Any, ...]], kind: int, number: int, body: bytes) -> bytes:
        return seal(
            self._keys.operating,
            [row.command],
            kind=kind,
            seq=number,
            prev=row.nonce,
            body=body,
            epoch=row.epoch,
            recipient_set=self._keys.set_number,
            form=SCM1,
        )


def answered(connection: Connection, camera_id: int, number: int, outcome: Outcome, detail: str) -> bool:
    """Take a camera's answer to command `number` in the caller's writing transaction; whether it ended a wish.

    A stale or repeated command was none of the owner's business: the wish stands and is signed anew at the next beat.
    An answer to a number that no wish was last signed with changes nothing.
    """
    this = (wishes.c.camera == camera_id, wishes.c.sent_number == number)
    if connection.execute(select(wishes.c.kind).where(*this)).first() is None:
        return False
    if outcome is Outcome.REPEATED:  # it took a higher one, from a hub that this one was restored or recovered from
        skip_numbers(connection, camera_id)
    if outcome in (Outcome.STALE, Outcome.REPEATED):
        return False
    connection.execute(update(wishes).where(*this).values(outcome=outcome, detail=detail[:MAX_DETAIL]))
    return True


def overtaken(connection: Connection, camera_id: int) -> None:
    """Note in the caller's writing transaction that a camera's schedule has set its mode: an arm command that it has
    carried out is done with, and isn't signed anew because its beats show another mode."""
    this = (wishes.c.camera == camera_id, wishes.c.kind == CommandType.ARM, wishes.c.outcome == Outcome.DONE)
    connection.execute(update(wishes).where(*this, wishes.c.mode.is_not(None)).values(mode=None))


def refusals(connection: Connection) -> dict[int, str]:
    """What each camera, by its row, has refused or failed to do and was not asked for again, in words."""
    ended = wishes.c.outcome.is_not(None), wishes.c.outcome != Outcome.DONE
    query = select(wishes.c.camera, wishes.c.kind, wishes.c.outcome, wishes.c.detail).where(*ended)
    found: dict[int, str] = {}
    for row in connection.execute(query.order_by(wishes.c.asked_ns)):
        words = f"{CommandType(row.kind).name.lower()}: {outcome_said(Outcome(row.outcome))}"
        found[row.camera] = f"{words} ({row.detail})" if row.detail else words
    return found


def skip_numbers(connection: Connection, camera_id: int) -> None:
    """Leave out 2^20 command numbers of a camera: after a restore, those in use can't be known."""
    skipped = update(cameras).where(cameras.c.id == camera_id)
    connection.execute(skipped.values(command_number=cameras.c.command_number + SKIP))


def _stands() -> ColumnElement[bool]:
    """A wish that its camera has neither carried out nor refused."""
    unanswered = wishes.c.outcome.is_(None)
    shows_another = and_(cameras.c.mode != wishes.c.mode, or_(unanswered, wishes.c.outcome == Outcome.DONE))
    return or_(
        and_(wishes.c.kind == CommandType.ARM, shows_another), and_(wishes.c.kind != CommandType.ARM, unanswered)
    )


def _camera(connection: Connection, named: str) -> Row[*tuple[Any, ...]]:
    query = select(cameras.c.id, cameras.c.name, cameras.c.kid, cameras.c.expelled)
    found = connection.execute(query.where(or_(cameras.c.alias == named, cameras.c.name == named))).all()
    if len(found) != 1:
        names = ", ".join(connection.execute(select(cameras.c.name).order_by(cameras.c.name)).scalars())
        raise ConfigError(f"there is no camera {named!r}", f"known: {names}" if names else "none is enrolled")
    if found[0].expelled:
        raise ConfigError(f"{found[0].name} was expelled", "enrol it again, then ask")
    return found[0]
