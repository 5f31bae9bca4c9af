"""The self-test's look at what is wired to the pins. What only a person can see or do, it asks a person for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sealcam.board.pin_protocols import Button, Infrared, Shutter
from sealcam.board.protocols import MotionSensor, Shine, StatusLight
from sealcam.checks import Finding, Grade
from sealcam.clocks import Clock
from sealcam.pin_settings import PinSettings
from sealcam.wired import Wired, open_wired

PIR_S, BUTTON_S, SHOWN_S = 10.0, 10.0, 2.0
_POLL_S = 0.05


def look(
    part: str, names: tuple[str, ...], settings: PinSettings, clock: Clock, at: Callable[[Wired], list[Finding]]
) -> list[Finding]:
    """What `at` finds of the part that `names` of the configuration wire, or why it can't be looked at."""
    if not set(names) & set(settings.named):
        return [Finding(part, Grade.ABSENT, f"none is configured ({' or '.join(names)} under [pins])")]
    wired = open_wired(settings, clock, only=names, warm_up_s=0.0)
    try:
        unusable = [Finding(part, Grade.BAD, one.words.removeprefix(f"{part}: "), one.hint) for one in wired.unusable]
        return unusable or at(wired)
    finally:
        wired.close()


def feel(sensor: MotionSensor | None, seconds: float = PIR_S) -> list[Finding]:
    """Whether the motion sensor feels somebody who waves.

    Raises:
        HardwareError: the pin is lost.
    """
    if sensor is None:
        return []
    felt, never, until = 0, threading.Event(), time.monotonic() + seconds
    while time.monotonic() < until:
        felt += sensor.take() is not None
        never.wait(_POLL_S)
    brief = sensor.counts.brief
    figures = {"felt": felt, "brief": brief, "seconds": seconds}
    if not felt:
        hint = "wave in front of it meanwhile; after power-on it needs a minute; is its output wired to this pin?"
        return [Finding("motion sensor", Grade.WARNING, f"felt nothing in {seconds:g} s", hint, figures)]
    words = f"felt movement {felt} times in {seconds:g} s"
    if brief:
        hint = "keep it and its wire away from the antenna, or twist the wire with ground"
        words += f"; {brief} pulses were too short for a person"
        return [Finding("motion sensor", Grade.WARNING, words, hint, figures)]
    return [Finding("motion sensor", Grade.GOOD, words, None, figures)]


def shine(light: StatusLight | None, seconds: float = SHOWN_S) -> list[Finding]:
    """Blink the status light: whether it shone only a person can say.

    Raises:
        HardwareError: the pin is lost.
    """
    if light is None:
        return []
    light.set(Shine.BLINKING)
    threading.Event().wait(seconds)
    light.set(Shine.OFF)
    words = f"set by software: was told to blink for {seconds:g} s: did it?"
    return [Finding("status light", Grade.GOOD, words)]


def press(button: Button | None, seconds: float = BUTTON_S) -> list[Finding]:
    """Whether the button is pressed when somebody is asked to.

    Raises:
        HardwareError: the pin is lost.
    """
    if button is None:
        return []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if button.take() or button.held_s > 0:
            return [Finding("button", Grade.GOOD, "was pressed")]
        button.stirred.wait(_POLL_S)
    hint = "press it meanwhile; one that is held already counts once it was let go of; is it wired to ground?"
    return [Finding("button", Grade.WARNING, f"wasn't pressed in {seconds:g} s", hint)]


def darken(infrared: Infrared | None, seconds: float = SHOWN_S) -> list[Finding]:
    """Have night for a moment: whether the filter clicked and the lamp shone only a person can say.

    Raises:
        HardwareError: a pin is lost.
    """
    if infrared is None:
        return []
    infrared.set(night=True)
    threading.Event().wait(seconds)
    infrared.set(night=False)
    words = f"was as by night for {seconds:g} s: did the filter click, and did the lamp glow in a phone's camera?"
    return [Finding("infrared", Grade.GOOD, words)]


def cover(shutter: Shutter | None) -> list[Finding]:
    """Cover and uncover the lens: whether it moved only a person can say.

    Raises:
        HardwareError: the pin is lost.
    """
    if shutter is None:
        return []
    shutter.set(covered=True)
    shutter.set(covered=False)
    return [Finding("shutter", Grade.GOOD, "was told to cover the lens and to uncover it: did it?")]
