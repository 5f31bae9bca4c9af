"""The vault as the console sees it: an incident's clips, one of them opened, and the camera asked for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sealcam.wire.errors import ConfigError
from sealcam_hub.audit import CONSOLE
from sealcam_hub.vault import OpenedClip, Vault
from sealcam_hub.views import ClipView


@dataclass(frozen=True, slots=True)
class Clips:
    """The clips of one hub; `ask(ids, actor)` asks cameras for some, as `Fetching.ask` does."""

    vault: Vault
    ask: Callable[[Sequence[str], str], object]

    def clips(self, incident: str) -> tuple[ClipView, ...]:
        """An incident's, by part; none where there is no such incident."""
        try:
            return self.vault.clips(incident=incident)
        except ConfigError:
            return ()

    def clip(self, clip: str) -> ClipView | None:
        """One, or none."""
        return self.vault.clip(clip)

    def open(self, clip: str) -> OpenedClip:
        """One that is here; see `Vault.open`."""
        return self.vault.open(clip)

    def fetch(self, clip: str) -> None:
        """Ask its camera for one, in the console's name; see `Fetching.ask`."""
        self.ask([clip], CONSOLE)
