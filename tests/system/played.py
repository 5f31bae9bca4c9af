"""Cameras that a test plays in the container: real keys, the real broker, no pixels. Orders on standard input.

An order is a line of JSON, `{"camera": NAME, "do": ...}`; each is answered with a line once it is carried out, an
incident once the hub has receipted it. Run as the hub's user: `python -m tests.system.played HUB CLIENTS_FOLDER`.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from sealcam.wire import schema
from sealcam.wire.bodies import ClockQuality, Mode, Stage, Stamp
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.wishes import ArmBody, CommandType, LiveWish, PrivacyWish
from sealcam_hub.clock import SystemClock
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from tests.hubs import JPEG, Camera
from tests.live_camera import Session

BEAT_S = 2.0
WAIT_S = 180.0
FILM_S = 20.0


class Played(Camera):
    """A camera whose times are real, on its own connection; it obeys arm, privacy and live commands."""

    def __init__(self, name: str, hub: Folder, clients: Path) -> None:
        super().__init__(boot=name.encode().ljust(16, b"-")[:16])
        with open_home(hub, SystemClock()) as home:
            self.claim(home, name)
            self.broker = home.settings.broker
        self.mode, self.private = Mode.OFF, False
        self.receipts: set[bytes] = set()
        self._lock, self._changed = threading.RLock(), threading.Condition()
        self._live: bytes | None = None
        folder = clients / self.alias
        folder.mkdir(parents=True)
        key = self.tls.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for file, data in (("key", key), ("pem", self.answer.certificate), ("ca", self.answer.authority)):
            (folder / file).write_bytes(data)
        context = ssl.create_default_context(cafile=folder / "ca")
        context.load_cert_chain(folder / "pem", folder / "key")
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.tls_set_context(context)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda *_: self._client.subscribe(f"sealcam/{self.alias}/cmd", qos=1)
        self._client.on_message = lambda _c, _u, message: self._came(message.payload)
        self._client.connect_async(self.broker.host, self.broker.port)

    def begin(self) -> None:
        """Connect, and beat."""
        self._client.loop_start()
        threading.Thread(target=self._beats, daemon=True).start()

    def stamp(self, _boot_ns: int = 0) -> Stamp:
        """Now."""
        boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return Stamp(boot=self.boot, boot_ns=boot_ns, wall_ns=time.time_ns(), quality=ClockQuality.SYNCHRONISED)

    def says(self, envelope: bytes) -> None:
        """Send an event until the hub has receipted it."""
        until = time.monotonic() + WAIT_S
        while envelope_hash(envelope) not in self.receipts:
            assert time.monotonic() < until, "no receipt"
            self._send("ev", envelope)
            with self._changed:
                self._changed.wait(1.0)

    def beats_now(self) -> None:
        """Send a beat."""
        with self._lock:
            self._send("ev", self.beat(self.mode, privacy=self.private))

    def _send(self, what: str, payload: bytes) -> None:
        if self._client.is_connected():
            self._client.publish(f"sealcam/{self.alias}/{what}", payload, qos=1)

    def _beats(self) -> None:
        while True:
            self.beats_now()
            time.sleep(BEAT_S)

    def _came(self, payload: bytes) -> None:
        try:
            opened = self.opens(payload)
        except EnvelopeError:
            try:
                self.receipts.add(self.receipted(payload))
            except EnvelopeError:
                return
            with self._changed:
                self._changed.notify_all()
            return
        if opened.kind == CommandType.ARM:
            self.mode = schema.decode(opened.body, ArmBody).mode
        elif opened.kind == CommandType.PRIVACY:
            self.private = schema.decode(opened.body, PrivacyWish).on
        elif opened.kind == CommandType.LIVE:
            self._shows(schema.decode(opened.body, LiveWish))
            return
        with self._lock:
            answer = self.answers(opened.seq, opened.kind)
        self._send("ev", answer)
        self.beats_now()

    def _shows(self, wish: LiveWish) -> None:
        began = self._live == wish.session
        self._live = wish.session if wish.seconds else None
        if wish.seconds and not began:
            threading.Thread(target=self._films, args=(wish.session,), daemon=True).start()

    def _films(self, session: bytes) -> None:
        made = Session(self, session, self.stamp().boot_ns, seconds=FILM_S)
        what = f"live/{session.hex()}"
        for index in range(len(made.units)):
            if self._live != session:
                return
            for message in made.messages(index):
                self._send(what, message)
            time.sleep(0.1)
        self._send(what, made.end())


def obey(camera: Played, order: dict[str, Any]) -> None:
    """Carry out one order."""
    match order["do"]:
        case "beat":
            camera.beats_now()
        case "incident":
            stage = Stage[order.get("stage", "new").upper()]
            camera.says(camera.incident(order["number"], stage, JPEG if order.get("picture") else None))
        case "health":
            camera.says(camera.health(order["code"], "in words"))
        case "mode":
            camera.mode = Mode[order["mode"].upper()]
            camera.beats_now()
        case "farewell":
            camera.says(camera.farewell())


def main() -> None:
    """Obey until standard input ends."""
    hub, clients = Folder(Path(sys.argv[1])), Path(sys.argv[2])
    cameras: dict[str, Played] = {}
    for line in sys.stdin:
        order = json.loads(line)
        name = order["camera"]
        if name not in cameras:
            cameras[name] = Played(name, hub, clients)
            if order["do"] != "stay away":
                cameras[name].begin()
        obey(cameras[name], order)
        print(json.dumps({"alias": cameras[name].alias}), flush=True)


if __name__ == "__main__":
    main()
