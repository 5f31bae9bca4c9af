"""What a board's self-test finds, part by part: a grade, a sentence, a hint, and the figures behind them.

Which parts there are is `doctor`'s; what each looks at is in `checks_camera`, `checks_board` and `checks_link`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sealcam.wire.errors import SealcamError


class Grade(StrEnum):
    """How a part does."""

    GOOD = "good"
    WARNING = "warning"  # it works, and will disappoint somebody
    BAD = "bad"
    ABSENT = "absent"  # not configured, or this board has none


@dataclass(frozen=True, slots=True)
class Finding:
    """One part's result. `figures` are numbers with their unit in the name, such as `fps` or `write_mb_s`."""

    part: str
    grade: Grade
    words: str
    hint: str | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """A part and how it is looked at; `findings` may take seconds and say more than one thing."""

    part: str
    findings: Callable[[], list[Finding]]

    def run(self) -> list[Finding]:
        """What it finds; an error of ours is a finding, too."""
        try:
            return self.findings()
        except SealcamError as error:
            return [Finding(self.part, Grade.BAD, error.message, error.hint)]
