"""Clips from a camera's folder to the hub: a real post and a real broker between them, and a stand-in for the vault."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sealcam.freight import Freight, Load
from sealcam.messages import Way
from sealcam.sight.types import Verdict
from sealcam.wire.piece import MAX_PIECE_BYTES
from tests.broker import Broker
from tests.carrier import MIB, Camera
from tests.rig import EyeEnd, HubClient, PostProcess, mail, write_claim
from tests.slow_link import HOLD_BYTES, STEP_BYTES, SlowLink
from tests.vaulting import Vault
from tests.waiting import eventually

LONG_S = 90.0  # for a machine that is busy with other things
SLOW_BYTES_S = 250_000  # 2 Mbit/s
PART_BYTES = 60_000  # of a live view
EVENT_BYTES = 600
OLD_ACCESS = """\
pattern write sealcam/%u/ev
pattern read sealcam/%u/cmd
user {hub}
topic read sealcam/+/ev
topic write sealcam/+/cmd
"""


@pytest.fixture
def clips(tmp_path: Path) -> Iterator[Camera]:
    made = Camera(tmp_path / "clips")
    yield made
    made.store.close()


class Watched:
    """Freight whose loads are counted as the link takes them."""

    def __init__(self, inner: Freight) -> None:
        self.inner = inner
        self.loads: list[bytes] = []
        self.outs = 0

    def resumed(self, now_ns: int) -> None:
        self.inner.resumed(now_ns)

    def next(self, now_ns: int) -> Load | None:
        load = self.inner.next(now_ns)
        if load is not None:
            self.loads.append(load.payload)
        return load

    def due_in_ns(self, now_ns: int) -> int | None:
        return self.inner.due_in_ns(now_ns)

    def out(self, load: Load, now_ns: int) -> None:
        self.outs += 1
        self.inner.out(load, now_ns)

    def lost(self, load: Load, now_ns: int) -> None:
        self.inner.lost(load, now_ns)

    def refused(self, load: Load, limit_bytes: int, now_ns: int) -> None:
        self.inner.refused(load, limit_bytes, now_ns)


class Stream:
    """Parts of a live view without end."""

    def __init__(self, size: int) -> None:
        self._size, self._count = size, 0

    def resumed(self, now_ns: int) -> None:
        pass

    def next(self, now_ns: int) -> Load | None:
        self._count += 1
        return Load(Way.LIVE, b"s" * 16, self._count.to_bytes(8, "big").ljust(self._size, b"."))

    def due_in_ns(self, now_ns: int) -> int | None:
        return 0

    def out(self, load: Load, now_ns: int) -> None:
        pass

    def lost(self, load: Load, now_ns: int) -> None:
        pass

    def refused(self, load: Load, limit_bytes: int, now_ns: int) -> None:
        pass


@dataclass
class House:
    """What there is between a folder of clips and its hub."""

    eye: EyeEnd
    post: PostProcess
    hub: HubClient
    broker: Broker
    line: SlowLink


@contextmanager
def home(
    folder: Path,
    clips: Camera,
    freight: Freight | None = None,
    *,
    rate: int | None = None,
    outbox_bytes: int = 1 << 26,
    receipts: bool = True,
    **wanted: str,
) -> Iterator[House]:
    """An eye's end with its clips, a post, a broker (as `wanted`) behind a line that may be slow, and a hub."""
    with Broker(folder, **wanted) as broker, SlowLink(broker.port, rate or 1 << 30) as line:
        write_claim(folder / "post", broker, port=None if rate is None else line.port)
        with (
            HubClient(broker, answers=receipts, vault=Vault()) as hub,
            EyeEnd(
                folder / "eye",
                hub.key.public,
                max_bytes=outbox_bytes,
                freight=freight or clips.sending,
                held=lambda said: clips.sending.held(said),
            ) as eye,
            PostProcess(eye.socket, folder / "post") as post,
        ):
            clips.vault = hub.vault or clips.vault
            yield House(eye, post, hub, broker, line)


def test_clips_arrive_byte_for_byte_and_once(tmp_path: Path, clips: Camera) -> None:
    recorded = [clips.record(size) for size in (1000, 2 * MIB, 65_536)]
    with home(tmp_path, clips) as house:
        eventually(lambda: all(clips.arrived(one) for one in recorded), LONG_S, "clips")
        sent = sum(len(payload) - 20 for way, payload in house.hub.order if way == "clip")
        assert sent == sum(map(len, clips.files.values()))
        eventually(lambda: all(clips.store.find(one).sent for one in recorded), what="their noting")  # type: ignore[union-attr]


def test_a_post_or_a_broker_that_dies_on_the_way_costs_no_byte(tmp_path: Path, clips: Camera) -> None:
    recorded = [clips.record(3 * MIB) for _ in range(2)]
    with home(tmp_path, clips, rate=4_000_000) as house:
        for turn in range(1, 3):
            eventually(lambda: len(clips.vault.pieces) > 20 * turn, LONG_S, "pieces")  # noqa: B023
            if turn % 2:
                house.post.kill()
                house.post.start()
            else:
                house.broker.kill()
                eventually(lambda: not house.eye.link.up, what="noticing")
                house.broker.start()
        eventually(lambda: all(clips.arrived(one) for one in recorded), LONG_S, "clips")


def ahead_of_each_alarm(house: House, watched: Watched, alarms: int) -> tuple[int, int]:
    """Queue alarms while freight goes; how many loads, and how many bytes, went up the line at most between the moment
    in which one was queued and the alarm itself."""
    never, passed = threading.Event(), []
    for turn in range(alarms):
        eventually(lambda: len(watched.loads) > 3 * turn + 2, LONG_S, "loads")  # noqa: B023
        never.wait(0.013 * (turn % 5))
        house.eye.append(urgency=0)  # queueing takes a while: what was given to the post meanwhile was there first
        passed.append((watched.outs, house.line.passed_bytes))
    eventually(lambda: len(house.hub.events) == alarms, LONG_S, "alarms")
    loads, sizes = [], []
    for turn, (outs, passed_bytes) in enumerate(passed):
        at = next(
            index for index, (way, mail) in enumerate(house.hub.order) if way == "ev" and seq_of(mail) == turn + 1
        )
        loads.append(sum(way != "ev" for way, _ in house.hub.order[:at]) - outs)
        sizes.append(sum(len(payload) for _, payload in house.hub.order[:at]) - passed_bytes)
    return max(loads), max(sizes)


def seq_of(envelope: bytes) -> int:
    return int.from_bytes(envelope[4:12], "big")


def test_an_alarm_over_a_slow_link_waits_for_one_piece_at_most(tmp_path: Path, clips: Camera) -> None:
    clip = clips.record(4 * MIB)
    watched = Watched(clips.sending)
    with home(tmp_path, clips, watched, rate=SLOW_BYTES_S) as house:
        loads, size = ahead_of_each_alarm(house, watched, 12)
        assert loads <= 1
        assert size <= MAX_PIECE_BYTES + STEP_BYTES
        assert not clips.arrived(clip), "there was nothing to wait for"
        eventually(lambda: clips.arrived(clip), LONG_S, "the clip")


def test_an_alarm_during_a_live_view_over_a_slow_link_waits_for_one_part_at_most(tmp_path: Path, clips: Camera) -> None:
    watched = Watched(Stream(PART_BYTES))
    with home(tmp_path, clips, watched, rate=SLOW_BYTES_S) as house:
        loads, size = ahead_of_each_alarm(house, watched, 12)
        assert loads <= 1
        assert size <= PART_BYTES + (16 << 10) + 2 * HOLD_BYTES + STEP_BYTES, "what the two kernels hold as well"


@pytest.mark.parametrize("limit", ["max_packet_size 20000\n", "message_size_limit 20000\n"])
def test_a_broker_that_takes_less_than_a_chunk_gets_smaller_pieces(tmp_path: Path, clips: Camera, limit: str) -> None:
    clip = clips.record(2 * MIB)
    with home(tmp_path, clips, extra=limit) as house:
        house.eye.append()
        eventually(lambda: clips.arrived(clip), LONG_S, "the clip")
        assert max(len(payload) for way, payload in house.hub.order if way == "clip") <= 20_000
        eventually(lambda: len(house.hub.events) == 1, what="the event")
    assert clips.said == []


def test_a_broker_whose_access_list_knows_no_clips_costs_no_event_and_is_told(tmp_path: Path, clips: Camera) -> None:
    clips.record(2 * MIB)
    with home(tmp_path, clips, access=OLD_ACCESS) as house:
        eventually(lambda: clips.said, LONG_S, "telling")
        for _ in range(10):
            house.eye.append()
        eventually(lambda: len(house.hub.events) == 10, LONG_S, "events")
        assert "Not authorized" in house.post.log
    assert [code for code, _ in clips.said] == ["clips-refused"]
    assert all(clips.store.find(clip) for clip in clips.files)


def test_an_outbox_that_is_full_holds_up_no_clip_on_its_way_and_the_newest_events_stay(
    tmp_path: Path, clips: Camera
) -> None:
    first, second = clips.record(2 * MIB), clips.record(MIB)
    with home(tmp_path, clips, rate=1_000_000, outbox_bytes=10 * EVENT_BYTES, receipts=False) as house:
        outbox = house.eye.outbox
        eventually(lambda: len(clips.vault.pieces) > 2, LONG_S, "pieces")
        outbox.append(lambda seq, prev: mail(seq, prev, EVENT_BYTES), 3, 1, clip=first)
        for _ in range(40):
            house.eye.append(size=EVENT_BYTES)
        assert outbox.stats().evicted == 31
        assert outbox.clips_to_delete() == (first,)
        eventually(lambda: clips.arrived(first) and clips.arrived(second), LONG_S, "clips")
        eventually(lambda: {seq_of(one) for one in house.hub.events} >= set(range(32, 42)), LONG_S, "the newest")
        assert outbox.stats().queued == 10
    assert clips.said == []


def test_what_is_benign_stays_until_somebody_asks(tmp_path: Path, clips: Camera) -> None:
    clip = clips.record(MIB, Verdict.BENIGN)
    with home(tmp_path, clips) as house:
        house.eye.append()
        eventually(lambda: len(house.hub.events) == 1, what="the event")
        assert clips.vault.pieces == []
        clips.store.ask([clip])
        house.eye.link.wake()
        eventually(lambda: clips.arrived(clip), LONG_S, "the clip")
