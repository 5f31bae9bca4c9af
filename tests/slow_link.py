"""A slow line to a broker on the loopback: so many bytes a second go up, the other way is free, and it holds little.

A token bucket in a thread for each connection. What a test says of it is in messages and their order, never in time.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

STEP_BYTES = 4096
HOLD_BYTES = 8192  # what its kernel buffer takes ahead: little, so that what waits, waits at the sender


class SlowLink:
    """Listens on `port` of the loopback, and passes what comes on to `target`, another port there."""

    def __init__(self, target: int, bytes_per_s: int) -> None:
        self._target, self._rate = target, bytes_per_s
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, HOLD_BYTES)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self.passed_bytes = 0
        """What has gone up so far."""
        self._stop = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> SlowLink:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                camera, _ = self._listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                camera.close()
                continue
            self._sockets += [camera, broker]
            for source, sink, rate in ((camera, broker, self._rate), (broker, camera, None)):
                thread = threading.Thread(target=self._pass, args=(source, sink, rate), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pass(self, source: socket.socket, sink: socket.socket, rate: int | None) -> None:
        """Until one of them ends; what has ended with an error, as with a broker that was killed, ends both ways."""
        try:
            while data := source.recv(STEP_BYTES):
                sink.sendall(data)
                if rate is not None:
                    self.passed_bytes += len(data)
                    if self._stop.wait(len(data) / rate):
                        return
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for one in (source, sink):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
