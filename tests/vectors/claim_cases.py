"""Cases of `keys.json`: bundles, claim requests, claim answers and hand-overs (design/wire.md sections 5.4 and 6.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.vectors.builder import Signer, cbor, draw, labelled, public_of
from tests.vectors.clip_builder import STAMP
from tests.vectors.statement_builder import Fields, bundle, statement
from tests.vectors.statement_cases import CAMERA, EXAMPLES, HUB, KID, OTHER, PREKEY, ROOT, SECOND, SET, Case

CERTIFICATE = statement(ROOT, 1, {1: HUB.public, 2: 1})
FINGERPRINT = labelled("sealcam/root-fingerprint", ROOT.public)
OTHER_ROOT = Signer(draw("another owner root"))
NEW = Signer(draw("signer of epoch 2"))
COMMAND = public_of(draw("command of epoch 2"))
NONCE = draw("rotation nonce")
PREV = draw("chain head")


def claims() -> Iterator[Case]:
    """All of them."""
    yield from _bundles()
    yield from _requests()
    yield from _answers()
    yield from _hand_overs()


def _bundles() -> Iterator[Case]:
    def one(name: str, data: bytes, *parts: bytes) -> Case:
        names = ("root_hex", "certificate_hex", "statement_hex")
        answer: Case = dict(zip(names, (part.hex() for part in parts), strict=True)) if parts else {"refuse": True}
        return {"name": name, "kind": "bundle", "bundle_hex": data.hex()} | answer

    root, item = ROOT.public, b"statement"
    yield one("a bundle", bundle(root, CERTIFICATE, item), root, CERTIFICATE, item)
    yield one("a bundle without certificate", bundle(root, b"", item), root, b"", item)
    yield one("a bundle whose statement is a byte", bundle(root, b"c", b"s"), root, b"c", b"s")
    long = draw("long", 65_535)
    yield one("a bundle with the longest certificate", bundle(root, long, b"s"), root, long, b"s")
    yield one("a bundle without statement", bundle(root, CERTIFICATE, b""))
    yield one("a bundle that ends in its certificate", bundle(root, CERTIFICATE, b"")[:-1])
    for size in (0, 31, 33, 34):
        yield one(f"a bundle cut to {size} bytes", bundle(root, CERTIFICATE, item)[:size])


def _requests() -> Iterator[Case]:
    def one(name: str, data: bytes, fits: bool = False) -> Case:
        answer: Case = {"refuse": True}
        if fits:
            answer = {"public_hex": data[:32].hex(), "body_cbor_hex": data[45:-64].hex()}
        return {"name": name, "kind": "claim-request", "request_hex": data.hex()} | answer

    fields = EXAMPLES[5][1]
    good = statement(CAMERA, 5, fields)
    yield one("a claim request", CAMERA.public + good, True)
    yield one("a claim request by another's key", OTHER.public + good)
    yield one("a claim request without key", good)
    yield one("a claim request cut in its key", CAMERA.public[:20])
    yield one("a claim request of a key alone", CAMERA.public)
    yield one("a claim request without its last byte", CAMERA.public + good[:-1])
    yield one(
        "a claim request that names another key", CAMERA.public + statement(CAMERA, 5, fields | {2: OTHER.public})
    )
    yield one("a claim request signed by another", CAMERA.public + statement(OTHER, 5, fields))
    yield one(
        "a claim request with a command key of low order", CAMERA.public + statement(CAMERA, 5, fields | {3: bytes(32)})
    )


def _answer(signer: Signer = HUB, **changes: object) -> bytes:
    fields = dict(EXAMPLES[6][1]) | {int(name[1:]): value for name, value in changes.items()}
    return statement(signer, 6, fields)


def _answers() -> Iterator[Case]:
    def one(name: str, data: bytes, *, by: bytes = FINGERPRINT, camera: bytes = KID, **answer: Any) -> Case:
        asked = {"bundle_hex": data.hex(), "fingerprint_hex": by.hex(), "camera_hex": camera.hex()}
        return {"name": name, "kind": "claim-answer"} | asked | (answer or {"refuse": True})

    def packed(item: bytes, certificate: bytes = CERTIFICATE, root: Signer = ROOT) -> bytes:
        return bundle(root.public, certificate, item)

    def prekey(fields: Fields, signer: Signer = HUB) -> bytes:
        return packed(_answer(f4=statement(signer, 3, fields)))

    def chosen(fields: Fields, signer: Signer = ROOT) -> bytes:
        return packed(_answer(f3=statement(signer, 2, fields)))

    yield one("a claim answer", packed(_answer()), hub_hex=HUB.public.hex(), set=1, prekey="1")
    largest = prekey({1: KID, 2: 2**62 - 1, 3: PREKEY})
    yield one("a claim answer with the last prekey", largest, hub_hex=HUB.public.hex(), set=1, prekey=str(2**62 - 1))
    for number in (0, 2**62, 2**64 - 1):
        yield one(f"a claim answer with prekey {number}", prekey({1: KID, 2: number, 3: PREKEY}))
    other = labelled("sealcam/root-fingerprint", OTHER_ROOT.public)
    yield one("a claim answer of another owner", packed(_answer()), by=other)
    theirs = statement(OTHER_ROOT, 1, {1: HUB.public, 2: 1})
    yield one("a claim answer under another root", packed(_answer(), theirs, OTHER_ROOT))
    yield one("a claim answer whose certificate another root signed", packed(_answer(), theirs))
    yield one(
        "a claim answer whose certificate the hub signed", packed(_answer(), statement(HUB, 1, {1: HUB.public, 2: 1}))
    )
    second = statement(ROOT, 1, {1: SECOND.public, 2: 2})
    yield one("a claim answer with another hub's certificate", packed(_answer(), second))
    yield one("a claim answer by another hub whose set names the first", packed(_answer(SECOND), second))
    yield one("a claim answer whose certificate is a set", packed(_answer(), statement(ROOT, 2, SET)))
    yield one("a claim answer without certificate", packed(_answer(), b""))
    yield one("a claim answer for another camera", packed(_answer(f1=OTHER.kid)))
    yield one("a claim answer read by another camera", packed(_answer()), camera=OTHER.kid)
    yield one("a claim answer whose prekey is another camera's", prekey({1: OTHER.kid, 2: 1, 3: PREKEY}))
    yield one("a claim answer whose prekey another hub signed", prekey({1: KID, 2: 1, 3: PREKEY}, SECOND))
    yield one("a claim answer whose prekey the root signed", prekey({1: KID, 2: 1, 3: PREKEY}, ROOT))
    yield one("a claim answer whose prekey is of low order", prekey({1: KID, 2: 1, 3: bytes(32)}))
    yield one("a claim answer whose set the hub signed", chosen(SET, HUB))
    yield one("a claim answer whose set another root signed", chosen(SET, OTHER_ROOT))
    yield one("a claim answer whose set has another home hub", chosen(SET | {3: SECOND.public}))
    yield one("a claim answer whose set lacks recovery", chosen(SET | {4: [{1: 1, 2: HUB.public}]}))
    yield one("a claim answer whose set is of number 0", chosen(SET | {1: 0}))
    yield one("a claim answer whose set is none", packed(_answer(f3=b"")))
    yield one("a claim answer whose prekey is none", packed(_answer(f4=b"")))
    yield one("a receipt in place of a claim answer", packed(statement(HUB, 4, {1: draw("hash")})))
    yield one("a claim answer without its last byte", packed(_answer())[:-1])


def _hand_overs() -> Iterator[Case]:
    def proof(signer: Signer = NEW, label: str = "sealcam/epoch-proof", **wrong: Any) -> bytes:
        said = {"camera": KID, "nonce": NONCE, "epoch": 2, "command": COMMAND, "seq": 9, "prev": PREV} | wrong
        numbers = said["epoch"].to_bytes(4, "big"), said["seq"].to_bytes(8, "big")
        message = said["camera"] + said["nonce"] + numbers[0] + said["command"] + numbers[1] + said["prev"]
        return signer.sign(message, label)

    def one(name: str, fields: Fields, fits: bool = False, **knows: Any) -> Case:
        asked = {"camera": KID, "nonce": NONCE, "prev": PREV, "body_cbor": cbor(fields)} | {
            name: value for name, value in knows.items() if isinstance(value, bytes)
        }
        before = [one.hex() for one in knows.get("before", [CAMERA.public])]
        numbers = {"seq": str(knows.get("seq", 9)), "epoch": knows.get("epoch", 1), "before_hex": before}
        answer: Case = {"public_hex": NEW.public.hex(), "command_hex": COMMAND.hex()} if fits else {"refuse": True}
        hexes = {f"{name}_hex": value.hex() for name, value in asked.items()}
        return {"name": name, "kind": "hand-over"} | numbers | hexes | answer

    good: Fields = {1: STAMP, 2: 2, 3: NEW.public, 4: COMMAND, 5: NONCE, 6: proof()}
    yield one("a hand-over", good, True)
    last = good | {2: 2**32 - 1, 6: proof(epoch=2**32 - 1)}
    yield one("a hand-over to the last epoch", last, True, epoch=2**32 - 2)
    yield one("a hand-over with a field nobody knows", good | {99: True}, True)
    yield one("a hand-over at another sequence", good, seq=10)
    yield one("a hand-over behind another event", good, prev=draw("another head"))
    yield one("a hand-over of another camera", good, camera=OTHER.kid)
    yield one("a hand-over with another rotation's nonce", good, nonce=draw("another nonce"))
    yield one("a hand-over two epochs on", last)
    yield one("a hand-over to the present epoch", good | {2: 1, 6: proof(epoch=1)})
    yield one("a hand-over to an epoch before", good, epoch=2)
    yield one("a hand-over whose epoch is not the proven one", good | {2: 2, 6: proof(epoch=3)})
    yield one("a hand-over to the key that the camera has", good | {3: CAMERA.public, 6: proof(CAMERA)})
    yield one("a hand-over to a key of before", good, before=[NEW.public, CAMERA.public])
    yield one("a hand-over of a camera of three keys", good, True, before=[OTHER.public, HUB.public, CAMERA.public])
    yield one("a hand-over proven by the old key", good | {6: proof(CAMERA)})
    yield one("a hand-over to another key than proved it", good | {3: OTHER.public})
    yield one("a hand-over with another command key than proven", good | {4: public_of(draw("another command"))})
    low = bytes(32)
    yield one("a hand-over with a command key of low order", good | {4: low, 6: proof(command=low)})
    top = COMMAND[:31] + bytes([COMMAND[31] | 0x80])
    yield one("a hand-over with a command key that isn't canonical", good | {4: top, 6: proof(command=top)})
    yield one("a hand-over whose proof is signed as an event", good | {6: proof(label="sealcam/sev1/signature")})
    yield one("a hand-over without proof", good | {6: bytes(64)})
    yield one("a hand-over to a key of low order", good | {3: (1).to_bytes(32, "little")})
    for number in range(1, 7):
        yield one(f"a hand-over that lacks field {number}", {n: v for n, v in good.items() if n != number})
    yield one("a hand-over with a short proof", good | {6: proof()[:63]})
