"""The kernel's own simulated GPIO chip (`gpio-sim`), which Debian's kernel leaves out: built from Debian's source.
And lgpio, which has no wheel for the machine's Python: built from its own.

With it comes the simulated interrupt controller that it needs (`irq_sim`), whose one call of a function that modules
may not use is replaced by the one they may. Built in a copy of the containers' root that is thrown away. design/vm.md.
"""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

from tests.system import root

LGPIO = "0.2.2.0"
MODULE = "usr/lib/sealcam-vm/gpio-sim.ko"
_PLACE = "var/tmp/gpio-sim"
_BUILD = f"""
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends gcc make xz-utils "linux-headers-$KERNEL" \
    swig python3-dev libc6-dev >/dev/null
mkdir -p /{_PLACE}
cd /{_PLACE}
source=$(apt-cache depends linux-source | sed -n 's/.*Depends: \\(linux-source-[^ ]*\\)/\\1/p' | head -n 1)
apt-get -qq -o APT::Sandbox::User=root download "$source"
dpkg --fsys-tarfile linux-source-*.deb | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
    tar -xJ --wildcards --strip-components=3 '*/drivers/gpio/gpio-sim.c' '*/kernel/irq/irq_sim.c'
sed -i 's/handle_simple_irq(irq_to_desc(\\([^)]*\\)))/generic_handle_irq_safe(\\1)/' irq_sim.c
printf 'obj-m := sim.o\\nsim-objs := gpio-sim.o irq_sim.o\\n' >Makefile
make -s -C "/usr/src/linux-headers-$KERNEL" M=/{_PLACE} modules
strip --strip-debug sim.ko
PYPI=1 {root.VENV}/bin/python -m pip wheel -q --no-cache-dir --disable-pip-version-check --no-input --no-deps \
    --no-binary :all: lgpio=={LGPIO}
"""


def recipe() -> str:
    """What the module depends on, beside the kernel."""
    return _BUILD


def build(base: Path, half: Path, kernel: str, module: Path, packages: Path) -> None:
    """Make the module for that kernel, and put lgpio into the folder `packages`; in a copy of `base` below `half`."""
    builder = half / "builder"
    subprocess.run(("cp", "-a", str(base), str(builder)), check=True)
    root.inside(builder, half, _BUILD, f"--setenv=KERNEL={kernel}")
    shutil.copy(builder / _PLACE / "sim.ko", module)
    (wheel,) = (builder / _PLACE).glob("lgpio-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    shutil.rmtree(builder)
