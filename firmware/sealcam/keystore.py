"""The eye's keys and what the owner's hub gave it: whom it belongs to, and to whom it seals (design/wire.md 2, 10).

Leaves to `claim` how an answer came here, to `handover` in which order a new epoch begins, to `keyfile` how keys lie
on the disk, and to `wire` what statements mean. Every change is on the disk before it counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from sealcam import acceptance, generations
from sealcam.acceptance import hubs
from sealcam.keyfile import Claim, Held, KeyFile, Keys, Secrets, Taken
from sealcam.wire import statement
from sealcam.wire.bodies import HubPrekey
from sealcam.wire.errors import ConfigError, EnvelopeError, SealcamError
from sealcam.wire.keys import KID_BYTES, BoxKey, SigningKey, key_id
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import ClaimAnswer, Prekey, RecipientKind, RecipientSet, Rotation
from sealcam.wrapping import Wrapping

__all__ = ["Claim", "Keystore"]

MAX_BEFORE = 64  # more than a year of weekly epochs
_KID = slice(5, 5 + KID_BYTES)  # of a statement: who is to be asked whether the signature holds


class Keystore:
    """The eye's keys in a folder. Not thread-safe: `sealing` guards what changes them."""

    signer: SigningKey
    command: BoxKey

    def __init__(self, file: KeyFile, keys: Keys) -> None:
        self._file = file
        self._set(keys)

    def _set(self, keys: Keys) -> None:
        self._keys = keys
        self.signer = SigningKey(keys.now.seed)
        self.command = BoxKey(keys.now.command)
        self._recipient_set: RecipientSet | None = None
        self._prekeys: dict[bytes, Prekey] = {}
        if keys.claim is not None:
            self._recipient_set = statement.read(keys.claim.recipient_set, keys.claim.root, RecipientSet)
            self._prekeys = {one.hub: statement.read(one.statement, one.hub, Prekey) for one in keys.claim.prekeys}

    @staticmethod
    def open(folder: Path, environment: Mapping[str, str] = os.environ) -> Keystore:
        """The keys in `folder`; `environment` says where this unit's credential is.

        Raises:
            SealcamError: there are none yet, the file is damaged, or it can't be unlocked.
            StorageError: the file can't be read.
        """
        file = KeyFile(folder, environment)
        return Keystore(file, file.read())

    @staticmethod
    def open_or_create(folder: Path, environment: Mapping[str, str] = os.environ) -> Keystore:
        """The keys in `folder`, made there the first time."""
        file = KeyFile(folder, environment)
        if file.exists():
            return Keystore(file, file.read())
        first = _new_secrets(epoch=1)
        camera = SigningKey(first.seed).kid
        keys = Keys(camera=camera, now=first, reserved=0, taken=(), generation=0, used=())
        file.write(keys)
        return Keystore(file, keys)

    def _save(self, keys: Keys) -> None:
        self._file.write(keys)
        self._set(keys)

    @property
    def wrapping(self) -> Wrapping:
        """What locks this camera's files (`lockedfile`)."""
        return self._file.wrapping

    @property
    def camera(self) -> bytes:
        """The 8-byte key id that this camera goes by, whatever its epoch."""
        return self._keys.camera

    @property
    def epoch(self) -> int:
        """Number of the epoch key."""
        return self._keys.now.epoch

    @property
    def publics(self) -> tuple[bytes, ...]:
        """The Ed25519 keys that this camera has signed with, the present one first; the oldest are forgotten."""
        return (self.signer.public, *(self._keys.before or ()))

    @property
    def next(self) -> Secrets | None:
        """The keys of a hand-over that has begun."""
        return self._keys.next

    @property
    def reserved(self) -> int:
        """The highest sequence that may have been signed."""
        return self._keys.reserved

    @property
    def taken(self) -> int:
        """The highest prekey number that was ever taken from the home hub; 0 before the first.

        Of each hub by itself: one that was taken over must not spoil the numbers of another.
        """
        if self._keys.claim is None:
            return generations.NONE
        return self._taken().get(key_id(self.hub), generations.NONE)

    def _taken(self) -> dict[bytes, int]:
        return {one.hub: one.number for one in self._keys.taken}

    @property
    def generation(self) -> int:
        """Rises with each change of what is sealed to: what the outbox keeps with each envelope."""
        return self._keys.generation

    @property
    def claim(self) -> Claim:
        """What the owner's hub gave.

        Raises:
            ConfigError: the camera isn't claimed.
        """
        if self._keys.claim is None:
            raise ConfigError("this camera is not claimed: it has nobody to seal to", "run: sealcam-provision claim")
        return self._keys.claim

    @property
    def hub(self) -> bytes:
        """The home hub's operating key: whose receipts, commands and rotations count."""
        return self.claim.hub

    @property
    def recipient_set(self) -> RecipientSet:
        """The owner-signed set of who may open."""
        _ = self.claim
        assert self._recipient_set is not None
        return self._recipient_set

    def recipients(self) -> tuple[bytes | None, ...]:
        """The X25519 keys to seal to, in the set's order; none for a hub that has given no prekey yet."""
        found: list[bytes | None] = []
        for one in self.recipient_set.recipients:
            prekey = self._prekeys.get(one.public)
            found.append(
                one.public if one.kind is RecipientKind.RECOVERY else None if prekey is None else prekey.public
            )
        return tuple(found)

    def standing(self, queued: int | None) -> tuple[HubPrekey, ...]:
        """For each hub of the set, the home hub first: its prekey in use, and the oldest that the queue is sealed to.

        `queued` is the lowest generation in the queue, or none when it is empty.
        """
        found = []
        for hub in sorted(hubs(self.recipient_set), key=lambda one: one != self.hub):
            number = self._prekeys[hub].number if hub in self._prekeys else generations.NONE
            oldest = generations.oldest(self._keys.used, key_id(hub), queued)
            found.append(HubPrekey(hub=key_id(hub), prekey=number, oldest_prekey=oldest))
        return tuple(found)

    def accept(self, bundle: Bundle, root_fingerprint: bytes, queued: int | None = None) -> ClaimAnswer:
        """Belong to the owner whose root key has this fingerprint: check root, hub, set, prekey, and keep them.

        `queued` as in `standing`.

        Raises:
            EnvelopeError: any of them doesn't hold.
            SealcamError: the camera belongs to another owner already.
        """
        acceptance.check_root(bundle, root_fingerprint)
        if self._keys.claim is not None and self._keys.claim.root != bundle.root_public:
            raise SealcamError("this camera belongs to another owner", "only a factory reset frees it")
        found = acceptance.read(bundle)
        hub, answer = found.hub, found.answer
        if self._recipient_set is not None and found.recipients.number < self._recipient_set.number:
            raise EnvelopeError  # an older set would bring back a recipient whom the owner took out
        if answer.camera not in (self.camera, self.signer.kid):
            raise EnvelopeError
        before = () if self._keys.claim is None else self._keys.claim.prekeys
        claim = Claim(
            root=bundle.root_public,
            hub=hub,
            recipient_set=answer.recipient_set,
            alias=answer.alias,
            prekeys=tuple(one for one in before if one.hub in hubs(found.recipients)),
        )
        known = self._prekeys.get(hub)
        if known is None or found.prekey.number > known.number:
            claim = _with_prekey(claim, hub, answer.prekey)
        self._renew(replace(self._keys, camera=answer.camera), claim, queued)
        return answer

    def take_prekey(
        self, message: bytes, queued: int | None = None, may: Callable[[bytes], bool] = lambda _: True
    ) -> bool:
        """Keep a newer prekey of a hub of the set; false for one that isn't newer, or if `may` says no to its hub.

        `queued` as in `standing`.

        Raises:
            EnvelopeError: not a prekey for this camera by one of these hubs, or of a number that no camera takes.
        """
        hub = next((one for one in hubs(self.recipient_set) if key_id(one) == message[_KID]), None)
        if hub is None:
            raise EnvelopeError
        prekey = statement.read(message, hub, Prekey)
        if prekey.camera != self.camera:
            raise EnvelopeError
        acceptance.check_number(prekey)
        known = self._prekeys.get(hub)
        if known is not None and prekey.number <= known.number:
            return False
        if not may(hub):
            return False
        self._renew(self._keys, _with_prekey(self.claim, hub, message), queued)
        return True

    def take_set(self, message: bytes, queued: int | None = None) -> bool:
        """Seal to a newer recipient set of the owner's; false for the one that is held. `queued` as in `standing`.

        Raises:
            EnvelopeError: not a set by the owner that this camera was claimed for, or an older one.
        """
        claim, held = self.claim, self.recipient_set
        newer = statement.read(message, claim.root, RecipientSet)
        if message == claim.recipient_set:
            return False
        if newer.number <= held.number:
            raise EnvelopeError
        prekeys = tuple(one for one in claim.prekeys if one.hub in hubs(newer))
        self._renew(self._keys, replace(claim, hub=newer.home_hub, recipient_set=message, prekeys=prekeys), queued)
        return True

    def _renew(self, keys: Keys, claim: Claim, queued: int | None) -> None:
        """Keep `claim` as what is sealed to from the next generation on."""
        generation = keys.generation + 1
        found = {key_id(one.hub): statement.read(one.statement, one.hub, Prekey).number for one in claim.prekeys}
        used = generations.pruned(generations.changed(keys.used, generation, found), queued, found.keys())
        before = self._taken()
        highest = before | {hub: max(number, before.get(hub, generations.NONE)) for hub, number in found.items()}
        taken = tuple(Taken(hub=hub, number=number) for hub, number in highest.items())
        self._save(replace(keys, claim=claim, generation=generation, used=used, taken=taken))

    def read_rotation(self, message: bytes) -> Rotation | None:
        """The rotation in `message` if it is for the next epoch; none for one that has begun or is further on.

        Raises:
            EnvelopeError: not a rotation for this camera by its home hub.
        """
        rotation = statement.read(message, self.hub, Rotation)
        if rotation.camera != self.camera:
            raise EnvelopeError
        return rotation if rotation.epoch == self.epoch + 1 else None

    def prepare(self) -> Secrets:
        """Make the next epoch's keys and keep them beside the present ones, which go on to count."""
        made = _new_secrets(self.epoch + 1)
        self._save(replace(self._keys, next=made))
        return made

    def promote(self) -> None:
        """From now on only the next epoch's keys count; the present ones are destroyed.

        In memory at once, even if the file can't be written: the hand-over is queued, the old key signs no more.
        """
        assert self._keys.next is not None
        self._set(replace(self._keys, now=self._keys.next, next=None, before=self.publics[:MAX_BEFORE]))
        self._file.write(self._keys)

    def drop_next(self) -> None:
        """Destroy prepared keys that no hand-over has named."""
        if self._keys.next is not None:
            self._save(replace(self._keys, next=None))

    def reserve(self, seq: int) -> None:
        """Sequences up to `seq` may be signed from now on, even if the outbox is lost."""
        if seq > self._keys.reserved:
            self._save(replace(self._keys, reserved=seq))


def _new_secrets(epoch: int) -> Secrets:
    return Secrets(epoch=epoch, seed=SigningKey.generate().seed, command=BoxKey.generate().secret)


def _with_prekey(claim: Claim, hub: bytes, message: bytes) -> Claim:
    others = tuple(one for one in claim.prekeys if one.hub != hub)
    return replace(claim, prekeys=(*others, Held(hub=hub, statement=message)))
