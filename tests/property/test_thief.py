"""A thief with the camera's whole disk, unlocked, and a recording of everything the broker ever carried.

No past event and no clip opens, whatever 32 bytes in a row are tried as a key; the owner's words open all of them.
"""

from __future__ import annotations

from pathlib import Path

from sealcam.clips import ClipFolder
from sealcam.clocks import SimulatedClock
from sealcam.sight.types import ArmMode
from sealcam.wire import labels, schema
from sealcam.wire.bodies import EventType, IncidentBody, Mode, Stage, Subject, Trigger, Verdict
from sealcam.wire.clip import BytesSource, ClipInfo, Reader, content_key, read_header
from sealcam.wire.envelope import open_envelope
from sealcam.wire.keys import BoxKey, OwnerKeys
from sealcam.wrapping import Wrapping
from sealcam_hub import setup
from sealcam_hub.clock import SimulatedClock as HubClock
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.receive import Receiver
from tests.camera_end import CameraEnd
from tests.hubs import BROKER, WALL_NS

PICTURES = b"a picture that nobody else may see. " * 5000
WEEK_S = 7 * 24 * 3600.0


def _record(camera: CameraEnd) -> None:
    """A clip whose key goes to the hub in an incident's event, as the recorder makes one."""
    folder = ClipFolder(camera.state / "eye" / "clips")
    stamp = camera.sealing._stamp()
    prepared = folder.prepare(
        camera.sealing.clip_seal(), ClipInfo(incident=b"incident", at=stamp, media="video/mp4", part=0)
    )
    body = IncidentBody(
        incident=b"incident", stage=Stage.NEW, at=stamp, trigger=Trigger.MOTION, started_ns=0, ended_ns=1,
        subject=Subject.PERSON, confidence_permille=900, verdict=Verdict.THREAT, threat_permille=900,
        reasons=("somebody was seen",), mode=Mode.AWAY, clip=prepared.key,
    )  # fmt: skip
    camera.sealing.event(EventType.INCIDENT, schema.encode(body), 0, prepared.key.clip)
    recording = prepared.queued()
    recording.write(PICTURES)
    camera.sealer.clip(recording.finish())
    recording.told()


def _talk(home: Home, receiver: Receiver, camera: CameraEnd, record: list[bytes]) -> None:
    """Everything goes its way, and the broker keeps all of it."""
    for envelope in [*camera.mail(), camera.sealer.beat()]:
        record.append(envelope)
        outcome = receiver.take(camera.alias, envelope, home.clock.wall_ns())
        for message in (outcome.answer, *outcome.also):
            if message is not None:
                record.append(message)
                camera.takes(message)
    commands = [message for _, message in home.wishes().due()]
    for message in [*(message for _, message in receiver.renew()), *commands]:
        record.append(message)
        camera.takes(message)


def _life(path: Path) -> tuple[CameraEnd, list[bytes], OwnerKeys]:
    """A camera's few weeks: events, clips, prekeys, an epoch that ends, a command; some of it is still queued."""
    words: list[str] = []
    setup.make_hub(Folder(path / "hub"), BROKER, words.append)
    clock, record = HubClock(wall_ns=WALL_NS), list[bytes]()
    with open_home(Folder(path / "hub"), clock) as home:
        camera = CameraEnd(path / "camera", SimulatedClock(wall_ns=WALL_NS))
        camera.claim(home, "Door")
        camera.start()
        receiver = Receiver(home.store, home.keys, clock)
        for week in range(3):
            camera.says("note", f"the words of week {week}")
            _record(camera)
            if week == 1:
                home.wishes().ask(camera.alias, "night")
            for _ in range(3):
                _talk(home, receiver, camera, record)
                clock.advance(30)
                camera.clock.advance(30)
            clock.advance(WEEK_S)
            camera.clock.advance(WEEK_S)
        camera.says("note", "still queued")
        _record(camera)
        record += list(camera.mail())
        assert (camera.keys.epoch, camera.mode) == (3, ArmMode.NIGHT), "it was a whole life"
        camera.stop()
    return camera, record, setup.owner_keys(words[0])


def _disk(state: Path) -> list[bytes]:
    """Every file of the camera, and its key file unlocked as whoever holds the running board has it."""
    files = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    unlocked = Wrapping(files[state / "eye" / "wrap"]).unlock(files[state / "eye" / "keys"][4:])
    assert unlocked is not None
    return [unlocked, *files.values()]


def _candidates(parts: list[bytes]) -> set[bytes]:
    return {part[at : at + 32] for part in parts for at in range(len(part) - 31)}


def _slots(sealed: bytes) -> list[bytes]:
    start = 70 if sealed[:4] == b"SCL1" else 54
    return [sealed[at : at + 80] for at in range(start, start + 80 * sealed[start - 1], 80)]


def test_a_thief_with_the_disk_and_the_brokers_traffic_opens_nothing_and_the_words_open_all(tmp_path: Path) -> None:
    camera, record, owner = _life(tmp_path)
    disk = _disk(camera.state)
    clips = [part for part in disk if part[:4] == b"SCL1"]
    events = sorted({message for message in record if message[:4] == b"SEV1"})
    assert len(clips) == 4
    assert len(events) > 12

    for part in (*disk, *record):  # nothing lies open in the first place
        assert PICTURES[:36] not in part
        assert b"the words of week" not in part
    commits = {one[21:53]: labels.EVENT_COMMIT for one in events} | {one[37:69]: labels.CLIP_COMMIT for one in clips}
    secrets = _candidates([part for part in disk if part[:4] != b"SCL1"] + record)
    for candidate in secrets:  # as a content key
        assert labels.blake2b(labels.EVENT_COMMIT, candidate) not in commits
        assert labels.blake2b(labels.CLIP_COMMIT, candidate) not in commits
    small = _candidates([part for part in disk if len(part) < 4096])
    assert camera.keys.command.secret in small, "what the camera holds is among what is tried"
    slots = [slot for sealed in (*events[:2], *clips[:1]) for slot in _slots(sealed)]
    for candidate in small:  # as a recipient's key: one event or clip is as good as another
        key = BoxKey(candidate)
        assert all(key.open(slot) is None for slot in slots)
    every = [slot for sealed in (*events, *clips) for slot in _slots(sealed)]
    held = BoxKey(camera.keys.command.secret)
    assert all(held.open(slot) is None for slot in every)

    publics = camera.keys.publics
    for event in events:
        signer = next(public for public in publics if _signed(event, public))
        assert open_envelope(event, signer, [owner.recovery]).content_key
    for clip in clips:
        source = BytesSource(clip)
        header = read_header(source, publics)
        reader = Reader(source, header, content_key(header, [owner.recovery]))
        assert b"".join(reader) == PICTURES


def _signed(event: bytes, public: bytes) -> bool:
    from sealcam.wire.keys import key_id

    return event[5:13] == key_id(public)
