"""The virtual machine's system: a kernel, a small initial file system and a root with the product's libraries.

Made once out of the container tests' root (`tests/system/root.py`) and kept in `build/cache`, named by what it was made
from. The product itself is not in it: that comes on a disk of its own, at every run. design/vm.md.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.system import root
from tests.vm import disks, gpiosim, initial

_PACKAGES = "iproute2 kmod busybox-static e2fsprogs"
_RECIPE = 2  # raise it when `_make` changes
_SPARE_BYTES = 200 << 20  # free room on the root's disk
_INIT = Path(__file__).parent / "guest" / "init"
# The kernel's files alone: its package would want a tool that makes initial file systems, and spend minutes on one.
_INSTALL = f"""
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends {_PACKAGES} >/dev/null
cd /tmp
kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \\(linux-image-[^ ]*\\)/\\1/p' | head -n 1)
apt-get -qq download "$kernel"
dpkg -x "$kernel"_*.deb /tmp/kernel
cp -a /tmp/kernel/boot/. /boot/
cp -a /tmp/kernel/usr/lib/modules /usr/lib/modules || cp -a /tmp/kernel/lib/modules /usr/lib/modules
rm -r /tmp/kernel "$kernel"_*.deb
depmod "$(ls /usr/lib/modules)"
apt-get clean
rm -rf /var/lib/apt/lists/*
"""


@dataclass(frozen=True, slots=True)
class Image:
    """What a machine boots; read-only."""

    kernel: Path
    initial: Path
    root: Path


def cached_image() -> Image:
    """The image, made if it isn't there: three minutes, and another two where the containers' root isn't there either.

    Raises:
        RootError: a tool is missing, or the network is away.
    """
    base = root.cached_root()
    parts = (base.name, _PACKAGES, _INSTALL, str(_RECIPE), _INIT.read_text(), initial.recipe(), gpiosim.recipe())
    folder = root.CACHE / f"vm-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}"
    with (root.CACHE / ".vm.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not folder.exists():
            for old in root.CACHE.glob("vm-*"):
                shutil.rmtree(old)
            _make(folder, base)
    return Image(folder / "vmlinuz", folder / "initrd", folder / "root.ext4")


def _make(folder: Path, base: Path) -> None:
    """Make it under another name first: an image is whole or not there."""
    sys.stderr.write("sealcam: making the virtual machine's disk (once; about three minutes)\n")
    half = folder.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    tree = half / "root"
    subprocess.run(("cp", "-a", str(base), str(tree)), check=True)
    root.inside(tree, half, _INSTALL)
    (tree / "etc" / "fstab").write_text("")
    init = tree / "usr" / "lib" / "sealcam-vm" / "init"
    init.parent.mkdir()
    shutil.copy(_INIT, init)
    init.chmod(0o755)
    for place in ("product", "state", f"{root.VENV[1:]}/share"):
        (tree / place).mkdir(exist_ok=True)
    (packages,) = tree.glob(f"{root.VENV[1:]}/lib/python3*/site-packages")
    (packages / "sealcam-vm.pth").write_text("/product/lib\n")
    (kernel,) = (path.name for path in (tree / "usr/lib/modules").iterdir())
    gpiosim.build(base, half, kernel, tree / gpiosim.MODULE, packages)
    shutil.copy(next((tree / "boot").glob("vmlinuz-*")), half / "vmlinuz")
    (half / "initrd").write_bytes(initial.build(tree))
    disks.pack(tree, half / "root.ext4", spare_bytes=_SPARE_BYTES)
    shutil.rmtree(tree)
    half.rename(folder)
