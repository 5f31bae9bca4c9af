"""What is being watched, and how long it will still take: one line where somebody looks, a line a job in a log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from tests.eval.plan import Job


class Progress:
    """Of `total` jobs those in `todo` are run, `workers` at a time and those of `live` systems `live_at_once`.

    How long a job takes is reckoned from the seconds of footage that took others of its kind so many seconds.
    """

    def __init__(
        self, total: int, todo: Sequence[Job], out: TextIO, workers: int, live: frozenset[str], live_at_once: int
    ) -> None:
        self._total, self._left, self._out = total, {job.key: job for job in todo}, out
        self._begun = total - len(self._left)
        self._at_once = dict.fromkeys(live, live_at_once)
        self._workers = workers
        self._spent: dict[str, tuple[float, float]] = {}

    def begin(self, job: Job) -> None:
        """Say what is watched now, and the time that is left."""
        self._begun += 1
        what = f"{job.system} {job.model}".strip() + f", {job.clip.name}, {job.weather}"
        words = f"{self._begun} of {self._total}: {what}{self._eta()}"
        self._out.write(f"\r\033[K{words}" if self._out.isatty() else f"{words}\n")
        self._out.flush()

    def done(self, job: Job, took_s: float) -> None:
        """Learn from it how fast such jobs are."""
        took, footage = self._spent.get(_kind(job), (0.0, 0.0))
        self._spent[_kind(job)] = (took + took_s, footage + job.length_s)
        self._left.pop(job.key, None)

    def clear(self) -> None:
        """Take the line away."""
        if self._out.isatty():
            self._out.write("\r\033[K")

    def _eta(self) -> str:
        spent = [(took, footage) for kind, (took, footage) in self._spent.items() if not self._is_live(kind)]
        took, footage = sum(took for took, _ in spent), sum(footage for _, footage in spent)
        left_s = 0.0
        for job in self._left.values():
            if job.system in self._at_once:
                left_s += job.length_s / self._at_once[job.system]
            elif footage:
                of_kind = self._spent.get(_kind(job), (0.0, 0.0))
                took_s, watched_s = of_kind if of_kind[1] else (took, footage)
                left_s += job.length_s * took_s / watched_s / self._workers
            else:
                return ""  # nothing is known yet
        return f"; {left_s / 60:.0f} min left" if left_s >= 60 else f"; {left_s:.0f} s left"

    def _is_live(self, kind: str) -> bool:
        return kind.split(" ", 1)[0] in self._at_once


def _kind(job: Job) -> str:
    return f"{job.system} {job.model} {job.clip.name}"
