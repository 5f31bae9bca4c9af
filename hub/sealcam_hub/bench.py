"""The hub's own figures: how fast it takes events in, against opening and verifying them alone, in one run.

A hub of its own in a temporary folder, with its ledger on the disk that the folder is on: nothing of a real hub is
touched. Batches of 256 from one camera, with and without a picture; both rates in turns, since machines change their
speed from minute to minute. No test asserts a speed.
"""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert

from sealcam.wire import schema
from sealcam.wire.bodies import (
    ClipKey,
    ClockQuality,
    EventType,
    IncidentBody,
    Mode,
    Stage,
    Stamp,
    Subject,
    Trigger,
    Verdict,
)
from sealcam.wire.envelope import open_envelope, seal
from sealcam.wire.keys import BoxKey, SigningKey
from sealcam.wire.sealed import GENESIS, envelope_hash
from sealcam_hub import prekeys, setup
from sealcam_hub.clock import SystemClock
from sealcam_hub.folder import Address, Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.outcome import What
from sealcam_hub.pump import BATCH
from sealcam_hub.receive import Receiver
from sealcam_hub.tables import cameras, epochs

ALIAS = "bec4bec4bec4bec4"
PICTURE_BYTES = 24_576
_BOOT = bytes(16)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value: `name` is stable from release to release, `how` says on what it was taken."""

    name: str
    value: float
    unit: str
    how: str


@dataclass(slots=True)
class BenchCamera:
    """Keys and chain of the camera that the events come from."""

    signer: SigningKey
    recipients: tuple[bytes, ...]
    seq: int = 0
    head: bytes = GENESIS

    def event(self, picture: bytes | None, incident: int | None = None, verdict: Verdict = Verdict.THREAT) -> bytes:
        """The next event: a report, every eighth with the key of a clip; four to an incident unless one is named."""
        self.seq += 1
        clip = None
        if self.seq % 8 == 1:
            clip = ClipKey(clip=secrets.token_bytes(16), content_key=bytes(32), started_ns=0, part=0)
        body = schema.encode(_report(self.seq // 4 if incident is None else incident, picture, clip, verdict))
        made = seal(
            self.signer,
            self.recipients,
            kind=EventType.INCIDENT,
            seq=self.seq,
            prev=self.head,
            body=body,
            epoch=1,
            recipient_set=1,
        )
        self.head = envelope_hash(made)
        return made


def _report(incident: int, picture: bytes | None, clip: ClipKey | None, verdict: Verdict) -> IncidentBody:
    return IncidentBody(
        incident=incident.to_bytes(8, "big"),
        stage=Stage.UPDATE,
        at=Stamp(boot=_BOOT, boot_ns=10**11, wall_ns=1_790_000_000 * 10**9, quality=ClockQuality.SYNCHRONISED),
        trigger=Trigger.MOTION,
        started_ns=10**11 - 10**9,
        ended_ns=10**11,
        subject=Subject.PERSON,
        confidence_permille=873,
        verdict=verdict,
        threat_permille=912,
        reasons=("a person was seen", "armed away"),
        mode=Mode.AWAY,
        thumbnail=picture,
        clip=clip,
    )


def known(home: Home, row: int = 1, alias: str = ALIAS) -> tuple[BenchCamera, BoxKey]:
    """A camera that the hub knows, in that row, and the secret of its prekey."""
    signer, command, now_ns = SigningKey.generate(), BoxKey.generate(), home.clock.wall_ns()
    keys = {"public": signer.public, "command": command.public, "epoch": 1}
    named = {"alias": alias, "name": f"Bench {row}", "kid": signer.kid, "enrolled_ns": now_ns, "head_hash": GENESIS}
    with home.store.writing() as connection:
        connection.execute(insert(cameras).values(id=row, **named, **keys))
        connection.execute(insert(epochs).values(camera=row, after_seq=0, since_ns=now_ns, **keys))
        prekeys.issue(connection, home.keys, row, 1, now_ns)
        public = prekeys.newest(connection, row)[1]
    standings = Receiver(home.store, home.keys, home.clock).standings()
    key = next(one.camera.prekeys[0] for one in standings if one.camera.alias == alias)
    recovery = next(one.public for one in home.keys.chosen.recipients if one.public != home.keys.operating.public)
    return BenchCamera(signer, (public, recovery)), key


def figures(where: Path | None = None, batches: int = 16) -> Iterator[Figure]:
    """Events a second, and that as a part of opening and verifying alone; `where` is the disk for the ledger."""
    for what, picture in (("events", None), ("events with a 24 KiB picture", secrets.token_bytes(PICTURE_BYTES))):
        with tempfile.TemporaryDirectory(prefix="sealcam-hub-bench-", dir=where) as path:
            folder = Folder(Path(path))
            setup.make_hub(folder, Address("localhost", 8883), lambda _words: None)
            with open_home(folder, SystemClock()) as home:
                yield from _measured(home, what, picture, batches)


def _measured(home: Home, what: str, picture: bytes | None, batches: int) -> Iterator[Figure]:
    camera, key = known(home)
    receiver = Receiver(home.store, home.keys, home.clock)
    bare_s: list[float] = []
    ours_s: list[float] = []
    for number in range(batches):
        sent = [camera.event(picture) for _ in range(BATCH)]
        begun = time.perf_counter()
        for one in sent:
            open_envelope(one, camera.signer.public, [key], slot=0)
        bare_s.append(time.perf_counter() - begun)
        messages = [Message(ALIAS, one, number * BATCH + at) for at, one in enumerate(sent)]
        begun = time.perf_counter()
        outcomes = receiver.take_all(messages)
        ours_s.append(time.perf_counter() - begun)
        if any(one.what is not What.APPENDED or one.answer is None for one in outcomes):
            raise AssertionError("the hub's own bench was refused by the hub")
    # Both of a pair see the same machine: a pair's ratio says more than the two best moments of a busy one.
    rate = BATCH / statistics.median(ours_s)
    ratio = statistics.median(bare / ours for bare, ours in zip(bare_s, ours_s, strict=True))
    how = f"{batches} batches of {BATCH}, receipts made, ledger on disk; bare: opened and verified, "
    how += f"{BATCH / statistics.median(bare_s):.0f} a second; in turns, medians"
    yield Figure(f"hub, {what}", round(rate), "1/s", how)
    yield Figure(f"hub, {what}, over bare", round(ratio, 2), "x", how)
