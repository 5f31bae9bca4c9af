"""The files that make a Mosquitto this home's broker: TLS 1.3 alone, client certificates, one topic tree a camera.

Written by `setup`, access and revocation lists again by `doorkeeper`; start it with
`mosquitto -c HUB/broker/mosquitto.conf`. The access list is that of design/pipeline.md, "Topics": a camera writes its
events and reads its commands, and only hubs see all.
"""

from __future__ import annotations

import ipaddress
import os
import pwd
from collections.abc import Sequence

from sealcam.wire.sealed import MAX_ENVELOPE_BYTES
from sealcam_hub.folder import Address, Folder

PID_FILE = "mosquitto.pid"  # whom to tell that the lists have changed
_BRIDGE = (  # says what is in clear, and hears what is asked; nothing of the cameras' (design/hub.md, "Home Assistant")
    "topic readwrite sealcam-home/#",
    "topic readwrite homeassistant/device/+/config",
    "topic read homeassistant/status",
)
_ASSISTANT = (
    "topic read sealcam-home/#",
    "topic write sealcam-home/+/+/+/set",
    "topic read homeassistant/#",
    "topic write homeassistant/status",
)
MAX_PACKET_BYTES = MAX_ENVELOPE_BYTES + (1 << 12)  # an envelope, its topic and the packet's own header


def configuration(folder: Folder, listen: Address, user: str) -> str:
    """The text of `mosquitto.conf`; `user` is who owns these files, so that a broker started by root can read them."""
    part = folder.path.resolve() / "broker"
    lines = (
        "# Made by `sealcam-hub init`: a private broker for one home.",
        "per_listener_settings false",
        "allow_anonymous false",
        f"acl_file {part / 'acl'}",
        f"pid_file {part / PID_FILE}",
        "persistence false",
        f"user {user}",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "connection_messages true",
        f"max_packet_size {MAX_PACKET_BYTES}",
        "max_queued_messages 1000",
        "max_queued_bytes 67108864",
        "set_tcp_nodelay true",
        "",
        _listener(listen),
        f"cafile {part / 'ca.pem'}",
        f"certfile {part / 'server.pem'}",
        f"keyfile {part / 'server.key'}",
        f"crlfile {part / 'revoked.pem'}",
        "tls_version tlsv1.3",
        "require_certificate true",
        "use_identity_as_username true",
        # Otherwise any camera could throw the hub off by connecting under the hub's client id.
        "use_username_as_clientid true",
    )
    return "\n".join(lines) + "\n"


def access_list(
    links: Sequence[str],
    expelled: Sequence[str] = (),
    assistant: tuple[str, str] | None = None,
    workers: Sequence[str] = (),
) -> str:
    """The text of the access list; `links` are the names of hubs' certificates, the home hub's first, `expelled`
    aliases of cameras, `assistant` what the bridge and Home Assistant are called, where they meet at this broker,
    `workers` those of the home hub's processes that take events in beside `serve`.

    What is denied comes before what is granted, wherever it stands (mosquitto.conf(5), `acl_file`).
    """
    lines = [
        "# A camera writes its events and reads its commands; only hubs see all.",
        "pattern write sealcam/%u/ev",
        "pattern write sealcam/%u/clip/+",
        "pattern write sealcam/%u/live/+",
        "pattern read sealcam/%u/cmd",
    ]
    for name in links:
        lines += ["", f"user {name}", "topic read sealcam/+/ev", "topic write sealcam/+/cmd"]
        home = name == links[0]  # it answers what the others ask
        if home:  # clips and live views are its own business
            lines += ["topic read sealcam/+/clip/+", "topic read sealcam/+/live/+"]
        own = "+" if home else name
        lines += [f"topic {'read' if home else 'write'} sealcam/{own}/ask"]
        lines += [f"topic {'write' if home else 'read'} sealcam/{own}/fill"]
    for name in workers:
        lines += ["", f"user {name}", "topic read sealcam/+/ev", "topic write sealcam/+/cmd"]
    for name, granted in zip(assistant or (), (_BRIDGE, _ASSISTANT), strict=False):
        lines += ["", f"user {name}", "topic deny sealcam/#", *granted]
    for alias in expelled:
        lines += ["", f"user {alias}", "topic deny sealcam/#"]
    return "\n".join(lines) + "\n"


def _listener(listen: Address) -> str:
    """Where it listens: at an address or `localhost` as named; under a machine's name everywhere, since that name often
    leads to the loopback on the machine itself, or is known to its neighbours alone."""
    try:
        ipaddress.ip_address(listen.host)
    except ValueError:
        if listen.host != "localhost":
            return f"listener {listen.port}"
    return f"listener {listen.port} {listen.host}"


def write_files(
    folder: Folder, listen: Address, link_name: str, server: tuple[bytes, bytes], ca: bytes, revoked: bytes
) -> None:
    """Write everything the broker reads; `server` is its key and certificate, `revoked` an empty revocation list.

    Raises:
        StorageError: the disk is full or read-only.
    """
    folder.write("broker/ca.pem", ca)
    folder.write("broker/server.key", server[0])
    folder.write("broker/server.pem", server[1])
    write_lists(folder, access_list([link_name]), revoked)
    write_configuration(folder, listen)


def write_configuration(folder: Folder, listen: Address) -> None:
    """Write the broker's configuration.

    Raises:
        StorageError: the disk is full or read-only.
    """
    user = pwd.getpwuid(os.geteuid()).pw_name
    folder.write("broker/mosquitto.conf", configuration(folder, listen, user).encode())


def write_lists(folder: Folder, access: str, revoked: bytes) -> None:
    """Write the lists that change while the broker runs.

    Raises:
        StorageError: the disk is full or read-only.
    """
    folder.write("broker/acl", access.encode())
    folder.write("broker/revoked.pem", revoked)
