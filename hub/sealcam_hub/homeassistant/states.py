"""What Home Assistant is told of a camera, and of the hub: topics and what stands there. Pure.

Everything is text from a closed list, a number or JSON; what a camera wrote stands in JSON alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sealcam_hub.homeassistant.names import HUB, Names
from sealcam_hub.homeassistant.settings import Settings
from sealcam_hub.lines import iso
from sealcam_hub.views import CameraView, IncidentView, NoticeView

MOST_TEXT = 255  # letters: Home Assistant takes no longer state
NOTICED_NS = 24 * 3600 * 1_000_000_000  # for so long a notice makes a problem that nothing has ended
STALE_NS = 30_000_000_000
MODES = {"off": "disarmed", "home": "armed_home", "away": "armed_away", "night": "armed_night"}
SUBJECTS = ("person", "vehicle", "animal")
AWAY = ("silent", "cut-off", "new")
ENDED = {  # an ailment and what says that it is over; whatever isn't here lasts until the camera starts again
    "encoder-slow": "encoder-slow-over",
    "pir-unreliable": "pir-reliable",
    "model-broken": "model-works",
    "model-missing": "model-works",
    "scene-lost": "scene-restored",
    "clock-stuck": "started",
    "camera-lost": "camera-back",
    "encoder-failed": "started",
    "clip-broken": "started",
}
LASTING = ("camera-lost",)  # a camera starts again because of it, and not well
OVER = {  # a notice and the one that it ends
    "back": "silent",
    "filled": "gap",
    "clock-right": "clock",
    "renewed": "certificate",
    "disk-room": "disk",
    "broker-back": "broker",
    "offsite-again": "offsite",
}
NO_PROBLEM = ("farewell", "silent", "clip")  # notices that say something else, or what the state says already


@dataclass(frozen=True, slots=True)
class Seen:
    """A camera and what there is to say of it. `codes` are those of its last health events, the oldest first.

    `lasting` are the kinds of notices that the hub knows not to be over, however old they are.

    `refused` counts commands that were refused since the bridge began, `refused_ns` is when the last one was.
    """

    camera: CameraView
    open: tuple[IncidentView, ...] = ()
    last: IncidentView | None = None
    codes: tuple[str, ...] = ()
    notices: tuple[NoticeView, ...] = ()
    lasting: tuple[str, ...] = ()
    sensitivity: int = 0
    refused: int = 0
    refused_ns: int | None = None


def shown(names: Names, seen: Seen, settings: Settings, now_ns: int) -> dict[str, bytes]:
    """Every retained state of a camera but its picture; `now_ns` is wall time."""
    camera = seen.camera
    here = camera.state not in AWAY
    troubles = problems(seen, now_ns)
    tampering = tampered(seen.codes)
    told: dict[str, object] = {
        "available": "online" if here else "offline",
        "connectivity": _on(here),
        "motion": _on(bool(seen.open)),
        "threat": _on(any(_threat(one, seen.sensitivity) for one in seen.open)),
        "tamper": _on(tampering is not None),
        "tamper_kind": {"kind": tampering or "none"},
        "problem": _on(bool(troubles)),
        "problems": {"problems": troubles},
        "privacy": _on(camera.state == "private"),
        "sensitivity": seen.sensitivity,
        "incidents": camera.incidents,
        "refused": seen.refused,
        "refused_at": {"last": iso(seen.refused_ns)},
    }
    for subject in SUBJECTS:
        told[subject] = _on(any(one.subject == subject for one in seen.open))
    if camera.firmware is not None:
        told["firmware"] = firmware(camera.firmware)
    if camera.mode is not None:
        told["mode"] = mode(camera.mode, camera.wished)
    if camera.last_beat_ns is not None:
        told["last_beat"] = iso(camera.last_beat_ns) or ""
    if camera.queued is not None:
        told["queued"] = camera.queued
    if camera.frame_age_ns is not None:
        told["frame_age"] = round(camera.frame_age_ns / 1e9, 1)
    if seen.last is not None:
        told["last"] = last(seen.last)
    return {names.topic(camera.alias, what): _bytes(value) for what, value in told.items()}


def shown_hub(
    names: Names,
    notices: Iterable[NoticeView],
    now_ns: int,
    lasting: tuple[str, ...] = (),
    refused: tuple[int, int | None] = (0, None),
) -> dict[str, bytes]:
    """The hub's own states: that the bridge is there, what is wrong with the hub itself, and what was `refused` that
    was meant for none of its cameras: how often since the bridge began, and when last.
    """
    troubles = standing(notices, now_ns, lasting)
    return {
        names.available: b"online",
        names.topic(HUB, "problem"): _bytes(_on(bool(troubles))),
        names.topic(HUB, "problems"): _bytes({"problems": troubles}),
        names.topic(HUB, "refused"): _bytes(refused[0]),
        names.topic(HUB, "refused_at"): _bytes({"last": iso(refused[1])}),
    }


def mode(now: str, wished: str | None) -> str:
    """The alarm panel's state: what holds, or what it is on the way to."""
    if wished is None or wished == now:
        return MODES[now]
    return "disarming" if rank(wished) < rank(now) else "arming"


def rank(mode: str | None) -> int:
    """How watchful a mode is; one that isn't known counts as the most watchful."""
    return {"off": 0, "home": 1}.get(mode or "", 2)


def tampered(codes: Iterable[str]) -> str | None:
    """What somebody is doing to the camera, by its health events; what stays so is over when it starts again."""
    found = None
    for code in codes:
        if code in ("tamper-over", "started"):
            found = None
        elif code.startswith("tamper-") and code not in ("tamper-stays", "tamper-button"):  # a press is over at once
            found = code.removeprefix("tamper-")
    return found


def problems(seen: Seen, now_ns: int) -> list[str]:
    """What is wrong with a camera now, in a word each."""
    camera, found = seen.camera, list[str]()
    if camera.state in AWAY:
        found.append(camera.state)
    elif camera.state == "watching" and (camera.frame_age_ns or 0) > STALE_NS:
        found.append("stale-picture")
    if camera.refused is not None:
        found.append("refused-command")
    ailing: list[str] = []
    for code in seen.codes:
        ailing = [one for one in ailing if code != ENDED[one] and (code != "started" or one in LASTING)]
        if code in ENDED and code not in ailing:
            ailing.append(code)
    return [*found, *ailing, *(one for one in standing(seen.notices, now_ns, seen.lasting) if one not in found)]


def standing(notices: Iterable[NoticeView], now_ns: int, lasting: tuple[str, ...] = ()) -> list[str]:
    """The kinds of notices, the newest first as given, that nothing has ended: those of a day, and what lasts."""
    over: set[tuple[str, str]] = set()  # kind and subject: of two gaps one may be filled
    found: list[str] = []
    for one in notices:
        if one.kind in OVER:
            over.add((OVER[one.kind], one.subject))
        elif (one.kind, one.subject) in over or one.kind in (*found, *NO_PROBLEM):
            continue
        elif now_ns - one.at_ns < NOTICED_NS:
            found.append(one.kind)
    return found + [kind for kind in dict.fromkeys(lasting) if kind not in (*found, *NO_PROBLEM)]


def firmware(version: str) -> Mapping[str, object]:
    """What the update entity shows: what runs. Which is the newest nobody here knows, so it claims no "up to date"."""
    return {"installed_version": version, "title": "Sealcam camera", "in_progress": False}


def last(incident: IncidentView) -> Mapping[str, object]:
    """The newest incident, in a line and in its parts."""
    verdict = incident.verdict.replace("_", " ")
    subject = "something" if incident.subject == "none" else incident.subject
    return {
        "summary": f"{subject}: {verdict}"[:MOST_TEXT],
        "incident": incident.id,
        "stage": incident.reports[-1].stage,
        "subject": incident.subject,
        "confidence": round(incident.confidence, 3),
        "verdict": incident.verdict,
        "threat": round(incident.threat, 3),
        "reasons": list(incident.reasons),
        "started": iso(incident.started_ns),
        "ended": iso(incident.ended_ns),
        "open": incident.open,
    }


def _threat(incident: IncidentView, sensitivity: int) -> bool:
    widened = sensitivity > 0 and incident.threat >= (100 - sensitivity) / 100
    return incident.verdict == "threat" or widened


def _on(value: bool) -> str:
    return "ON" if value else "OFF"


def _bytes(value: object) -> bytes:
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()
