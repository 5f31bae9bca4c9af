"""Privacy asked for on the hub's command line, and a post that is killed, in a whole home."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.home.conftest import RunningHome
from tests.waiting import eventually


def _camera(home: RunningHome) -> dict[str, Any]:
    found: dict[str, Any] = home.status()["cameras"][0]
    return found


def _until_state(home: RunningHome, state: str) -> None:
    eventually(lambda: _camera(home)["state"] == state, 60.0, f"a camera that is {state}")


def test_privacy_lasts_over_a_restart_and_a_killed_post_shows_at_once(home: RunningHome, walkers: Path) -> None:
    home.start(walkers, once=False)
    home.until_events(2)
    home.hub("arm", "Test door", "home")
    eventually(lambda: _camera(home)["mode"] == "home", 60.0, "the mode")
    home.hub("privacy", "Test door", "on")
    _until_state(home, "private")
    home.kill("eye")
    home.restart("eye")
    eventually(lambda: "privacy is on: nothing is seen" in home.hub("events", "--json"), 60.0, "a start in privacy")
    _until_state(home, "private")
    seen, beat = _newest_incident(home), _camera(home)["last_beat"]
    eventually(lambda: _camera(home)["last_beat"] > beat, 60.0, "another beat")
    assert _newest_incident(home) == seen, "people walk by all the time, and nothing is seen of them"
    home.hub("privacy", "Test door", "off")
    _until_state(home, "watching")
    eventually(lambda: _newest_incident(home) > seen, 60.0, "an incident after privacy")
    home.kill("post")
    eventually(lambda: _camera(home)["state"] == "cut-off", 60.0, "the will")


def _newest_incident(home: RunningHome) -> int:
    return max((event["seq"] for event in home.chained() if event["type"] == "incident"), default=0)
