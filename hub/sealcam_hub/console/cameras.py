"""The cameras' pages: what each is asked to watch and when, how it fares, and its keys.

Zones and masks are drawn on a still (`static/draw.js`) and travel as lines of text (`areas`), which can be typed as
well. What is sent becomes a wish and is shown as one until the camera has answered. design/hub.md, "Pages".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from anyio import Lock, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sealcam.wire import schema
from sealcam.wire.bodies import Mode
from sealcam.wire.errors import ConfigError
from sealcam.wire.labels import blake2b
from sealcam.wire.wishes import (
    CommandType,
    MasksWish,
    PrivacyWish,
    ScheduleEntry,
    ScheduleWindow,
    ScheduleWish,
    ZonesWish,
)
from sealcam_hub.camera_facts import Asked, CameraFacts
from sealcam_hub.console import areas, hours
from sealcam_hub.console.desk import Desk, Link
from sealcam_hub.console.form import own_form
from sealcam_hub.console.session import Session
from sealcam_hub.views import CameraView, IncidentView

VISIT = "visit"
_ALIAS = re.compile(r"[0-9a-f]{16}")
_NOTHING = ScheduleWish(entries=(), zone="UTC")
_OLD = "this was changed since the page was loaded", "look at what stands now, and send yours again"


class CameraSource(Protocol):
    """What the pages need: `sealcam_hub.camera_facts.Cameras` is the real one."""

    def view(self, alias: str, /) -> CameraView | None:
        """One camera, or none."""
        ...

    def facts(self, alias: str, /) -> CameraFacts | None:
        """What else there is to say of it."""
        ...

    def asked(self, alias: str, /) -> Mapping[CommandType, Asked]:
        """What it was asked last, by kind."""
        ...

    def wish(self, alias: str, body: object, /) -> None:
        """Ask it for something; a `SealcamError` where that can't be."""
        ...


class Stills(Protocol):
    """Where a picture to draw on comes from."""

    def __call__(self, alias: str, /) -> IncidentView | None:
        """The newest incident of a camera whose picture may be shown, or none."""
        ...


class CamerasPart:
    """The room: `list_all()` gives every camera, `clock_zone` is the time zone that this hub lives in."""

    link = Link("Cameras", "/cameras")

    def __init__(
        self, source: CameraSource, list_all: Callable[[], Sequence[CameraView]], still: Stills, clock_zone: str
    ) -> None:
        self._source, self._list, self._still, self._zone = source, list_all, still, clock_zone
        self._turn = Lock()  # one change after the other: each is made of what stands

    def routes(self, desk: Desk) -> Sequence[Route]:
        """Its addresses."""
        self._desk = desk
        to = desk.private
        return (
            Route("/cameras", to(self.all)),
            Route("/cameras/{alias}", to(self.one)),
            Route("/cameras/{alias}/areas", to(self.areas), methods=["POST"]),
            Route("/cameras/{alias}/schedule", to(self.schedule), methods=["POST"]),
            Route("/cameras/{alias}/privacy", to(self.privacy), methods=["POST"]),
        )

    async def all(self, _request: Request, session: Session) -> Response:
        """`/cameras`, every camera."""
        cameras = await to_thread.run_sync(self._list)
        return self._desk.page("camera_list.html", {"here": "/cameras", "csrf": session.csrf, "cameras": cameras})

    async def one(self, request: Request, session: Session) -> Response:
        """`/cameras/{alias}`, one of them."""
        return await self._page(request, session)

    async def areas(self, request: Request, session: Session) -> Response:
        """`POST /cameras/{alias}/areas`: what of zones and masks is new becomes a wish."""
        form = await own_form(request, session.csrf)
        alias = _alias(request)
        text = form.get("areas")
        if text is None:  # what a page of another version forgets is no wish to have none
            raise HTTPException(400)
        try:
            zones, masks = areas.read(text)
        except ConfigError as error:
            return await self._page(request, session, {"problem": error, "drawn": text})
        async with self._turn:
            asked = await to_thread.run_sync(self._source.asked, alias)
            before = asked.get(CommandType.ZONES, Asked()).body or ZonesWish(zones=())
            covered = asked.get(CommandType.MASKS, Asked()).body or MasksWish(masks=())
            if form.get("shown", _mark(before, covered)) != _mark(before, covered):
                return await self._page(request, session, {"problem": ConfigError(*_OLD), "drawn": text})
            for wanted, was in ((zones, before), (masks, covered)):
                if wanted != was or form.get("again"):
                    await to_thread.run_sync(self._source.wish, alias, wanted)
        return self._done(alias, "areas")

    async def schedule(self, request: Request, session: Session) -> Response:
        """`POST /cameras/{alias}/schedule`: an entry or an expected visit more, or one less."""
        form = await own_form(request, session.csrf)
        alias = _alias(request)
        async with self._turn:
            asked = (await to_thread.run_sync(self._source.asked, alias)).get(CommandType.SCHEDULE, Asked()).body
            before = asked if isinstance(asked, ScheduleWish) else _NOTHING
            try:
                if form.get("shown", _mark(before)) != _mark(before):
                    raise ConfigError(*_OLD)
                wanted = _without(before, form["remove"]) if "remove" in form else _with(before, form)
            except ConfigError as error:
                return await self._page(request, session, {"problem": error})
            await to_thread.run_sync(self._source.wish, alias, wanted)
        return self._done(alias, "schedule")

    async def privacy(self, request: Request, session: Session) -> Response:
        """`POST /cameras/{alias}/privacy`: capture stops at the source, or begins again."""
        form = await own_form(request, session.csrf)
        alias, on = _alias(request), form.get("on", "")
        if on not in ("yes", "no") or await to_thread.run_sync(self._source.view, alias) is None:
            raise HTTPException(400)
        await to_thread.run_sync(self._source.wish, alias, PrivacyWish(on=on == "yes"))
        self._desk.streams.tell("cameras")
        return RedirectResponse("/" if form.get("to") == "now" else f"/cameras/{alias}", status_code=303)

    def _done(self, alias: str, where: str) -> Response:
        self._desk.streams.tell("cameras")
        return RedirectResponse(f"/cameras/{alias}#{where}", status_code=303)

    async def _page(self, request: Request, session: Session, more: Mapping[str, object] | None = None) -> Response:
        alias = _alias(request)
        values = await to_thread.run_sync(partial(self._values, alias))
        still = values["still"]
        if isinstance(still, IncidentView):
            await to_thread.run_sync(self._desk.log.looked, session, still.id)
        values |= {"csrf": session.csrf, "problem": None}
        values.update(more or {})
        return self._desk.page("camera.html", values, 400 if values["problem"] else 200)

    def _values(self, alias: str) -> dict[str, object]:
        view, facts = self._source.view(alias), self._source.facts(alias)
        if view is None or facts is None:
            raise HTTPException(404)
        asked = self._source.asked(alias)
        zones, masks = asked.get(CommandType.ZONES, Asked()), asked.get(CommandType.MASKS, Asked())
        times = asked.get(CommandType.SCHEDULE, Asked())
        has_zones = zones.body.zones if isinstance(zones.body, ZonesWish) else ()
        has_masks = masks.body.masks if isinstance(masks.body, MasksWish) else ()
        week = times.body if isinstance(times.body, ScheduleWish) else _NOTHING
        return {
            "here": "/cameras",
            "camera": view,
            "facts": facts,
            "still": self._still(alias),
            "drawn": areas.written(has_zones, has_masks),
            "state_of": {
                "areas": _mark(ZonesWish(zones=has_zones), MasksWish(masks=has_masks)),
                "schedule": _mark(week),
            },
            "asked": {"zones": zones, "masks": masks, "schedule": times},
            "forget": asked.get(CommandType.FORGET, Asked()),
            "week": _lines(week),
            "zone": week.zone if times.body is not None else self._zone,
            "DAYS": hours.DAYS,
        }


def _alias(request: Request) -> str:
    alias: str = request.path_params["alias"]
    if not _ALIAS.fullmatch(alias):
        raise HTTPException(404)
    return alias


def _mark(*wishes: object) -> str:
    """What a form was about: where it has changed since, an old page would undo what it never showed."""
    return blake2b("sealcam-hub/shown", *(schema.encode(one) for one in wishes), size=8).hex()


def _lines(week: ScheduleWish) -> list[dict[str, object]]:
    """The schedule as rows of a table, each with what removes it."""
    rows: list[tuple[str, ScheduleEntry | ScheduleWindow, str]] = [
        (f"e{number}", one, one.mode.name.lower()) for number, one in enumerate(week.entries)
    ]
    rows += [(f"v{number}", one, VISIT) for number, one in enumerate(week.expected or ())]
    return [
        {
            "name": name,
            "days": hours.days(one.days),
            "span": hours.span(one.from_minute, one.to_minute),
            "mode": mode,
        }
        for name, one, mode in rows
    ]


def _with(week: ScheduleWish, form: Mapping[str, str]) -> ScheduleWish:
    when, mode, zone = hours.read(form), form.get("mode", ""), hours.zone(form.get("zone", "UTC"))
    said = {"days": when.days, "from_minute": when.from_minute, "to_minute": when.to_minute}
    if mode == VISIT:
        window = ScheduleWindow(**said)
        return replace(week, zone=zone, expected=(*(week.expected or ()), window))
    if mode.upper() not in Mode.__members__:
        raise ConfigError("there is no such mode", "off, home, away or night")
    return replace(week, zone=zone, entries=(*week.entries, ScheduleEntry(mode=Mode[mode.upper()], **said)))


def _without(week: ScheduleWish, name: str) -> ScheduleWish:
    kind, number = name[:1], int(name[1:]) if name[1:].isdecimal() and len(name) < 5 else -1
    if kind == "e" and 0 <= number < len(week.entries):
        return replace(week, entries=week.entries[:number] + week.entries[number + 1 :])
    visits = week.expected or ()
    if kind == "v" and 0 <= number < len(visits):
        return replace(week, expected=(visits[:number] + visits[number + 1 :]) or None)
    raise ConfigError("there is no such line in the schedule", "it may have been removed already")
