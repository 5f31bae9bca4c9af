"""The hub's vault with a real camera: a clip is asked for, survives the hub's death on its way, and is deleted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sealcam_provision import home as homes
from tests.films import shown
from tests.home.conftest import RunningHome
from tests.waiting import eventually

LONG_S = 120.0


def clips(home: RunningHome) -> list[dict[str, Any]]:
    """What the hub says of them, the oldest incident's first."""
    return [json.loads(line) for line in home.hub("clip", "list", "--json").splitlines()]


def test_a_clip_is_asked_for_while_the_hub_is_dead_comes_opens_and_is_deleted_with_its_incident(
    home: RunningHome, walkers: Path
) -> None:
    home.start(walkers, once=False, extra='[clips]\nrecord = true\npost_roll_s = 1.0\nsend = "never"\n')
    eventually(lambda: any(one["content_bytes"] for one in clips(home)), LONG_S, "a clip on the camera")
    (first, *_) = (one for one in clips(home) if one["content_bytes"])
    assert (first["state"], first["held"]) == ("camera", 0)
    vault = home.folder / "hub" / "clips"
    assert not vault.exists()
    home.kill("hub")
    home.hub("clip", "fetch", first["incident"])  # the wish waits in the ledger
    assert clips(home)[0]["state"] == "asked"
    home.home.start("hub", homes.program("sealcam-hub"), "--state", str(vault.parent), "serve", "--no-console")
    eventually(lambda: clips(home)[0]["state"] == "here", LONG_S, "the clip")
    here = vault / f"{first['id']}.scl1"
    (camera,) = (one for one in home.folder.rglob(here.name) if vault not in one.parents)
    assert here.read_bytes() == camera.read_bytes()
    assert f"{first['id']}: here" in home.hub("clip", "fetch", first["id"], "--wait")
    out = home.folder / "out.mp4"
    home.hub("clip", "open", first["id"], "-o", str(out))
    assert shown(out.read_bytes()).size == (768, 576)
    assert any(event["clip"] == first["id"] and event["type"] == "incident" for event in home.chained())
    home.hub("delete", first["incident"], "--yes")
    assert not here.exists()
    assert clips(home)[0]["state"] == "deleted"
    eventually(lambda: not camera.exists(), LONG_S, "the camera deletes its own copy")
