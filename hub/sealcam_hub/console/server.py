"""Runs the console under uvicorn so that it ends at once when it is told to, open pages or not.

uvicorn waits for open connections before it tells the application to end; a page that listens for changes never
closes by itself, so `Ctrl-C` would hang. Here the streams end first. Further listeners (`Beside`), such as the one with
TLS, run in the same loop, since pages and streams belong to one.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import uvicorn
from starlette.applications import Starlette

from sealcam_hub.console.events import Streams
from sealcam_hub.console.view import ViewPages

GRACE_S = 2
MOST_BESIDE = 200  # connections of a listener that anybody at home reaches; more are told to come later


@dataclass(frozen=True, slots=True)
class Beside:
    """A further listener: its socket, what it serves, and TLS or none."""

    socket: socket.socket
    app: Starlette
    context: ssl.SSLContext | None = None


class ConsoleServer(uvicorn.Server):
    """A uvicorn server for what `app.create` made. `run(sockets=[...])` takes a listening socket; see `settings`."""

    def __init__(self, app: Starlette, config: uvicorn.Config | None = None, beside: Sequence[Beside] = ()) -> None:
        super().__init__(config or settings(app))
        self._beside = tuple(beside)
        self._streams: Streams = app.state.streams
        self._views: ViewPages = app.state.views

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve here and beside until told to end; where one of them fails, all end."""
        others = [(uvicorn.Server(_settings_beside(one)), one.socket) for one in self._beside]
        async with anyio.create_task_group() as tasks:
            for server, listening in others:
                tasks.start_soon(server.serve, [listening])
            await super().serve(sockets)
            for server, _ in others:
                server.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the open pages' streams, then the server."""
        self._streams.close()
        self._views.close()
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


def _settings_beside(one: Beside) -> uvicorn.Config:
    context = one.context
    return uvicorn.Config(
        one.app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        limit_concurrency=MOST_BESIDE,
        timeout_graceful_shutdown=GRACE_S,
        ssl_context_factory=None if context is None else lambda _config, _default: context,
    )
