"""The cases of `slv1.json`: what a reader of one session takes of messages that come in some order (wire.md 15)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from tests.vectors.builder import draw, labelled
from tests.vectors.clip_builder import ClipRecipe
from tests.vectors.clip_refusals import HEADER_FIELDS
from tests.vectors.clip_stock import BOTH, LATER, OTHER, SECRETS, SIGNER, Case
from tests.vectors.live_builder import BEGINNING, END, KEYFRAME, PICTURES, LiveRecipe, told

FIRST = LiveRecipe("live", SIGNER, SECRETS[:1])
SECOND = LiveRecipe("live, later", LATER, SECRETS[:3], epoch=2, part=1)
Row = list[tuple[LiveRecipe, int, int, bytes]]


def _row(recipe: LiveRecipe, *contents: int, first: int = 0) -> Row:
    """Parts of these contents, numbered from `first`, each with some bytes of its own; an end has none."""
    return [
        (recipe, number, content, b"" if content == END else f"part {number}".encode())
        for number, content in enumerate(contents, first)
    ]


def _sent(rows: Iterable[tuple[LiveRecipe, int, int, bytes]]) -> list[bytes]:
    return [recipe.send(number, content, data) for recipe, number, content, data in rows]


def _said(rows: Iterable[tuple[LiveRecipe, int, int, bytes]]) -> list[dict[str, object]]:
    return [told(number, content, data) for _, number, content, data in rows]


def case(name: str, messages: Iterable[bytes], taken: Row, infos: Iterable[LiveRecipe] = (FIRST,), **rest: Any) -> Case:
    """Messages as they come, what a player is given, and the infos of the starts that counted."""
    return {
        "name": name,
        "kind": "live",
        "session_hex": FIRST.session.hex(),
        "signers_hex": [one.public.hex() for one in BOTH],
        "recipient_secret_hex": SECRETS[0].hex(),
        "messages_hex": [message.hex() for message in messages],
        "infos_hex": [recipe.info_cbor.hex() for recipe in infos],
        "taken": _said(taken),
    } | rest


SHOWN = _row(FIRST, BEGINNING, KEYFRAME, PICTURES)
LEAD = [FIRST.start(), *_sent(SHOWN)]
NEXT = _row(FIRST, PICTURES, first=3)


def cases() -> Iterator[Case]:
    """All cases, in the order of the file."""
    yield from _orders()
    yield from _headers()
    yield from _bad_starts()
    yield from _bad_parts()


def _orders() -> Iterator[Case]:
    whole = _row(FIRST, BEGINNING, KEYFRAME, PICTURES, PICTURES, BEGINNING, KEYFRAME, END)
    sent = _sent(whole)
    yield case("a session from its start to its end", [FIRST.start(), *sent], whole)
    yield case("nothing", [], [], [])
    yield case("parts without a start", sent, [], [])
    yield case("who comes late waits for the next start", [*sent[2:4], FIRST.start(), *sent[4:]], whole[4:])
    yield case("pictures before a beginning", [FIRST.start(), *sent[1:]], whole[4:])
    yield case("a keyframe before a beginning", [FIRST.start(), *sent[1:3]], [])
    yield case("the same start again", [FIRST.start(), *sent[:4], FIRST.start(), *sent[4:]], whole)
    yield case("a hole", [FIRST.start(), *sent[:2], *sent[3:]], [*whole[:2], *whole[4:]])
    yield case("a hole, and nothing begins behind it", [FIRST.start(), *sent[:2], sent[3]], whole[:2])
    yield case("a hole right before a beginning", [FIRST.start(), *sent[:3], *sent[4:]], [*whole[:3], *whole[4:]])
    yield case("a part twice", [FIRST.start(), sent[0], sent[1], sent[1], sent[2]], whole[:3])
    yield case("two parts exchanged", [FIRST.start(), *sent[:2], sent[3], sent[2]], whole[:2])
    yield case("all parts again", [FIRST.start(), *sent[:6], *sent[:6]], whole[:6])
    yield case("an end where a beginning is waited for", [FIRST.start(), sent[6]], whole[6:])
    far = _row(FIRST, BEGINNING, KEYFRAME, first=2**64 - 2)
    yield case("the last numbers there are", [*LEAD, *_sent(far)], [*SHOWN, *far])
    empty: Row = [(FIRST, 0, BEGINNING, b""), (FIRST, 1, KEYFRAME, b"")]
    yield case("parts without data", [FIRST.start(), *_sent(empty)], empty)


def _headers() -> Iterator[Case]:
    later = _row(SECOND, BEGINNING, KEYFRAME, PICTURES)
    both = [*LEAD, SECOND.start(), *_sent(later)]
    yield case("another header goes on in the session", both, [*SHOWN, *later], [FIRST, SECOND])
    yield case("parts of a header that was replaced", [*both, *_sent(NEXT)], [*SHOWN, *later], [FIRST, SECOND])
    again = [*both, FIRST.start(), *LEAD[1:], *_sent(NEXT)]
    yield case("a start that was replaced, again", again, [*SHOWN, *later], [FIRST, SECOND])
    goes_on = _row(SECOND, PICTURES, first=3)
    yield case(
        "after a start that was replaced the newer goes on",
        [*both, FIRST.start(), *_sent(goes_on)],
        [*SHOWN, *later, *goes_on],
        [FIRST, SECOND],
    )
    elsewhere = replace(FIRST, name="live elsewhere", session=draw("another session", 16))
    mixed = [*LEAD, elsewhere.start(), *_sent(_row(elsewhere, BEGINNING, KEYFRAME)), *_sent(NEXT)]
    yield case("another session in between", mixed, [*SHOWN, *NEXT])
    yield case("another session alone", [elsewhere.start(), *_sent(_row(elsewhere, BEGINNING))], [], [])
    foreign = replace(FIRST, name="live, foreign", signer=OTHER)
    mixed = [*LEAD, foreign.start(), *_sent(_row(foreign, BEGINNING, KEYFRAME)), *_sent(NEXT)]
    yield case("a start that nobody known signed", mixed, [*SHOWN, *NEXT])
    unread = replace(FIRST, name="live, for others", recipients=SECRETS[1:3])
    mixed = [*LEAD, unread.start(), *_sent(_row(unread, BEGINNING, KEYFRAME)), *_sent(NEXT)]
    yield case("a start that isn't sealed to this reader", mixed, [*SHOWN, *NEXT])
    wrong = replace(FIRST, name="live, uncommitted", held=draw("another content key"))
    yield case("a start whose slots hold another key", [wrong.start(), *_sent(_row(wrong, BEGINNING))], [], [])


def _bad_starts() -> Iterator[Case]:
    start = FIRST.start()
    for field, at in HEADER_FIELDS.items():
        bad = start[: 5 + at] + bytes([start[5 + at] ^ 1]) + start[6 + at :]
        yield case(f"a bit flipped in the start: {field}", [bad, *LEAD[1:]], [], [])
    clip = ClipRecipe("a clip's header", SIGNER, SECRETS[:1])
    for name, bad in (
        ("cut by a byte", start[:-1]),
        ("with a byte behind it", start + b"\0"),
        ("of nothing", start[:5]),
        ("of another magic", FIRST.start(b"SLV2\0")),
        ("of another kind", FIRST.start(b"SLV1\2")),
        ("that says it is a part", FIRST.start(b"SLV1\1")),
        ("without a prefix", start[5:]),
        ("that is a clip's header", b"SLV1\0" + clip.header),
    ):
        yield case(f"a start {name}", [bad, *LEAD[1:]], [], [])
    for name, recipe in (
        ("signed under another label", replace(FIRST, header_label="sealcam/slv1/part")),
        ("of suite 2", replace(FIRST, suite=2)),
        ("whose header has the magic of a live view", replace(FIRST, magic=b"SLV1")),
        ("of five slots", replace(FIRST, slots=5)),
    ):
        yield case(f"a start {name}", [recipe.start(), *_sent(_row(recipe, BEGINNING))], [], [])


def _bad_parts() -> Iterator[Case]:
    data = b"part 3"
    good = FIRST.send(3, PICTURES, data)
    behind = _sent(_row(FIRST, PICTURES, first=4))
    yield case(
        "what the parts below are made from", [*LEAD, good, *behind], [*SHOWN, *NEXT, *_row(FIRST, PICTURES, first=4)]
    )
    fields = {"magic": 3, "kind": 4, "number": 12, "content": 13, "seen": 20, "sealed": 25, "data": 30}
    fields |= {"tag": len(good) - 65, "R": len(good) - 64, "S": len(good) - 32}
    wrong = {
        f"with a bit flipped: {field}": good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        for field, at in fields.items()
    }
    wrong |= {
        "cut by a byte": good[:-1],
        "with a byte behind it": good + b"\0",
        "of nothing": good[:5],
        "of a number alone": good[:13],
        "of four bytes": good[:4],
        "without bytes": b"",
        "that says it is a start": b"SLV1\0" + good[5:],
        "of another kind": FIRST.send(3, PICTURES, data, prefix=b"SLV1\2"),
        "of another magic": FIRST.send(3, PICTURES, data, prefix=b"SLV2\1"),
        "of content 4": FIRST.send(3, 4, data),
        "of content 255": FIRST.send(3, 255, data),
        "that is too short for its times": FIRST.send(3, PICTURES, plain=bytes(16)),
        "signed by another known key": FIRST.send(3, PICTURES, data, signer=LATER),
        "signed by a stranger": FIRST.send(3, PICTURES, data, signer=OTHER),
        "signed under a clip's label": FIRST.send(3, PICTURES, data, label="sealcam/scl1/checkpoint"),
        "signed without the header": FIRST.send(3, PICTURES, data, over=b""),
        "signed for another header": FIRST.send(3, PICTURES, data, over=SECOND.header_hash),
        "of another header": SECOND.send(3, PICTURES, data, signer=SIGNER, over=FIRST.header_hash),
        "sealed with the content key": FIRST.send(3, PICTURES, data, key=FIRST.content_key),
        "sealed with a segment's key": FIRST.send(3, PICTURES, data, key=FIRST.segment_key(0)),
        "sealed with a key that doesn't name the header": FIRST.send(
            3, PICTURES, data, key=labelled("sealcam/slv1/key", FIRST.content_key)
        ),
        "whose nonce counts from the left": FIRST.send(3, PICTURES, data, nonce=(3).to_bytes(8, "big") + bytes(4)),
        "with associated data": FIRST.send(3, PICTURES, data, aad=b"SLV1"),
        "that was renumbered": FIRST.send(2, PICTURES, data, written=3),
        "with a number of before": FIRST.send(1, PICTURES, data),
    }
    for name, bad in wrong.items():
        yield case(f"a part {name}", [*LEAD, bad, *behind], SHOWN)
