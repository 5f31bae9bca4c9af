"""The room "Notifications": who is told, of what, in which words and when, with a try for each.

A service's address comes in and is shown no more. design/hub.md, "Notifications".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sealcam.wire.errors import ConfigError, SealcamError
from sealcam_hub.console.desk import Desk, Handler, Link
from sealcam_hub.console.form import own_form
from sealcam_hub.console.session import Session
from sealcam_hub.notifying import rules as ruling
from sealcam_hub.notifying.rows import Target
from sealcam_hub.notifying.rules import Rules

_AFTERS = [(0, "at once")] + [(one, f"if nobody has looked for {one // 60} min") for one in ruling.AFTERS_S[1:]]
_REPEATS = [(0, "once")] + [(one, f"again every {one // 60} min, three times") for one in ruling.REPEATS_S[1:]]
_INCIDENT = "incident/"


class NotifyingSource(Protocol):
    """What the room needs: `sealcam_hub.notifying.manage.Notifications` is the real one. Every method may block."""

    def key(self) -> str: ...  # noqa: D102 - as of the real one, all of them
    def targets(self) -> Sequence[Target]: ...  # noqa: D102
    def rules(self) -> Rules: ...  # noqa: D102
    def change(self, how: Callable[[Rules], Rules], /) -> None: ...  # noqa: D102
    def add_browser(self, name: str, endpoint: str, p256dh: str, auth: str, /) -> None: ...  # noqa: D102
    def add_service(self, name: str, address: str, after_s: int, /) -> None: ...  # noqa: D102
    def remove(self, target: int, /) -> None: ...  # noqa: D102
    def test(self, target: int, /) -> None: ...  # noqa: D102
    def seen_subject(self, subject: str, /) -> None: ...  # noqa: D102
    def unseen(self) -> Sequence[str]: ...  # noqa: D102
    def words(self, subject: str, /) -> str: ...  # noqa: D102


class NotificationsRoom:
    """The room, over what it sets up."""

    link = Link("Notifications", "/notifications")

    def __init__(self, source: NotifyingSource) -> None:
        self._source = source

    def routes(self, desk: Desk) -> Sequence[Route]:
        """Its addresses."""
        self._desk = desk
        actions = {
            "browser": self._browser,
            "service": self._service,
            "remove": self._remove,
            "test": self._test,
            "seen": self._seen,
            "what": self._what,
            "when": self._when,
        }
        return (
            Route("/notifications", desk.private(self.page)),
            Route("/notifications/key", desk.private(self.key)),
            *(
                Route(f"/notifications/{name}", desk.private(self._doing(does)), methods=["POST"])
                for name, does in actions.items()
            ),
        )

    async def page(self, request: Request, session: Session) -> Response:
        """`/notifications`."""
        return await self._page(session, tried=request.query_params.get("tried"))

    async def key(self, _request: Request, _session: Session) -> Response:
        """`/notifications/key`: what a browser that is to be told must know of this hub."""
        return PlainTextResponse(await to_thread.run_sync(self._source.key))

    def _doing(self, does: Callable[[Mapping[str, str]], str]) -> Handler:
        async def act(request: Request, session: Session) -> Response:
            form = await own_form(request, session.csrf)
            try:
                to = await to_thread.run_sync(does, form)
            except SealcamError as error:
                return await self._page(session, problem=error)
            return RedirectResponse(f"/notifications{to}", status_code=303)

        return act

    def _browser(self, form: Mapping[str, str]) -> str:
        keys = (form.get("p256dh", ""), form.get("auth", ""))
        self._source.add_browser(form.get("name", ""), form.get("endpoint", ""), *keys)
        return "#who"

    def _service(self, form: Mapping[str, str]) -> str:
        after_s = _one_of(form.get("after", ""), ruling.AFTERS_S)
        self._source.add_service(form.get("name", ""), form.get("address", ""), after_s)
        return "#who"

    def _remove(self, form: Mapping[str, str]) -> str:
        self._source.remove(_number(form.get("target", "")))
        return "#who"

    def _test(self, form: Mapping[str, str]) -> str:
        target = _number(form.get("target", ""))
        self._source.test(target)
        return f"?tried={target}#who"

    def _seen(self, form: Mapping[str, str]) -> str:
        self._source.seen_subject(form.get("subject", "")[:64])
        return ""

    def _what(self, form: Mapping[str, str]) -> str:
        verdict = form.get("words") == "verdict"
        threats, incidents, troubles = (name in form for name in ("threats", "incidents", "troubles"))
        self._source.change(
            lambda rules: replace(rules, verdict=verdict, threats=threats, incidents=incidents, troubles=troubles)
        )
        return "#what"

    def _when(self, form: Mapping[str, str]) -> str:
        times = form.get("from", ""), form.get("to", "")
        begin, end = (ruling.minute(one) for one in times) if any(times) else (0, 0)
        name = ruling.zone(form.get("zone", "")).key
        repeat_s = _one_of(form.get("repeat", ""), ruling.REPEATS_S)
        passes = "pass" in form
        self._source.change(
            lambda rules: replace(
                rules, quiet_from=begin, quiet_to=end, zone=name, threats_pass=passes, repeat_s=repeat_s
            )
        )
        return "#when"

    async def _page(self, session: Session, problem: SealcamError | None = None, tried: str | None = None) -> Response:
        values = await to_thread.run_sync(partial(self._values, tried))
        code = 200 if problem is None else 400 if isinstance(problem, ConfigError) else 503
        return self._desk.page("notifications.html", values | {"csrf": session.csrf, "problem": problem}, code)

    def _values(self, tried: str | None) -> dict[str, object]:
        rules, targets = self._source.rules(), self._source.targets()
        quiet = rules.quiet_from != rules.quiet_to
        return {
            "here": "/notifications",
            "targets": targets,
            "tried": next((one.name for one in targets if str(one.id) == tried), None),
            "rules": rules,
            "quiet_from": ruling.clock(rules.quiet_from) if quiet else "",
            "quiet_to": ruling.clock(rules.quiet_to) if quiet else "",
            "afters": _AFTERS,
            "repeats": _REPEATS,
            "unseen": [
                {
                    "subject": one,
                    "words": self._source.words(one),
                    "path": f"/{one}" if one.startswith(_INCIDENT) else "",
                }
                for one in self._source.unseen()[:20]
            ],
        }


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise ConfigError("that one is told nothing already")
    return int(text)


def _one_of(text: str, values: Sequence[int]) -> int:
    found = next((one for one in values if str(one) == text), None)
    if found is None:
        raise ConfigError("choose one of the list")
    return found
