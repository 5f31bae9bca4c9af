"""A camera in a virtual machine, claimed to a real hub with a real broker outside.

The hub's side runs on this machine; QEMU's user network lets the guest reach the broker on its loopback. The camera's
state lies on the state disk and is made by a claim before the first boot.
"""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from sealcam.keystore import Keystore
from sealcam_provision import claim
from sealcam_provision import home as homes
from sealcam_provision.home import Home
from tests import footage
from tests.clips import write_clip
from tests.system.root import VENV
from tests.vm import blind, disks
from tests.vm.image import Image
from tests.vm.machine import STATE, Machine
from tests.vm.witness import Witness

STATE_BYTES = 768 << 20
PREPARE_S = 1200.0  # a quiet machine needs half a minute
# Few pictures, since each costs an emulated processor tenths of a second; noisy ones, so that they fill chunks.
WIDTH_PX, HEIGHT_PX, FPS, NOISE, PEOPLE_S, NOBODY_S = 320, 240, 3, 16.0, 14, 5
CONFIG = """
arm = "away"
[camera]
source = "/product/footage.mkv"
[model]
name = "nothing"
second = "off"
tiles = false
[sight]
calm_s = 1.0
[clips]
record = true
send = "never"
pre_roll_s = 2.0
post_roll_s = 1.0
longest_s = 15.0
fps = 5.0
max_bytes = 300000000
[paths]
state = "{state}"
socket = "{socket}"
"""
GUEST = Path(__file__).parent / "guest"


@dataclass(frozen=True, slots=True)
class Told:
    """What the hub heard of a clip's end: `state` as the wire has it, whole chunks."""

    state: int
    chunks: int


class Hub:
    """A hub and its broker, with one camera enrolled whose state is in `folder`/camera."""

    def __init__(self, folder: Path) -> None:
        self._home, self._state = Home(folder), folder / "hub"
        self.folder = folder
        port = homes.free_port()
        self.run("init", "--broker", f"localhost:{port}", "--throwaway")
        self._home.start("broker", homes.find_mosquitto(), "-c", str(self._state / "broker" / "mosquitto.conf"))
        homes.until_listening(self._home, "broker", port)
        self._home.start(
            *("hub", homes.program("sealcam-hub"), "--state", str(self._state)), *("serve", "--console", "127.0.0.1:0")
        )
        config = folder / "claim.toml"
        config.write_text(CONFIG.format(state=folder / "camera", socket=folder / "eye.sock"))
        claim.apply(claim.plan("Porch", config, self._state, claim.owner_fingerprint(self._state)))

    def end(self) -> None:
        """End the hub and the broker."""
        self._home.end_all()

    def run(self, *words: str) -> str:
        """A command of the hub's; what it printed."""
        command = (homes.program("sealcam-hub"), "--state", str(self._state), *words)
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout

    def events(self) -> list[dict[str, Any]]:
        """All that the ledger shows."""
        return [json.loads(line) for line in self.run("events", "--json").splitlines()]

    def chain(self) -> dict[int, str]:
        """The hash of each event of the camera that is in its place, by its number."""
        return {event["seq"]: event["hash"] for event in self.events() if event["type"] != "notice"}

    def clips(self) -> dict[str, Told]:
        """What was heard of each clip whose end was told, by its id in hex."""
        with sqlite3.connect(f"file:{self._state / 'ledger.db'}?mode=ro", uri=True) as ledger:
            rows = ledger.execute("SELECT clip, state, chunks FROM clips WHERE state IS NOT NULL").fetchall()
        ledger.close()
        return {clip.hex(): Told(state, chunks) for clip, state, chunks in rows}


def prepare(image: Image, product: Path, folder: Path, *, own_time: bool = False) -> Path:
    """A machine that has everything loaded and knows no camera, saved in `folder`."""
    saved = folder / "saved"
    with Machine(image, (product,), lines=folder / "first", own_time=own_time) as first:
        first.sh("mount -o ro /dev/vdb /product")
        first.sh(f"sh /product/prepare {VENV}", PREPARE_S)
        first.save(saved)
    return saved


class Camera:
    """The camera: machines that come and go, one state disk.

    `names` are those in the eye's folder and of its clips by inode, `clips` is the inode of the clips' folder, as they
    were when the disk was last looked at.
    """

    def __init__(self, image: Image, product: Path, hub: Hub, *, own_time: bool = False) -> None:
        self._image, self._product, self._own_time = image, product, own_time
        self._folder = hub.folder
        (hub.folder / "camera" / "eye" / "clips").mkdir(mode=0o700)  # so that its inode is known from the first boot on
        self.keys = Keystore.open(hub.folder / "camera" / "eye").publics
        self.disk = disks.pack(hub.folder / "camera", hub.folder / "state.ext4", spare_bytes=STATE_BYTES)
        self._read_names(self.disk)
        self._saved = prepare(image, product, hub.folder, own_time=own_time)

    def boot(
        self, number: int, *, lazy: bool = True, before: Callable[[Machine], None] = lambda _: None
    ) -> tuple[Machine, Witness]:
        """Boot number so and so: the disk is mounted, then comes `before`, then eye and post are started. `lazy`: what
        isn't synced waits in the guest's memory as it does by default; else it is written within tenths of a second, in
        pieces."""
        lines = self._folder / f"lines-{number}"
        witness = Witness(lines)
        machine = Machine(
            self._image, (self._product,), state=self.disk, saved=self._saved, lines=lines, own_time=self._own_time
        )
        if not lazy:
            machine.sh("cd /proc/sys/vm; echo 10 >dirty_writeback_centisecs; echo 10 >dirty_expire_centisecs")
        machine.sh("echo 1 >/sys/kernel/tracing/events/ext4/ext4_sync_file_exit/enable")
        machine.mount_state()
        before(machine)
        for word in ("eye", "post"):
            machine.sh(f"echo {word} --config /product/sealcam.toml >/run/orders")
        return machine, witness

    @staticmethod
    def stop(machine: Machine) -> None:
        """Tell the eye and the post to end, and wait until they have."""
        for word in ("eye", "post"):
            machine.sh(f"pid=$(cat /run/{word}.pid); kill $pid; while kill -0 $pid 2>/dev/null; do sleep 1; done")

    def look(self, into: Path) -> Path:
        """The eye's folder as it is on the disk, the journal replayed in a copy; renews `names`."""
        copied = disks.copy(self.disk, into.with_suffix(".ext4"))
        disks.replay(copied)
        self._read_names(copied)
        found = disks.unpack(copied, "/eye", into)
        copied.unlink()
        return found

    def _read_names(self, disk: Path) -> None:
        eye = disks.inodes(disk, "/eye")
        self.clips = next(inode for inode, name in eye.items() if name == "clips")
        self.names = eye | disks.inodes(disk, "/eye/clips")


def camera_files(folder: Path) -> dict[str, Path]:
    """What comes on the product's disk beside the product; what is made for it goes into `folder`."""
    config = folder / "sealcam.toml"
    config.write_text(CONFIG.format(state=STATE, socket="/run/eye.sock"))
    named = {"warm.py": GUEST / "warm.py", "prepare": GUEST / "prepare"}
    return {**named, **blind.files(folder), "sealcam.toml": config, "footage.mkv": make_footage(folder / "footage.mkv")}


def make_footage(path: Path) -> Path:
    """Small pictures of real people, noisy so that they fill chunks: some seconds with, some of the place without."""
    with av.open(str(footage.vtest())) as source:
        pictures = [frame.to_ndarray(format="gray") for frame in itertools.islice(source.decode(video=0), 0, 400, 2)]
    small = [cv2.resize(one, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA) for one in pictures]
    empty = np.median(np.stack(small[::10]), axis=0)
    chance = np.random.default_rng(1)
    shown = [*small[: PEOPLE_S * FPS], *[empty] * (NOBODY_S * FPS)]
    noisy = [(one + chance.normal(0, NOISE, one.shape)).clip(0, 255).astype(np.uint8) for one in shown]
    return write_clip(path, noisy, range(0, len(noisy) * 1000 // FPS, 1000 // FPS))


def queued(eye: Path) -> dict[int, str]:
    """The events that wait in the outbox of an eye's folder: their hashes, in hex, by their numbers."""
    with sqlite3.connect(eye / "outbox.db") as outbox:
        rows = outbox.execute("SELECT seq, hash FROM mail").fetchall()
    outbox.close()
    return {seq: mark.hex() for seq, mark in rows}


def clip_of(name: str) -> str:
    """The id, in hex, of a clip's file."""
    return re.sub(r"\..*", "", name)
