"""The recipient's tool: keys to be granted something with, and the opening of a clip that was shared.

Needs no hub. A grant past its date is refused, and what an earlier opening had kept is deleted: a promise of this
tool, not of cryptography. So an opening leaves a small file beside what it wrote, which says what it was. Implements
the recipient's part of design/wire.md section 8.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from sealcam.wire.clip import Progress
from sealcam.wire.errors import ConfigError, EnvelopeError, StorageError
from sealcam.wire.grant import GrantedStatus, granted_content, open_grant, read_grant, verify_granted
from sealcam.wire.keys import KEY_BYTES, BoxKey, check_sealable, fingerprint, key_id
from sealcam.wire.statement_kinds import Grant
from sealcam_hub.newfile import check_new, clip_file, read_file, write_new
from sealcam_hub.ownership import as_caller

MAX_BUNDLE_BYTES = 1 << 18
MAX_KEY_FILE_BYTES = 4096
SECRET = "SEALCAM-RECIPIENT-SECRET-"  # noqa: S105 - a prefix, so that nobody takes it for the public half
_NOTE = "# Whoever has this line opens what you were granted. Keep it to yourself.\n"
_HINT = "ask the recipient for what `sealcam-hub share key` printed"


@dataclass(frozen=True, slots=True)
class Opened:
    """What was opened: the grant, what is signed of it, and how many bytes were written."""

    grant: Grant
    status: GrantedStatus
    size: int


class Expired(EnvelopeError):
    """A grant of this very recipient is past its date; what it had left here is deleted."""

    def __init__(self, deleted: list[Path]) -> None:
        super().__init__()
        self.message = "refused: this grant has expired"
        self.hint = f"deleted here, as was promised: {', '.join(map(str, deleted))}"


def key_name(public: bytes) -> str:
    """The short name of a public key, for comparing: four groups of four hex digits."""
    name = key_id(public).hex()
    return " ".join(name[at : at + 4] for at in range(0, len(name), 4))


def make_key(path: Path) -> BoxKey:
    """A new recipient's key, its secret half in a new file at `path` that only its owner reads.

    Raises:
        StorageError: the file is there already, or can't be written.
    """
    key = BoxKey.generate()
    write_new(path, [f"{_NOTE}{SECRET}{key.secret.hex()}\n".encode()])
    return key


def load_key(path: Path) -> BoxKey:
    """The recipient's key in such a file.

    Raises:
        ConfigError: it isn't one, or can't be read.
    """
    found = re.fullmatch(rf"{SECRET}([0-9a-f]{{64}})", _line(path))
    if found is None:
        raise ConfigError(f"{path} is no recipient's key", "`sealcam-hub share key -o FILE` makes one")
    return BoxKey(bytes.fromhex(found[1]))


def parse_recipient(text: str) -> bytes:
    """A recipient's public key (X25519): 64 hex digits, or the path of a file with them.

    Raises:
        ConfigError: it is neither, or nothing can be sealed to it.
    """
    digits = re.compile(r"[0-9a-fA-F]{64}")
    return _public(text if digits.fullmatch(text) else _line(Path(text)), text)


def read_recipient(text: str) -> bytes:
    """A recipient's public key (X25519) in what somebody pasted, or in the text of a file; never a path.

    Raises:
        ConfigError: it is none, or nothing can be sealed to it.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    secret = next((line for line in lines if line.startswith(SECRET)), None)
    return _public(secret or re.sub(r"[\s:-]", "", "".join(lines)), "this")


def _public(line: str, named: str) -> bytes:
    if line.startswith(SECRET):
        raise ConfigError(f"{named} is a secret key", _HINT)
    if not re.fullmatch(r"[0-9a-fA-F]{64}", line):
        raise ConfigError(f"{named} is no recipient's key", _HINT)
    try:
        check_sealable(bytes.fromhex(line))
    except EnvelopeError as error:
        raise ConfigError("nothing can be sealed to this key", _HINT) from error
    return bytes.fromhex(line)


def open_shared(
    bundle: Path,
    clip: Path,
    key: BoxKey,
    root: bytes,
    output: Path,
    now_ns: int,
    told: Progress | None = None,
) -> Opened:
    """Write what `bundle` grants of `clip` to a new file; `root` is the owner's fingerprint or root public key.

    `now_ns` is the recipient's own wall time; `told` hears how far the check of a whole clip has come.

    A grant past its date is refused, and an earlier opening's file and the bundle are deleted.

    Raises:
        Expired: the grant is past its date.
        EnvelopeError: for every other reason why a grant is refused; nothing is left of what was being written.
        ConfigError: a file can't be read.
        StorageError: the output is there already or can't be written.
    """
    handed = read_file(bundle, MAX_BUNDLE_BYTES)
    named = fingerprint(root) if handed[:KEY_BYTES] == root else root
    grant = read_grant(handed, named, key.public, 0)  # its date is looked at below: there is more to do than refuse
    if now_ns >= grant.expires_ns:
        raise Expired(_forget(bundle, handed, output))
    with clip_file(clip) as source:
        granted = open_grant(grant, source, key)
        status = verify_granted(granted, source, told)
        check_new(output)
        write_new(_marker(output), [json.dumps({"grant": _hash(handed)}).encode()], replace=True)
        size = write_new(output, granted_content(granted, source))
    return Opened(grant, status, size)


@as_caller()
def _forget(bundle: Path, handed: bytes, output: Path) -> list[Path]:
    """Delete what this grant has left here, and return what; never a file that something else has written."""
    marker = _marker(output)
    kept = [bundle]
    try:
        if json.loads(marker.read_bytes()) == {"grant": _hash(handed)}:
            kept += [output, marker]
    except (OSError, ValueError, RecursionError):
        pass  # nothing was opened here
    try:
        for one in kept:
            one.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"the grant has expired, and {one} can't be deleted", "delete it yourself") from error
    return kept


def _marker(output: Path) -> Path:
    return output.with_name(output.name + ".grant")


def _hash(handed: bytes) -> str:
    return hashlib.sha256(handed).hexdigest()


def _line(path: Path) -> str:
    """The one line of a key file that is no remark."""
    try:
        text = read_file(path, MAX_KEY_FILE_BYTES).decode("ascii")
    except UnicodeDecodeError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return lines[0] if len(lines) == 1 else ""
