"""The doctor says of a neural processor whether the eye's unit may open it; the files that let it open no more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sealcam.board import npu
from sealcam.board.npu import Npu
from sealcam.checks import Finding, Grade
from sealcam.checks_npu import PART, let_in, look
from sealcam.config import ModelSettings
from tests import delegates

SYSTEMD = Path(__file__).parents[2] / "systemd"
FILES = sorted((SYSTEMD / "npu").glob("*.conf"))
CORAL = Npu("Coral Edge TPU", "/usr/lib/aarch64-linux-gnu/libedgetpu.so.1")
GOOD = Finding(PART, Grade.GOOD, "Coral Edge TPU: 3 ms for a look, the processor takes 9")
MAY = {"DeviceAllow", "SupplementaryGroups", "MemoryDenyWriteExecute", "MemoryMax"}


def unit(*drop_ins: str) -> str:
    paths = " ".join(f"/etc/systemd/system/sealcam-eye.service.d/{name}.conf" for name in drop_ins)
    return f"LoadState=loaded\nDropInPaths={paths}\n"


def test_a_device_that_the_unit_does_not_open_is_told_with_the_file_that_does() -> None:
    found = let_in(GOOD, CORAL, unit("memory"))
    assert found.grade is Grade.WARNING
    assert found.words.endswith("but the eye's unit lets the eye open no such device")
    assert "systemd/npu/npu-coral-usb.conf or systemd/npu/npu-coral-pcie.conf" in str(found.hint)


@pytest.mark.parametrize(
    "shown",
    [unit("memory", "npu-coral-usb"), unit("npu-coral-pcie"), "LoadState=not-found\nDropInPaths=\n", ""],
)
def test_it_is_good_where_the_unit_opens_it_or_there_is_no_unit(shown: str) -> None:
    assert let_in(GOOD, CORAL, shown) == GOOD


def test_a_real_delegate_is_looked_at_so(tmp_path: Path) -> None:
    library = delegates.compiled(tmp_path, delegates.RIGHT)
    settings = ModelSettings(npu=str(library))
    (good,) = look(settings, lambda: "")
    assert good.grade is Grade.GOOD
    (shut,) = look(settings, unit)
    assert shut.grade is Grade.WARNING
    assert "npu-vx.conf" in str(shut.hint), "of a library that nobody knows any may be meant"


def test_each_known_library_has_its_files_and_each_file_a_library() -> None:
    named = {name for *_, files in npu.KNOWN for name in files}
    assert {path.stem for path in FILES} == named
    page = (SYSTEMD / "README.md").read_text()
    assert all(f"`npu/{path.name}`" in page for path in FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_file_opens_devices_and_says_why_and_leaves_the_wall(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert lines[0].startswith("# ")
    assert [line for line in lines if line.startswith("[")] == ["[Service]"]
    settings = [line.partition("=") for line in lines if line and line[0] not in "#["]
    assert {name for name, *_ in settings} <= MAY
    devices = [value for name, _, value in settings if name == "DeviceAllow"]
    assert devices
    for device in devices:
        node, rights = device.split()
        assert rights == "rw"
        assert re.fullmatch(r"char-[a-z_]{3,}\*?|/dev/[a-z0-9]+", node), node
