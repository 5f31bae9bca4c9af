"""How old a live picture is, although camera and hub have two clocks. Pure; design/clips.md, "Live view, hub".

Certain is what one clock has measured: how long the camera took from seeing to sealing, and how much longer a message
was on its way than the quickest one. How long the quickest one took can only be estimated, where the camera says that
its wall clock is set; otherwise an age is "at least".
"""

from __future__ import annotations

from dataclasses import dataclass

from sealcam.wire.bodies import ClockQuality, Stamp

DRIFT_PPM = 100  # how far two clocks run apart: a quickest message of an hour ago is good to 0.4 s
PLAUSIBLE_NS = 5_000_000_000  # wall clocks that disagree by more than this say nothing of a message's way


@dataclass(frozen=True, slots=True)
class Age:
    """`least_ns` is certain; `way_ns` comes on top by both wall clocks, none where they can't tell."""

    least_ns: int
    way_ns: int | None


class Ages:
    """The ages of one camera's pictures, of the boot that `at` names. All times are ns."""

    def __init__(self, at: Stamp) -> None:
        self._at = at
        self._least: tuple[int, int] | None = None  # the quickest way by two boot clocks, and when that was
        self._way_ns: int | None = None  # the quickest way by two wall clocks

    def age(self, seen_ns: int, sealed_ns: int, arrived_ns: int, wall_ns: int) -> Age:
        """Of a picture that was seen and sealed then by the camera's boot clock, when its message arrived.

        `arrived_ns` is the hub's boot clock, `wall_ns` its wall clock at the same moment.
        """
        lag_ns = arrived_ns - sealed_ns
        if self._least is None or lag_ns < self._quickest(self._least, arrived_ns):
            self._least = (lag_ns, arrived_ns)
        late_ns = lag_ns - self._quickest(self._least, arrived_ns)
        self._estimate(wall_ns - (self._at.wall_ns + sealed_ns - self._at.boot_ns))
        return Age(max(0, sealed_ns - seen_ns) + max(0, late_ns), self._way_ns)

    @staticmethod
    def _quickest(least: tuple[int, int], now_ns: int) -> int:
        """What the quickest message would take now, if the clocks have run apart since."""
        return least[0] + max(0, now_ns - least[1]) * DRIFT_PPM // 1_000_000

    def _estimate(self, way_ns: int) -> None:
        if self._at.quality is not ClockQuality.SYNCHRONISED or abs(way_ns) > PLAUSIBLE_NS:
            return
        self._way_ns = max(0, way_ns if self._way_ns is None else min(way_ns, self._way_ns))
