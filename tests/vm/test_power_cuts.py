"""A camera records, and its power is cut: again and again, at every point of a clip's life. Nothing whole is lost.

`VM_CUTS` says how often (20). What happened where is printed, and kept in build/vm/cuts.txt. design/clips.md,
design/pipeline.md (clips on the camera).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import pytest

from sealcam.wire.bodies import ClipState
from sealcam.wire.clip import SCL1, BytesSource, State, read_header, verify
from sealcam.wire.errors import EnvelopeError, SealcamError
from sealcam_provision import home as homes
from tests.system.root import REPO, build_wheel
from tests.vm import moments, product
from tests.vm.image import Image
from tests.vm.moments import Moment, Tracker
from tests.vm.rig import Camera, Hub, Told, camera_files, clip_of, queued

CUTS = int(os.environ.get("VM_CUTS", "20"))
SEED = 5
MOMENT_S = 600.0  # a busy machine may not come to it: then it is cut all the same
SETTLED_S = 900.0
LEAST_FILM_BYTES = 100_000  # what is shorter may end within its first fragment


@dataclass(frozen=True, slots=True)
class Found:
    """A clip's file when the power was cut: whole chunks (none: its header was torn), bytes behind the last whole part,
    whether its end was written, and whether that was told. `promised` are the chunks that were synced by then."""

    clip: str
    chunks: int | None
    torn_bytes: int
    complete: bool
    told: bool
    promised: int
    content: bytes

    @property
    def place(self) -> str:
        """Where the power cut hit, in words."""
        if self.chunks is None:
            return "in a header"
        if self.told:
            return "between two clips"
        if self.complete:
            return "behind a clip's end, before it was told"
        if self.torn_bytes:
            return "within a chunk or a checkpoint"
        if not self.chunks:
            return "behind a header, before a chunk"
        return "behind a checkpoint" if self.chunks % SCL1.segment_chunks == 0 else "behind a chunk"


@dataclass(slots=True)
class Cuts:
    """What was seen at all power cuts, and of the camera afterwards.

    `outbox` and `ledger`: the hashes of all events that were queued, or in the hub's chain, at a cut, by number.
    """

    hub: Hub
    keys: frozenset[bytes]
    found: list[Found] = field(default_factory=list)
    moments: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    outbox: dict[int, set[str]] = field(default_factory=dict)
    ledger: dict[int, set[str]] = field(default_factory=dict)
    chain: dict[int, str] = field(default_factory=dict)
    clips: dict[str, Path] = field(default_factory=dict)

    def report(self) -> str:
        """Where the power was cut how often."""
        lines = [f"{sum(self.places.values())} power cuts, seed {SEED}"]
        for title, counts in (("asked for", self.moments), ("hit", self.places)):
            lines += [f"{title}: {count:3d} {what}" for what, count in sorted(counts.items())]
        lines.append(f"{len(self.found)} clips met a cut; {len(self.chain)} events in the hub's chain")
        return "\n".join(lines) + "\n"


def _found(path: Path, keys: Collection[bytes], checkpoints: int) -> Found:
    """What is in a clip's file after the journal was replayed."""
    clip, told, content = clip_of(path.name), path.suffix == ".scl1", path.read_bytes()
    promised = checkpoints * SCL1.segment_chunks
    source = BytesSource(content)
    try:
        header = read_header(source, keys)
    except EnvelopeError:
        return Found(clip, None, len(content), False, told, promised, content)
    chunks = SCL1.chunks_in(header.size_bytes, len(content))
    torn = (len(content) - header.size_bytes) % SCL1.segment_bytes % SCL1.sealed_bytes
    try:
        complete = verify(source, keys).state is State.COMPLETE
    except EnvelopeError:
        complete = False
    return Found(clip, chunks, torn, complete, told, min(promised, chunks) if complete else promised, content)


@pytest.fixture(scope="module")
def cuts(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cuts]:
    """The camera after all the power cuts, settled and ended in order; with what was seen on the way."""
    try:
        homes.find_mosquitto()
    except SealcamError as error:
        pytest.skip(f"no broker to start: {error}")
    folder = tmp_path_factory.mktemp("cuts")
    files = camera_files(folder)
    hub = Hub(folder)
    try:
        camera = Camera(image, product.build(build_wheel(folder), files, folder), hub)
        seen = Cuts(hub, frozenset(camera.keys))
        chance = random.Random(SEED)
        for number in range(CUTS):
            _cut(seen, camera, number, chance)
        _settle(seen, camera)
        report = REPO / "build" / "vm" / "cuts.txt"
        report.parent.mkdir(exist_ok=True)
        report.write_text(seen.report())
        print(f"\n{seen.report()}")
        yield seen
    finally:
        hub.end()


def _cut(seen: Cuts, camera: Camera, number: int, chance: random.Random) -> None:
    """One boot, one power cut, and what the disk holds then."""
    moment = list(Moment)[number % len(Moment)]
    known, folder = set(camera.names), camera.clips
    before = {clip_of(name) for name in camera.names.values()}
    machine, witness = camera.boot(number, lazy=number % 2 == 0)
    with machine:
        tracker = Tracker(witness, machine, folder, known)
        moments.wait(moment, chance, tracker.progress, MOMENT_S)
        machine.cut()
    promised = tracker.checkpoints()
    eye = camera.look(seen.hub.folder / f"cut-{number}")
    met = [
        _found(eye / "clips" / name, camera.keys, promised.get(inode, 0))
        for inode, name in camera.names.items()
        if name.endswith(moments.CLIP_ENDINGS) and clip_of(name) not in before
    ]
    for seq, mark in queued(eye).items():
        seen.outbox.setdefault(seq, set()).add(mark)
    for seq, mark in seen.hub.chain().items():
        seen.ledger.setdefault(seq, set()).add(mark)
    shutil.rmtree(eye)
    seen.found += met
    seen.moments[moment] += 1
    open_ones = [one.place for one in met if not one.told]
    seen.places[open_ones[0] if open_ones else "between two clips" if met else "before this start's first clip"] += 1


def _settle(seen: Cuts, camera: Camera) -> None:
    """Boot once more, until the hub has heard of every clip and every event that was there at a cut; end in order."""
    clips = {one.clip for one in seen.found if one.chunks is not None}
    machine, witness = camera.boot(CUTS)
    with machine:
        until, never = time.monotonic() + SETTLED_S, threading.Event()
        while not (clips <= seen.hub.clips().keys() and seen.outbox.keys() <= seen.hub.chain().keys()):
            assert time.monotonic() < until, f"the hub didn't hear of everything:\n{witness.text[-2000:]}"
            never.wait(1.0)  # the machine needs the processor more than we do
        camera.stop(machine)
        machine.end()
    eye = camera.look(seen.hub.folder / "after")
    seen.chain = seen.hub.chain()
    seen.clips = {clip_of(path.name): path for path in (eye / "clips").glob("*.[ps]*")}


def test_every_cut_was_made_and_clips_were_there_to_be_hit(cuts: Cuts) -> None:
    assert sum(cuts.places.values()) == CUTS
    assert cuts.found, cuts.report()


def test_every_whole_chunk_is_still_there_as_it_was_written(cuts: Cuts) -> None:
    for one in cuts.found:
        if one.chunks is None:
            continue
        after = cuts.clips[one.clip].read_bytes()
        header = read_header(BytesSource(after), cuts.keys)
        whole = header.size_bytes
        if one.chunks:
            whole = SCL1.chunk_at(header.size_bytes, one.chunks - 1) + SCL1.sealed_bytes
        assert after[:whole] == one.content[:whole], one.clip
        assert SCL1.chunks_in(header.size_bytes, len(after)) == one.chunks, one.clip


def test_what_was_synced_before_the_cut_was_there_behind_it(cuts: Cuts) -> None:
    for one in cuts.found:
        assert (one.chunks or 0) >= one.promised, one.clip


def test_every_clip_opens_at_the_hub_as_far_as_it_goes(cuts: Cuts) -> None:
    for clip, path in cuts.clips.items():
        status = verify(BytesSource(path.read_bytes()), cuts.keys)
        if not status.chunks:
            continue
        out = cuts.hub.folder / f"{clip}.mp4"
        cuts.hub.run("clip", "open", str(path), "-o", str(out))
        if out.stat().st_size > LEAST_FILM_BYTES:
            with av.open(str(out)) as film:
                assert next(film.decode(video=0)).width, clip


def test_no_clip_claims_to_be_complete_that_isnt_and_the_hub_knows_each_ones_chunks(cuts: Cuts) -> None:
    told = cuts.hub.clips()
    for clip, path in cuts.clips.items():
        assert path.suffix == ".scl1", clip
        status = verify(BytesSource(path.read_bytes()), cuts.keys)
        assert status.state is not State.CUT, clip
        if clip not in told:  # it ended when the camera did, and its word waits
            assert clip not in {one.clip for one in cuts.found}, clip
            continue
        state = ClipState.COMPLETE if status.state is State.COMPLETE else ClipState.INTERRUPTED
        assert told[clip] == Told(state, status.chunks), clip
    for one in cuts.found:
        if one.chunks is not None:
            assert told[one.clip] == Told(ClipState.COMPLETE if one.complete else ClipState.INTERRUPTED, one.chunks), (
                one.clip
            )


def test_a_torn_header_leaves_nothing(cuts: Cuts) -> None:
    assert not {one.clip for one in cuts.found if one.chunks is None} & cuts.clips.keys()


def test_the_chain_did_not_fork_and_nothing_that_was_queued_is_missing(cuts: Cuts) -> None:
    assert sorted(cuts.chain) == list(range(1, len(cuts.chain) + 1))
    for seen in (cuts.outbox, cuts.ledger):
        assert {seq: {cuts.chain[seq]} for seq in seen} == seen
    kinds = {str(event.get("kind")) for event in cuts.hub.events() if event["type"] == "notice"}
    assert not {kind for kind in kinds if kind in ("clone", "gap", "refused")}, kinds
    assert json.loads(cuts.hub.run("status", "--json"))["refused"] == 0
