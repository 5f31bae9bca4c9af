"""A camera that hangs as it is opened is given up in time, and doesn't keep its device from the next one."""

from __future__ import annotations

import threading

import pytest

from sealcam.board.protocols import Camera
from sealcam.board.scripted import ScriptedCamera
from sealcam.camera_opening import WITHIN_S, opened
from sealcam.wire.errors import HardwareError
from tests.unit.test_told_in_time import WITHIN_S as PROMISED_S
from tests.waiting import eventually


class Closing(ScriptedCamera):
    """Remembers that it was closed."""

    def __init__(self) -> None:
        super().__init__([])
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_what_opens_is_given_as_it_is_and_so_is_its_error() -> None:
    camera = Closing()
    assert opened(lambda: camera) is camera
    assert not camera.closed.is_set()

    def busy() -> Camera:
        raise HardwareError("the camera is busy")

    with pytest.raises(HardwareError, match="busy"):
        opened(busy)


def test_what_hangs_is_given_up_and_closed_if_it_comes_back() -> None:
    camera, back = Closing(), threading.Event()

    def hanging() -> Camera:
        back.wait(60)
        return camera

    with pytest.raises(HardwareError, match=r"didn't open within 0.01 s"):
        opened(hanging, 0.01)
    assert not camera.closed.is_set()
    back.set()
    eventually(camera.closed.is_set, what="it is closed")


def test_it_is_given_up_in_time_to_be_told() -> None:
    assert WITHIN_S < PROMISED_S
