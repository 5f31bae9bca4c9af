"""What the console's door needs of the hub's people; `sealcam_hub.members` and `members_passkeys` are the real ones.

Every method may block and raise a `StorageError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sealcam_hub.passkeys import Registered
from sealcam_hub.person import InvitationView, Passkey, PasskeyView, Person


class People(Protocol):
    """Members and invitations."""

    def members(self) -> Sequence[Person]:
        """The members, by name."""
        ...

    def named(self, typed: str, /) -> Person | None:
        """The member whom a typed name means, or none."""
        ...

    def mark(self, member: int, /) -> bytes | None:
        """Which passphrase of a member holds, as bytes that tell nothing of it; none where there is no such member."""
        ...

    def matches(self, member: int, typed: str, /) -> bool:
        """Whether this is that member's passphrase; takes its time, also where there is no such member."""
        ...

    def choose(self, member: int, typed: str, /) -> None:
        """Let this be that member's passphrase; a `TooShort` where it isn't one."""
        ...

    def entered(self, person: Person, how: str, /) -> None:
        """An entry in the log: somebody signs in."""
        ...

    def invite(self, name: str, days: int, /) -> str:
        """The token of a new invitation; a `ConfigError` where there can't be one."""
        ...

    def invitations(self) -> Sequence[InvitationView]:
        """Those that are open."""
        ...

    def invited(self, token: str, /) -> InvitationView | None:
        """Whom a token invites, if it still does."""
        ...

    def withdraw(self, invitation: int, /) -> None:
        """Let an invitation be over."""
        ...

    def join(self, token: str, typed: str, /) -> Person:
        """Make whom a token invites a member; a `ConfigError` where that can't be."""
        ...

    def remove(self, member: int, /) -> Person | None:
        """Turn a member out; who it was, if anybody."""
        ...


class Keyring(Protocol):
    """Everybody's passkeys."""

    def handle(self, person: Person, /) -> bytes:
        """What a person's passkeys call them."""
        ...

    def of(self, person: Person, /) -> Sequence[PasskeyView]:
        """A person's."""
        ...

    def credentials(self, person: Person, host: str, /) -> Sequence[bytes]:
        """The ids of a person's for one name."""
        ...

    def find(self, credential: bytes, /) -> Passkey | None:
        """The one with that id, or none."""
        ...

    def add(self, person: Person, host: str, label: str, made: Registered, /) -> None:
        """Keep a new one; a `ConfigError` where that can't be."""
        ...

    def used(self, kept: Passkey, count: int, /) -> bool:
        """Somebody signs in with it; false where that was done already."""
        ...

    def drop(self, person: Person, named: str, /) -> bytes | None:
        """Forget one by its short name; its id, if it was there."""
        ...


@dataclass(frozen=True, slots=True)
class Household:
    """Everybody who may sign in beside the owner, and what they may do it with."""

    people: People
    keyring: Keyring
