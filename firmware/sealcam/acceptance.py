"""What a claim answer must prove before anything of it is kept (design/wire.md section 6.1). Pure.

Which owner the camera has already, and which set and names it holds, is the caller's to compare.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from sealcam.wire import statement
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import fingerprint
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import ClaimAnswer, HubCertificate, Prekey, RecipientKind, RecipientSet

MAX_PREKEY = (1 << 62) - 1  # whatever a hub makes of it by adding is still a number of 63 bits


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer that holds: the home hub's operating key, and what the statements in the answer say."""

    hub: bytes
    answer: ClaimAnswer
    recipients: RecipientSet
    prekey: Prekey


def check_root(bundle: Bundle, root_fingerprint: bytes) -> None:
    """Return if the bundle is by the owner whose root key has this fingerprint.

    Raises:
        EnvelopeError: it isn't.
    """
    if not hmac.compare_digest(fingerprint(bundle.root_public), root_fingerprint):
        raise EnvelopeError


def read(bundle: Bundle) -> Accepted:
    """What the answer in `bundle` says, if its root has certified the hub and signed the set.

    Raises:
        EnvelopeError: a statement doesn't hold, or the hub isn't the home hub of the set, or names two cameras, or
            gives its prekey a number that no camera takes.
    """
    hub = statement.read(bundle.hub_certificate, bundle.root_public, HubCertificate).hub
    answer = statement.read(bundle.answer, hub, ClaimAnswer)
    recipients = statement.read(answer.recipient_set, bundle.root_public, RecipientSet)
    prekey = statement.read(answer.prekey, hub, Prekey)
    if recipients.home_hub != hub or prekey.camera != answer.camera:
        raise EnvelopeError
    check_number(prekey)
    return Accepted(hub, answer, recipients, prekey)


def check_number(prekey: Prekey) -> None:
    """Return if a camera takes prekeys of this number.

    Raises:
        EnvelopeError: it doesn't.
    """
    if not 0 < prekey.number <= MAX_PREKEY:
        raise EnvelopeError


def hubs(recipients: RecipientSet) -> tuple[bytes, ...]:
    """The operating keys of the hubs in a set, in its order."""
    return tuple(one.public for one in recipients.recipients if one.kind is RecipientKind.HUB)
