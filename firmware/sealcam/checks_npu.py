"""The doctor's look at neural processors: each is tried as the eye tries it, and the eye's unit must open its device.

Whoever calls the doctor may open more than that unit lets the eye open.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sealcam import models
from sealcam.board import npu, npu_check
from sealcam.checks import Finding, Grade
from sealcam.config import ModelSettings

PART = "neural processor"
_SHOW = ("systemctl", "show", "sealcam-eye", "--property=LoadState,DropInPaths")
_FOLDER = "/etc/systemd/system/sealcam-eye.service.d"


def shown() -> str:
    """What the service manager knows of the eye's unit, in lines of `NAME=VALUE`; empty where there is none."""
    try:
        return subprocess.run(_SHOW, capture_output=True, text=True, check=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def look(settings: ModelSettings, show: Callable[[], str] = shown) -> list[Finding]:
    """Try each candidate until one is good.

    Raises:
        ConfigError: a library that is named isn't there, or its options can't be read.
        ModelError: the model can't be loaded.
    """
    from sealcam.board.litert import runtime_name  # the runtime is loaded where it is needed

    found: list[Finding] = []
    for one in npu.candidates(settings.npu, settings.npu_options):
        trial = npu_check.try_out(one, models.load(settings.name, runtime_name()).content, settings.threads)
        figures = {"look_ms": trial.npu_ms, "processor_ms": trial.cpu_ms}
        if trial.good:
            words = f"{one.name}: {trial.npu_ms:.0f} ms for a look, the processor takes {trial.cpu_ms:.0f}"
            return [*found, let_in(Finding(PART, Grade.GOOD, words, None, figures), one, show())]
        hint = f"{settings.name} runs on the processor; is the maker's driver installed, and the device plugged in?"
        found.append(Finding(PART, Grade.WARNING, f"{one.name} isn't used: {trial.words}", hint, figures))
    return found or [Finding(PART, Grade.ABSENT, "no delegate is installed, or it is switched off (npu under [model])")]


def let_in(found: Finding, one: npu.Npu, unit: str) -> Finding:
    """What is good here, unless the eye's unit opens no device for it; `unit` as `shown` gives it."""
    values = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
    there = {Path(path).stem for path in values.get("DropInPaths", "").split()}
    names = npu.drop_ins(one)
    if values.get("LoadState") != "loaded" or there & set(names):
        return found
    files = " or ".join(f"systemd/npu/{name}.conf" for name in names)
    words = f"{found.words}; but the eye's unit lets the eye open no such device"
    hint = f"copy {files} into {_FOLDER}, then: systemctl daemon-reload && systemctl restart sealcam-eye"
    return replace(found, grade=Grade.WARNING, words=words, hint=hint)
