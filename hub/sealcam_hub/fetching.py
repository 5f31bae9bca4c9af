"""Asks cameras for clips: by a clip's id or an incident's, merged into the wish that stands, so that none is forgotten.

The wish travels as any (`wishes`); that a clip was asked for stands in the vault, until all of it is here. What was
asked for and doesn't come is asked for again, since a camera that starts again may have forgotten.
design/clips.md, "Vault".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, false, select

from sealcam.wire.errors import ConfigError
from sealcam.wire.wishes import ClipRange, CommandType, FetchWish
from sealcam_hub import audit, forgetting, vault_rows
from sealcam_hub.clock import Clock
from sealcam_hub.tables import cameras, vault
from sealcam_hub.vault import Vault
from sealcam_hub.vault_rows import Kept
from sealcam_hub.views import ClipView
from sealcam_hub.wishes import Wishes

MOST = 256  # clips in one wish: it must fit its envelope
PATIENCE_NS = 900_000_000_000  # without a byte of a clip that was asked for, or since it found no room
AGAIN_AT_ONCE = 16
TRIES = 8  # in one run of the hub: by then the camera has said what there is to say
_CLIP = re.compile(r"[0-9a-f]{32}")
_ASKABLE = ("recording", "camera", "asked", "coming", "stopped", "dropped")
HUB = "hub"  # who asks again


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a request: the clips that their cameras are asked for, and those that can't be or needn't."""

    clips: tuple[ClipView, ...]
    others: tuple[ClipView, ...]


@dataclass(frozen=True, slots=True)
class Fetching:
    """What asks for clips in one hub."""

    vault: Vault
    wishes: Wishes
    clock: Clock

    def forgotten(self) -> None:
        """Go on having cameras delete what was deleted here; call it once a minute.

        Raises:
            StorageError: the ledger can't be written.
        """
        forgetting.go_on(self.vault.store, self.wishes, self.clock.wall_ns())

    def ask(self, names: Sequence[str], actor: str = audit.OWNER) -> Asked:
        """Ask for the clips of these ids, or of the incidents with these ids; repeating it does no harm.

        Raises:
            ConfigError: there is no such clip or incident, or this isn't the home hub.
            StorageError: the ledger can't be written.
        """
        found = {view.id: view for name in names for view in self._named(name)}
        askable = [one for one in found.values() if one.state in _ASKABLE]
        asked = self._ask(askable, actor) if askable else ()
        now = {one.id: self.vault.clip(one.id) or one for one in askable}
        others = tuple(now.get(one.id, one) for one in found.values() if one.id not in asked)
        return Asked(tuple(now[name] for name in asked), others)

    def again(self, tried: Counter[str], room: bool) -> int:
        """Ask again for what was asked for and hasn't come on for a while, and for what found no room if there is
        `room` now; how many clips. `tried` counts by clip how often that was done.

        Raises:
            StorageError: the ledger can't be written.
        """
        if not self.vault.keys.is_home:
            return 0
        before_ns = self.clock.wall_ns() - PATIENCE_NS
        waits = (vault.c.state == int(Kept.COMING)) & (vault.c.asked_ns < before_ns)
        full = vault.c.state == int(Kept.FULL) if room else false()
        of = (waits | full, vault.c.changed_ns < before_ns, cameras.c.silent.is_(False))
        files = self.vault.files
        with self.vault.store.reading() as connection:
            found = vault_rows.shown(connection, files.size, of)
        late = [one for one in found if one.state in _ASKABLE and tried[one.id] < TRIES]
        asked = [one for one in late if files.touched_ns(bytes.fromhex(one.id)) < before_ns][:AGAIN_AT_ONCE]
        if asked:
            tried.update(one.id for one in asked)
            return len(self._ask(asked, HUB))
        return 0

    def _named(self, name: str) -> tuple[ClipView, ...]:
        if not _CLIP.fullmatch(name):
            return self.vault.clips(incident=name)
        view = self.vault.clip(name)
        if view is None:
            raise ConfigError(f"there is no clip {name!r}", "sealcam-hub clip list shows them")
        return (view,)

    def _ask(self, asked: Sequence[ClipView], actor: str) -> tuple[str, ...]:
        """Ask for these, but for what came or was deleted since they were read; the ids of the others."""
        told: list[str] = []
        now_ns = self.clock.wall_ns()
        with self.vault.store.writing() as connection:
            for alias in dict.fromkeys(one.alias for one in asked):
                named = [bytes.fromhex(one.id) for one in asked if one.alias == alias]
                mine = [clip for clip in named if not vault_rows.is_done(connection, clip)]
                if not mine:
                    continue
                camera = connection.execute(select(cameras.c.id).where(cameras.c.alias == alias)).scalar_one()
                self.wishes.put(connection, alias, self._merged(connection, camera, mine), actor)
                for clip in mine:
                    vault_rows.put(connection, camera, clip, Kept.COMING, now_ns, asked_ns=now_ns)
                told += (clip.hex() for clip in mine)
        return tuple(told)

    def _merged(self, connection: Connection, camera: int, mine: Sequence[bytes]) -> FetchWish:
        """What the camera hasn't answered yet, and these; of too many the newest."""
        before = self.wishes.standing(connection, camera, CommandType.FETCH)
        stands = before if isinstance(before, FetchWish) else FetchWish(events=(), clips=())
        kept = tuple(one for one in stands.clips if one.clip not in mine)
        new = tuple(ClipRange(clip=clip) for clip in dict.fromkeys(mine))
        return FetchWish(events=stands.events, clips=(*kept, *new)[-MOST:])
