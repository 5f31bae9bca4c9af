"""A recorder that can't keep up is told once, with the share that was missed, and again when it is over."""

from __future__ import annotations

import pytest

from sealcam.lagging import Lag
from tests.films import ns


class Said:
    def __init__(self) -> None:
        self.lag = Lag()
        self.codes: list[str] = []
        self.words: list[str] = []
        self._t_s = 0.0

    def say(self, code: str, words: str) -> None:
        self.codes.append(code)
        self.words.append(words)

    def run(self, seconds: float, every: int, fps: float = 15) -> None:
        """Frames of which each `every`-th is passed over (0: none); what there is to tell is told at once."""
        for index in range(round(seconds * fps)):
            self.lag.take(ns(self._t_s), passed_over=bool(every) and index % every == 0)
            self.lag.tell(self.say)
            self._t_s += 1 / fps


def test_it_is_told_once_however_long_it_lasts_and_once_when_it_is_over() -> None:
    said = Said()
    said.run(130, 0)
    assert said.codes == []
    said.run(300, 3)
    assert said.codes == ["encoder-slow"]
    assert "251 of 901 pictures (28%)" in said.words[0]
    said.run(300, 0)
    assert said.codes == ["encoder-slow", "encoder-slow-over"]
    said.run(300, 2)
    assert said.codes == ["encoder-slow", "encoder-slow-over", "encoder-slow"]


@pytest.mark.parametrize("every", [12, 50])
def test_a_few_frames_are_no_news(every: int) -> None:
    said = Said()
    said.run(300, every)
    assert said.codes == []


def test_between_too_slow_and_sound_nothing_changes() -> None:
    said = Said()
    said.run(130, 5)
    said.run(300, 20)
    assert said.codes == ["encoder-slow"]


def test_a_burst_that_fits_into_a_minute_among_sound_ones_is_no_news() -> None:
    said = Said()
    said.run(100, 0)
    said.run(3, 1)
    said.run(100, 0)
    assert said.codes == []


def test_a_source_that_begins_anew_or_gives_few_frames_says_nothing_of_the_encoder() -> None:
    said = Said()
    for _ in range(9):
        said.run(50, 2)
        said._t_s = 0.0
    said.run(600, 2, fps=0.3)
    assert said.codes == []
