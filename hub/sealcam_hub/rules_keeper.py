"""Sees to it that clips which the household doesn't keep aren't kept.

While such a clip comes, `intake` asks and refuses it. What has come before the incident's reports said enough, and the
keys of all of them, `sweep` deletes once the incident is over, at most once an hour: deleting writes the key table
anew and gives each camera concerned its next prekey. design/hub.md, "Intimate moments".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from sealcam_hub import rules
from sealcam_hub.clock import Clock
from sealcam_hub.deletion import Deleter
from sealcam_hub.ledger import Ledger, incident_id
from sealcam_hub.rules import Effect
from sealcam_hub.rules_ledger import Household, occurrence
from sealcam_hub.tables import cameras, clips, incidents

HUB = "hub"  # who deletes
EVERY_NS = 3600 * 1_000_000_000
LATEST = 2000  # clips, the newest; a new rule reaches further back with each sweep that deletes some
CALM_NS = 120 * 1_000_000_000  # after the last evidence: an incident whose end never came is over, too


@dataclass(slots=True)
class Keeper:
    """One hub's; `unwanted` may be asked by any thread, `sweep` is for one."""

    household: Household
    ledger: Ledger
    deleter: Deleter
    clock: Clock
    _swept_ns: int | None = field(default=None)

    def unwanted(self, incident: str) -> bool:
        """Whether the household doesn't keep the clips of that incident, as far as its reports have told.

        Raises:
            StorageError: the ledger can't be read.
        """
        view = self.ledger.incident(incident)
        return view is not None and Effect.NOT_KEPT in view.effects

    def sweep(self) -> int:
        """Delete what isn't kept, if that was an hour ago or more; how many clips.

        Raises:
            StorageError: the disk is full, or another process deletes.
        """
        now_ns = self.clock.boot_ns()
        if self._swept_ns is not None and now_ns - self._swept_ns < EVERY_NS:
            return 0
        self._swept_ns = now_ns
        due = self._due()
        if due:
            self.deleter.delete_clips(due, HUB)
        return len(due)

    def _due(self) -> list[bytes]:
        held = [one.rule for one in self.household.rules() if Effect.NOT_KEPT in one.rule.effects]
        if not held:
            return []
        of = (clips.c.camera == incidents.c.camera) & (clips.c.incident == incidents.c.incident)
        query = select(clips.c.clip, incidents, cameras.c.alias).join(incidents, of)
        query = query.join(cameras, cameras.c.id == incidents.c.camera).where(clips.c.wrapped.is_not(None))
        with self.household.store.reading() as connection:
            rows = connection.execute(query.order_by(incidents.c.arrived_ns.desc()).limit(LATEST)).all()
        due = []
        for row in rows:
            view = self.ledger.incident(incident_id(row.alias, row.incident))
            over = view is not None and (not view.open or self.clock.wall_ns() - view.ended_ns >= CALM_NS)
            if view is not None and over and Effect.NOT_KEPT in rules.effects(held, occurrence(view)):
                due.append(row.clip)
        return due
