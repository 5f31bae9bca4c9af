"""Sight hands over to the recorder and never waits; what was said is never passed over."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from sealcam.board.protocols import Frame
from sealcam.filmqueue import MOST_FRAMES, FilmQueue
from sealcam.openclip import Recorded
from sealcam.sight.types import Report, Stage
from sealcam.wire.errors import StorageError
from tests.films import frame, ns, report


class Films:
    """Notes what it was given; can be held up."""

    def __init__(self) -> None:
        self.given: list[int | str] = []
        self.go = threading.Event()
        self.go.set()
        self.busy = threading.Event()
        self.fail = False

    def take(self, frame: Frame, reports: Sequence[Report] = ()) -> Sequence[Recorded]:
        self.busy.set()
        assert self.go.wait(30)
        if self.fail:
            raise StorageError("the outbox is full")
        self.given.append(frame.t_ns)
        return ()

    def hear(self, reports: Sequence[Report]) -> Sequence[Recorded]:
        self.given += [str(one.stage) for one in reports]
        return ()

    def stop(self, reports: Sequence[Report] = ()) -> Sequence[Recorded]:
        self.given.append("stop")
        return ()

    def forget(self) -> Sequence[Recorded]:
        self.given.append("forget")
        return ()


@contextmanager
def running(queue: FilmQueue) -> Iterator[threading.Event]:
    """A thread that records until it is stopped."""
    stop = threading.Event()
    thread = threading.Thread(target=queue.run, args=(lambda: None, stop))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def test_everything_comes_in_its_order() -> None:
    films = Films()
    queue = FilmQueue(films, lambda _: None)
    queue.put(frame(1), ())
    queue.put(frame(2), [report(Stage.NEW, 2, 1)])
    queue.rest([report(Stage.END, 2, 1)])
    queue.forget()
    queue.put(frame(3), ())
    queue.end([])
    with running(queue):
        assert queue.done.wait(30)
    assert films.given == [ns(1), ns(2), "new", "end", "stop", "forget", ns(3), "stop"]
    assert queue.passed_over == 0


def test_a_recorder_that_cannot_keep_up_passes_frames_over_and_hears_everything() -> None:
    films = Films()
    queue = FilmQueue(films, lambda _: None)
    films.go.clear()
    with running(queue):
        queue.put(frame(0), ())
        assert films.busy.wait(30)
        for second in range(1, 20):
            queue.put(frame(second), [report(Stage.UPDATE, second, 1)])
        queue.end(())
        assert queue.passed_over == 19 - MOST_FRAMES
        films.go.set()
        assert queue.done.wait(30)
    assert films.given.count("update") == 19
    assert [one for one in films.given if isinstance(one, int)] == [ns(second) for second in range(MOST_FRAMES + 1)]


def test_what_fails_ends_the_thread_with_its_error() -> None:
    films = Films()
    films.fail = True
    queue = FilmQueue(films, lambda _: None)
    queue.put(frame(0), ())
    with pytest.raises(StorageError, match="outbox"):
        queue.run(lambda: None, threading.Event())


def test_a_stop_without_a_last_word_ends_it_all_the_same() -> None:
    films, stop = Films(), threading.Event()
    stop.set()
    beats: list[int] = []
    FilmQueue(films, lambda _: None).run(lambda: beats.append(1), stop)
    assert films.given == ["stop"]
    assert beats
