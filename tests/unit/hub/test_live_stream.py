"""The hub's reader of a live session against the frozen vectors, and its bounds."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.wire.bodies import Stamp
from sealcam.wire.clip import ClipInfo, content_key, read_info
from sealcam.wire.keys import BoxKey
from sealcam.wire.live import Content, LiveWriter, read_start
from sealcam_hub.live_stream import HELD_BYTES, Start, Stream
from tests.scl1 import CLIP, RECIPIENTS, SIGNER, STAMP

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "slv1.json").read_text())
S = 1_000_000_000


def reader(session: bytes, signers: list[bytes], key: BoxKey) -> Stream:
    """A stream that knows these keys."""

    def opens(message: bytes) -> Start | None:
        header = read_start(message, session, signers)
        if header is None:
            return None
        secret = content_key(header, [key])
        return Start(header, secret, read_info(header, secret))

    numbers = count()
    return Stream(opens, lambda: next(numbers))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_hub_takes_what_the_vectors_say_and_nothing_else(case: dict[str, Any]) -> None:
    signers = [bytes.fromhex(one) for one in case["signers_hex"]]
    key = BoxKey(bytes.fromhex(case["recipient_secret_hex"]))
    stream = reader(bytes.fromhex(case["session_hex"]), signers, key)
    taken = []
    for second, message in enumerate(case["messages_hex"]):
        picture = stream.take(bytes.fromhex(message), second * S, second * S)
        if picture is not None:
            taken.append((int(picture.content), str(picture.seen_ns), picture.data.hex()))
    assert taken == [(one["content"], one["seen_ns"], one["data_hex"]) for one in case["taken"]]


def writer(part: int = 0, at: Stamp = STAMP) -> LiveWriter:
    info = ClipInfo(incident=bytes(8), at=at, media="video/mp4", part=part)
    return LiveWriter(SIGNER, [RECIPIENTS[0].public], session=CLIP, info=info, epoch=1, recipient_set=1)


def test_only_the_pictures_since_the_last_keyframe_are_held() -> None:
    stream, camera = reader(CLIP, [SIGNER.public], RECIPIENTS[0]), writer()
    stream.take(camera.start, 0, 0)
    for turn in range(3):
        for content in (Content.BEGINNING, Content.KEYFRAME, Content.PICTURES, Content.PICTURES):
            stream.take(camera.seal(content, 0, 0, b"%d" % turn), 0, 0)
    assert [one.content for one in stream.held] == [Content.BEGINNING, Content.KEYFRAME, *[Content.PICTURES] * 2]
    assert {one.data for one in stream.held} == {b"2"}


def test_a_keyframe_that_never_ends_holds_no_more_than_its_bound_and_goes_on_for_who_looks() -> None:
    stream, camera = reader(CLIP, [SIGNER.public], RECIPIENTS[0]), writer()
    stream.take(camera.start, 0, 0)
    stream.take(camera.seal(Content.BEGINNING, 0, 0, b""), 0, 0)
    stream.take(camera.seal(Content.KEYFRAME, 0, 0, b""), 0, 0)
    for _ in range(12):
        assert stream.take(camera.seal(Content.PICTURES, 0, 0, bytes(1 << 20)), 0, 0) is not None
        assert sum(len(one.data) for one in stream.held) <= HELD_BYTES
    assert stream.held == []
    stream.take(camera.seal(Content.KEYFRAME, 0, 0, b""), 0, 0)
    assert stream.held == []  # nobody can begin there without a beginning
    stream.take(camera.seal(Content.BEGINNING, 0, 0, b""), 0, 0)
    stream.take(camera.seal(Content.KEYFRAME, 0, 0, b""), 0, 0)
    assert len(stream.held) == 2


def test_a_start_of_another_boot_or_of_before_never_takes_over() -> None:
    stream, camera = reader(CLIP, [SIGNER.public], RECIPIENTS[0]), writer(part=1)
    stream.take(camera.start, 0, 0)
    stream.take(camera.seal(Content.BEGINNING, 0, 0, b""), 0, 0)
    later = Stamp(boot=STAMP.boot, boot_ns=STAMP.boot_ns + 1, wall_ns=0, quality=STAMP.quality)
    other = Stamp(boot=bytes(16), boot_ns=later.boot_ns, wall_ns=0, quality=STAMP.quality)
    for second, wrong in enumerate((writer(part=0, at=later), writer(part=1), writer(part=9, at=other)), 1):
        assert stream.take(wrong.start, second * S, 0) is None
        assert stream.take(wrong.seal(Content.BEGINNING, 0, 0, b""), second * S, 0) is None
    right = writer(part=1, at=later)
    stream.take(right.start, 9 * S, 0)
    assert stream.take(right.seal(Content.BEGINNING, 0, 0, b""), 9 * S, 0) is not None


SENT = [writer()]
MESSAGES = [
    SENT[0].start,
    *(
        SENT[0].seal(content, 0, 0, b"some pictures")
        for content in (Content.BEGINNING, Content.KEYFRAME, Content.PICTURES, Content.END)
    ),
]


@given(st.lists(st.tuples(st.integers(0, len(MESSAGES) - 1), st.integers(0, 8000), st.integers(0, 255)), max_size=12))
def test_whatever_comes_is_taken_as_it_was_sealed_or_dropped(changes: list[tuple[int, int, int]]) -> None:
    stream, last = reader(CLIP, [SIGNER.public], RECIPIENTS[0]), -1
    for second, (which, bit, cut) in enumerate(changes):
        message = bytearray(MESSAGES[which])
        changed = bit < 8 * len(message)
        if changed:
            message[bit // 8] ^= 1 << bit % 8
        if cut > 250:
            del message[cut - 250 :]
        picture = stream.take(bytes(message), second * S, second * S)
        if picture is not None:
            assert not changed
            assert which > last
            assert picture.data == b"some pictures"
            last = which
