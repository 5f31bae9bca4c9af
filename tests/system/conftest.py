"""Real systemd in a container, once a session, with the product installed in it as a package."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.container import Container
from tests.system.root import REPO, VENV, build_wheel, cached_root

TOOLS = ("systemd-nspawn", "nsenter", "mmdebstrap", "git")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="session")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A booted container with the product's wheel, units, users and folders; torn down at the end."""
    with booted(tmp_path_factory) as made:
        yield made


@contextmanager
def booted(
    tmp_path_factory: pytest.TempPathFactory,
    binds: Callable[[], Mapping[str, Path]] = dict,
    root: Callable[[], Path] = cached_root,
    *,
    alone: bool = True,
) -> Iterator[Container]:
    """Such a container, out of `root()`; `binds()` are further places inside, read-only. `alone` is `Container`'s."""
    if os.geteuid() != 0:
        pytest.skip("needs root: systemd-nspawn boots a container")
    for tool in TOOLS:
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool} (provisioning/testdeps.sh system installs it)")
    wheels = tmp_path_factory.mktemp("wheel")
    wheel = build_wheel(wheels)
    places = {
        "/mnt/wheel": wheels,
        "/mnt/systemd": REPO / "systemd",
        "/mnt/tests": REPO / "tests" / "system",
        "/mnt/clips": REPO / "build" / "footage",
        "/mnt/footage": REPO.parent / "shared" / "footage",
    }
    found = {inside: folder for inside, folder in places.items() if folder.is_dir()}
    with Container(root(), {**found, **binds()}, alone=alone) as made:
        pip = (f"{VENV}/bin/python", "-m", "pip", "install", "-q", "--no-index", "--no-deps")
        made.run(*pip, f"/mnt/wheel/{wheel.name}")
        made.sh(
            "cp /mnt/systemd/system/* /usr/lib/systemd/system/;"
            "cp /mnt/systemd/sysusers.d/* /usr/lib/sysusers.d/; cp /mnt/systemd/tmpfiles.d/* /usr/lib/tmpfiles.d/;"
            "systemd-sysusers; systemd-tmpfiles --create sealcam.conf; systemctl daemon-reload"
        )
        yield made
