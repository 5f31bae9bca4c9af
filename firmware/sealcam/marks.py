"""The owner's marks on incidents, as the hub sends them (design/wire.md section 5.3): taken into the memory at once.

They count from the next frame on, for a running incident too. What they mean is `sight.memory`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

from sealcam.commands import Declined, Handler
from sealcam.memoryfile import Marked, MemoryFile
from sealcam.sight.verdict import Mark
from sealcam.wire.bodies import Outcome
from sealcam.wire.errors import StorageError
from sealcam.wire.wishes import CommandType, MarksWish


class Marks:
    """What this camera does about marks."""

    def __init__(self, memory: MemoryFile) -> None:
        self._memory = memory

    @property
    def handlers(self) -> Mapping[CommandType, Handler]:
        """What this part can carry out."""
        return {CommandType.MARKS: self._mark}

    def _mark(self, wish: MarksWish) -> str:
        back = wish.taken_back or ()
        try:
            gone = self._memory.mark((incident.hex(), None) for incident in back)
            done = self._memory.mark((one.incident.hex(), Mark[one.mark.name]) for one in wish.marks)
        except StorageError as error:
            raise Declined(Outcome.FAILED, f"{error.message}; the marks hold until the camera starts again") from error
        if back and not wish.marks:
            return f"{_counted(gone.known, 'mark')} taken back"
        said = self._taken(done)
        return f"{said}; {_counted(gone.known, 'mark')} taken back" if back else said

    def _taken(self, done: Marked) -> str:
        forgotten = f"{_counted(done.unknown, 'incident')} not remembered here any more"
        if done.unknown and not done.known:
            raise Declined(Outcome.FAILED, forgotten)
        taken = done.known - done.blank
        words = [
            (taken or not done.blank, f"{_counted(taken, 'mark')} taken"),
            (done.blank, f"{_counted(done.blank, 'mark')} noted, but nothing to recognise it by was kept"),
            (done.unknown, forgotten),
        ]
        return "; ".join(text for said, text in words if said)


def _counted(count: int, what: str) -> str:
    return f"1 {what} is" if count == 1 else f"{count} {what}s are"
