"""Tries a neural processor in a process of its own before it is believed.

A delegate is somebody else's library in our process: it may crash, hang, or give wrong numbers on a model that it
wasn't made for. So it runs beside the processor on golden pictures in a child with a time limit (`npu_trial`), and only
one that agrees is loaded. design/sight.md, neural processors.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from sealcam.board.npu import Npu

WITHIN_S = 120.0  # some compile the model for their processor the first time


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial found: `words` says why it isn't to be used, or nothing. Times of one look, in ms, 0 if none."""

    words: str = ""
    cpu_ms: float = 0.0
    npu_ms: float = 0.0

    @property
    def good(self) -> bool:
        """Whether it gives what the processor gives, and hardly later."""
        return not self.words


def try_out(npu: Npu, model: bytes, threads: int, within_s: float = WITHIN_S) -> Trial:
    """Run the delegate and the processor on golden pictures in a process of its own, and compare."""
    command = [
        sys.executable,
        "-m",
        "sealcam.board.npu_trial",
        npu.library,
        json.dumps(dict(npu.options)),
        str(threads),
    ]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        out, _ = child.communicate(model, within_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return Trial(f"it gave no answer within {within_s:g} s")
    if child.returncode < 0:
        return Trial(f"it crashed (signal {-child.returncode})")
    try:
        found = json.loads(out.splitlines()[-1])  # a library may write there, too, before the trial's own line
        return Trial(str(found["words"]), float(found["cpu_ms"]), float(found["npu_ms"]))
    except (IndexError, ValueError, TypeError, KeyError):
        return Trial("its process ended without a word")
