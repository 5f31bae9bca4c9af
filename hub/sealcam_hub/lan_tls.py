"""The console's certificate on the LAN as it is served: made anew while serving, when it ends soon or addresses change.

Each handshake takes the certificate that is right at that moment (`SSLContext.sni_callback`), so that nothing has to
be restarted. The private addresses of this machine are asked of the kernel, which sends nothing for it.
"""

from __future__ import annotations

import datetime as dt
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from sealcam.wire.errors import StorageError
from sealcam_hub import lan, lan_ca
from sealcam_hub.clock import Clock
from sealcam_hub.folder import Folder
from sealcam_hub.lan import Lan

_log = logging.getLogger(__name__)

CHECK_NS = 60 * 1_000_000_000
_KEY, _CERTIFICATE = "ca/lan.key", "ca/lan.pem"
# Documentation addresses (RFC 5737, 3849): what leads to them leads to everybody else.
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def own_addresses() -> tuple[str, ...]:
    """The private addresses from which this machine would speak to others."""
    found = []
    for family, elsewhere in _ELSEWHERE:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((elsewhere, 9))
            found.append(str(asked.getsockname()[0]).partition("%")[0])
    return tuple(one for one in found if lan_ca.private(one))


class LanTls:
    """Certificate and names of the console on the LAN; a collection of the names under which it is asked for.

    Safe to share between threads.
    """

    def __init__(
        self, folder: Folder, settings: Lan, clock: Clock, addresses: Callable[[], tuple[str, ...]] = own_addresses
    ) -> None:
        """Raises a `StorageError` where the authority is missing or nothing can be written."""
        self._folder, self._settings, self._clock, self._ask = folder, settings, clock, addresses
        self._authority = lan.authority(folder)
        self._lock = threading.Lock()
        self._addresses, self._checked_ns = addresses(), clock.boot_ns()
        self._renew()
        self._newest = self._loaded()
        self.context = self._loaded()
        self.context.sni_callback = self._take

    def names(self) -> tuple[str, ...]:
        """The names and addresses under which the console answers there, as they are now."""
        self._check()
        return (self._settings.name, *self._addresses)

    def _take(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        self._check()
        connection.context = self._newest

    def _check(self) -> None:
        with self._lock:
            now_ns = self._clock.boot_ns()
            if now_ns - self._checked_ns < CHECK_NS:
                return
            self._checked_ns, self._addresses = now_ns, self._ask()
            try:
                if self._renew():
                    self._newest = self._loaded()
            except StorageError as error:
                _log.warning("the console's certificate on the LAN can't be made anew: %s", error)

    def _renew(self) -> bool:
        """Make a certificate where the one that is there isn't right; whether one was made."""
        now = dt.datetime.fromtimestamp(self._clock.wall_ns() // 1_000_000_000, dt.UTC)
        name, addresses = self._settings.name, self._addresses
        path = self._folder.path / _CERTIFICATE
        if path.exists() and lan_ca.serves(self._folder.read(_CERTIFICATE), self._authority, name, addresses, now):
            return False
        key, certificate = lan_ca.server_certificate(self._authority, name, addresses, now)
        self._folder.write(_KEY, key)
        self._folder.write(_CERTIFICATE, certificate)
        return True

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._folder.path / _CERTIFICATE, self._folder.path / _KEY)
        except (OSError, ssl.SSLError) as error:
            raise StorageError("the console's certificate on the LAN is damaged", "remove ca/lan.pem") from error
        return context


class Hosts:
    """The names under which the console answers: those that stay, and those of the LAN as they are now."""

    def __init__(self, fixed: tuple[str, ...], tls: LanTls | None) -> None:
        self._fixed, self._tls = fixed, tls

    def __iter__(self) -> Iterator[str]:
        yield from self._fixed
        if self._tls is not None:
            yield from self._tls.names()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return any(one == name for one in self)
