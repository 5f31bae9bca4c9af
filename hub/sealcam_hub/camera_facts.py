"""One camera as its own page shows it: keys, storage, health, and what it is asked to be.

Zones, masks and schedule are known here as far as this hub asked for them: a camera doesn't say what it has. What was
asked stands until the camera has answered (`wishes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select

from sealcam.wire.bodies import EventType, Outcome
from sealcam.wire.wishes import CommandType
from sealcam_hub import audit, forgetting
from sealcam_hub.home import Home
from sealcam_hub.notices import REFUSALS
from sealcam_hub.opening import Opener, Stored
from sealcam_hub.tables import cameras, clips, counters, epochs, events, prekeys, vault
from sealcam_hub.views import CameraView
from sealcam_hub.wish_words import outcome_said

MOST_HEALTH = 8
AskState = Literal["nothing", "waits", "sent", "done", "refused"]
_SIGNED = (epochs.c.camera == events.c.camera) & (epochs.c.epoch == events.c.epoch)


@dataclass(frozen=True, slots=True)
class Asked:
    """What this hub asked last in one kind of command, and what became of it; `body` is one of `wire.wishes`."""

    body: object | None = None
    asked_ns: int = 0
    state: AskState = "nothing"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """What a camera said of its own health; wall time in ns."""

    at_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What there is to say of one camera. Key names are hex digits; times wall ns."""

    kid: str
    public: str
    epoch: int
    epoch_since_ns: int
    prekey: int | None
    recipient_set: int | None
    enrolled_ns: int
    cover: bool
    head_seq: int
    clips: int
    clip_bytes: int
    health: tuple[Health, ...]
    left: int = 0  # clips that were deleted here and may still be on it
    refused: tuple[tuple[str, int], ...] = ()  # kinds of `notices.Refusal`, and how many messages of each


@dataclass(frozen=True, slots=True)
class Cameras:
    """The cameras of one hub, for their pages."""

    home: Home

    def view(self, alias: str) -> CameraView | None:
        """One, by its alias, or none."""
        return next((one for one in self.home.ledger().cameras() if one.alias == alias), None)

    def facts(self, alias: str) -> CameraFacts | None:
        """What there is to say of it, or none.

        Raises:
            StorageError: the ledger can't be read.
        """
        with self.home.store.reading() as connection:
            row = connection.execute(select(cameras).where(cameras.c.alias == alias)).one_or_none()
            if row is None:
                return None
            since = select(epochs.c.since_ns).where(epochs.c.camera == row.id, epochs.c.epoch == row.epoch)
            newest = select(func.max(prekeys.c.number)).where(prekeys.c.camera == row.id)
            kept = select(func.count(), func.coalesce(func.sum(vault.c.size), 0)).select_from(vault)
            kept = kept.join(clips, clips.c.clip == vault.c.clip).where(vault.c.camera == row.id, vault.c.size > 0)
            count, size = connection.execute(kept).one()
            told = select(events.c.hash, events.c.arrived_ns, epochs.c.public).join(epochs, _SIGNED)
            told = told.where(events.c.camera == row.id, events.c.kind == int(EventType.HEALTH))
            turned = select(counters.c.kind, counters.c.count).where(counters.c.alias == alias, counters.c.count > 0)
            refused = {str(kind): int(times) for kind, times in connection.execute(turned)}
            rows = connection.execute(told.order_by(events.c.seq.desc()).limit(MOST_HEALTH)).all()
            stored = [Stored(one.hash, one.public, one.arrived_ns) for one in rows]
            said = Opener(self.home.keys.table).facts(connection, stored)
            return CameraFacts(
                kid=row.kid.hex(),
                public=row.public.hex(),
                epoch=row.epoch,
                epoch_since_ns=connection.execute(since).scalar() or row.enrolled_ns,
                prekey=connection.execute(newest).scalar(),
                recipient_set=row.recipient_set,
                enrolled_ns=row.enrolled_ns,
                cover=bool(row.traffic),
                head_seq=row.head_seq,
                clips=int(count),
                clip_bytes=int(size),
                health=tuple(
                    Health(said[one.hash].occurred_ns, said[one.hash].text[0]) for one in rows if said[one.hash].text
                ),
                left=forgetting.left(connection, row.id),
                refused=tuple((kind, refused[kind]) for kind in REFUSALS if kind in refused),
            )

    def asked(self, alias: str) -> dict[CommandType, Asked]:
        """What this hub asked of it last, by kind.

        Raises:
            StorageError: the ledger can't be read.
        """
        found = {}
        for wish in self.home.wishes().list():
            if wish.alias == alias:
                state: AskState = "sent" if wish.sent else "waits"
                why = ""
                if wish.outcome is Outcome.DONE:
                    state = "done"
                elif wish.outcome is not None:
                    state, why = "refused", wish.detail or outcome_said(wish.outcome)
                found[wish.kind] = Asked(wish.body, wish.asked_ns, state, why)
        return found

    def wish(self, alias: str, body: object) -> None:
        """Ask it for what `body`, one of `wire.wishes`, says, in the console's name; see `Wishes.wish`."""
        self.home.wishes().wish(alias, body, audit.CONSOLE)
