"""The product on a disk of its own: what its wheel holds, compiled for the machine's Python, and a test's files."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.system.root import cached_root
from tests.vm import disks

PLACE = "/product"  # where the machine mounts it


def build(wheel: Path, files: Mapping[str, Path], folder: Path) -> Path:
    """The disk's image, made in `folder`: `lib` and `share` of the wheel, and `files` by their name there."""
    tree = folder / "product"
    lib = tree / "lib"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(lib)
    (shared,) = lib.glob("*.data/data/share")
    shared.rename(tree / "share")
    for name, path in files.items():
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    _compile(tree)
    return disks.pack(tree, folder / "product.ext4", spare_bytes=0)


def _compile(tree: Path) -> None:
    """Bytecode by the machine's own Python: an emulated processor would spend seconds on it at every start."""
    root = cached_root()
    script = f"""
    mount --bind "{tree}" "{root}/mnt"
    chroot "{root}" python3 -m compileall -q -s /mnt -p {PLACE} --invalidation-mode unchecked-hash /mnt/lib
    """
    subprocess.run(("unshare", "-m", "sh", "-euc", script), check=True)
