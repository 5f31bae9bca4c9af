"""What Prometheus and a supervisor may know of a hub: numbers alone, on a loopback address, off by default.

No name, alias, room, key id or address is in it, and no event: who reads it learns how the hub is, not what it saw.
`/metrics` is Prometheus' text; `/health` says `ok` while the hub's worker feeds its watchdog, and 503 otherwise.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from sealcam.wire.errors import ConfigError, SealcamError
from sealcam_hub import offsite_status, vault_rows
from sealcam_hub.folder import Address
from sealcam_hub.home import Home
from sealcam_hub.notices import REFUSALS

LATE_NS = 30_000_000_000  # as long as systemd waits for the watchdog
_HINT = "127.0.0.1:9480; from another machine through a tunnel of your own"
_NS = 1_000_000_000
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Pulse:
    """When the hub's worker was alive last; safe to share between threads."""

    def __init__(self, boot: Callable[[], int]) -> None:
        self._boot = boot
        self._at_ns = boot()

    def beat(self) -> bool:
        """It is; always true, for `serve`'s `each`."""
        self._at_ns = self._boot()
        return True

    @property
    def alive(self) -> bool:
        """Whether it was lately."""
        return self._boot() - self._at_ns < LATE_NS


class HubCollector:
    """Asks the ledger when Prometheus asks; nothing is counted meanwhile."""

    def __init__(self, home: Home, pulse: Pulse) -> None:
        self._home, self._pulse = home, pulse

    def collect(self) -> Iterator[Metric]:
        """Every figure. Where the ledger can't be read only `sealcam_hub_up` is told, as 0."""
        try:
            found = list(self._ledger())
        except (SealcamError, OSError):
            yield GaugeMetricFamily("sealcam_hub_up", "Whether the hub works and its ledger can be read.", 0)
            return
        yield GaugeMetricFamily(
            "sealcam_hub_up", "Whether the hub works and its ledger can be read.", self._pulse.alive
        )
        yield from found

    def _ledger(self) -> Iterator[Metric]:
        ledger = self._home.ledger()
        counts = ledger.counts()
        yield GaugeMetricFamily("sealcam_hub_incidents", "Incidents in the ledger.", counts.incidents)
        yield CounterMetricFamily("sealcam_hub_notices", "What the hub has told its owner.", counts.notices)
        yield CounterMetricFamily("sealcam_hub_repeats", "Messages that had come before.", counts.repeats)
        refused = CounterMetricFamily("sealcam_hub_refused", "Messages that were refused.", labels=["kind"])
        kinds = dict.fromkeys(map(str, REFUSALS), 0) | dict(counts.refused_by_kind)  # a count from its beginning on
        for kind, number in kinds.items():
            refused.add_metric([kind], number)
        yield refused
        yield from self._cameras()
        with self._home.store.reading() as connection:
            clips, size = vault_rows.counted(connection)
        yield GaugeMetricFamily("sealcam_hub_clips", "Clips that are here whole.", clips)
        yield GaugeMetricFamily("sealcam_hub_clips_bytes", "What they take.", size)
        files = self._home.vault().files
        yield GaugeMetricFamily("sealcam_hub_disk_free_bytes", "Left for clips and ledger.", files.free_bytes())
        yield from self._offsite()

    def _cameras(self) -> Iterator[Metric]:
        states: dict[str, int] = {}
        queued = 0
        for one in self._home.ledger().cameras():
            states[one.state] = states.get(one.state, 0) + 1
            queued += one.queued or 0
        told = GaugeMetricFamily("sealcam_hub_cameras", "Cameras by what is known of them.", labels=["state"])
        for state, number in sorted(states.items()):
            told.add_metric([state], number)
        yield told
        yield GaugeMetricFamily("sealcam_hub_cameras_queued", "Reports that still wait on cameras.", queued)

    def _offsite(self) -> Iterator[Metric]:
        copy = offsite_status.standing(self._home)
        if copy is None:
            return
        lag, state = copy.lag, copy.state
        for name, words, value in (
            ("objects", "Objects of the off-site copy.", lag.objects),
            ("waiting_events", "Events that aren't off site yet.", lag.events),
            ("waiting_clip_bytes", "Bytes of clips that aren't off site yet.", lag.clip_bytes),
            ("to_delete", "Objects that are still to be deleted there.", lag.doomed),
            ("lags", "Whether something has waited for more than an hour.", int(copy.lags)),
            ("failing", "Whether the store fails.", int(bool(state.failing_ns))),
            ("complete_seconds", "When all was there last, in seconds since 1970.", state.done_ns / _NS),
        ):
            yield GaugeMetricFamily(f"sealcam_hub_offsite_{name}", words, value)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_address = True


class _Silent(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Nothing: who asks is nobody's business."""


@contextmanager
def served(home: Home, address: Address | None) -> Iterator[Pulse]:
    """Serve metrics and health at `address` while inside, if there is one; the pulse is the worker's to feed.

    Raises:
        ConfigError: the address isn't one of this machine alone.
        SealcamError: its port is taken.
    """
    pulse = Pulse(home.clock.boot_ns)
    if address is None:
        yield pulse
        return
    check_loopback(address)
    registry = CollectorRegistry()
    registry.register(HubCollector(home, pulse))
    try:
        server = make_server(address.host, address.port, _app(make_wsgi_app(registry), pulse), _Server, _Silent)
    except OSError as error:
        raise SealcamError(
            f"metrics can't be served at {address}: {error.strerror}", "free the port, or choose another: --metrics"
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield pulse
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def check_loopback(address: Address) -> None:
    """Return if `address` is one that other machines can't reach.

    Raises:
        ConfigError: it isn't.
    """
    try:
        near = ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        near = address.host == "localhost"
    if not near:
        raise ConfigError(f"metrics are served to this machine alone, not at {address}", _HINT)


def _by_address(host: str) -> bool:
    """Whether that isn't a name that a page from elsewhere may lead here: an address, or this machine itself."""
    try:
        name = urlsplit(f"//{host}").hostname or "localhost"
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _app(metrics: Callable[[dict[str, Any], StartResponse], Iterable[bytes]], pulse: Pulse) -> Any:
    def answer(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD") or path not in ("/metrics", "/health"):
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"404\n"]
        if not _by_address(environ.get("HTTP_HOST", "")):
            start("421 Misdirected Request", [("Content-Type", "text/plain")])
            return [b"ask by address\n"]
        if path == "/metrics":
            return metrics(environ, start)
        start("200 OK" if pulse.alive else "503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"ok\n" if pulse.alive else b"the hub's worker has stopped\n"]

    return answer
