"""The camera's keys: what a claim must prove before the camera belongs to anyone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sealcam.keystore import Keystore
from sealcam.wire import statement
from sealcam.wire.errors import EnvelopeError, SealcamError
from sealcam.wire.keys import BoxKey, OwnerKeys, SigningKey, fingerprint
from sealcam.wire.statement import (
    ClaimAnswer,
    ClaimBundle,
    HubCertificate,
    Prekey,
    Recipient,
    RecipientKind,
    RecipientSet,
)


@dataclass(frozen=True)
class Owner:
    """An owner with a hub, as a claim needs them."""

    keys: OwnerKeys
    hub: SigningKey
    prekey: BoxKey

    @property
    def print(self) -> bytes:
        return fingerprint(self.keys.root.public)

    def recipient_set(self, **changes: object) -> RecipientSet:
        both = (
            Recipient(kind=RecipientKind.HUB, public=self.hub.public),
            Recipient(kind=RecipientKind.RECOVERY, public=self.keys.recovery.public),
        )
        return replace(RecipientSet(number=1, suite=1, home_hub=self.hub.public, recipients=both), **changes)  # type: ignore[arg-type]

    def bundle(
        self,
        camera: bytes,
        *,
        recipients: RecipientSet | None = None,
        set_signer: SigningKey | None = None,
        certificate_signer: SigningKey | None = None,
        prekey_signer: SigningKey | None = None,
        answer_signer: SigningKey | None = None,
        number: int = 1,
    ) -> ClaimBundle:
        root = self.keys.root
        prekey = Prekey(camera=camera, number=number, public=self.prekey.public)
        answer = ClaimAnswer(
            camera=camera,
            alias="0011223344556677",
            recipient_set=statement.sign(set_signer or root, recipients or self.recipient_set()),
            prekey=statement.sign(prekey_signer or self.hub, prekey),
            certificate=b"cert",
            authority=b"ca",
            host="localhost",
            port=8883,
        )
        certificate = statement.sign(certificate_signer or root, HubCertificate(hub=self.hub.public, number=1))
        return ClaimBundle(root.public, certificate, statement.sign(answer_signer or self.hub, answer))


def make_owner() -> Owner:
    return Owner(OwnerKeys(SigningKey.generate(), BoxKey.generate()), SigningKey.generate(), BoxKey.generate())


@pytest.fixture
def owner() -> Owner:
    return make_owner()


def test_keys_are_made_once_and_read_again(tmp_path: Path) -> None:
    first = Keystore.open_or_create(tmp_path)
    assert Keystore.open_or_create(tmp_path).signer.public == first.signer.public
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600


def test_without_a_claim_there_is_nobody_to_seal_to(tmp_path: Path) -> None:
    with pytest.raises(SealcamError, match="not claimed"):
        Keystore.open_or_create(tmp_path).recipients()


def test_a_claimed_camera_seals_to_the_newest_prekey_and_to_recovery(tmp_path: Path, owner: Owner) -> None:
    store = Keystore.open_or_create(tmp_path)
    store.accept(owner.bundle(store.signer.kid), owner.print)
    again = Keystore.open(tmp_path)
    assert again.recipients() == (owner.prekey.public, owner.keys.recovery.public)
    assert again.recipient_set.number == 1


def test_another_fingerprint_is_refused(tmp_path: Path, owner: Owner) -> None:
    store = Keystore.open_or_create(tmp_path)
    with pytest.raises(EnvelopeError):
        store.accept(owner.bundle(store.signer.kid), bytes(32))


@pytest.mark.parametrize("part", ["set_signer", "certificate_signer", "prekey_signer", "answer_signer"])
def test_a_part_signed_by_somebody_else_is_refused(tmp_path: Path, owner: Owner, part: str) -> None:
    store = Keystore.open_or_create(tmp_path)
    bundle = owner.bundle(store.signer.kid, **{part: SigningKey.generate()})  # type: ignore[arg-type]
    with pytest.raises(EnvelopeError):
        store.accept(bundle, owner.print)


def test_an_answer_for_another_camera_is_refused(tmp_path: Path, owner: Owner) -> None:
    store = Keystore.open_or_create(tmp_path)
    with pytest.raises(EnvelopeError):
        store.accept(owner.bundle(bytes(8)), owner.print)


def test_a_set_without_recovery_or_with_a_ghost_hub_is_refused(tmp_path: Path, owner: Owner) -> None:
    store = Keystore.open_or_create(tmp_path)
    hub, recovery = owner.recipient_set().recipients
    ghost = Recipient(kind=RecipientKind.HUB, public=SigningKey.generate().public)
    for recipients in ((hub,), (hub, recovery, ghost), (ghost, recovery)):
        bundle = owner.bundle(store.signer.kid, recipients=owner.recipient_set(recipients=recipients))
        with pytest.raises(EnvelopeError):
            store.accept(bundle, owner.print)
    suite = owner.bundle(store.signer.kid, recipients=owner.recipient_set(suite=2))
    with pytest.raises(EnvelopeError):
        store.accept(suite, owner.print)


def test_a_claimed_camera_does_not_change_its_owner(tmp_path: Path, owner: Owner) -> None:
    store = Keystore.open_or_create(tmp_path)
    store.accept(owner.bundle(store.signer.kid), owner.print)
    other = make_owner()
    with pytest.raises(SealcamError, match="another owner"):
        store.accept(other.bundle(store.signer.kid), other.print)
    assert Keystore.open(tmp_path).recipients()[0] == owner.prekey.public


def test_a_claim_again_never_brings_back_an_older_recipient_set(tmp_path: Path, owner: Owner) -> None:
    store = Keystore.open_or_create(tmp_path)
    store.accept(owner.bundle(store.signer.kid, recipients=owner.recipient_set(number=3)), owner.print)
    store.accept(owner.bundle(store.signer.kid, recipients=owner.recipient_set(number=3)), owner.print)
    with pytest.raises(EnvelopeError):
        store.accept(owner.bundle(store.signer.kid, recipients=owner.recipient_set(number=2)), owner.print)
    assert Keystore.open(tmp_path).recipient_set.number == 3


def test_only_a_newer_prekey_is_taken(tmp_path: Path, owner: Owner) -> None:
    store = Keystore.open_or_create(tmp_path)
    store.accept(owner.bundle(store.signer.kid, number=5), owner.print)
    newer = BoxKey.generate()

    def prekey(number: int) -> bytes:
        return statement.sign(owner.hub, Prekey(camera=store.signer.kid, number=number, public=newer.public))

    assert not store.take_prekey(prekey(5))
    assert not store.take_prekey(prekey(4))
    assert store.take_prekey(prekey(6))
    assert Keystore.open(tmp_path).recipients()[0] == newer.public


def test_a_prekey_by_another_hub_or_for_another_camera_is_refused(tmp_path: Path, owner: Owner) -> None:
    store = Keystore.open_or_create(tmp_path)
    store.accept(owner.bundle(store.signer.kid), owner.print)
    newer = BoxKey.generate().public
    foreign = statement.sign(SigningKey.generate(), Prekey(camera=store.signer.kid, number=9, public=newer))
    elsewhere = statement.sign(owner.hub, Prekey(camera=bytes(8), number=9, public=newer))
    for message in (foreign, elsewhere):
        with pytest.raises(EnvelopeError):
            store.take_prekey(message)


def test_a_damaged_key_file_is_one_clear_error(tmp_path: Path) -> None:
    Keystore.open_or_create(tmp_path)
    (tmp_path / "keys").write_bytes(b"\xa1")
    with pytest.raises(SealcamError, match="damaged"):
        Keystore.open(tmp_path)
