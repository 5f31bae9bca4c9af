"""What a recipient holds after a clip was shared: four things, as files, made with the product's own code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sealcam.wire import statement
from sealcam.wire.bodies import Run
from sealcam.wire.clip import SCL1, BytesSource, blanked, read_header
from sealcam.wire.grant import make_grant
from sealcam.wire.keys import SigningKey, fingerprint
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import HubCertificate
from sealcam_hub.recipient import make_key
from tests.scl1 import CONTENT_KEY, SIGNER, sealed

ROOT, HUB = SigningKey(b"r" * 32), SigningKey(b"h" * 32)
YEAR_NS = 365 * 24 * 3600 * 10**9
ISSUED_NS = 1_790_000_000 * 10**9
LONG_NS = ISSUED_NS + 100 * YEAR_NS
PURPOSE = "Claim 4711, the <b>window</b>"


@dataclass(frozen=True, slots=True)
class Shared:
    """Where the files are, and the owner's fingerprint."""

    clip: Path
    bundle: Path
    key: Path
    root: str
    plain: bytes


def share(
    folder: Path,
    plain: bytes,
    segments: Sequence[int] | None = None,
    *,
    expires_ns: int = LONG_NS,
    finish: bool = True,
) -> Shared:
    """Seal `plain` as a clip and grant it, or some segments of it, to a new recipient; the rest is blanked."""
    made = sealed(plain, SCL1, finish=finish)
    source = BytesSource(made)
    header = read_header(source, [SIGNER.public])
    key = make_key(folder / "my.key")
    grant = make_grant(
        HUB,
        header,
        CONTENT_KEY,
        recipient=key.public,
        segments=None if segments is None else tuple(Run(first=n, last=n) for n in segments),
        purpose=PURPOSE,
        issued_ns=ISSUED_NS,
        expires_ns=expires_ns,
        log_prev=b"p" * 32,
        signers=[SIGNER.public],
    )
    certificate = statement.sign(ROOT, HubCertificate(hub=HUB.public, number=1))
    (folder / "grant").write_bytes(Bundle(ROOT.public, certificate, grant).pack())
    handed = made if segments is None else b"".join(blanked(source, header, set(segments)))
    (folder / "clip.scl1").write_bytes(handed)
    root = fingerprint(ROOT.public).hex()
    return Shared(folder / "clip.scl1", folder / "grant", folder / "my.key", root, plain)
