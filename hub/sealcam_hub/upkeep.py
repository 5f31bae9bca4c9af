"""What the hub looks after by the minute: disk, certificates, clock, broker, off-site copy, what went or came back.

One round of work; `serve` calls it on a thread of its own. Writes notices; what is near enough to be told says
`nearness`. design/hub.md, "Silence is an alarm".
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from sealcam.wire.bodies import ClipState, EventType
from sealcam_hub import certificate_rows, nearness, offsite_status
from sealcam_hub.alarm_tables import HUB
from sealcam_hub.certificate_rows import Life
from sealcam_hub.clip_rows import DELETED
from sealcam_hub.clock import Clock
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home
from sealcam_hub.nearness import Left
from sealcam_hub.notice_rows import filled_mark, open_gaps
from sealcam_hub.notices import NoticeKind, Why
from sealcam_hub.rekey import put
from sealcam_hub.rows import Rows
from sealcam_hub.tables import APPENDED, LATE, cameras, clips, events, journal, notices, values, vault
from sealcam_hub.troubles import Trouble, Turn, see, subjects, tell_of_hub
from sealcam_hub.vault_rows import Kept

WAIT_S = 5.0
EACH_NS = 60_000_000_000
AWAY_NS = 60_000_000_000
DAY_NS = 24 * 3600 * 1_000_000_000
_PLACE = "upkeep-place"
_LINES = 1000
_ENDED = "ended:"


@dataclass(slots=True)
class Upkeep:
    """`up()` says whether the broker is reached, `disk()` how many bytes are free of how many. For one thread."""

    home: Home
    feed: Feed
    up: Callable[[], bool]
    disk: Callable[[], tuple[int, int]]
    _away_ns: int | None = None
    _looked_ns: int | None = None
    _clocks: tuple[int, int] | None = None  # wall time and time since boot, at the last look
    _told: bool = field(default=False)

    def run_once(self) -> None:
        """Look at everything that is due, and tell what is new.

        Raises:
            StorageError: the ledger can't be read or written.
            OSError: the hub's folder can't be read.
        """
        self._told = False
        now_ns = self._clock.boot_ns()
        self._broker(now_ns)
        if self._looked_ns is None or now_ns - self._looked_ns >= EACH_NS:
            self._looked_ns = now_ns
            self._round()
        if self._told:
            self.feed.publish("notice")

    @property
    def _clock(self) -> Clock:
        return self.home.clock

    def _broker(self, now_ns: int) -> None:
        """Nobody else tells of it: a hub that hears nobody can't call anybody silent."""
        up = self.up()
        before, self._away_ns = self._away_ns, None if up else (self._away_ns if self._away_ns is not None else now_ns)
        away = self._away_ns is not None and now_ns - self._away_ns >= AWAY_NS
        if not (away or (up and (before is not None or self._looked_ns is None))):
            return
        with self.home.store.writing() as connection:
            turn = see(connection, Trouble(HUB, NoticeKind.BROKER), away, self._clock.wall_ns())
            self._of_hub(connection, turn, (NoticeKind.BROKER, NoticeKind.BROKER_BACK))

    def _round(self) -> None:
        wall_ns, boot_ns = self._clock.wall_ns(), self._clock.boot_ns()
        free, size = self.disk()
        lives = certificate_rows.of_files(self.home.folder)
        waits_s = offsite_status.waits_s(self.home)
        with self.home.store.writing() as connection:
            self._own_clock(connection, wall_ns, boot_ns)
            turn = see(connection, Trouble(HUB, NoticeKind.DISK), nearness.disk_low(free, size), wall_ns)
            self._of_hub(connection, turn, (NoticeKind.DISK, NoticeKind.ROOM), first=free // 1_000_000)
            self._offsite(connection, waits_s, wall_ns)
            rows = Rows(connection)
            self._certificates(connection, rows, lives, wall_ns)
            self._filled(connection, rows, wall_ns)
            self._dropped(connection, rows, wall_ns)
            rows.write()

    def _of_hub(
        self,
        connection: Connection,
        turn: Turn,
        kinds: tuple[NoticeKind, NoticeKind],
        first: int = 0,
        why: Why = Why.PLACE,
    ) -> None:
        if turn is not Turn.NOTHING:
            kind = kinds[0] if turn is Turn.BEGINS else kinds[1]
            tell_of_hub(connection, kind, self._clock.wall_ns(), first=first, why=why)
            self._told = True

    def _own_clock(self, connection: Connection, wall_ns: int, boot_ns: int) -> None:
        before, self._clocks = self._clocks, (wall_ns, boot_ns)
        if before is None:
            return
        jumped_s = abs((wall_ns - before[0]) - (boot_ns - before[1])) // 1_000_000_000
        if jumped_s >= nearness.CLOCK_OFF_S:
            tell_of_hub(connection, NoticeKind.CLOCK, wall_ns, "set", jumped_s, Why.SET)
            self._told = True

    def _offsite(self, connection: Connection, waits_s: int | None, now_ns: int) -> None:
        late = nearness.between(waits_s or 0, nearness.COPY_LATE_S, nearness.COPY_SOON_S)
        turn = see(connection, Trouble(HUB, NoticeKind.OFFSITE), late, now_ns, nearness.COPY_LATE_ROUNDS)
        why = Why.OFF if waits_s is None else Why.PLACE
        self._of_hub(connection, turn, (NoticeKind.OFFSITE, NoticeKind.OFFSITE_AGAIN), first=waits_s or 0, why=why)

    def _certificates(self, connection: Connection, rows: Rows, files: list[Life], now_ns: int) -> None:
        if self.home.keys.is_home:
            for life in certificate_rows.of_cameras(connection):
                self._certificate(connection, rows, life, now_ns)
        for life in files:
            self._certificate(connection, rows, life, now_ns)
        there = {life.of for life in files}
        for gone in subjects(connection, HUB, NoticeKind.CERTIFICATE):
            if gone.removeprefix(_ENDED) not in there:  # a file that isn't used any more
                see(connection, Trouble(HUB, NoticeKind.CERTIFICATE, gone), False, now_ns)

    def _certificate(self, connection: Connection, rows: Rows, life: Life, now_ns: int) -> None:
        left = nearness.certificate_left(life.begin_ns, life.end_ns, now_ns)
        subject = "" if life.camera else life.of
        near = Trouble(life.camera or HUB, NoticeKind.CERTIFICATE, subject)
        over = Trouble(near.camera, near.kind, f"{_ENDED}{subject}")
        turn = see(connection, near, left is not Left.ENOUGH, now_ns)
        ended = see(connection, over, left is Left.NOTHING, now_ns) is Turn.BEGINS
        if not ended and turn is Turn.NOTHING:
            return
        days = nearness.days(life.end_ns - now_ns)
        kind = NoticeKind.RENEWED if turn is Turn.ENDS else NoticeKind.CERTIFICATE
        if life.camera:
            why = Why.ENDED if ended else Why.PLACE
            self._told |= rows.notice(life.camera, kind, f"{kind.value}:{life.of}:{now_ns}", days, days, now_ns, why)
        else:
            why = Why.PLACE if turn is Turn.ENDS else Why.OWN_ENDED if ended else Why.OWN
            tell_of_hub(connection, kind, now_ns, subject, days, why)
            self._told = True

    def _filled(self, connection: Connection, rows: Rows, now_ns: int) -> None:
        """Tell of each gap that was told and is none any more."""
        for row in connection.execute(open_gaps().where(cameras.c.head_seq >= notices.c.last).limit(_LINES)).all():
            came = select(func.count()).select_from(events).where(events.c.camera == row.camera)
            came = came.where(events.c.seq.between(row.first, row.last), events.c.status.in_((APPENDED, LATE)))
            count = connection.execute(came).scalar_one()
            why = Why.PLACE if count == row.last - row.first + 1 else Why.PARTLY if count else Why.LOST
            mark = filled_mark(row.id)
            self._told |= rows.notice(row.camera, NoticeKind.FILLED, mark, row.first, row.last, now_ns, why)

    def _dropped(self, connection: Connection, rows: Rows, now_ns: int) -> None:
        """Tell of cameras whose newest events say that they had no room: once a day each."""
        said = connection.execute(select(values.c.value).where(values.c.name == _PLACE)).scalar()
        if said is None:
            place = connection.execute(select(func.max(journal.c.place))).scalar() or 0
            put(connection, _PLACE, place.to_bytes(8, "big"))
            return
        query = select(journal.c.place, events.c.camera, events.c.kind, events.c.seq)
        query = query.join(events, events.c.hash == journal.c.event).where(
            journal.c.place > int.from_bytes(said, "big")
        )
        found = connection.execute(query.order_by(journal.c.place).limit(_LINES)).all()
        for row in found:
            if row.kind == EventType.LOSS or (row.kind == EventType.CLIP and _lost(connection, row.camera, row.seq)):
                mark = f"dropped:{row.camera}:{now_ns // DAY_NS}"
                self._told |= rows.notice(row.camera, NoticeKind.DISK, mark, 0, 0, now_ns, Why.DROPPED)
        if found:
            put(connection, _PLACE, found[-1].place.to_bytes(8, "big"))


def disk_of(home: Home) -> tuple[int, int]:
    """Free and all bytes of the disk that the hub's folder is on."""
    found = os.statvfs(home.folder.path)
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def _lost(connection: Connection, camera: int, seq: int) -> bool:
    """Whether the event at that place says that a clip was dropped which isn't here, and which nobody deleted."""
    query = select(vault.c.state).select_from(clips).outerjoin(vault, vault.c.clip == clips.c.clip)
    query = query.where(
        clips.c.camera == camera, clips.c.said == seq, clips.c.state == int(ClipState.EVICTED), ~DELETED
    )
    row = connection.execute(query).first()
    return row is not None and row.state != int(Kept.WHOLE)
