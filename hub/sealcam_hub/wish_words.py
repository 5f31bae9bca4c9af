"""Commands in words for their owner: what a wish asks for, and what its camera answered.

Also which body belongs to which kind of command (design/wire.md section 5.3). Decides nothing.
"""

from __future__ import annotations

from sealcam.wire import wishes
from sealcam.wire.bodies import Outcome, Run
from sealcam.wire.wishes import CommandType

_BODIES: dict[CommandType, type] = {
    CommandType.ARM: wishes.ArmBody,
    CommandType.PRIVACY: wishes.PrivacyWish,
    CommandType.LIVE: wishes.LiveWish,
    CommandType.FETCH: wishes.FetchWish,
    CommandType.ZONES: wishes.ZonesWish,
    CommandType.MASKS: wishes.MasksWish,
    CommandType.SCHEDULE: wishes.ScheduleWish,
    CommandType.MARKS: wishes.MarksWish,
    CommandType.MODEL: wishes.ModelWish,
    CommandType.TOKEN: wishes.TokenWish,
    CommandType.FORGET: wishes.ForgetWish,
}
_KINDS = {cls: kind for kind, cls in _BODIES.items()}
_OUTCOMES = {
    Outcome.DONE: "done",
    Outcome.STALE: "too late on its way; it is sent again",
    Outcome.REPEATED: "taken for a repeat; it is sent again",
    Outcome.UNSUPPORTED: "refused: this camera can't do that",
    Outcome.UNREADABLE: "refused: this camera's version doesn't understand it",
    Outcome.ARMED: "refused: not while it is armed; set it to off or home first",
    Outcome.FAILED: "failed on the camera",
}


def body_type(kind: CommandType) -> type:
    """The body that a kind of command has."""
    return _BODIES[kind]


def kind_of(body: object) -> CommandType:
    """The kind of command that a body belongs to."""
    return _KINDS[type(body)]


def said(body: object) -> str:
    """What a command asks for, in a few words."""
    match body:
        case wishes.ArmBody():
            return body.mode.name.lower()
        case wishes.PrivacyWish():
            return "privacy on" if body.on else "privacy off"
        case wishes.LiveWish():
            return f"live view for {body.seconds} s" if body.seconds else "end live view"
        case wishes.FetchWish():
            return f"fetch {_fetched(body)}"
        case wishes.ZonesWish():
            return _counted(len(body.zones), "zone")
        case wishes.MasksWish():
            return _counted(len(body.masks), "mask")
        case wishes.ScheduleWish():
            visits = f" and {_counted(len(body.expected), 'expected visit')}" if body.expected else ""
            return f"a schedule of {_counted(len(body.entries), 'entry', 'entries')}{visits}"
        case wishes.MarksWish():
            back = f"{_counted(len(body.taken_back), 'mark')} taken back" if body.taken_back else ""
            given = _counted(len(body.marks), "mark") if body.marks or not back else ""
            return " and ".join(filter(None, (given, back)))
        case wishes.ModelWish():
            return f"model {body.name}"
        case wishes.ForgetWish():
            return f"delete {_counted(len(body.clips), 'clip')}"
        case _:
            return kind_of(body).name.lower()


def outcome_said(outcome: Outcome) -> str:
    """What a camera answered, as the owner reads it."""
    return _OUTCOMES[outcome]


def runs_said(runs: tuple[Run, ...]) -> str:
    """Runs of numbers as they are typed: `0-3,7`."""
    return ",".join(str(run.first) if run.first == run.last else f"{run.first}-{run.last}" for run in runs)


def _fetched(body: wishes.FetchWish) -> str:
    parts = [f"events {runs_said(body.events)}"] if body.events else []
    if body.clips:
        parts.append(_counted(len(body.clips), "clip"))
    return " and ".join(parts) or "nothing"


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
