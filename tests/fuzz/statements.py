"""Target: statements of every kind, bundles, claims and hand-overs; signed by whoever should have signed them."""

from __future__ import annotations

from typing import Any

from sealcam.wire import schema, statement
from sealcam.wire.bodies import EpochBody
from sealcam.wire.deleted import DeletedList, open_list
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import ClaimAnswer, HubCertificate, Prekey, RecipientSet
from tests.fuzz.choices import Choices, Seed, edits
from tests.vectors import independent_statement as theirs
from tests.vectors.body_examples import EVENTS
from tests.vectors.builder import Signer, cbor, labelled
from tests.vectors.independent import RefusedError
from tests.vectors.ours_keys import CLASSES
from tests.vectors.refusals import ENCODINGS
from tests.vectors.statement_builder import NAMES, bundle
from tests.vectors.statement_builder import statement as forged
from tests.vectors.statement_cases import CAMERA, HUB, KID, ROOT
from tests.vectors.statement_cases import EXAMPLES as FIRST
from tests.vectors.statement_cases_2 import ASKED, LIST, sealed
from tests.vectors.statement_cases_2 import EXAMPLES as LATER

BODY, POKES, RAW, REQUEST, ANSWER, BUNDLE, EPOCH, DELETED = range(8)
EXAMPLES = FIRST | LATER
FINGERPRINT = labelled("sealcam/root-fingerprint", ROOT.public)
CERTIFICATE = forged(ROOT, 1, {1: HUB.public, 2: 1})
SIGNERS = {kind: signer for kind, (signer, _) in EXAMPLES.items()}


def run(data: bytes) -> None:
    """One statement or bundle, by our code and by the independent reader."""
    choices = Choices(data)
    how = choices.below(8)
    if how in (BODY, POKES, RAW):
        _statement(how, choices)
    elif how == REQUEST:
        _request(choices)
    elif how == ANSWER:
        _answer(choices)
    elif how == BUNDLE:
        _bundle(choices.rest())
    elif how == DELETED:
        _deleted(choices.rest())
    else:
        _epoch(choices.rest())


def _statement(how: int, choices: Choices) -> None:
    kind = 1 + choices.below(len(EXAMPLES))
    signer = SIGNERS[kind]
    if how == BODY:
        signed = forged(signer, kind, choices.rest())
    else:
        base = forged(signer, kind, EXAMPLES[kind][1])[:-64]
        message = choices.edited(base) if how == POKES else choices.rest()
        signed = message + signer.sign(message, f"sealcam/sgn1/{NAMES[kind]}")
    _agree(signed, signer, kind)


def _agree(signed: bytes, signer: Signer, kind: int) -> None:
    try:
        said: Any = theirs.read(signed, signer.public, kind)
    except RefusedError:
        said = None
    try:
        item: Any = statement.read(signed, signer.public, CLASSES[kind])
    except EnvelopeError:
        assert said is None, "the independent reader takes what ours refuses"
        return
    assert said is not None, "ours takes what the independent reader refuses"
    assert schema.to_map(item).items() <= said.items()


def _request(choices: Choices) -> None:
    signed = forged(CAMERA, 5, choices.rest())
    for data in (CAMERA.public + signed, HUB.public + signed, signed):
        try:
            said: Any = theirs.read_claim_request(data)
        except RefusedError:
            said = None
        try:
            item = statement.read_claim_request(data)
        except EnvelopeError:
            assert said is None
            continue
        assert said is not None
        assert said["public_hex"] == item.public.hex()


def _answer(choices: Choices) -> None:
    """Each statement inside the answer is either the example or a body of the fuzzer's, signed as it should be."""
    inner = {n: EXAMPLES[6][1][n] for n in (3, 4)}
    for number, signer, kind in ((3, ROOT, 2), (4, HUB, 3)):
        if choices.below(2):
            inner[number] = forged(signer, kind, choices.take(choices.number(2)))
    data = bundle(ROOT.public, CERTIFICATE, forged(HUB, 6, EXAMPLES[6][1] | inner))
    try:
        said: Any = theirs.read_claim_answer(data, FINGERPRINT, KID)
    except RefusedError:
        said = None
    try:
        found = _accept(data)
    except EnvelopeError:
        assert said is None
        return
    assert said == found


def _accept(data: bytes) -> dict[str, Any]:
    """What a camera does with an answer, without keeping it (`Keystore.accept` is tried by the vectors)."""
    parts = Bundle.unpack(data)
    hub = statement.read(parts.hub_certificate, parts.root_public, HubCertificate).hub
    answer = statement.read(parts.answer, hub, ClaimAnswer)
    chosen = statement.read(answer.recipient_set, parts.root_public, RecipientSet)
    prekey = statement.read(answer.prekey, hub, Prekey)
    if chosen.home_hub != hub or not answer.camera == prekey.camera == KID:
        raise EnvelopeError
    return {"hub_hex": hub.hex(), "set": chosen.number, "prekey": str(prekey.number)}


def _bundle(data: bytes) -> None:
    try:
        parts = theirs.unbundle(data)
    except RefusedError:
        parts = None
    try:
        found = Bundle.unpack(data)
    except EnvelopeError:
        assert parts is None
        return
    assert (found.root_public, found.hub_certificate, found.answer) == parts
    assert found.pack() == data


def _epoch(data: bytes) -> None:
    try:
        said: Any = theirs.read_map(data, theirs.EPOCH)
    except RefusedError:
        said = None
    try:
        body = schema.decode(data, EpochBody)
    except EnvelopeError:
        assert said is None
        return
    assert said is not None
    assert schema.to_map(body).items() <= said.items()


def _deleted(body: bytes) -> None:
    """A list of deletions with any body, sealed as it should be; and any bytes in its place."""
    for data in (sealed(body), body):
        try:
            said: Any = theirs.read_deleted(data, ASKED)
        except RefusedError:
            said = None
        try:
            item = open_list(data, BoxKey(ASKED))
        except EnvelopeError:
            assert said is None
            continue
        assert said is not None
        assert schema.decode(said, DeletedList) == item


def seeds() -> list[Seed]:
    """Every kind, every odd encoding, and the frames around them."""
    found = [Seed(f"body-{k}", bytes([BODY, k - 1]) + cbor(fields)) for k, (_, fields) in EXAMPLES.items()]
    found += [Seed(f"odd-{n}", bytes([BODY, 3]) + bytes.fromhex(one)) for n, one in enumerate(ENCODINGS.values())]
    found += [Seed(f"poke-{k}", bytes([POKES, k - 1]) + edits((4, k))) for k in EXAMPLES]
    found += [Seed(f"raw-{k}", bytes([RAW, k - 1]) + forged(s, k, f)[:-64]) for k, (s, f) in EXAMPLES.items()]
    found.append(Seed("request", bytes([REQUEST]) + cbor(EXAMPLES[5][1])))
    chosen, prekey = cbor(EXAMPLES[2][1]), cbor({1: KID, 2: 5, 3: EXAMPLES[3][1][3]})
    inner = b"\1" + len(chosen).to_bytes(2, "big") + chosen + b"\1" + len(prekey).to_bytes(2, "big") + prekey
    found += [Seed("answer", bytes([ANSWER, 0, 0])), Seed("answer-inner", bytes([ANSWER]) + inner)]
    found.append(Seed("bundle", bytes([BUNDLE]) + bundle(ROOT.public, CERTIFICATE, b"s")))
    found.append(Seed("deleted", bytes([DELETED]) + cbor(LIST)))
    epoch = next(fields for kind, fields in EVENTS if kind == 4)
    found.append(Seed("epoch", bytes([EPOCH]) + cbor(epoch)))
    return found
