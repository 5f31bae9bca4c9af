"""From real footage to the ledger and the console, with every part a process of its own."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from sealcam_provision import home as homes
from tests.home.conftest import RunningHome


def test_real_footage_becomes_opened_events_with_pictures(home: RunningHome, walkers: Path) -> None:
    home.start(walkers, once=True)
    assert home.home.parts["eye"].wait(90) == 0, home.home.last_words("eye")
    counts = homes.tally(home.home)
    assert counts.sealed >= 1
    assert (counts.opened, counts.refused, counts.queued) == (counts.sealed, 0, 0)
    events = home.chained()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    reports = [event for event in events if event["type"] == "incident"]
    assert {event["subject"] for event in reports if event["stage"] == "new"} == {"person"}
    assert {event["verdict"] for event in reports if event["stage"] == "new"} == {"threat"}
    assert any(event["thumbnail_bytes"] for event in reports)


def test_the_console_shows_the_incident_to_whoever_has_the_link(home: RunningHome, walkers: Path) -> None:
    home.start(walkers, once=True)
    assert home.home.parts["eye"].wait(90) == 0
    address = urlsplit(home.console)
    assert address.hostname == "localhost"
    console = http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=10)

    def get(path: str, host: str, cookie: str = "") -> http.client.HTTPResponse:
        console.request("GET", path, headers={"Host": host, "Cookie": cookie})
        return console.getresponse()

    host = f"localhost:{address.port}"
    strange = get(f"/?{address.query}", "evil.example")
    assert strange.status >= 400
    strange.read()
    entered = get(f"/?{address.query}", host)
    cookie = (entered.getheader("Set-Cookie") or "").split(";")[0]
    entered.read()
    assert cookie
    page = get("/", host, cookie).read().decode()
    assert "Test door" in page
    picture = re.search(r'src="(/[^"]*thumbnail[^"]*)"', page)
    assert picture is not None
    answer = get(picture.group(1), host, cookie)
    assert answer.read()[:2] == b"\xff\xd8"
    assert get(picture.group(1), host).status in (401, 403)


def test_another_cameras_certificate_gets_nothing_and_the_hubs_gets_no_plaintext(
    home: RunningHome, walkers: Path, tmp_path: Path
) -> None:
    home.start(walkers, once=True)
    hub = home.folder / "hub"
    port = re.search(r"^listener (\d+)", (hub / "broker" / "mosquitto.conf").read_text(), re.M)
    assert port is not None
    other = tmp_path / "other"
    config = other / "sealcam.toml"
    other.mkdir()
    config.write_text(f'[paths]\nstate = "{other / "camera"}"\n')
    print_ = homes.claim.owner_fingerprint(hub)
    homes.claim.apply(homes.claim.plan("Other", config, hub, print_))

    def listen(certificate: Path, key: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *("mosquitto_sub", "-h", "localhost", "-p", port.group(1), "-t", "#", "-q", "1", "-N"),
                *("--cafile", str(hub / "broker" / "ca.pem"), "--cert", str(certificate), "--key", str(key)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    stranger = listen(other / "camera" / "post" / "tls.pem", other / "camera" / "post" / "tls.key")
    ours = listen(*sorted((hub / "link").glob("*.pem"))[:1], *(hub / "link").glob("*.key"))
    assert home.home.parts["eye"].wait(90) == 0
    for process in (stranger, ours):
        process.terminate()
    assert stranger.communicate()[0] == b""
    seen = ours.communicate()[0]
    assert len(seen) > 2000
    reports = [event for event in home.chained() if event["type"] == "incident"]
    words = [reason.encode() for event in reports for reason in event["reasons"]]
    words += [event["incident"].encode() for event in reports]
    words += [bytes.fromhex(event["incident"]) for event in reports]
    for word in (*words, b"person", b"threat", b"\xff\xd8\xff"):
        assert word not in seen


def test_the_broker_speaks_tls_1_3_alone_and_asks_for_a_certificate(home: RunningHome, walkers: Path) -> None:
    home.start(walkers, once=True)
    hub = home.folder / "hub"
    context = ssl.create_default_context(cafile=str(hub / "broker" / "ca.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    port = int(re.findall(r"^listener (\d+)", (hub / "broker" / "mosquitto.conf").read_text(), re.M)[0])
    with_old = _handshake(context, port)
    assert isinstance(with_old, ssl.SSLError | ConnectionError)


def _handshake(context: ssl.SSLContext, port: int) -> Exception | None:
    import socket

    try:
        with (
            socket.create_connection(("localhost", port), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname="localhost"),
        ):
            return None
    except (ssl.SSLError, ConnectionError) as error:
        return error


def test_no_plaintext_stays_behind_on_disk(home: RunningHome, walkers: Path) -> None:
    """A light canary: neither reasons nor pictures are in any file of camera, broker or hub."""
    home.start(walkers, once=True)
    assert home.home.parts["eye"].wait(90) == 0
    reports = [event for event in home.chained() if event["type"] == "incident"]
    words = {reason.encode() for event in reports for reason in event["reasons"]}
    assert words
    home.home.end("post")
    for path in home.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"\xff\xd8\xff\xe0" not in content, path
            for word in words:
                assert word not in content, path
    assert json.dumps(home.status())
