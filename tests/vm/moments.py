"""When the power is cut: what has to happen first, as the kernel told it, and how long to wait then.

Moments are taken in turn, so that a few cuts meet each; the wait behind it is by chance.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.vm.machine import STATE, Machine
from tests.vm.witness import Witness

CLIPS = f"{STATE}/eye/clips"
CLIP_ENDINGS = (".part", ".scl1")

_STEP_S = 0.01


class Moment(StrEnum):
    """What the power cut waits for."""

    CHUNKS = "while chunks come"
    HEADER = "when a header is on the disk"
    CHECKPOINT = "when a checkpoint is on the disk"
    END = "when a clip has ended"
    START = "while the camera starts"


# The longest wait behind it, in seconds: about what the next step takes.
_WAITS = {Moment.CHUNKS: 10.0, Moment.HEADER: 0.5, Moment.CHECKPOINT: 1.0, Moment.END: 0.5, Moment.START: 15.0}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far this boot is: clips whose header was synced, checkpoints that were, and whether one has ended."""

    clips: int
    checkpoints: int
    ended: bool

    def reached(self, moment: Moment) -> bool:
        """Whether it is time."""
        if moment is Moment.START:
            return True
        if moment is Moment.CHECKPOINT:
            return self.checkpoints > 0
        return self.ended if moment is Moment.END else self.clips > 0


class Tracker:
    """Tells from what the kernel synced how far the clips of one boot are.

    `known` are files that were there before it, `folder` is the clips' folder. Which of the new files are clips the
    machine is asked, once for each: SQLite's files come and go in the same folder.
    """

    def __init__(self, witness: Witness, machine: Machine, folder: int, known: set[int]) -> None:
        self._witness, self._machine, self._folder = witness, machine, folder
        self._others = set(known) | {folder}
        self._since: dict[int, int] = {}  # clips, and how many syncs there had been when each was found

    def progress(self) -> Progress:
        """How far it is; while the machine runs."""
        synced = self._witness.synced()
        new = set(synced) - self._others - self._since.keys()
        if new:
            self._ask(new, len(synced))
        folders = synced[min(self._since.values()) :].count(self._folder) if self._since else 0
        # A clip's entry and its new name when it was told are a sync of the folder each.
        return Progress(len(self._since), sum(self.checkpoints().values()), folders > 1)

    def checkpoints(self) -> dict[int, int]:
        """How many checkpoints of each clip were certainly synced, by the clip's inode; after the cut, too."""
        synced = self._witness.synced()
        return {inode: synced[since:].count(inode) for inode, since in self._since.items()}

    def _ask(self, new: set[int], synced: int) -> None:
        listed = [line.split(maxsplit=1) for line in self._machine.sh(f"ls -i {CLIPS}").splitlines()]
        clips = {int(inode) for inode, name in listed if name.endswith(CLIP_ENDINGS)}
        self._since |= dict.fromkeys(new & clips, synced)
        self._others |= new - clips


def wait(moment: Moment, chance: random.Random, progress: Callable[[], Progress], within_s: float) -> bool:
    """Return when it is time to cut; false where the moment didn't come `within_s`."""
    until, never = time.monotonic() + within_s, threading.Event()
    while not (came := progress().reached(moment)) and time.monotonic() < until:
        never.wait(_STEP_S)
    never.wait(chance.uniform(0.0, _WAITS[moment]))
    return came
