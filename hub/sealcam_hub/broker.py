"""The hub's connection to its broker: the one file of the hub that imports paho.

MQTT 5 over TLS 1.3 with the hub's own certificate; hears `sealcam/+/ev`, says on `sealcam/<alias>/cmd`, and speaks
with other hubs on `sealcam/<link>/ask` and `/fill`, as far as the broker's access list lets it. Connects
again for ever, and tells each outage once. The broker keeps the hub's session for an hour, so that a hub that is
started again misses nothing; whatever is lost all the same comes again from the cameras, which wait for a receipt.
Where workers share what comes (`share`), it keeps no session, which would get a share of what nobody is there to take.

Pieces of clips and live views come on `clip/+` and `live/+`. The broker keeps none of them for a hub that is away
(QoS 0): they would stand in front of its events, and a camera sends pieces again from where the hub says that it is.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections.abc import Callable

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sealcam.wire import live as slv1
from sealcam.wire import piece
from sealcam.wire.errors import ConfigError
from sealcam.wire.sealed import MAX_ENVELOPE_BYTES
from sealcam.wire.statement import MAGIC, MAX_STATEMENT_BYTES
from sealcam_hub.folder import Access
from sealcam_hub.mosquitto import MAX_PACKET_BYTES

_log = logging.getLogger(__name__)

KEEPALIVE_S = 20
SESSION_S = 3600
MAX_UNACKNOWLEDGED = 128  # messages the broker may send ahead
MAX_QUEUED = 4096  # receipts and commands that wait for the socket
_TOPIC = re.compile(r"sealcam/([0-9a-f]{16})/ev")
_STREAM = re.compile(r"sealcam/([0-9a-f]{16})/(clip|live)/([0-9a-f]{32})")
_ASK = re.compile(r"sealcam/(hub-[0-9a-z-]{1,32})/ask")
_ALIAS = re.compile(rb"[0-9a-f]{16}")
_ALIAS_BYTES = 16
_MOST_FILL_BYTES = _ALIAS_BYTES + MAX_ENVELOPE_BYTES
_MOST_BYTES = {"clip": piece.MAX_PIECE_BYTES, "live": slv1.MAX_MESSAGE_BYTES}

Streamed = Callable[[str, bytes, bytes], None]
"""Takes a message of a stream: the alias, the 16 bytes that name the clip or session, the payload. Never blocks."""


def _nothing(_alias: str, _name: bytes, _payload: bytes) -> None:
    """Nobody wants it."""


class _Client(paho.Client):
    """Keeps why the newest attempt to connect failed, which paho alone would swallow."""

    error: OSError | None = None

    def reconnect(self) -> MQTTErrorCode:
        self.error = None
        try:
            return super().reconnect()
        except OSError as error:
            self.error = error
            raise


class BrokerLink:
    """The connection, kept up by a thread of its own. `deliver(alias, payload)` is called there and may block.

    `asked(link, message)` is called there when another hub asks for something, `told(message)` with a statement that
    the home hub answers with, `clip` and `live` with a piece of a clip and a message of a live view: what they can't
    take at once they drop, since events come by the same thread.
    What is longer than its kind can be reaches none of them: whatever waits for one is counted in messages.
    `share` names the group of workers between which the broker divides what cameras say; `leads` hears what isn't
    divided, too: what other hubs ask, clips and live views.
    """

    def __init__(
        self,
        access: Access,
        deliver: Callable[[str, bytes], None],
        asked: Callable[[str, bytes], None] = lambda _link, _message: None,
        *,
        told: Callable[[bytes], None] = lambda _message: None,
        clip: Streamed = _nothing,
        live: Streamed = _nothing,
        share: str | None = None,
        leads: bool = True,
    ) -> None:
        self._share, self._leads = share, leads
        self._access = access
        self._deliver = deliver
        self._asked = asked
        self._told = told
        self._streamed = {"clip": clip, "live": live}
        self._away = False
        client = _Client(CallbackAPIVersion.VERSION2, client_id=access.name, protocol=paho.MQTTv5)
        client.tls_set_context(_context(access))
        client.max_inflight_messages_set(MAX_UNACKNOWLEDGED)
        client.max_queued_messages_set(MAX_QUEUED)
        client.reconnect_delay_set(1, 3)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        self._client = client

    @property
    def up(self) -> bool:
        """Whether the broker has accepted the hub and still answers."""
        return self._client.is_connected()

    def start(self) -> None:
        """Connect in the background, now and whenever the connection is lost."""
        wanted = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        wanted.SessionExpiryInterval = 0 if self._share else SESSION_S
        wanted.ReceiveMaximum = MAX_UNACKNOWLEDGED
        wanted.MaximumPacketSize = MAX_PACKET_BYTES  # whatever another broker may let through
        address = self._access.address
        clean = self._share is not None
        self._client.connect_async(address.host, address.port, KEEPALIVE_S, clean_start=clean, properties=wanted)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, alias: str, payload: bytes) -> bool:
        """Send to a camera, QoS 1; false while the broker is away, and then nothing is kept."""
        return self._publish(f"sealcam/{alias}/cmd", payload)

    def ask(self, message: bytes) -> bool:
        """Ask the home hub for something; as `send`."""
        return self._publish(f"sealcam/{self._access.name}/ask", message)

    def fill(self, link: str, message: bytes) -> bool:
        """Send another hub, by its link's name, what it asked for; as `send`."""
        return self._publish(f"sealcam/{link}/fill", message)

    def _publish(self, topic: str, payload: bytes) -> bool:
        if not self._client.is_connected():
            return False  # paho would keep it in a queue of its own
        return self._client.publish(topic, payload, qos=1).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _on_connect(self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:
            self._tell(f"the broker at {self._access.address} refuses this hub: {reason}", "its log says why")
            return
        events = f"$share/{self._share}/sealcam/+/ev" if self._share else "sealcam/+/ev"
        hubs = [("sealcam/+/ask", 1), (f"sealcam/{self._access.name}/fill", 1)] if self._leads else []
        streams = [(f"sealcam/+/{kind}/+", 0) for kind, take in self._streamed.items() if take is not _nothing]
        self._client.subscribe([(events, 1), *hubs, *streams])

    def _on_subscribe(self, _c: object, _u: object, _m: int, reasons: list[ReasonCode], _p: object) -> None:
        if reasons[0].is_failure:  # the other topics are for hubs among themselves: what isn't allowed stays empty
            self._tell(f"the broker refuses events to this hub: {reasons[0]}", "check its access list")
            return
        self._away = False
        _log.info("receiving from the broker at %s", self._access.address)

    def _on_connect_fail(self, _c: object, _u: object) -> None:
        self._tell(*_explain(self._client.error, str(self._access.address)))

    def _on_disconnect(self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:
            self._tell(f"the broker at {self._access.address} is gone ({str(reason).lower()})", "trying again")

    def _on_message(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        payload, size = bytes(message.payload), len(message.payload)
        if (match := _TOPIC.fullmatch(message.topic)) and size <= MAX_ENVELOPE_BYTES:
            self._deliver(match[1], payload)
        elif (match := _STREAM.fullmatch(message.topic)) and size <= _MOST_BYTES[match[2]]:
            self._streamed[match[2]](match[1], bytes.fromhex(match[3]), payload)
        elif (match := _ASK.fullmatch(message.topic)) and size <= MAX_STATEMENT_BYTES:
            self._asked(match[1], payload)
        elif message.topic != f"sealcam/{self._access.name}/fill" or size > _MOST_FILL_BYTES:
            return
        elif payload.startswith(MAGIC) and size <= MAX_STATEMENT_BYTES:
            self._told(payload)
        elif _ALIAS.match(payload):
            self._deliver(payload[:_ALIAS_BYTES].decode(), payload[_ALIAS_BYTES:])

    def _tell(self, text: str, hint: str) -> None:
        """Once an outage: what follows is the same trouble."""
        if not self._away:
            self._away = True
            _log.warning("%s; %s", text, hint)


def _context(access: Access) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cafile=access.authority)
        context.load_cert_chain(access.certificate, access.key)
    except OSError as error:  # what ssl raises is one too
        where = access.certificate.parent
        raise ConfigError(f"the hub's certificate in {where} can't be used: {error}", "restore it") from error
    return context


def _explain(error: OSError | None, where: str) -> tuple[str, str]:
    """Why the broker can't be reached, and what to do."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"the broker at {where} is not this hub's: {error.verify_message}", "start it with HUB/broker"
        case ssl.SSLError():
            return f"no TLS 1.3 with the broker at {where}: {error.reason}", "is that port the broker's?"
        case socket.gaierror():
            return f"the broker's host in {where} is unknown", "is there a name service?"
        case ConnectionRefusedError():
            return f"nobody listens at {where}", "is the broker running? trying again"
        case _:
            return f"can't reach the broker at {where}: {error}", "trying again"
