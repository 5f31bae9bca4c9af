"""A camera on the bench: in a machine, claimed to a real hub outside, and waited for as long as it needs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sealcam.wire.errors import SealcamError
from sealcam_provision import home as homes
from tests.clips import write_clip
from tests.system.root import build_wheel
from tests.vm import product
from tests.vm.image import Image
from tests.vm.machine import Machine
from tests.vm.rig import FPS, Camera, Hub, camera_files
from tests.vm.witness import Witness

WAIT_S, AGAIN_S = 600.0, 60.0
_LOOK_S = 10.0  # a look into the ledger is a process, on the processor that the machine needs


class Bench:
    """A camera, its machine, and the hub that hears it."""

    def __init__(self, hub: Hub, machine: Machine, witness: Witness) -> None:
        self.hub, self.machine, self.witness = hub, machine, witness

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for it; the machine needs the processor more than we do."""
        assert self._within(WAIT_S, condition), f"{what} did not happen:\n{self.witness.text[-3000:]}"

    def again(self, act: Callable[[], object], condition: Callable[[], object], what: str) -> None:
        """Do it until it has its effect: what comes while the camera starts is lost, as at a door."""
        ends = time.monotonic() + WAIT_S
        act()
        while not self._within(AGAIN_S, condition):
            assert time.monotonic() < ends, f"{what} did not happen:\n{self.witness.text[-3000:]}"
            act()

    def told(self, **fields: object) -> list[dict[str, Any]]:
        """The events in the hub's ledger of which these fields are so."""
        return [one for one in self.hub.events() if all(one.get(name) == value for name, value in fields.items())]

    def health(self, code: str) -> list[dict[str, Any]]:
        """What the camera told of itself under that code."""
        return self.told(type="health", kind=code)

    def camera(self) -> dict[str, Any]:
        """What the hub's status says of the camera."""
        (found,) = json.loads(self.hub.run("status", "--json"))["cameras"]
        return dict(found)

    @staticmethod
    def _within(seconds: float, condition: Callable[[], object]) -> bool:
        ends, never = time.monotonic() + seconds, threading.Event()
        while not condition():
            if time.monotonic() >= ends:
                return False
            never.wait(_LOOK_S)
        return True


@contextmanager
def watching(
    image: Image, folder: Path, config: Callable[[str], str], before: Callable[[Machine], None]
) -> Iterator[Bench]:
    """Claimed and booted, its recorded scene an empty room; `config` changes its configuration, and `before` is done to
    the machine before the camera starts."""
    try:
        homes.find_mosquitto()
    except SealcamError as error:
        pytest.skip(f"no broker to start: {error}")
    files = camera_files(folder)
    files["sealcam.toml"].write_text(config(files["sealcam.toml"].read_text()))
    empty = np.full((120, 160), 90, np.uint8)
    write_clip(files["footage.mkv"], [empty] * 60, range(0, 60 * 1000 // FPS, 1000 // FPS))
    hub = Hub(folder)
    try:
        camera = Camera(image, product.build(build_wheel(folder), files, folder), hub, own_time=True)
        machine, witness = camera.boot(0, before=before)
        with machine:
            yield Bench(hub, machine, witness)
    finally:
        hub.end()
