"""The machine itself: what tests rely on when they use one. What no container shows, such as a power cut, is here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import growing
from tests.system.root import REPO
from tests.vm import disks
from tests.vm.image import Image
from tests.vm.machine import STATE, Machine, MachineError


@pytest.fixture(scope="module")
def machine(image: Image) -> Iterator[Machine]:
    """A small one, without systemd."""
    with Machine(image, memory_mib=256) as booted:
        yield booted


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A state disk with one file on it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "before").write_text("here")
    return disks.pack(folder, tmp_path / "state.ext4", spare_bytes=32 << 20)


def test_a_command_gives_its_exit_code_and_what_it_printed(machine: Machine) -> None:
    done = machine.run("echo one; echo two >&2; exec sh -c 'exit 3'")
    assert (done.code, done.output) == (3, "one\ntwo")
    with pytest.raises(MachineError, match="exit 1"):
        machine.sh("false")


def test_files_go_in_and_come_out_byte_for_byte(machine: Machine) -> None:
    content = bytes(range(256)) * 40
    machine.put("/run/some/file", content)
    assert machine.get("/run/some/file") == content


def test_a_network_can_be_made_slow(machine: Machine) -> None:
    machine.sh("modprobe sch_netem; tc qdisc add dev lo root netem delay 200ms loss 10%")
    assert "delay 200ms" in machine.sh("tc qdisc show dev lo")


def test_a_power_cut_takes_what_was_not_synced_and_leaves_what_was(image: Image, disk: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    with Machine(image, memory_mib=256) as first:
        first.save(saved)
    with Machine(image, state=disk, memory_mib=256, saved=saved) as second:
        second.mount_state()
        assert second.sh(f"cat {STATE}/before") == "here"
        second.sh(f"echo whole >{STATE}/synced; sync {STATE}/synced; echo gone >{STATE}/waiting")
        random = second.get("/proc/sys/kernel/random/uuid")
        second.cut()
    with Machine(image, state=disk, memory_mib=256, saved=saved) as third:
        third.mount_state()
        assert third.sh(f"cat {STATE}/synced") == "whole"
        assert third.run(f"grep gone {STATE}/waiting").code != 0
        assert third.get("/proc/sys/kernel/random/uuid") != random, "each start has chance of its own"
        third.end()
    disks.replay(disk)
    assert (disks.unpack(disk, "/", tmp_path / "out") / "synced").read_text() == "whole\n"


def test_a_unit_that_grows_beyond_its_bound_is_killed_alone_and_started_again(image: Image) -> None:
    with Machine(image, systemd=True) as booted:
        booted.put("/usr/lib/sysusers.d/sealcam.conf", (REPO / "systemd" / "sysusers.d" / "sealcam.conf").read_bytes())
        booted.put("/usr/lib/tmpfiles.d/sealcam.conf", (REPO / "systemd" / "tmpfiles.d" / "sealcam.conf").read_bytes())
        booted.sh("systemd-sysusers; systemd-tmpfiles --create sealcam.conf")
        assert growing.is_enforced(booted.sh)
        growing.put(booted.sh, lambda path, text: booted.put(path, text.encode()))
        growing.outgrow(booted.sh)
        killed = [line for line in booted.sh("dmesg").splitlines() if "Memory cgroup out of memory" in line]
        assert len(killed) == 1, "nobody else was killed"
