"""Deleting as the console sees it: what would go, and that it goes, in the console's name."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from sealcam_hub import audit, deletion
from sealcam_hub.home import Home
from sealcam_hub.tables import grants
from sealcam_hub.views import ClipView, IncidentView


@dataclass(frozen=True, slots=True)
class Doom:
    """What would go: an incident with its clips, or one clip of it; `shared` counts the grants that would end."""

    incident: IncidentView | None
    clip: ClipView | None
    shared: int


@dataclass(frozen=True, slots=True)
class Deletions:
    """What deletes in one hub."""

    home: Home

    def incident(self, incident: str) -> Doom | None:
        """What deleting an incident would take; none where there is none."""
        view = self.home.ledger().incident(incident)
        if view is None:
            return None
        return Doom(view, None, self._shared([one.id for one in view.clips]))

    def clip(self, clip: str) -> Doom | None:
        """What deleting a clip would take; none where there is none, or its key is gone."""
        view = self.home.vault().clip(clip)
        if view is None or view.incident is None or view.state == "deleted":
            return None
        return Doom(self.home.ledger().incident(view.incident), view, self._shared([clip]))

    def delete(self, doom: Doom) -> None:
        """Do it.

        Raises:
            ConfigError: the incident is gone already.
            StorageError: the disk is full, or another process deletes; nothing was done.
        """
        if doom.clip is not None:
            self.home.deleter().delete_clips([bytes.fromhex(doom.clip.id)], audit.CONSOLE)
        elif doom.incident is not None:
            with self.home.store.reading() as connection:
                doomed = deletion.named(connection, [doom.incident.id])
            self.home.deleter().delete(doomed, actor=audit.CONSOLE)

    def _shared(self, clips: list[str]) -> int:
        named = grants.c.clip.in_([bytes.fromhex(one) for one in clips]), grants.c.revoked_ns.is_(None)
        with self.home.store.reading() as connection:
            return connection.execute(select(func.count()).select_from(grants).where(*named)).scalar_one()
