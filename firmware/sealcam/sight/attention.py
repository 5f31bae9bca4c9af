"""Attention decides when the detector looks: only where something may be, and never more often than it may.

Where something moved, while something that moved is still in view, after the PIR fired or the light changed, and at the
very start, when there is no background yet. See design/sight.md, when the detector looks.
"""

from __future__ import annotations

from sealcam.sight.gate import Motion
from sealcam.sight.settings import SightSettings

# What is there in the first moments was there when watching began; a slow source gets as many frames for it.
START_S, START_FRAMES = 0.5, 3
# After the PIR fired, or the light changed, the detector looks for so long.
PIR_LOOK_S, LIGHT_LOOK_S = 2.0, 0.5
# Motion in which nothing was recognised for so long is looked at less often; it is over once it paused for so long.
IDLE_AFTER_S, OVER_S = 5.0, 5.0
# Looks that may be saved up, and those that one takes: a tenth of slack, since a source's jitter must not halve them.
SAVED_LOOKS, LOOK = 1.5, 0.9


class Attention:
    """For one source, from its first frame on. Times in ns on its clock."""

    def __init__(self, settings: SightSettings, pace: float = 1.0) -> None:
        """`pace` is the share of the settings' rates that it may take; it may be changed at any time."""
        self._settings = settings
        self.pace = pace
        self._first_ns = 0
        self._frames = 0
        self._last_ns: int | None = None
        self._credit = 1.0
        self._look_until_ns = 0
        self._alone_first_ns: int | None = None  # motion in which nothing was recognised
        self._alone_last_ns = 0

    @property
    def last_ns(self) -> int | None:
        """When the newest frame was, none before the first."""
        return self._last_ns

    @property
    def starting(self) -> bool:
        """Whether watching has only just begun."""
        since_ns = 0 if self._last_ns is None else self._last_ns - self._first_ns
        return self._frames <= START_FRAMES or since_ns <= START_S * 1e9

    def take(self, t_ns: int, *, live: bool) -> None:
        """A frame comes: earn looks as time passes, at the rate that the scene deserves. `live`: something in view
        deserves a look."""
        if self._last_ns is None:
            self._first_ns = t_ns
        alone_ns = 0 if self._alone_first_ns is None else self._alone_last_ns - self._alone_first_ns
        idle = not live and alone_ns > IDLE_AFTER_S * 1e9
        looks_per_s = self.pace * (self._settings.idle_detector_hz if idle else self._settings.detector_hz)
        seconds = 0.0 if self._last_ns is None else (t_ns - self._last_ns) / 1e9
        self._credit = min(SAVED_LOOKS, self._credit + seconds * looks_per_s)
        self._last_ns = t_ns
        self._frames += 1

    def looks(self, t_ns: int, motion: Motion, *, live: bool, fired: bool, believed: bool) -> bool:
        """Whether the detector looks at this frame. `fired`: the motion sensor did, and may be `believed`."""
        if fired:
            seconds = PIR_LOOK_S if believed else LIGHT_LOOK_S
            self._look_until_ns = max(self._look_until_ns, t_ns + round(seconds * 1e9))
        if motion.whole or motion.lit:
            self._look_until_ns = max(self._look_until_ns, t_ns + round(LIGHT_LOOK_S * 1e9))
        wanted = motion.moving or live or t_ns < self._look_until_ns or self.starting
        if not wanted or self._credit < LOOK:
            return False
        self._credit -= 1.0
        return True

    def saw(self, t_ns: int, motion: Motion, *, recognised: bool) -> None:
        """What became of a frame: whether somebody was recognised in it."""
        if recognised or t_ns - self._alone_last_ns > OVER_S * 1e9:
            self._alone_first_ns = None
        if motion.moving and not recognised:
            self._alone_first_ns = t_ns if self._alone_first_ns is None else self._alone_first_ns
            self._alone_last_ns = t_ns
