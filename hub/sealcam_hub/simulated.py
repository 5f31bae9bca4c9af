"""A camera that is only simulated: real keys, real envelopes in a real chain, an outbox that waits for receipts.

For `simulate`. Knows no MQTT and no clock: times are handed in, nanoseconds since boot. Safe to share between the
thread that makes events and the one that hears the hub.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sealcam.wire import schema, statement
from sealcam.wire.bodies import (
    BeatBody,
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
from sealcam.wire.envelope import seal
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, SigningKey
from sealcam.wire.sealed import GENESIS, envelope_hash
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import ClaimAnswer, ClaimRequest, Prekey, Receipt, RecipientKind, RecipientSet
from sealcam_hub.home import Home

AGAIN_NS = 10_000_000_000  # a real camera waits so long for a receipt before it sends an event again
BEAT_NS = 20_000_000_000
_STAGES = (Stage.NEW, Stage.UPDATE, Stage.UPDATE, Stage.END)


@dataclass(slots=True)
class _Queued:
    envelope: bytes
    first_ns: int
    sent_ns: int


class SimulatedCamera:
    """One camera of a hub. `sent` are the hashes of all that it ever made, by sequence."""

    def __init__(self, home: Home, name: str, window: int, picture_bytes: int) -> None:
        self.name, self._window, self._picture_bytes = name, window, picture_bytes
        self._signer, self._command = SigningKey.generate(), BoxKey.generate()
        self._tls = ec.generate_private_key(ec.SECP256R1())
        request = ClaimRequest(epoch=1, public=self._signer.public, command=self._command.public, csr=_csr(self._tls))
        bundle = Bundle.unpack(home.enroller().answer(statement.claim_request(self._signer, request), name))
        self._hub = home.keys.operating.public
        answer = statement.read(bundle.answer, self._hub, ClaimAnswer)
        chosen = statement.read(answer.recipient_set, bundle.root_public, RecipientSet)
        self._spare = [one.public for one in chosen.recipients if one.kind is RecipientKind.RECOVERY]
        self._set = chosen.number
        self.alias, self.certificate = answer.alias, answer.certificate
        self._prekey = statement.read(answer.prekey, self._hub, Prekey)
        self._boot = secrets.token_bytes(16)
        self._beats, self._beat_ns = 0, -BEAT_NS
        self._lock = threading.Lock()
        self._queue: OrderedDict[bytes, _Queued] = OrderedDict()
        self.sent: list[bytes] = []
        self.delays_ns: list[int] = []
        self.again = 0

    @property
    def key(self) -> bytes:
        """The private key (PEM) that its certificate for the broker is for."""
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return self._tls.private_bytes(*form)

    @property
    def waiting(self) -> int:
        """How many events wait for their receipts."""
        with self._lock:
            return len(self._queue)

    def event(self, now_ns: int, wall_ns: int) -> bytes | None:
        """Make the next event; none while as many as may wait for receipts already."""
        with self._lock:
            if len(self._queue) >= self._window:
                return None
            seq = len(self.sent) + 1
            before = self.sent[-1] if self.sent else GENESIS
            body = schema.encode(self._report(seq, now_ns, wall_ns))
            envelope = self._seal(EventType.INCIDENT, seq, before, body)
            self.sent.append(envelope_hash(envelope))
            self._queue[self.sent[-1]] = _Queued(envelope, now_ns, now_ns)
            return envelope

    def due(self, now_ns: int, wall_ns: int) -> list[bytes]:
        """What is to be sent at this moment whatever happens: events again that have no receipt, and a beat."""
        with self._lock:
            found = []
            for one in self._queue.values():
                if now_ns - one.sent_ns >= AGAIN_NS:
                    one.sent_ns = now_ns
                    self.again += 1
                    found.append(one.envelope)
            if now_ns - self._beat_ns >= BEAT_NS:
                self._beat_ns = now_ns
                found.append(self._beat(now_ns, wall_ns))
            return found

    def hear(self, message: bytes, now_ns: int) -> None:
        """Take what the hub says: a receipt, or a new prekey; anything else is left alone."""
        try:
            receipt = statement.read(message, self._hub, Receipt)
        except EnvelopeError:
            self._take(message)
            return
        with self._lock:
            queued = self._queue.pop(receipt.envelope_hash, None)
            if queued is not None:
                self.delays_ns.append(now_ns - queued.first_ns)

    def _take(self, message: bytes) -> None:
        try:
            prekey = statement.read(message, self._hub, Prekey)
        except EnvelopeError:
            return
        with self._lock:
            if prekey.number > self._prekey.number:
                self._prekey = prekey

    def _seal(self, kind: EventType, seq: int, prev: bytes, body: bytes) -> bytes:
        recipients = [self._prekey.public, *self._spare]
        more = {"kind": kind, "seq": seq, "prev": prev, "body": body, "epoch": 1, "recipient_set": self._set}
        return seal(self._signer, recipients, **more)  # type: ignore[arg-type]

    def _stamp(self, now_ns: int, wall_ns: int) -> Stamp:
        return Stamp(boot=self._boot, boot_ns=now_ns, wall_ns=wall_ns, quality=ClockQuality.SYNCHRONISED)

    def _report(self, seq: int, now_ns: int, wall_ns: int) -> IncidentBody:
        number, place = divmod(seq - 1, len(_STAGES))
        picture = secrets.token_bytes(self._picture_bytes) if place == 1 and self._picture_bytes else None
        return IncidentBody(
            incident=(number + 1).to_bytes(8, "big"),
            stage=_STAGES[place],
            at=self._stamp(now_ns, wall_ns),
            trigger=Trigger.MOTION,
            started_ns=max(0, now_ns - 1_000_000_000),
            ended_ns=now_ns,
            subject=Subject.PERSON,
            confidence_permille=873,
            verdict=Verdict.BENIGN,
            threat_permille=120,
            reasons=("simulated",),
            mode=Mode.HOME,
            thumbnail=picture,
        )

    def _beat(self, now_ns: int, wall_ns: int) -> bytes:
        self._beats += 1
        number = self._prekey.number
        oldest = number if not self._queue else 1
        body = BeatBody(
            at=self._stamp(now_ns, wall_ns),
            nonce=secrets.token_bytes(32),
            newest_hash=self.sent[-1] if self.sent else GENESIS,
            newest_seq=len(self.sent),
            queued=len(self._queue),
            queued_bytes=sum(len(one.envelope) for one in self._queue.values()),
            frames=0,
            dropped=0,
            mode=Mode.HOME,
            firmware="simulated",
            frame_age_ns=0,
            prekey=number,
            oldest_prekey=oldest,
            recipient_set=self._set,
        )
        return self._seal(EventType.BEAT, self._beats, GENESIS, schema.encode(body))


def _csr(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sealcam")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)
