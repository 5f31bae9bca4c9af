"""What takes simulated cameras to the broker: a client each, as real ones are. For `simulate` alone."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from sealcam_hub.folder import Address
from sealcam_hub.simulated import SimulatedCamera

KEEPALIVE_S = 60


class SimulatedLink:
    """One camera's connection, kept up by a thread of its own; `hear` is called there."""

    def __init__(
        self, camera: SimulatedCamera, broker: Address, authority: Path, hear: Callable[[bytes], None]
    ) -> None:
        self._topic, self._commands = f"sealcam/{camera.alias}/ev", f"sealcam/{camera.alias}/cmd"
        self._hear, self._broker = hear, broker
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=camera.alias, protocol=paho.MQTTv5)
        client.tls_set_context(_context(camera, authority))
        client.reconnect_delay_set(1, 3)
        client.on_connect = self._connected
        client.on_message = self._message
        self._client = client

    def send(self, payload: bytes) -> bool:
        """Send an envelope, QoS 1; false while the broker is away."""
        if not self._client.is_connected():
            return False
        return self._client.publish(self._topic, payload, qos=1).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    @property
    def up(self) -> bool:
        """Whether it is connected."""
        return self._client.is_connected()

    def __enter__(self) -> SimulatedLink:
        self._client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_S)
        self._client.loop_start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: paho.Client, *_rest: object) -> None:
        client.subscribe(self._commands, 1)

    def _message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self._hear(bytes(message.payload))


def _context(camera: SimulatedCamera, authority: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with tempfile.TemporaryDirectory(prefix="sealcam-simulate-") as kept:  # ssl takes files alone
        certificate, key = Path(kept) / "camera.pem", Path(kept) / "camera.key"
        for path, data in ((certificate, camera.certificate), (key, camera.key)):
            path.touch(mode=0o600)
            path.write_bytes(data)
        context.load_cert_chain(certificate, key)
    return context
