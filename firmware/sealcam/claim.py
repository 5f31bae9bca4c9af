"""`sealcam claim request` and `accept`: the camera's half of a claim on one machine (design/pipeline.md, Claim).

The request goes out on standard output, the answer comes in on standard input, so that no key or secret is ever in
an argument. The post's TLS key is made here and never leaves its folder; the eye's signature over the certificate
request binds it to this camera.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sealcam import config
from sealcam.files import write_whole
from sealcam.keystore import Keystore
from sealcam.outbox import Outbox
from sealcam.wire import statement
from sealcam.wire.errors import ConfigError, SealcamError
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import ClaimRequest

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

_MAX_ANSWER_BYTES = 1 << 18
MAX_TOLD = 1 << 61  # no honest hub's prekeys come so far; a new hub must have room above what it is told


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("claim", help="give the camera to its owner")
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    request = steps.add_parser("request", help="make the camera's keys, once, and print a claim request")
    accept = steps.add_parser("accept", help="read the hub's answer and belong to its owner")
    accept.add_argument("--fingerprint", required=True, metavar="HEX", help="of the owner root: 64 hex digits")
    for step in (request, accept):
        step.add_argument("--config", type=Path, metavar="FILE", help=f"default {config.DEFAULT_PATH}")


def run(options: argparse.Namespace) -> int:
    """Do one step; the exit code."""
    state = config.load(options.config).paths.state
    if options.step == "request":
        sys.stdout.buffer.write(request(state))
    else:
        accept(state, sys.stdin.buffer.read(_MAX_ANSWER_BYTES), _fingerprint(options.fingerprint))
    return 0


def _fingerprint(text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise ConfigError("--fingerprint takes 64 hex digits", "the hub prints it: sealcam-hub status")
    return value


def request(state: Path) -> bytes:
    """The claim request of the camera in `state`: `public 32 | statement`; keys are made the first time."""
    keys = Keystore.open_or_create(state / "eye")
    tls = _tls_key(state / "post" / "tls.key")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sealcam")])  # the hub gives it the alias
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(tls, hashes.SHA256())
    item = ClaimRequest(
        epoch=keys.epoch,
        public=keys.signer.public,
        command=keys.command.public,
        csr=csr.public_bytes(serialization.Encoding.DER),
        prekey=keys.taken if 0 < keys.taken <= MAX_TOLD else None,
    )
    return keys.signer.public + statement.sign(keys.signer, item)


def _tls_key(path: Path) -> ec.EllipticCurvePrivateKey:
    if path.exists():
        found = serialization.load_pem_private_key(path.read_bytes(), None)
        if isinstance(found, ec.EllipticCurvePrivateKey):
            return found
        raise SealcamError(f"{path} is not a P-256 key", "remove it, and claim again")
    made = ec.generate_private_key(ec.SECP256R1())
    pem = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_whole(path, pem)
    return made


def accept(state: Path, answer_bytes: bytes, fingerprint: bytes) -> None:
    """Check the hub's answer and keep it: the eye's part with the eye, the post's with the post.

    Raises:
        EnvelopeError: the answer isn't by a hub that this owner certified, or not for this camera.
        SealcamError: the camera has another owner.
        StorageError: the eye is running: it would write its own keys over these.
    """
    with _alone(state / "eye" / "outbox.db") as queued:
        answer = Keystore.open(state / "eye").accept(Bundle.unpack(answer_bytes), fingerprint, queued)
    post = state / "post"
    write_whole(post / "tls.pem", answer.certificate)
    write_whole(post / "ca.pem", answer.authority)
    text = f'alias = "{answer.alias}"\nhost = "{_plain(answer.host)}"\nport = {answer.port}\n'
    write_whole(post / "post.toml", text.encode())


@contextmanager
def _alone(outbox: Path) -> Iterator[int | None]:
    """Keep the eye from running meanwhile: it opens its outbox alone. Yields the lowest generation in the queue."""
    if not outbox.exists():  # the eye has never run
        yield None
        return
    held = Outbox(outbox, max_bytes=1 << 62)
    try:
        yield held.stats().oldest_prekey
    finally:
        held.close()


def _plain(host: str) -> str:
    """A host name or address as it may stand in quotes."""
    if not host or not all(letter.isalnum() or letter in ".:-_[]" for letter in host):
        raise SealcamError(f"the hub's answer names no usable broker host: {host!r}")
    return host
