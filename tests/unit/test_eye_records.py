"""The eye records what it sees: clips beside events, and sight goes on whatever becomes of the encoder."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from sealcam.board.encoder import X264Encoder
from sealcam.board.fake_encoder import FakeEncoder
from sealcam.board.protocols import Frame
from sealcam.board.scripted import ScriptedCamera, grey_frame
from sealcam.clip_settings import ClipSettings
from sealcam.taping import Kit
from sealcam.wire import schema
from sealcam.wire.bodies import ClipBody, ClipState, EventType, HealthBody, IncidentBody
from sealcam.wire.clip import FileSource, Reader, State, verify
from sealcam.wire.errors import HardwareError
from tests.claimed import household
from tests.eye_home import Home, Masking, walk
from tests.films import shown

SETTINGS = ClipSettings(pre_roll_s=2, post_roll_s=1)
KIT = Kit(SETTINGS, partial(X264Encoder, fps=15, bytes_per_s=100_000), "the door", most_frames=1 << 20)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, household(tmp_path))


def video(home: Home, body: IncidentBody) -> bytes:
    """The clip whose key this event carries, whole."""
    assert body.clip is not None
    with (home.folder / "clips" / f"{body.clip.clip.hex()}.scl1").open("rb") as file:
        source = FileSource(file)
        status = verify(source, home.keys.camera.publics)
        assert status.state is State.COMPLETE
        return b"".join(Reader(source, status.header, body.clip.content_key))


def test_a_visit_is_a_clip_whose_key_is_in_its_incident(home: Home) -> None:
    source = walk(120)
    code, _ = home.run(lambda: ScriptedCamera(source), recording=KIT)
    assert (code, home.left) == (0, 0)
    (body,) = [one for one in home.incidents() if one.clip is not None]
    assert body.clip is not None
    assert home.incidents()[0].clip is None, "the first word waits for no clip"
    played = shown(video(home, body))
    times = [body.clip.started_ns // 1000 + time_us for time_us in played.times_us]
    assert times == [one.t_ns // 1000 for one in source if one.t_ns >= body.clip.started_ns][: len(times)]
    assert body.clip.started_ns <= body.started_ns
    assert times[-1] * 1000 >= body.ended_ns
    (fate,) = [schema.decode(one.body, ClipBody) for one in home.events() if one.kind == EventType.CLIP]
    assert (fate.clip, fate.state) == (body.clip.clip, ClipState.COMPLETE)


def test_what_is_open_when_the_footage_ends_is_finished_and_told_before_the_eye_ends(home: Home) -> None:
    home.run(lambda: ScriptedCamera(walk(120)[:50]), recording=KIT)
    (body,) = [one for one in home.incidents() if one.clip is not None]
    assert shown(video(home, body)).times_us[-1] == 4_900_000
    assert home.events()[-1].kind == EventType.CLIP
    assert home.left == 0


def test_an_eye_without_an_encoder_sees_all_the_same_and_says_so_once(home: Home) -> None:
    def none() -> FakeEncoder:
        raise HardwareError("there is no encoder")

    code, eye = home.run(lambda: ScriptedCamera(walk()), recording=Kit(SETTINGS, none))
    assert (code, eye.incidents) == (0, 1)
    codes = [schema.decode(one.body, HealthBody).code for one in home.events() if one.kind == EventType.HEALTH]
    assert codes == ["started", "encoder-failed"]
    assert not list((home.folder / "clips").glob("*.scl1"))


def test_the_next_start_knows_the_clips_of_the_last(home: Home) -> None:
    for _ in range(2):
        home.run(lambda: ScriptedCamera(walk(120)), recording=KIT)
    states = [schema.decode(one.body, ClipBody).state for one in home.events() if one.kind == EventType.CLIP]
    assert states == [ClipState.COMPLETE] * 2
    assert len(list((home.folder / "clips").glob("*.scl1"))) == 2


def test_a_camera_that_is_lost_mid_clip_leaves_each_clip_whole(home: Home) -> None:
    code, _ = home.run(lambda: ScriptedCamera(walk(120)[:40], HardwareError("the cable is loose")), recording=KIT)
    assert code == 1
    whole = 0
    for path in (home.folder / "clips").glob("*.scl1"):
        with path.open("rb") as file:
            assert verify(FileSource(file), home.keys.camera.publics).state is State.COMPLETE
        whole += 1
    assert whole == 2  # it was opened once more, and lost again


def test_masks_that_are_commanded_are_in_every_clip_that_begins_later(home: Home) -> None:
    """Bright stripes fill the upper left corner until the command is taken; then somebody comes."""
    masking = Masking(home)

    def striped(frame: Frame) -> Frame:
        frame.y[:54, :80] = np.where(np.arange(80) // 8 % 2 == 1, 150, 60)
        return frame

    def footage() -> Iterator[Frame]:
        index = 0
        while not masking.taken.is_set():
            yield striped(grey_frame(np.full((90, 160), 60, np.uint8), index * 100_000_000, index))
            index += 1
        yield from map(striped, walk(120, start_ns=index * 100_000_000))

    home.run(lambda: ScriptedCamera(footage()), answer=masking.answer, watch=masking.watch, recording=KIT)
    bodies = [one for one in home.incidents() if one.clip is not None]
    assert bodies
    with av.open(io.BytesIO(video(home, bodies[-1]))) as container:
        for picture in container.decode(video=0):
            luma = picture.to_ndarray()[: picture.height]
            assert luma[:50, :76].max() <= 26
            assert luma[60:, :].min() >= 40
