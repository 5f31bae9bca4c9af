"""Runs the console under uvicorn so that it ends at once when it is told to, open pages or not.

uvicorn waits for open connections before it tells the application to end; a page that listens for changes never
closes by itself, so `Ctrl-C` would hang. Here the streams end first.
"""

from __future__ import annotations

import socket

import uvicorn
from starlette.applications import Starlette

from sealcam_hub.console.events import Streams

GRACE_S = 2


class ConsoleServer(uvicorn.Server):
    """A uvicorn server for what `app.create` made. `run(sockets=[...])` takes a listening socket; see `settings`."""

    def __init__(self, app: Starlette, config: uvicorn.Config | None = None) -> None:
        super().__init__(config or settings(app))
        self._streams: Streams = app.state.streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the open pages' streams, then the server."""
        self._streams.close()
        await super().shutdown(sockets)


def settings(app: Starlette, host: str = "127.0.0.1", port: int = 8480) -> uvicorn.Config:
    """Loopback, no access log (it would name incidents), no header that names the server, a bounded end."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_S,
    )
