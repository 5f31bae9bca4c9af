"""The console's listeners on the LAN: one with TLS, and the page on plain HTTP that prepares a phone."""

from __future__ import annotations

import errno
import socket
from contextlib import ExitStack

from starlette.applications import Starlette

from sealcam.wire.errors import SealcamError
from sealcam_hub import lan, lan_ca
from sealcam_hub.console import lan_page
from sealcam_hub.console.door_ways import Lan as Shown
from sealcam_hub.console.door_ways import Ways
from sealcam_hub.console.server import Beside
from sealcam_hub.home import Home
from sealcam_hub.lan_tls import Hosts, LanTls


class LanFront:
    """What of the console is on the LAN, if anything: names, ways and listeners."""

    def __init__(self, home: Home, fixed: tuple[str, ...]) -> None:
        """`fixed` are the names under which the console answers in any case; raises what `LanTls` does."""
        self._settings = lan.read(home.folder)
        self._tls = None if self._settings is None else LanTls(home.folder, self._settings, home.clock)
        self._authority = None if self._settings is None else lan.authority(home.folder)
        self.hosts = Hosts(fixed, self._tls)

    @property
    def ways(self) -> Ways:
        """How the console is reached from another device."""
        if self._settings is None or self._authority is None:
            return Ways()
        address, prepare = self._settings.address, self._settings.prepare
        return Ways(Shown(address, prepare, lan_ca.fingerprint(self._authority), lan_page.code(f"{prepare}/")))

    def listeners(self, pages: Starlette, open_ones: ExitStack) -> tuple[Beside, ...]:
        """Listen on the LAN; the sockets are closed with `open_ones`.

        Raises:
            SealcamError: a port is taken or forbidden.
        """
        if self._settings is None or self._tls is None or self._authority is None:
            return ()
        fingerprint = lan_ca.fingerprint(self._authority)
        trust = lan_page.Trust(lan_ca.der(self._authority), fingerprint, self._settings.address, self._settings.name)
        prepare = lan_page.create(trust, Hosts((), self._tls))
        return (
            Beside(open_ones.enter_context(_listen(self._settings.port)), pages, self._tls.context),
            Beside(open_ones.enter_context(_listen(self._settings.prepare_port)), prepare),
        )

    @property
    def said(self) -> tuple[str, ...]:
        """What `serve` prints of it."""
        if self._settings is None:
            return ()
        return (f"on the LAN: {self._settings.address}/ (a new phone first: {self._settings.prepare}/)",)


def _listen(port: int) -> socket.socket:
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server(("", port))
    except OSError as error:
        words = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        hint = "choose another one: sealcam-hub lan on --port PORT --prepare-port PORT"
        raise SealcamError(f"the console can't listen on the LAN at port {port}: {words}", hint) from error
