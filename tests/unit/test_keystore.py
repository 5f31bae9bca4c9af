"""The camera's keys: what a claim must prove before the camera belongs to anyone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sealcam import claim
from sealcam.keystore import Keystore
from sealcam.wire import statement
from sealcam.wire.errors import EnvelopeError, SealcamError
from sealcam.wire.keys import BoxKey, OwnerKeys, SigningKey, fingerprint, key_id
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import ClaimAnswer, HubCertificate, Prekey, Recipient, RecipientKind, RecipientSet


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
    ) -> Bundle:
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
        return Bundle(root.public, certificate, statement.sign(answer_signer or self.hub, answer))


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


def test_a_set_without_recovery_or_with_another_home_hub_is_refused(tmp_path: Path, owner: Owner) -> None:
    store = Keystore.open_or_create(tmp_path)
    hub, recovery = owner.recipient_set().recipients
    ghost = Recipient(kind=RecipientKind.HUB, public=SigningKey.generate().public)
    for recipients in ((hub,), (ghost, recovery)):
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


def claimed(folder: Path, owner: Owner, **changes: object) -> Keystore:
    store = Keystore.open_or_create(folder, {})
    store.accept(owner.bundle(store.signer.kid, **changes), owner.print)  # type: ignore[arg-type]
    return store


def chosen(owner: Owner, number: int, *hubs: SigningKey, signer: SigningKey | None = None) -> bytes:
    """A recipient set: these hubs, the first of them the home hub, and recovery."""
    recipients = [Recipient(kind=RecipientKind.HUB, public=hub.public) for hub in hubs]
    recipients.append(Recipient(kind=RecipientKind.RECOVERY, public=owner.keys.recovery.public))
    item = owner.recipient_set(number=number, home_hub=hubs[0].public, recipients=tuple(recipients))
    return statement.sign(signer or owner.keys.root, item)


def issued(store: Keystore, hub: SigningKey, number: int, public: bytes) -> bytes:
    return statement.sign(hub, Prekey(camera=store.camera, number=number, public=public))


def test_a_second_hub_has_a_decoy_in_its_place_until_it_gives_a_prekey(tmp_path: Path, owner: Owner) -> None:
    store, second, key = claimed(tmp_path, owner), SigningKey.generate(), BoxKey.generate()
    assert store.take_set(chosen(owner, 2, owner.hub, second))
    recovery = owner.keys.recovery.public
    assert store.recipients() == (owner.prekey.public, None, recovery)
    home, other = store.standing(None)
    assert (home.hub, home.prekey, home.oldest_prekey) == (key_id(owner.hub.public), 1, 1)
    assert (other.hub, other.prekey, other.oldest_prekey) == (key_id(second.public), 0, 0)
    assert store.take_prekey(issued(store, second, 7, key.public))
    again = Keystore.open(tmp_path, {})
    assert again.recipients() == (owner.prekey.public, key.public, recovery)
    assert again.standing(None)[1].prekey == 7
    assert again.taken == 1, "the home hub's numbers are its own"


def test_each_hub_is_told_the_oldest_of_its_own_prekeys_that_is_still_queued_for(tmp_path: Path, owner: Owner) -> None:
    store, second = claimed(tmp_path, owner), SigningKey.generate()
    store.take_set(chosen(owner, 2, owner.hub, second))
    generations = []
    for number in (10, 11, 12):
        store.take_prekey(issued(store, owner.hub, number, BoxKey.generate().public), 1)
        store.take_prekey(issued(store, second, number + 90, BoxKey.generate().public), 1)
        generations.append(store.generation)
    store = Keystore.open(tmp_path, {})
    found = [[one.oldest_prekey for one in store.standing(queued)] for queued in generations]
    assert found == [[10, 100], [11, 101], [12, 102]]
    assert [one.oldest_prekey for one in store.standing(None)] == [12, 102]


def test_the_home_hub_may_change_within_the_set(tmp_path: Path, owner: Owner) -> None:
    store, second = claimed(tmp_path, owner), SigningKey.generate()
    store.take_set(chosen(owner, 2, owner.hub, second))
    store.take_prekey(issued(store, second, 4, owner.prekey.public))
    assert store.take_set(chosen(owner, 3, second, owner.hub))
    store = Keystore.open(tmp_path, {})
    assert store.hub == store.claim.hub == second.public
    assert [one.prekey for one in store.standing(None)] == [4, 1]


def test_only_a_newer_set_by_the_same_owner_is_taken(tmp_path: Path, owner: Owner) -> None:
    store = claimed(tmp_path, owner)
    newer = chosen(owner, 5, owner.hub)
    assert store.take_set(newer)
    assert not store.take_set(newer), "the same again does nothing"
    stranger = make_owner()
    refused = (
        chosen(owner, 4, owner.hub),
        chosen(owner, 5, owner.hub, SigningKey.generate()),
        chosen(owner, 6, owner.hub, signer=owner.hub),
        chosen(stranger, 6, owner.hub),
        newer[:-1],
        b"",
    )
    for message in refused:
        with pytest.raises(EnvelopeError):
            store.take_set(message)
    assert Keystore.open(tmp_path, {}).recipient_set.number == 5


def test_the_prekeys_of_a_hub_that_left_are_forgotten(tmp_path: Path, owner: Owner) -> None:
    store, second = claimed(tmp_path, owner), SigningKey.generate()
    store.take_set(chosen(owner, 2, owner.hub, second))
    old = issued(store, second, 4, BoxKey.generate().public)
    store.take_prekey(old)
    store.take_set(chosen(owner, 3, owner.hub))
    with pytest.raises(EnvelopeError):
        store.take_prekey(old)
    assert old not in [one.statement for one in store.claim.prekeys]
    store.take_set(chosen(owner, 4, owner.hub, second))
    assert store.recipients()[1] is None


def test_a_claim_of_the_same_owner_replaces_the_hub_and_its_prekey(tmp_path: Path, owner: Owner) -> None:
    store = claimed(tmp_path, owner, number=5)
    new = replace(owner, hub=SigningKey.generate(), prekey=BoxKey.generate())
    bundle = new.bundle(store.camera, recipients=new.recipient_set(number=2), number=9)
    store.accept(bundle, owner.print)
    store = Keystore.open(tmp_path, {})
    assert store.hub == new.hub.public
    assert store.recipients() == (new.prekey.public, owner.keys.recovery.public)
    assert [one.hub for one in store.claim.prekeys] == [new.hub.public]
    assert store.taken == 9


def test_no_hub_can_give_a_prekey_of_number_0_or_one_that_leaves_no_room_above_it(tmp_path: Path, owner: Owner) -> None:
    store, key = claimed(tmp_path, owner), BoxKey.generate().public
    for number in (0, 1 << 62, (1 << 64) - 1):
        with pytest.raises(EnvelopeError):
            store.take_prekey(issued(store, owner.hub, number, key))
        with pytest.raises(EnvelopeError):
            store.accept(owner.bundle(store.camera, number=number), owner.print)
    assert store.taken == 1
    assert store.take_prekey(issued(store, owner.hub, (1 << 62) - 1, key))


def test_what_a_hub_that_was_taken_over_has_numbered_spoils_no_other_hubs_claim(tmp_path: Path, owner: Owner) -> None:
    def told() -> int | None:
        return statement.read_claim_request(claim.request(tmp_path)).prekey

    assert told() is None
    store, second = claimed(tmp_path / "eye", owner), SigningKey.generate()
    store.take_set(chosen(owner, 2, owner.hub, second))
    store.take_prekey(issued(store, owner.hub, 5, owner.prekey.public))
    store.take_prekey(issued(store, second, (1 << 62) - 1, owner.prekey.public))
    assert told() == 5
    store.take_prekey(issued(store, owner.hub, (1 << 62) - 1, owner.prekey.public))
    assert told() is None, "the home hub itself was, and the next one must find room"


def test_a_late_claim_answer_does_not_bring_back_an_older_prekey(tmp_path: Path, owner: Owner) -> None:
    store = claimed(tmp_path, owner, number=5)
    newer = BoxKey.generate().public
    store.take_prekey(issued(store, owner.hub, 6, newer))
    store.accept(owner.bundle(store.camera, number=5), owner.print)
    assert store.recipients()[0] == newer


def test_a_hub_that_has_not_known_the_camera_names_it_by_the_key_that_asked(tmp_path: Path, owner: Owner) -> None:
    store = claimed(tmp_path, owner)
    first = store.camera
    store.prepare()
    store.promote()
    assert store.camera == first != store.signer.kid
    store.accept(owner.bundle(first, recipients=owner.recipient_set(number=2), number=2), owner.print)
    assert store.camera == first
    store.accept(owner.bundle(store.signer.kid, recipients=owner.recipient_set(number=3), number=3), owner.print)
    assert Keystore.open(tmp_path, {}).camera == store.signer.kid
