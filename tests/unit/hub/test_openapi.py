"""A running hub held to what is written down of it: schemathesis asks every address over HTTP, well and badly.

What it sends follows from the description alone (`tests/openapi.py`), the same in every run: what is as described, what
breaks the description in one place, and each without the session. Nothing ends in a fault of the hub's, what is
answered is as declared, what breaks the description is refused, and so is whoever has no session. `SEALCAM_ST` asks for
more: `SEALCAM_ST="--phases coverage,fuzzing"` walks every limit that the description names.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tests import openapi
from tests.furnished import PUSH, Browser, Furnished, furnished
from tests.openapi_facts import Fact, Known, facts
from tests.unit.hub.console_client import PASSPHRASE
from tests.unit.hub.household import THEIRS
from tests.unit.hub.routed import ENDLESS, real

ST = str(Path(sys.executable).with_name("st"))
PASSPHRASE_PAGE = "/passphrase"  # which ends the session that asks, so it is asked in one of its own
PATHS = ("incident", "clip", "alias", "part", "number", "what", "draft", "share")
UNLINKED = "use_after_free,ensure_resource_availability,object_level_authorization"  # of what a document links: nothing
REFUSED = ("400", "403", "404", "405", "409", "413", "415")


@dataclass(frozen=True)
class Asked:
    """A hub that runs, the addresses that its console routes, and where schemathesis may keep what it likes."""

    at: Furnished
    routes: tuple[BaseRoute, ...]
    folder: Path

    def known(self, who: Browser) -> Known:
        """What a browser's pages would name."""
        return Known(who.csrf, THEIRS, self.at.named(who), self.at.key, f"{PUSH}/one")

    def console(self, who: Browser, known: Known, *words: str) -> int:
        """Hold the console to its document, in that browser's name; how often it was asked."""
        document = openapi.console(self.routes, known, who.name)
        return self.holds(self.at.console, document, _settings(facts(known), who.secret), *words)

    def holds(self, url: str, document: openapi.Document, settings: str, *words: str) -> int:
        """Hold what stands at `url` to a document; how often it was asked."""
        (self.folder / "openapi.json").write_text(json.dumps(document))
        (self.folder / "st.toml").write_text(settings)
        options = ["--generation-deterministic", "--max-redirects", "0", "--request-timeout", "60"]
        options += ["--exclude-checks", UNLINKED, "--no-color", "--suppress-health-check", "all"]
        options += [*words, *(os.environ.get("SEALCAM_ST", "--phases fuzzing").split())]
        command = [ST, "--config-file", "st.toml", "run", "openapi.json", "--url", url, *options]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
        return int(re.findall(r"(\d+) generated", done.stdout)[-1])


def _settings(told: Mapping[tuple[str, str], Fact], secret: str) -> str:
    """The session; what counts as refused; and where also what is well formed may be."""
    lines = [f"[checks.negative_data_rejection]\nexpected-statuses = {json.dumps(REFUSED)}"]
    lines += [f"[auth.openapi]\n{openapi.SESSION} = {{ api_key = {json.dumps(secret)} }}"]
    may = json.dumps(["2xx", "3xx", *REFUSED])
    for (method, path), fact in told.items():
        loose = ["positive_data_acceptance"] * fact.refuses + ["negative_data_rejection"] * fact.lenient
        if loose:
            lines += ["[[operations]]", f"include-path = {json.dumps(path)}", f"include-method = {json.dumps(method)}"]
            lines += [f"checks.{check}.expected-statuses = {may}" for check in loose]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BaseRoute, ...]]:
    with real(tmp_path_factory.mktemp("shape") / "hub") as shape:
        yield tuple(shape.app.routes)


@pytest.fixture
def asked(routes: tuple[BaseRoute, ...], tmp_path: Path) -> Iterator[Asked]:
    if find_spec("schemathesis") is None:
        pytest.skip("schemathesis is not installed")
    with furnished(tmp_path) as at:
        yield Asked(at, routes, tmp_path)


def without(*paths: str) -> list[str]:
    return [word for path in paths for word in ("--exclude-path", path)]


def test_every_address_is_described_and_nothing_else(routes: tuple[BaseRoute, ...]) -> None:
    known = Known("", ids=dict.fromkeys(PATHS, ("1",)))
    openapi.console(routes, known, "sealcam")
    with pytest.raises(KeyError):
        openapi.console(routes[1:], known, "sealcam")
    with pytest.raises(KeyError):
        openapi.console([*routes, Route("/new", lambda _request: Response())], known, "sealcam")


def test_a_running_hub_is_as_described_and_its_log_tells_nothing_of_the_home(asked: Asked) -> None:
    owner, member = asked.at.owner(), asked.at.member()
    known = asked.known(owner)
    assert asked.holds(asked.at.metrics, openapi.metrics(), "", "--max-examples", "5") >= 2
    words = ("--include-path", PASSPHRASE_PAGE, "--max-examples", "5")
    assert asked.console(member, replace(known, csrf=member.csrf), *words) > 5
    assert asked.console(owner, known, *without(PASSPHRASE_PAGE, *ENDLESS), "--max-examples", "2") > 150
    told = [PASSPHRASE, THEIRS, owner.secret, owner.csrf, "$argon2id$", "Traceback", "Front door", "Anna"]
    assert not [one for one in (*told, *chain(*known.ids.values())) if len(one) > 4 and one in asked.at.log]
