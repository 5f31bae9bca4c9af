"""Writing clips: in pieces of any size, onto disks that fail, with a key that is gone afterwards."""

from __future__ import annotations

import io

import pytest

from sealcam.wire.clip import (
    MAX_CHUNKS,
    check_content_key,
)
from tests.scl1 import (
    SMALL,
    chunks_of,
    content,
    header_of,
    opened,
    sealed,
    writer,
)


def test_the_key_is_there_before_the_first_chunk_and_gone_after_the_last() -> None:
    file = io.BytesIO()
    writing = writer(file, content_key=None)
    assert len(file.getvalue()) == 726
    key = writing.content_key
    check_content_key(header_of(file.getvalue()), key)
    writing.write(b"x" * 300)
    assert writing.size == 300
    closed = writing.finish()
    assert (closed.chunks, closed.size) == (3, 300)
    for late in (lambda: writing.content_key, lambda: writing.write(b"x"), writing.finish):
        with pytest.raises(ValueError, match="closed"):
            late()


def test_two_clips_have_two_keys() -> None:
    keys = {writer(io.BytesIO(), content_key=None).content_key for _ in range(8)}
    assert len(keys) == 8


def test_content_may_come_in_pieces_of_any_kind() -> None:
    plain = content(777)
    whole = sealed(plain)
    file = io.BytesIO()
    writing = writer(file)
    writing.write(b"")
    writing.write(bytearray(plain[:100]))
    writing.write(memoryview(plain)[100:500])
    for n in range(500, 777):
        writing.write(plain[n : n + 1])
    writing.finish()
    assert opened(file.getvalue()) == opened(whole)


def test_the_disk_is_synced_behind_header_and_checkpoints() -> None:
    file = io.BytesIO()
    seen: list[int] = []
    writing = writer(file, sync=lambda: seen.append(len(file.getvalue())))
    writing.write(content(3 * 128))
    writing.finish()
    segment = SMALL.segment_bytes
    assert seen == [726, 726 + segment, 726 + 2 * segment]


def test_a_disk_that_fails_closes_the_clip_between_whole_chunks_and_what_is_there() -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            if len(self.getvalue()) > 1100:
                raise OSError(28, "no space left")
            return super().write(data)  # type: ignore[arg-type]

    file = Full()
    writing = writer(file)
    with pytest.raises(OSError, match="no space"):
        writing.write(content(2000))
    with pytest.raises(ValueError, match="closed"):
        writing.write(b"more")
    assert opened(file.getvalue()) == chunks_of(content(2000))[: len(opened(file.getvalue()))]


def test_a_file_that_takes_a_little_at_a_time_gets_everything() -> None:
    class Slow(io.BytesIO):
        def write(self, data: object) -> int:
            return super().write(memoryview(data)[:50])  # type: ignore[call-overload]

    file = Slow()
    writing = writer(file)
    writing.write(content(500))
    writing.finish()
    assert opened(file.getvalue()) == chunks_of(content(500))


def test_an_abandoned_clip_keeps_its_whole_chunks_and_no_key() -> None:
    file = io.BytesIO()
    writing = writer(file)
    writing.write(content(300))
    for _ in range(2):
        writing.abandon()
    with pytest.raises(ValueError, match="closed"):
        _ = writing.content_key
    assert opened(file.getvalue()) == chunks_of(content(300))[:2]


def test_a_clip_that_would_be_too_long_is_told_before_anything_is_written() -> None:
    class Hole(io.RawIOBase):
        def write(self, data: object) -> int:
            return len(data)  # type: ignore[arg-type]

    writing = writer(Hole())  # type: ignore[arg-type]
    writing._size = MAX_CHUNKS * SMALL.chunk_bytes - 10
    with pytest.raises(ValueError, match="2\\^20"):
        writing.write(bytes(10))
    writing.write(bytes(9))
