"""What holds for all envelopes, bodies and statements, and for every way of making a wrong one."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sealcam.wire import bodies, cbor, schema, statement, statement_kinds, wishes
from sealcam.wire.envelope import SCM1, open_envelope, open_with_content_key, padded_size, seal
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, SigningKey
from sealcam.wire.sealed import GENESIS, in_chain
from tests.vectors import independent
from tests.vectors.builder import Recipe, Signer, draw, pad

U64 = st.integers(0, 2**64 - 1)
U32 = st.integers(0, 2**32 - 1)
SIGNER = SigningKey(b"s" * 32)
KEYS = [BoxKey(bytes([n]) * 32) for n in range(1, 17)]
BODIES = [
    bodies.IncidentBody,
    bodies.LossBody,
    bodies.HealthBody,
    bodies.EpochBody,
    bodies.AnswerBody,
    bodies.PieceBody,
    bodies.ClipBody,
    bodies.FarewellBody,
    bodies.PrivacyBody,
    bodies.BeatBody,
    bodies.CoverBody,
    bodies.WillBody,
    wishes.ArmBody,
    wishes.PrivacyWish,
    wishes.LiveWish,
    wishes.FetchWish,
    wishes.ZonesWish,
    wishes.MasksWish,
    wishes.ScheduleWish,
    wishes.MarksWish,
    wishes.ModelWish,
    wishes.TokenWish,
    statement_kinds.HubCertificate,
    statement_kinds.Receipt,
    statement_kinds.ClaimAnswer,
    statement_kinds.RecipientSet,
    statement_kinds.Prekey,
    statement_kinds.ClaimRequest,
    statement_kinds.Rotation,
    statement_kinds.Grant,
    statement_kinds.LogEntry,
    statement_kinds.TechnicianToken,
    statement_kinds.Ask,
]
UNRULED = (statement_kinds.HubCertificate, statement_kinds.Receipt, statement_kinds.ClaimAnswer)
moderately = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def values_of(hint: Any, metadata: Any) -> st.SearchStrategy[Any]:
    """Everything that a field may hold."""
    if isinstance(hint, types.UnionType):
        return st.none() | values_of(next(arm for arm in hint.__args__ if arm is not type(None)), metadata)
    if typing.get_origin(hint) is tuple:
        return st.lists(values_of(typing.get_args(hint)[0], metadata), max_size=4).map(tuple)
    if dataclasses.is_dataclass(hint):
        return items(typing.cast(type, hint))
    if issubclass(hint, enum.IntEnum):
        return st.sampled_from(list(hint))
    if hint is bool:
        return st.booleans()
    if hint is bytes:
        size = metadata["size"]
        return st.binary(min_size=size or 0, max_size=size or 300)
    return st.text(max_size=80) if hint is str else st.integers(0, metadata["limit"] or 2**64 - 1)


def items(cls: type) -> st.SearchStrategy[Any]:
    """Every body of a type."""
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)
    return st.builds(cls, **{field.name: values_of(hints[field.name], field.metadata) for field in fields})


cbor_values: st.SearchStrategy[Any] = st.recursive(
    U64 | st.binary(max_size=40) | st.text(max_size=20) | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(U64, inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("cls", BODIES, ids=lambda cls: cls.__name__)
def test_every_body_comes_back(cls: type) -> None:
    @moderately
    @given(items(cls))
    def check(item: Any) -> None:
        data = schema.encode(item)
        assert schema.decode(data, cls) == item
        assert cbor2.loads(data) == cbor.decode(data)

    check()


@moderately
@given(st.sampled_from(UNRULED).flatmap(items), st.binary(min_size=32, max_size=32))
def test_every_statement_comes_back(item: Any, seed: bytes) -> None:
    signer = SigningKey(seed)
    assert statement.read(statement.sign(signer, item), signer.public, type(item)) == item


@moderately
@given(
    body=st.dictionaries(U64, cbor_values, max_size=4),
    kind=st.integers(0, 255),
    seq=st.integers(1, 2**64 - 1),
    prev=st.binary(min_size=32, max_size=32),
    epoch=U32,
    recipient_set=U32,
    recipients=st.integers(1, 16),
    data=st.data(),
)
def test_every_envelope_comes_back_for_each_recipient(
    body: dict[int, Any],
    kind: int,
    seq: int,
    prev: bytes,
    epoch: int,
    recipient_set: int,
    recipients: int,
    data: st.DataObject,
) -> None:
    try:
        encoded = cbor.encode(body)
    except ValueError:  # nested too deep
        assume(False)
        return
    prev = prev if in_chain(kind) else GENESIS
    publics = [key.public for key in KEYS[:recipients]]
    envelope = seal(
        SIGNER,
        publics,
        kind=kind,
        seq=seq,
        prev=prev,
        body=encoded,
        epoch=epoch,
        recipient_set=recipient_set,
    )
    at = data.draw(st.integers(0, recipients - 1))
    opened = open_envelope(envelope, SIGNER.public, [KEYS[at]], slot=at)
    assert (opened.kind, opened.seq, opened.prev, opened.body) == (kind, seq, prev, encoded)
    assert (opened.header.epoch, opened.header.recipient_set) == (epoch, recipient_set)
    assert open_with_content_key(envelope, SIGNER.public, opened.content_key) == opened
    event = independent.open_sev1(envelope, SIGNER.public, [KEYS[at].secret])
    assert (event.type, event.seq, event.prev, event.body) == (kind, seq, prev, encoded)


@moderately
@given(kind=st.integers(0, 255), seq=U64, nonce=st.binary(min_size=32, max_size=32))
def test_every_command_comes_back(kind: int, seq: int, nonce: bytes) -> None:
    envelope = seal(
        SIGNER,
        [KEYS[0].public],
        kind=kind,
        seq=seq,
        prev=nonce,
        body=b"\xa0",
        epoch=1,
        recipient_set=1,
        form=SCM1,
    )
    opened = open_envelope(envelope, SIGNER.public, [KEYS[0]], form=SCM1)
    assert (opened.kind, opened.seq, opened.prev) == (kind, seq, nonce)


@settings(max_examples=300, deadline=None)
@given(cbor_values, st.data())
def test_there_is_one_encoding_of_a_value(value: Any, data: st.DataObject) -> None:
    try:
        encoded = bytearray(cbor.encode({1: value}))
    except ValueError:
        assume(False)
        return
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(encoded) - 1))
        if data.draw(st.booleans()):
            encoded[at] = data.draw(st.integers(0, 255))
        else:
            encoded.insert(at, data.draw(st.integers(0, 255)))
    _agree_on(bytes(encoded))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=24).map(lambda tail: b"\xa1\x01" + tail) | st.binary(max_size=30))
def test_bytes_are_refused_or_are_the_one_encoding_of_what_they_say(data: bytes) -> None:
    _agree_on(data)


def _agree_on(data: bytes) -> None:
    """Our decoder, the independent checker, and cbor2 wherever ours accepts."""
    try:
        independent.check_cbor(data)
        fits = True
    except independent.RefusedError:
        fits = False
    try:
        value = cbor.decode(data)
    except EnvelopeError:
        assert not fits
        return
    assert fits
    assert cbor.encode(value) == data
    assert cbor2.loads(data) == value


@moderately
@given(st.integers(1, 1 << 20))
def test_padding_follows_the_specification(size: int) -> None:
    assert size <= padded_size(size) == independent.padded_size(size)


HOSTILE_SIGNER = Signer(draw("hostile signer"))
HOSTILE = Recipe("hostile", HOSTILE_SIGNER, tuple(draw(f"hostile {n}") for n in range(3)), seq=3, prev=b"p" * 32)
changes = st.fixed_dictionaries(
    {},
    optional={
        "type": st.integers(0, 255),
        "seq": st.sampled_from([0, 1, 2**64 - 1]),
        "prev": st.sampled_from([GENESIS, b"q" * 32]),
        "body": st.binary(max_size=12) | st.just(b"\xa1\x01\x02"),
        "suite": st.integers(0, 3),
        "nslots": st.sampled_from([0, 3, 4, 8, 255]),
        "slots": st.sampled_from([3, 4, 8, 16]),
        "magic": st.sampled_from([b"SEV1", b"SCM1", b"SGN1"]),
        "form": st.sampled_from(["sev1", "scm1"]),
        "kid": st.binary(min_size=8, max_size=8),
        "aad": st.binary(max_size=4),
        "padded": st.binary(max_size=60).map(pad)
        | st.binary(max_size=60).map(lambda b: (b + b"\x80").ljust(512, b"\0")),
    },
)


@settings(max_examples=250, deadline=None)
@given(changes, st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=3), st.integers(0, 900))
def test_a_camera_that_signs_nonsense_gets_the_same_answer_from_both_openers(
    wrong: dict[str, Any], pokes: list[tuple[int, int]], cut: int
) -> None:
    """A fuzzer that signs its mutations again, so that it gets past the signature."""
    message = bytearray(dataclasses.replace(HOSTILE, **wrong).message())
    for at, value in pokes:
        message[at % len(message)] = value
    message = message[: len(message) - cut] if cut < 40 else message
    envelope = bytes(message) + HOSTILE_SIGNER.sign(bytes(message))
    secret = HOSTILE.recipients[0]
    try:
        event: Any = independent.open_sev1(envelope, HOSTILE_SIGNER.public, [secret])
    except independent.RefusedError:
        event = None
    try:
        opened = open_envelope(envelope, HOSTILE_SIGNER.public, [BoxKey(secret)])
    except EnvelopeError:
        assert event is None
        return
    assert event is not None
    assert (opened.kind, opened.seq, opened.prev, opened.body) == (event.type, event.seq, event.prev, event.body)
