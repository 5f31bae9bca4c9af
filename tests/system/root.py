"""The file system of a test container: Debian trixie, or another one, with the product's libraries, made once and kept.

Two minutes the first time, for mmdebstrap and the locked wheels for trixie's own Python; afterwards it lies in
`build/cache`, named by what it was made from. The product itself is not in it: that is installed at every run.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
CACHE = REPO / "build" / "cache"
VENV = "/usr/lib/sealcam/venv"
_PACKAGES = "systemd,systemd-sysv,dbus,udev,python3,python3-venv,mosquitto,ca-certificates"
_MORE = {"bookworm": ",tzdata"}  # what trixie's own Python brings
_RECIPE = 1  # raise it when `_make` changes
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


class RootError(Exception):
    """The root can't be made here, and why."""


def cached_root(suite: str = "trixie", locked: str = "litert") -> Path:
    """The folder of that Debian's root with the libraries of that lock, made if it isn't there.

    Raises:
        RootError: a tool is missing, or the network is away.
    """
    lock = REPO / "locks" / f"{locked}.txt"
    packages = _PACKAGES + _MORE.get(suite, "")
    made_from = hashlib.sha256(lock.read_bytes() + f"{packages} {_RECIPE}".encode()).hexdigest()[:16]
    root = CACHE / f"{suite}-{made_from}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f".{suite}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not root.exists():
            for old in CACHE.glob(f"{suite}-*"):
                shutil.rmtree(old)
            _make(root, suite, packages, lock)
    return root


def build_wheel(into: Path) -> Path:
    """The product's wheel, built from a copy of the checkout so that nothing built earlier gets into it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        listed = _call("git", "-C", str(REPO), "ls-files", "-z", "-co", "--exclude-standard").split("\0")
        for name in filter(None, listed):
            if (REPO / name).is_file() and not name.startswith("tests/"):
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPO / name, copy / name)
        pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index")
        _call(*pip, "-w", str(into), str(copy))
    return next(into.glob("sealcam-*.whl"))


def _make(root: Path, suite: str, packages: str, lock: Path) -> None:
    """Make it under another name first: a root is whole or not there."""
    sys.stderr.write("sealcam: making the test container's file system (once; about two minutes)\n")
    half = root.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    _call("mmdebstrap", "--quiet", "--variant=apt", f"--include={packages}", suite, str(half))
    (half / "etc" / "machine-id").write_text("")
    install = f"{VENV}/bin/python -m pip install -q --no-cache-dir --disable-pip-version-check --no-input"
    inside(half, lock.parent, f"python3 -m venv {VENV} && {install} --require-hashes --no-deps -r /mnt/{lock.name}")
    half.rename(root)


def inside(root: Path, mnt: Path, script: str, *options: str) -> None:
    """Run a shell script in the root, with `mnt` at /mnt and this machine's network, authorities and pip settings;
    `options` are nspawn's."""
    binds = [f"--bind-ro={path}" for path in of_this_machine()]
    variables = [f"--setenv={name}={value}" for name, value in os.environ.items() if name.startswith("PIP_")]
    if _AUTHORITIES.exists():
        variables.append(f"--setenv=PIP_CERT={_AUTHORITIES}")
    nspawn = ("systemd-nspawn", "-q", "-D", str(root), "--register=no", "--keep-unit", "--console=pipe")
    _call(
        *nspawn, "--resolv-conf=bind-host", f"--bind-ro={mnt}:/mnt", *binds, *variables, *options, "sh", "-euc", script
    )


def of_this_machine() -> list[Path]:
    """Where this machine says which package index it uses, and whom it trusts."""
    settings = [Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf"]
    return [path for path in (_AUTHORITIES, *settings) if path.exists()]


def _call(*argv: str) -> str:
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise RootError(f"{argv[0]} is not installed") from error
    if done.returncode != 0:
        raise RootError(f"{argv[0]} failed:\n{done.stderr[-2000:]}")
    return done.stdout
