"""A webcam that is pulled out and plugged in again: the kernel's own test driver, `vivid`, in a machine.

The driver is unbound while pictures come, so that the device vanishes under a read. design/pipeline.md, a lost camera.
"""

from __future__ import annotations

from pathlib import Path

from tests.vm.bench import watching
from tests.vm.image import Image
from tests.vm.machine import Machine

# One node, no sound, no radio: each costs an emulated processor much.
_LOAD = "modprobe vivid node_types=0x1 num_inputs=1 input_types=0x00 allocators=0"
_DRIVER = "/sys/bus/platform/drivers/vivid"
# What it shows must move, since what stands still is a lost camera: a broad cross (pattern 19) that goes to the right
# (control 2), both `VIDIOC_S_CTRL` of the driver's own class of controls.
_MOVING = """perl -e 'open(F, "+<", "/dev/video0") or die $!; my %set = (0, 19, 2, 5);
for (keys %set) { my $one = pack("Ll", 0xf0f000 + $_, $set{$_}); ioctl(F, 0xC008561C, $one) or die $! }'"""


def test_a_webcam_that_is_pulled_out_is_told_and_comes_back_when_it_is_plugged_in(image: Image, tmp_path: Path) -> None:
    def config(text: str) -> str:
        source = 'source = "/dev/video0"\nfps = 2'
        return text.replace('source = "/product/footage.mkv"', source).replace("record = true", "record = false")

    def before(machine: Machine) -> None:
        machine.sh(_LOAD)
        machine.sh(_MOVING)

    with watching(image, tmp_path, config, before) as bench:
        bench.until(lambda: bench.told(type="incident"), "an incident in what it shows")
        seen = max(one["seq"] for one in bench.told(type="incident"))

        def since(code: str) -> bool:
            return any(one["seq"] > seen for one in bench.health(code))

        assert not bench.health("camera-lost")
        bench.machine.sh(f"echo vivid.0 >{_DRIVER}/unbind")
        bench.until(lambda: since("camera-lost"), "the word of the loss")
        bench.until(lambda: since("camera-restart"), "a new process")
        assert not since("camera-back")
        bench.machine.sh(f"echo vivid.0 >{_DRIVER}/bind")
        bench.machine.sh(_MOVING)
        bench.until(lambda: since("camera-back"), "the word of its return")
