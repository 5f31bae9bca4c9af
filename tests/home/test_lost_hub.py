"""The hub's disk is gone: a new hub, the 24 words, a backup, and what the camera still has in its queue."""

from __future__ import annotations

import itertools
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sealcam_provision import home as homes
from tests import typing_person
from tests.home.conftest import RunningHome
from tests.waiting import eventually


def _written(home: RunningHome) -> tuple[tuple[int, int], ...]:
    """What changes when the camera queues something."""
    eye = home.folder / "camera" / "eye"
    return tuple((path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(eye.glob("outbox.db*")))


def _loses_its_hub(home: RunningHome, backup: Path) -> tuple[str, int]:
    """A hub ends, and its disk with it, but for a backup; the camera goes on: the words, and what is queued."""
    hub = home.folder / "hub"
    words = (hub / "throwaway-words.txt").read_text().splitlines()[-1]
    home.kill("hub")
    home.hub("backup", "-o", str(backup))  # what a hub receipts after its last backup is gone with it
    for _ in range(2):
        before = _written(home)
        eventually(lambda before=before: _written(home) != before, 60.0, "the camera queues without its hub")  # type: ignore[misc]
    queued = json.loads(home.home.end("eye").strip().splitlines()[-1])["queued"]
    for name in ("post", "broker"):
        home.kill(name)
    shutil.rmtree(hub)
    return words, queued


def _whole(events: list[dict[str, Any]]) -> bool:
    """Whether every place of the chain up to the newest is there."""
    return sorted(event["seq"] for event in events) == list(range(1, len(events) + 1))


def test_a_lost_hub_comes_back_from_words_backup_and_what_the_camera_kept(
    home: RunningHome, walkers: Path, tmp_path: Path
) -> None:
    home.start(walkers, once=False)
    home.until_events(4)
    backup, hub = tmp_path / "hub.backup", home.folder / "hub"
    words, queued = _loses_its_hub(home, backup)
    assert queued > 0
    port = homes.free_port()
    command = (homes.program("sealcam-hub"), "--state", hub, "recover", "--from", backup, "--broker")
    with ThreadPoolExecutor(1) as person:
        coming = person.submit(typing_person.run, [*command, f"127.0.0.1:{port}"], [("word  1 of 24: ", words)])
        eventually(lambda: (hub / "hub.toml").exists() or coming.done(), 60.0, "a new hub")
        home.restart_broker()
        homes.until_listening(home.home, "broker", port)
        homes.claim.apply(
            homes.claim.plan("Test door", home.folder / "sealcam.toml", hub, homes.claim.owner_fingerprint(hub))
        )
        home.restart("eye")
        home.restart("post")
        done = coming.result(timeout=120)
    assert done.code == 0, done.error
    assert "backlog is through" in done.out + done.error
    home.home.start("hub", homes.program("sealcam-hub"), "--state", str(hub), "serve", "--no-console")
    # An alarm overtakes others, in the backup and now (the camera goes on): they come late, but they come.
    eventually(lambda: _whole(home.chained()), 60.0, f"a chain without a hole after {done.out} {done.error}")
    events = home.chained()
    assert len(events) >= 4 + queued
    assert all(event["type"] != "unknown" for event in events), "all of it opens"
    assert any(event.get("thumbnail_bytes") for event in events[:4])
    assert [line for line in home.events() if line["type"] == "notice" and "copy of" in json.dumps(line)] == []
    shown = " ".join(f"{done.shown} {done.out} {done.error}".split())
    assert not any(" ".join(pair) in shown for pair in itertools.pairwise(words.split()))
