"""Zones and masks as lines of text, which a person can type and a script can draw; and back. Pure.

`watch Drive: 10,20 30,20 30,50`: kind, name, corners in per cent of the picture's width and height from the top left,
with at most one decimal. `mask: ...` has no name. The wire has per mille (design/wire.md 5.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sealcam.wire.errors import ConfigError
from sealcam.wire.wishes import Mask, MasksWish, Zone, ZoneKind, ZonesWish

MASK = "mask"
MOST_AREAS = 64
LEAST_CORNERS, MOST_CORNERS = 3, 32
MOST_NAME = 64
_LINE = re.compile(r"(watch|ignore|entry|mask)(?:\s+([^:]*))?:\s*(.*)")
_CORNER = re.compile(r"([0-9]{1,3}(?:\.[0-9])?),([0-9]{1,3}(?:\.[0-9])?)")


def written(zones: Sequence[Zone], masks: Sequence[Mask]) -> str:
    """Zones and masks, one a line."""
    lines = [f"{one.kind.name.lower()} {one.name}: {_corners(one.corners)}" for one in zones]
    return "\n".join([*lines, *(f"{MASK}: {_corners(one.corners)}" for one in masks)])


def read(text: str) -> tuple[ZonesWish, MasksWish]:
    """The zones and masks that `text` draws.

    Raises:
        ConfigError: a line isn't one; it is named by its number.
    """
    zones: list[Zone] = []
    masks: list[Mask] = []
    for number, kind, name, corners in _lines(text):
        if kind == MASK:
            masks.append(Mask(corners=corners))
        elif not name or len(name) > MOST_NAME or not name.isprintable():
            raise ConfigError(f"line {number}: an area has a name of 1 to {MOST_NAME} letters", "such as: Drive")
        elif any(one.name == name for one in zones):
            raise ConfigError(f"line {number}: another area is named {name}", "reasons tell them by their names")
        else:
            zones.append(Zone(name=name, kind=ZoneKind[kind.upper()], corners=corners))
    if max(len(zones), len(masks)) > MOST_AREAS:
        raise ConfigError(f"a camera has at most {MOST_AREAS} areas of each kind", "join some")
    return ZonesWish(zones=tuple(zones)), MasksWish(masks=tuple(masks))


def _lines(text: str) -> Iterator[tuple[int, str, str, tuple[int, ...]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            hint = "such as: watch Drive: 10,20 30,20 30,50"
            raise ConfigError(f"line {number} draws no area", hint)
        yield number, found[1], (found[2] or "").strip(), _read_corners(number, found[3])


def _read_corners(number: int, text: str) -> tuple[int, ...]:
    corners: list[int] = []
    for one in text.split():
        found = _CORNER.fullmatch(one)
        values = [round(10 * float(value)) for value in found.groups()] if found else []
        if not values or max(values) > 1000:
            raise ConfigError(f"line {number}: {one[:20]!r} is no corner", "two numbers from 0 to 100, such as 12.5,40")
        corners += values
    if not LEAST_CORNERS <= len(corners) // 2 <= MOST_CORNERS:
        raise ConfigError(f"line {number}: an area has {LEAST_CORNERS} to {MOST_CORNERS} corners", "add or remove some")
    return tuple(corners)


def _corners(corners: Sequence[int]) -> str:
    return " ".join(f"{x / 10:g},{y / 10:g}" for x, y in zip(corners[::2], corners[1::2], strict=True))
