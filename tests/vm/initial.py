"""The initial file system: the few modules that reach the root's disk, and a script that hands over to it.

Made by hand, since a general one looks for hardware for ten emulated seconds. The format is `newc` (the kernel's
Documentation/driver-api/early-userspace/buffer-format.rst).
"""

from __future__ import annotations

import lzma
from pathlib import Path

_WANTED = ("virtio_pci", "virtio_blk", "crc32c_generic", "crc32c_intel", "ext4")  # those built in are passed over
_SCRIPT = """#!/bin/busybox sh
bb=/bin/busybox
$bb mount -t devtmpfs dev /dev
for module in {modules}; do $bb insmod /modules/$module; done
waited=0
while [ ! -b /dev/vda ] && [ $waited -lt 1200 ]; do $bb usleep 50000; waited=$((waited + 1)); done
$bb mount -t ext4 -o ${{sealcam_root:-ro}} /dev/vda /root
$bb mount --move /dev /root/dev
exec $bb switch_root /root ${{sealcam_init:-/usr/lib/sealcam-vm/init}}
"""


def recipe() -> str:
    """What the content depends on, beside the kernel."""
    return _SCRIPT + " ".join(_WANTED)


def build(root: Path) -> bytes:
    """The archive for the kernel and busybox in `root`."""
    base = next((root / "usr" / "lib" / "modules").iterdir())
    archive = _Archive()
    for name in ("bin", "dev", "modules", "root"):
        archive.add(name, 0o040755)
    archive.add("bin/busybox", 0o100755, (root / "usr" / "bin" / "busybox").read_bytes())
    names = []
    for path in _in_order(base):
        content = (base / path).read_bytes()
        names.append(_plain_name(path) + ".ko")
        archive.add(f"modules/{names[-1]}", 0o100644, lzma.decompress(content) if path.endswith(".xz") else content)
    archive.add("init", 0o100755, _SCRIPT.format(modules=" ".join(names)).encode())
    return archive.closed()


def _plain_name(path: str) -> str:
    return Path(path).name.split(".")[0].replace("-", "_")


def _in_order(base: Path) -> list[str]:
    """The files of the wanted modules and of what they need, each behind what it needs."""
    needs = {}
    for line in (base / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    paths = {_plain_name(path): path for path in needs}
    order: list[str] = []

    def add(path: str) -> None:
        for other in needs[path]:
            add(other)
        if path not in order:
            order.append(path)

    for name in _WANTED:
        if name in paths:
            add(paths[name])
    return order


class _Archive:
    """An archive in the `newc` format."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._count = 0

    def add(self, name: str, mode: int, content: bytes = b"") -> None:
        self._count += 1
        fields = (self._count, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        self._content += b"070701" + "".join(f"{value:08x}" for value in fields).encode() + name.encode() + b"\0"
        self._pad()
        self._content += content
        self._pad()

    def closed(self) -> bytes:
        self.add("TRAILER!!!", 0)
        return bytes(self._content)

    def _pad(self) -> None:
        self._content += bytes(-len(self._content) % 4)
