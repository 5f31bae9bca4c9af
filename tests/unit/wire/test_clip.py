"""Clips: what was written is read, at any place, by its recipients and by nobody else (design/wire.md section 7)."""

from __future__ import annotations

import io
import struct
import tracemalloc
from pathlib import Path

import nacl.bindings
import nacl.exceptions
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sealcam.wire import labels
from sealcam.wire.clip import (
    MAX_CHUNKS,
    SCL1,
    BytesSource,
    FileSource,
    Geometry,
    Reader,
    State,
    segment_keys,
    verify,
)
from sealcam.wire.clip_format import nonce
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import key_id
from tests.scl1 import (
    CONTENT_KEY,
    SIGNER,
    SMALL,
    chunks_of,
    content,
    header_of,
    opened,
    sealed,
    writer,
)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 255, 256, 257, 511, 512, 640, 1000])
def test_what_was_written_is_read(size: int) -> None:
    plain = content(size)
    data = sealed(plain)
    assert opened(data) == chunks_of(plain)
    assert verify(BytesSource(data), [SIGNER.public], geometry=SMALL).state is State.COMPLETE


@pytest.mark.parametrize("size", [0, 65_535, 65_536, 15 * 65_536, 16 * 65_536 - 1, 16 * 65_536, 2_500_000])
def test_what_was_written_is_read_at_full_size(size: int) -> None:
    plain = content(size)
    data = sealed(plain, SCL1)
    source = BytesSource(data)
    status = verify(source, [SIGNER.public])
    assert (status.state, status.chunks, status.signed_chunks) == (
        State.COMPLETE,
        size // 65_536 + 1,
        size // 65_536 + 1,
    )
    assert b"".join(Reader(source, status.header, CONTENT_KEY)) == plain


def test_the_lengths_are_those_of_the_specification() -> None:
    assert (SCL1.sealed_bytes, SCL1.segment_bytes) == (65_552, 1_048_945)
    assert header_of(sealed(b"")).size_bytes == 726
    assert len(sealed(b"", SCL1)) == 726 + 65_552 + 113
    assert SCL1.chunk_at(726, 33) == 726 + 2 * 1_048_945 + 65_552


def test_any_chunk_opens_alone() -> None:
    plain = content(1000)
    data = sealed(plain)

    class Counting(BytesSource):
        asked = 0

        def read(self, offset: int, length: int) -> bytes:
            self.asked += length
            return super().read(offset, length)

    header = header_of(data)
    for number in (7, 0, 3, 6, 1):
        source = Counting(data)
        assert Reader(source, header, CONTENT_KEY, geometry=SMALL).chunk(number) == chunks_of(plain)[number]
        assert source.asked <= SMALL.sealed_bytes + 113  # the last one: and whether an end stands behind it
    for number in (-1, 8, 1 << 40):
        with pytest.raises(EnvelopeError):
            Reader(BytesSource(data), header, CONTENT_KEY, geometry=SMALL).chunk(number)


def test_keys_of_some_segments_open_these_and_no_others() -> None:
    plain = content(1000)
    data = sealed(plain)
    header, chunks = header_of(data), chunks_of(plain)
    first, third = segment_keys(header, CONTENT_KEY, [0, 2])
    reader = Reader(BytesSource(data), header, {0: first, 2: third}, geometry=SMALL)
    assert list(reader) == [*chunks[0:2], *chunks[4:6]]
    with pytest.raises(EnvelopeError):
        reader.chunk(2)
    with pytest.raises(EnvelopeError):
        Reader(BytesSource(data), header, {1: first}, geometry=SMALL).chunk(2)


@pytest.mark.parametrize("number", [-1, 1 << 32])
def test_a_segment_number_that_is_none_is_the_callers_mistake(number: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        segment_keys(header_of(sealed(b"")), CONTENT_KEY, [number])


def test_chunks_are_the_same_under_both_libraries() -> None:
    key, plain = b"\x07" * 32, content(65_536)
    for number, final in ((0, False), (1, True), (1 << 19, False)):
        ours = ChaCha20Poly1305(key).encrypt(nonce(number, final), plain, None)
        theirs = nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plain, None, nonce(number, final), key)
        assert ours == theirs
        back = nacl.bindings.crypto_aead_chacha20poly1305_ietf_decrypt(ours, None, nonce(number, final), key)
        assert back == ChaCha20Poly1305(key).decrypt(nonce(number, final), theirs, None) == plain
        for broken in (ours[:-1] + bytes([ours[-1] ^ 1]), ours[:-1], ours[:16]):
            with pytest.raises(InvalidTag):
                ChaCha20Poly1305(key).decrypt(nonce(number, final), broken, None)
            with pytest.raises(nacl.exceptions.CryptoError):
                nacl.bindings.crypto_aead_chacha20poly1305_ietf_decrypt(broken, None, nonce(number, final), key)


def test_a_geometry_that_lengths_could_not_tell_apart_is_none() -> None:
    for wrong in ((97, 4), (128, 0)):
        with pytest.raises(ValueError, match="longer than a checkpoint"):
            Geometry(*wrong)


class Vast:
    """A source that claims a size, and has no byte behind the header."""

    def __init__(self, header: bytes, size: int) -> None:
        self._header = header
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        return self._header[offset : offset + length]


def test_a_size_that_no_clip_has_is_refused_at_once() -> None:
    data = sealed(b"", SCL1)[:726]
    for size in (1 << 62, 726 + MAX_CHUNKS * 65_552 + (MAX_CHUNKS // 16) * 113 + 65_552):
        source = Vast(data, size)
        for use in (lambda: verify(source, [SIGNER.public]), lambda: Reader(source, header_of(data), CONTENT_KEY)):  # noqa: B023
            with pytest.raises(EnvelopeError):
                use()


def test_a_source_that_gives_less_or_more_than_asked_is_refused() -> None:
    data = sealed(content(500))

    class Short(BytesSource):
        def read(self, offset: int, length: int) -> bytes:
            return super().read(offset, length)[: length - (offset >= 726)]

    class Long(BytesSource):
        def read(self, offset: int, length: int) -> bytes:
            return super().read(offset, length) + bytes(offset >= 726)

    for hostile in (Short(data), Long(data), Vast(data[:726], len(data))):
        with pytest.raises(EnvelopeError):
            verify(hostile, [SIGNER.public], geometry=SMALL)
        with pytest.raises(EnvelopeError):
            Reader(hostile, header_of(data), CONTENT_KEY, geometry=SMALL).chunk(0)


def test_a_file_that_gives_a_little_at_a_time_is_read_whole() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 60))

    plain = content(700)
    source = FileSource(Slow(sealed(plain)))
    status = verify(source, [SIGNER.public], geometry=SMALL)
    assert list(Reader(source, status.header, CONTENT_KEY, geometry=SMALL)) == chunks_of(plain)


def test_memory_stays_small_however_long_the_clip_is(tmp_path: Path) -> None:
    piece = content(1 << 20)
    with (tmp_path / "long.scl1").open("w+b", buffering=0) as file:
        tracemalloc.start()
        writing = writer(file, SCL1)  # type: ignore[arg-type]
        for _ in range(24):
            writing.write(piece)
        writing.finish()
        source = FileSource(file)
        status = verify(source, [SIGNER.public])
        size = sum(len(chunk) for chunk in Reader(source, status.header, CONTENT_KEY))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (size, status.chunks) == (24 << 20, 24 * 16 + 1)
    assert peak < 1 << 20


def test_progress_reaches_the_end() -> None:
    data = sealed(content(1000))
    told: list[tuple[int, int]] = []
    verify(BytesSource(data), [SIGNER.public], lambda done, size: told.append((done, size)), geometry=SMALL)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (len(data) - 113, len(data))


def test_a_checkpoint_is_laid_out_as_specified() -> None:
    data = sealed(b"x" * 100)
    mark = data[-113:]
    kind, kid, epoch, chunks = struct.unpack_from(">B8sII", mark)
    assert (kind, kid, epoch, chunks) == (1, key_id(SIGNER.public), 3, 1)
    header_hash = labels.blake2b(labels.CLIP_HEADER_HASH, data[:726])
    assert mark[17:49] == labels.blake2b(labels.CLIP_CHAIN, header_hash, data[726:-113])
    assert mark[49:] == SIGNER.sign(labels.CLIP_CHECKPOINT, header_hash, mark[:49])
