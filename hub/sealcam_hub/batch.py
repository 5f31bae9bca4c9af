"""One batch of messages inside one transaction: each decided in turn on working copies, all rows written at the end.

What a camera's newest event or beat means for it is `chain`'s and `beats`', what an event's body does `contents`';
opening comes before, receipts after (`receive`). Implements design/pipeline.md, "Hub", steps 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from sealcam.wire.bodies import AnswerBody, BeatBody, ClipBody, PrivacyBody, Stamp
from sealcam.wire.deleted import DeletedPart
from sealcam_hub import beat_alarms, beats, deletion, deletion_marks, forgetting, recovery, registry, wishes
from sealcam_hub.chain import Bridge, Known, Link, Move, Step, bridge, offer
from sealcam_hub.contents import HandOver, NewClip
from sealcam_hub.inbox import Beat, Cover, Event, Mail, Message, Outside, Will
from sealcam_hub.keys import HubKeys
from sealcam_hub.ledger import incident_id
from sealcam_hub.notices import NoticeKind, Refusal, Why
from sealcam_hub.outcome import Outcome, What
from sealcam_hub.registry import Camera, Standing
from sealcam_hub.rows import Rows
from sealcam_hub.tables import APPENDED, DISPUTED, LATE, PENDING

HOUR_NS = 3600 * 1_000_000_000
_WHAT = {step: What(step.value) for step in Step if step is not Step.FULL}
Open = Callable[[Message, bytes, Camera], Mail]
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
        open_again: Open,
    ) -> None:
        self.standings: dict[str, Standing] = {}
        self._connection = connection
        self._keys = keys
        self._before = standings
        self._known = known
        self._timely = timely
        self._open_again = open_again
        self._rows = Rows(connection)
        self._links: dict[tuple[int, int], Link] = {}  # appended in this batch, not yet written

    def take(self, message: Message, name: bytes, mail: Mail | None) -> Outcome:
        """Decide one message."""
        standing = self.standings.get(message.alias) or self._before.get(message.alias)
        if standing is None:
            return self._refuse("", message.alias, Refusal.UNKNOWN)
        if standing.camera.expelled:
            return self._refuse(message.alias, message.alias, Refusal.EXPELLED)
        if name in self._known:
            if self._known[name] != standing.camera.id:
                return self._refuse(message.alias, message.alias, Refusal.CROSSED)
            return self._counted(message.alias, What.REPEAT)
        if mail is Refusal.EARLY:  # unless its hand-over came in this batch, or by another worker
            mail = self._open_again(message, name, standing.camera)
        match mail:
            case Event():
                return self._event(message, standing, mail)
            case Beat():
                return self._beat(message, standing, mail)
            case Will():
                return self._will(standing, mail)
            case Cover():
                return self._counted(message.alias, What.COVER)
            case Outside():
                return self._counted(message.alias, What.IGNORED)
            case Refusal():
                return self._refused(message, standing, mail)
        raise AssertionError("a message that isn't known was not opened")

    def give_up(self, alias: str, first: int, now_ns: int) -> None:
        """Cross the next missing run, if it begins at `first` and something that came names its end."""
        standing = self._before[alias]
        gap, chain = standing.chain.gap(), standing.chain
        after = chain.parked.get(gap[1] + 1) if gap is not None else None
        if gap is None or gap[0] != first or after is None:
            return
        lost = Bridge(*gap, after.prev)
        self.standings[alias] = self._cross(Message(alias, b"", now_ns), standing, lost, bridge(chain, lost))

    def finish(self) -> None:
        """Write everything."""
        for alias, now in self.standings.items():
            before = self._before[alias]
            if now.chain is not before.chain:
                self._rows.head(before, now.chain)
                self.standings[alias] = replace(now, revision=now.revision + 1)
        self._rows.write()

    def _counted(self, alias: str, what: What) -> Outcome:
        self._rows.count(alias, what)
        return Outcome(alias, what)

    def _event(self, message: Message, standing: Standing, event: Event) -> Outcome:
        camera = standing.camera
        if not camera.signs(event.epoch, event.link.seq, standing.chain.seq):
            return self._clone(message, camera, event.link, Why.OLD_KEY)
        move = offer(standing.chain, event.link, self._links_of(camera.id), event.bridges)
        if move.step is Step.CLONE:
            return self._clone(message, camera, event.link)
        if move.step is Step.REPEAT:  # late, and by another worker a moment ago: the chain hasn't moved by it
            return self._counted(camera.alias, What.REPEAT)
        if move.step is Step.FULL:  # without a receipt it comes again
            self._rows.notice(camera.id, NoticeKind.FULL, f"full:{camera.alias}", 0, 0, message.arrived_ns)
            return self._refuse(camera.alias, camera.alias, Refusal.FULL, ("notice",))
        self._known[event.link.hash] = camera.id
        row = {
            "hash": event.link.hash,
            "camera": camera.id,
            "seq": event.link.seq,
            "prev": event.link.prev,
            "epoch": event.epoch,
            "kind": event.kind,
            "status": _STATUS[move.step],
            "incident": event.incident,
            "arrived_ns": message.arrived_ns,
        }
        part = self._deleted(camera, event)
        if part is not None and deletion_marks.covers(part, event.link.seq):
            self._rows.add_deleted(row)
        else:
            self._rows.add_event(row, message.payload, self._keys.table.wrap(event.content_key))
        standing = Standing(standing.camera, standing.revision, move.chain, standing.life)
        told, standing = self._do(message, standing, event, part, late=move.step is Step.LATE)
        self.standings[camera.alias] = self._follow(message, standing, event.link, move)
        changed = f"camera/{camera.alias}"
        if event.incident is not None:
            changed = f"incident/{incident_id(camera.alias, event.incident)}"
        topics = (changed, "notice") if told or move.disputed else (changed,)
        answered = event.said if isinstance(event.said, AnswerBody) else None
        return Outcome(camera.alias, _WHAT[move.step], topics=topics, answered=answered)

    def _deleted(self, camera: Camera, event: Event) -> DeletedPart | None:
        """What the home hub has told another one to delete of an event's incident, before all of it came."""
        if event.incident is None or self._keys.is_home:
            return None
        return deletion_marks.find(self._connection, camera.kid, event.incident)

    def _do(
        self, message: Message, standing: Standing, event: Event, part: DeletedPart | None, *, late: bool
    ) -> tuple[bool, Standing]:
        """Do what follows from a new event at once, whatever its place: whether the owner was told, and the camera."""
        camera, seq = standing.camera, event.link.seq
        match event.said:
            case NewClip():
                key = event.said.key
                gone = part is not None and (key.clip in part.clips or deletion_marks.covers(part, seq))
                wrapped = None if gone else self._keys.table.wrap(key.content_key)
                self._rows.clips.begin(camera.id, event.link.hash, event.said, wrapped)
            case ClipBody():
                self._rows.clips.end(camera.id, seq, event.said)
            case AnswerBody(number=number, outcome=outcome, detail=detail):
                if wishes.answered(self._connection, camera.id, number, outcome, detail):
                    now_ns = message.arrived_ns
                    forgetting.answered(self._connection, self._keys.table, camera.id, number, seq, now_ns)
            case PrivacyBody(on=on) if seq > standing.life.newest_seq:  # otherwise a newer beat has told
                beats.set_privacy(self._connection, camera.id, on)
                return False, replace(standing, revision=standing.revision + 1)
            case _ if event.link.farewell:
                mark = f"farewell:{camera.alias}:{seq}"
                self._rows.notice(camera.id, NoticeKind.FAREWELL, mark, seq, seq, message.arrived_ns)
                return True, standing
            case HandOver(holds=True) as keys if not late:
                return self._announce(message, standing, event.link, keys)
            case HandOver():  # one that comes late was not missed when the chain went on without it
                self._tell_clone(camera, event.link, message.arrived_ns, Why.HAND_OVER)
                return True, standing
            case _:
                pass
        return False, standing

    def _announce(self, message: Message, standing: Standing, link: Link, keys: HandOver) -> tuple[bool, Standing]:
        """Let a new key speak although its hand-over may only be parked: what the chain lacks, that key must tell."""
        camera, now_ns = standing.camera, message.arrived_ns
        self._rows.hand_over(link.hash, keys)
        if not registry.announce_epoch(
            self._connection, camera.id, keys.epoch, keys.public, keys.command, link.seq, now_ns
        ):
            self._tell_clone(camera, link, now_ns, Why.HAND_OVER)
            return True, standing
        camera = registry.with_announced(camera, keys.epoch, keys.public, link.seq, now_ns)
        return False, replace(standing, camera=camera, revision=standing.revision + 1)

    def _follow(self, message: Message, standing: Standing, link: Link, move: Move) -> Standing:
        """Give what was appended its place, new keys their camera, and what is disputed its alarm."""
        camera = standing.camera
        for one in move.appended:
            self._links[camera.id, one.seq] = one
            late = move.step is Step.LATE and one is link
            self._rows.append(one.hash, LATE if late else APPENDED)
            if one.ends and not late:
                standing = self._new_epoch(standing, one, message.arrived_ns)
            if one.farewell and not late and one.seq >= standing.life.newest_seq:
                standing = beats.set_gone(self._connection, standing, one.seq)
        for one in move.disputed:
            self._rows.set_status(one.hash, DISPUTED)
            self._tell_clone(camera, one, message.arrived_ns)
            if one.ends:
                standing = self._withdraw(standing, one)
        return standing

    def _withdraw(self, standing: Standing, link: Link) -> Standing:
        """Take back the key that a hand-over announced which has lost its place."""
        camera, number = standing.camera, link.epoch + 1
        if not any(one.number == number and one.after_seq == link.seq for one in camera.epochs):
            return standing
        registry.withdraw_epoch(self._connection, camera.id, number)
        camera = registry.without_epoch(camera, number)
        return replace(standing, camera=camera, revision=standing.revision + 1)

    def _new_epoch(self, standing: Standing, link: Link, now_ns: int) -> Standing:
        keys = self._rows.handed_over(link.hash)
        registry.begin_epoch(
            self._connection, standing.camera.id, keys.epoch, keys.public, keys.command, link.seq, now_ns
        )
        camera = registry.with_epoch(standing.camera, keys.epoch, keys.public, keys.command, link.seq, now_ns)
        return replace(standing, camera=camera, revision=standing.revision + 1)

    def _links_of(self, camera: int) -> Known:
        stored = registry.known_links(self._connection, camera)
        return lambda seq: self._links.get((camera, seq)) or stored(seq)

    def _clone(self, message: Message, camera: Camera, link: Link, why: Why = Why.PLACE) -> Outcome:
        self._rows.count(camera.alias, Refusal.CLONE)
        self._tell_clone(camera, link, message.arrived_ns, why)
        return Outcome(camera.alias, What.CLONE, refusal=Refusal.CLONE, topics=("notice",))

    def _tell_clone(self, camera: Camera, link: Link, at_ns: int, why: Why = Why.PLACE) -> None:
        mark = f"clone:{camera.alias}:{why.value}:{at_ns // HOUR_NS}"  # who has a key makes as many as it likes
        self._rows.notice(camera.id, NoticeKind.CLONE, mark, link.seq, link.seq, at_ns, why)

    def _refused(self, message: Message, standing: Standing, refusal: Refusal) -> Outcome:
        if refusal is Refusal.UNOPENABLE and self._is_foreign(standing):
            return self._refuse(message.alias, message.alias, Refusal.FOREIGN)
        if refusal is Refusal.UNOPENABLE:
            mark = f"unopenable:{message.alias}"
            self._rows.notice(standing.camera.id, NoticeKind.UNOPENABLE, mark, 0, 0, message.arrived_ns)
            return self._refuse(message.alias, message.alias, refusal, ("notice",))
        return self._refuse(message.alias, message.alias, refusal)

    def _is_foreign(self, standing: Standing) -> bool:
        """Whether what a camera sends may not be sealed to this hub yet, which came later than the home hub."""
        fresh = standing.life.prekey == 0 or recovery.is_open(self._connection, standing.camera.alias)
        return fresh and not self._keys.is_home

    def _refuse(self, counted: str, alias: str, refusal: Refusal, topics: tuple[str, ...] = ()) -> Outcome:
        self._rows.count(counted, refusal)
        return Outcome(alias, What.REFUSED, refusal=refusal, topics=topics)

    def _will(self, standing: Standing, will: Will) -> Outcome:
        alias = standing.camera.alias
        taken = beats.take_will(self._connection, standing, will) if will.epoch >= standing.camera.epoch else None
        if taken is None:
            return self._counted(alias, What.STALE)
        self.standings[alias] = taken
        return Outcome(alias, What.WILL, topics=(f"camera/{alias}",))

    def _beat(self, message: Message, standing: Standing, beat: Beat) -> Outcome:
        camera, body = standing.camera, beat.body
        # A key whose hand-over is only parked beats already; the one before it may be on its way still.
        advances = beat.epoch >= camera.epoch and beats.advances(self._connection, standing, beat)
        if advances is None and beats.is_overtaken(self._connection, camera.id, message.arrived_ns):
            return self._counted(camera.alias, What.STALE)
        if advances is None:
            self._rows.count(camera.alias, Refusal.CLONE)
            self._tell_clone(camera, Link(0, b"", b""), message.arrived_ns, Why.BOOT)
            return Outcome(camera.alias, What.CLONE, refusal=Refusal.CLONE, topics=("notice",))
        if not (advances and self._timely(camera.alias, body.at)):
            return self._counted(camera.alias, What.STALE)
        topics = [f"camera/{camera.alias}"]
        told = beat_alarms.heard(self._connection, self._rows, camera.id, body, message.arrived_ns)
        if self._beat_tells(message, standing, body) or told:
            topics.append("notice")
        counted = beats.count(self._connection, standing, beat, message.arrived_ns, self._keys)
        self.standings[camera.alias] = counted
        if len(counted.camera.prekeys) < len(camera.prekeys):
            deletion.complete(self._connection)
        if recovery.through(self._connection, camera.alias, body, at_home=self._keys.is_home):
            self._bridge(message, counted, body)
        return Outcome(camera.alias, What.BEAT, topics=tuple(topics))

    def _bridge(self, message: Message, standing: Standing, body: BeatBody) -> None:
        """Cross what will never come, now that a camera's backlog for a lost hub is through."""
        camera = standing.camera
        for lost, move in recovery.missing(standing.chain, body):
            standing = self._cross(message, standing, lost, move)
        self.standings[camera.alias] = standing

    def _cross(self, message: Message, standing: Standing, lost: Bridge, move: Move) -> Standing:
        self._rows.gap(standing.camera.id, message.alias, (lost.first, lost.last), message.arrived_ns)
        return self._follow(message, replace(standing, chain=move.chain), Link(0, b"", b""), move)

    def _beat_tells(self, message: Message, standing: Standing, body: BeatBody) -> bool:
        """Whether a beat that counts is news for the owner: another chain, or a camera that is back."""
        camera = standing.camera
        there = beats.at(standing.chain, body.newest_seq, self._links_of(camera.id))
        if other := there is not None and there != body.newest_hash:
            self._tell_clone(camera, Link(body.newest_seq, body.newest_hash, b""), message.arrived_ns)
        if standing.life.silent:
            mark = f"{NoticeKind.BACK.value}:{camera.alias}:{message.arrived_ns}"
            self._rows.notice(camera.id, NoticeKind.BACK, mark, 0, 0, message.arrived_ns)
        return other or standing.life.silent
