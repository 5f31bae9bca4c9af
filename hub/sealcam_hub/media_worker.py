"""The hub's media process: a film comes in through a pipe, is decoded, changed, encoded, and goes out through another.

The only part of the hub that sees pixels. It loads its libraries and the detector, works once on a picture that it
made, and locks itself up (`media_cage`) before it reads the first byte of a film: then there is no network, no file and
no other process for it, and nothing that it could do with a key if it had one. Started by `media` alone, as
`python -m sealcam_hub.media_worker MEMORY_BYTES CPU_SECONDS`. design/hub.md, "Sharing", media process.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from typing import BinaryIO

from sealcam.wire.errors import ClipError, HardwareError, ModelError
from sealcam_hub.media_cage import CageError, limit, lock
from sealcam_hub.media_messages import (
    LENGTH,
    MOST_JOB_BYTES,
    PROGRESS,
    Done,
    Fault,
    Job,
    Say,
    block,
    pack_done,
    read_job,
)

FPS, BYTES_PER_S = 15.0, 375_000  # as a camera's own clips; a film's rate is its pictures' times
MOST_GOP_BYTES = 8 << 20
EVERY = 3  # pictures between two looks of the second model
SHARE = 0.7  # of a model's threshold: a box too many costs a few smooth cells, a box too few shows somebody
TOLD_EVERY = 10


def main() -> int:
    """Do the one job that comes in; 0 even if it failed, which is said."""
    memory_bytes, cpu_s = (int(word) for word in sys.argv[1:3])
    limit(memory_bytes, cpu_s)
    logging.disable(logging.CRITICAL)
    says, hears = os.fdopen(1, "wb", buffering=0), os.fdopen(0, "rb", buffering=0)
    try:
        work = _Work(says)
        lock()
        size = LENGTH.unpack(_exactly(hears, LENGTH.size))[0]
        if size > MOST_JOB_BYTES:
            raise ClipError("no job")
        done = work.run(read_job(_exactly(hears, size)), hears)
    except (ClipError, HardwareError, ModelError, CageError) as error:
        faults = {ClipError: Fault.UNREADABLE, HardwareError: Fault.ENCODER, ModelError: Fault.MODEL}
        _write(says, block(Say.FAILED, bytes([faults.get(type(error), Fault.CAGE)])))
    else:
        _write(says, block(Say.FAILED, bytes([Fault.EMPTY])) if done is None else block(Say.DONE, pack_done(done)))
    return 0


class _Work:
    """Everything that a job takes, loaded and used once."""

    def __init__(self, says: BinaryIO) -> None:
        import cv2

        from sealcam_hub import media_film

        cv2.setNumThreads(1)
        self._says = says
        self._film = media_film
        self._looks: media_film.Looks | None = None
        self._why: ModelError | None = None
        try:
            self._looks = media_film.Looks(EVERY, SHARE)
        except ModelError as error:  # a box alone needs no detector
            self._why = error
        made = b"".join(self._warm())
        list(media_film.frames(io.BytesIO(made)))

    def _warm(self) -> Iterator[bytes]:
        film = self._film
        maker = film.Film(FPS, BYTES_PER_S, MOST_GOP_BYTES)
        for number in range(3):
            frame = film.grey(number)
            areas = [] if self._looks is None else self._looks.people(frame)
            planes = film.hidden(frame, [*areas, film.ALL], film.SOME)
            yield from maker.add(film.contiguous(frame, planes))
        yield from maker.end()

    def run(self, job: Job, source: BinaryIO) -> Done | None:
        """The film of a job, written as it is made; none where nothing lies in its part."""
        film, looks = self._film, self._looks
        if job.people and looks is None:
            raise self._why or ModelError("no detector")
        maker = film.Film(FPS, BYTES_PER_S, MOST_GOP_BYTES)
        first_us, last_us, count, blurred, size = 0, 0, 0, 0, (0, 0)

        for frame, areas in film.held(film.looked(source, looks if job.people else None)):
            at_us = frame.t_ns // 1000
            if at_us < job.begin_us or (job.end_us is not None and at_us >= job.end_us):
                continue
            planes = film.hidden(frame, areas, job.area)
            first_us, last_us = (at_us if not count else first_us), at_us
            size = (planes[0].shape[1], planes[0].shape[0])
            count, blurred = count + 1, blurred + bool(areas)
            self._tell(maker.add(film.contiguous(frame, planes)))
            if count % TOLD_EVERY == 0:
                _write(self._says, block(Say.PROGRESS, PROGRESS.pack(at_us)))
        if not count:
            return None
        self._tell(maker.end())
        return Done(first_us, last_us - first_us, count, *size, blurred)

    def _tell(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            _write(self._says, block(Say.FILM, piece))


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            raise ClipError("the hub has gone")
        data += more
    return data


def _write(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) or 0 :]


if __name__ == "__main__":
    sys.exit(main())
