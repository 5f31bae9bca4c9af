"""Beats and wills: which one counts, and what the ledger keeps of it.

A beat stands outside the chain, so nothing but its advance tells it from an old one: within a boot its number must
grow, and a boot that the camera has left never comes back. Its time must advance with the hub's too: a broker that
hoards beats could otherwise let a camera seem alive long after it was silenced. Implements design/pipeline.md, "Hub",
step 3.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, delete, insert, select, update

from sealcam.wire.bodies import BeatBody, Stamp, Traffic
from sealcam_hub.chain import Chain, Known
from sealcam_hub.inbox import Beat, Will
from sealcam_hub.keys import HubKeys
from sealcam_hub.registry import TRIALS, Camera, Life, Standing
from sealcam_hub.tables import boots, cameras, prekeys
from sealcam_hub.wishes import overtaken

MAX_NAME = 128
FIRST_SET = 1  # the only one there was before beats named theirs
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


def advances(connection: Connection, standing: Standing, beat: Beat) -> bool | None:
    """Whether the beat is newer than every one that was counted.

    None where it can't be: it is of a boot that another has followed, and newer than any that came of it. Then two
    cameras beat with one key.
    """
    life, boot = standing.life, beat.body.at.boot
    if boot == life.boot:
        return beat.counter > life.counter
    left = select(boots.c.counter).where(boots.c.camera == standing.camera.id, boots.c.boot == boot)
    last = connection.execute(left).scalar()
    if last is None:
        return True
    return None if beat.counter > last else False


def is_overtaken(connection: Connection, camera: int, arrived_ns: int) -> bool:
    """Whether a beat came before the newest one that was counted, by another worker that was quicker."""
    newest = connection.execute(select(cameras.c.beat_ns).where(cameras.c.id == camera)).scalar()
    return newest is not None and arrived_ns < newest


def own_prekeys(body: BeatBody, keys: HubKeys) -> tuple[int, int]:
    """Of this hub's series: which prekey the camera seals to, and the oldest one that something queued is sealed to.

    Both 0 where the beat doesn't say: it speaks of the home hub of the set that it names, whoever is home hub now.
    """
    mine = next((one for one in body.others or () if one.hub == keys.kid), None)
    if mine is not None:  # the camera's set may be older, of a time when another hub was its home hub
        return mine.prekey, mine.oldest_prekey
    ours = keys.is_home and (body.recipient_set or FIRST_SET) == keys.set_number
    return (body.prekey, body.oldest_prekey) if ours else (0, 0)


def at(chain: Chain, seq: int, known: Known) -> bytes | None:
    """The hash that the hub has for a place in the chain, if it has one."""
    if seq == chain.seq:
        return chain.hash
    link = chain.parked.get(seq) if seq > chain.seq else known(seq)
    return None if link is None else link.hash


def count(connection: Connection, standing: Standing, beat: Beat, arrived_ns: int, keys: HubKeys) -> Standing:
    """Keep what a beat says, and destroy the prekeys that nothing can come under any more."""
    life, body, camera = standing.life, beat.body, standing.camera
    room = body.storage
    left = life.boot is not None and life.boot != body.at.boot
    if left:
        connection.execute(insert(boots).values(camera=camera.id, boot=life.boot, counter=life.counter))
    will = 0 if left else life.will
    prekey, oldest = own_prekeys(body, keys)
    gone = camera.gone and body.newest_seq <= camera.farewell_seq
    connection.execute(
        update(cameras)
        .where(cameras.c.id == camera.id)
        .values(
            revision=cameras.c.revision + 1,
            silent=False,
            cut_off=False,
            gone=gone,
            boot=body.at.boot,
            counter=beat.counter,
            will_counter=will,
            beat_ns=arrived_ns,
            nonce=body.nonce,
            newest_seq=body.newest_seq,
            prekey=prekey,
            queued=body.queued,
            frame_age_ns=body.frame_age_ns,
            mode=body.mode,
            firmware=body.firmware[:MAX_NAME],
            recipient_set=body.recipient_set,
            traffic=body.traffic or Traffic.INSTANT,
            privacy=bool(body.privacy),
            disk_mib=room and room.disk_mib,
            free_mib=room and room.free_mib,
            clips_mib=room and room.clips_mib,
            clips_most_mib=room and room.clips_most_mib,
        )
    )
    if body.scheduled:
        overtaken(connection, camera.id)
    life = Life(body.at.boot, beat.counter, body.newest_seq, False, will, prekey)
    camera = replace(camera, gone=gone)
    if standing.chain.seq >= body.newest_seq:  # whatever is missing may be sealed to any of them
        camera = _free(connection, camera, min(prekey, oldest, max(camera.prekey_numbers, default=0)))
    return replace(standing, camera=camera, life=life, revision=standing.revision + 1)


def _free(connection: Connection, camera: Camera, free: int) -> Camera:
    """The camera once its prekeys with numbers below `free` are destroyed."""
    if len(camera.prekeys) < TRIALS and not any(number < free for number in camera.prekey_numbers):
        return camera
    connection.execute(delete(prekeys).where(prekeys.c.camera == camera.id, prekeys.c.number < free))
    kept = [one for one in zip(camera.prekeys, camera.prekey_numbers, strict=True) if one[1] >= free]
    keys, numbers = tuple(key for key, _ in kept), tuple(number for _, number in kept)
    return replace(camera, prekeys=keys, prekey_numbers=numbers)


def take_will(connection: Connection, standing: Standing, will: Will) -> Standing | None:
    """Note that a camera's connection broke; none where the will says nothing new (design/wire.md 5.2)."""
    life = standing.life
    if will.body.at.boot != life.boot or will.counter <= life.will:
        return None
    noted = update(cameras).where(cameras.c.id == standing.camera.id)
    noted = noted.values(cut_off=True, will_counter=will.counter, revision=cameras.c.revision + 1)
    connection.execute(noted)
    return replace(standing, life=replace(life, will=will.counter, cut_off=True), revision=standing.revision + 1)


def set_silent(connection: Connection, camera: int) -> None:
    """Note that a camera has stopped beating; its next counted beat takes that back."""
    silent = update(cameras).where(cameras.c.id == camera)
    connection.execute(silent.values(silent=True, revision=cameras.c.revision + 1))


def set_privacy(connection: Connection, camera: int, on: bool) -> None:
    """Note that a camera's capture was stopped, or began again."""
    told = update(cameras).where(cameras.c.id == camera)
    connection.execute(told.values(privacy=on, revision=cameras.c.revision + 1))


def set_gone(connection: Connection, standing: Standing, seq: int) -> Standing:
    """Note that a camera has said farewell at that place in its ledger; a beat that says more takes it back."""
    told = update(cameras).where(cameras.c.id == standing.camera.id)
    connection.execute(told.values(gone=True, farewell_seq=seq, revision=cameras.c.revision + 1))
    camera = replace(standing.camera, gone=True, farewell_seq=seq)
    return replace(standing, camera=camera, revision=standing.revision + 1)
