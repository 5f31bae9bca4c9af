"""What things are called at the broker and in Home Assistant. Pure. design/hub.md, "Home Assistant"."""

from __future__ import annotations

import re
from dataclasses import dataclass

BASE = "sealcam-home"
DISCOVERY = "homeassistant"
STATUS = f"{DISCOVERY}/status"
HUB = "hub"  # stands in an alias's place for the hub's own device
ACTOR = "Home Assistant"  # in the audit log
_ALIAS = r"[0-9a-f]{16}|hub"


def commanded(topic: str) -> str | None:
    """To which camera a hub speaks on this topic; none where it is no such one."""
    found = re.fullmatch(r"sealcam/([0-9a-f]{16})/cmd", topic)
    return found[1] if found else None


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one owner's things; `owner` is the beginning of the fingerprint, 8 hex digits."""

    owner: str

    @property
    def available(self) -> str:
        """Says whether the bridge is there."""
        return f"{BASE}/{self.owner}/available"

    @property
    def heard(self) -> tuple[str, ...]:
        """What the bridge listens to: its own retained topics, and commands. No event's: whether anybody listens
        there, the broker says by whether somebody else does."""
        return f"{BASE}/{self.owner}/available", f"{BASE}/{self.owner}/+/+", f"{BASE}/{self.owner}/+/+/set"

    def topic(self, alias: str, what: str) -> str:
        """Where a state of a camera, or of `HUB`, stands."""
        return f"{BASE}/{self.owner}/{alias}/{what}"

    def event(self, alias: str, what: str) -> str:
        """Where what happened is told."""
        return f"{self.topic(alias, what)}/event"

    def command(self, alias: str, what: str) -> str:
        """Where a command to a camera is written."""
        return f"{self.topic(alias, what)}/set"

    def device(self, alias: str) -> str:
        """The id of a device."""
        return f"sealcam-{self.owner}-{alias}"

    def config(self, alias: str) -> str:
        """Where a device is announced."""
        return f"{DISCOVERY}/device/{self.device(alias)}/config"

    def asked(self, topic: str) -> tuple[str, str] | None:
        """Alias and control of a command's topic; none where it is no command's."""
        found = re.fullmatch(rf"{BASE}/{self.owner}/([^/]+)/([^/]+)/set", topic)
        return (found[1], found[2]) if found else None

    def mine(self, topic: str) -> bool:
        """Whether what is retained there can only be this bridge's."""
        config = rf"{DISCOVERY}/device/sealcam-{self.owner}-({_ALIAS})/config"
        state = rf"{BASE}/{self.owner}/(available|({_ALIAS})/[a-z_]+)"
        return re.fullmatch(f"{config}|{state}", topic) is not None
