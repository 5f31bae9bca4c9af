"""Changes of who may open: what the owner is asked to sign, and what is done once they did.

Only the owner root signs a recipient set, and it isn't here; so a hub can ask for a set, and keep and hand on one
that is signed, and nothing else. Cameras get the new one with their next beat (`receive`). Implements design/wire.md
section 6, kind 2, and 10.2.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, select

from sealcam.wire import statement
from sealcam.wire.errors import ConfigError, EnvelopeError
from sealcam.wire.keys import key_id
from sealcam.wire.statement_kinds import Action, HubCertificate, Recipient, RecipientKind, RecipientSet
from sealcam_hub import audit, tables
from sealcam_hub.clock import Clock
from sealcam_hub.folder import Folder
from sealcam_hub.keys import SET_ROW, HubKeys
from sealcam_hub.rekey import put
from sealcam_hub.signing import Request, Signed
from sealcam_hub.store import Store

_NAME, _CERTIFICATE = "hub-name/", "hub-certified/"  # rows in `values`, by a hub's key id in hex


def names(connection: Connection) -> dict[str, str]:
    """What other hubs call themselves, by key id in hex."""
    rows = connection.execute(select(tables.values).where(tables.values.c.name.like(f"{_NAME}%")))
    return {row.name.removeprefix(_NAME): row.value.decode() for row in rows}


def remember(connection: Connection, hub: bytes, name: str) -> None:
    """Keep what a hub, by its operating key, calls itself."""
    put(connection, _NAME + key_id(hub).hex(), name[:64].encode())


def certificate(connection: Connection, hub: bytes) -> bytes | None:
    """The certificate that the owner signed for another hub, by its operating key."""
    row = select(tables.values.c.value).where(tables.values.c.name == _CERTIFICATE + key_id(hub).hex())
    return connection.execute(row).scalar()


def add(keys: HubKeys, hub: bytes, name: str) -> Request:
    """A request to add a hub by its operating key.

    Raises:
        ConfigError: it is a recipient already.
    """
    if any(one.public == hub for one in keys.chosen.recipients):
        raise ConfigError(f"hub {key_id(hub).hex()} is in the recipient set already", "sealcam-hub recipients list")
    one = Recipient(kind=RecipientKind.HUB, public=hub)
    after = replace(keys.chosen, recipients=(*keys.chosen.recipients, one))
    return _request(keys, after, (hub,), {hub: name})


def remove(keys: HubKeys, kid: str) -> Request:
    """A request to take a hub out, by its key id in hex.

    Raises:
        ConfigError: it isn't in the set, or is the home hub.
    """
    gone = _named(keys, kid)
    if gone.public == keys.chosen.home_hub:
        raise ConfigError(
            "the home hub can't be taken out", "a home hub is replaced with the words: sealcam-hub recover"
        )
    rest = tuple(one for one in keys.chosen.recipients if one != gone)
    return _request(keys, replace(keys.chosen, recipients=rest), (), {})


def accept(folder: Folder, store: Store, keys: HubKeys, clock: Clock, signed: Signed) -> int:
    """Let what the owner signed be in force, and return the set's number. May be repeated after a crash.

    Raises:
        ConfigError: it is another owner's, not newer, or doesn't have this hub in it in the role that it has.
        StorageError: the disk is full or read-only.
    """
    try:
        chosen = keys.check_set(signed.recipient_set)
        certified = {statement.read(one, keys.root_public, HubCertificate).hub: one for one in signed.certificates}
    except EnvelopeError as error:
        hint = "is it signed with this owner's words, and is this hub in it?"
        raise ConfigError("this recipient set is refused", hint) from error
    with store.reading():  # takes up the set in force
        pass
    if (chosen.says.home_hub == keys.operating.public) != keys.is_home:
        raise ConfigError("this set makes another hub the home hub", "that needs its broker too, and isn't offered yet")
    number, repeated = chosen.says.number, signed.recipient_set == keys.recipient_set
    if number <= keys.set_number and not repeated:
        raise ConfigError(f"set {number} isn't newer than the one in force, {keys.set_number}", "nothing was changed")
    folder.write("keys/recipient-set", signed.recipient_set)
    with store.writing() as connection:
        before = connection.execute(select(tables.values.c.value).where(tables.values.c.name == SET_ROW)).scalar()
        if before == number.to_bytes(4, "big"):
            return number  # a repeat
        put(connection, SET_ROW, number.to_bytes(4, "big"))
        for hub, one in certified.items():
            put(connection, _CERTIFICATE + key_id(hub).hex(), one)
        told = f"set {number} with {len(chosen.says.recipients)} recipients"
        if keys.is_home:
            audit.append(connection, keys, clock.wall_ns(), Action.RECIPIENTS, audit.OWNER, told)
    with store.reading():
        return number


def _request(keys: HubKeys, after: RecipientSet, certify: tuple[bytes, ...], hub_names: dict[bytes, str]) -> Request:
    after = replace(after, number=keys.set_number + 1)
    return Request(keys.root_public, keys.recipient_set, after, certify, hub_names)


def _named(keys: HubKeys, kid: str) -> Recipient:
    found = [
        one
        for one in keys.chosen.recipients
        if one.kind is RecipientKind.HUB and key_id(one.public).hex() == kid.lower()
    ]
    if not found:
        raise ConfigError(f"no hub of the recipient set is called {kid!r}", "sealcam-hub recipients list")
    return found[0]
