"""A real Home Assistant in the test container: installed once, kept in `build/cache`, asked over its own API.

Three minutes and a gigabyte the first time, from the machine's package index. It has one user, whose key the test
knows, and no onboarding. A library of its needs a compiler, which is installed in a throw-away overlay of the root.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.system.container import Container, eventually
from tests.system.root import CACHE, REPO, cached_root, inside

VERSION = "2025.11.3"
PLACE = "/opt/homeassistant"
CONFIG = "/var/lib/homeassistant"
FILMS = f"{CONFIG}/films"
UNIT = "homeassistant.service"
PORT = 8123
START_S = 120.0
_ISSUER, _KEY = "0" * 32, "1" * 128
_INSTALL = f"""
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends gcc libc6-dev python3-dev >/dev/null
python3 -m venv {PLACE}
pip="{PLACE}/bin/python -m pip install -q --no-cache-dir --disable-pip-version-check --no-input"
$pip --no-deps homeassistant=={VERSION}
$pip -c {PLACE}/lib/python3*/site-packages/homeassistant/package_constraints.txt \\
    homeassistant=={VERSION} 'pycares<5' paho-mqtt==2.1.0 home-assistant-frontend PyTurboJPEG av numpy
"""
_YAML = f"""
homeassistant:
  allowlist_external_dirs:
    - {FILMS}
http:
  server_port: {PORT}
  server_host: 127.0.0.1
api:
"""
_SERVICE = f"""
[Service]
ExecStart={PLACE}/bin/hass --config {CONFIG} --skip-pip
TimeoutStopSec=30
"""
_CALL = """
import sys, urllib.error, urllib.request
method, url, token = sys.argv[1:4]
asked = urllib.request.Request(url, sys.stdin.buffer.read() or None, {"Authorization": "Bearer " + token,
    "Content-Type": "application/json"}, method=method)
with urllib.request.urlopen(asked, timeout=60) as answer:
    sys.stdout.buffer.write(answer.read())
"""


def cached_home_assistant() -> Path:
    """The folder of its Python environment, made if it isn't there.

    Raises:
        RootError: the network or a tool is away.
    """
    place = CACHE / f"homeassistant-{VERSION}"
    with (CACHE / ".homeassistant.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not place.exists():
            sys.stderr.write("sealcam: installing Home Assistant for the tests (once; about three minutes)\n")
            half = place.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            inside(cached_root(), REPO, _INSTALL, "--volatile=overlay", f"--bind={half}:{PLACE}")
            half.rename(place)
    return place


class Assistant:
    """It, in a container at whose `PLACE` the environment is."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def prepare(self, broker: Mapping[str, object], cameras: Mapping[str, str] | None = None) -> None:
        """Write what it starts with: its MQTT broker, and Generic Cameras by name and stream source."""
        entries = [_entry("mqtt", "Broker", dict(broker), {}, 2)]
        for name, source in (cameras or {}).items():
            options = {"stream_source": source, "framerate": 2.0, "verify_ssl": False, "authentication": "basic"}
            options |= {"content_type": "image/jpeg", "limit_refetch_to_url_change": False}
            entries.append(_entry("generic", name, {}, options, 1))
        self._container.run("mkdir", "-p", FILMS)
        self._write("configuration.yaml", _YAML)
        self._store("core.config_entries", 1, {"entries": entries}, 5)
        self._store("auth", 1, _users(), 1)
        self._container.write(f"/run/systemd/system/{UNIT}", _SERVICE)
        self._container.run("systemctl", "daemon-reload")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._container.start(UNIT)
        eventually(self.answers, START_S, f"Home Assistant\n{self._container.journal(UNIT)}")

    def stop(self) -> None:
        """End it in order."""
        self._container.run("systemctl", "stop", UNIT)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._container.kill(UNIT, "KILL")
        self._container.call("systemctl", "stop", UNIT)

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            return bool(self.ask("GET", "/api/config")["state"] == "RUNNING")
        except (AssertionError, ValueError):
            return False

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """What its API answers.

        Raises:
            AssertionError: it didn't, or refused.
        """
        return json.loads(self.fetch(method, path, body))

    def fetch(self, method: str, path: str, body: object = None) -> bytes:
        """The same as bytes."""
        sent = b"" if body is None else json.dumps(body).encode()
        where = f"http://127.0.0.1:{PORT}{path}"
        done = self._container.call("python3", "-c", _CALL, method, where, _token(), stdin=sent)
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
        return done.stdout

    def states(self) -> dict[str, dict[str, Any]]:
        """Every entity's state and attributes by its id; none while it isn't up."""
        try:
            return {one["entity_id"]: one for one in self.ask("GET", "/api/states")}
        except AssertionError:
            return {}

    def call(self, domain: str, service: str, **data: object) -> None:
        """Call a service."""
        self.ask("POST", f"/api/services/{domain}/{service}", data)

    def _store(self, key: str, version: int, data: object, minor: int) -> None:
        whole = {"version": version, "minor_version": minor, "key": key, "data": data}
        self._write(f".storage/{key}", json.dumps(whole))

    def _write(self, name: str, text: str) -> None:
        self._container.write(f"{CONFIG}/{name}", text)


def _entry(domain: str, title: str, data: object, options: object, minor: int) -> dict[str, object]:
    """A configuration entry as Home Assistant stores it."""
    name = hashlib.sha256(f"{domain}/{title}".encode()).hexdigest()[:26].upper()
    now = "2025-01-01T00:00:00.000000+00:00"
    return {
        "entry_id": name,
        "domain": domain,
        "title": title,
        "data": data,
        "options": options,
        "version": 1,
        "minor_version": minor,
        "source": "user",
        "unique_id": None,
        "disabled_by": None,
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "created_at": now,
        "modified_at": now,
        "discovery_keys": {},
        "subentries": [],
    }


def _users() -> dict[str, object]:
    """One owner, with a key that lasts."""
    groups = [{"id": f"system-{name}", "name": name} for name in ("admin", "users", "read-only")]
    user = {"id": "2" * 32, "group_ids": ["system-admin"], "is_owner": True, "is_active": True, "name": "Owner"}
    user |= {"system_generated": False, "local_only": False}
    token = {
        "id": _ISSUER,
        "user_id": "2" * 32,
        "client_id": None,
        "client_name": "tests",
        "client_icon": None,
        "token_type": "long_lived_access_token",
        "created_at": "2025-01-01T00:00:00+00:00",
        "access_token_expiration": 315360000.0,
        "token": "3" * 128,
        "jwt_key": _KEY,
        "last_used_at": None,
        "last_used_ip": None,
        "expire_at": None,
        "credential_id": None,
        "version": VERSION,
    }
    return {"users": [user], "groups": groups, "credentials": [], "refresh_tokens": [token]}


def _token() -> str:
    """The key as its API takes it: a JSON Web Token (RFC 7519), HMAC-SHA-256."""
    now = int(time.time())
    parts = ({"alg": "HS256", "typ": "JWT"}, {"iss": _ISSUER, "iat": now - 60, "exp": now + 3600})
    signed = ".".join(_b64(json.dumps(one).encode()) for one in parts)
    return f"{signed}.{_b64(hmac.digest(_KEY.encode(), signed.encode(), 'sha256'))}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
