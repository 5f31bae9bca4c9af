"""What this camera remembers, in `STATE/eye/memory`: recent incidents, the owner's marks, what belongs to the scene.

Locked, since it tells when somebody came by; at most 900 kB, without a pixel. Sight asks the memory in it, this file
keeps both the same over a restart: at once when the owner marks something, otherwise once a minute and at the end. A
file that can't be read is forgotten, which suppresses nothing. design/sight.md, memory.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from sealcam import memory_bodies
from sealcam.lockedfile import LockedFile
from sealcam.memory_bodies import Remembered
from sealcam.sight.memory import Memory, Trace
from sealcam.sight.statics import StaticThing
from sealcam.sight.verdict import Mark
from sealcam.wire.errors import EnvelopeError
from sealcam.wrapping import Wrapping

_log = logging.getLogger(__name__)

MAGIC = b"MEMORY\x00\x01"
# So often it is written at the most for what only the camera knows: 900 kB a minute is what a card can bear.
SAVE_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of marks: how many incidents are known here, of how many of those nothing was kept by which they
    could be recognised, and how many are not known."""

    known: int
    blank: int
    unknown: int


class MemoryFile:
    """The file at `path`. `model` names the detector whose looks are in it; `now_s` is the wall time in whole seconds
    (0: unknown). Kept by sight's thread, marked by the link's.

    Raises:
        StorageError: the file can't be read.
    """

    def __init__(self, path: Path, wrapping: Wrapping, model: str, now_s: Callable[[], int] = lambda: 0) -> None:
        self._file = LockedFile(path, MAGIC, wrapping)
        self._model = model
        self._now_s = now_s
        self._lock = threading.Lock()
        self._changed = False
        self._saved_ns: int | None = None
        remembered = self._read()
        self._statics = remembered.statics
        self.memory = Memory(remembered.traces)

    def _read(self) -> Remembered:
        data = self._file.read()
        try:
            return Remembered() if data is None else memory_bodies.decode(data, self._model)
        except EnvelopeError:
            _log.warning("the camera's memory is of another version, or damaged: it begins anew")
            return Remembered()

    @property
    def statics(self) -> tuple[StaticThing, ...]:
        """What belongs to the scene, as it was kept last."""
        return self._statics

    def keep(self, traces: Iterable[Trace], statics: tuple[StaticThing, ...]) -> None:
        """Remember what sight knows of these incidents, and of the scene; `tend` writes it."""
        with self._lock:
            for trace in traces:
                self.memory.keep(replace(trace, at_s=self._now_s()))
                self._changed = True
            if statics is not self._statics and [id(one) for one in statics] != [id(one) for one in self._statics]:
                self._statics, self._changed = statics, True

    def tend(self, now_ns: int) -> None:
        """Write what has changed, if the last time is a minute ago.

        Raises:
            StorageError: the disk is full; nothing is lost but by a restart.
        """
        if not self._changed:
            return
        if self._saved_ns is None or now_ns - self._saved_ns >= SAVE_EVERY_S * 1e9:
            self._saved_ns = now_ns
            self.save()

    def save(self) -> None:
        """Write what has changed.

        Raises:
            StorageError: the disk is full; nothing is lost but by a restart.
        """
        with self._lock:
            if self._changed:
                self._write()

    def mark(self, marks: Iterable[tuple[str, Mark | None]]) -> Marked:
        """Take the owner's word on these incidents (none: it is taken back), durably.

        Raises:
            StorageError: the disk is full; the marks hold until a restart.
        """
        with self._lock:
            found = [(incident, self.memory.mark(incident, mark)) for incident, mark in marks]
            known = {incident for incident, here in found if here}
            if known:
                self._write()
            blank = {one.incident for one in self.memory.traces if one.incident in known and not one.parts}
            taken = [incident for incident, here in found if here]
            return Marked(len(taken), sum(one in blank for one in taken), len(found) - len(taken))

    def erase(self, incidents: Iterable[str] | None = None) -> int:
        """Forget these incidents, durably; how many there were. None: all of them, and the scene too.

        Raises:
            StorageError: it can't be written.
        """
        with self._lock:
            gone = self.memory.erase(incidents)
            if incidents is None:
                self._statics = ()
                self._file.erase()
            elif gone:
                self._write()
            self._changed = False
            return gone

    def _write(self) -> None:
        self._file.write(memory_bodies.encode(Remembered(self.memory.traces, self._statics), self._model))
        self._changed = False
