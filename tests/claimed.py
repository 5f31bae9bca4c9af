"""An owner, a hub's keys and a claimed camera for tests, without a hub process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sealcam.keystore import Keystore
from sealcam.wire import statement
from sealcam.wire.envelope import Opened, open_envelope
from sealcam.wire.keys import BoxKey, OwnerKeys, SigningKey, fingerprint
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import (
    ClaimAnswer,
    HubCertificate,
    Prekey,
    Receipt,
    Recipient,
    RecipientKind,
    RecipientSet,
    Rotation,
)


@dataclass(frozen=True)
class Household:
    """The owner's keys, the hub's operating key and its first prekey, and one claimed camera."""

    owner: OwnerKeys
    hub: SigningKey
    prekey: BoxKey
    camera: Keystore

    def open(self, envelope: bytes) -> Opened:
        return open_envelope(envelope, self.camera.signer.public, [self.prekey], slot=0)

    def receipt(self, envelope: bytes) -> bytes:
        return statement.sign(self.hub, Receipt(envelope_hash=envelope_hash(envelope)))

    def rotation(self, epoch: int, nonce: bytes = b"n" * 32, hub: SigningKey | None = None) -> bytes:
        return statement.sign(hub or self.hub, Rotation(camera=self.camera.camera, epoch=epoch, nonce=nonce))

    def issue(self, number: int, public: bytes, hub: SigningKey | None = None) -> bytes:
        """A prekey of `hub`, or of the home hub."""
        return statement.sign(hub or self.hub, Prekey(camera=self.camera.camera, number=number, public=public))

    def choose(self, number: int, *hubs: SigningKey) -> bytes:
        """A recipient set of the owner's: these hubs, of which the first is the home hub, and recovery."""
        chosen = [Recipient(kind=RecipientKind.HUB, public=hub.public) for hub in hubs]
        recovery = Recipient(kind=RecipientKind.RECOVERY, public=self.owner.recovery.public)
        item = RecipientSet(number=number, suite=1, home_hub=hubs[0].public, recipients=(*chosen, recovery))
        return statement.sign(self.owner.root, item)


def household(folder: Path) -> Household:
    """A claimed camera whose keys lie in `folder`."""
    owner = OwnerKeys(SigningKey.generate(), BoxKey.generate())
    hub, prekey, camera = SigningKey.generate(), BoxKey.generate(), Keystore.open_or_create(folder)
    recipients = RecipientSet(
        number=1,
        suite=1,
        home_hub=hub.public,
        recipients=(
            Recipient(kind=RecipientKind.HUB, public=hub.public),
            Recipient(kind=RecipientKind.RECOVERY, public=owner.recovery.public),
        ),
    )
    answer = ClaimAnswer(
        camera=camera.signer.kid,
        alias="00112233445566ff",
        recipient_set=statement.sign(owner.root, recipients),
        prekey=statement.sign(hub, Prekey(camera=camera.signer.kid, number=1, public=prekey.public)),
        certificate=b"-",
        authority=b"-",
        host="localhost",
        port=8883,
    )
    certificate = statement.sign(owner.root, HubCertificate(hub=hub.public, number=1))
    bundle = Bundle(owner.root.public, certificate, statement.sign(hub, answer))
    camera.accept(bundle, fingerprint(owner.root.public))
    return Household(owner, hub, prekey, camera)
