"""`[clips]`: how much of an incident is recorded, and what that may cost. design/clips.md, budget."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sealcam.timetable import minute_of
from sealcam.wire.errors import ConfigError

# How long sight may take to tell an incident, from its first evidence on: the ring reaches back so far, and further for
# the pre-roll.
TELL_S = 20.0
# What the ring may take of a board's memory: a quarter of the smallest board's.
MOST_RING_BYTES = 128 << 20


class EncoderChoice(StrEnum):
    """What encodes the clips."""

    AUTO = "auto"
    SOFTWARE = "software"
    V4L2M2M = "v4l2m2m"
    NVENC = "nvenc"


class Send(StrEnum):
    """Which clips go to the hub by themselves."""

    THREAT = "threat"
    ALL = "all"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """The recording of clips; the defaults suit 1080p at 15 pictures a second.

    Raises:
        ConfigError: a value is out of its range, a time is none, or the pre-roll wouldn't fit in memory.
    """

    record: bool = True
    """Whether the camera records clips. Encoding runs all the time, for the pre-roll: in software it takes a quarter of
    a large board's core. `sealcam record` records in any case."""
    pre_roll_s: float = 5.0
    """A clip begins so many seconds before what began its incident."""
    post_roll_s: float = 5.0
    """It goes on so many seconds after the incident's end."""
    longest_s: float = 300.0
    """A longer one goes on in a follow-on, without a gap."""
    bytes_per_s: int = 375_000
    """What a second of pictures may take at the most; quiet ones take less."""
    fps: float = 15.0
    """Pictures a second that are recorded, at the most."""
    encoder: EncoderChoice = EncoderChoice.AUTO
    """`software` anywhere, `v4l2m2m` a Raspberry Pi's up to 4, `nvenc` a Jetson's. `auto`: what the board has."""
    max_bytes: int = 4 << 30
    """What clips may take on the camera's disk. Over this false alarms go first, then what is benign, then threats; of
    each those that the hub has, then the oldest."""
    send: Send = Send.THREAT
    """Which clips go to the hub by themselves. `threat`: those of threats at once, benign ones at night, false alarms
    when they are asked for. `all`: all, as they end. `never`: only what is asked for. With cover traffic only at
    night, or asked for."""
    send_from: str = "01:00"
    """When the night begins that clips wait for, by the schedule's time zone, or the system's where there is none. It
    doesn't begin while nobody knows what time it is."""
    send_to: str = "05:00"
    """When it ends; if it ends as it begins there is none."""

    def __post_init__(self) -> None:
        _ = self.window
        limits = {
            "pre_roll_s": (0, 60),
            "post_roll_s": (0, 60),
            "longest_s": (10, 3600),
            "bytes_per_s": (20_000, 10_000_000),
            "fps": (1, 60),
        }
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ConfigError(f"{name} must lie between {least} and {most}, not {value}")
        if self.ring_bytes > MOST_RING_BYTES:
            words = (
                f"so long a pre-roll would take {self.ring_bytes >> 20} MiB of memory; {MOST_RING_BYTES >> 20} may be"
            )
            raise ConfigError(words, "set pre_roll_s or bytes_per_s lower")
        if self.max_bytes < 2 * self.longest_bytes:
            words = f"max_bytes must have room for two clips of {self.longest_s:g} s: {2 * self.longest_bytes} bytes"
            raise ConfigError(words, "set max_bytes higher, or longest_s or bytes_per_s lower")

    @property
    def window(self) -> tuple[int, int] | None:
        """The minutes of the day between which clips go that wait for the night; none if they never do."""
        first, last = minute_of(self.send_from), minute_of(self.send_to)
        return None if first == last else (first, last)

    @property
    def longest_bytes(self) -> int:
        """What one clip may take: it may go on for its post-roll, and sealing adds a thousandth."""
        return round((self.longest_s + self.post_roll_s + 3) * self.bytes_per_s * 1.01) + (1 << 18)

    @property
    def ring_s(self) -> float:
        """How far the ring reaches back."""
        return self.pre_roll_s + TELL_S

    @property
    def ring_bytes(self) -> int:
        """What it may hold: an encoder may give two seconds' bytes at once, above its rate."""
        return round((self.ring_s + 2) * self.bytes_per_s)
