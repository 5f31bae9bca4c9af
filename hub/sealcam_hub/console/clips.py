"""The console's clips: which there are of an incident, the player's page, its ranges of bytes, and the way out.

A clip is opened for one answer at a time and let go with it; of what is shown nothing is kept, here or by the browser.
The log's entry is written before the first byte. What counts as a range is `ranges`', how bytes go out `stream`'s,
what the timeline shows `marks`', what the player does `static/player.js`'s. design/clips.md, "Player".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from sealcam.wire.errors import SealcamError
from sealcam_hub.console import words
from sealcam_hub.console.form import own_form
from sealcam_hub.console.log import LogPages
from sealcam_hub.console.marks import marks, scene
from sealcam_hub.console.ranges import asked, still
from sealcam_hub.console.session import Session
from sealcam_hub.console.source import ClipSource, ConsoleLog, ConsoleSource, OpenClip
from sealcam_hub.console.stream import ClipStream
from sealcam_hub.movie import read_movie
from sealcam_hub.views import ClipView, IncidentView

VIDEO = "video/mp4"
_ID = re.compile(r"[0-9a-f]{32}")
_Render = Callable[[str, Mapping[str, object], int], HTMLResponse]


@dataclass(frozen=True, slots=True)
class _Found:
    """A clip, its incident where that is known, and all parts of it."""

    clip: ClipView
    incident: IncidentView | None
    parts: tuple[ClipView, ...]


class ClipPages:
    """What `app` routes to. `log` makes entries, once each, `audit` each time."""

    def __init__(
        self, source: ConsoleSource, clips: ClipSource | None, log: LogPages, audit: ConsoleLog, render: _Render
    ) -> None:
        self._source, self._clips, self._log, self._audit, self._render = source, clips, log, audit, render

    def parts(self, incident: str) -> tuple[ClipView, ...]:
        """An incident's clips, for its page; blocks."""
        return () if self._clips is None else tuple(self._clips.clips(incident))

    async def list(self, request: Request, session: Session) -> Response:
        """`/incident/{incident}/clips`, the list on the incident's page as it is now."""
        incident: str = request.path_params["incident"]
        if await to_thread.run_sync(self._source.incident, incident) is None:
            raise HTTPException(404)
        parts = await to_thread.run_sync(self.parts, incident)
        return self._render("clips.html", {"parts": parts, "csrf": session.csrf}, 200)

    async def page(self, request: Request, session: Session) -> Response:
        """`/clip/{clip}`, the player."""
        found = await to_thread.run_sync(self._find, request)
        values = {"clip": found.clip, "incident": found.incident, "parts": found.parts, "csrf": session.csrf}
        return self._render("clip.html", values, 200)

    async def facts(self, request: Request, session: Session) -> Response:
        """`/clip/{clip}/facts`, what the player has to know, as JSON."""
        found = await to_thread.run_sync(self._find, request)
        return JSONResponse(await to_thread.run_sync(self._facts, found, session))

    async def video(self, request: Request, session: Session) -> Response:
        """`/clip/{clip}/video`, its content or a range of it."""
        found = await to_thread.run_sync(self._find, request)
        clip = await to_thread.run_sync(self._opened, found, session)
        etag = f'"{found.clip.id}-{clip.size}"'  # what is still coming has another name when it is longer
        wanted = request.headers.get("range") if still(request.headers.get("if-range"), etag) else None
        span = asked(wanted if request.method == "GET" else None, clip.size)
        headers = {"content-type": VIDEO, "accept-ranges": "bytes", "etag": etag}
        if span is None:
            await to_thread.run_sync(clip.close)
            return Response(None, 416, {"content-range": f"bytes */{clip.size}", "accept-ranges": "bytes"})
        if span.part:
            headers["content-range"] = span.header
        return ClipStream(clip, span.first, span.end, 206 if span.part else 200, headers, request.method == "HEAD")

    async def fetch(self, request: Request, session: Session) -> Response:
        """`POST /clip/{clip}/fetch`: its camera is asked for it."""
        await own_form(request, session.csrf)
        found = await to_thread.run_sync(self._find, request)
        assert self._clips is not None
        await to_thread.run_sync(self._clips.fetch, found.clip.id)
        return RedirectResponse(f"/incident/{found.clip.incident}" if found.clip.incident else "/", status_code=303)

    async def save(self, request: Request, session: Session) -> Response:
        """`/clip/{clip}/save`: asks whether it shall leave the seal; sent back with POST it does."""
        found = await to_thread.run_sync(self._find, request)
        if request.method != "POST":
            values = {"clip": found.clip, "incident": found.incident, "csrf": session.csrf}
            return self._render("save.html", values, 200)
        await own_form(request, session.csrf)
        clip = await to_thread.run_sync(partial(self._opened, found, None))
        disposition = f'attachment; filename="{_file_name(clip)}"'
        headers = {"content-type": VIDEO, "content-disposition": disposition}
        return ClipStream(clip, 0, clip.size, 200, headers, head=False)

    # On threads

    def _find(self, request: Request) -> _Found:
        name: str = request.path_params["clip"]
        clip = None if self._clips is None or not _ID.fullmatch(name) else self._clips.clip(name)
        if clip is None or self._clips is None:
            raise HTTPException(404)
        incident = None if clip.incident is None else self._source.incident(clip.incident)
        return _Found(clip, incident, (clip,) if clip.incident is None else self.parts(clip.incident))

    def _opened(self, found: _Found, session: Session | None) -> OpenClip:
        """The clip, opened, behind its entry in the log: of watching with a session, of saving without."""
        assert self._clips is not None
        clip = self._clips.open(found.clip.id)
        try:
            if session is None:
                self._audit.saved(found.clip.id)
            else:
                self._log.watched(session, found.clip.id)
        except SealcamError:
            clip.close()
            raise
        return clip

    def _facts(self, found: _Found, session: Session) -> dict[str, object]:
        clip = self._opened(found, session)
        try:
            movie, info, size = read_movie(clip.read, clip.size), clip.info, clip.size
        finally:
            clip.close()
        reports = () if found.incident is None else found.incident.reports
        began = scene(info.at, reports)
        shown = [
            {
                "at": one.at_s,
                "kind": one.kind,
                "verdict": one.verdict,
                "title": "What began it" if one.report is None else words.stage(one.kind),
                "text": "" if one.report is None else _said(one.report.subject, one.report.verdict),
            }
            for one in marks(info.at, info.trigger_ns, reports)
        ]
        told: dict[str, object] = {"id": found.clip.id, "size": size, "marks": shown, "movie": None}
        told |= {"wall_ms": began.wall_ns / 1e6, "sure": began.sure, "whole": found.clip.state == "here"}
        if movie is not None:
            told["type"] = f'{VIDEO}; codecs="{movie.codec}"'
            told["movie"] = {
                "beginning": movie.beginning,
                "timescale": movie.timescale,
                "fragments": [[one.time, one.offset] for one in movie.fragments],
                "end": movie.end,
                "duration": movie.duration,
            }
        return told


def _said(subject: str, verdict: str) -> str:
    return f"{words.verdict(verdict)}: {words.subject(subject)}"


def _file_name(clip: OpenClip) -> str:
    """A name that sorts by time and that every file system takes."""
    camera = re.sub(r"[^a-z0-9]+", "-", clip.camera.lower()).strip("-")[:40] or "camera"
    at = datetime.fromtimestamp(clip.info.at.wall_ns // 1_000_000_000, UTC)
    part = f"-{clip.info.part + 1}" if clip.info.part else ""
    return f"sealcam-{camera}-{at:%Y%m%d-%H%M%S}Z{part}.mp4"
