"""Keys: derivation, names, and the keys that must never be used (design/wire.md section 2)."""

from __future__ import annotations

import nacl.bindings
import pytest

from sealcam.wire import labels
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import (
    BoxKey,
    OwnerKeys,
    SigningKey,
    check_sealable,
    fingerprint,
    key_id,
    seal_slot,
    verify,
)

FIELD = 2**255 - 19
ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
LOW_ORDER_X25519 = [n.to_bytes(32, "little") for n in (0, 1, FIELD - 1, FIELD, FIELD + 1, *ORDER_8)]
LOW_ORDER_ED25519 = [
    (y | sign << 255).to_bytes(32, "little")
    for sign in (0, 1)
    for y in (
        0,
        1,
        FIELD - 1,
        FIELD,
        FIELD + 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    )
]


def test_the_words_give_the_keys_that_the_specification_says() -> None:
    owner = OwnerKeys.from_seed(bytes(range(64)))
    assert owner.root.public.hex() == "b213578b94aa7086c66ef2c7127435dfcaffead45c5bdbfa8acae491f9f64c4d"
    assert owner.recovery.public.hex() == "6f18aa1cefab95fc5c67620b9501553b0d6fd2c90d16a5836d83cfc1c5bc0b12"
    assert owner.root.kid.hex() == "a70a59460529589d"
    assert fingerprint(owner.root.public).hex() == "94e9fca8136ae9c3d290a8fbc1bffa24110efd074e653ab802f17bc224b6eb08"
    assert owner.root.seed != owner.recovery.secret


@pytest.mark.parametrize("size", [0, 32, 63, 65])
def test_a_seed_of_another_length_is_a_mistake(size: int) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        OwnerKeys.from_seed(bytes(size))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_secret_of_another_length_is_a_mistake(size: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        SigningKey(bytes(size))
    with pytest.raises(ValueError, match=r"."):
        BoxKey(bytes(size))


def test_no_key_shows_its_secret() -> None:
    signing, box = SigningKey(b"\xabsecret" * 4 + b"1234"), BoxKey(b"\xabsecret" * 4 + b"1234")
    owner = OwnerKeys(signing, box)
    for shown in (repr(signing), repr(box), repr(owner), str(owner), f"{owner}"):
        assert "secret" not in shown
        assert signing.seed.hex() not in shown
    assert repr(signing) == f"SigningKey({signing.kid.hex()})"


def test_keys_are_equal_by_their_secret() -> None:
    assert SigningKey(b"a" * 32) == SigningKey(b"a" * 32) != SigningKey(b"b" * 32)
    assert len({BoxKey(b"a" * 32), BoxKey(b"a" * 32), BoxKey(b"b" * 32)}) == 2


def test_a_signature_holds_for_its_key_label_and_bytes_alone() -> None:
    key, other = SigningKey(b"a" * 32), SigningKey(b"b" * 32)
    signature = key.sign("sealcam/one", b"mess", b"age")
    verify(key.public, signature, "sealcam/one", b"message")
    for public, label, message in (
        (other.public, "sealcam/one", b"message"),
        (key.public, "sealcam/two", b"message"),
        (key.public, "sealcam/on", b"emessage"),
        (key.public, "sealcam/one", b"messagE"),
    ):
        with pytest.raises(EnvelopeError):
            verify(public, signature, label, message)


@pytest.mark.parametrize("size", [0, 31, 33, 63, 65])
def test_a_key_or_signature_of_another_length_is_refused(size: int) -> None:
    key = SigningKey(b"a" * 32)
    with pytest.raises(EnvelopeError):
        verify(bytes(size), key.sign("label"), "label")
    with pytest.raises(EnvelopeError):
        verify(key.public, bytes(size), "label")
    with pytest.raises(EnvelopeError):
        seal_slot(bytes(size), bytes(32))


@pytest.mark.parametrize("public", LOW_ORDER_ED25519, ids=bytes.hex)
def test_a_low_order_signers_key_verifies_nothing(public: bytes) -> None:
    for r in (public, (1).to_bytes(32, "little")):
        with pytest.raises(EnvelopeError):
            verify(public, r + bytes(32), "label")


@pytest.mark.parametrize("public", LOW_ORDER_X25519, ids=bytes.hex)
def test_nothing_is_sealed_to_a_low_order_key(public: bytes) -> None:
    with pytest.raises(EnvelopeError):
        seal_slot(public, bytes(32))
    with pytest.raises(EnvelopeError):
        check_sealable(public)


def test_nothing_is_sealed_to_a_key_that_nobody_could_open() -> None:
    key = BoxKey(b"a" * 32)
    check_sealable(key.public)
    with pytest.raises(EnvelopeError):
        seal_slot(key.public[:31] + bytes([key.public[31] | 0x80]), bytes(32))
    for number in (FIELD + 2, FIELD + 9, 2**255 - 1):
        with pytest.raises(EnvelopeError):
            seal_slot(number.to_bytes(32, "little"), bytes(32))


@pytest.mark.parametrize("ephemeral", LOW_ORDER_X25519, ids=bytes.hex)
def test_a_slot_with_a_low_order_ephemeral_key_is_somebody_elses(ephemeral: bytes) -> None:
    assert BoxKey(b"a" * 32).open(ephemeral + bytes(48)) is None


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_slot_of_another_length_is_refused_though_it_opens(size: int) -> None:
    key = BoxKey(b"a" * 32)
    assert key.open(nacl.bindings.crypto_box_seal(bytes(size), key.public)) is None
    assert key.open(bytes(size)) is None


def test_a_label_cannot_be_continued_into_the_message() -> None:
    assert labels.blake2b("ab", b"c") != labels.blake2b("a", b"bc") != labels.blake2b("abc")
    assert labels.blake2b("a", b"b", b"c") == labels.blake2b("a", b"bc")


def test_a_short_hash_is_no_prefix_of_a_long_one() -> None:
    public = SigningKey(b"a" * 32).public
    assert not labels.blake2b(labels.KEY_ID, public).startswith(key_id(public))


def test_every_label_is_its_own() -> None:
    found = [value for name, value in vars(labels).items() if name.isupper()]
    assert len(set(found)) == len(found) == 24
    assert all(value.isascii() and len(value) < 256 for value in found)
    assert not any(one != labels.STATEMENT and one.startswith(labels.STATEMENT) for one in found)
