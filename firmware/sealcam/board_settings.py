"""`[board]`: what the board lives on, and how warm it may get."""

from __future__ import annotations

from dataclasses import dataclass

from sealcam.governor import Budget
from sealcam.wire.errors import ConfigError


@dataclass(frozen=True, slots=True)
class BoardSettings:
    """What the governor goes by.

    Raises:
        ConfigError: a number that no board should have.
    """

    budget: Budget = Budget.MAINS
    """`mains`; `poe`, and the detector always looks a little less; `battery`, and it looks much less."""
    warm_c: float = 75.0
    """From so many degrees Celsius on the detector looks less, step by step."""

    def __post_init__(self) -> None:
        if not 40 <= self.warm_c <= 100:
            raise ConfigError(f"warm_c must lie between 40 and 100 degrees, not {self.warm_c}")
