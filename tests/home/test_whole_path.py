"""From real footage to the ledger and the console, with every part a process of its own."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from sealcam_provision import home as homes
from tests.home.conftest import RunningHome

PASSPHRASE = "four words that nobody knows"


def _port(hub: Path) -> int:
    return int(re.findall(r"^listener (\d+)", (hub / "broker" / "mosquitto.conf").read_text(), re.M)[0])


def _words(home: RunningHome) -> set[bytes]:
    """What must be read nowhere but in the owner's hands."""
    reports = [event for event in home.chained() if event["type"] == "incident"]
    words = {reason.encode() for event in reports for reason in event["reasons"] if len(reason) > 12}
    assert words
    return words | {bytes.fromhex(event["incident"]) for event in reports} | {b"\xff\xd8\xff\xe0"}


def test_real_footage_becomes_opened_events_with_pictures_and_leaves_no_plaintext(
    home: RunningHome, walkers: Path
) -> None:
    home.start(walkers, once=True)
    assert home.home.parts["eye"].wait(90) == 0, home.home.last_words("eye")
    _console_shows(home)
    counts = homes.tally(home.home)
    assert counts.sealed >= 1
    assert (counts.opened, counts.refused, counts.queued) == (counts.sealed, 0, 0)
    events = home.chained()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    reports = [event for event in events if event["type"] == "incident"]
    first = next(event for event in reports if event["stage"] == "new")
    assert (first["subject"], first["verdict"]) == ("person", "threat")
    assert any(event["thumbnail_bytes"] for event in reports)
    words = _words(home)
    home.home.end_all()
    for path in home.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            # The ledger names incidents by their id, so that updates find each other; nothing else of them.
            leaks = [word for word in words if word in content and not (len(word) == 8 and path.name == "ledger.db")]
            assert not leaks, path


def _console_shows(home: RunningHome) -> None:
    """Whoever has the link chooses the passphrase, under its own name alone; pictures are for who knows it."""
    address = urlsplit(home.console)
    assert address.hostname == "localhost"
    host = f"localhost:{address.port}"
    with closing(http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=10)) as console:

        def get(path: str, host: str, cookie: str = "") -> tuple[int, str, bytes]:
            console.request("GET", path, headers={"Host": host, "Cookie": cookie})
            answer = console.getresponse()
            return answer.status, (answer.getheader("Set-Cookie") or "").split(";")[0], answer.read()

        def post(path: str, cookie: str, fields: dict[str, str]) -> str:
            ours = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
            console.request("POST", path, urlencode(fields), {"Host": host, "Cookie": cookie} | ours)
            answer = console.getresponse()
            answer.read()
            return (answer.getheader("Set-Cookie") or "").split(";")[0]

        assert get(f"/?{address.query}", "evil.example")[0] >= 400
        guest = get(f"/?{address.query}", host)[1]
        form = get("/", host, guest)[2].decode()
        assert "Test door" not in form
        csrf = re.findall(r'name="csrf" value="([^"]+)"', form)[0]
        cookie = post("/passphrase", guest, {"csrf": csrf, "new": PASSPHRASE, "again": PASSPHRASE})
        assert cookie not in ("", guest)
        page = get("/", host, cookie)[2].decode()
        assert "Test door" in page
        pictures = re.findall(r'<img[^>]* src="([^"]+)"', page)
        assert pictures
        assert get(pictures[0], host, cookie)[2][:2] == b"\xff\xd8"
        assert get(pictures[0], host)[0] in (401, 403)
        assert get(f"/?{address.query}", host)[0] == 403, "the link works once"
        assert post("/login", "", {"passphrase": "not " + PASSPHRASE}) == ""
        assert "Test door" in get("/", host, post("/login", "", {"passphrase": PASSPHRASE}))[2].decode()


def test_another_cameras_certificate_gets_nothing_and_the_hubs_gets_no_plaintext(
    home: RunningHome, walkers: Path, tmp_path: Path
) -> None:
    home.start(walkers, once=False)
    hub = home.folder / "hub"
    other = tmp_path / "other"
    other.mkdir()
    config = other / "sealcam.toml"
    config.write_text(f'[paths]\nstate = "{other / "camera"}"\n')
    homes.claim.apply(homes.claim.plan("Other", config, hub, homes.claim.owner_fingerprint(hub)))

    def listen(certificate: Path, key: Path, *more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *("mosquitto_sub", "-h", "127.0.0.1", "-p", str(_port(hub)), "-t", "#", "-q", "1", "-N", *more),
                *("--cafile", str(hub / "broker" / "ca.pem"), "--cert", str(certificate), "--key", str(key)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    stranger = listen(other / "camera" / "post" / "tls.pem", other / "camera" / "post" / "tls.key")
    (certificate,), (key,) = (hub / "link").glob("*.pem"), (hub / "link").glob("*.key")
    home.until_events(4)
    home.kill("hub")  # its certificate stands for one connection
    seen = b""
    with listen(certificate, key, "-W", "180") as listener:
        assert listener.stdout is not None
        while seen.count(b"SEV1") < 4 and (more := listener.stdout.read1()):  # type: ignore[attr-defined]
            seen += more  # pieces of clips, too
        listener.terminate()
    stranger.terminate()
    assert stranger.communicate()[0] == b""
    assert seen.count(b"SEV1") >= 4
    for word in (*_words(home), b"person", b"threat"):
        assert word not in seen


def test_the_broker_speaks_tls_1_3_alone(home: RunningHome, walkers: Path) -> None:
    home.start(walkers, once=True)
    hub = home.folder / "hub"
    context = ssl.create_default_context(cafile=str(hub / "broker" / "ca.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert isinstance(_handshake(context, _port(hub)), ssl.SSLError | ConnectionError)


def _handshake(context: ssl.SSLContext, port: int) -> Exception | None:
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1"),
        ):
            return None
    except (ssl.SSLError, ConnectionError) as error:
        return error
