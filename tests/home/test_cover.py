"""A whole home with cover traffic, as the network sees it: always the same, and yet the owner is told everything."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.home.conftest import RunningHome

SLOT_S = 2.0
LEAST_BYTES = 1000  # pings and acknowledgements are far below, envelopes far above
SUBSCRIBE_BYTES = 100  # nothing before the subscription is smaller than this, and what follows it are envelopes


class Wire:
    """A relay between post and broker that notes when which TLS records came from the post; it opens nothing."""

    def __init__(self, port: int) -> None:
        self.records: list[tuple[float, int]] = []
        self._to = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            camera, _ = self._listener.accept()
            broker = socket.create_connection(self._to)
            threading.Thread(target=self._carry, args=(broker, camera, []), daemon=True).start()
            self._carry(camera, broker, self.records)

    def _carry(self, source: socket.socket, target: socket.socket, records: list[tuple[float, int]]) -> None:
        unread = bytearray()
        with source, suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
                unread += data
                while len(unread) >= 5 and len(unread) >= (size := 5 + int.from_bytes(unread[3:5], "big")):
                    records.append((time.monotonic(), size))
                    del unread[:size]
            target.shutdown(socket.SHUT_WR)

    def envelopes(self) -> list[tuple[float, int]]:
        """When and how long: what followed the subscription and is no mere acknowledgement."""
        hello_ended = next(at for at, (_, size) in enumerate(self.records) if size > LEAST_BYTES)  # with the will
        begun = next(at for at in range(hello_ended, len(self.records)) if self.records[at][1] < SUBSCRIBE_BYTES)
        return [(at, size) for at, size in self.records[begun:] if size >= LEAST_BYTES]

    def close(self) -> None:
        self._listener.close()


def test_what_the_network_sees_of_an_incident_is_one_size_every_two_seconds(home: RunningHome, walkers: Path) -> None:
    home.start(walkers, once=True, extra='[outbox]\ntraffic = "cover"\n')
    home.kill("post")
    settings = home.folder / "camera" / "post" / "post.toml"
    (port,) = re.findall(r"port = (\d+)", settings.read_text())
    wire = Wire(int(port))
    settings.write_text(settings.read_text().replace(port, str(wire.port)))
    home.restart("post")
    assert home.home.parts["eye"].wait(150) == 0, home.home.last_words("eye")
    wire.close()
    seen = wire.envelopes()
    assert len(seen) >= 10
    assert len({size for _, size in seen}) == 1, seen
    slots = (seen[-1][0] - seen[0][0]) / SLOT_S
    assert len(seen) <= slots + 2, "it never bursts, however busy this machine is"
    assert home.status()["refused"] == 0
    reports = [event for event in home.chained() if event["type"] == "incident"]
    assert any(event["type"] == "picture" for event in home.chained())
    assert {"new", "end"} <= {event["stage"] for event in reports}
