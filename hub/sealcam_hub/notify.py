"""What the hub tells its supervisor: systemd's notification protocol (sd_notify(3)), one datagram a message.

The device has its own (`sealcam.notify`); the hub shares only `wire` with it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

Notify = Callable[[str], None]


def nobody(_message: str) -> None:
    """No supervisor: nothing is told."""


def from_environment() -> Notify:
    """Tells the socket named in NOTIFY_SOCKET; nobody where there is none."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return nobody
    target = "\0" + address[1:] if address.startswith("@") else address
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    channel.setblocking(False)

    def notify(message: str) -> None:
        try:
            channel.sendto(message.encode(), target)
        except OSError:
            return  # a supervisor that is away is not our failure

    return notify
