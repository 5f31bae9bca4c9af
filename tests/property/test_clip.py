"""Whatever is written in whatever pieces, cut wherever, and recovered: a clip never says what wasn't so."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from sealcam.wire.clip import BytesSource, FileSource, Geometry, Reader, State, blanked, recover, segment_keys, verify
from sealcam.wire.errors import EnvelopeError
from tests.scl1 import BOTH, CONTENT_KEY, LATER, SIGNER, chunks_of, content, header_of, sealed, writer

geometries = st.builds(Geometry, chunk_bytes=st.integers(98, 300), segment_chunks=st.integers(1, 5))


@given(geometries, st.lists(st.integers(0, 700), max_size=12), st.integers(0, 1 << 16))
@settings(max_examples=200)
def test_pieces_cuts_and_recoveries(geometry: Geometry, pieces: list[int], cut: int) -> None:
    plain, file, at = content(sum(pieces)), io.BytesIO(), 0
    writing = writer(file, geometry)
    for size in pieces:
        writing.write(plain[at : at + size])
        at += size
    closed = writing.finish()
    data, chunks = file.getvalue(), chunks_of(plain, geometry)
    status = verify(BytesSource(data), [SIGNER.public], geometry=geometry)
    assert (status.state, status.chunks, status.chain) == (State.COMPLETE, closed.chunks, closed.chain)
    assert b"".join(Reader(BytesSource(data), status.header, CONTENT_KEY, geometry=geometry)) == plain

    length = status.header.size_bytes + cut % (len(data) - status.header.size_bytes)
    short = io.BytesIO(data[:length])
    assert verify(FileSource(short), BOTH, geometry=geometry).state is State.CUT
    found = recover(short, BOTH, LATER, 9, geometry=geometry)
    after = verify(FileSource(short), BOTH, geometry=geometry)
    assert (after.state, after.chunks, after.chain) == (State.INTERRUPTED, found.chunks, found.chain)
    assert list(Reader(FileSource(short), after.header, CONTENT_KEY, geometry=geometry)) == chunks[: found.chunks]


@given(geometries, st.integers(0, 3000), st.sets(st.integers(0, 30), max_size=8))
def test_a_part_opens_as_that_part(geometry: Geometry, size: int, kept: set[int]) -> None:
    plain = content(size)
    data = sealed(plain, geometry)
    header = header_of(data)
    made = BytesSource(b"".join(blanked(BytesSource(data), header, kept, geometry=geometry)))
    keys = dict(zip(sorted(kept), segment_keys(header, CONTENT_KEY, sorted(kept)), strict=True))
    wanted = [one for n, one in enumerate(chunks_of(plain, geometry)) if n // geometry.segment_chunks in kept]
    assert list(Reader(made, header, keys, geometry=geometry)) == wanted


@given(st.binary(max_size=2000), st.booleans())
def test_noise_is_refused(noise: bytes, headed: bool) -> None:
    geometry = Geometry(128, 2)
    data = sealed(b"", geometry)[:726] + noise if headed else noise
    try:
        state = verify(BytesSource(data), BOTH, geometry=geometry).state
    except EnvelopeError:
        return
    assert headed
    assert state is State.CUT
