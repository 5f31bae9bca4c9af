"""A Raspberry Pi camera that is busy, absent or broken is one clear line, whatever picamera2 hides it behind.

The errors are picamera2's own: since 0.3 its constructor raises "did not complete", with the reason as the context.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable

import pytest

from sealcam.board.picamera import open_picamera2
from sealcam.wire.errors import HardwareError

HIDDEN = "Camera __init__ sequence did not complete."


def hiding(reason: Exception) -> Callable[[int], object]:
    """A constructor as picamera2's: it catches the reason and raises another error."""

    def construct(_number: int) -> object:
        try:
            raise reason
        except (IndexError, RuntimeError):
            raise RuntimeError(HIDDEN)  # noqa: B904 - as it does it, without "from"

    return construct


def telling(reason: Exception) -> Callable[[int], object]:
    """A constructor that raises the reason itself."""

    def construct(_number: int) -> object:
        raise reason

    return construct


def refused(monkeypatch: pytest.MonkeyPatch, construct: Callable[[int], object], number: int = 0) -> HardwareError:
    library = types.ModuleType("picamera2")
    monkeypatch.setattr(library, "Picamera2", construct, raising=False)
    monkeypatch.setitem(sys.modules, "picamera2", library)
    with pytest.raises(HardwareError) as caught:
        open_picamera2(number)
    return caught.value


@pytest.mark.parametrize("how", [hiding, telling])
@pytest.mark.parametrize(
    "words",
    [
        "Failed to acquire camera: Device or resource busy",
        "Failed to acquire camera",
        "camera.acquire() returned unexpected code: -16",
    ],
)
def test_a_camera_that_another_program_has_is_said_to_be_busy(
    monkeypatch: pytest.MonkeyPatch, how: Callable[[Exception], Callable[[int], object]], words: str
) -> None:
    error = refused(monkeypatch, how(RuntimeError(words)))
    assert error.message == "the camera is busy: another program has it"
    assert "fuser -v /dev/media*" in str(error.hint)


@pytest.mark.parametrize("how", [hiding, telling])
@pytest.mark.parametrize(
    "reason",
    [
        IndexError("list index out of range"),
        RuntimeError('No camera number 1 found - use "rpicam-hello --list-cameras" to check connected cameras'),
        RuntimeError("Camera(s) not found (Do not forget to disable legacy camera with raspi-config)."),
    ],
)
def test_a_board_without_that_camera_says_so_and_to_look_at_the_cable(
    monkeypatch: pytest.MonkeyPatch, how: Callable[[Exception], Callable[[int], object]], reason: Exception
) -> None:
    error = refused(monkeypatch, how(reason), 1)
    assert error.message == "there is no camera 1 on this board"
    assert "ribbon cable" in str(error.hint)


@pytest.mark.parametrize("words", ["Initialization failed.", "Failed to acquire camera: Permission denied"])
def test_another_reason_is_told_as_it_is_and_not_as_busy(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    error = refused(monkeypatch, hiding(RuntimeError(words)))
    assert error.message == f"the camera can't be opened ({words})"
    assert "ribbon cable" in str(error.hint)
    assert "\n" not in error.message


def test_a_reason_that_nobody_hid_anything_behind_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(monkeypatch, telling(RuntimeError(HIDDEN))).message == f"the camera can't be opened ({HIDDEN})"
