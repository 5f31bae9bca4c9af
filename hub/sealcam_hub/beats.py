"""Beats: which one counts, and what the ledger keeps of it.

A beat stands outside the chain, so nothing but its advance tells it from an old one: within a boot its number must
grow, and a boot that the camera has left never comes back. Its time must advance with the hub's too: a broker that
hoards beats could otherwise let a camera seem alive long after it was silenced. Implements design/pipeline.md, "Hub",
step 3.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, delete, insert, select, update

from sealcam.wire.bodies import Stamp
from sealcam_hub.chain import Chain, Known
from sealcam_hub.inbox import Beat
from sealcam_hub.registry import Life, Standing
from sealcam_hub.tables import boots, cameras, prekeys

MAX_NAME = 128
HELD_NS = 60_000_000_000  # a beat that came this much later than its fellows has been held back
DRIFT_PPM = 500  # how far two clocks without discipline may run apart; crystals stay below 100


class Lags:
    """How late each camera's beats come, in its own time against the hub's, both since boot."""

    def __init__(self) -> None:
        self._least: dict[str, tuple[bytes, int, int]] = {}  # boot, least lag, and when that was

    def timely(self, alias: str, at: Stamp, now_ns: int) -> bool:
        """Whether a beat of `at` came about as promptly as the promptest one of its boot."""
        boot, least_ns, since_ns = self._least.get(alias, (b"", 0, 0))
        lag_ns = now_ns - at.boot_ns
        drift_ns = (now_ns - since_ns) * DRIFT_PPM // 1_000_000
        if boot != at.boot or lag_ns < least_ns + drift_ns:
            self._least[alias] = (at.boot, lag_ns, now_ns)
            return True
        return lag_ns <= least_ns + drift_ns + HELD_NS


def advances(connection: Connection, standing: Standing, beat: Beat) -> bool:
    """Whether the beat is newer than every one that was counted."""
    life, boot = standing.life, beat.body.at.boot
    if boot == life.boot:
        return beat.counter > life.counter
    left = select(boots.c.boot).where(boots.c.camera == standing.camera.id, boots.c.boot == boot)
    return connection.execute(left).first() is None


def at(chain: Chain, seq: int, known: Known) -> bytes | None:
    """The hash that the hub has for a place in the chain, if it has one."""
    if seq == chain.seq:
        return chain.hash
    link = chain.parked.get(seq) if seq > chain.seq else known(seq)
    return None if link is None else link.hash


def count(connection: Connection, standing: Standing, beat: Beat, arrived_ns: int) -> Standing:
    """Keep what a beat says, and destroy the prekeys that it says nothing is sealed to any more."""
    life, body, camera = standing.life, beat.body, standing.camera
    if life.boot is not None and life.boot != body.at.boot:
        connection.execute(insert(boots).values(camera=camera.id, boot=life.boot))
    connection.execute(
        update(cameras)
        .where(cameras.c.id == camera.id)
        .values(
            revision=cameras.c.revision + 1,
            silent=False,
            boot=body.at.boot,
            counter=beat.counter,
            beat_ns=arrived_ns,
            nonce=body.nonce,
            newest_seq=body.newest_seq,
            queued=body.queued,
            frame_age_ns=body.frame_age_ns,
            mode=body.mode,
            firmware=body.firmware[:MAX_NAME],
        )
    )
    life = Life(body.at.boot, beat.counter, body.newest_seq, False)
    free = min(body.prekey, body.oldest_prekey, max(camera.prekey_numbers, default=0))
    if any(number < free for number in camera.prekey_numbers):
        connection.execute(delete(prekeys).where(prekeys.c.camera == camera.id, prekeys.c.number < free))
        kept = [one for one in zip(camera.prekeys, camera.prekey_numbers, strict=True) if one[1] >= free]
        camera = replace(
            camera, prekeys=tuple(key for key, _ in kept), prekey_numbers=tuple(number for _, number in kept)
        )
    return replace(standing, camera=camera, life=life, revision=standing.revision + 1)


def set_silent(connection: Connection, camera: int) -> None:
    """Note that a camera has stopped beating; its next counted beat takes that back."""
    silent = update(cameras).where(cameras.c.id == camera)
    connection.execute(silent.values(silent=True, revision=cameras.c.revision + 1))
