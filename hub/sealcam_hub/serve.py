"""`sealcam-hub serve`: the link to the broker, the worker that writes the ledger, and the console, in one process.

Crash-only: whatever fails ends the process with one clear line, and its supervisor starts it again; a broker that
is away is not a failure. Ends with exit code 0 on SIGTERM and SIGINT.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

from sealcam.wire.errors import SealcamError
from sealcam_hub.broker import BrokerLink
from sealcam_hub.doors import make_link, redeem
from sealcam_hub.feed import Feed
from sealcam_hub.folder import Address
from sealcam_hub.home import Home
from sealcam_hub.notify import Notify, from_environment
from sealcam_hub.pump import Pump
from sealcam_hub.receive import Receiver

_log = logging.getLogger(__name__)

WAIT_S = 0.25
BEAT_NS = 1_000_000_000
END_S = 5.0
_ANY = ("", "0.0.0.0", "::")  # noqa: S104 - what a console that is bound everywhere was bound to


def serve(home: Home, console: Address | None) -> int:
    """Run until told to end; the exit code.

    Raises:
        SealcamError: the console's port is taken, the disk is full, or another `serve` runs here.
    """
    ended = threading.Event()
    feed, notify = Feed(), from_environment()
    with home.folder.only_one("serve"), _signals(ended):
        pump = Pump(Receiver(home.store, home.keys, home.clock), home.wishes(), feed, home.clock)
        link = BrokerLink(home.access(), pump.deliver)
        with _console(home, console, feed) as page:
            link.start()
            notify("READY=1")
            try:
                _run(home, pump, link, page, ended, notify)
            finally:
                notify("STOPPING=1")
                link.stop()
    return 0


def _run(
    home: Home, pump: Pump, link: BrokerLink, page: threading.Thread | None, ended: threading.Event, notify: Notify
) -> None:
    told_ns = 0
    while not ended.is_set():
        pump.run_once(link, WAIT_S)
        if page is not None and not page.is_alive():
            raise SealcamError("the console has ended", "the lines above say why")
        now_ns = home.clock.boot_ns()
        if now_ns - told_ns >= BEAT_NS:
            told_ns = now_ns
            notify("WATCHDOG=1")


@contextmanager
def _signals(ended: threading.Event) -> Iterator[None]:
    """Set `ended` on SIGTERM and SIGINT while inside."""

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _console(home: Home, address: Address | None, feed: Feed) -> Iterator[threading.Thread | None]:
    """Serve the console on a thread of its own while inside, and print its one-time address."""
    if address is None:
        yield None
        return
    from sealcam_hub.console import app  # a hub without pages needs none of the libraries behind them
    from sealcam_hub.console.server import ConsoleServer

    listening = listen(address)
    port = listening.getsockname()[1]
    pages = app.create(
        home.ledger(),
        feed,
        hosts=_hosts(address),
        redeem=partial(redeem, home.folder),
        arm=home.wishes().ask,
        clock=home.clock.wall_ns,
    )
    server = ConsoleServer(pages)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="console", daemon=True)
    thread.start()
    link = make_link(home.folder, port)
    if "JOURNAL_STREAM" in os.environ:  # what opens the console is not for a journal, which others may read
        link = f"http://localhost:{port}/ (a link that opens it: sealcam-hub link)"
    sys.stdout.write(f"console: {link}\n")
    sys.stdout.flush()
    try:
        yield thread
    finally:
        server.should_exit = True
        thread.join(END_S)
        listening.close()


def _hosts(address: Address) -> tuple[str, ...]:
    """The names under which the console answers; any other is somebody's trick (DNS rebinding)."""
    own = (socket.gethostname(), f"{socket.gethostname()}.local") if address.host in _ANY else (address.host,)
    return ("localhost", *(name for name in own if name))


def listen(address: Address) -> socket.socket:
    """A listening socket at `address`.

    Raises:
        SealcamError: the port is taken, forbidden, or the address isn't this machine's.
    """
    try:
        family = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        hint = "free the port, or choose another one: --console HOST:PORT"
        words = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise SealcamError(f"the console can't listen at {address}: {words}", hint) from error
