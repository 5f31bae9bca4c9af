"""The household's page: whether a lost hub can be had back, who can open, and the rules of intimate moments.

The words themselves are never in a page: what is shown is when they were tried. design/hub.md, "Pages".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sealcam.wire.errors import ConfigError
from sealcam_hub.console import hours
from sealcam_hub.console.desk import Desk, Link
from sealcam_hub.console.form import own_form
from sealcam_hub.console.session import Session
from sealcam_hub.recovery_state import RecoveryState
from sealcam_hub.rules import Effect, Rule
from sealcam_hub.rules_ledger import KeptRule
from sealcam_hub.views import CameraView

WORDS = {
    Effect.NOT_KEPT: "clips are never kept",
    Effect.NOT_SHARED: "nothing is shared",
    Effect.VEILED: "previews are blurred",
}


class HouseholdSource(Protocol):
    """What the page needs: `sealcam_hub.household_source.Households` is the real one."""

    def recovery(self) -> RecoveryState:
        """How well the home is prepared to lose its hub."""
        ...

    def tried(self) -> None:
        """The owner says that the words were tried on another device."""
        ...

    def rules(self) -> Sequence[KeptRule]:
        """The household's rules."""
        ...

    def zones(self) -> Sequence[str]:
        """The names of the zones that were drawn here."""
        ...

    def make(self, rule: Rule, /) -> None:
        """Let one more hold; a `ConfigError` where it is none."""
        ...

    def take_back(self, number: int, /) -> None:
        """End one; a `ConfigError` where there is none."""
        ...


class HouseholdPart:
    """The room; `cameras()` are all of them, a rule's times are by the clock of `zone` unless its form says another;
    `links` lead to what else belongs to the household (notifications, members)."""

    link = Link("Household", "/household")

    def __init__(
        self,
        source: HouseholdSource,
        cameras: Callable[[], Sequence[CameraView]],
        zone: str,
        links: Sequence[Link] = (),
    ) -> None:
        self._source, self._cameras, self._zone, self._links = source, cameras, zone, tuple(links)

    def routes(self, desk: Desk) -> Sequence[Route]:
        """Its addresses."""
        self._desk = desk
        return (
            Route("/household", desk.private(self.page)),
            Route("/household/rules", desk.private(self.rules), methods=["POST"]),
            Route("/household/tried", desk.private(self.tried), methods=["POST"]),
        )

    async def page(self, _request: Request, session: Session) -> Response:
        """`/household`."""
        return await self._page(session)

    async def tried(self, request: Request, session: Session) -> Response:
        """`POST /household/tried`: the words were tried elsewhere."""
        await own_form(request, session.csrf)
        await to_thread.run_sync(self._source.tried)
        return RedirectResponse("/household#recovery", status_code=303)

    async def rules(self, request: Request, session: Session) -> Response:
        """`POST /household/rules`: a rule more, or one less."""
        form = await own_form(request, session.csrf)
        try:
            if "remove" in form:
                number = int(form["remove"]) if form["remove"].isdecimal() and len(form["remove"]) < 10 else -1
                await to_thread.run_sync(self._source.take_back, number)
            else:
                cameras = await to_thread.run_sync(self._cameras)
                await to_thread.run_sync(self._source.make, _rule(form, {one.alias for one in cameras}))
        except ConfigError as error:
            return await self._page(session, error)
        self._desk.streams.tell("cards")
        return RedirectResponse("/household#rules", status_code=303)

    async def _page(self, session: Session, problem: ConfigError | None = None) -> Response:
        values = await to_thread.run_sync(partial(self._values, problem))
        return self._desk.page("household.html", values | {"csrf": session.csrf}, 400 if problem else 200)

    def _values(self, problem: ConfigError | None) -> dict[str, object]:
        cameras = self._cameras()
        names, zones = {one.alias: one.name for one in cameras}, self._source.zones()
        return {
            "here": "/household",
            "problem": problem,
            "recovery": self._source.recovery(),
            "cameras": cameras,
            "rules": [
                {"number": one.number, "said": said(one.rule, names), "unknown": _unknown(one.rule, zones)}
                for one in self._source.rules()
            ],
            "zones": zones,
            "EFFECTS": [(one.value, WORDS[one]) for one in Effect],
            "DAYS": hours.DAYS,
            "zone": self._zone,
            "more": self._links,
        }


def said(rule: Rule, names: Mapping[str, str]) -> dict[str, str]:
    """A rule in words: where, when, what."""
    where = " and ".join(names.get(one, "a camera that is gone") for one in rule.cameras) or "Every camera"
    if rule.zone:
        where += f", in “{rule.zone}”"
    when = "at any time"
    if not rule.always:
        when = f"{hours.days(rule.days)}, {hours.span(rule.from_minute, rule.to_minute)} ({rule.clock})"
    return {"where": where, "when": when, "what": ", ".join(WORDS[one] for one in Effect if one in rule.effects)}


def _unknown(rule: Rule, zones: Sequence[str]) -> bool:
    """Whether a rule is about a zone that wasn't drawn here; one of a camera's own file isn't known here either."""
    return bool(rule.zone) and rule.zone.casefold() not in {one.casefold() for one in zones}


def _rule(form: Mapping[str, str], known: set[str]) -> Rule:
    camera = form.get("camera", "")
    if camera and camera not in known:
        raise ConfigError("there is no such camera", "choose one of the list")
    when = hours.read(form)
    return Rule(
        effects=frozenset(one for one in Effect if form.get(one.value)),
        cameras=(camera,) if camera else (),
        zone=form.get("where", "").strip(),
        days=when.days,
        from_minute=when.from_minute,
        to_minute=when.to_minute,
        clock=hours.zone(form.get("zone", "UTC")),
    )
