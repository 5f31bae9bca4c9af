"""A virtual machine for tests: booted, told commands on its serial console, cut from its power.

QEMU emulates (TCG); /dev/kvm is never used, since guests hang on it where machines are nested. What the machine writes
to its own root is forgotten; what a test keeps lies on the `state` disk, an ext4 image of its own that outlives the
machine. `cut` kills QEMU: the guest's page cache is gone, as with a real power cut, while everything that it had handed
to the disk is there; a disk that loses its own cache isn't shown. design/vm.md.
"""

from __future__ import annotations

import base64
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pexpect

from tests.vm.image import Image
from tests.vm.qmp import Qmp

QEMU = "qemu-system-x86_64"
BOOT_S = 300.0  # a quiet machine needs ten; a busy one shouldn't fail for that
RUN_S = 300.0
STATE = "/state"  # where the state disk is mounted
_LINE_CHARACTERS = 3000  # a terminal's line takes 4,095
_READY = "sealcam-vm-ready"
_BUS = "/run/dbus/system_bus_socket"  # the shell beside systemd is there before it
_OWN_TIME = "shift=2"  # four nanoseconds for each instruction; while it waits, time goes on as outside
_KERNEL = "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off nokaslr tsc=reliable"


class MachineError(Exception):
    """The machine doesn't boot, or a command in it failed."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command's exit code, and what it printed on both of its streams."""

    code: int
    output: str


class Machine:
    """One machine, from boot to its end.

    `disks` are images that it can read, /dev/vdb and on; `state` is written, and mounted at `STATE` by `mount_state`.
    With `systemd` that is the first process, on a root that can be written; without, there is a shell and nothing else.
    `saved` (by `save`, from a machine with the same disks) goes on where that one stopped. `lines` takes what the guest
    writes to its second serial port, /dev/ttyS1. With `own_time` the guest's clock goes by what its processor has done,
    so that a slow machine outside looks to it like a steady processor: its limits of time are never reached for that.
    """

    def __init__(
        self,
        image: Image,
        disks: Sequence[Path] = (),
        *,
        state: Path | None = None,
        memory_mib: int = 768,
        systemd: bool = False,
        saved: Path | None = None,
        lines: Path | None = None,
        own_time: bool = False,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sealcam-vm-"))
        self._state, self._count, self._saved = state, 0, saved is not None
        kernel = _KERNEL
        if systemd:
            kernel += " sealcam_root=rw sealcam_init=/sbin/init systemd.show_status=no"
            kernel += " systemd.debug_shell systemd.default_debug_tty=ttyS0 systemd.mask=serial-getty@ttyS0.service"
        self._console = (self._folder / "console").open("w")
        self._qemu = pexpect.spawn(
            QEMU,
            [
                *("-accel", "tcg", "-cpu", "max", "-m", str(memory_mib)),
                *(("-icount", _OWN_TIME) if own_time else ()),
                *("-machine", "pc", "-nodefaults", "-display", "none", "-no-reboot"),
                *("-serial", "stdio", "-serial", f"file:{lines}" if lines is not None else "null"),
                *("-qmp", f"unix:{self._folder / 'qmp'},server=on,wait=off"),
                *("-kernel", str(image.kernel), "-initrd", str(image.initial), "-append", kernel),
                *("-device", "vmgenid,guid=auto", "-device", "virtio-rng-pci"),  # what goes on knows it, and mixes anew
                *("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="),
                *_drive(image.root, "root", "snapshot=on" if systemd else "readonly=on"),
                *(word for number, disk in enumerate(disks) for word in _drive(disk, f"disk{number}", "readonly=on")),
                *(("-incoming", f"exec:cat '{saved}'") if saved is not None else ()),
            ],
            timeout=RUN_S,
            encoding="utf-8",
            codec_errors="replace",
            logfile=self._console,
        )
        self._qemu.delaybeforesend = None
        self._qmp: Qmp | None = None
        try:
            self._qmp = Qmp(self._folder / "qmp")
            if saved is not None:
                self._qmp.until_running()
            else:
                self._wait_ready(systemd=systemd)
            self.sh(f"date -u -s @{time.time():.3f}")
        except BaseException:
            self.cut()
            raise

    def __enter__(self) -> Machine:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.cut()
        self._console.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, command: str, timeout_s: float = RUN_S) -> Done:
        """Run a shell command as root, in a subshell: the shell itself may be the first process, which must not end.

        Raises:
            MachineError: it doesn't end in time, or the machine is gone.
        """
        self._count += 1
        mark = f"sealcam-done-{self._count}"
        self._qemu.sendline(f"( {command}\n) </dev/null 2>&1; printf '\\n{mark} %d\\n' $?")
        try:
            self._qemu.expect(rf"\n{mark} (\d+)\r*\n", timeout=timeout_s)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            raise MachineError(f"{command}: no end within {timeout_s:g} s\n{self._last_words()}") from error
        return Done(int(self._qemu.match[1]), self._qemu.before.replace("\r", "").strip("\n"))

    def sh(self, command: str, timeout_s: float = RUN_S) -> str:
        """Run a shell command as root; what it printed.

        Raises:
            MachineError: it failed.
        """
        done = self.run(command, timeout_s)
        if done.code != 0:
            raise MachineError(f"{command}: exit {done.code}\n{done.output}")
        return done.output

    def put(self, path: str, content: bytes) -> None:
        """Write a small file; what is large comes on a disk (`disks.pack`)."""
        text, target = base64.b64encode(content).decode(), shlex.quote(path)
        self.sh(f"mkdir -p $(dirname {target}); : >/tmp/coming")
        for at in range(0, len(text), _LINE_CHARACTERS):
            self.sh(f"printf %s '{text[at : at + _LINE_CHARACTERS]}' >>/tmp/coming")
        self.sh(f"base64 -d /tmp/coming >{target}")

    def get(self, path: str) -> bytes:
        """The content of a small file."""
        return base64.b64decode(self.sh(f"base64 -w 0 {shlex.quote(path)}"))

    def mount_state(self) -> None:
        """Plug the state disk in and mount it; its journal is replayed by that."""
        if self._state is None or self._qmp is None:
            raise MachineError("this machine has no state disk")
        drive = {"driver": "raw", "node-name": "state", "file": {"driver": "file", "filename": str(self._state)}}
        self._qmp.order("blockdev-add", **drive)
        self._qmp.order("device_add", driver="virtio-blk-pci", id="state", drive="state", serial="state")
        found = "grep -lsx state /sys/block/vd*/serial"
        self.sh(f"n=0; until {found} || [ $n -ge 200 ]; do sleep 0.3; n=$((n+1)); done")
        self.sh(f"mount -t ext4 /dev/$({found} | cut -d/ -f4) {STATE}")

    def save(self, path: Path) -> None:
        """Write the machine's memory into a file and end it; no state disk may be plugged in."""
        if self._qmp is not None:
            self._qmp.save(path)
        self.cut()

    def cut(self) -> None:
        """Cut the power, now."""
        self._qemu.kill(signal.SIGKILL)
        self._qemu.close(force=True)
        if self._qmp is not None:
            self._qmp.close()

    def end(self) -> None:
        """Write everything to the disks, and end."""
        self.sh(f"sync; umount {STATE} 2>/dev/null || true")
        self.cut()

    def _wait_ready(self, *, systemd: bool) -> None:
        try:
            self._qemu.expect_exact("# " if systemd else _READY, timeout=BOOT_S)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            raise MachineError(f"no boot within {BOOT_S:g} s\n{self._last_words()}") from error
        if systemd:
            self._qemu.sendline("stty -echo -onlcr -ixon; PS1= PS2= exec sh")
            basic = "until systemctl -q is-active basic.target; do sleep 0.5; done"  # all of it may wait for a network
            self.run(f"until [ -S {_BUS} ]; do sleep 0.5; done; {basic}")
        self.run("true")

    def _last_words(self) -> str:
        self._console.flush()
        return (self._folder / "console").read_text(errors="replace")[-3000:]


def _drive(image: Path, name: str, more: str) -> tuple[str, ...]:
    return (
        *("-drive", f"if=none,id={name},format=raw,file={image},{more}"),
        *("-device", f"virtio-blk-pci,drive={name},serial={name}"),
    )
