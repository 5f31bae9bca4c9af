"""Where the broker is, as whom this camera goes there, and what a failure to get there is in words.

TLS 1.3 alone, with the claim's files in `STATE/post`. The connection itself is `mqtt`'s.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from sealcam.wire.errors import ConfigError, LinkDown


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is, and as whom this camera goes there: alias, and the files of `STATE/post`."""

    alias: str
    host: str
    port: int
    certificate: Path
    key: Path
    authority: Path


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
