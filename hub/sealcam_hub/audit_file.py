"""The audit log outside the hub: exported to a file that anybody can check, and pinned on the owner's own device.

An export carries the owner root's public key and the certificates of the hubs that signed entries; it is checked
against the root's fingerprint, which its reader knows by another way. Nothing here needs a hub. Implements
design/wire.md section 9.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sealcam.wire.audit import Head, Log, pin_text, read_pin, verify_log
from sealcam.wire.errors import ConfigError, EnvelopeError, SealcamError
from sealcam.wire.keys import fingerprint
from sealcam_hub.audit import hubs
from sealcam_hub.newfile import read_file, write_new
from sealcam_hub.ownership import as_caller

FORMAT = "sealcam audit log 1"
MAX_FILE_BYTES = 1 << 28  # some 400,000 entries
MAX_PIN_BYTES = 256
BROKEN = "the audit log doesn't hold: an entry was changed, is missing, or what was pinned is no longer in it"
HINT = "keep this log and the pin as they are: one of them was tampered with, or the hub was restored from a backup"


@dataclass(frozen=True, slots=True)
class Exported:
    """A log as it is handed on: root public key, hub certificates, entries, oldest first. Nothing is checked yet."""

    root_public: bytes
    certificates: tuple[bytes, ...]
    entries: tuple[bytes, ...]


def export_text(log: Exported) -> str:
    """The file's text."""
    return json.dumps(
        {
            "format": FORMAT,
            "root": log.root_public.hex(),
            "hub_certificates": [one.hex() for one in log.certificates],
            "entries": [one.hex() for one in log.entries],
        },
        indent=1,
    )


def read_export(data: bytes) -> Exported:
    """What such a file holds.

    Raises:
        EnvelopeError: it is none.
    """
    try:
        told = json.loads(data)
        if told["format"] != FORMAT:
            raise EnvelopeError
        parts = told["hub_certificates"], told["entries"]
        return Exported(bytes.fromhex(told["root"]), *(tuple(bytes.fromhex(one) for one in part) for part in parts))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise EnvelopeError from error


def verify_export(log: Exported, root: bytes, pins: Iterable[Head]) -> Log:
    """The log, if it holds under the owner root that `root` names: its public key or its fingerprint, 32 bytes.

    Raises:
        SealcamError: it doesn't, for whatever reason.
    """
    try:
        if root not in (log.root_public, fingerprint(log.root_public)):
            raise EnvelopeError
        return verify_log(log.entries, hubs(log.root_public, log.certificates), pins)
    except EnvelopeError as error:
        raise SealcamError(BROKEN, HINT) from error


@as_caller()
def load_pin(path: Path) -> Head | None:
    """The head that is pinned in the file at `path`; none when there is no file yet.

    Raises:
        ConfigError: the file is no pin, or can't be read.
    """
    if not os.path.lexists(path):
        return None
    try:
        return read_pin(read_file(path, MAX_PIN_BYTES).decode("ascii"))
    except (EnvelopeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no pin", "it holds one line: a number, a colon, 64 hex digits") from error


def save_pin(path: Path, head: Head) -> None:
    """Pin `head`, the head of a log that held with what was pinned before: so a pin never goes back.

    Raises:
        StorageError: the file can't be written; what was pinned is pinned still.
    """
    write_new(path, [f"{pin_text(head)}\n".encode()], replace=True)
