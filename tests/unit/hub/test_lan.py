"""The console on the LAN: off until it is turned on, TLS under one name, an authority that vouches for nothing else."""

from __future__ import annotations

import datetime as dt
import http.client
import plistlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from sealcam.wire.errors import ConfigError
from sealcam_hub import lan, lan_ca
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.console.guard import CONTENT_POLICY
from sealcam_hub.console.server import Beside, ConsoleServer
from sealcam_hub.folder import Folder
from sealcam_hub.lan import Lan
from sealcam_hub.lan_front import LanFront
from sealcam_hub.lan_tls import CHECK_NS, Hosts, LanTls, own_addresses
from tests.hubs import NS, WALL_NS, opened
from tests.unit.hub.household import housed

NAME = "sealcam.local"
NOW = dt.datetime.fromtimestamp(WALL_NS // NS, dt.UTC)
DAY_S = 24 * 3600


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.create()
    return made


def verified(authority: x509.Certificate, certificate: bytes, name: str, now: dt.datetime = NOW) -> bool:
    """Whether a verifier that isn't ours takes the certificate for that name."""
    verifier = PolicyBuilder().store(Store([authority])).time(now)
    try:
        verifier.build_server_verifier(x509.DNSName(name)).verify(x509.load_pem_x509_certificate(certificate), [])
    except VerificationError:
        return False
    return True


# Turned on and off.


def test_it_is_off_until_it_is_turned_on(folder: Folder) -> None:
    assert lan.read(folder) is None
    assert not (folder.path / "ca" / "console.key").exists()
    assert lan.turn_on(folder, Lan(NAME))
    assert lan.read(folder) == Lan(NAME)
    lan.turn_off(folder)
    assert lan.read(folder) is None
    assert (folder.path / "ca" / "console.key").stat().st_mode & 0o777 == 0o600


def test_a_hub_where_it_is_off_listens_nowhere_and_shows_no_way(tmp_path: Path) -> None:
    with opened(tmp_path) as home, ExitStack() as stack:
        front = LanFront(home, ("localhost",))
        assert front.listeners(None, stack) == ()  # type: ignore[arg-type]
        assert front.ways.lan is None
        assert list(front.hosts) == ["localhost"]


def test_turned_on_again_phones_go_on_trusting_it_unless_the_name_is_another(folder: Folder) -> None:
    lan.turn_on(folder, Lan(NAME))
    before = lan_ca.fingerprint(lan.authority(folder))
    lan.turn_off(folder)
    assert not lan.turn_on(folder, Lan(NAME, port=9443))
    assert lan_ca.fingerprint(lan.authority(folder)) == before
    assert lan.turn_on(folder, Lan("hub.home.arpa"))
    assert lan_ca.fingerprint(lan.authority(folder)) != before


@pytest.mark.parametrize(
    "name", ["", "localhost", "a.localhost", "192.168.1.5", "hub", "-x.local", "a b.local", "fe80::1"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        lan.check_name(name)


@pytest.mark.parametrize("name", [NAME, "Hub.Home.arpa", "a.b-c.example.org."])
def test_a_name_is_kept_in_lower_case(name: str) -> None:
    assert lan.check_name(name) == name.lower().rstrip(".")


# What is vouched for.


def test_a_verifier_takes_the_certificate_for_the_name_and_no_other() -> None:
    authority = lan_ca.new_authority(NAME)
    _, certificate = lan_ca.server_certificate(authority, NAME, ["192.168.1.5"], NOW)
    assert verified(authority.certificate, certificate, NAME)
    assert not verified(authority.certificate, certificate, "bank.example")
    assert not verified(lan_ca.new_authority(NAME).certificate, certificate, NAME)


@pytest.mark.parametrize("name", ["bank.example", "local", "evil-sealcam.local", "localhost"])
def test_a_thief_with_the_authority_passes_for_no_other_site(name: str) -> None:
    authority = lan_ca.new_authority(NAME)
    _, forged = lan_ca.server_certificate(authority, name, [], NOW)
    assert not verified(authority.certificate, forged, name)


def test_the_authority_is_not_the_brokers_and_lets_no_other_below_it(tmp_path: Path) -> None:
    with opened(tmp_path) as home:
        lan.turn_on(home.folder, Lan(NAME))
        assert lan.authority(home.folder).certificate != home.authority().certificate
        limits = lan.authority(home.folder).certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        assert (limits.critical, limits.value.path_length) == (True, 0)
        names = lan.authority(home.folder).certificate.extensions.get_extension_for_class(x509.NameConstraints)
        assert names.critical


def test_phones_take_how_long_it_lasts() -> None:
    _, certificate = lan_ca.server_certificate(lan_ca.new_authority(NAME), NAME, [], NOW)
    read = x509.load_pem_x509_certificate(certificate)
    assert read.not_valid_after_utc - read.not_valid_before_utc < dt.timedelta(days=825)


# While it is served.


def handshake(tls: LanTls, authority: bytes, name: str = NAME) -> x509.Certificate:
    """The certificate that a client is shown now, who trusts that authority alone."""
    client = ssl.create_default_context(cadata=authority)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(inward, outward, server_hostname=name)
    there = tls.context.wrap_bio(outward, inward, server_side=True)
    for _ in range(4):
        for one in (here, there):
            try:
                one.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = here.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown)


def test_the_certificate_is_made_anew_before_it_ends_without_a_restart(folder: Folder) -> None:
    lan.turn_on(folder, Lan(NAME))
    clock = SimulatedClock(wall_ns=int(dt.datetime.now(dt.UTC).timestamp()) * NS)
    tls = LanTls(folder, Lan(NAME), clock, lambda: ())
    trusted = lan_ca.der(lan.authority(folder))
    first = handshake(tls, trusted)
    clock.advance(CHECK_NS / NS)
    assert handshake(tls, trusted) == first
    clock.advance((lan_ca.LIFE - lan_ca.EARLY).days * DAY_S - 2 * DAY_S)
    assert handshake(tls, trusted) == first
    clock.advance(2 * DAY_S)
    # Until a client's clock is there, too, this one is of the future to it: its date is what counts here.
    tls.names()
    made = x509.load_pem_x509_certificate((folder.path / "ca" / "lan.pem").read_bytes())
    assert made != first
    assert made.not_valid_after_utc > first.not_valid_after_utc


def test_a_new_address_of_the_machine_is_in_the_certificate_and_among_its_names(folder: Folder) -> None:
    lan.turn_on(folder, Lan(NAME))
    clock = SimulatedClock(wall_ns=int(dt.datetime.now(dt.UTC).timestamp()) * NS)
    addresses = ["192.168.1.5"]
    tls = LanTls(folder, Lan(NAME), clock, lambda: tuple(addresses))
    trusted = lan_ca.der(lan.authority(folder))
    handshake(tls, trusted, "192.168.1.5")
    addresses[0] = "10.0.0.7"
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tls, trusted, "10.0.0.7")
    clock.advance(CHECK_NS / NS)
    handshake(tls, trusted, "10.0.0.7")
    assert list(Hosts(("localhost",), tls)) == ["localhost", NAME, "10.0.0.7"]


def test_started_again_it_shows_the_same_certificate(folder: Folder) -> None:
    lan.turn_on(folder, Lan(NAME))
    clock = SimulatedClock(wall_ns=int(dt.datetime.now(dt.UTC).timestamp()) * NS)
    trusted = lan_ca.der(lan.authority(folder))
    shown = {handshake(LanTls(folder, Lan(NAME), clock, lambda: ()), trusted).serial_number for _ in range(3)}
    assert len(shown) == 1


def test_only_private_addresses_are_this_machines() -> None:
    assert all(lan_ca.private(one) for one in own_addresses())
    assert not lan_ca.private("8.8.8.8")
    assert not lan_ca.private("127.0.0.1")
    assert not lan_ca.private(NAME)


# Over the wire.


@contextmanager
def served(tmp_path: Path) -> Iterator[tuple[int, int, int, bytes]]:
    """A console that is on the LAN: its loopback port, those of the LAN, and the authority to trust."""
    ports = free_port(), free_port()
    with housed(tmp_path / "hub", hosts=("localhost", NAME)) as house, ExitStack() as stack:
        lan.turn_on(house.home.folder, Lan(NAME, *ports))
        house.home.clock.__init__(wall_ns=int(dt.datetime.now(dt.UTC).timestamp()) * NS)  # type: ignore[misc]
        front = LanFront(house.home, ("localhost",))
        beside: tuple[Beside, ...] = front.listeners(house.app, stack)
        server = ConsoleServer(house.app, beside=beside)
        loopback = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [loopback]})
        thread.start()
        try:
            yield (loopback.getsockname()[1], *ports, lan_ca.der(lan.authority(house.home.folder)))
        finally:
            server.should_exit = True
            thread.join()


def test_loopback_tls_and_the_page_for_phones_are_served_side_by_side(tmp_path: Path) -> None:
    with served(tmp_path) as (loopback, port, prepare, trusted):
        plain = http.client.HTTPConnection("127.0.0.1", loopback, timeout=20)
        plain.request("GET", "/", headers={"Host": f"localhost:{loopback}"})
        assert "Sign in" in plain.getresponse().read().decode()

        client = ssl.create_default_context(cadata=trusted)
        with (
            socket.create_connection(("127.0.0.1", port), 20) as raw,
            client.wrap_socket(raw, server_hostname=NAME) as tls,
        ):
            tls.sendall(f"GET / HTTP/1.1\r\nHost: {NAME}:{port}\r\nConnection: close\r\n\r\n".encode())
            said = b"".join(iter(lambda: tls.recv(65536), b"")).decode()
        assert said.startswith("HTTP/1.1 403")
        assert "Sign in with a passkey" in said

        asked = http.client.HTTPConnection("127.0.0.1", prepare, timeout=20)
        found: dict[str, http.client.HTTPResponse] = {}
        bodies: dict[str, bytes] = {}
        paths = (
            "/",
            "/sealcam-console.crt",
            "/sealcam-console.mobileconfig",
            "/lan.css",
            "/log",
            "/login",
            "/static/base.css",
        )
        for path in paths:
            asked.request("GET", path, headers={"Host": f"{NAME}:{prepare}"})
            found[path] = asked.getresponse()
            bodies[path] = found[path].read()
        assert [found[path].status for path in paths] == [200, 200, 200, 200, 404, 404, 404]
        fingerprint = lan_ca.fingerprint(lan_ca.Authority(None, x509.load_der_x509_certificate(trusted)))  # type: ignore[arg-type]
        assert fingerprint.encode() in bodies["/"]
        assert bodies["/sealcam-console.crt"] == trusted
        profile = plistlib.loads(bodies["/sealcam-console.mobileconfig"])
        assert profile["PayloadContent"][0]["PayloadContent"] == trusted
        assert all(one.getheader("set-cookie") is None for one in found.values())
        assert found["/"].getheader("content-security-policy") == CONTENT_POLICY
        assert found["/sealcam-console.crt"].getheader("content-type") == "application/x-x509-ca-cert"
        assert "script" not in bodies["/"].decode()

        asked.request("GET", "/", headers={"Host": "evil.example"})
        assert asked.getresponse().status == 421
        asked.close()
        plain.close()


def test_over_tls_the_cookie_is_secure_and_belongs_to_the_host(tmp_path: Path) -> None:
    with served(tmp_path) as (_, port, _, trusted):
        client = ssl.create_default_context(cadata=trusted)
        with (
            socket.create_connection(("127.0.0.1", port), 20) as raw,
            client.wrap_socket(raw, server_hostname=NAME) as tls,
        ):
            body = "passphrase=four+words+that+nobody+knows"
            head = (
                f"POST /login HTTP/1.1\r\nHost: {NAME}:{port}\r\nOrigin: https://{NAME}:{port}\r\nConnection: close\r\n"
            )
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
            tls.sendall((head + body).encode())
            said = b"".join(iter(lambda: tls.recv(65536), b"")).decode()
        assert said.startswith("HTTP/1.1 303"), said
        cookie = next(line for line in said.splitlines() if line.lower().startswith("set-cookie"))
        assert f"__Host-sealcam-{port}=" in cookie
        assert all(part in cookie.lower() for part in ("secure", "httponly", "samesite=strict", "path=/"))
