"""Sees to it that clips which the household doesn't keep aren't kept.

While such a clip comes, `intake` asks and refuses it. What has come before the incident's reports said enough, and the
keys of all of them, `sweep` deletes once the incident is over, at most once an hour: deleting writes the key table
anew and gives each camera concerned its next prekey. design/hub.md, "Intimate moments".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import and_, or_, select

from sealcam_hub import rules
from sealcam_hub.clock import Clock
from sealcam_hub.deletion import Deleter
from sealcam_hub.ledger import Ledger, incident_id
from sealcam_hub.rules import Effect, Rule
from sealcam_hub.rules_ledger import Household, occurrence
from sealcam_hub.tables import MAX_INT, cameras, clips, incidents

HUB = "hub"  # who deletes
EVERY_NS = 3600 * 1_000_000_000
AT_ONCE = 500  # clips that one look is taken at, the newest first: their reports are opened
CALM_NS = 120 * 1_000_000_000  # after the last evidence: an incident whose end never came is over, too


@dataclass(slots=True)
class Keeper:
    """One hub's; `unwanted` may be asked by any thread, `sweep` is for one."""

    household: Household
    ledger: Ledger
    deleter: Deleter
    clock: Clock
    _begun_ns: int | None = field(default=None)  # when the round began
    _place: tuple[int, bytes] | None = field(default=None)  # arrival and clip that it has come to; none: it is over
    _held: list[Rule] = field(default_factory=list)  # the rules that it looks by
    _due: list[bytes] = field(default_factory=list)

    def unwanted(self, incident: str) -> bool:
        """Whether the household doesn't keep the clips of that incident, as far as its reports have told.

        Raises:
            StorageError: the ledger can't be read.
        """
        view = self.ledger.incident(incident)
        return view is not None and Effect.NOT_KEPT in view.effects

    def sweep(self) -> int:
        """Look at some clips, all of them in a round that begins once an hour; delete at its end what isn't kept.

        Call it once a minute. Returns how many clips were deleted.

        Raises:
            StorageError: the disk is full, or another process deletes.
        """
        held = [one.rule for one in self.household.rules() if Effect.NOT_KEPT in one.rule.effects]
        now_ns = self.clock.boot_ns()
        if self._place is not None and held != self._held:  # what was looked at was by other rules
            self._place, self._begun_ns = None, None
        if self._place is None:
            if self._begun_ns is not None and now_ns - self._begun_ns < EVERY_NS:
                return 0
            self._begun_ns, self._place, self._held, self._due = now_ns, (MAX_INT, b""), held, []
        if held and self._look():
            return 0
        if self._due:  # where it can't be done now, the next call does it
            self.deleter.delete_clips(self._due, HUB)
        due, self._place, self._due = self._due, None, []
        return len(due)

    def _look(self) -> bool:
        """Look at the next clips; whether there are more."""
        assert self._place is not None
        of = (clips.c.camera == incidents.c.camera) & (clips.c.incident == incidents.c.incident)
        query = select(clips.c.clip, incidents, cameras.c.alias).join(incidents, of)
        query = query.join(cameras, cameras.c.id == incidents.c.camera).where(clips.c.wrapped.is_not(None))
        arrived, clip = incidents.c.arrived_ns, clips.c.clip
        older = or_(arrived < self._place[0], and_(arrived == self._place[0], clip < self._place[1]))
        with self.household.store.reading() as connection:
            rows = connection.execute(query.where(older).order_by(arrived.desc(), clip.desc()).limit(AT_ONCE)).all()
        for row in rows:
            view = self.ledger.incident(incident_id(row.alias, row.incident))
            over = view is not None and (not view.open or self.clock.wall_ns() - view.ended_ns >= CALM_NS)
            if view is not None and over and Effect.NOT_KEPT in rules.effects(self._held, occurrence(view)):
                self._due.append(row.clip)
        if rows:
            self._place = rows[-1].arrived_ns, rows[-1].clip
        return len(rows) == AT_ONCE
