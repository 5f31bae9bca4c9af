"""One batch of messages inside one transaction: each decided in turn on working copies, all rows written at the end.

What a camera's newest event or beat means for it is `chain`'s and `beats`'; opening comes before, receipts after
(`receive`). Implements design/pipeline.md, "Hub", steps 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection

from sealcam.wire.bodies import Stamp
from sealcam_hub import beats, registry
from sealcam_hub.chain import Known, Link, Move, Step, offer
from sealcam_hub.inbox import Beat, Event, Mail, Message, Outside
from sealcam_hub.keys import HubKeys
from sealcam_hub.ledger import incident_id
from sealcam_hub.notices import NoticeKind, Refusal
from sealcam_hub.registry import Camera, Standing
from sealcam_hub.rows import Rows
from sealcam_hub.tables import APPENDED, DISPUTED, LATE, PENDING


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


_WHAT = {step: What(step.value) for step in Step}
_STATUS = {Step.APPENDED: APPENDED, Step.PARKED: PENDING, Step.LATE: LATE}


class Batch:
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
