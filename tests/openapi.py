"""An OpenAPI 3.1 description of the console and of `serve --metrics`, for the test that holds a running hub to it.

Which addresses there are the application says itself (its routes); what each takes and answers stands in
`openapi_facts`, and an address without its facts is an error. Nothing serves this document: the console is for its own
pages, whose forms may change with them, and a list of them would be one more answer to keep behind the door.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.routing import BaseRoute, Mount, Route

from tests.openapi_facts import ANYBODY, FORM, HTML, METRICS, Fact, Known, facts

Document = dict[str, Any]
SITE = "Sec-Fetch-Site"  # what a browser says of where a form was sent from
SESSION = "session"


def console(routes: Iterable[BaseRoute], known: Known, cookie: str) -> Document:
    """The console's document; `cookie` is the name of a session's.

    Raises:
        KeyError: an address has no facts, or facts have no address.
    """
    told = dict(facts(known))
    paths: Document = {}
    for route in routes:
        if isinstance(route, Mount):
            assert route.path == "/static", f"{route.path} isn't described"
            continue
        assert isinstance(route, Route), route
        for method in sorted((route.methods or set()) - {"HEAD"}):
            fact = told.pop((method, route.path))
            operation = _operation(fact, known, [*route.param_convertors], route.path in ANYBODY)
            paths.setdefault(route.path, {})[method.lower()] = operation
    if told:
        raise KeyError(f"there is no {sorted(told)}")
    return _document("Sealcam's console", paths, cookie)


def metrics() -> Document:
    """The document of what `serve --metrics` answers to this machine alone."""
    paths = {path: {"get": {"responses": _responses(fact)}} for path, fact in METRICS.items()}
    return _document("Sealcam's metrics and health", paths, "")


def _document(title: str, paths: Document, cookie: str) -> Document:
    made: Document = {"openapi": "3.1.0", "info": {"title": title, "version": "1"}, "paths": paths}
    if cookie:
        schemes = {SESSION: {"type": "apiKey", "in": "cookie", "name": cookie}}
        made["components"] = {"securitySchemes": schemes}
    return made


def _operation(fact: Fact, known: Known, names: Iterable[str], anybody: bool) -> Document:
    answers = dict(fact.answers)
    needed = [_parameter(name, "path", known.path(name)) for name in names]
    answers |= dict.fromkeys((404,), HTML) if needed else {}
    asked = [_parameter(name, "query", schema) for name, schema in fact.query.items()]
    asked += [_parameter(name, "header", schema) for name, schema in fact.headers.items()]
    made: Document = {"parameters": needed + asked}
    if fact.form is not None:
        made["parameters"].append(_parameter(SITE, "header", {"const": "same-origin"}, needed=True))
        made["requestBody"] = _body(fact, known, anybody)
        answers = dict.fromkeys((400, 403, 413, 415), HTML) | answers
    if not anybody:
        made["security"] = [{SESSION: []}]
        answers = {403: HTML} | answers
    return made | {"responses": _responses(Fact(answers, told=fact.told))}


def _body(fact: Fact, known: Known, anybody: bool) -> Document:
    assert fact.form is not None
    own = {} if anybody else {"csrf": {"const": known.csrf}}
    schema = {"type": "object", "properties": own | dict(fact.form), "required": [*own, *fact.needs]}
    return {"required": True, "content": {FORM: {"schema": schema}}}


def _parameter(name: str, place: str, schema: Mapping[str, Any], needed: bool = False) -> Document:
    return {"name": name, "in": place, "required": needed or place == "path", "schema": dict(schema)}


def _responses(fact: Fact) -> Document:
    made: Document = {}
    for code, media in sorted(fact.answers.items()):
        said: Document = {"description": str(code)}
        if media:
            schema = fact.told if code == 200 and fact.told is not None else {}
            said["content"] = {one: {"schema": dict(schema)} for one in media.split()}
        made[str(code)] = said
    return made
