"""A webcam, in a machine: the kernel's own test driver, `vivid`. What it offers; pulled out and plugged in again.

The driver is unbound while pictures come, so that the device vanishes under a read. design/pipeline.md, a lost camera.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

from tests.system.root import VENV, build_wheel
from tests.vm import product
from tests.vm.bench import watching
from tests.vm.image import Image
from tests.vm.machine import Machine

_LOOK_S = 600.0  # emulated, beside whatever else runs
# One node, no sound, no radio: each costs an emulated processor much.
_LOAD = "modprobe vivid node_types=0x1 num_inputs=1 input_types=0x00 allocators=0"
_DRIVER = "/sys/bus/platform/drivers/vivid"
# What it shows must move, since what stands still is a lost camera: a broad cross (pattern 19) that goes to the right
# (control 2), both `VIDIOC_S_CTRL` of the driver's own class of controls.
_MOVING = """perl -e 'open(F, "+<", "/dev/video0") or die $!; my %set = (0, 19, 2, 5);
for (keys %set) { my $one = pack("Ll", 0xf0f000 + $_, $set{$_}); ioctl(F, 0xC008561C, $one) or die $! }'"""


def test_of_what_a_webcam_offers_the_formats_sizes_and_rates_are_taken_that_suit(image: Image, tmp_path: Path) -> None:
    script = Path(__file__).parent / "guest" / "webcam.py"
    disk = product.build(build_wheel(tmp_path), {"webcam.py": script}, tmp_path)
    with Machine(image, (disk,), own_time=True) as machine:
        machine.sh(f"mount -o ro /dev/vdb /product; mount --bind /product/share {VENV}/share; {_LOAD}")
        machine.sh(_MOVING)
        said = json.loads(machine.sh(f"{VENV}/bin/python /product/webcam.py", _LOOK_S).splitlines()[-1])
    # As the kernel's documentation of vivid has it: some sizes, each in dozens of formats and at several rates.
    sizes = {(width, height) for _, width, height, _ in said["offers"]}
    assert {(640, 480), (1280, 720), (1920, 1080)} <= sizes
    formats = {name for name, *_ in said["offers"]}
    assert {"yuyv422", "uyvy422", "nv12", "yuv420p", "rgb24", "gray"} <= formats
    for came, (size, fps) in zip(said["came"], (("1280x720", 10), ("640x480", 25), ("1920x1080", 2)), strict=True):
        assert came["taken"]["video_size"] == size
        assert came["taken"]["input_format"] == "nv12"  # the least to read
        assert Fraction(came["taken"]["framerate"]) >= fps
        assert came["sizes"] == [[int(one) for one in size.split("x")]]
        assert came["rising"]
        assert came["shades"] > 100, "a picture"


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
