"""One connection of the bridge to Home Assistant's broker: MQTT 5, the other file of the hub that imports paho.

A connection that broke stays so, and another one is made: nothing old is sent again behind our back. What comes is
read at once and kept, bounded for each camera, until the bridge takes it; what can't be read is only counted, so that
a flood of it keeps no command away.
"""

from __future__ import annotations

import secrets
import ssl
import threading
from collections import Counter, deque
from collections.abc import Callable, Set
from contextlib import suppress
from dataclasses import dataclass

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from sealcam.wire.errors import ConfigError, LinkDown
from sealcam_hub.folder import Folder
from sealcam_hub.homeassistant.commands import CONTROLS, MOST_BYTES, Asked, RefusedError, read
from sealcam_hub.homeassistant.names import DISCOVERY, STATUS, Names, commanded
from sealcam_hub.homeassistant.settings import Settings

KEEPALIVE_S = 20
CONNECT_S = 10.0
ANSWER_S = 5.0
MOST_WAITING = 32  # commands to a camera
MOST_FOUND = 65536  # topics
PROBE_S = 2.0  # until what the hub sends its cameras would have come, were this their broker
_PROBE_BYTES = 256
_COMMANDS = "sealcam/+/cmd"  # what hubs say to cameras
_NOBODY = 0x10  # "No matching subscribers", MQTT 5, 3.4.2.1


@dataclass(frozen=True, slots=True, repr=False)
class Heard:
    """A command to a camera of this home."""

    alias: str
    control: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class Turned:
    """Why something on a command topic was turned away: to which camera, empty for one that isn't of this home."""

    alias: str
    control: str
    reason: str


class HomeLink:
    """A connection that is made by `open`, and lost once. `wake` is called, from another thread, when something came;
    `cameras`, from there too, gives the aliases of this home's.

    Raises:
        ConfigError: the certificate or authority for it can't be used.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Folder,
        names: Names,
        wake: Callable[[], None],
        cameras: Callable[[], Set[str]],
    ) -> None:
        self._settings, self._names, self._wake, self._cameras = settings, names, wake, cameras
        self._changed = threading.Condition()
        self._ready, self._lost, self._refused = False, False, ""
        self._waiting: deque[Heard] = deque()
        self._turned: Counter[Turned] = Counter()
        self._probe = secrets.token_hex(8)
        self._found: set[str] = set()
        self._answers: dict[int, int] = {}
        self._telling = False
        self._sent: paho.MQTTMessageInfo | None = None
        self.crossed = False  # what the hub sends to its cameras' broker comes by here
        self.suspect = False  # so it seems; but anybody here can write what looks like that
        self.births = 0  # how often Home Assistant said that it has started
        name = settings.bridge or f"sealcam-{names.owner}-{secrets.token_hex(4)}"
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        if settings.tls:
            client.tls_set_context(_context(settings, folder))
        if settings.username:
            client.username_pw_set(settings.username, settings.password)
        client.will_set(names.available, "offline", qos=1, retain=True)
        client.connect_timeout = CONNECT_S
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        self._client = client

    @property
    def up(self) -> bool:
        """Whether it is there."""
        return self._ready and not self._lost

    def open(self) -> None:
        """Connect, and hear commands from then on.

        Raises:
            LinkDown: it can't be done now, and why.
        """
        try:
            self._client.connect(self._settings.host, self._settings.port, KEEPALIVE_S, clean_start=True)
        except (OSError, ValueError) as error:
            raise LinkDown(str(error) or type(error).__name__) from error
        self._client.loop_start()
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._lost, CONNECT_S)
            if not self.up:
                raise LinkDown(self._refused or "it doesn't answer")

    def close(self) -> None:
        """Say that nobody is here any more, and end the thread."""
        if self.up:
            self.put(self._names.available, b"offline")
        self.leave()

    def leave(self) -> None:
        """End once the broker has everything; the second time, nothing."""
        if self.up and self._sent is not None:
            with suppress(RuntimeError, ValueError):  # it was lost just now
                self._sent.wait_for_publish(ANSWER_S)
        self._lost = True
        self._client.disconnect()
        self._client.loop_stop()

    def put(self, topic: str, payload: bytes) -> bool:
        """Let that stand at a topic; empty: nothing any more. False where the connection is lost."""
        if not self.up:
            return False
        self._sent = self._client.publish(topic, payload, qos=1, retain=True)
        return self._sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def tell(self, topic: str, payload: bytes) -> bool:
        """Tell whoever listens there now; whether the broker says that somebody did."""
        if not self.up:
            return False
        with self._changed:
            self._answers, self._telling = {}, True
        sent = self._client.publish(
            topic, payload, qos=1
        )  # not under our lock: its answer may come by the other thread
        with self._changed:
            self._changed.wait_for(lambda: sent.mid in self._answers or self._lost, ANSWER_S)
            self._telling = False
            return self._answers.get(sent.mid, _NOBODY) < _NOBODY

    def probe(self, send: Callable[[str, bytes], bool]) -> bool:
        """Have the hub `send` to a camera that there isn't, whose name nobody here can know: it must not come here.
        False where it can't be sent now."""
        self.suspect = False
        if not send(self._probe, secrets.token_bytes(_PROBE_BYTES)):
            return False
        with self._changed:
            self._changed.wait_for(lambda: self.crossed or self._lost, PROBE_S)
        return True

    def heard(self) -> list[Heard]:
        """The commands that came."""
        with self._changed:
            found = list(self._waiting)
            self._waiting.clear()
        return found

    def turned(self) -> Counter[Turned]:
        """How often something that came was turned away, and why; from the last time on."""
        with self._changed:
            found, self._turned = self._turned, Counter()
        return found

    def found(self) -> set[str]:
        """Topics of this bridge's at which somebody else says that something stands, or from another time."""
        with self._changed:
            found, self._found = self._found, set()
        return found

    def _on_connect(self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:
            with self._changed:
                self._refused, self._lost = f"it refuses the hub: {reason}", True
                self._changed.notify_all()
            return
        others = SubscribeOptions(qos=1, noLocal=True)
        configs = f"{DISCOVERY}/device/+/config"
        apart = () if self._settings.own else (_COMMANDS,)
        own = [(topic, others) for topic in (*self._names.heard, configs, *apart)]
        self._client.subscribe([(STATUS, SubscribeOptions(qos=1)), *own])

    def _on_subscribe(self, _c: object, _u: object, _m: int, _r: object, _p: object) -> None:
        with self._changed:
            self._ready = True
            self._changed.notify_all()

    def _on_disconnect(self, _c: object, _u: object, _f: object, _r: object, _p: object) -> None:
        with self._changed:
            self._lost = True
            self._changed.notify_all()
        self._wake()

    def _on_publish(self, _c: object, _u: object, mid: int, reason: ReasonCode, _p: object) -> None:
        with self._changed:
            if self._telling:
                self._answers[mid] = reason.value
                self._changed.notify_all()

    def _on_message(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            asked = self._names.asked(message.topic)
            if asked is not None:
                self._hear(*asked, message)
            elif (alias := commanded(message.topic)) is not None:
                self.crossed |= alias == self._probe
                self.suspect |= alias in self._cameras()
                self._changed.notify_all()
            elif message.topic == STATUS:
                self.births += message.payload == b"online"
            elif message.payload and self._names.mine(message.topic) and len(self._found) < MOST_FOUND:
                self._found.add(message.topic)
            else:
                return
        self._wake()

    def _hear(self, alias: str, control: str, message: paho.MQTTMessage) -> None:
        there = alias if alias in self._cameras() else ""
        control = control if control in CONTROLS else "unknown"
        try:
            if not there:
                raise RefusedError("there is no such camera")
            if message.retain:
                raise RefusedError("it was retained: commands are said once, not left lying")
            asked = read(control, bytes(message.payload[: MOST_BYTES + 1]))
            if sum(one.alias == alias for one in self._waiting) >= MOST_WAITING:
                raise RefusedError("too many came at once")
            self._waiting.append(Heard(alias, control, asked))
        except RefusedError as error:
            self._turned[Turned(there, control, str(error))] += 1


def _context(settings: Settings, folder: Folder) -> ssl.SSLContext:
    context = ssl.create_default_context()
    link = folder.path / "link"
    try:
        if settings.own:
            context = ssl.create_default_context(cafile=folder.path / "ca" / "ca.pem")
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.load_cert_chain(link / "bridge.pem", link / "bridge.key")
        elif settings.authority:
            context = ssl.create_default_context(cadata=settings.authority)
    except (OSError, ValueError) as error:  # what ssl raises is one of these
        raise ConfigError(f"the certificates for Home Assistant's broker can't be used: {error}") from error
    return context
