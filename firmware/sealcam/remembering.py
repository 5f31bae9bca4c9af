"""Hands what sight wants remembered to the memory file, after each frame and at the end.

A disk that is full costs what was learnt since the last write, and no picture: it is logged, and tried again.
"""

from __future__ import annotations

import logging

from sealcam.memoryfile import MemoryFile
from sealcam.sight.watch import Watch
from sealcam.wire.errors import StorageError

_log = logging.getLogger(__name__)


def remember(watch: Watch, memory: MemoryFile, now_ns: int) -> None:
    """Keep what is new since this was last called; on the disk within a minute."""
    memory.keep(watch.traces(), watch.statics)
    try:
        memory.tend(now_ns)
    except StorageError as error:
        _log.warning("what the camera learnt is not on the disk: %s", error.message)


def save(watch: Watch, memory: MemoryFile) -> None:
    """Keep it, and write it now: watching ends, or pauses."""
    memory.keep(watch.traces(), watch.statics)
    try:
        memory.save()
    except StorageError as error:
        _log.warning("what the camera learnt is not on the disk: %s", error.message)
