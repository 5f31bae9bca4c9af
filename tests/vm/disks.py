"""Disks of virtual machines: folders put into ext4 images, and taken out of them again, without mounting anything."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

_E2FSCK_FIXED = 1  # e2fsck(8): exit codes are bits, and this one says that errors were corrected
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class DiskError(Exception):
    """An image can't be made or read, and why."""


def pack(folder: Path, image: Path, *, spare_bytes: int) -> Path:
    """An image with the content of `folder`, and so much room beside it."""
    size = sum(path.lstat().st_size + 4096 for path in folder.rglob("*"))
    blocks = (round(size * 1.1) + spare_bytes + (16 << 20)) // 1024  # a tenth: what the file system itself needs
    _call("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-d", str(folder), str(image), f"{blocks}k")
    return image


def copy(image: Path, target: Path) -> Path:
    """The image as it is now, holes left out."""
    _call("cp", "--sparse=always", "--reflink=auto", str(image), str(target))
    return target


def replay(image: Path) -> None:
    """Replay the journal, as the next mount would.

    Raises:
        DiskError: the file system is damaged beyond that.
    """
    done = _run("e2fsck", "-p", str(image))
    if done.returncode & ~_E2FSCK_FIXED:
        raise DiskError(f"e2fsck: {done.stdout}{done.stderr}")


def unpack(image: Path, inside: str, folder: Path) -> Path:
    """The content of the folder `inside` an image, in a folder here; the journal must be replayed."""
    folder.mkdir(parents=True, exist_ok=True)
    _call("debugfs", "-R", f'rdump "{inside}" "{folder}"', str(image))
    return folder / Path(inside).name if inside != "/" else folder


def inodes(image: Path, inside: str) -> dict[int, str]:
    """The names in the folder `inside` an image, by their inode."""
    listed = _call("debugfs", "-R", f'ls -p "{inside}"', str(image))
    rows = (re.fullmatch(r"/(\d+)/\d*/\d*/\d*/(.+?)/\d*/", line.strip()) for line in listed.splitlines())
    return {int(row[1]): row[2] for row in rows if row is not None}


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": _PATH}
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)


def _call(*argv: str) -> str:
    done = _run(*argv)
    if done.returncode != 0:
        raise DiskError(f"{argv[0]}: {done.stderr.strip()}")
    return done.stdout
