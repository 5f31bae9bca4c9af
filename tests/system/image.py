"""The hub's image, built from the container file as it is, by podman; kept in `build/cache`.

No registry is asked: the image that the file begins with is made here of Debian's own packages under its name. Some
minutes the first time; afterwards only what has changed is built. The machine's package index and authorities are
lent to the build and are no part of the image.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.system.root import CACHE, REPO, RootError, of_this_machine

BASE, IMAGE = "docker.io/library/python:3.13-slim-trixie", "localhost/sealcam-hub:test"
TOOLS = ("podman", "runc", "mmdebstrap")
_KEPT = CACHE / "podman"
_PACKAGES = "python3,python3-pip,python-is-python3,ca-certificates"
_AS_THERE = 'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED'  # Debian's mark; the real image hasn't it
# Who may not raise limits can't give podman's own; and runc does with any version of control groups.
_LIMITS = ("--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096")


def podman(*argv: str, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
    """What podman does; everything of it stays in the cache."""
    places = (
        "--root",
        str(_KEPT),
        "--runroot",
        "/run/sealcam-tests",
        "--runtime",
        "runc",
        "--cgroup-manager",
        "cgroupfs",
    )
    command = ("podman", "--log-level", "error", *places, *argv)
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s)


def done(*argv: str, timeout_s: float = 120.0) -> str:
    """What podman printed.

    Raises:
        RootError: it failed.
    """
    found = podman(*argv, timeout_s=timeout_s)
    if found.returncode != 0:
        raise RootError(f"podman {argv[0]} failed:\n{found.stdout[-2000:]}{found.stderr[-2000:]}")
    return found.stdout.strip()


def built(room: Path) -> str:
    """The image's name, once it is built; `room` is a folder for what it is built from.

    Raises:
        RootError: a tool is missing, or the network is away.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".podman.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if podman("image", "exists", BASE).returncode != 0:
            _base(room)
        addon = room / "addon"
        made = subprocess.run(("sh", REPO / "container" / "make.sh", addon), capture_output=True, text=True)
        if made.returncode != 0:
            raise RootError(made.stderr)
        lent = [word for path in of_this_machine() for word in ("-v", f"{path}:{path}:ro")]
        build = ("build", "--format", "docker", "--layers", "--pull=never", "--network", "host", *_LIMITS, *lent)
        done(*build, "-t", IMAGE, str(addon), timeout_s=1800)
        podman("image", "prune", "-f")
    return IMAGE


def _base(room: Path) -> None:
    sys.stderr.write("sealcam: making the container's first layer (once; some minutes)\n")
    tar = room / "base.tar"
    make = ("mmdebstrap", "--quiet", "--variant=apt", f"--include={_PACKAGES}", f"--customize-hook={_AS_THERE}")
    made = subprocess.run((*make, "trixie", tar), capture_output=True, text=True)
    if made.returncode != 0:
        raise RootError(f"mmdebstrap failed:\n{made.stderr[-2000:]}")
    done("import", str(tar), BASE, timeout_s=600)
    tar.unlink()


class Running:
    """A container of the image, without a network but its own loopback; `folders` are its volumes."""

    def __init__(self, image: str, name: str, folders: Mapping[str, Path]) -> None:
        self.name = name
        volumes = [word for inside, outside in folders.items() for word in ("-v", f"{outside}:{inside}")]
        podman("rm", "-f", "-t", "0", name)
        done("run", "-d", "--name", name, "--network", "none", *_LIMITS, *volumes, image)

    def call(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """A command inside, as root."""
        return podman("exec", self.name, *argv)

    def hub(self, *argv: str) -> str:
        """A command of the hub's, as its README says."""
        return done("exec", "-u", "sealcam-hub", self.name, "sealcam-hub", *argv)

    def events(self) -> list[str]:
        """What cameras sent, in the ledger's order; not that they are silent by now."""
        return [line for line in self.hub("events", "--json").splitlines() if '"type": "notice"' not in line]

    def well(self) -> bool:
        """Whether the image's own health check says so."""
        return podman("healthcheck", "run", self.name).returncode == 0

    def ended(self) -> int | None:
        """Its exit code, once it has ended."""
        state, code = done("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", self.name).split()
        return int(code) if state == "exited" else None

    def log(self) -> str:
        """What it said."""
        found = podman("logs", self.name)
        return found.stdout + found.stderr

    def stop(self) -> None:
        """End it as its supervisor does."""
        done("stop", "-t", "60", self.name)

    def start(self) -> None:
        """Start it again."""
        done("start", self.name)

    def remove(self) -> None:
        """Away with it; its volumes stay."""
        podman("rm", "-f", "-t", "0", self.name)


def missing() -> str:
    """Which tool isn't here, if any."""
    return next((tool for tool in TOOLS if shutil.which(tool) is None), "")
