"""What the owner wants to be hidden of a clip before it is shared, and what became of it, in words. Pure.

Times are seconds from the clip's first picture; an area is in per mille of the picture's width and height, so that no
sliver beside it is too thin to paint.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from sealcam.wire.errors import ConfigError
from sealcam_hub.media_messages import Area, Done, Job

MILLE = 1000
LEAST_SIDE = 20  # per mille
MOST_S = 3600.0
_TIME = re.compile(r"(?:(\d{1,2}):)?(\d{1,5}(?:\.\d{1,3})?)")


@dataclass(frozen=True, slots=True)
class Redaction:
    """What shall become of a clip: people blurred, what lies outside `area` (left, top, right, bottom) black, the
    pictures from `begin_s` to before `end_s` (none: to the end) alone."""

    people: bool = False
    area: tuple[int, int, int, int] | None = None
    begin_s: float = 0.0
    end_s: float | None = None

    @property
    def anything(self) -> bool:
        """Whether it changes a clip at all."""
        return self != Redaction()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a clip that was made anew: what was wanted, and what came of it."""

    redaction: Redaction
    lasts_s: float
    width_px: int
    height_px: int
    pictures: int
    blurred: int


def of_words(people: bool, area: str, begin: str, end: str) -> Redaction:
    """A redaction as it was typed: an area as `left,top,right,bottom` in per mille, times as `75` or `1:15`.

    Raises:
        ConfigError: something of it can't be read, or leaves nothing.
    """
    begin_s, end_s = _seconds(begin) if begin.strip() else 0.0, _seconds(end) if end.strip() else None
    if end_s is not None and end_s <= begin_s:
        raise ConfigError("the part ends before it begins", "give its end in seconds, or as 1:15, after its beginning")
    return Redaction(people, _area(area) if area.strip() else None, begin_s, end_s)


def job(redaction: Redaction, fed_from_s: float) -> Job:
    """What the media process is to do with a film that begins `fed_from_s` behind the clip's first picture."""
    area = None if redaction.area is None else Area(*(one / MILLE for one in redaction.area))
    end_us = None if redaction.end_s is None else round((redaction.end_s - fed_from_s) * 1e6)
    return Job(redaction.people, area, max(0, round((redaction.begin_s - fed_from_s) * 1e6)), end_us)


def facts(redaction: Redaction, done: Done) -> Facts:
    """What is kept of what the media process said; a last picture lasts as long as the others do."""
    each_s = done.lasts_us / 1e6 / max(1, done.pictures - 1)
    lasts_s = round(done.lasts_us / 1e6 + each_s, 3)
    return Facts(redaction, lasts_s, done.width_px, done.height_px, done.pictures, done.blurred)


def pack(what: Facts) -> bytes:
    """For the ledger."""
    return json.dumps(asdict(what)).encode()


def unpack(data: bytes) -> Facts:
    """From the ledger."""
    values = json.loads(data)
    wanted = values.pop("redaction")
    wanted["area"] = None if wanted["area"] is None else tuple(wanted["area"])
    return Facts(Redaction(**wanted), **values)


def said(redaction: Redaction) -> tuple[str, ...]:
    """What was changed, for the owner and the log."""
    words = []
    if redaction.begin_s or redaction.end_s is not None:
        end = "its end" if redaction.end_s is None else _clock(redaction.end_s)
        words.append(f"from {_clock(redaction.begin_s)} to {end}")
    if redaction.people:
        words.append("people blurred")
    if redaction.area is not None:
        words.append("everything outside a box black")
    return tuple(words)


def _seconds(text: str) -> float:
    found = _TIME.fullmatch(text.strip())
    seconds = 60 * int(found[1] or 0) + float(found[2]) if found else MOST_S + 1
    if seconds > MOST_S:
        raise ConfigError(f"{text.strip()!r} is no time in a clip", "seconds from its beginning, such as 75 or 1:15")
    return seconds


def _area(text: str) -> tuple[int, int, int, int]:
    hint = "draw it on the picture, or give left,top,right,bottom in per mille, such as 250,100,750,900"
    parts = text.split(",")
    if len(parts) != 4 or not all(re.fullmatch(r"\d{1,4}", one.strip()) for one in parts):
        raise ConfigError("that box can't be read", hint)
    left, top, right, bottom = (int(one) for one in parts)
    if right > MILLE or bottom > MILLE or right - left < LEAST_SIDE or bottom - top < LEAST_SIDE:
        raise ConfigError("that box is too small, or not in the picture", hint)
    return left, top, right, bottom


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"
