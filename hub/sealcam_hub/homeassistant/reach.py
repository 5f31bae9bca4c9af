"""Whether two addresses are one broker: what is plain must not go to the cameras' under another name."""

from __future__ import annotations

import socket

from sealcam_hub.folder import Address


def same(one: Address, other: Address) -> bool:
    """Whether both are one broker, by whatever name it is called."""
    if one.port != other.port:
        return False
    return one.host == other.host or bool(_addresses(one.host) & _addresses(other.host))


def _addresses(host: str) -> set[str]:
    own = {"127.0.0.1", "::1"} if host in ("", "0.0.0.0", "::") else set[str]()  # noqa: S104 - bound everywhere
    try:
        return own | {str(found[4][0]) for found in socket.getaddrinfo(host or None, None)}
    except OSError:
        return own | {host}
