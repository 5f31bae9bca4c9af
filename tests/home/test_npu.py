"""A bad neural processor, in a whole home: the eye stays up, looks with the processor, and its owner is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import delegates
from tests.home.conftest import RunningHome
from tests.waiting import eventually


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (delegates.RIGHT, None),
        (delegates.LYING, "it gives other numbers than the processor does"),
        (delegates.CRASHING, "it crashed (signal 11)"),
    ],
)
def test_the_eye_sees_on_whatever_the_delegate_does(
    home: RunningHome, walkers: Path, tmp_path: Path, how: int, why: str | None
) -> None:
    library = delegates.compiled(tmp_path, how)
    home.start(walkers, once=False, extra=f'[model]\nnpu = "{library}"\n')
    eye = home.home.parts["eye"]
    seen = "a person in the ledger"
    eventually(lambda: any(one.get("subject") == "person" for one in home.chained()), 180.0, seen)

    def told() -> list[str]:
        texts = [str(one["text"]) for one in home.chained() if one["type"] == "health"]
        return [text for text in texts if library.name in text]

    if why is not None:
        eventually(lambda: told() != [], 60.0, "a word on the delegate")
    assert len(told()) == (why is not None)
    assert all(f"isn't used: {why}" in one for one in told())
    assert home.home.parts["eye"] is eye
    assert eye.poll() is None, "the same process looks on"
    record = home.folder / "camera" / "eye" / "npu"
    assert record.read_text() == "1\n", "a start that hasn't lived for ten minutes yet"
    home.home.end("eye")
    assert not record.exists(), "an end in order isn't held against it"
