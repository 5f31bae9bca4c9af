"""What memory there is for a process, on boards that are made of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealcam.headroom import most_bytes


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.mark.parametrize(
    ("slice_max", "service_max", "most"),
    [("max", "max", 300 << 20), ("max", "104857600", 100 << 20), ("52428800", "104857600", 50 << 20)],
)
def test_the_tightest_bound_counts(tmp_path: Path, slice_max: str, service_max: str, most: int) -> None:
    write(tmp_path, "proc/meminfo", f"MemTotal: 500000 kB\nMemAvailable:   {300 << 10} kB\n")
    assert most_bytes(tmp_path) == 300 << 20
    write(tmp_path, "proc/self/cgroup", "1:name=systemd:/other\n0::/system.slice/sealcam-eye.service\n")
    write(tmp_path, "sys/fs/cgroup/system.slice/memory.max", f"{slice_max}\n")
    write(tmp_path, "sys/fs/cgroup/system.slice/sealcam-eye.service/memory.max", f"{service_max}\n")
    assert most_bytes(tmp_path) == most


@pytest.mark.parametrize(
    ("current", "stat", "most"),
    [
        ("83886080", "anon 50000\ninactive_file 10485760\nactive_file 20971520\nactive_anon 1\n", 50 << 20),
        ("83886080", "", 20 << 20),
        ("209715200", "inactive_file 0\n", 0),
        ("", "", 100 << 20),
    ],
)
def test_what_a_group_uses_counts_but_for_pages_of_files(tmp_path: Path, current: str, stat: str, most: int) -> None:
    write(tmp_path, "proc/self/cgroup", "0::/eye\n")
    write(tmp_path, "sys/fs/cgroup/eye/memory.max", "104857600\n")
    write(tmp_path, "sys/fs/cgroup/eye/memory.current", f"{current}\n")
    write(tmp_path, "sys/fs/cgroup/eye/memory.stat", stat)
    assert most_bytes(tmp_path) == most


def test_a_board_that_tells_nothing_bounds_nothing(tmp_path: Path) -> None:
    assert most_bytes(tmp_path) is None
