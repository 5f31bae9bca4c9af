"""Who is at the console: the owner, or a member of the household; pure.

`ACTING` is whom the running request belongs to, for what can't be told by its arguments: which name the audit log
gets, which rooms a page's navigation names. The console sets it for each request; threads that the request starts
inherit it.
"""

from __future__ import annotations

import unicodedata
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from sealcam.wire.errors import ConfigError

MOST_NAME = 40


class Role(StrEnum):
    """What somebody may do; `console.roles` has the table."""

    OWNER = "owner"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in; the owner's id is 0."""

    id: int
    name: str
    role: Role


OWNER = Person(0, "Owner", Role.OWNER)
ACTING: ContextVar[Person | None] = ContextVar("who is at the console", default=None)


@dataclass(frozen=True, slots=True)
class InvitationView:
    """Somebody who was invited and hasn't come yet; until when (wall ns)."""

    id: int
    name: str
    until_ns: int


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """One passkey, for showing: `short` names it in forms, `host` is the name it belongs to; times are wall ns."""

    short: str
    label: str
    host: str
    added_ns: int
    used_ns: int | None


@dataclass(frozen=True, slots=True)
class Passkey:
    """What is kept of a passkey: whose it is, the name it belongs to, its public key (COSE), its counter."""

    person: Person
    credential: bytes
    host: str
    public: bytes
    count: int


def clean(typed: str) -> str:
    """A person's name as it is kept.

    Raises:
        ConfigError: it is empty, too long, holds what can't be seen, or is the owner's.
    """
    name = " ".join(unicodedata.normalize("NFKC", typed).split())
    if not name or len(name) > MOST_NAME or not name.isprintable():
        raise ConfigError("that is no name", f"1 to {MOST_NAME} letters, such as Anna")
    if folded(name) == folded(OWNER.name):
        raise ConfigError("that name is the owner's", "take another one")
    return name


def folded(name: str) -> str:
    """What makes two names the same."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
