"""What locks the key file: a secret of this unit, so that a copied card alone holds nothing that signs or opens.

The secret is the systemd credential `sealcam-wrap` (32 bytes, made by root once, sealed to the TPM where there is
one). Without it, such as on a developer's machine, a file beside the key file takes its place, and a warning says
what that is worth. What is locked is `keyfile`'s. design/wire.md section 10.2, systemd/README.md.
"""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nacl.bindings
import nacl.exceptions

from sealcam.files import write_whole
from sealcam.wire.errors import SealcamError, StorageError

_log = logging.getLogger(__name__)

CREDENTIAL = "sealcam-wrap"
STORE = Path("/etc/credstore.encrypted") / CREDENTIAL
KEY_BYTES = 32
_BESIDE = "wrap"
_NONCE_BYTES = nacl.bindings.crypto_secretbox_NONCEBYTES


@dataclass(frozen=True, slots=True)
class Wrapping:
    """One 32-byte wrapping key."""

    key: bytes = field(repr=False)

    def lock(self, plain: bytes) -> bytes:
        """`nonce 24 | secretbox` of `plain` (XSalsa20-Poly1305)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + nacl.bindings.crypto_secretbox(plain, nonce, self.key)

    def unlock(self, box: bytes) -> bytes | None:
        """What was locked, or none when it was under another key, or was changed."""
        try:
            return nacl.bindings.crypto_secretbox_open(box[_NONCE_BYTES:], box[:_NONCE_BYTES], self.key)
        except (nacl.exceptions.CryptoError, ValueError):
            return None


def credential(environment: Mapping[str, str], store: Path = STORE) -> Wrapping | None:
    """The key that systemd hands to this unit in `$CREDENTIALS_DIRECTORY`, or none when it has none for it.

    Root, at the command line, takes it from `store`, where systemd has it encrypted.

    Raises:
        SealcamError: it is there, and isn't 32 bytes, or systemd can't decrypt it.
        StorageError: it can't be read.
    """
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if folder:
        return _read(Path(folder) / CREDENTIAL)
    return _decrypted(store) if os.geteuid() == 0 and store.exists() else None


def beside(folder: Path) -> Wrapping | None:
    """The key that lies in `folder`, if one was made there.

    Raises:
        SealcamError: the file isn't 32 bytes.
        StorageError: it can't be read.
    """
    return _read(folder / _BESIDE)


def make_beside(folder: Path) -> Wrapping:
    """A new key in `folder`, with a warning: it lies beside what it locks."""
    made = Wrapping(secrets.token_bytes(KEY_BYTES))
    write_whole(folder / _BESIDE, made.key)
    _log.warning("no credential %s here: the camera's keys are locked with a key that lies beside them", CREDENTIAL)
    return made


def drop_beside(folder: Path) -> None:
    """Remove the key from `folder`, if there is one."""
    (folder / _BESIDE).unlink(missing_ok=True)


def _decrypted(store: Path) -> Wrapping:
    command = ("systemd-creds", "decrypt", f"--name={CREDENTIAL}", str(store), "-")
    hint = "was the card moved to another board? see systemd/README.md, The credential"
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        raise SealcamError(f"can't run systemd-creds: {error.strerror}", hint) from error
    if done.returncode != 0:
        raise SealcamError(f"systemd can't decrypt {store}", hint)
    return _checked(done.stdout, store)


def _read(path: Path) -> Wrapping | None:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"can't read {path}: {error.strerror}") from error
    return _checked(key, path)


def _checked(key: bytes, path: Path) -> Wrapping:
    if len(key) != KEY_BYTES:
        raise SealcamError(
            f"{path} is not a wrapping key of {KEY_BYTES} bytes", "see systemd/README.md, The credential"
        )
    return Wrapping(key)
