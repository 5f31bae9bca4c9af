"""A clip that comes through a hostile broker: at the end its file is the camera's to the byte, or not there."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealcam.wire.clip import BytesSource, State, recover, verify
from sealcam.wire.piece import Piece
from sealcam_hub.reception import TIMES, Fed, Reception, Step
from tests import scl1
from tests.scl1 import BOTH, CLIP, SMALL

PIECE = SMALL.sealed_bytes + 113
MOST = 1686 + SMALL.segment_bytes + PIECE  # a header, a segment, and what came with its last bytes


def clip(length: int, how: str = "complete") -> bytes:
    """A clip's file: complete, interrupted (by a later key) or cut."""
    data = scl1.sealed(scl1.content(length), finish=how == "complete")
    if how != "interrupted":
        return data
    file = io.BytesIO(data)
    recover(file, [scl1.SIGNER.public], scl1.LATER, 4, geometry=SMALL)
    return file.getvalue()


class Hub:
    """Keeps what the reception says may be kept, as the intake does."""

    def __init__(self) -> None:
        self.reception = Reception(CLIP, SMALL)
        self.file = bytearray()

    def feed(self, piece: Piece) -> Step:
        step = self.reception.feed(piece, BOTH)
        if step.fed is Fed.VERIFIED:
            assert step.at == len(self.file)
            self.file += step.data
        assert self.reception.held == len(self.file)
        assert self.reception.waiting <= MOST
        return step

    def restart(self) -> None:
        self.reception = Reception(CLIP, SMALL)
        self.reception.resume(BytesSource(bytes(self.file)), BOTH)
        assert self.reception.held == len(self.file)


def pieces(data: bytes, held: int, size: int = PIECE) -> list[Piece]:
    """What a camera sends from there on."""
    return [Piece(at, len(data), data[at : at + size]) for at in range(held, len(data), size)]


CLIPS = st.builds(clip, st.integers(0, 1100), st.sampled_from(["complete", "interrupted"]))
TRICKS = st.lists(
    st.tuples(st.sampled_from(["drop", "twice", "later", "garble", "long", "restart", "lie"]), st.integers(0, 1 << 20)),
    max_size=60,
)


def tricked(hub: Hub, trick: str, number: int, piece: Piece, late: list[Piece]) -> None:
    """Deliver a piece as a hostile broker does."""
    match trick:
        case "drop":
            return
        case "later":
            late.append(piece)
            return
        case "garble":
            at = number % len(piece.data)
            piece = Piece(
                piece.offset, piece.size, piece.data[:at] + bytes([piece.data[at] ^ 1]) + piece.data[at + 1 :]
            )
        case "long":
            piece = Piece(piece.offset, 0, piece.data + bytes(number % 200))
        case "lie":
            piece = Piece(number % 2000, 0, piece.data)
        case "restart":
            hub.restart()
        case "twice":
            hub.feed(piece)
    hub.feed(piece)


@settings(max_examples=300, deadline=None)
@given(CLIPS, TRICKS, st.integers(1, PIECE))
def test_whatever_a_broker_does_with_the_pieces_the_file_is_the_cameras_or_a_beginning_of_it(
    data: bytes, tricks: list[tuple[str, int]], size: int
) -> None:
    hub, late = Hub(), list[Piece]()
    for trick, number in tricks:
        left = pieces(data, hub.reception.held, size)
        if not left:
            break
        tricked(hub, trick, number, left[number % min(len(left), 8)], late)
        if late and number % 3 == 0:
            hub.feed(late.pop(number % len(late)))
        assert data.startswith(hub.file)
    for piece in pieces(data, hub.reception.held, size):  # it gives up: the camera begins again at what is held
        hub.feed(piece)
    assert hub.file == data
    assert hub.reception.ended is verify(BytesSource(data), BOTH, geometry=SMALL).state


@given(CLIPS, st.integers(0, 5000))
def test_what_a_crash_leaves_of_a_file_is_gone_on_from_where_it_verifies(data: bytes, cut: int) -> None:
    hub = Hub()
    hub.file = bytearray(data[:cut])
    hub.reception.resume(BytesSource(bytes(hub.file)), BOTH)
    held = hub.reception.held
    assert held <= len(hub.file)
    assert len(hub.file) - held < 1686 + SMALL.segment_bytes
    hub.file = hub.file[:held]
    for piece in pieces(data, held):
        hub.feed(piece)
    assert hub.file == data
    assert hub.reception.ended is not None


@given(CLIPS, st.integers(0, 1 << 20))
def test_a_file_with_a_torn_last_segment_goes_on_before_it(data: bytes, where: int) -> None:
    torn = bytearray(data)
    at = max(0, len(torn) - 1 - where % SMALL.segment_bytes)
    torn[at] ^= 1
    reception = Reception(CLIP, SMALL)
    reception.resume(BytesSource(bytes(torn)), BOTH)
    assert reception.ended is None
    assert reception.held <= at


def test_a_clip_that_is_cut_stays_open() -> None:
    data, hub = clip(1000, "cut"), Hub()
    for piece in pieces(data, 0):
        assert hub.feed(piece).fed in (Fed.TAKEN, Fed.VERIFIED)
    assert hub.reception.ended is None
    assert data.startswith(hub.file)


def test_garbage_at_one_place_is_taken_three_times() -> None:
    hub = Hub()
    garbage = Piece(0, 0, bytes(PIECE))
    assert [hub.feed(garbage).fed for _ in range(TIMES)] == [Fed.DAMAGED] * (TIMES - 1) + [Fed.STOPPED]
    data = clip(1000)
    for piece in pieces(data, 0)[:6]:
        hub.feed(piece)
    assert hub.reception.held
    for _ in range(TIMES - 1):  # another place: it is counted anew
        done = [hub.feed(Piece(hub.reception.held + n * PIECE, 0, bytes(PIECE))).fed for n in range(3)]
        assert Fed.STOPPED not in done


@pytest.mark.parametrize("change", ["signer", "id", "suite"])
def test_another_clips_header_is_damage(change: str) -> None:
    data = bytearray(clip(100))
    if change == "suite":
        data[4] ^= 1
    signers = (scl1.STRANGER.public,) if change == "signer" else BOTH
    name = bytes(16) if change == "id" else CLIP
    reception = Reception(name, SMALL)
    fed = [reception.feed(one, signers).fed for one in pieces(bytes(data), 0)]
    assert Fed.DAMAGED in fed
    assert reception.held == 0


def test_an_end_by_a_key_that_is_not_known_yet_counts_once_it_is() -> None:
    data = clip(200, "interrupted")
    reception = Reception(CLIP, SMALL)
    for piece in pieces(data, 0):
        assert reception.feed(piece, BOTH[:1]).fed is Fed.TAKEN
    (*_, last) = pieces(data, 0)
    step = reception.feed(last, BOTH)  # it begins again, since nothing was heard
    assert (step.data, step.ended) == (data, State.INTERRUPTED)
