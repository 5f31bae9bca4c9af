"""A clip's bytes as an answer: opened chunk by chunk on threads, sent at the reader's pace, never kept or written.

Between two reads no thread is held, and of the content no more than `PIECE` is in memory. A reader who takes nothing
for `STALL_S` is let go; a player that paused comes back with a range.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import anyio
from anyio import to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sealcam.wire.errors import SealcamError
from sealcam_hub.console.lasting import until_gone
from sealcam_hub.console.source import OpenClip

_log = logging.getLogger(__name__)

PIECE = 1 << 18
STALL_S = 60.0


class ClipStream(Response):
    """The content of `clip` from `first` to before `end`, or the headers alone (`head`); closes it whatever happens."""

    def __init__(
        self,
        clip: OpenClip,
        first: int,
        end: int,
        code: int,
        headers: Mapping[str, str],
        head: bool,
        stall_s: float = STALL_S,
    ) -> None:
        super().__init__(None, code, {"content-length": str(end - first), **headers})
        self._clip, self._first, self._end, self._silent, self._stall_s = clip, first, end, head, stall_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until all is sent or the reader has gone."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if self._silent:
                await send({"type": "http.response.body", "body": b""})
                return
            await until_gone(receive, self._send(send))
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._clip.close)

    async def _send(self, send: Send) -> None:
        at = self._first
        while at < self._end:
            length = min(PIECE - at % PIECE, self._end - at)
            try:
                with anyio.CancelScope(shield=True):  # a read that was begun ends before the clip is closed
                    data = await to_thread.run_sync(self._clip.read, at, length)
            except SealcamError as error:  # it is too late to say so to the reader, who sees the answer end early
                _log.warning("a clip can't be read on: %s", error)
                return
            at += len(data)
            with anyio.move_on_after(self._stall_s) as waited:
                more = bool(data) and at < self._end
                await send({"type": "http.response.body", "body": data, "more_body": more})
            if waited.cancelled_caught or not data:
                return
