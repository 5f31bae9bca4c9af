"""The key file: what the eye must not lose, and how it lies on the disk, locked under the unit's wrapping key.

`STATE/eye/keys` is `"SCK1" | nonce 24 | secretbox of CBOR`, written whole or not at all. Leaves to `keystore` what
the keys mean, and to `wrapping` where the wrapping key comes from. An older, unlocked file is taken over and locked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sealcam import wrapping
from sealcam.files import write_whole
from sealcam.generations import Used
from sealcam.wire import schema, statement
from sealcam.wire.errors import ConfigError, EnvelopeError, SealcamError, StorageError
from sealcam.wire.keys import SigningKey, key_id
from sealcam.wire.schema import body, key
from sealcam.wire.statement_kinds import Prekey
from sealcam.wrapping import Wrapping

NAME = "keys"
_MAGIC = b"SCK1"


@body
class Held:
    """The newest prekey of a hub, which is named by its operating key; the statement as it came."""

    hub: bytes = key(1, size=32)
    statement: bytes = key(2)


@body
class Claim:
    """What the owner's hub signed at the claim and since; statements are kept as they came.

    `hub` is the operating key of the home hub. `prekeys` has at most one for each hub of the set.
    """

    root: bytes = key(1, size=32)
    hub: bytes = key(2, size=32)
    recipient_set: bytes = key(3)
    alias: str = key(5)
    prekeys: tuple[Held, ...] = key(6)


@body
class Secrets:
    """The secrets of one epoch: the seed of its Ed25519 key, and the X25519 secret that opens commands."""

    epoch: int = key(1, limit=(1 << 32) - 1)
    seed: bytes = key(2, size=32)
    command: bytes = key(3, size=32)


@body
class Taken:
    """The highest prekey number that was ever taken from a hub, which is named by its key id."""

    hub: bytes = key(1, size=8)
    number: int = key(2)


@body
class Keys:
    """The key file.

    `camera` is the key id that the camera goes by. `next` are the keys of a hand-over that has begun. `reserved` is
    the highest sequence that may have been signed, `taken` the highest prekey number ever taken from each hub.
    `generation` counts changes of who is sealed to, and `used` tells which prekeys each one had. `before` are the
    public keys of epochs that are over, the newest first.
    """

    camera: bytes = key(1, size=8)
    now: Secrets = key(2)
    next: Secrets | None = key(3, default=None)
    claim: Claim | None = key(4, default=None)
    reserved: int = key(5)
    taken: tuple[Taken, ...] = key(6)
    generation: int = key(7)
    used: tuple[Used, ...] = key(8)
    before: tuple[bytes, ...] | None = key(9, size=32, default=None)


class KeyFile:
    """The key file in `folder`, locked under the credential in `environment`, or under a key beside it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._environment = environment
        self._wrap: Wrapping | None = None

    @property
    def wrapping(self) -> Wrapping:
        """What the file is locked under; chosen now where nothing was read or written yet.

        Raises:
            SealcamError: the credential isn't 32 bytes.
            StorageError: it can't be read or made.
        """
        if self._wrap is None:
            self._wrap = self._chosen()
        return self._wrap

    def exists(self) -> bool:
        """Whether there are keys."""
        return self._path.exists()

    def write(self, keys: Keys) -> None:
        """Replace the file; after this the old content is in no file any more, nor what a power cut left of a write.

        Raises:
            StorageError: the disk is full, read-only, or the folder isn't ours; the old file stands.
        """
        write_whole(self._path, _MAGIC + self.wrapping.lock(schema.encode(keys)))
        for left in self._folder.glob(f".{NAME}.*"):
            left.unlink(missing_ok=True)

    def read(self) -> Keys:
        """What is in the file.

        Raises:
            ConfigError: there is none.
            SealcamError: it is damaged, or the wrapping key is missing or another one.
            StorageError: the file can't be read.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError as error:
            raise ConfigError(
                f"this camera has no keys in {self._folder}", "claim it: sealcam-provision claim"
            ) from error
        except OSError as error:
            raise StorageError(f"can't read {self._path}: {error.strerror}") from error
        try:
            if data[: len(_MAGIC)] == _MAGIC:
                return schema.decode(self._unlocked(data[len(_MAGIC) :]), Keys)
            keys = _taken_over(data)
        except EnvelopeError as error:
            raise SealcamError(f"{self._path} is damaged", "restore it, or reset and claim the camera") from error
        self.write(keys)
        return keys

    def _chosen(self) -> Wrapping:
        """The wrapping key for a file that isn't locked yet."""
        chosen = wrapping.credential(self._environment) or wrapping.beside(self._folder)
        return chosen or wrapping.make_beside(self._folder)

    def _unlocked(self, box: bytes) -> bytes:
        """The content of `box`, which afterwards is locked under the credential if there is one."""
        given, beside = wrapping.credential(self._environment), wrapping.beside(self._folder)
        if given is None and beside is None:
            raise SealcamError(
                f"{self._path} is locked, and the credential {wrapping.CREDENTIAL} isn't here",
                "start the eye by its unit, or run this as root: see systemd/README.md, The credential",
            )
        plain = None if given is None else given.unlock(box)
        if plain is None and beside is not None:
            plain = beside.unlock(box)
            if plain is not None and given is not None:  # made before there was a credential
                write_whole(self._path, _MAGIC + given.lock(plain))
        if plain is None:
            raise SealcamError(
                f"{self._path} is damaged, or locked under another credential",
                "was the card moved to another board? then only this frees it: sealcam reset, and claim again",
            )
        if given is not None:
            wrapping.drop_beside(self._folder)
        self._wrap = given or beside
        return plain


@body
class _OldClaim:
    """The claim in a file that is not locked."""

    root: bytes = key(1, size=32)
    hub: bytes = key(2, size=32)
    recipient_set: bytes = key(3)
    prekey: bytes = key(4)
    alias: str = key(5)


@body
class _OldKeys:
    """A file that is not locked."""

    epoch: int = key(1)
    seed: bytes = key(2, size=32)
    command: bytes = key(3, size=32)
    claim: _OldClaim | None = key(4, default=None)


def _taken_over(data: bytes) -> Keys:
    """The keys in an old file. What is queued then names prekeys where it names generations now."""
    old = schema.decode(data, _OldKeys)
    keys = Keys(
        camera=SigningKey(old.seed).kid,
        now=Secrets(epoch=old.epoch, seed=old.seed, command=old.command),
        reserved=0,
        taken=(),
        generation=1,
        used=(),
    )
    if old.claim is None:
        return keys
    hub, number = old.claim.hub, statement.read(old.claim.prekey, old.claim.hub, Prekey).number
    first = Used(generation=0, hub=key_id(hub), number=min(1, number))  # which of the older ones isn't known any more
    return replace(
        keys,
        claim=Claim(
            root=old.claim.root,
            hub=hub,
            recipient_set=old.claim.recipient_set,
            alias=old.claim.alias,
            prekeys=(Held(hub=hub, statement=old.claim.prekey),),
        ),
        taken=(Taken(hub=key_id(hub), number=number),),
        generation=number,
        used=(first, Used(generation=number, hub=key_id(hub), number=number)),
    )
