"""What a beat says of the camera's disk: whole MiB, and never at the price of a larger envelope."""

from __future__ import annotations

from dataclasses import replace

from sealcam.pieces import COVER_PADDED_BYTES
from sealcam.told_storage import storage_of, with_storage
from sealcam.wire import schema
from sealcam.wire.bodies import BeatBody, HubPrekey, Storage
from sealcam.wire.envelope import padded_size
from sealcam.wire.filler import FRAME_BYTES, filled
from tests.vectors.builder import cbor
from tests.vectors.make_sev1 import beat

MIB = 1 << 20
MOST = (1 << 32) - 1
BEAT = schema.decode(cbor(beat()), BeatBody)
LARGEST = storage_of(1 << 62, 1 << 62, 1 << 62, 1 << 62)


def read(body: bytes) -> Storage | None:
    return schema.decode(body, BeatBody).storage


def test_bytes_are_told_in_whole_mib_and_no_more_than_the_wire_has_room_for() -> None:
    told = storage_of(30_000 * MIB + 5, 4 * MIB - 1, 0, 4 << 30)
    assert told == Storage(disk_mib=30_000, free_mib=3, clips_mib=0, clips_most_mib=4096)
    assert Storage(disk_mib=MOST, free_mib=MOST, clips_mib=MOST, clips_most_mib=MOST) == LARGEST
    assert storage_of(0, -1, 0, 0).free_mib == 0


def test_a_beat_says_it_and_its_envelope_is_as_long_whatever_it_says() -> None:
    for one in (storage_of(0, 0, 0, 0), LARGEST):
        body = with_storage(BEAT, one)
        assert read(body) == one
        assert padded_size(len(body) + FRAME_BYTES) == padded_size(len(schema.encode(BEAT)) + FRAME_BYTES) == 512
        assert len(filled(body, COVER_PADDED_BYTES)) + FRAME_BYTES > COVER_PADDED_BYTES // 2
    assert with_storage(BEAT, None) == schema.encode(BEAT)


def test_where_the_padding_has_no_room_it_is_left_out() -> None:
    told = set()
    for letters in range(400):
        long = replace(BEAT, firmware="x" * letters)
        plain, body = schema.encode(long), with_storage(long, LARGEST)
        size = padded_size(len(plain) + FRAME_BYTES)
        assert padded_size(len(body) + FRAME_BYTES) == size
        full = schema.encode(replace(long, storage=LARGEST))
        assert body == (full if len(full) + FRAME_BYTES <= size else plain)
        told.add((size, read(body)))
        assert read(with_storage(long, LARGEST, COVER_PADDED_BYTES)) == LARGEST
    assert told == {(512, LARGEST), (512, None), (1024, LARGEST)}


def test_a_home_of_eight_hubs_is_told_in_the_smallest_envelope_too() -> None:
    others = tuple(HubPrekey(hub=bytes([n]) * 8, prekey=1 << 20, oldest_prekey=1 << 20) for n in range(7))
    body = with_storage(replace(BEAT, others=others), LARGEST)
    assert read(body) == LARGEST
    assert padded_size(len(body) + FRAME_BYTES) == 512
