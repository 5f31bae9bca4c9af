"""Recorder, sealer and outbox together: a clip's key goes out with its incident, and keys may change meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from sealcam.board.encoder import X264Encoder
from sealcam.clips import ClipFolder
from sealcam.clocks import SimulatedClock
from sealcam.openclip import Recorded
from sealcam.outbox import Outbox
from sealcam.recorder import Parts, Recorder
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.sight.types import ArmMode, Report, Stage
from sealcam.stamps import Stamps
from sealcam.wire import schema
from sealcam.wire.bodies import ClipBody, ClipState, ClockQuality, EventType, IncidentBody
from sealcam.wire.bodies import Stage as SaidStage
from sealcam.wire.clip import FileSource, Header, Reader, read_info, verify
from tests.chains import follow, queued
from tests.claimed import Household, household
from tests.films import frames, ns, report, shown
from tests.recording import SETTINGS


@dataclass
class Camera:
    """A claimed camera that records."""

    home: Household
    outbox: Outbox
    sealing: Sealing
    sealer: Sealer
    folder: Path
    recorder: Recorder
    first: bytes

    def film(self, seconds: float, start_s: float, reports: tuple[Report, ...] = ()) -> list[Recorded]:
        """The reports come with the first frame, and are told before the recorder hears them."""
        ended: list[Recorded] = []
        for one in reports:
            self.sealer.report(one)
        for index, one in enumerate(frames(seconds, start_s=start_s)):
            ended += self.recorder.take(one, () if index else reports)
        return ended

    def opened(self, body: IncidentBody) -> tuple[Header, bytes]:
        """The clip whose key an event carries, and its video."""
        assert body.clip is not None
        with (self.folder / f"{body.clip.clip.hex()}.scl1").open("rb") as file:
            source = FileSource(file)
            header = verify(source, self.home.camera.publics).header
            assert read_info(header, body.clip.content_key).at.boot_ns == body.clip.started_ns
            return header, b"".join(Reader(source, header, body.clip.content_key))


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    home = household(tmp_path / "eye")
    outbox = Outbox(tmp_path / "eye" / "outbox.db", max_bytes=1 << 30)
    clock = SimulatedClock(boot_ns=ns(100), wall_ns=1_790_000_000 * 10**9)
    stamps = Stamps(clock, lambda: ClockQuality.SYNCHRONISED)
    sealing = Sealing(home.camera, outbox, stamps.now)
    sealer = Sealer(sealing, clock, lambda: Watching(0, 0, 0, ArmMode.AWAY), stamps)
    folder = ClipFolder(tmp_path / "clips")
    parts = Parts(
        settings=SETTINGS,
        encoder=partial(X264Encoder, fps=15, bytes_per_s=100_000),
        folder=folder,
        seal=sealing.clip_seal,
        stamp=stamps.at,
        voice=sealer,
        recover=lambda: folder.recover(home.camera.publics, home.camera.signer, home.camera.epoch, sealer.clip),
    )
    first = home.camera.signer.public
    yield Camera(home, outbox, sealing, sealer, tmp_path / "clips", Recorder(parts), first)
    outbox.close()


def test_each_clips_key_is_in_an_event_before_what_became_of_it_and_opens_it(camera: Camera) -> None:
    new = report(Stage.NEW, 110, 109.5)
    camera.film(10, 100)
    camera.film(3, 110, (new,))
    assert camera.sealing.take_set(camera.home.choose(2, camera.home.hub))
    camera.film(3, 113)
    assert not camera.sealing.take_rotation(camera.home.rotation(2))
    camera.film(3, 116)
    camera.film(10, 119, (replace(new, stage=Stage.END, t_ns=ns(119)),))
    chain = follow(queued(camera.outbox), camera.first, camera.home.prekey)
    kinds = [EventType(one.kind).name.lower() for one in chain]
    assert kinds == ["incident", "incident", "clip", "incident", "clip", "epoch", "incident", "incident", "clip"]
    said = [schema.decode(one.body, IncidentBody) for one in chain if one.kind == EventType.INCIDENT]
    assert [body.stage for body in said] == [SaidStage.NEW, *[SaidStage.UPDATE] * 3, SaidStage.END]
    assert [body.clip is not None for body in said] == [False, True, True, True, False]
    fates = [schema.decode(one.body, ClipBody) for one in chain if one.kind == EventType.CLIP]
    carrying = [body for body in said if body.clip is not None]
    headers, times = [], []
    for body, fate in zip(carrying, fates, strict=True):
        assert body.clip is not None
        assert (fate.clip, fate.state) == (body.clip.clip, ClipState.COMPLETE)
        header, video = camera.opened(body)
        headers.append((header.epoch, header.recipient_set))
        assert len(video) == fate.size
        times += [body.clip.started_ns // 1000 + time_us for time_us in shown(video).times_us]
    assert headers == [(1, 1), (1, 2), (2, 2)]
    assert all(90_000 < later - earlier < 110_000 for earlier, later in pairwise(times))
    first = carrying[0]
    assert first.clip is not None
    assert ns(SETTINGS.pre_roll_s) <= first.started_ns - first.clip.started_ns <= ns(SETTINGS.pre_roll_s + 1)


def test_a_clip_whose_incident_ended_before_it_began_is_announced_with_the_end(camera: Camera) -> None:
    new = report(Stage.NEW, 100.5, 100.1)
    camera.film(0.5, 100)
    camera.film(0.2, 100.5, (new, replace(new, stage=Stage.END)))
    (one,) = camera.recorder.stop()
    chain = follow(queued(camera.outbox), camera.first, camera.home.prekey)
    said = [schema.decode(one.body, IncidentBody) for one in chain if one.kind == EventType.INCIDENT]
    assert [body.stage for body in said] == [SaidStage.NEW, SaidStage.END, SaidStage.END]
    assert said[2].clip is not None
    assert said[2].clip.clip == one.clip
