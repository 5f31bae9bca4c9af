"""How well this home is prepared to lose its hub: when it was backed up, when the words were tried, who can open.

Only times are kept, in `values`: the words are made and used on a device of the owner's, and no page takes them.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from sealcam.wire.keys import key_id
from sealcam.wire.statement_kinds import Action, RecipientKind
from sealcam_hub import audit, deletion, deletions_told, recipients, tables
from sealcam_hub.deletions_told import Behind
from sealcam_hub.home import Home
from sealcam_hub.rekey import put

BACKED_UP, TRIED = "backed-up-at", "words-tried-at"  # rows in `values`: wall time, ns
THROWAWAY = "throwaway-words.txt"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who opens what the cameras seal: a key's id in hex, a name where one is known; `behind`: what of the deletions
    another hub hasn't confirmed, where this is the home hub."""

    kid: str
    words: bool
    home: bool
    name: str
    behind: Behind | None = None


@dataclass(frozen=True, slots=True)
class RecoveryState:
    """Wall times in ns, none where it never was; `throwaway`: the words lie in the hub's folder."""

    backed_up_ns: int | None
    tried_ns: int | None
    throwaway: bool
    fingerprint: str
    set_number: int
    recipients: tuple[Recipient, ...]
    deletions_pending: int


def note(connection: Connection, what: str, now_ns: int) -> None:
    """Keep that it was done now, in the caller's writing transaction; `what` is `BACKED_UP` or `TRIED`."""
    put(connection, what, now_ns.to_bytes(8, "big"))


def tried(home: Home, actor: str = audit.OWNER) -> None:
    """Keep that the owner has tried the words.

    Raises:
        StorageError: the ledger can't be written.
    """
    now_ns = home.clock.wall_ns()
    with home.store.writing() as connection:
        note(connection, TRIED, now_ns)
        audit.append(connection, home.keys, now_ns, Action.RECOVERED, actor, "the 24 words were tried; nothing changed")


def state(home: Home) -> RecoveryState:
    """How well it is prepared.

    Raises:
        StorageError: the ledger can't be read.
    """
    keys = home.keys
    with home.store.reading() as connection:
        named = recipients.names(connection)
        times = {
            row.name: int.from_bytes(row.value, "big")
            for row in connection.execute(select(tables.values).where(tables.values.c.name.in_((BACKED_UP, TRIED))))
        }
        pending = deletion.count(connection).pending
        followers = deletions_told.followers(connection, keys)
    found = []
    for one in keys.chosen.recipients:
        kid, own = key_id(one.public).hex(), one.public == keys.operating.public
        words = one.kind is RecipientKind.RECOVERY
        name = "your 24 words" if words else "this hub" if own else named.get(kid, "another hub")
        found.append(Recipient(kid, words, one.public == keys.chosen.home_hub, name, followers.get(kid)))
    return RecoveryState(
        backed_up_ns=times.get(BACKED_UP),
        tried_ns=times.get(TRIED),
        throwaway=(home.folder.path / THROWAWAY).exists(),
        fingerprint=keys.root_fingerprint,
        set_number=keys.set_number,
        recipients=tuple(found),
        deletions_pending=pending,
    )
