"""A client at a real broker for tests: says what it is told to, keeps what it hears."""

from __future__ import annotations

import json
import ssl
import threading
from dataclasses import dataclass, field

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

WAIT_S = 10.0


@dataclass
class Client:
    """Somebody at a broker: keeps what comes, the newest at each topic and all in order."""

    port: int
    context: ssl.SSLContext
    topics: tuple[str, ...] = ("#",)
    came: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.tls_set_context(self.context)
        self._client.on_connect = lambda *_: self._client.subscribe([(one, 1) for one in self.topics])
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _c, _u, message: self.came.append((message.topic, message.payload))
        self._client.connect("localhost", self.port)
        self._client.loop_start()
        if not self._ready.wait(WAIT_S):
            self.close()
            raise AssertionError("the broker doesn't let this client in")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Go."""
        self._client.disconnect()
        self._client.loop_stop()

    def says(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publish, and wait for the broker's answer."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(20)

    @property
    def stands(self) -> dict[str, bytes]:
        """What stood last at each topic that isn't empty now."""
        return {topic: payload for topic, payload in dict(self.came).items() if payload}

    def events(self, topic: str) -> list[dict[str, object]]:
        """What was told there."""
        return [json.loads(payload) for name, payload in self.came if name == topic]
