"""The console's page of the off-site copy: where it is, what waits and why, and how one begins. It changes nothing.

A store is named at the command line alone, since its secret key stands in a file: design/hub.md, "Off-site sealed
copy". The page is the owner's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sealcam_hub.console.desk import Desk, Link
from sealcam_hub.console.session import Session
from sealcam_hub.offsite_status import Standing


class OffsiteRoom:
    """The page; `standing` says how the copy stands, or none where there is none, and may block."""

    link = Link("Off-site copy", "/offsite")

    def __init__(self, standing: Callable[[], Standing | None]) -> None:
        self._standing = standing
        self._desk: Desk

    def routes(self, desk: Desk) -> Sequence[Route]:
        """Its address."""
        self._desk = desk
        return (Route("/offsite", desk.private(self.page)),)

    async def page(self, _request: Request, session: Session) -> Response:
        """`/offsite`."""
        found = await to_thread.run_sync(self._standing)
        return self._desk.page("offsite.html", {"here": "/offsite", "csrf": session.csrf, "copy": found})
