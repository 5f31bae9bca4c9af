"""What comes from Home Assistant: read strictly, and judged by what would become of the home. Pure.

What makes the home more watchful is free; what makes it less so needs the owner's permission and code. design/hub.md,
"Home Assistant".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from sealcam_hub.homeassistant.settings import Settings
from sealcam_hub.homeassistant.states import rank
from sealcam_hub.views import CameraView

MOST_BYTES = 1024
CONTROLS = ("arm", "privacy", "sensitivity")
_ACTIONS = {"DISARM": "off", "ARM_HOME": "home", "ARM_AWAY": "away", "ARM_NIGHT": "night"}
_SWITCH = {b"ON": True, b"OFF": False}


class RefusedError(Exception):
    """A command that isn't taken. Its text is for the hub's log alone."""


@dataclass(frozen=True, slots=True, repr=False)
class Arm:
    """Be in that mode; `code` is what was typed with it."""

    mode: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Privacy:
    """Stop capture, or begin again."""

    on: bool


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """From which probability on, in per cent below certainty, a threat is told."""

    level: int


Asked = Arm | Privacy | Sensitivity
Verdict = Literal["take", "nothing", "code"]


def read(control: str, payload: bytes) -> Asked:
    """What a message on a command topic asks for.

    Raises:
        RefusedError: nothing that there is.
    """
    if len(payload) > MOST_BYTES:
        raise RefusedError("it is too long")
    match control:
        case "arm":
            return _arm(payload)
        case "privacy" if payload in _SWITCH:
            return Privacy(_SWITCH[payload])
        case "sensitivity" if payload.isdigit() and len(payload) <= 3 and int(payload) <= 100:
            return Sensitivity(int(payload))
        case _:
            raise RefusedError("it can't be read")


def judge(asked: Asked, camera: CameraView, settings: Settings) -> Verdict:
    """Whether to `take` it as it is, only with the owner's `code`, or whether there is `nothing` to do.

    Raises:
        RefusedError: it isn't taken.
    """
    if isinstance(asked, Arm):
        return _judge_mode(asked.mode, camera, settings)
    what = "privacy" if isinstance(asked, Privacy) else "sensitivity"
    if not settings.allows(what):
        raise RefusedError(f"{what} isn't allowed from there")
    if camera.mode != "off" or camera.wished not in (None, "off"):
        raise RefusedError(f"{what} is taken only while the camera is disarmed")
    return "take"


def _judge_mode(mode: str, camera: CameraView, settings: Settings) -> Verdict:
    if mode == (camera.wished or camera.mode):
        return "nothing"
    watchful = max(rank(camera.mode), rank(camera.wished) if camera.wished is not None else 0)
    if rank(mode) >= watchful:
        return "take"
    if not settings.allows("disarm") or not settings.code:
        raise RefusedError("disarming isn't allowed from there")
    return "code"


def _arm(payload: bytes) -> Arm:
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise RefusedError("it can't be read") from error
    if not isinstance(told, dict) or not set(told) <= {"action", "code"}:
        raise RefusedError("it can't be read")
    action, code = told.get("action"), told.get("code")
    if not isinstance(action, str) or action not in _ACTIONS or not isinstance(code, str | None):
        raise RefusedError("it can't be read")
    return Arm(_ACTIONS[action], code or "")
