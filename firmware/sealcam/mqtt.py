"""One connection to the broker, from its first packet to its end: the one file on the camera that imports paho.

MQTT 5 over TLS 1.3 with the camera's own certificate, clean start, nothing kept: a new `Session` for each
connection, so that no queue of paho's outlives one. At most one message is out: with QoS 1 until the broker has
acknowledged it, with QoS 0 until the kernel has hardly anything left of it, so that none piles up before a slow link.
No thread: the caller polls the socket. When to connect again is `post`'s, certificates are `tls`'s.
"""

from __future__ import annotations

import array
import fcntl
import logging
import socket
import ssl
import termios
from dataclasses import dataclass

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, LogLevel
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sealcam.tls import Address, explain, tls_context
from sealcam.wire.errors import LinkDown

_log = logging.getLogger(__name__)

KEEPALIVE_S = 15
CONNECT_S = 4.0  # for TCP, and again for TLS
MAX_INCOMING_BYTES = 120 << 10  # with its frame below what the eye takes; the broker must not send more
MAX_UNACKNOWLEDGED = 16  # messages the broker may send ahead
MAX_PACKETS_A_STEP = 64
_PUBLISH_OVERHEAD_BYTES = 96  # fixed header, topic, packet id, properties
_REFUSED = 0x80  # reason codes from here on are failures (MQTT 5, section 2.4)
_TOO_LARGE = 0x95
_LEFT_BYTES = 16 << 10  # what QoS 0 sends counts as gone when the kernel has no more than this on its way


@dataclass(frozen=True, slots=True)
class Up:
    """The broker has accepted the camera, and commands will come."""


@dataclass(frozen=True, slots=True)
class Done:
    """The message that was out is no longer: with the broker, or refused by it, and why.

    `limit_bytes` are what it takes, where it was for its size; 0: no word of that.
    """

    refused: str | None = None
    limit_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Came:
    """A message on this camera's command topic."""

    message: bytes


Event = Up | Done | Came


class Session:
    """One connection. `connect`, then `step` whenever the socket is ready and at least every second, then `close`.

    `will` is what the broker publishes for this camera when the connection breaks; after `close` it doesn't.
    """

    def __init__(self, address: Address, will: bytes) -> None:
        self._address = address
        self._events: list[Event] = []
        self._accepted = False
        self._ended: LinkDown | None = None
        self._last_error = ""
        self._out: paho.MQTTMessageInfo | None = None
        self._out_bytes = 0
        self._leaving = False  # what is out is of QoS 0
        self._max_payload_bytes: int | None = None
        # No client id: the broker then makes one up, so that nobody can take this session over by its name.
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False)
        self._client.tls_set_context(tls_context(address))
        self._client.will_set(f"sealcam/{address.alias}/ev", will, qos=1, retain=False)
        self._client.connect_timeout = CONNECT_S
        self._client.max_inflight_messages_set(1)
        self._client.max_queued_messages_set(1)
        self._client.on_socket_open = _send_at_once
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect
        self._client.on_log = self._on_log

    def connect(self) -> None:
        """Connect and shake hands; takes seconds at worst, and the broker's word comes later as `Up`.

        Raises:
            LinkDown: the host is unknown or silent, nobody listens, or the broker isn't this home's.
        """
        wanted = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        wanted.MaximumPacketSize = MAX_INCOMING_BYTES
        wanted.ReceiveMaximum = MAX_UNACKNOWLEDGED
        host, port = self._address.host, self._address.port
        try:
            self._client.connect(host, port, KEEPALIVE_S, clean_start=True, properties=wanted)
        except OSError as error:
            raise explain(error, f"{host}:{port}") from error
        self._check()

    def fileno(self) -> int:
        """The socket to poll, or -1 when the connection has ended."""
        sock = self._client.socket()
        return -1 if sock is None else sock.fileno()

    @property
    def wants_write(self) -> bool:
        """Whether to poll for writing too."""
        return self._client.want_write()

    @property
    def has_unread(self) -> bool:
        """Whether decrypted bytes wait inside TLS, which no poll shows."""
        sock = self._client.socket()
        return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0

    @property
    def leaving(self) -> bool:
        """Whether to `step` again soon: the kernel tells nobody when it has sent what it was given."""
        return self._leaving and not self.wants_write

    def publish(self, message: bytes, topic: str = "ev", qos: int = 1) -> None:
        """Send `message` on a topic below the camera's own, after `Up`; `Done` comes from a later `step`.

        Raises:
            LinkDown: the connection isn't up any more, or not yet: paho would keep the message in a queue.
        """
        if not self._accepted or not self._client.is_connected():
            raise self._ended or LinkDown("the connection to the broker has ended")
        limit = self._max_payload_bytes
        if limit is not None and len(message) > limit:
            self._events.append(Done(f"it takes {limit} bytes at most", max(0, limit)))
            return
        self._out_bytes, self._leaving = len(message), qos == 0
        self._out = self._client.publish(f"sealcam/{self._address.alias}/{topic}", message, qos=qos)
        self._check()

    def step(self, *, read: bool, write: bool) -> list[Event]:
        """Do what the socket allows, keep the connection alive, and return what has happened.

        Raises:
            LinkDown: the connection has ended, with the reason as far as it is known.
        """
        if write:
            self._client.loop_write()
        packets = 0
        while (read or self.has_unread) and self._ended is None and packets < MAX_PACKETS_A_STEP:
            self._client.loop_read()
            read, packets = False, packets + 1
        self._client.loop_misc()
        self._check()
        self._look_left()
        events, self._events = self._events, []
        return events

    def _look_left(self) -> None:
        """Whether what QoS 0 sends has left: written whole, and nearly all of it acknowledged by the other side."""
        if self._leaving and self._out is not None and self._out.is_published() and self._unsent() <= _LEFT_BYTES:
            self._out, self._leaving = None, False
            self._events.append(Done())

    def _unsent(self) -> int:
        """How much the kernel has that the other side has not acknowledged (tcp(7), SIOCOUTQ)."""
        found = array.array("i", [0])
        try:
            fcntl.ioctl(self.fileno(), termios.TIOCOUTQ, found)
        except OSError:
            return 0  # no connection: `_check` says so
        return found[0]

    def _check(self) -> None:
        if self._client.socket() is None:
            self._end("it was lost")
        if self._ended is not None:
            raise self._ended

    def close(self) -> None:
        """Say goodbye if that goes at once, and close the socket."""
        self._ended = self._ended or LinkDown("closed")
        self._client.disconnect()
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            sock.close()

    def _on_connect(
        self, _c: object, _u: object, _f: object, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            hint = "the broker's log says why; was this camera revoked?"
            self._ended = LinkDown(f"the broker refuses this camera: {reason}", hint)
            return
        self._accepted = True
        limit = getattr(properties, "MaximumPacketSize", None)
        self._max_payload_bytes = None if limit is None else limit - _PUBLISH_OVERHEAD_BYTES
        self._client.subscribe(f"sealcam/{self._address.alias}/cmd", qos=1)

    def _on_subscribe(self, _c: object, _u: object, _m: int, reasons: list[ReasonCode], _p: object) -> None:
        if any(reason.is_failure for reason in reasons):
            self._ended = LinkDown(
                f"the broker refuses commands for this camera: {reasons[0]}", "check its access list"
            )
        else:
            self._events.append(Up())

    def _on_publish(self, _c: object, _u: object, mid: int, reason: ReasonCode, _p: object) -> None:
        if self._out is None or self._out.mid != mid or self._leaving:
            return
        self._out = None
        if reason.value < _REFUSED:
            self._events.append(Done())
        else:  # how much is too much it doesn't say
            self._events.append(Done(str(reason), self._out_bytes // 2 if reason.value == _TOO_LARGE else 0))

    def _on_message(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        self._events.append(Came(bytes(message.payload)))

    def _on_disconnect(self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        self._end(str(reason).lower())

    def _on_log(self, _c: object, _u: object, level: int, text: str) -> None:
        if level == LogLevel.MQTT_LOG_ERR:
            self._last_error = text

    def _end(self, reason: str) -> None:
        """Find the words for an end.

        With TLS 1.3 a refused certificate shows only at the first read, and not even there when the broker's reset
        has overtaken its alert.
        """
        if self._ended is not None:
            return
        if "alert" in self._last_error.lower():
            alert = self._last_error.rsplit("]", 1)[-1].split("(_ssl")[0].strip().split("alert ")[-1]
            hint = "was this camera revoked, or claimed by another hub? claim it again"
            self._ended = LinkDown(f"the broker refuses this camera's certificate ({alert})", hint)
        elif not self._accepted:
            hint = "was this camera revoked, or claimed by another hub? the broker's log says why"
            self._ended = LinkDown("the broker hangs up without accepting this camera", hint)
        else:
            self._ended = LinkDown(f"the connection to the broker ended ({reason})")


def _send_at_once(_client: object, _data: object, sock: object) -> None:
    """No Nagle: messages are small and single, and each would wait 40 ms for the broker's delayed acknowledgement."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
