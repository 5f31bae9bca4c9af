"""A simulated GPIO chip in a machine, and what is wired to it, seen from outside.

A Raspberry Pi isn't simulated: gpiozero is told by /proc/cpuinfo that the machine is one. design/vm.md.
"""

from __future__ import annotations

from tests.vm.gpiosim import MODULE
from tests.vm.machine import Machine

_CHIP = """
modprobe configfs
mount -t configfs configfs /sys/kernel/config 2>/dev/null || true
insmod /{module}
cd /sys/kernel/config/gpio-sim
mkdir -p board/bank
echo 28 >board/bank/num_lines
echo pinctrl-bcm2835 >board/bank/label
echo 1 >board/live
(cat /proc/cpuinfo; echo 'Revision : a02082') >/run/cpuinfo
mount --bind /run/cpuinfo /proc/cpuinfo
"""


class Chip:
    """The pins of a machine, seen from outside: what is wired to them."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        machine.sh(_CHIP.format(module=MODULE))
        place = machine.sh("cd /sys/kernel/config/gpio-sim/board; echo $(cat dev_name)/$(cat bank/chip_name)")
        self._lines = f"/sys/devices/platform/{place}"

    def drive(self, pin: int, *, high: bool) -> None:
        """Somebody pulls an input up or down."""
        self._machine.sh(f"echo pull-{'up' if high else 'down'} >{self._lines}/sim_gpio{pin}/pull")

    def level(self, pin: int) -> bool:
        """What a line is at."""
        return self._machine.sh(f"cat {self._lines}/sim_gpio{pin}/value").strip() == "1"

    def pulse(self, pin: int, *, high: bool, seconds: float) -> None:
        """An input is pulled that way for so long by the machine's own clock, then back."""
        way, back = ("up", "down") if high else ("down", "up")
        pull = f"{self._lines}/sim_gpio{pin}/pull"
        self._machine.sh(f"echo pull-{way} >{pull}; sleep {seconds}; echo pull-{back} >{pull}")
