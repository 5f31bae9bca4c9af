"""The eye on a real kernel GPIO chip: a motion sensor, a status light and a button that the test presses.

The pins are `gpio-sim`'s; everything from the kernel's edge to the hub's ledger is what runs on a board.
design/wiring.md.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from sealcam.board.pir import WARM_UP_S
from tests.vm.bench import Bench, watching
from tests.vm.image import Image
from tests.vm.machine import STATE, Machine
from tests.vm.pins import Chip

PIR, LED, BUTTON = 17, 27, 22
WIRED = f"""
[pins]
pir = {PIR}
led = {LED}
button = {BUTTON}
ir_lamp = 1
"""
KEPT = f"find {STATE}/eye {STATE}/post -type f"


@pytest.mark.parametrize("reset_in", ["off", "home", "away", "night"])
def test_a_camera_on_real_pins_senses_shines_refuses_and_is_reset(image: Image, tmp_path: Path, reset_in: str) -> None:
    """One life for each mode that it is reset in, since that ends it; the other parts are shown in the last one."""
    chips: list[Chip] = []

    def before(machine: Machine) -> None:
        chips.append(Chip(machine))
        machine.sh(f"while [ $(cut -d. -f1 /proc/uptime) -le {WARM_UP_S:.0f} ]; do sleep 1; done")

    with watching(image, tmp_path, lambda text: text + WIRED, before) as bench:
        (chip,) = chips
        if reset_in != "night":
            _arm(bench, reset_in)
            return _ten_seconds_reset_it_after_its_farewell(bench, chip)
        _the_light_tells_that_it_watches_and_a_wrong_pin_is_one_line(bench, chip)
        _an_edge_of_the_motion_sensor_makes_an_incident(bench, chip)
        _a_short_press_while_armed_is_only_told(bench, chip, "away")
        _arm(bench, "night")
        _a_short_press_while_armed_is_only_told(bench, chip, "night")
        return _ten_seconds_reset_it_after_its_farewell(bench, chip)


def _the_light_tells_that_it_watches_and_a_wrong_pin_is_one_line(bench: Bench, chip: Chip) -> None:
    bench.until(lambda: chip.level(LED), "the light")
    bench.until(lambda: bench.health("pin-unusable"), "the word of the wrong pin")
    said = {one["text"].partition(";")[0] for one in bench.health("pin-unusable")}
    assert said == {"infrared lamp: GPIO1 is reserved"}, bench.witness.text[-3000:]


def _an_edge_of_the_motion_sensor_makes_an_incident(bench: Bench, chip: Chip) -> None:
    assert not bench.told(type="incident", trigger="pir")
    fires = partial(chip.pulse, PIR, high=True, seconds=1.0)
    bench.again(fires, lambda: bench.told(type="incident", trigger="pir"), "an incident")


def _arm(bench: Bench, mode: str) -> None:
    """The owner's order, and the camera's word that it is so."""
    bench.hub.run("arm", "Porch", mode)
    bench.until(lambda: bench.camera()["mode"] == mode, f"the mode {mode}")


def _a_short_press_while_armed_is_only_told(bench: Bench, chip: Chip, mode: str) -> None:
    presses = partial(chip.pulse, BUTTON, high=False, seconds=0.5)

    def told() -> bool:
        return any(f"while armed {mode}:" in one["text"] for one in bench.health("tamper-button"))

    bench.again(presses, told, "the word of the press")
    assert not bench.told(type="privacy")
    assert not bench.told(type="farewell")
    assert bench.machine.run(f"test -e {STATE}/eye/privacy").code != 0
    bench.until(lambda: chip.level(LED), "the light")


def _ten_seconds_reset_it_after_its_farewell(bench: Bench, chip: Chip) -> None:
    """Held until it is heard, so that no clock but the machine's counts."""
    assert bench.machine.sh(KEPT)
    pressed_s = float(bench.machine.sh("cut -d' ' -f1 /proc/uptime"))
    chip.drive(BUTTON, high=False)
    bench.until(lambda: "the button was held for ten seconds" in bench.witness.text, "the reset")
    assert float(bench.machine.sh("cut -d' ' -f1 /proc/uptime")) - pressed_s >= 10.0
    chip.drive(BUTTON, high=True)
    bench.until(lambda: bench.told(type="farewell"), "the farewell")
    (farewell,) = bench.told(type="farewell")
    assert farewell["kind"] == "button"
    last = max((one for one in bench.hub.events() if one["type"] != "notice"), key=lambda one: one["seq"])
    assert last == farewell
    bench.until(lambda: not bench.machine.sh(f"{KEPT} 2>/dev/null || true"), "the end of all files")
    bench.until(lambda: "the hub has confirmed the farewell" in bench.witness.text, "the receipt of the farewell")
    bench.until(lambda: not chip.level(LED), "the light's end")
