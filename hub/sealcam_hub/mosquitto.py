"""The files that make a Mosquitto this home's broker: TLS 1.3 alone, client certificates, one topic tree a camera.

Written once by `setup`; start it with `mosquitto -c HUB/broker/mosquitto.conf`. The access list is that of
design/pipeline.md, "Topics": a camera writes its events and reads its commands, and only the hub sees all.
"""

from __future__ import annotations

import os
import pwd

from sealcam.wire.sealed import MAX_ENVELOPE_BYTES
from sealcam_hub.folder import Address, Folder

MAX_PACKET_BYTES = MAX_ENVELOPE_BYTES + (1 << 12)  # an envelope, its topic and the packet's own header


def configuration(folder: Folder, listen: Address, user: str) -> str:
    """The text of `mosquitto.conf`; `user` is who owns these files, so that a broker started by root can read them."""
    part = folder.path.resolve() / "broker"
    lines = (
        "# Made by `sealcam-hub init`: a private broker for one home.",
        "per_listener_settings false",
        "allow_anonymous false",
        f"acl_file {part / 'acl'}",
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
        f"listener {listen.port} {listen.host}",
        f"cafile {part / 'ca.pem'}",
        f"certfile {part / 'server.pem'}",
        f"keyfile {part / 'server.key'}",
        "tls_version tlsv1.3",
        "require_certificate true",
        "use_identity_as_username true",
        # Otherwise any camera could throw the hub off by connecting under the hub's client id.
        "use_username_as_clientid true",
    )
    return "\n".join(lines) + "\n"


def access_list(link_name: str) -> str:
    """The text of the access list; `link_name` is the hub's own certificate name."""
    lines = (
        "# A camera writes its events and reads its commands; only the hub sees all.",
        "pattern write sealcam/%u/ev",
        "pattern read sealcam/%u/cmd",
        "",
        f"user {link_name}",
        "topic read sealcam/+/ev",
        "topic write sealcam/+/cmd",
    )
    return "\n".join(lines) + "\n"


def write_files(folder: Folder, listen: Address, link_name: str, server: tuple[bytes, bytes], ca: bytes) -> None:
    """Write everything the broker reads; `server` is its key and certificate.

    Raises:
        StorageError: the disk is full or read-only.
    """
    user = pwd.getpwuid(os.geteuid()).pw_name
    folder.write("broker/ca.pem", ca)
    folder.write("broker/server.key", server[0])
    folder.write("broker/server.pem", server[1])
    folder.write("broker/acl", access_list(link_name).encode())
    folder.write("broker/mosquitto.conf", configuration(folder, listen, user).encode())
