"""Has a film changed by the media process: feeds it, takes what comes back, and ends it when it does too much.

One process for one job, and one job at a time. Whatever goes wrong in it (a crash, memory, time, nonsense) is an error
of the job and nothing more. What it may and may not do is `media_cage`'s, what it does `media_worker`'s.
design/hub.md, "Sharing", media process.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain

from sealcam.wire.errors import SealcamError
from sealcam_hub.media_messages import (
    HEAD,
    MOST_BLOCK_BYTES,
    PROGRESS,
    Done,
    Fault,
    Job,
    Say,
    pack_job,
    read_done,
)

MODULE = "sealcam_hub.media_worker"
_READ_BYTES = 1 << 18
_WORDS = {
    Fault.UNREADABLE: ("the clip's pictures can't be read", "share it as the camera signed it, if you want to"),
    Fault.EMPTY: ("no picture lies in that part", "choose a longer one"),
    Fault.MODEL: ("there is no detector here that finds people", "choose a box instead, or see `make model`"),
    Fault.CAGE: ("this machine can't lock the media process up", "share clips as the camera signed them"),
    Fault.ENCODER: ("the pictures can't be encoded again", "share it as the camera signed it, if you want to"),
}
_FAILED = "the media process failed"
_HINT = "nothing was shared; try a shorter part"


class MediaError(SealcamError):
    """Nothing came of a job."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the process gets: memory, processor time, time in all, time without a word, and bytes of film."""

    memory_bytes: int = 1536 << 20
    cpu_s: int = 3600
    all_s: float = 3600.0
    silent_s: float = 120.0
    film_bytes: int = 1 << 30


BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class Media:
    """What starts the process; safe to share between threads, which wait for each other."""

    bounds: Bounds = BOUNDS
    module: str = MODULE
    _one: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self,
        job: Job,
        film: Iterable[bytes],
        write: Callable[[bytes], None],
        told: Callable[[int], bool] = lambda _us: True,
    ) -> Done:
        """Do a job: `film` is read on a thread of its own, `write` takes the new film as it comes.

        `told` hears how many microseconds are done, at least each second, and says whether to go on.

        Raises:
            MediaError: it failed, or `told` said no; what was written is worth nothing.
            SealcamError: as reading `film` or `write` raises.
        """
        with self._one:
            return _Run(self.bounds, self.module, write, told).through(job, film)


class _Run:
    def __init__(
        self, bounds: Bounds, module: str, write: Callable[[bytes], None], told: Callable[[int], bool]
    ) -> None:
        self._bounds, self._module, self._write, self._told = bounds, module, write, told
        self._us = self._film_bytes = 0
        self._reading: BaseException | None = None

    def through(self, job: Job, film: Iterable[bytes]) -> Done:
        bounds = self._bounds
        limits = (str(bounds.memory_bytes), str(bounds.cpu_s))
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-m", self._module, *limits],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                bufsize=0,
            )
        except OSError as error:
            raise MediaError(f"{_FAILED}: {error.strerror}", _HINT) from error
        feeding = threading.Thread(target=self._feed, args=(process, job, film), name="media", daemon=True)
        try:
            feeding.start()
            return self._hear(process)
        finally:
            process.kill()
            process.wait()
            feeding.join()  # its pipe is broken now
            assert process.stdout is not None
            process.stdout.close()

    def _feed(self, process: subprocess.Popen[bytes], job: Job, film: Iterable[bytes]) -> None:
        assert process.stdin is not None
        try:
            with process.stdin as pipe:
                for piece in chain([pack_job(job)], film):
                    view = memoryview(piece)
                    while view:
                        view = view[pipe.write(view) :]
        except BrokenPipeError:
            return  # it has ended: what it said counts
        except (SealcamError, OSError) as error:
            self._reading = error
            process.kill()

    def _hear(self, process: subprocess.Popen[bytes]) -> Done:
        assert process.stdout is not None
        began = heard = time.monotonic()
        buffer = bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while True:
                if not self._told(self._us):
                    raise MediaError("that was stopped", "nothing was shared")
                now = time.monotonic()
                if now - began > self._bounds.all_s or now - heard > self._bounds.silent_s:
                    raise MediaError("the media process took too long", _HINT)
                if not ready.select(1.0):
                    continue
                some = os.read(process.stdout.fileno(), _READ_BYTES)
                if not some:
                    raise self._reading or MediaError(_FAILED, _HINT)
                heard = time.monotonic()
                buffer += some
                done = self._taken(buffer)
                if done is not None:
                    return done

    def _taken(self, buffer: bytearray) -> Done | None:
        """Take the whole blocks out of the buffer; what the last one says, once it is there."""
        while len(buffer) >= HEAD.size:
            kind, size = HEAD.unpack_from(buffer)
            if size > MOST_BLOCK_BYTES:
                raise MediaError(_FAILED, _HINT)
            if len(buffer) < HEAD.size + size:
                return None
            data = bytes(buffer[HEAD.size : HEAD.size + size])
            del buffer[: HEAD.size + size]
            if (done := self._one_block(kind, data)) is not None:
                return done
        return None

    def _one_block(self, kind: int, data: bytes) -> Done | None:
        if kind == Say.FILM:
            self._film_bytes += len(data)
            if self._film_bytes > self._bounds.film_bytes:
                raise MediaError("the changed clip is too large", "choose a shorter part")
            self._write(data)
            return None
        if kind == Say.PROGRESS and len(data) == PROGRESS.size:
            self._us = PROGRESS.unpack(data)[0]
            return None
        if kind == Say.FAILED and len(data) == 1 and data[0] in _WORDS:
            raise MediaError(*_WORDS[Fault(data[0])])
        try:
            if kind == Say.DONE and self._film_bytes:
                return read_done(data)
        except ValueError as error:
            raise MediaError(_FAILED, _HINT) from error
        raise MediaError(_FAILED, _HINT)
