"""Has a process of its own train a verdict model of the data set, one at a time, and keeps what comes of it.

Numbers go in by a pipe, progress and the model come out; the process is given no path, key or address of this hub, and
what it gives back is checked for size and form before it is kept. What it does is `training`'s.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Protocol

from sealcam.wire.errors import ConfigError, SealcamError
from sealcam_hub.review_data import Example
from sealcam_hub.review_models import Models

COMMAND = (sys.executable, "-m", "sealcam_hub.training")
MODEL_BYTES = 4640  # design/wire.md section 5.5
MOST_LINE = 1 << 20
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "TMPDIR")


class Examples(Protocol):
    """Where the data set comes from: `review_data.DataSet`."""

    def examples(self) -> Sequence[Example]:
        """All of it."""
        ...


@dataclass(frozen=True, slots=True)
class State:
    """How far a training is: `done` of `steps`; `failed` is why the last one ended without a model, empty otherwise."""

    running: bool = False
    done: int = 0
    steps: int = 0
    failed: str = ""


class Training:
    """Trains for one hub; safe to share between threads. `command` is the process, as tests may replace it."""

    def __init__(self, data: Examples, models: Models, command: Sequence[str] = COMMAND) -> None:
        self._data, self._models, self._command = data, models, tuple(command)
        self._lock = threading.Lock()
        self._state = State()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> State:
        """How far it is."""
        return self._state

    def begin(self) -> None:
        """Start a training in the background.

        Raises:
            ConfigError: one is running, or the libraries for it aren't installed.
        """
        if find_spec("numpy") is None:
            raise ConfigError("this hub has nothing to train with", "install sealcam with its extra hub-media")
        with self._lock:
            if self._state.running:
                raise ConfigError("a model is being trained already", "wait until it is done")
            self._state = State(running=True)
        self._thread = threading.Thread(target=self._train, name="training", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float | None = None) -> State:
        """Wait until it is over, at most so long; how far it is then."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._state

    def _train(self) -> None:
        try:
            examples = [one for one in self._data.examples() if one.moments]
            content, figures = self._run([_told(one) for one in examples])
            self._models.keep(content, figures, [one.mark.id for one in examples])
            self._state = State()
        except (SealcamError, OSError, ValueError) as error:
            self._state = State(failed=str(error))
        finally:
            if self._state.running:  # a fault of its own, whose lines are in the log: nobody waits for ever
                self._state = State(failed="the training ended by a fault of its own")

    def _run(self, examples: list[dict[str, Any]]) -> tuple[bytes, dict[str, Any]]:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, close_fds=True
        ) as process:
            assert process.stdin is not None and process.stdout is not None  # noqa: PT018 - pipes, as asked
            try:
                process.stdin.write(json.dumps(examples).encode())
                process.stdin.close()
                while line := process.stdout.readline(MOST_LINE):
                    told = json.loads(line)
                    if "model" in told:
                        return _checked(told)
                    if "failed" in told:
                        raise ConfigError(str(told["failed"])[:200])
                    self._state = replace(self._state, done=int(told["done"]), steps=int(told["steps"]))
            finally:
                process.kill()
        raise ConfigError("the training ended without a model", "the hub's journal says why")


def _told(one: Example) -> dict[str, Any]:
    return {"word": one.mark.word, "version": one.version, "moments": one.moments}


def _checked(told: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    content, figures = bytes.fromhex(told["model"]), told["figures"]
    if len(content) != MODEL_BYTES or not isinstance(figures, dict):
        raise ValueError("the training gave something that is no verdict model")
    return content, figures
