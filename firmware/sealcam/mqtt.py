"""One connection to the broker, from its first packet to its end: the one file on the camera that imports paho.

MQTT 5 over TLS 1.3 with the camera's own certificate, clean start, nothing kept: a new `Session` for each
connection, so that no queue of paho's outlives one. At most one message is out, and it counts as published when
paho says so, never before. No thread: the caller polls the socket. When to connect again is `post`'s.
"""

from __future__ import annotations

import logging
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, LogLevel
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sealcam.wire.errors import ConfigError, LinkDown

_log = logging.getLogger(__name__)

KEEPALIVE_S = 15
CONNECT_S = 4.0  # for TCP, and again for TLS
MAX_INCOMING_BYTES = 120 << 10  # with its frame below what the eye takes; the broker must not send more
MAX_UNACKNOWLEDGED = 16  # messages the broker may send ahead
MAX_PACKETS_A_STEP = 64
_PUBLISH_OVERHEAD_BYTES = 64  # fixed header, topic, packet id, properties
_REFUSED = 0x80  # reason codes from here on are failures (MQTT 5, section 2.4)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is, and as whom this camera goes there: alias, and the files of `STATE/post`."""

    alias: str
    host: str
    port: int
    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class Up:
    """The broker has accepted the camera, and commands will come."""


@dataclass(frozen=True, slots=True)
class Done:
    """The message that was out is no longer: with the broker, or refused by it, and why."""

    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Came:
    """A message on this camera's command topic."""

    message: bytes


Event = Up | Done | Came


class Session:
    """One connection. `connect`, then `step` whenever the socket is ready and at least every second, then `close`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._events: list[Event] = []
        self._accepted = False
        self._ended: LinkDown | None = None
        self._last_error = ""
        self._out: paho.MQTTMessageInfo | None = None
        self._max_payload_bytes: int | None = None
        # No client id: the broker then makes one up, so that nobody can take this session over by its name.
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False)
        self._client.tls_set_context(tls_context(address))
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

    def publish(self, message: bytes) -> None:
        """Send `message` on the camera's event topic, QoS 1, after `Up`; `Done` comes from a later `step`.

        Raises:
            LinkDown: the connection isn't up any more, or not yet: paho would keep the message in a queue.
        """
        if not self._accepted or not self._client.is_connected():
            raise self._ended or LinkDown("the connection to the broker has ended")
        if self._max_payload_bytes is not None and len(message) > self._max_payload_bytes:
            self._events.append(Done(f"it takes {self._max_payload_bytes} bytes at most"))
            return
        self._out = self._client.publish(f"sealcam/{self._address.alias}/ev", message, qos=1)
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
        events, self._events = self._events, []
        return events

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
        if self._out is not None and self._out.mid == mid:
            self._out = None
            self._events.append(Done(str(reason) if reason.value >= _REFUSED else None))

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


def tls_context(address: Address) -> ssl.SSLContext:
    """TLS 1.3 alone, the hub's authority alone, the host name checked, this camera's certificate shown.

    Raises:
        ConfigError: a file is missing or isn't what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    hint = "claim the camera again: sealcam-provision claim"
    try:
        context.load_verify_locations(cafile=address.authority)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"can't use the hub's authority {address.authority}: {_words(error)}", hint) from error
    try:
        context.load_cert_chain(address.certificate, address.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"can't use this camera's certificate {address.certificate}: {_words(error)}", hint
        ) from error
    return context


def _send_at_once(_client: object, _data: object, sock: object) -> None:
    """No Nagle: messages are small and single, and each would wait 40 ms for the broker's delayed acknowledgement."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def explain(error: OSError, where: str) -> LinkDown:
    """Why a connection to `where` could not be made, in words, with a hint."""
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = "is this the hub that claimed the camera? a hub that was set up anew must claim it again"
        return LinkDown(f"the broker at {where} is not this home's: {error.verify_message}", hint)
    if isinstance(error, ssl.SSLError):
        return LinkDown(f"no TLS 1.3 with the broker at {where}: {_words(error)}", "is that port the broker's?")
    if isinstance(error, socket.gaierror):
        return LinkDown(f"the broker's host in {where} is unknown", "is the name right, and is there a name service?")
    if isinstance(error, ConnectionRefusedError):
        return LinkDown(f"nobody listens at {where}", "is the broker running?")
    if isinstance(error, TimeoutError):
        return LinkDown(f"no answer from {where}", "is the hub on, and on this network?")
    return LinkDown(f"can't reach the broker at {where}: {_words(error)}", "is the network up?")


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not a PEM file of that kind").lower().replace("_", " ")
    return error.strerror or str(error)
