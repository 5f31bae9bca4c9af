"""What the owner is asked to sign, as a file that travels to their device, and what comes back.

The request names the next recipient set and the set in force, which the root has signed itself: so the owner's
device tells what would change without believing the hub. Names in it are the hub's word only, key ids are not.
Implements the owner's half of design/wire.md section 6, kinds 1 and 2.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealcam.wire import statement
from sealcam.wire.errors import ConfigError, EnvelopeError
from sealcam.wire.keys import KEY_BYTES, SUITE, OwnerKeys, key_id
from sealcam.wire.statement_kinds import HubCertificate, Recipient, RecipientKind, RecipientSet
from sealcam_hub.lines import plain

MAX_BYTES = 1 << 20
REQUEST, SIGNED, OWNER = "sealcam signing request", "sealcam signed statements", "sealcam owner"


@dataclass(frozen=True, slots=True)
class Request:
    """The next set; the one in force as the root signed it, none for the first; which hubs are to be certified."""

    root: bytes
    before: bytes | None
    after: RecipientSet
    certify: tuple[bytes, ...]
    names: dict[bytes, str]  # what the hub calls other hubs, by operating key

    def text(self) -> str:
        """As a file."""
        recipients = [{"kind": int(one.kind), "public": one.public.hex()} for one in self.after.recipients]
        said = {
            "format": REQUEST,
            "root": self.root.hex(),
            "before": None if self.before is None else self.before.hex(),
            "number": self.after.number,
            "home_hub": self.after.home_hub.hex(),
            "recipients": recipients,
            "certify": [one.hex() for one in self.certify],
            "names": {public.hex(): name for public, name in self.names.items()},
        }
        return json.dumps(said, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class Signed:
    """What the owner signed: the set, and a certificate for each hub that the request named."""

    recipient_set: bytes
    certificates: tuple[bytes, ...]

    def text(self) -> str:
        """As a file."""
        said = {
            "format": SIGNED,
            "recipient_set": self.recipient_set.hex(),
            "certificates": [one.hex() for one in self.certificates],
        }
        return json.dumps(said, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class OwnerFile:
    """The public halves of the owner's keys."""

    root: bytes
    recovery: bytes

    def text(self) -> str:
        """As a file."""
        said = {"format": OWNER, "root": self.root.hex(), "recovery": self.recovery.hex()}
        return json.dumps(said, indent=1) + "\n"


def read_owner(path: Path) -> OwnerFile:
    """The owner's public keys in a file.

    Raises:
        ConfigError: it holds none.
    """
    said = read_json(path, OWNER)
    try:
        return OwnerFile(_key(said["root"]), _key(said["recovery"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, OWNER) from error


def read_request(path: Path) -> Request:
    """The request in a file.

    Raises:
        ConfigError: it isn't one.
    """
    said = read_json(path, REQUEST)
    try:
        recipients = tuple(
            Recipient(kind=RecipientKind(one["kind"]), public=_key(one["public"])) for one in said["recipients"]
        )
        after = RecipientSet(
            number=int(said["number"]), suite=SUITE, home_hub=_key(said["home_hub"]), recipients=recipients
        )
        if not 0 < after.number < 1 << 32:
            raise ValueError("a set's number has 32 bits")
        before = None if said["before"] is None else bytes.fromhex(said["before"])
        certify = tuple(_key(one) for one in said["certify"])
        names = {_key(public): str(name) for public, name in said["names"].items()}
        return Request(_key(said["root"]), before, after, certify, names)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:  # a number may be Infinity
        raise _unreadable(path, REQUEST) from error


def read_signed(path: Path) -> Signed:
    """The signed statements in a file.

    Raises:
        ConfigError: it holds none.
    """
    said = read_json(path, SIGNED)
    try:
        return Signed(bytes.fromhex(said["recipient_set"]), tuple(bytes.fromhex(one) for one in said["certificates"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, SIGNED) from error


def read_json(path: Path, form: str) -> dict[str, Any]:
    """The object in a file that says it is of that form.

    Raises:
        ConfigError: it can't be read, or is another.
    """
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(MAX_BYTES))
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, form) from error
    if not isinstance(said, dict) or said.get("format") != form:
        raise _unreadable(path, form)
    return said


def describe(request: Request) -> str:
    """In plain words what would change.

    Raises:
        ConfigError: the request contradicts itself, or what the root has signed before.
    """
    before = _before(request)
    had = set() if before is None else {one.public for one in before.recipients}
    has = {one.public for one in request.after.recipients}
    number = 0 if before is None else before.number
    if before is not None and request.after.number != number + 1:
        # An older set of the owner's, given for the one in force, would show a hub that was taken out as one to keep.
        hint = "make a new request at the home hub; if it keeps asking so, its set is not the one in force"
        raise ConfigError(f"this request is for set {request.after.number}, but changes set {number}", hint)
    lines = [f"recipient set {request.after.number}" + (f", after {number}" if number else ", the first")]
    for one in request.after.recipients:
        if one.public not in had:
            lines.append(f"  ADDS    {_named(request, one)}: it will open all that is sealed from then on")
        else:
            lines.append(f"  keeps   {_named(request, one)}")
    removed = [one for one in (before.recipients if before else ()) if one.public not in has]
    lines += [f"  REMOVES {_named(request, one)}: what it received before it can still open" for one in removed]
    home = key_id(request.after.home_hub).hex()
    changed = before is not None and before.home_hub != request.after.home_hub
    lines.append(f"  home hub {home}" + (": CHANGES" if changed else ""))
    return "\n".join(lines) + "\n"


def sign(request: Request, owner: OwnerKeys) -> Signed:
    """What the owner signs.

    Raises:
        ConfigError: these words are another owner's, or the set is one that nobody may sign.
    """
    if owner.root.public != request.root:
        raise ConfigError("these words are not of the owner that this request is for", "nothing was signed")
    describe(request)
    recovery = [one.public for one in request.after.recipients if one.kind is RecipientKind.RECOVERY]
    hubs = [one.public for one in request.after.recipients if one.kind is RecipientKind.HUB]
    if recovery != [owner.recovery.public]:
        raise ConfigError("this set doesn't have your words, and yours alone, for recovery", "nothing was signed")
    if not set(request.certify) <= set(hubs):
        raise ConfigError("this request certifies a hub that isn't in its set", "nothing was signed")
    signed = statement.sign(owner.root, request.after)
    try:
        statement.read(signed, owner.root.public, RecipientSet)
    except EnvelopeError as error:
        raise ConfigError("no camera would take this set", "nothing was signed") from error
    number = request.after.number
    certificates = [statement.sign(owner.root, HubCertificate(hub=one, number=number)) for one in request.certify]
    return Signed(signed, tuple(certificates))


def _before(request: Request) -> RecipientSet | None:
    if request.before is None:
        return None
    try:
        return statement.read(request.before, request.root, RecipientSet)
    except EnvelopeError as error:
        raise ConfigError("the set that this request says is in force was not signed by its owner") from error


def _named(request: Request, one: Recipient) -> str:
    if one.kind is RecipientKind.RECOVERY:
        return f"your 24 words ({key_id(one.public).hex()})"
    name = request.names.get(one.public)
    return f"hub {key_id(one.public).hex()}" + (f", which calls itself {plain(name)}" if name else "")


def _key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != KEY_BYTES:
        raise ValueError("a key has 32 bytes")
    return key


def _unreadable(path: Path, form: str) -> ConfigError:
    return ConfigError(f"{path} is no {form}", "was it made by sealcam-hub, and copied whole?")
