"""What was said of incidents: each word a row of its own, the newest that stands counts, and cameras are told it.

Two people may say different things of one incident: both stay, the later word counts until it is undone, and who says
it is told of the earlier one. What a camera is told goes with what it hasn't answered yet, in the transaction of the
mark. design/hub.md, "Review".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from sealcam.wire import schema
from sealcam.wire.errors import ConfigError, EnvelopeError
from sealcam.wire.schema import body, key
from sealcam.wire.statement_kinds import Action
from sealcam.wire.wishes import CommandType, MarkedIncident, MarksWish, ModelWish
from sealcam_hub import audit
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys, TableKey
from sealcam_hub.ledger import find_incident, incident_id
from sealcam_hub.review_models import SHIPPED
from sealcam_hub.review_tables import marks, models
from sealcam_hub.review_words import MARKS, MarkView, Word
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras
from sealcam_hub.wishes import Wishes

MOST_TOLD = 1000  # marks in one command; a camera remembers fewer incidents
MOST_WHO = 64
_MARK = select(marks, cameras.c.alias).join(cameras, cameras.c.id == marks.c.camera).where(marks.c.undone_ns.is_(None))
_Found = Row[*tuple[Any, ...]]


@body
class Said:
    """What a row holds: the word, and whose it is."""

    word: Word = key(1)
    who: str = key(2)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a mark: its number; what somebody else had said meanwhile, which the one who marks hadn't seen."""

    id: int
    before: MarkView | None


class Marks:
    """The marks of one hub; safe to share between threads. `actor` is who acts, as the audit log names him."""

    def __init__(self, store: Store, keys: HubKeys, clock: Clock, wishes: Wishes, actor: str = audit.CONSOLE) -> None:
        self._store, self._keys, self._clock, self._wishes = store, keys, clock, wishes
        self._actor = actor

    def say(self, incident: str, word: Word, seen: int, who: str) -> Answer:
        """Mark an incident, in the name of `who`, who has seen its marks up to number `seen`.

        Raises:
            ConfigError: there is no such incident; it may just have been deleted.
            StorageError: the ledger can't be written; nothing has changed.
        """
        with self._store.writing() as connection:
            row = _incident(connection, incident)
            before = self._newest(connection, row.camera, row.incident)
            said = self._keys.table.wrap(schema.encode(Said(word=word, who=who[:MOST_WHO])))
            made = insert(marks).values(camera=row.camera, incident=row.incident, said=said)
            made = made.values(at_ns=self._clock.wall_ns())
            number = connection.execute(made.returning(marks.c.id)).scalar_one()
            self._tell(connection, row.camera, row.alias, {row.incident: word})
        return Answer(number, before if before is not None and before.id > seen else None)

    def undo(self, number: int) -> str:
        """Take one mark back; the incident's id. What was said before counts again.

        Raises:
            ConfigError: there is no such mark; its incident may have been deleted, or it was undone before.
            StorageError: the ledger can't be written; nothing has changed.
        """
        with self._store.writing() as connection:
            row = connection.execute(_MARK.where(marks.c.id == number)).one_or_none()
            if row is None:
                raise ConfigError("this mark isn't there any more", "its incident was deleted, or it was undone before")
            gone = update(marks).where(marks.c.id == number).values(undone_ns=self._clock.wall_ns())
            connection.execute(gone)
            newest = self._newest(connection, row.camera, row.incident)
            word = None if newest is None else Word[newest.word.upper()]
            self._tell(connection, row.camera, row.alias, {row.incident: word})
            return incident_id(row.alias, row.incident)

    def of(self, incident: str) -> MarkView | None:
        """The word that counts for an incident, or none.

        Raises:
            StorageError: the ledger can't be read.
        """
        with self._store.reading() as connection:
            row = find_incident(connection, incident)
            return None if row is None else self._newest(connection, row.camera, row.incident)

    def all(self) -> tuple[MarkView, ...]:
        """The word that counts for each marked incident, in the order in which they were said.

        Raises:
            StorageError: the ledger can't be read.
        """
        with self._store.reading() as connection:
            return standing(connection, self._keys.table)

    def erase(self) -> int:
        """Forget every mark and every model that was trained by them; how many incidents were marked.

        Cameras are told to forget the marks, too, and to judge by the model that they were shipped with.

        Raises:
            StorageError: the ledger can't be written; nothing was erased.
        """
        with self._store.writing() as connection:
            found = connection.execute(_MARK.order_by(marks.c.id)).all()
            told: dict[tuple[int, str], dict[bytes, Word | None]] = {}
            for row in found:
                told.setdefault((row.camera, row.alias), {})[row.incident] = None
            for (camera, alias), words in told.items():
                self._tell(connection, camera, alias, words)
            connection.execute(delete(marks))
            connection.execute(delete(models))
            self._send_back(connection)
            now_ns, detail = self._clock.wall_ns(), "the marks on incidents, and the models trained by them"
            audit.append(connection, self._keys, now_ns, Action.DELETED, self._actor, detail)
        self._store.scrub()
        return sum(len(words) for words in told.values())

    def _send_back(self, connection: Connection) -> None:
        """Have who was told to judge by a model that is erased judge by the shipped one."""
        known = select(cameras.c.id, cameras.c.alias).where(~cameras.c.expelled, ~cameras.c.gone)
        for camera, alias in connection.execute(known.order_by(cameras.c.id)).all() if self._keys.is_home else ():
            asked = self._wishes.standing(connection, camera, CommandType.MODEL, answered=True)
            if isinstance(asked, ModelWish) and asked.name != SHIPPED:
                self._wishes.put(connection, alias, ModelWish(name=SHIPPED, sha256=bytes(32)), self._actor)

    def _newest(self, connection: Connection, camera: int, incident: bytes) -> MarkView | None:
        this = _MARK.where(marks.c.camera == camera, marks.c.incident == incident)
        return _read(connection.execute(this.order_by(marks.c.id.desc()).limit(1)).one_or_none(), self._keys.table)

    def _tell(self, connection: Connection, camera: int, alias: str, words: dict[bytes, Word | None]) -> None:
        """Have the camera told these words, with those that it hasn't answered yet; none and *not sure*: no mark."""
        standing_ = self._wishes.standing(connection, camera, CommandType.MARKS)
        found: dict[bytes, Word | None] = {}
        if isinstance(standing_, MarksWish):
            found = {one.incident: Word(one.mark) for one in standing_.marks}
            found |= dict.fromkeys(standing_.taken_back or ())
        for incident, word in words.items():
            found.pop(incident, None)  # to the end: the newest ones stay
            found[incident] = None if word is Word.UNSURE else word
        found = dict(list(found.items())[-MOST_TOLD:])
        said = tuple(MarkedIncident(incident=one, mark=MARKS[word]) for one, word in found.items() if word is not None)
        back = tuple(one for one, word in found.items() if word is None)
        left = select(cameras.c.id).where(cameras.c.id == camera, ~cameras.c.expelled, ~cameras.c.gone)
        if self._keys.is_home and connection.execute(left).first() is not None:
            self._wishes.put(connection, alias, MarksWish(marks=said, taken_back=back or None), self._actor)


def standing(connection: Connection, table: TableKey) -> tuple[MarkView, ...]:
    """As `Marks.all`, in the caller's transaction."""
    newest: dict[str, MarkView] = {}
    for row in connection.execute(_MARK.order_by(marks.c.id)):
        view = _read(row, table)
        if view is not None:
            newest[view.incident] = view
    return tuple(sorted(newest.values(), key=lambda one: one.id))


def words(views: Iterable[MarkView]) -> dict[str, int]:
    """How many incidents have which word."""
    found: dict[str, int] = {}
    for one in views:
        found[one.word] = found.get(one.word, 0) + 1
    return found


def _read(row: _Found | None, table: TableKey) -> MarkView | None:
    if row is None:
        return None
    try:
        said = schema.decode(table.unwrap(row.said), Said)
    except EnvelopeError:
        return None
    return MarkView(row.id, incident_id(row.alias, row.incident), said.word.name.lower(), said.who, row.at_ns)


def _incident(connection: Connection, name: str) -> _Found:
    row = find_incident(connection, name)
    if row is None:
        raise ConfigError("this incident isn't there any more", "it was deleted; the next one is shown")
    return row
