"""A camera's clip, opened by the hub that heard of it: every part a process of its own, on real footage."""

from __future__ import annotations

from pathlib import Path

from tests.films import shown
from tests.home.conftest import RunningHome

PLAIN = (b"ftypiso6", b"avcC", b"moof", b"mfra")


def test_people_on_real_footage_are_a_clip_that_the_hub_opens_with_the_key_it_heard(
    home: RunningHome, walkers: Path
) -> None:
    home.start(walkers, once=True, extra="[clips]\npost_roll_s = 1.0\n")
    assert home.home.parts["eye"].wait(90) == 0, home.home.last_words("eye")
    on_camera = (path for path in home.folder.rglob("*.scl1") if home.folder / "hub" not in path.parents)
    clips = sorted(on_camera, key=lambda path: path.stat().st_size)
    assert {path.stat().st_mode & 0o777 for path in clips} == {0o600}
    fates = [str(event) for event in home.chained() if event["type"] == "clip"]
    assert len(fates) == len(clips)
    assert all("a clip is complete" in fate for fate in fates)
    for path in clips:
        assert home.hub("clip", "verify", str(path)).startswith("complete: ")
    for path in home.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [word for word in PLAIN if word in content], path
    out = home.folder / "out.mp4"
    home.hub("clip", "open", str(clips[-1]), "-o", str(out))
    played = shown(out.read_bytes())
    assert played.size == (768, 576)
    # Paced, the encoder passes over frames where the machine is busy; those there are stand at their times.
    assert len(played.times_us) >= 2
    assert played.times_us[0] == 0
    assert played.times_us == sorted(set(played.times_us))
    assert 4_000_000 <= played.duration_us <= 7_200_000
