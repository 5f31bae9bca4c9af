"""The console's words: how times, probabilities and the ledger's lower-case words read for the owner. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sealcam_hub.views import CameraView, ClipView, IncidentView

_SUBJECTS = {"person": "Person", "vehicle": "Vehicle", "animal": "Animal", "none": "Movement only"}
_VERDICTS = {"threat": "Threat", "benign": "Benign", "false_alarm": "False alarm"}
_STAGES = {"new": "First report", "update": "Update", "end": "End"}
_MODES = {"off": "Off", "home": "Home", "away": "Away", "night": "Night"}
MODES = tuple(_MODES)
_STATES = {
    "watching": "Watching",
    "private": "Private",
    "cut-off": "Cut off",
    "silent": "Silent",
    "new": "Not heard yet",
    "gone": "Reset",
    "expelled": "Expelled",
}
_LEFT = ("gone", "expelled")
_TRIGGERS = {
    "motion": "Movement in the picture",
    "pir": "The motion sensor",
    "start": "Already there when watching began",
}
_NOTICES = {
    "clone": "Clone alarm",
    "unopenable": "Message that can't be opened",
    "gap": "Missing reports",
    "silent": "Silent camera",
    "back": "Camera is back",
    "full": "Too much waits",
    "farewell": "Camera was reset",
    "clip": "Clip",
    "filled": "Missing reports settled",
    "clock": "Clock is wrong",
    "clock-right": "Clock is right again",
    "certificate": "Certificate near its end",
    "renewed": "Certificate renewed",
    "disk": "No room left",
    "disk-room": "Room again",
    "broker": "Hub is cut off",
    "broker-back": "Hub hears again",
    "offsite": "Off-site copy lags",
    "offsite-again": "Off-site copy lags no more",
}
_REFUSALS = {
    "unknown": "Of no camera of this hub",
    "forged": "Not signed by this camera, or changed on its way",
    "crossed": "Signed by another camera of yours",
    "unopenable": "Signed, but sealed to a key that is gone",
    "malformed": "Signed, but not what a camera says",
    "clone": "Signed, but contradicts what it said before",
    "foreign": "Sealed before this hub was a recipient",
    "early": "Signed with a key that isn't announced yet",
    "expelled": "After you turned it out",
    "full": "Too much waited for what is missing",
}
_CLIPS = {
    "recording": "Being recorded",
    "camera": "On the camera",
    "asked": "Asked for; it comes when the camera has heard",
    "coming": "Coming",
    "here": "Here",
    "stopped": "Stopped on its way",
    "evicted": "Gone: the camera had to make room before it came",
    "dropped": "Gone: this hub had to make room for newer ones",
    "deleted": "Deleted by its owner",
    "gone": "Gone: it stayed on a camera that has left",
}
_STOPPED = {"damaged": "it came damaged, three times", "full": "there was no room here"}
LATE_NS = 60 * 1_000_000_000
# A camera sends a keyframe of its live view at least every 2 s and says at each beat how old its newest picture is:
# what is older than that is not what is there now. `static/view.js` has the same.
STALE_NS = 2 * 1_000_000_000


def subject(word: str) -> str:
    """What an incident is about, as a title."""
    return _SUBJECTS.get(word, _plain(word))


def verdict(word: str) -> str:
    """A verdict, as a title."""
    return _VERDICTS.get(word, _plain(word))


def stage(word: str) -> str:
    """Where in its life an incident is."""
    return _STAGES.get(word, _plain(word))


def mode(word: str) -> str:
    """An arming mode."""
    return _MODES.get(word, _plain(word))


def trigger(word: str) -> str:
    """What began an incident."""
    return _TRIGGERS.get(word, _plain(word))


def state(word: str) -> str:
    """What a camera is doing."""
    return _STATES.get(word, _plain(word))


def notice(word: str) -> str:
    """What kind of notice this is."""
    return _NOTICES.get(word, _plain(word))


def refusal(word: str) -> str:
    """Why messages were not taken."""
    return _REFUSALS.get(word, _plain(word))


def clip_state(clip: ClipView) -> str:
    """Where a clip is, and if it isn't here, why."""
    text = _CLIPS.get(clip.state, _plain(clip.state))
    if clip.state == "stopped" and clip.why:
        return f"{text}: {_STOPPED.get(clip.why, clip.why)}"
    if clip.state == "coming":
        return f"{text}, {clip.percent} %" if clip.percent is not None else f"{text}, {size(clip.held)} so far"
    return text


def size(count: int) -> str:
    """So many bytes, for a person."""
    if count >= 10_000_000_000:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{max(1, round(count / 1000))} kB"


def sentence(text: str) -> str:
    """A reason as a sentence: a capital first, a full stop last."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")


def percent(probability: float) -> str:
    """A probability in whole per cent; certainty is never claimed."""
    return f"{min(99, max(0, round(probability * 100)))} %"


def iso(at_ns: int) -> str:
    """A moment for a `datetime` attribute, to the millisecond."""
    return _utc(at_ns).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ns // 1_000_000 % 1000:03d}Z"


def clock(at_ns: int) -> str:
    """A time of day, where the browser doesn't make it local."""
    return _utc(at_ns).strftime("%H:%M:%S UTC")


def moment(at_ns: int) -> str:
    """A date and a time of day, where the browser doesn't make it local."""
    at = _utc(at_ns)
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC"


def day(at_ns: int, now_ns: int) -> str:
    """The heading of a day."""
    at, now = _utc(at_ns), _utc(now_ns)
    days = (now.date() - at.date()).days
    if days in (0, 1):
        return ("Today", "Yesterday")[days]
    return f"{at:%A}, {at.day} {at:%B}" + ("" if at.year == now.year else f" {at.year}")


def lasted(length_ns: int) -> str:
    """A length of time in at most two units."""
    tenths = max(0, round(length_ns / 1e8))
    seconds = round(tenths / 10)
    if tenths == 0:
        return "under 0.1 s"
    if tenths < 100:
        return f"{tenths / 10:.1f} s"
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def count(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many}".replace(",", " ")


def late(incident: IncidentView) -> str | None:
    """How long an incident waited on its camera before it arrived here, where that matters."""
    waited_ns = incident.arrived_ns - incident.started_ns
    return lasted(waited_ns) if waited_ns >= LATE_NS else None


def stale(camera: CameraView) -> int | None:
    """Since when no new picture of a camera that should see is known of (wall ns); none where it is new enough."""
    if camera.state not in ("watching", "silent", "cut-off") or camera.last_beat_ns is None:
        return None
    age_ns = camera.frame_age_ns or 0
    return None if camera.state == "watching" and age_ns <= STALE_NS else camera.last_beat_ns - age_ns


def spans(numbers: Sequence[int]) -> str:
    """Rising numbers as they are read: `2 to 111, 113`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in found)


def headline(cameras: Sequence[CameraView], newest: IncidentView | None) -> str:
    """How things stand, in one line; cameras that have left for good don't count."""
    cameras = [camera for camera in cameras if camera.state not in _LEFT]
    if not cameras:
        return "No camera yet"
    silent = [camera.name for camera in cameras if camera.state == "silent"]
    if silent:
        return f"{silent[0]} is silent" if len(silent) == 1 else f"{len(silent)} cameras are silent"
    cut_off = [camera.name for camera in cameras if camera.state == "cut-off"]
    if cut_off:
        return f"{cut_off[0]} is cut off" if len(cut_off) == 1 else f"{len(cut_off)} cameras are cut off"
    still = [camera.name for camera in cameras if stale(camera) is not None]
    if still:
        return f"{still[0]} shows no new picture" if len(still) == 1 else f"{len(still)} cameras show no new picture"
    watching = sum(camera.state == "watching" for camera in cameras)
    if all(camera.state == "new" for camera in cameras):
        return "Waiting for the first word of a camera"
    if newest is not None and newest.open:
        return f"Something is going on: {newest.camera_name}"
    return "All is quiet" if watching == len(cameras) else f"{watching} of {len(cameras)} cameras are watching"


def _plain(word: str) -> str:
    word = word.replace("_", " ").strip()
    return word[:1].upper() + word[1:]


def _utc(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
