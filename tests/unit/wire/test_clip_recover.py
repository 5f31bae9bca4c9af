"""Clips after a power cut: closed without the key, wherever it came and as often as it comes (design/wire.md 7.3)."""

from __future__ import annotations

import io

import pytest

from sealcam.wire.clip import BytesSource, State, recover, verify
from sealcam.wire.errors import EnvelopeError
from tests.scl1 import BOTH, LATER, SIGNER, SMALL, STRANGER, chunks_of, content, header_of, opened, sealed

PLAIN = content(5 * 128 + 50)
WHOLE = sealed(PLAIN)
CHUNKS: list[bytes | None] = [*chunks_of(PLAIN)]
HEADER, SEGMENT, MARK = 726, SMALL.segment_bytes, 113


def recovered(data: bytes) -> bytes:
    file = io.BytesIO(data)
    recover(file, BOTH, LATER, 4, geometry=SMALL)
    return file.getvalue()


def test_every_cut_keeps_every_whole_chunk_and_is_signed_for() -> None:
    for length in range(HEADER, len(WHOLE)):
        whole = sum(SMALL.chunk_at(HEADER, n) + SMALL.sealed_bytes <= length for n in range(6))
        file = io.BytesIO(WHOLE[:length])
        found = recover(file, BOTH, LATER, 4, geometry=SMALL)
        assert (found.state, found.chunks, found.size) == (State.INTERRUPTED, whole, 128 * whole)
        assert found.changed
        status = verify(BytesSource(file.getvalue()), BOTH, geometry=SMALL)
        assert (status.state, status.chunks, status.signed_chunks) == (State.INTERRUPTED, whole, whole)
        assert status.chain == found.chain
        assert opened(file.getvalue()) == CHUNKS[:whole]


def test_a_power_cut_during_recovery_changes_nothing_that_is_kept() -> None:
    for length in (HEADER, HEADER + 10, HEADER + 2 * 144, HEADER + SEGMENT, len(WHOLE) - 1, len(WHOLE) - 130):
        done = recovered(WHOLE[:length])
        for again in range(len(done) - MARK, len(done)):
            assert recovered(done[:again]) == done


def test_what_is_closed_stays_as_it_is() -> None:
    for data, state in ((WHOLE, State.COMPLETE), (recovered(WHOLE[:1200]), State.INTERRUPTED)):
        file = io.BytesIO(data)
        found = recover(file, BOTH, LATER, 4, geometry=SMALL)
        assert (found.state, found.changed) == (state, False)
        assert file.getvalue() == data


def test_a_checkpoint_that_does_not_verify_is_cut_off() -> None:
    for segment in (0, 1, 2):
        end = HEADER + (segment + 1) * SEGMENT
        for place in (0, 5, 16, 40, 112):
            torn = bytearray(WHOLE[:end])
            torn[end - MARK + place] ^= 0x10
            data = recovered(bytes(torn))
            status = verify(BytesSource(data), BOTH, geometry=SMALL)
            assert (status.state, status.chunks) == (State.INTERRUPTED, 2 * (segment + 1))
            assert opened(data) == CHUNKS[: status.chunks]


def test_a_checkpoint_that_reached_the_disk_before_its_chunks_is_cut_off() -> None:
    data = bytearray(WHOLE[: HEADER + 2 * SEGMENT])
    data[HEADER + SEGMENT + 144 : HEADER + SEGMENT + 2 * 144] = bytes(144)
    done = recovered(bytes(data))
    assert verify(BytesSource(done), BOTH, geometry=SMALL).state is State.INTERRUPTED
    assert opened(done) == [*CHUNKS[:3], None]


def test_a_stretch_the_disk_never_got_ends_the_clip_where_the_last_sure_segment_ends() -> None:
    data = WHOLE[: HEADER + SEGMENT] + bytes(len(WHOLE) - HEADER - SEGMENT)
    done = recovered(data)
    status = verify(BytesSource(done), BOTH, geometry=SMALL)
    assert status.state is State.INTERRUPTED
    assert opened(done)[:2] == CHUNKS[:2]


def test_damage_long_before_the_end_costs_no_later_chunk() -> None:
    data = bytearray(WHOLE[:-1])
    data[HEADER + 20] ^= 1
    assert opened(recovered(bytes(data))) == [None, *CHUNKS[1:]]


def test_a_file_without_a_whole_header_has_nothing_to_keep() -> None:
    for data in (b"", WHOLE[:10], WHOLE[: HEADER - 1], b"x" + WHOLE[1:]):
        with pytest.raises(EnvelopeError):
            recovered(data)
    with pytest.raises(EnvelopeError):
        recover(io.BytesIO(WHOLE), [STRANGER.public], LATER, 4, geometry=SMALL)


def test_a_recovery_tells_who_signed_it_and_syncs_at_its_end() -> None:
    file, synced = io.BytesIO(WHOLE[:-1]), []
    recover(file, [SIGNER.public], LATER, 4, sync=lambda: synced.append(len(file.getvalue())), geometry=SMALL)
    data = file.getvalue()
    assert synced == [len(data)]
    assert (data[-MARK], data[-MARK + 1 : -MARK + 9], data[-MARK + 12]) == (2, LATER.kid, 4)
    assert verify(BytesSource(data), BOTH, geometry=SMALL).header == header_of(WHOLE)


def test_a_recovery_knows_its_own_hand_again() -> None:
    file = io.BytesIO(WHOLE[: HEADER + 2 * 144 - 1])
    assert recover(file, [SIGNER.public], LATER, 4, geometry=SMALL).changed
    assert not recover(file, [SIGNER.public], LATER, 4, geometry=SMALL).changed
