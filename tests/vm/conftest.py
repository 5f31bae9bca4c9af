"""Virtual machines for tests: what they need, and what they boot. design/vm.md."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.vm.image import Image, cached_image
from tests.vm.machine import QEMU

TOOLS = (QEMU, "mmdebstrap", "systemd-nspawn", "mke2fs", "e2fsck", "debugfs", "git")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.vm)


@pytest.fixture(scope="session")
def image() -> Image:
    """What a machine boots: made once, and kept."""
    if os.geteuid() != 0:
        pytest.skip("needs root: the machine's disk is made in a container")
    for tool in TOOLS:
        if shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            pytest.skip(f"needs {tool} (provisioning/testdeps.sh vm installs it)")
    return cached_image()
