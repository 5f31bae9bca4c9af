"""The eye's keys and what the claim gave it: whom it belongs to, and to whom it seals (design/wire.md section 2).

One file, `STATE/eye/keys`, written whole or not at all. Leaves to `claim` how the answer came here, and to `wire`
what its bytes mean.
"""

from __future__ import annotations

import hmac
from pathlib import Path

from sealcam.files import write_whole
from sealcam.wire import schema, statement
from sealcam.wire.errors import EnvelopeError, SealcamError, StorageError
from sealcam.wire.keys import BoxKey, SigningKey, fingerprint
from sealcam.wire.schema import body, key
from sealcam.wire.statement import ClaimAnswer, ClaimBundle, HubCertificate, Prekey, RecipientKind, RecipientSet

_NAME = "keys"


@body
class Claim:
    """What the owner's hub signed at the claim; statements are kept as they came."""

    root: bytes = key(1, size=32)
    hub: bytes = key(2, size=32)
    recipient_set: bytes = key(3)
    prekey: bytes = key(4)
    alias: str = key(5)


@body
class Keys:
    """The key file: epoch number, seeds, and the claim once there is one."""

    epoch: int = key(1)
    seed: bytes = key(2, size=32)
    command: bytes = key(3, size=32)
    claim: Claim | None = key(4, optional=True)


class Keystore:
    """The eye's keys in a folder. Not thread-safe: one worker of the eye owns it."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._path = folder / _NAME
        self._set(keys)

    def _set(self, keys: Keys) -> None:
        self._keys = keys
        self.signer = SigningKey(keys.seed)
        self.command = BoxKey(keys.command)
        self._set_statement: RecipientSet | None = None
        self._prekey: Prekey | None = None
        if keys.claim is not None:
            self._set_statement = statement.read(keys.claim.recipient_set, keys.claim.root, RecipientSet)
            self._prekey = statement.read(keys.claim.prekey, keys.claim.hub, Prekey)

    @staticmethod
    def open(folder: Path) -> Keystore:
        """The keys in `folder`.

        Raises:
            SealcamError: there are none yet, or the file is damaged.
            StorageError: the file can't be read.
        """
        try:
            return Keystore(folder, schema.decode((folder / _NAME).read_bytes(), Keys))
        except FileNotFoundError as error:
            raise SealcamError(f"this camera has no keys in {folder}", "claim it: sealcam-provision claim") from error
        except OSError as error:
            raise StorageError(f"can't read {folder / _NAME}: {error.strerror}") from error
        except EnvelopeError as error:
            raise SealcamError(f"{folder / _NAME} is damaged", "restore it, or reset and claim the camera") from error

    @staticmethod
    def open_or_create(folder: Path) -> Keystore:
        """The keys in `folder`, made there the first time."""
        if (folder / _NAME).exists():
            return Keystore.open(folder)
        keys = Keys(epoch=1, seed=SigningKey.generate().seed, command=BoxKey.generate().secret, claim=None)
        store = Keystore(folder, keys)
        store._save(keys)
        return store

    def _save(self, keys: Keys) -> None:
        write_whole(self._path, schema.encode(keys))
        self._set(keys)

    @property
    def epoch(self) -> int:
        """Number of the epoch key."""
        return self._keys.epoch

    @property
    def claim(self) -> Claim:
        """What the claim gave.

        Raises:
            SealcamError: the camera isn't claimed.
        """
        if self._keys.claim is None:
            raise SealcamError("this camera is not claimed: it has nobody to seal to", "run: sealcam-provision claim")
        return self._keys.claim

    @property
    def recipient_set(self) -> RecipientSet:
        """The owner-signed set of who may open."""
        if self._set_statement is None:
            raise SealcamError("this camera is not claimed: it has nobody to seal to", "run: sealcam-provision claim")
        return self._set_statement

    @property
    def prekey(self) -> Prekey:
        """The newest prekey of the home hub."""
        if self._prekey is None:
            raise SealcamError("this camera is not claimed: it has nobody to seal to", "run: sealcam-provision claim")
        return self._prekey

    def recipients(self) -> tuple[bytes, ...]:
        """The X25519 keys to seal to, in the set's order."""
        prekey = self.prekey.public
        return tuple(
            prekey if recipient.kind is RecipientKind.HUB else recipient.public
            for recipient in self.recipient_set.recipients
        )

    def accept(self, bundle: ClaimBundle, root_fingerprint: bytes) -> ClaimAnswer:
        """Belong to the owner whose root key has this fingerprint: check root, hub, set, prekey, and keep them.

        Raises:
            EnvelopeError: any of them doesn't hold.
            SealcamError: the camera belongs to another owner already.
        """
        if not hmac.compare_digest(fingerprint(bundle.root_public), root_fingerprint):
            raise EnvelopeError
        if self._keys.claim is not None and self._keys.claim.root != bundle.root_public:
            raise SealcamError("this camera belongs to another owner", "only a factory reset frees it")
        hub = statement.read(bundle.hub_certificate, bundle.root_public, HubCertificate).hub
        answer = statement.read(bundle.answer, hub, ClaimAnswer)
        recipients = statement.read(answer.recipient_set, bundle.root_public, RecipientSet)
        _check_set(recipients, hub)
        if self._set_statement is not None and recipients.number < self._set_statement.number:
            raise EnvelopeError  # an older set would bring back a recipient whom the owner took out
        prekey = statement.read(answer.prekey, hub, Prekey)
        if answer.camera != self.signer.kid or prekey.camera != self.signer.kid:
            raise EnvelopeError
        claim = Claim(
            root=bundle.root_public,
            hub=hub,
            recipient_set=answer.recipient_set,
            prekey=answer.prekey,
            alias=answer.alias,
        )
        self._save(Keys(epoch=self.epoch, seed=self._keys.seed, command=self._keys.command, claim=claim))
        return answer

    def take_prekey(self, message: bytes) -> bool:
        """Keep a newer prekey of the home hub; false for one that isn't newer.

        Raises:
            EnvelopeError: not a prekey for this camera by its home hub.
        """
        claim = self.claim
        prekey = statement.read(message, claim.hub, Prekey)
        if prekey.camera != self.signer.kid:
            raise EnvelopeError
        if prekey.number <= self.prekey.number:
            return False
        newer = Claim(
            root=claim.root, hub=claim.hub, recipient_set=claim.recipient_set, prekey=message, alias=claim.alias
        )
        self._save(Keys(epoch=self.epoch, seed=self._keys.seed, command=self._keys.command, claim=newer))
        return True


def _check_set(recipients: RecipientSet, hub: bytes) -> None:
    """A set that a camera may seal to: our suite, this home hub in it, and a recovery recipient."""
    hubs = [one.public for one in recipients.recipients if one.kind is RecipientKind.HUB]
    recovery = [one for one in recipients.recipients if one.kind is RecipientKind.RECOVERY]
    if recipients.suite != 1 or recipients.home_hub != hub or hubs != [hub] or not recovery:
        raise EnvelopeError
