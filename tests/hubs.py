"""A whole hub in a folder and cameras that a test plays, without a broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sealcam.wire import cbor, schema, statement
from sealcam.wire.bodies import (
    AnswerBody,
    BeatBody,
    Cause,
    ClipBody,
    ClipKey,
    ClipState,
    ClockQuality,
    EpochBody,
    EventType,
    FarewellBody,
    HealthBody,
    IncidentBody,
    IncidentPath,
    LossBody,
    Mode,
    Outcome,
    PieceBody,
    PrivacyBody,
    Stage,
    Stamp,
    Subject,
    Tombstone,
    Trigger,
    Verdict,
    WillBody,
)
from sealcam.wire.envelope import Opened, open_envelope, seal
from sealcam.wire.keys import BoxKey, SigningKey, epoch_proof, prove_epoch
from sealcam.wire.sealed import GENESIS, envelope_hash
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import (
    ClaimAnswer,
    ClaimRequest,
    Prekey,
    Receipt,
    RecipientKind,
    RecipientSet,
    Rotation,
)
from sealcam_hub import setup
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.folder import Address, Folder
from sealcam_hub.home import Home, open_home

BROKER = Address("localhost", 8883)
JPEG = b"\xff\xd8\xff\xe0" + b"a picture of nobody" * 40 + b"\xff\xd9"
NS = 1_000_000_000
WALL_NS = 1_800_000_000 * NS
COVER_BYTES = 2048 - 41 - 1 - 6  # filler that fills a body of 2,048: type, seq, prev; padding mark; map and two heads


def make(path: Path, broker: Address = BROKER) -> Folder:
    """A new hub in `path`."""
    folder = Folder(path)
    setup.make_hub(folder, broker, lambda _words: None)
    return folder


@contextmanager
def opened(path: Path) -> Iterator[Home]:
    """A new hub in `path`, open, under a simulated clock."""
    with open_home(make(path), SimulatedClock(wall_ns=WALL_NS)) as home:
        yield home


def csr(key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    """A certificate request as the camera's post makes it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sealcam")])
    made = key or ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(made, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


class Camera:
    """A camera as the hub sees one: seals events in a chain, beats, and reads what the hub answers."""

    def __init__(self, boot: bytes = b"b" * 16) -> None:
        self.signer = SigningKey.generate()
        self.kid = self.signer.kid  # of its first epoch key: its name
        self.command = BoxKey.generate()
        self.epoch, self.set_number = 1, 1
        self.boot = boot
        self.seq, self.head, self.beats = 0, GENESIS, 0
        self.sent: list[bytes] = []  # hashes in order
        self.clock = SimulatedClock()  # its own, unless a test makes it beat in time with the hub
        self.tls = ec.generate_private_key(ec.SECP256R1())

    def request(self) -> bytes:
        """Its claim request."""
        item = ClaimRequest(epoch=self.epoch, public=self.signer.public, command=self.command.public, csr=csr(self.tls))
        return statement.claim_request(self.signer, item)

    def claim(self, home: Home, name: str = "Door", *, same: bool = False) -> None:
        """Belong to that hub."""
        bundle = Bundle.unpack(home.enroller().answer(self.request(), name, same))
        self.hub = home.keys.operating.public
        self.answer = statement.read(bundle.answer, self.hub, ClaimAnswer)
        self.alias = self.answer.alias
        self.take_prekey(self.answer.prekey)
        chosen = statement.read(self.answer.recipient_set, bundle.root_public, RecipientSet)
        self.others = [one.public for one in chosen.recipients if one.kind is RecipientKind.RECOVERY]
        self.set_number = chosen.number

    def take_prekey(self, message: bytes) -> None:
        """Seal to that prekey from now on."""
        self.prekey = statement.read(message, self.hub, Prekey)

    def stamp(self, boot_ns: int = 100 * NS) -> Stamp:
        """A time in this camera's words: `WALL_NS` is 100 s after its boot."""
        wall_ns = WALL_NS + boot_ns - 100 * NS
        return Stamp(boot=self.boot, boot_ns=boot_ns, wall_ns=wall_ns, quality=ClockQuality.SYNCHRONISED)

    def seal(self, kind: int, body: bytes, seq: int, prev: bytes, signer: SigningKey | None = None) -> bytes:
        """One envelope, wherever it belongs."""
        recipients = [self.prekey.public, *self.others]
        who = signer or self.signer
        epoch, number = self.epoch, self.set_number
        return seal(who, recipients, kind=kind, seq=seq, prev=prev, body=body, epoch=epoch, recipient_set=number)

    def event(self, kind: int, body: bytes) -> bytes:
        """The next event of the chain."""
        self.seq += 1
        envelope = self.seal(kind, body, self.seq, self.head)
        self.head = envelope_hash(envelope)
        self.sent.append(self.head)
        return envelope

    def incident(
        self,
        number: int = 1,
        stage: Stage = Stage.NEW,
        picture: bytes | None = None,
        clip: ClipKey | None = None,
        path: IncidentPath | None = None,
    ) -> bytes:
        """The next event: a person, seen; `clip` is the key of a clip that begins, `path` where they stood."""
        return self.event(EventType.INCIDENT, self.body(number, stage, picture, clip, path))

    def body(
        self,
        number: int = 1,
        stage: Stage = Stage.NEW,
        picture: bytes | None = None,
        clip: ClipKey | None = None,
        path: IncidentPath | None = None,
    ) -> bytes:
        """What an incident's report says."""
        item = IncidentBody(
            incident=number.to_bytes(8, "big"),
            stage=stage,
            at=self.stamp(),
            trigger=Trigger.MOTION,
            started_ns=90 * NS,
            ended_ns=99 * NS,
            subject=Subject.PERSON,
            confidence_permille=875,
            verdict=Verdict.THREAT,
            threat_permille=900,
            reasons=("a person was seen", "armed away"),
            mode=Mode.AWAY,
            thumbnail=picture,
            clip=clip,
            path=path,
        )
        return schema.encode(item)

    def health(self, code: str = "camera.lost", detail: str = "no frames") -> bytes:
        """The next event: something about the camera itself."""
        return self.event(EventType.HEALTH, schema.encode(HealthBody(at=self.stamp(), code=code, detail=detail)))

    def loss(self, *runs: tuple[int, int, bytes]) -> bytes:
        """The next event: runs (first, last, hash of the last) that were evicted."""
        stones = tuple(Tombstone(first=first, last=last, last_hash=name) for first, last, name in runs)
        return self.event(EventType.LOSS, schema.encode(LossBody(at=self.stamp(), tombstones=stones)))

    def clip_key(self, number: int = 1, part: int = 0) -> ClipKey:
        """A clip's key, as an incident's report carries it: clip and key are made of `number`."""
        clip, key = number.to_bytes(16, "big"), bytes([number % 256]) * 32
        return ClipKey(clip=clip, content_key=key, started_ns=90 * NS, part=part)

    def clip(self, number: int = 1, state: ClipState = ClipState.COMPLETE, chunks: int = 3) -> bytes:
        """The next event: what became of that clip."""
        item = ClipBody(
            at=self.stamp(),
            clip=number.to_bytes(16, "big"),
            state=state,
            chunks=chunks,
            size=65_536 * chunks,
            chain=bytes(32) if state is ClipState.EVICTED else b"c" * 32,
        )
        return self.event(EventType.CLIP, schema.encode(item))

    def pieces(self, picture: bytes, number: int = 1, size: int = 300, name: bytes = b"p" * 8) -> list[bytes]:
        """The next events: an incident's picture in pieces of `size` bytes."""
        parts = [picture[at : at + size] for at in range(0, len(picture), size)]
        return [self.piece(part, at, len(parts), number, name) for at, part in enumerate(parts)]

    def piece(self, data: bytes, index: int, count: int, number: int = 1, name: bytes = b"p" * 8) -> bytes:
        """The next event: one piece of an incident's picture."""
        incident = number.to_bytes(8, "big")
        item = PieceBody(incident=incident, picture=name, index=index, count=count, data=data)
        return self.event(EventType.PIECE, schema.encode(item))

    def answers(self, number: int, command: int, outcome: Outcome = Outcome.DONE, detail: str = "") -> bytes:
        """The next event: what became of the command with that number and type."""
        item = AnswerBody(at=self.stamp(), number=number, command=int(command), outcome=outcome, detail=detail)
        return self.event(EventType.ANSWER, schema.encode(item))

    def farewell(self, cause: Cause = Cause.BUTTON) -> bytes:
        """The last event before the keys are destroyed."""
        return self.event(EventType.FAREWELL, schema.encode(FarewellBody(at=self.stamp(), cause=cause)))

    def privacy(self, on: bool, cause: Cause = Cause.BUTTON) -> bytes:
        """The next event: capture was stopped, or began again."""
        return self.event(EventType.PRIVACY, schema.encode(PrivacyBody(at=self.stamp(), on=on, cause=cause)))

    def hand_over(self, rotation: bytes | None = None, **changed: object) -> bytes:
        """The next event: new keys, which sign everything from now on; `rotation` is the hub's statement."""
        nonce = statement.read(rotation, self.hub, Rotation).nonce if rotation is not None else b"?" * 32
        signer, command = SigningKey.generate(), BoxKey.generate()
        message = epoch_proof(self.kid, nonce, self.epoch + 1, command.public, self.seq + 1, self.head)
        values: dict[str, object] = {"epoch": self.epoch + 1, "public": signer.public, "command": command.public}
        values |= {"nonce": nonce, "proof": prove_epoch(signer, message)} | changed
        envelope = self.event(EventType.EPOCH, schema.encode(EpochBody(at=self.stamp(), **values)))  # type: ignore[arg-type]
        self.signer, self.command, self.epoch = signer, command, self.epoch + 1
        return envelope

    def cover(self) -> bytes:
        """Nothing, as long as any other envelope of a camera that hides when something happens."""
        self.beats += 1
        return self.seal(EventType.COVER, cbor.encode({255: bytes(COVER_BYTES)}), self.beats, GENESIS)

    def will(self) -> bytes:
        """What the broker says when the camera's connection breaks."""
        self.beats += 1
        stamp = self.stamp(100 * NS + self.clock.boot_ns() + self.beats)
        return self.seal(EventType.WILL, schema.encode(WillBody(at=stamp)), self.beats, GENESIS)

    def beat(self, mode: Mode = Mode.HOME, **changed: object) -> bytes:
        """A fresh beat; its nonce is `self.nonce`."""
        self.beats += 1
        self.nonce = self.beats.to_bytes(32, "big")
        values: dict[str, object] = {"newest_seq": self.seq, "queued": 0, "prekey": self.prekey.number}
        values |= {"oldest_prekey": self.prekey.number, "recipient_set": self.set_number}
        values |= {"frame_age_ns": 50_000_000} | changed
        body = BeatBody(
            at=self.stamp(100 * NS + self.clock.boot_ns() + self.beats),
            nonce=self.nonce,
            newest_hash=self.head,
            queued_bytes=0,
            frames=1000,
            dropped=1,
            mode=mode,
            firmware="0.1.0",
            **values,  # type: ignore[arg-type]
        )
        return self.seal(EventType.BEAT, schema.encode(body), self.beats, GENESIS)

    def restart(self, boot: bytes) -> None:
        """Begin a new boot."""
        self.boot, self.beats = boot, 0

    def receipted(self, answer: bytes | None) -> bytes:
        """The hash that the hub's receipt names."""
        assert answer is not None
        return statement.read(answer, self.hub, Receipt).envelope_hash

    def opens(self, command: bytes) -> Opened:
        """A command, opened with this camera's key."""
        from sealcam.wire.envelope import SCM1

        return open_envelope(command, self.hub, [self.command], form=SCM1)
