"""The rows behind notifications: targets, what each was told, what a person has seen, what the owner chose.

Every function works in the caller's transaction; secrets go in and come out wrapped under the table key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from sealcam.wire.errors import ConfigError
from sealcam_hub.keys import TableKey
from sealcam_hub.localzone import local_zone
from sealcam_hub.notify_tables import seen, targets, told
from sealcam_hub.notifying.rules import GIVE_UP_NS, MOST_RINGS, Rank, Rules, again, due, unpack
from sealcam_hub.notifying.wording import News
from sealcam_hub.rekey import put
from sealcam_hub.tables import values

_RULES, _PLACE, _NEWEST = "notify-rules", "notify-place", "notify-newest"
MOST_TARGETS = 32
INCIDENT = "incident/"  # a subject that is one, by id
KEPT_NS = 30 * 24 * 3600 * 1_000_000_000


class Kind(StrEnum):
    """How a target is reached."""

    PUSH = "push"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody to tell; `place` is a push service's host or a kind of service. Times are wall ns."""

    id: int
    kind: Kind
    name: str
    place: str
    after_s: int
    added_ns: int
    sent_ns: int | None
    failed_ns: int | None


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that a target is to be told now."""

    subject: str
    rank: Rank
    loud: bool
    tries: int
    rings: int
    since_ns: int
    due_ns: int


def rules(connection: Connection) -> Rules:
    """What the owner chose."""
    kept = connection.execute(select(values.c.value).where(values.c.name == _RULES)).scalar()
    return Rules(zone=local_zone()) if kept is None else unpack(kept)


def choose(connection: Connection, chosen: Rules) -> None:
    """Keep what the owner chooses."""
    put(connection, _RULES, chosen.pack())


def place(connection: Connection) -> int | None:
    """Up to which place of the ledger everything was looked at; none at first."""
    kept = connection.execute(select(values.c.value).where(values.c.name == _PLACE)).scalar()
    return None if kept is None else int.from_bytes(kept, "big")


def set_place(connection: Connection, at: int) -> None:
    """Everything up to there was looked at."""
    put(connection, _PLACE, at.to_bytes(8, "big"))


def all_targets(connection: Connection) -> tuple[Target, ...]:
    """Who is told, in the order in which they were added."""
    return tuple(_target(row) for row in connection.execute(select(targets).order_by(targets.c.id)))


def _target(row: Row[tuple[object, ...]]) -> Target:
    found = row._mapping
    names = ("id", "name", "place", "after_s", "added_ns", "sent_ns", "failed_ns")
    return Target(kind=Kind(found["kind"]), **{name: found[name] for name in names})


def secret(connection: Connection, table: TableKey, target: int) -> bytes | None:
    """What reaches a target; none where it was removed."""
    kept = connection.execute(select(targets.c.secret).where(targets.c.id == target)).scalar()
    return None if kept is None else table.unwrap(kept)


def add(
    connection: Connection, table: TableKey, kind: Kind, name: str, where: str, said: bytes, after_s: int, now_ns: int
) -> int:
    """A further target; a browser or an address that is known already keeps its row and gets the new name.

    Raises:
        ConfigError: the name is none or another target's, or there are too many.
    """
    name, digest = " ".join(name.split()), hashlib.sha256(said).digest()
    if not name or len(name) > 64 or not name.isprintable():
        raise ConfigError("a name has 1 to 64 printable characters", "such as Anna's phone")
    rows = connection.execute(select(targets.c.id, targets.c.name, targets.c.digest)).all()
    known = next((row for row in rows if row.digest == digest), None)
    if any(row.name == name and row is not known for row in rows):
        raise ConfigError("another one has that name already", "give this one a name of its own")
    if known is not None:
        again_ = update(targets).where(targets.c.id == known.id).values(name=name, after_s=after_s, failed_ns=None)
        connection.execute(again_)
        return int(known.id)
    if len(rows) >= MOST_TARGETS:
        raise ConfigError(f"there are {MOST_TARGETS} already", "remove one first")
    number = _number(connection)
    row = {"kind": kind.value, "name": name, "place": where, "secret": table.wrap(said), "digest": digest}
    connection.execute(insert(targets).values(id=number, after_s=after_s, added_ns=now_ns, **row))
    return number


def _number(connection: Connection) -> int:
    """The next number, which no target had before: an old tab that removes one removes no other."""
    kept: bytes | None = connection.execute(select(values.c.value).where(values.c.name == _NEWEST)).scalar()
    newest = connection.execute(select(func.max(targets.c.id))).scalar() or 0
    number = max(newest, int.from_bytes(kept or b"", "big")) + 1
    put(connection, _NEWEST, number.to_bytes(8, "big"))
    return number


def remove(connection: Connection, target: int) -> bool:
    """Tell somebody no more; whether there was anybody."""
    connection.execute(delete(told).where(told.c.target == target))
    return bool(connection.execute(delete(targets).where(targets.c.id == target)).rowcount)


def note(connection: Connection, chosen: Rules, who: Sequence[Target], news: News, now_ns: int) -> None:
    """Enter what each target is to be told of `news`, and when."""
    for target in who:
        if news.at_ns >= target.added_ns:
            _note(connection, chosen, target, news, now_ns)


def _note(connection: Connection, chosen: Rules, target: Target, news: News, now_ns: int) -> None:
    key = (told.c.subject == news.subject, told.c.target == target.id)
    row = connection.execute(select(told).where(*key)).one_or_none()
    wanted = chosen.wants(news.rank) and (target.after_s == 0 or news.rank is Rank.THREAT)
    at_ns = due(chosen, news.rank, now_ns) + target.after_s * 1_000_000_000
    fresh = {"rank": int(news.rank), "loud": True, "due_ns": at_ns, "tries": 0, "rings": 0, "since_ns": now_ns}
    if row is None:
        if wanted:
            key_values = {"subject": news.subject, "target": target.id}
            connection.execute(insert(told).values(said="", begun=False, **key_values, **fresh))
        return
    rises = wanted and news.rank > row.rank
    if rises or (wanted and news.begins and row.rings > 0):
        connection.execute(delete(seen).where(seen.c.subject == news.subject))
        connection.execute(update(told).where(*key).values(**fresh))
    elif row.rings > 0 and row.due_ns is None and target.kind is Kind.PUSH and row.said != news.digest:
        quietly = {"loud": False, "due_ns": due(chosen, Rank.QUIETLY, now_ns), "tries": 0, "since_ns": now_ns}
        connection.execute(update(told).where(*key).values(**quietly))
    elif row.begun and row.due_ns is not None:  # on its way with words that are old by now: `sent` looks
        connection.execute(update(told).where(*key).values(due_ns=row.due_ns + 1))
    elif not row.rings and not wanted and news.rank < row.rank and news.subject.startswith(INCIDENT):
        connection.execute(delete(told).where(*key))  # it waited, and is none by now


def is_seen(connection: Connection, subject: str) -> bool:
    """Whether a person has seen it."""
    return connection.execute(select(seen.c.at_ns).where(seen.c.subject == subject)).first() is not None


def set_seen(connection: Connection, subject: str, now_ns: int) -> bool:
    """A person has seen it: nobody is told again, or next; whether that is news and anybody had been told of it."""
    asked = select(told.c.subject).where(told.c.subject == subject).limit(1)
    if connection.execute(asked).first() is None or is_seen(connection, subject):
        return False
    connection.execute(insert(seen).values(subject=subject, at_ns=now_ns))
    later = (told.c.subject == subject, told.c.rank == int(Rank.THREAT), told.c.rings > 0, told.c.loud)
    connection.execute(update(told).where(*later).values(due_ns=None))
    return True


def unseen(connection: Connection) -> tuple[str, ...]:
    """What threats somebody was told of and nobody has seen, newest first."""
    query = select(told.c.subject).where(told.c.rank == int(Rank.THREAT), told.c.rings > 0)
    query = query.where(told.c.subject.not_in(select(seen.c.subject)))
    rows = connection.execute(query.group_by(told.c.subject, told.c.since_ns).order_by(told.c.since_ns.desc()))
    return tuple(dict.fromkeys(rows.scalars()))


def is_due(connection: Connection, target: Target, now_ns: int) -> bool:
    """Whether there may be something to tell a target now."""
    query = select(told.c.subject).where(told.c.target == target.id, told.c.due_ns <= now_ns).limit(1)
    return connection.execute(query).first() is not None


def all_due(connection: Connection, target: Target, now_ns: int) -> list[Due]:
    """What a target is to be told now, what matters most first; what was seen meanwhile needs no other bell."""
    query = select(told).where(told.c.target == target.id, told.c.due_ns <= now_ns)
    found = []
    for row in connection.execute(query.order_by(told.c.rank.desc(), told.c.due_ns)).all():
        if row.loud and (target.after_s or row.rings) and is_seen(connection, row.subject):
            connection.execute(update(told).where(*_of(target, row.subject)).values(due_ns=None))
        else:
            found.append(Due(row.subject, Rank(row.rank), row.loud, row.tries, row.rings, row.since_ns, row.due_ns))
    return found


def begin(connection: Connection, target: Target, some: Sequence[Due]) -> None:
    """They are about to be sent."""
    for one in some:
        connection.execute(update(told).where(*_of(target, one.subject)).values(begun=True))


def sent(connection: Connection, chosen: Rules, target: Target, some: Sequence[tuple[Due, str]], now_ns: int) -> None:
    """They were sent, with words of these digests; a threat rings again, if the owner chose so.

    What has become more meanwhile is due still, and what has changed goes to a browser once more, silently.
    """
    connection.execute(update(targets).where(targets.c.id == target.id).values(sent_ns=now_ns, failed_ns=None))
    for one, digest in some:
        if _began_anew(connection, target, one):
            connection.execute(update(told).where(*_of(target, one.subject)).values(said=digest, begun=False))
            continue
        rings = one.rings + one.loud
        more = one.rank is Rank.THREAT and one.loud and chosen.repeat_s and rings < MOST_RINGS
        next_ns = now_ns + chosen.repeat_s * 1_000_000_000 if more and not is_seen(connection, one.subject) else None
        row = {"said": digest, "begun": False, "tries": 0, "rings": rings, "due_ns": next_ns, "loud": True}
        changed = select(told.c.due_ns).where(*_of(target, one.subject), told.c.due_ns > one.due_ns)
        if next_ns is None and target.kind is Kind.PUSH and connection.execute(changed).first() is not None:
            row |= {"due_ns": now_ns, "loud": False, "since_ns": now_ns}
        connection.execute(update(told).where(*_of(target, one.subject)).values(**row))


def failed(connection: Connection, target: Target, some: Sequence[Due], now_ns: int) -> None:
    """They could not be sent: they are tried again for a day."""
    connection.execute(update(targets).where(targets.c.id == target.id).values(failed_ns=now_ns))
    for one in some:
        if _began_anew(connection, target, one):
            connection.execute(update(told).where(*_of(target, one.subject)).values(begun=False))
            continue
        next_ns = None if now_ns - one.since_ns > GIVE_UP_NS else now_ns + again(one.tries + 1)
        row = update(told).where(*_of(target, one.subject))
        connection.execute(row.values(begun=False, tries=one.tries + 1, due_ns=next_ns))


def _began_anew(connection: Connection, target: Target, one: Due) -> bool:
    """Whether it has become more, or began again, since it was found due: then what was entered for that stands."""
    query = select(told.c.rank, told.c.since_ns).where(*_of(target, one.subject))
    row = connection.execute(query).one_or_none()
    return row is not None and (row.rank, row.since_ns) != (int(one.rank), one.since_ns)


def forget(connection: Connection, subject: str) -> None:
    """Nobody is told of it any more: it was deleted."""
    connection.execute(delete(told).where(told.c.subject == subject))
    connection.execute(delete(seen).where(seen.c.subject == subject))


def settle(connection: Connection, now_ns: int) -> None:
    """After a start: what a browser was just being told it is told again; a service may have heard it, and isn't."""
    services = select(targets.c.id).where(targets.c.kind == Kind.SERVICE.value)
    half = update(told).where(told.c.begun)
    heard = half.where(told.c.target.in_(services)).values(due_ns=None, rings=told.c.rings + 1)
    connection.execute(heard)
    repeat_s = rules(connection).repeat_s
    if repeat_s:
        next_ns = now_ns + repeat_s * 1_000_000_000
        threats = half.where(told.c.target.in_(services), told.c.rank == int(Rank.THREAT))
        connection.execute(threats.values(due_ns=next_ns, loud=True))
    connection.execute(half.values(begun=False))
    connection.execute(delete(told).where(told.c.since_ns < now_ns - KEPT_NS, told.c.due_ns.is_(None)))
    connection.execute(delete(seen).where(seen.c.at_ns < now_ns - KEPT_NS))


def _of(target: Target, subject: str) -> tuple[ColumnElement[bool], ...]:
    return (told.c.subject == subject, told.c.target == target.id)
