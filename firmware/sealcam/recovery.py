"""Recovery counts and tells what is done about a lost camera: each rung one health event, and one when it is back.

`camera-lost` as it is opened again (as urgent as an alarm while armed away or at night: somebody may have cut its
cable), `camera-restart` and `camera-reboot` before they happen, `camera-back` once pictures have lasted. What is done
when is `ladder`'s, and doing it the eye's. The counts lie in a file, so that they outlive the process and the board.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sealcam.clocks import Clock
from sealcam.files import write_whole
from sealcam.ladder import MOST_REBOOTS, Climbed, Ladder, Move, Rung
from sealcam.orders import ARMED
from sealcam.sealer import Sealer
from sealcam.sight.types import ArmMode
from sealcam.wire.errors import StorageError

_log = logging.getLogger(__name__)

_HANGS = "the camera's library doesn't come back"
_MOST = 1_000_000  # of each count: a larger number is no count


class LadderFile:
    """The counts, in three numbers of text. What can't be read allows no restart of the board."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Climbed:
        """The counts as they were kept; zeros where nothing was."""
        try:
            numbers = [int(word) for word in self._path.read_text("ascii").split()]
        except FileNotFoundError:
            return Climbed()
        except (OSError, ValueError):
            return Climbed(reboots=MOST_REBOOTS)
        if len(numbers) != 3 or not all(0 <= number <= _MOST for number in numbers):
            return Climbed(reboots=MOST_REBOOTS)
        return Climbed(*numbers)

    def save(self, climbed: Climbed) -> bool:
        """Keep them, synced; whether they are kept."""
        try:
            write_whole(self._path, f"{climbed.reopened} {climbed.restarts} {climbed.reboots}\n".encode())
        except StorageError:
            return False
        return True


def ask_for_reboot(path: Path) -> None:
    """Ask the unit that may restart the board, by a file that it waits for; nothing happens where it isn't enabled."""
    try:
        path.touch()
    except OSError as error:
        _log.warning("the board can't be asked to restart: %s", error.strerror)


@dataclass(frozen=True, slots=True)
class Recovering:
    """What a recovery goes by: the ladder, where its counts are kept, and what restarts the board, if it may be."""

    ladder: Ladder = field(default_factory=Ladder)
    save: Callable[[Climbed], bool] = lambda _: True
    reboot: Callable[[], None] | None = None


class Recovery:
    """One process's."""

    def __init__(self, by: Recovering, sealer: Sealer, clock: Clock) -> None:
        self._by, self._sealer, self._clock = by, sealer, clock

    def lost(self, why: str, mode: ArmMode) -> Move:
        """The camera is lost: count it, tell it, say what to do. The board is restarted only if that is on the disk.

        Raises:
            StorageError: the disk is full.
        """
        may_reboot = self._by.reboot is not None and self._by.save(self._by.ladder.climbed)
        move = self._by.ladder.fails(self._clock.boot_ns(), may_reboot=may_reboot)
        kept = self._by.save(self._by.ladder.climbed)
        if move.rung is Rung.REBOOT and not kept:
            move = Move(Rung.RESTART, 0.0)
        code, words = _words(move, self._by.ladder.climbed)
        _log.warning("%s: %s", why, words)
        self._sealer.health(code, f"{why}; {words}", urgent=move.rung is Rung.REOPEN and mode in ARMED)
        return move

    def hangs(self, mode: ArmMode) -> None:
        """The camera's library doesn't come back, so that the process ends whatever the ladder says.

        Raises:
            StorageError: the disk is full.
        """
        move = self.lost(_HANGS, mode)
        if move.rung is Rung.REOPEN:
            move = self.lost(_HANGS, mode)
        if move.rung is Rung.REBOOT:
            self.reboot()

    def sees(self) -> bool:
        """A picture came; whether there was anything to tell.

        Raises:
            StorageError: the disk is full.
        """
        before = self._by.ladder.climbed
        if not self._by.ladder.sees(self._clock.boot_ns()):
            return False
        self._by.save(self._by.ladder.climbed)
        if not before.any:
            return False
        words = f"pictures come again, after {_counted(before)}"
        _log.info("%s", words)
        self._sealer.health("camera-back", words)
        return True

    def rests(self) -> None:
        """The camera was closed on purpose."""
        self._by.ladder.rests()

    def reboot(self) -> None:
        """Have the board restarted, after `lost` said so."""
        if self._by.reboot is not None:
            self._by.reboot()


def _words(move: Move, climbed: Climbed) -> tuple[str, str]:
    match move.rung:
        case Rung.REOPEN:
            return "camera-lost", "it is opened again"
        case Rung.RESTART:
            when = f"in {move.after_s:g} s " if move.after_s else ""
            return "camera-restart", f"the process is started anew {when}(number {climbed.restarts} in a row)"
        case Rung.REBOOT:
            return "camera-reboot", f"the board is restarted (number {climbed.reboots} of at most {MOST_REBOOTS})"


def _counted(climbed: Climbed) -> str:
    parts = [
        f"{count} {word if count == 1 else more}"
        for count, word, more in (
            (climbed.reopened, "opening", "openings"),
            (climbed.restarts, "new process", "new processes"),
            (climbed.reboots, "restart of the board", "restarts of the board"),
        )
        if count
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
