"""What each of the console's addresses takes and answers: the table that `openapi` describes them with.

What holds for all of them `openapi` adds: an unknown id is 404, no session 403, a form that isn't ours 403, none at all
400, 413 or 415. The media type of an answer without content is empty; blanks part those of which it has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.hub.routed import OPEN

Schema = Mapping[str, Any]

ANYBODY = OPEN - {"/", "/passphrase"}  # which show a stranger nothing but the door
HTML, TEXT, JSON, FORM = "text/html", "text/plain", "application/json", "application/x-www-form-urlencoded"
VIDEO, BYTES, NONE = "video/mp4", "application/octet-stream", ""
WORDS = f"{HTML} {TEXT}"  # one or the other

ANY: Schema = {"type": "string"}
YES: Schema = {"const": "yes"}
NUMBER: Schema = {"type": "string", "pattern": "^[0-9]{1,9}$"}
BEFORE: Schema = {"type": "integer", "minimum": 0, "maximum": (1 << 63) - 1}
NAME: Schema = {"type": "string", "pattern": "^[A-Za-z]{1,12}( [A-Za-z]{1,12})?$"}
CLOCK: Schema = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
ZONE: Schema = {"enum": ["UTC", "Europe/Vienna"]}
DAYS: Mapping[str, Schema] = {f"d{day}": ANY for day in range(7)}
LINE: Schema = {"type": "string", "pattern": "^(watch|ignore|entry) [A-Z][a-z]{1,8}: 10,20 [1-9][0-9],20 30,60$"}


@dataclass(frozen=True)
class Known:
    """What is there in the home that is asked: ids that pages would name, and what the session's forms carry."""

    csrf: str
    passphrase: str = ""
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key: str = "a" * 64  # a recipient's
    endpoint: str = "https://push.example.net/one"
    service: str = "json://127.0.0.1:9/"

    def path(self, name: str) -> Schema:
        """What a parameter of a path may be."""
        return {"enum": list(self.ids[name])}


@dataclass(frozen=True)
class Fact:
    """Of one address and method: media types by status, what its query, headers and form hold, and its JSON.

    `refuses`: also what is well formed may be refused with 400, since it depends on what is there. `lenient`: a header
    that isn't as described is none.
    """

    answers: Mapping[int, str] = field(default_factory=lambda: {200: HTML})
    query: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, Schema] = field(default_factory=dict)
    form: Mapping[str, Schema] | None = None
    needs: tuple[str, ...] = ()
    told: Schema | None = None
    refuses: bool = False
    lenient: bool = False


def facts(known: Known) -> Mapping[tuple[str, str], Fact]:
    """The table, by method and address."""
    return _door(known) | _looking(known) | _review(known) | _sharing(known) | _home(known)


METRICS: Mapping[str, Fact] = {
    "/metrics": Fact({200: TEXT}),
    "/health": Fact({200: TEXT, 503: TEXT}),
}


def _page(**query: Schema) -> Fact:
    return Fact({200: HTML, 404: HTML} if query else {200: HTML}, query=query)


def _form(*needs: str, answers: Mapping[int, str] | None = None, refuses: bool = False, **fields: Schema) -> Fact:
    """A form that leads to another page."""
    return Fact(answers or {303: NONE}, form=fields, needs=needs, refuses=refuses)


def _door(known: Known) -> dict[tuple[str, str], Fact]:
    asks = Fact({200: JSON}, form={}, told={"type": "object", "required": ["challenge"]})
    own: Schema = {"const": known.passphrase}
    same: Mapping[str, Schema] = {name: {"const": f"{known.passphrase} anew"} for name in ("new", "again")}
    new, here = {"new": ANY, "again": ANY}, {303: NONE, 400: HTML, 403: HTML}
    told = {200: TEXT, 400: WORDS}
    return {
        ("GET", "/"): _page(show={"enum": ["all", "threats", "benign", "false-alarms"]}, before=BEFORE),
        ("POST", "/login"): _form(answers={303: NONE, 403: HTML, 429: HTML}, name=ANY, passphrase=ANY, to=ANY),
        ("POST", "/logout"): _form(),
        ("GET", "/passphrase"): _page(),
        ("POST", "/passphrase"): _form("current", *new, answers=here, refuses=True, current=own, **same),
        ("GET", "/open"): Fact({307: NONE}),
        ("POST", "/passkey/ask"): asks,
        ("POST", "/passkey"): Fact({200: TEXT, 403: WORDS}, form={"answer": ANY, "to": ANY}),
        ("GET", "/me"): _page(),
        ("POST", "/me/end"): _form(session=ANY),
        ("POST", "/me/passkey/ask"): asks,
        ("POST", "/me/passkey"): Fact(told, form={"answer": ANY, "label": ANY}, refuses=True),
        ("POST", "/me/passkey/remove"): _form(answers={303: NONE, 404: HTML}, passkey=ANY),
        ("GET", "/members"): _page(),
        ("POST", "/members/invite"): _form(
            "name", "days", answers={200: HTML}, refuses=True, name=NAME, days={"enum": ["1", "3", "7"]}
        ),
        ("POST", "/members/withdraw"): _form("invitation", invitation=NUMBER),
        ("POST", "/members/remove"): _form("member", answers={303: NONE, 404: HTML}, member=NUMBER),
        ("POST", "/members/end"): _form(session=ANY),
        ("GET", "/members/code.svg"): Fact({200: "image/svg+xml", 404: HTML}),
        ("GET", "/join"): Fact({200: HTML, 403: HTML}, query={"token": ANY}),
        ("POST", "/join"): _form(answers=here, refuses=True, token=ANY, **new),
    }


def _looking(known: Known) -> dict[tuple[str, str], Fact]:
    verdicts = {"enum": ["", "threat", "benign", "false_alarm"]}
    subjects = {"enum": ["", "person", "vehicle", "animal", "none"]}
    cameras, day = {"enum": ["", *known.ids["alias"]]}, {"type": "string", "pattern": "^20[2-9][0-9]-0[1-9]-1[0-9]$|^$"}
    video = Fact({200: VIDEO, 206: VIDEO, 409: HTML, 416: NONE}, headers={"Range": ANY})
    facts_told = {"type": "object", "required": ["id", "size", "marks", "movie", "wall_ms", "sure", "whole"]}
    arm = {"alias": {"enum": [*known.ids["alias"]]}, "mode": {"enum": ["off", "home", "away", "night"]}}
    saved = _form(answers={200: VIDEO, 409: HTML})
    return {
        ("GET", "/timeline"): _page(camera=cameras, subject=subjects, verdict=verdicts, day=day, q=ANY, before=BEFORE),
        ("GET", "/incident/{incident}"): _page(),
        ("GET", "/incident/{incident}/clips"): _page(),
        ("GET", "/incident/{incident}/delete"): _page(),
        ("POST", "/incident/{incident}/delete"): _form(),
        ("GET", "/thumbnail/{incident}"): Fact({200: "image/jpeg"}),
        ("GET", "/clip/{clip}"): _page(),
        ("GET", "/clip/{clip}/facts"): Fact({200: JSON, 409: HTML}, told=facts_told),
        ("GET", "/clip/{clip}/video"): video,
        ("POST", "/clip/{clip}/fetch"): _form(),
        ("GET", "/clip/{clip}/save"): _page(),
        ("POST", "/clip/{clip}/save"): saved,
        ("GET", "/clip/{clip}/delete"): _page(),
        ("POST", "/clip/{clip}/delete"): _form(),
        ("GET", "/fragment/{part}"): _page(show=ANY, before=ANY),
        ("GET", "/live"): Fact({200: "text/event-stream", 503: TEXT}),
        ("GET", "/view/{alias}"): _page(),
        ("GET", "/view/{alias}/stream"): Fact({200: BYTES, 409: HTML}),
        ("GET", "/log"): _page(before=BEFORE),
        ("GET", "/log/{number}"): Fact({200: TEXT}),
        ("POST", "/arm"): _form("alias", "mode", **arm),
    }


def _review(known: Known) -> dict[tuple[str, str], Fact]:
    incident = {"enum": [*known.ids["incident"]]}
    as_json = {"Accept": {"const": JSON}}
    told = {"type": "object", "required": ["told", "done", "waiting", "turn"]}
    word = {"enum": ["threat", "benign", "false_alarm", "ours", "unsure"]}
    marked = {"incident": incident, "word": word, "seen": NUMBER}
    said = {200: JSON, 303: NONE, 404: HTML}
    other = {303: NONE, 409: HTML}
    return {
        ("GET", "/review"): _page(show=incident),
        ("GET", "/review/next"): Fact({200: HTML, 204: NONE, 400: HTML, 404: HTML}, query={"without": incident}),
        ("GET", "/review/item/{incident}"): Fact({200: HTML, 204: NONE}),
        ("POST", "/review/mark"): Fact(
            said, headers=as_json, form=marked, needs=("incident", "word"), told=told, lenient=True
        ),
        ("POST", "/review/undo"): Fact(said, headers=as_json, form={}, told=told, lenient=True),
        ("GET", "/review/data"): _page(),
        ("POST", "/review/data/export"): _form(answers={200: "application/jsonl"}),
        ("POST", "/review/data/erase"): _form("sure", answers=other, sure=YES),
        ("POST", "/review/data/train"): _form(answers=other),
        ("POST", "/review/data/send"): _form("model", answers=other, model=NUMBER),
        ("POST", "/review/data/back"): _form(answers=other),
    }


def _sharing(known: Known) -> dict[tuple[str, str], Fact]:
    days = {"enum": ["1d", "7d", "30d", "90d"]}
    terms = {"seen": YES, "days": days, "name": NAME, "purpose": NAME, "key": {"const": known.key}}
    leads = {303: NONE, 409: HTML}  # made anew a clip keeps the machine busy for long: tests/web does that
    video = {200: VIDEO, 206: VIDEO, 409: HTML, 416: NONE}
    return {
        ("GET", "/sharing"): _page(),
        ("GET", "/sharing/page.html"): _page(),
        ("GET", "/sharing/clip/{clip}"): Fact({200: HTML, 409: HTML}),
        ("POST", "/sharing/clip/{clip}"): _form(
            "way", answers=leads, way={"const": "signed"}, upto={"type": "string", "pattern": "^[0-9]{0,4}$"}
        ),
        ("GET", "/sharing/draft/{draft}"): _page(),
        ("GET", "/sharing/draft/{draft}/video"): Fact(video, headers={"Range": ANY}),
        ("POST", "/sharing/draft/{draft}/terms"): _form(*terms, answers=leads, **terms),
        ("POST", "/sharing/draft/{draft}/drop"): _form(),
        ("POST", "/sharing/draft/{draft}/share"): _form(answers=leads),
        ("GET", "/sharing/{share}"): _page(),
        ("GET", "/sharing/{share}/video"): Fact(video, headers={"Range": ANY}),
        ("POST", "/sharing/{share}/give/{what}"): Fact({200: "*/*", 409: HTML}, form={}),
        ("POST", "/sharing/{share}/revoke"): _form(answers=leads),
    }


def _home(known: Known) -> dict[tuple[str, str], Fact]:
    alias = "/cameras/{alias}"
    modes = {"enum": ["off", "home", "away", "night", "visit"]}
    week = DAYS | {"from": CLOCK, "to": CLOCK, "zone": ZONE}
    when = {"from": CLOCK, "to": CLOCK, "zone": ZONE, "repeat": {"enum": ["0", "120", "300", "600", "1800"]}}
    what = {"words": {"enum": ["plain", "verdict"]}, "threats": ANY, "incidents": ANY, "troubles": ANY}
    effects = {"veiled": ANY, "not-shared": ANY, "not-kept": ANY}
    browser = {"name": NAME, "endpoint": {"const": known.endpoint}, "p256dh": ANY, "auth": ANY}
    service = {"name": NAME, "address": {"const": known.service}, "after": when["repeat"]}
    return {
        ("GET", "/cameras"): _page(),
        ("GET", alias): _page(),
        ("POST", f"{alias}/areas"): _form("areas", areas=LINE, again=ANY),
        ("POST", f"{alias}/schedule"): _form("from", "to", "mode", refuses=True, mode=modes, **week),
        ("POST", f"{alias}/privacy"): _form("on", on={"enum": ["yes", "no"]}, to=ANY),
        ("GET", "/household"): _page(),
        ("POST", "/household/rules"): _form("from", "to", refuses=True, **week, **effects),
        ("POST", "/household/tried"): _form(),
        ("GET", "/notifications"): _page(tried=ANY),
        ("GET", "/notifications/key"): Fact({200: TEXT}),
        ("POST", "/notifications/browser"): _form(*browser, refuses=True, **browser),
        ("POST", "/notifications/service"): _form(*service, refuses=True, **service),
        ("POST", "/notifications/remove"): _form("target", refuses=True, target=NUMBER),
        ("POST", "/notifications/test"): _form("target", refuses=True, target=NUMBER),
        ("POST", "/notifications/seen"): _form(subject=ANY),
        ("POST", "/notifications/what"): _form(**what),
        ("POST", "/notifications/when"): _form("zone", "repeat", refuses=True, **when),
        ("GET", "/offsite"): _page(),
    }
