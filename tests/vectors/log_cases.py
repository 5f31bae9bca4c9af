"""Cases of `grants.json` about the audit log: whole, changed, cut, pinned (design/wire.md section 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.vectors.builder import Signer, draw, labelled
from tests.vectors.claim_cases import CERTIFICATE, OTHER_ROOT
from tests.vectors.statement_builder import statement
from tests.vectors.statement_cases import HUB, OTHER, ROOT, SECOND, Case

AFTER = statement(ROOT, 1, {1: SECOND.public, 2: 2})
Pins = Sequence[tuple[int, bytes]]


def logs() -> Iterator[Case]:
    """All of them."""
    yield from _whole()
    yield from _changed()
    yield from _pinned()
    yield from _recovered()


def digest(entry: bytes) -> bytes:
    return labelled("sealcam/log-entry", entry)


def entry(number: int, prev: bytes, signer: Signer = HUB, **fields: object) -> bytes:
    found: dict[int, object] = {1: number, 2: prev, 3: 1_790_000_000_000_000_000 + number, 4: "owner", 5: 1}
    found |= {6: draw(f"subject {number}", 16), 8: f"line {number}"}
    return statement(signer, 9, found | {int(name[1:]): value for name, value in fields.items()})


def log(count: int, signer: Signer = HUB, after: Sequence[bytes] = ()) -> list[bytes]:
    """`count` entries that go on behind `after`."""
    found = list(after)
    for _ in range(count):
        found.append(entry(len(found) + 1, digest(found[-1]) if found else bytes(32), signer))
    return found


def case(
    name: str,
    entries: list[bytes],
    pins: Pins = (),
    *,
    holds: bool = False,
    certificates: Sequence[bytes] = (CERTIFICATE,),
) -> Case:
    head = {"number": len(entries), "hash_hex": digest(entries[-1]).hex()} if entries else None
    return {
        "name": f"a log: {name}",
        "kind": "log",
        "entries_hex": [one.hex() for one in entries],
        "root_hex": ROOT.public.hex(),
        "certificates_hex": [one.hex() for one in certificates],
        "pins": [{"number": number, "hash_hex": pin.hex()} for number, pin in pins],
    } | ({"head": head} if holds else {"refuse": True})


def _whole() -> Iterator[Case]:
    yield case("one entry", log(1), holds=True)
    yield case("five entries", log(5), holds=True)
    yield case(
        "four entries, of which one has another actor",
        [*log(3), entry(4, digest(log(3)[-1]), f4="neighbour")],
        holds=True,
    )
    for action in range(1, 11):
        yield case(f"an entry of action {action}", [entry(1, bytes(32), f5=action)], holds=True)
    shared = entry(1, bytes(32), f5=2, f7=draw("recipient"))
    yield case("an entry with a recipient", [shared], holds=True)
    yield case("an entry with a field nobody knows", [entry(1, bytes(32), f60=[1])], holds=True)


def _changed() -> Iterator[Case]:
    five = log(5)
    for at in (0, 2, 4):
        flipped = bytearray(five[at])
        flipped[60] ^= 1
        yield case(f"a bit flipped in line {at + 1}", [*five[:at], bytes(flipped), *five[at + 1 :]])
    for at in (0, 2, 3):
        again = entry(at + 1, digest(five[at - 1]) if at else bytes(32), f8="another line")
        yield case(f"line {at + 1} replaced and signed", [*five[:at], again, *five[at + 1 :]])
        yield case(f"line {at + 1} taken out", five[:at] + five[at + 1 :])
        yield case(f"lines {at + 1} and {at + 2} exchanged", [*five[:at], five[at + 1], five[at], *five[at + 2 :]])
        yield case(f"line {at + 1} twice", [*five[: at + 1], *five[at:]])
    yield case("the first line twice", [five[0], *five])
    inserted = entry(3, digest(five[1]), f8="inserted")
    yield case("a line inserted", [*five[:2], inserted, *five[2:]])
    yield case("a line appended with a number too high", [*five, entry(7, digest(five[4]))])
    yield case("a line appended with a number used before", [*five, entry(5, digest(five[4]))])
    yield case("a line appended to another head", [*five, entry(6, draw("another head"))])
    yield case("a line appended by a stranger", [*five, entry(6, digest(five[4]), OTHER)])
    yield case("a line appended by the root", [*five, entry(6, digest(five[4]), ROOT)])
    yield case("a beginning at line 2", five[1:])
    yield case("a receipt for a line", [*five, statement(HUB, 4, {1: draw("hash")})])
    yield case("an empty line", [*five, b""])
    yield case("a line of action 11", [*five, entry(6, digest(five[4]), f5=11)])


def _pinned() -> Iterator[Case]:
    five = log(5)
    pins = [(n, digest(one)) for n, one in enumerate(five, 1)]
    yield case("pinned at its head", five, pins[4:], holds=True)
    yield case("pinned in the middle", five, pins[2:3], holds=True)
    yield case("pinned everywhere", five, pins, holds=True)
    yield case("pinned, and longer since", log(9), pins[4:], holds=True)
    yield case("cut behind a pin", five[:3], pins[2:3], holds=True)
    yield case("cut before a pin", five[:3], pins[3:4])
    yield case("cut before its pinned head", five[:4], pins[4:])
    yield case("all taken out but the pin", [], pins[:1])
    rewritten = [*five[:2], entry(3, digest(five[1]), f8="rewritten")]
    rewritten = log(2, HUB, rewritten)
    yield case("rewritten, not pinned", rewritten, holds=True)
    yield case("rewritten behind a pin", rewritten, pins[1:2], holds=True)
    yield case("rewritten before a pin", rewritten, pins[4:])
    yield case("rewritten at the pin", rewritten, pins[2:3])
    yield case("one pin of two isn't in it", rewritten, [pins[0], pins[3]])
    yield case("pinned at another number", five, [(4, digest(five[4]))])
    yield case("pinned beyond its end", five, [(6, draw("later head"))])
    yield case("pinned at number 0", five, [(0, draw("no head"))])


def _recovered() -> Iterator[Case]:
    both = (CERTIFICATE, AFTER)
    grown = log(2, SECOND, log(3))
    yield case("gone on by a new hub", grown, holds=True, certificates=both)
    yield case("gone on by a new hub, pinned before", grown, [(3, digest(grown[2]))], holds=True, certificates=both)
    yield case("gone on by a new hub without certificate", grown)
    yield case("the old hub's certificate is missing", grown, certificates=(AFTER,))
    theirs = statement(OTHER_ROOT, 1, {1: SECOND.public, 2: 2})
    yield case("gone on by a hub that another root certified", grown, certificates=(CERTIFICATE, theirs))
    stolen = entry(4, digest(grown[2]), SECOND)
    stolen = stolen[:5] + HUB.kid + stolen[13:]
    yield case("gone on in the old hub's name", [*grown[:3], stolen], certificates=both)
