"""The household's page as the hub fills it, and what is done there in the console's name."""

from __future__ import annotations

from dataclasses import dataclass

from sealcam.wire.wishes import ZonesWish
from sealcam_hub import audit, recovery_state
from sealcam_hub.home import Home
from sealcam_hub.recovery_state import RecoveryState
from sealcam_hub.rules import Rule
from sealcam_hub.rules_ledger import KeptRule


@dataclass(frozen=True, slots=True)
class Households:
    """Of one hub."""

    home: Home

    def recovery(self) -> RecoveryState:
        """How well the home is prepared to lose its hub."""
        return recovery_state.state(self.home)

    def tried(self) -> None:
        """The owner says that the words were tried on another device."""
        recovery_state.tried(self.home, audit.CONSOLE)

    def rules(self) -> tuple[KeptRule, ...]:
        """The household's rules."""
        return self.home.household().rules()

    def zones(self) -> tuple[str, ...]:
        """The names of the zones that cameras were asked for here."""
        asked = [one.body for one in self.home.wishes().list() if isinstance(one.body, ZonesWish)]
        return tuple(sorted({zone.name for body in asked for zone in body.zones}))

    def make(self, rule: Rule) -> None:
        """Let one more hold; see `Household.make`."""
        self.home.household().make(rule, audit.CONSOLE)

    def take_back(self, number: int) -> None:
        """End one; see `Household.take_back`."""
        self.home.household().take_back(number, audit.CONSOLE)
