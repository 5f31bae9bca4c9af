"""The audit log as bytes: what an entry is called, and whether a log is whole (design/wire.md section 9).

Pure: entries come as a list of statements, oldest first. Who appends, keeps, shows and pins them is left to the hub
(`sealcam_hub.audit`) and to the owner's devices.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sealcam.wire import statement
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import KID_BYTES, key_id
from sealcam.wire.labels import LOG_ENTRY, blake2b
from sealcam.wire.sealed import GENESIS, HASH_BYTES
from sealcam.wire.statement_kinds import LogEntry

_KID = slice(5, 5 + KID_BYTES)


@dataclass(frozen=True, slots=True)
class Head:
    """An entry by its number and hash: the newest of a log, or one that a device has pinned. 0, GENESIS: none yet."""

    number: int
    hash: bytes


NO_ENTRY = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Log:
    """A log that held: its entries, oldest first, the signers' keys beside them, and its head."""

    entries: tuple[LogEntry, ...]
    signers: tuple[bytes, ...]
    head: Head


def entry_hash(entry: bytes) -> bytes:
    """The 32-byte name of an entry: what the next one's `prev` and a grant's `log_prev` say."""
    return blake2b(LOG_ENTRY, entry)


def read_entry(entry: bytes, hubs: Collection[bytes]) -> tuple[LogEntry, bytes]:
    """An entry, and which of the Ed25519 keys `hubs` has signed it.

    Raises:
        EnvelopeError: none of them did, or it doesn't read.
    """
    for public in hubs:
        if key_id(public) == entry[_KID]:  # finds the key; the signature proves it
            return statement.read(entry, public, LogEntry), public
    raise EnvelopeError


def verify_log(entries: Iterable[bytes], hubs: Collection[bytes], pins: Iterable[Head] = ()) -> Log:
    """The log that `entries` are, whole from number 1 on; `hubs` are the operating keys that the root certified.

    `pins` are heads that a device has seen: all must still be in it.

    Raises:
        EnvelopeError: for every reason there is: an entry doesn't read, a number or `prev` doesn't follow, or a
            pinned head isn't there, as in a log that was cut or written anew.
    """
    missing = {(pin.number, pin.hash) for pin in pins} - {(0, GENESIS)}
    read: list[LogEntry] = []
    signers: list[bytes] = []
    head = NO_ENTRY
    for entry in entries:
        item, signer = read_entry(entry, hubs)
        if item.number != head.number + 1 or item.prev != head.hash:
            raise EnvelopeError
        head = Head(item.number, entry_hash(entry))
        missing.discard((head.number, head.hash))
        read.append(item)
        signers.append(signer)
    if missing:
        raise EnvelopeError
    return Log(tuple(read), tuple(signers), head)


def pin_text(pin: Head) -> str:
    """A pinned head as one line: `number:hash`, the hash in hex digits."""
    return f"{pin.number}:{pin.hash.hex()}"


def read_pin(text: str) -> Head:
    """The head in such a line.

    Raises:
        EnvelopeError: it is none.
    """
    number, _, name = text.strip().partition(":")
    try:
        pinned = bytes.fromhex(name)
    except ValueError as error:
        raise EnvelopeError from error
    if not (number.isascii() and number.isdecimal()) or len(number) > 19 or len(pinned) != HASH_BYTES:
        raise EnvelopeError
    return Head(int(number), pinned)
