"""Cases of `keys.json`: commands `SCM1`, opened and refused (design/wire.md section 4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.vectors.builder import Recipe, Signer, cbor, draw, labelled
from tests.vectors.refusals import ENCODINGS
from tests.vectors.statement_cases import CAMERA, HUB, OTHER, Case

SECRET = draw("command")
BASE = Recipe(
    "command",
    HUB,
    (SECRET,),
    type=1,
    seq=7,
    prev=draw("a beat's nonce"),
    body=cbor({1: 2}),
    magic=b"SCM1",
    form="scm1",
    slots=1,
)
RUN = {1: 3, 2: 9}
CORNERS = [0, 0, 1000, 0, 1000, 1000]
WISHES: tuple[tuple[str, int, dict[int, object]], ...] = (
    ("arm away", 1, {1: 2}),
    ("privacy on", 2, {1: True}),
    ("live for a minute", 3, {1: draw("session", 16), 2: 60}),
    ("fetch events and clips", 4, {1: [RUN], 2: [{1: draw("clip", 16)}, {1: draw("clip 2", 16), 2: RUN}]}),
    ("fetch nothing", 4, {1: [], 2: []}),
    ("a zone", 5, {1: [{1: "the path", 2: 1, 3: CORNERS}]}),
    ("a mask", 6, {1: [{1: CORNERS}]}),
    ("a schedule", 7, {1: [{1: 127, 2: 0, 3: 1440, 4: 3}], 2: "Europe/Berlin"}),
    ("marks", 8, {1: [{1: draw("incident", 8), 2: 3}]}),
    ("a model", 9, {1: "yolox-nano", 2: draw("sha256")}),
    ("a token", 10, {1: draw("token", 200)}),
    ("a type that nobody knows", 0x7F, {1: 5}),
    ("a type from 80 on", 0xFF, {}),
)


def commands() -> Iterator[Case]:
    """All of them."""
    yield from _opened()
    yield from _framed()
    yield from _changed()
    yield from _inside()


def _case(name: str, envelope: bytes, signer: Signer, secret: bytes) -> Case:
    return {
        "name": f"a command: {name}",
        "kind": "scm1",
        "envelope_hex": envelope.hex(),
        "signer_public_hex": signer.public.hex(),
        "recipient_secret_hex": secret.hex(),
    }


def _yes(name: str, recipe: Recipe) -> Case:
    return _case(name, recipe.envelope(), recipe.signer, SECRET) | {
        "type": recipe.type,
        "seq": str(recipe.seq),
        "prev_hex": recipe.prev.hex(),
        "body_cbor_hex": recipe.body.hex(),
    }


def _no(name: str, envelope: bytes, signer: Signer = HUB, secret: bytes = SECRET) -> Case:
    return _case(name, envelope, signer, secret) | {"refuse": True}


def _opened() -> Iterator[Case]:
    for name, kind, fields in WISHES:
        yield _yes(name, replace(BASE, name=name, type=kind, body=cbor(fields)))
    yield _yes("number 0", replace(BASE, seq=0))
    yield _yes("the largest number", replace(BASE, seq=2**64 - 1))
    yield _yes("no nonce", replace(BASE, prev=bytes(32)))
    yield _yes("the largest epoch", replace(BASE, epoch=2**32 - 1, rset=0))
    yield _yes("a body of 70,000 bytes", replace(BASE, type=10, body=cbor({1: draw("large", 70_000)})))


def _framed() -> Iterator[Case]:
    for name, wrong in (
        ("magic of an event", {"magic": b"SEV1"}),
        ("magic, labels and signature of an event", {"magic": b"SEV1", "form": "sev1"}),
        ("labels of an event", {"form": "sev1"}),
        ("four slots", {"slots": 4}),
        ("two slots", {"slots": 2}),
        ("no slots", {"nslots": 0}),
        ("255 slots", {"nslots": 255}),
        ("suite 0", {"suite": 0}),
        ("suite 2", {"suite": 2}),
        ("kid of another key", {"kid": OTHER.kid}),
        ("a commitment to another key", {"commit": labelled("sealcam/scm1/commit", draw("other"))}),
        ("a commitment under an event's label", {"commit": labelled("sealcam/sev1/commit", BASE.content_key)}),
        ("another nonce", {"nonce": b"\1" + bytes(11)}),
        ("a body that isn't bound to the header", {"aad": b""}),
    ):
        yield _no(name, replace(BASE, **wrong).envelope())  # type: ignore[arg-type]


def _changed() -> Iterator[Case]:
    message, envelope = BASE.message(), BASE.envelope()
    for name, at in (
        ("magic", 0),
        ("suite", 4),
        ("kid", 5),
        ("epoch", 16),
        ("recipient set", 20),
        ("commitment", 21),
        ("slot count", 53),
        ("ephemeral key", 54),
        ("sealed key", 90),
        ("body", 134),
        ("tag of the body", -65),
        ("R of the signature", -64),
        ("S of the signature", -32),
    ):
        flipped = bytearray(envelope)
        flipped[at] ^= 1
        yield _no(f"a bit flipped: {name}", bytes(flipped))
        if "signature" not in name:
            again = bytes(flipped[:-64])
            yield _no(f"a bit flipped and signed again: {name}", again + HUB.sign(again, "sealcam/scm1/signature"))
    for size in (0, 1, 63, 64, 65, 118, 200, len(message), len(envelope) - 1):
        yield _no(f"cut to {size} bytes", envelope[:size])
    for size in (0, 53, 54, 134, 150, 191, len(message) - 1):
        cut = message[:size]
        yield _no(f"cut to {size} bytes and signed again", cut + HUB.sign(cut, "sealcam/scm1/signature"))
    yield _no("a byte at the end", envelope + b"\0")
    yield _no("signed as an event", message + HUB.sign(message))
    yield _no("signed by the camera", replace(BASE, signer=CAMERA).envelope())
    yield _no("to another camera", envelope, HUB, draw("another command"))


def _inside() -> Iterator[Case]:
    plain = BASE.plain
    for name, padded in (
        ("of zeros alone", bytes(512)),
        ("without 80", plain.ljust(512, b"\0")),
        ("to the next bucket", (plain + b"\x80").ljust(1024, b"\0")),
        ("not at all", plain + b"\x80"),
    ):
        yield _no(f"padded {name}", replace(BASE, padded=padded).envelope())
    yield _no("a plaintext of 40 bytes", replace(BASE, padded=(plain[:40] + b"\x80").ljust(512, b"\0")).envelope())
    for name, body in ENCODINGS.items():
        yield _no(f"not deterministic CBOR: {name}", replace(BASE, body=bytes.fromhex(body)).envelope())
