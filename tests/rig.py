"""A camera's mail path for tests: the eye's end in this process, the post as a real one, and a hub that receipts.

What stands between them is real: the Unix socket, TLS, and the broker of `tests.broker`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from sealcam.clocks import Clock, SystemClock
from sealcam.freight import NO_FREIGHT, Freight
from sealcam.link import Link
from sealcam.outbox import Outbox
from sealcam.pace import CoverPace, InstantPace
from sealcam.wire import statement
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import Sealed, envelope_hash
from sealcam.wire.statement_kinds import ClipHeld, Kind, Receipt
from tests.broker import Broker
from tests.vaulting import Vault
from tests.waiting import eventually

ALIAS = "0123456789abcdef"
BEAT = b"beat"
COVER = b"cover"
WILL = b"will"
_HEARD = ("ev", "clip/+", "live/+")
_POST = """
import sys
from pathlib import Path
from sealcam.post import PostSettings, run
from sealcam.wire.errors import SealcamError, describe
import logging
logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
try:
    sys.exit(run(PostSettings(Path(sys.argv[1]), Path(sys.argv[2]))))
except SealcamError as error:
    sys.stderr.write(describe("sealcam", error) + "\\n")
    sys.exit(error.exit_code)
"""


def mail(seq: int, prev: bytes, size: int = 600) -> Sealed:
    """Bytes that stand for an envelope and name their place in the chain."""
    return Sealed((b"mail" + seq.to_bytes(8, "big") + prev).ljust(size, b"."))


class EyeEnd:
    """Outbox and link as the eye has them; receipts are verified against `hub_public` before anything is deleted."""

    def __init__(
        self,
        folder: Path,
        hub_public: bytes,
        *,
        max_bytes: int = 1 << 26,
        clock: Clock | None = None,
        beat_every_s: float = 20.0,
        cover: bool = False,
        freight: Freight = NO_FREIGHT,
        held: Callable[[ClipHeld], None] = lambda _: None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.socket = folder / "eye.sock"
        self.outbox = Outbox(folder / "outbox.db", max_bytes=max_bytes)
        self.clock = clock or SystemClock()
        self.delivered = 0
        self.beats = 0
        self.wills = 0
        self.worker_beats = 0
        self._hub_public = hub_public
        self._held = held
        instant = InstantPace(self.outbox, self._beat, beat_every_s)
        self.link = Link(
            self.socket,
            self.outbox,
            self.clock,
            pace=CoverPace(instant, lambda: Sealed(COVER)) if cover else instant,
            make_will=self._will,
            deliver=self._deliver,
            freight=freight,
        )
        self._stop = threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def append(self, urgency: int = 2, size: int = 600) -> int:
        """Queue one event and wake the link."""
        seq = self.outbox.append(lambda number, prev: mail(number, prev, size), urgency, 1)
        self.link.wake()
        return seq

    def __enter__(self) -> EyeEnd:
        self._thread.start()
        eventually(lambda: self.worker_beats > 0 or self.error, what="listening")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.outbox.close()
        if self.error is not None and kind is None:
            raise self.error

    def stop(self) -> None:
        """End the link."""
        self._stop.set()
        self.link.wake()
        self._thread.join(10)
        assert not self._thread.is_alive(), "the link's worker hangs"

    def _run(self) -> None:
        try:
            self.link.run(self._worker_beat, self._stop)
        except BaseException as error:  # noqa: BLE001  raised again in the test
            self.error = error

    def _worker_beat(self) -> None:
        self.worker_beats += 1

    def _beat(self) -> Sealed:
        self.beats += 1
        return Sealed(BEAT + self.beats.to_bytes(8, "big"))

    def _will(self) -> Sealed:
        self.wills += 1
        return Sealed(WILL + self.wills.to_bytes(8, "big"))

    def _deliver(self, message: bytes) -> None:
        self.delivered += 1
        if len(message) > 4 and message[4] == Kind.CLIP_HELD:
            self._held(statement.read(message, self._hub_public, ClipHeld))
            return
        self.outbox.acknowledge(statement.read(message, self._hub_public, Receipt).envelope_hash)


def write_claim(
    state: Path, broker: Broker, *, alias: str = ALIAS, host: str | None = None, port: int | None = None
) -> None:
    """What a claim leaves in the post's folder, with a certificate of the broker's authority."""
    state.mkdir(parents=True, exist_ok=True)
    certificate, key = broker.certificate(alias)
    (state / "tls.pem").write_bytes(certificate.read_bytes())
    (state / "tls.key").write_bytes(key.read_bytes())
    (state / "ca.pem").write_bytes(broker.ca_pem.read_bytes())
    (state / "post.toml").write_text(
        f'alias = "{alias}"\nhost = "{host or broker.host}"\nport = {port or broker.port}\n'
    )


class PostProcess:
    """The real post between `eye_socket` and the broker that `state` names."""

    def __init__(self, eye_socket: Path, state: Path, environment: dict[str, str] | None = None) -> None:
        self._environment = environment or {}
        self._command = [sys.executable, "-c", _POST, str(eye_socket), str(state)]
        self._log_path = state / "post.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log_path.read_text() if self._log_path.exists() else ""

    def start(self) -> None:
        """Start it."""
        environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env={**environment, **self._environment}
            )

    def kill(self) -> None:
        """End it with SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def stop(self, timeout_s: float = 20.0) -> int:
        """End it in order; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout_s)

    def wait(self, timeout_s: float = 20.0) -> int:
        """Wait until it ends by itself; its exit code."""
        assert self._process is not None
        return self._process.wait(timeout_s)

    def __enter__(self) -> PostProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()


class HubClient:
    """Receives with the hub's certificate and answers every event with a signed receipt, repeats too.

    Pieces of clips go to `vault`, and its word back. `order` has what came of events and freight, as it came: the
    topic's end and the payload.
    """

    def __init__(self, broker: Broker, *, answers: bool = True, vault: Vault | None = None) -> None:
        self.key = SigningKey.generate()
        self.answers = answers
        self.vault = vault
        self.received: list[bytes] = []
        self.order: list[tuple[str, bytes]] = []
        self.beats = 0
        self.wills: list[bytes] = []
        self._broker = broker
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.tls_set_context(broker.context(broker.hub_certificate))
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.on_connect = lambda client, *_: client.subscribe([(f"sealcam/+/{one}", 1) for one in _HEARD])
        self._client.on_subscribe = lambda *_: self.ready.set()
        self._client.on_message = self._on_message
        self.ready = threading.Event()

    @property
    def events(self) -> set[bytes]:
        """The distinct events that have come."""
        return set(self.received)

    def __enter__(self) -> HubClient:
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        assert self.ready.wait(20), "the hub's client was not accepted"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, message: bytes, alias: str = ALIAS) -> None:
        """Publish on the camera's command topic."""
        self._client.publish(f"sealcam/{alias}/cmd", message, qos=1)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        payload = bytes(message.payload)
        alias, way = message.topic.split("/")[1:3]
        if way != "ev":
            self.order.append((way, payload))
            self._on_freight(alias, way, bytes.fromhex(message.topic.split("/")[3]), payload)
            return
        if payload.startswith(BEAT):
            self.beats += 1
            return
        if payload.startswith(WILL):
            self.wills.append(payload)
            return
        self.received.append(payload)
        self.order.append((way, payload))
        if self.answers:
            receipt = statement.sign(self.key, Receipt(envelope_hash=envelope_hash(payload)))
            self.send(receipt, alias)

    def _on_freight(self, alias: str, way: str, of: bytes, payload: bytes) -> None:
        if way == "clip" and self.vault is not None:
            said = self.vault.take(of, payload)
            if said is not None:
                self.send(statement.sign(self.key, said), alias)
