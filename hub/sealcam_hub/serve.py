"""`sealcam-hub serve`: the link to the broker, the worker that writes the ledger, and the console, in one process.

Crash-only: whatever fails ends the process with one clear line, and its supervisor starts it again; a broker that
is away is not a failure. Ends with exit code 0 on SIGTERM and SIGINT.
"""

from __future__ import annotations

import errno
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from sealcam.wire.errors import SealcamError
from sealcam_hub import database, doorkeeper, workers
from sealcam_hub.broker import BrokerLink
from sealcam_hub.deletions_heard import WAIT_S as DELETIONS_S
from sealcam_hub.deletions_heard import DeletionsHeard
from sealcam_hub.deletions_told import DeletionsTold
from sealcam_hub.doors import address_for
from sealcam_hub.exchange import Exchange
from sealcam_hub.feed import Feed
from sealcam_hub.folder import Address
from sealcam_hub.home import Home
from sealcam_hub.homeassistant.worker import HomeAssistant
from sealcam_hub.intake_worker import IntakeWorker
from sealcam_hub.live import LiveViews
from sealcam_hub.notify import Notify, from_environment
from sealcam_hub.notifying.round import WAIT_S as NOTIFYING_S
from sealcam_hub.notifying.round import Round
from sealcam_hub.offsite_worker import OffsiteWorker
from sealcam_hub.others import Others
from sealcam_hub.pump import Pump
from sealcam_hub.receive import Receiver
from sealcam_hub.side_thread import SideThread
from sealcam_hub.timeline import WAIT_S as SEARCHING_S
from sealcam_hub.timeline import Timeline
from sealcam_hub.upkeep import WAIT_S as UPKEEP_S
from sealcam_hub.upkeep import Upkeep, disk_of

_log = logging.getLogger(__name__)

WAIT_S = 0.25
BEAT_NS = 1_000_000_000
END_S = 5.0
_ANY = ("", "0.0.0.0", "::")  # noqa: S104 - what a console that is bound everywhere was bound to


def serve(home: Home, console: Address | None, each: Callable[[], bool] = lambda: True) -> int:
    """Run until told to end, or until `each`, which is called once a second, says no; the exit code.

    Raises:
        SealcamError: the console's port is taken, the disk is full, or another `serve` runs here.
    """
    ended = threading.Event()
    feed, notify = Feed(), from_environment()
    worker = threading.get_ident()
    # Another process may hold the lock for as long as a key table takes: this worker is well meanwhile.
    home.store.patiently(lambda: notify("WATCHDOG=1") if threading.get_ident() == worker else None)
    with home.folder.only_one("serve"), signals(ended):
        database.check_unmoved(home.folder, home.store)
        doorkeeper.keep_up(home)
        exchange = Exchange(home.store, home.keys, told=DeletionsTold(home.store, home.keys, home.clock))
        heard = DeletionsHeard(home, feed, lambda message: link.ask(message))
        live = home.live(lambda alias, command: link.send(alias, command))
        receiver, share = Receiver(home.store, home.keys, home.clock), workers.group(home.settings)
        others = None if share is None else Others(home.store, home.keys)
        lanes = 1 + home.settings.workers
        pump = Pump(receiver, home.wishes(), feed, home.clock, exchange, live=live, others=others, lanes=lanes)
        intake = IntakeWorker(home, feed)
        link = BrokerLink(
            home.access(),
            pump.deliver,
            exchange.hear,
            told=heard.hear,
            clip=intake.deliver,
            live=live.deliver,
            share=share,
        )
        timeline = home.timeline()
        with _console(home, console, feed, live, timeline) as page:
            live.start()
            intake.start(link.send)
            link.start()
            upkeep = SideThread("upkeep", Upkeep(home, feed, lambda: link.up, lambda: disk_of(home)).run_once, UPKEEP_S)
            upkeep.start()
            round_ = Round(home, feed)
            notifying = SideThread("notifications", round_.run_once, NOTIFYING_S, round_.wait)
            notifying.start()
            assistant = HomeAssistant(home, feed, live, link.send)
            assistant.start()
            offsite = OffsiteWorker(home)
            offsite.start()
            following = SideThread("deletions", heard.run_once, DELETIONS_S, heard.wait)
            following.start()
            searching = SideThread("timeline", timeline.keep_up, SEARCHING_S, timeline.wait)
            if page is not None:  # nobody else searches
                searching.start()
            beside = (
                intake,
                live,
                offsite,
                upkeep,
                notifying,
                assistant,
                following,
                *(() if page is None else (searching,)),
            )
            notify("READY=1")
            try:
                run(home, pump, link, page, ended, notify, lambda: all(one.check() for one in beside) and each())
            finally:
                notify("STOPPING=1")
                offsite.stop()
                assistant.stop()
                following.stop()
                searching.stop()
                upkeep.stop()
                notifying.stop()
                live.stop()
                link.stop()
                intake.stop()
    return 0


def run(
    home: Home,
    pump: Pump,
    link: BrokerLink,
    page: threading.Thread | None,
    ended: threading.Event,
    notify: Notify,
    each: Callable[[], bool],
) -> None:
    """Take in what comes, and tell the supervisor that this goes on, until `ended` is set or `each` says no.

    Raises:
        SealcamError: the ledger can't be written, or the console has ended.
    """
    told_ns = 0
    while not ended.is_set():
        pump.run_once(link, WAIT_S)
        if page is not None and not page.is_alive():
            raise SealcamError("the console has ended", "the lines above say why")
        now_ns = home.clock.boot_ns()
        if now_ns - told_ns >= BEAT_NS:
            told_ns = now_ns
            notify("WATCHDOG=1")
            if not each():
                return


@contextmanager
def signals(ended: threading.Event) -> Iterator[None]:
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
def _console(
    home: Home, address: Address | None, feed: Feed, live: LiveViews, timeline: Timeline
) -> Iterator[threading.Thread | None]:
    """Serve the console on a thread of its own while inside, and print its address."""
    if address is None:
        yield None
        return
    from sealcam_hub import front  # a hub without pages needs none of the libraries behind them
    from sealcam_hub.console.server import ConsoleServer
    from sealcam_hub.lan_front import LanFront

    listening = listen(address)
    port = listening.getsockname()[1]
    lan, opened = LanFront(home, _hosts(address)), ExitStack()
    pages = front.pages(home, feed, live, lan.hosts, lan.ways, timeline)
    server = ConsoleServer(pages, beside=lan.listeners(pages, opened))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="console", daemon=True)
    thread.start()
    link = address_for(home.folder, port)
    # What opens the console is for who sits here: a journal, a container's log and a file have other readers.
    if "token=" in link and not sys.stdout.isatty():
        link = f"http://localhost:{port}/ (sealcam-hub link prints the way in)"
    sys.stdout.write("\n".join((f"console: {link}", *lan.said, "")))
    sys.stdout.flush()
    try:
        yield thread
    finally:
        server.should_exit = True
        thread.join(END_S)
        listening.close()
        opened.close()


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
