"""How the console is reached from another device: nothing here unless the owner turned the LAN on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lan:
    """The console on the LAN: its address, the page that prepares a phone, and what is compared there (hex digits).

    `code` is the page's address as a QR code, an SVG picture.
    """

    address: str
    prepare: str
    fingerprint: str
    code: bytes


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways there are."""

    lan: Lan | None = None

    @property
    def address(self) -> str | None:
        """What an invitation begins with, where the console is reached from elsewhere."""
        return None if self.lan is None else self.lan.address
