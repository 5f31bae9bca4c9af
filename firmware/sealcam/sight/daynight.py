"""Day or night, by what the sensor says of the light: when the infrared filter is to move. Pure.

It is dark when there is little light and the sensor amplifies what there is, bright when there is plenty and it needs
to amplify little; between the two nothing changes. Our own lamp lights the picture too: a day that turned out to be it
makes the next one wait twice as long. See design/wiring.md, infrared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sealcam.board.protocols import Exposure

# By the sensor's own estimate, which is rough: a lit street at night has 10 lux, civil twilight ends at 3.
DARK_LUX, BRIGHT_LUX = 3.0, 15.0
DARK_GAIN, BRIGHT_GAIN = 6.0, 2.5
# So long it must have been dark, or bright, and so long after the last change; a hand or a headlight is shorter.
DUSK_S, DAWN_S, SETTLE_S = 5.0, 30.0, 10.0
# Night lasts so long at least. A day of less than `FOOLED_S` was our own lamp's: twice as long next time.
NIGHT_S, NIGHT_MOST_S, FOOLED_S = 30.0, 3600.0, 300.0


@dataclass(frozen=True, slots=True)
class DayNight:
    """What it is, since when the light says otherwise (none: it doesn't), when it changed last, and how long a night
    lasts at least."""

    night: bool = False
    doubted_ns: int | None = None
    changed_ns: int | None = None
    night_s: float = NIGHT_S


def dark(light: Exposure) -> bool:
    """Whether all that the sensor says speaks for night."""
    lux, gain = light.lux, light.gain
    known = lux is not None or gain is not None
    return known and (lux is None or lux < DARK_LUX) and (gain is None or gain > DARK_GAIN)


def bright(light: Exposure) -> bool:
    """Whether all that the sensor says speaks for day."""
    lux, gain = light.lux, light.gain
    known = lux is not None or gain is not None
    return known and (lux is None or lux > BRIGHT_LUX) and (gain is None or gain < BRIGHT_GAIN)


def follow(now: DayNight, light: Exposure, t_ns: int) -> DayNight:
    """What it is with this picture's light; `t_ns` is the picture's time, and may begin anew."""
    if not (bright(light) if now.night else dark(light)):
        return replace(now, doubted_ns=None)
    doubted_ns = t_ns if now.doubted_ns is None else min(now.doubted_ns, t_ns)
    changed_ns = None if now.changed_ns is None else min(now.changed_ns, t_ns)
    lasted_s = float("inf") if changed_ns is None else (t_ns - changed_ns) / 1e9
    doubted_s = (t_ns - doubted_ns) / 1e9
    if doubted_s < (DAWN_S if now.night else DUSK_S) or lasted_s < (now.night_s if now.night else SETTLE_S):
        return replace(now, doubted_ns=doubted_ns, changed_ns=changed_ns)
    night_s = now.night_s
    if not now.night:
        fooled = changed_ns is not None and lasted_s < FOOLED_S
        night_s = min(2 * night_s, NIGHT_MOST_S) if fooled else NIGHT_S
    return DayNight(night=not now.night, changed_ns=t_ns, night_s=night_s)
