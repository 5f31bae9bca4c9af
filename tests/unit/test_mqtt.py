"""One connection to a real broker: accepted, refused for every reason there is, and ended."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sealcam.mqtt import MAX_INCOMING_BYTES, Came, Done, Event, Session, Up
from sealcam.tls import Address, tls_context
from sealcam.wire.errors import ConfigError, LinkDown
from tests.broker import Authority, Broker
from tests.rig import ALIAS, WILL, HubClient
from tests.waiting import eventually

# paho drops the socket of a handshake that failed without closing it; it is closed when the error is let go
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("shared")) as made:
        yield made


@pytest.fixture
def address(shared: Broker) -> Address:
    return address_at(shared)


def address_at(broker: Broker, alias: str = ALIAS) -> Address:
    certificate, key = broker.certificate(alias)
    return Address(alias, broker.host, broker.port, certificate, key, broker.ca_pem)


class Driver:
    """Polls a session as the post does."""

    def __init__(self, address: Address) -> None:
        self.session = Session(address, WILL)
        self.seen: list[Event] = []

    def turn(self) -> None:
        poll = select.poll()
        poll.register(self.session, select.POLLIN | (select.POLLOUT if self.session.wants_write else 0))
        ready = dict(poll.poll(0 if self.session.has_unread else 100)).get(self.session.fileno(), 0)
        self.seen += self.session.step(read=bool(ready & ~select.POLLOUT), write=bool(ready & select.POLLOUT))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            self.turn()
            assert time.monotonic() < deadline, f"it did not happen; seen: {self.seen[-5:]}"

    def up(self) -> None:
        self.session.connect()
        self.until(lambda: Up() in self.seen)

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()


def why_down(address: Address) -> LinkDown:
    """Why a session for `address` doesn't come up."""
    with Driver(address) as driver, pytest.raises(LinkDown) as caught:
        driver.up()
    assert caught.value.hint is not None
    return caught.value


def test_a_message_is_done_when_the_broker_has_it(shared: Broker, address: Address) -> None:
    with HubClient(shared, answers=False) as hub, Driver(address) as driver:
        driver.up()
        for size in (1, 1000, 1_100_000):
            driver.seen.clear()
            driver.session.publish(b"m" * size)
            driver.until(lambda: bool(driver.seen))
            assert driver.seen == [Done()]
        driver.until(lambda: len(hub.received) == 3)
        assert [len(message) for message in hub.received] == [1, 1000, 1_100_000]


def test_what_is_sent_to_this_camera_comes_and_what_is_for_another_does_not(shared: Broker, address: Address) -> None:
    with HubClient(shared) as hub, Driver(address) as driver:
        driver.up()
        hub.send(b"for another", alias="fedcba9876543210")
        hub.send(b"for this one")
        driver.until(lambda: Came(b"for this one") in driver.seen)
        assert Came(b"for another") not in driver.seen


def test_many_messages_in_one_tls_record_all_come(shared: Broker, address: Address) -> None:
    with HubClient(shared) as hub, Driver(address) as driver:
        driver.up()
        for number in range(300):
            hub.send(b"%d" % number)
        driver.until(lambda: len(driver.seen) == 301)
        assert driver.seen[1:] == [Came(b"%d" % number) for number in range(300)]


def test_the_broker_sends_nothing_bigger_than_the_eye_takes(shared: Broker, address: Address) -> None:
    with HubClient(shared) as hub, Driver(address) as driver:
        driver.up()
        hub.send(bytes(MAX_INCOMING_BYTES + 1))
        hub.send(b"after")
        driver.until(lambda: Came(b"after") in driver.seen)
        assert driver.seen == [Up(), Came(b"after")]


def test_publishing_for_another_camera_is_refused_and_said(shared: Broker, address: Address) -> None:
    with HubClient(shared) as hub, Driver(replace(address, alias="fedcba9876543210")) as driver:
        driver.up()
        driver.session.publish(b"not mine")
        driver.until(lambda: Done("Not authorized") in driver.seen)
        assert hub.received == []


def test_more_than_the_broker_takes_is_refused_without_sending_it(shared: Broker, address: Address) -> None:
    with Driver(address) as driver:
        driver.up()
        driver.session.publish(bytes(3 << 20))
        driver.until(lambda: len(driver.seen) == 2)
        assert isinstance(driver.seen[1], Done)
        assert driver.seen[1].refused is not None
        driver.session.publish(b"small")
        driver.until(lambda: Done() in driver.seen)


def test_what_the_broker_takes_is_told_with_the_refusal_and_fits_with_its_topic(tmp_path: Path) -> None:
    with Broker(tmp_path, extra="max_packet_size 20000\n") as broker, HubClient(broker) as hub:
        with Driver(address_at(broker)) as driver:
            driver.up()
            driver.session.publish(bytes(20_000), f"clip/{'00' * 16}")
            driver.until(lambda: len(driver.seen) == 2)
            refused = driver.seen[1]
            assert isinstance(refused, Done)
            assert refused.refused is not None
            assert 19_000 < refused.limit_bytes < 20_000
            for qos, folder in ((1, "clip"), (0, "live")):
                driver.session.publish(bytes(refused.limit_bytes), f"{folder}/{'00' * 16}", qos)
                driver.until(lambda: driver.seen.count(Done()) == 2 - qos)  # noqa: B023
        eventually(lambda: [way for way, _ in hub.order] == ["clip", "live"], what="their coming")


def test_what_nobody_acknowledges_is_done_when_it_has_left(shared: Broker, address: Address) -> None:
    with HubClient(shared) as hub, Driver(address) as driver:
        driver.up()
        for size in (1, 1_000_000, 100_000):
            driver.seen.clear()
            driver.session.publish(size.to_bytes(4, "big").ljust(size, b"."), f"live/{'0f' * 16}", 0)
            driver.until(lambda: bool(driver.seen))
            assert driver.seen == [Done()]
            assert not driver.session.leaving
        eventually(lambda: len(hub.order) == 3, what="their coming")


def test_before_it_is_up_nothing_can_be_published_or_queued(address: Address) -> None:
    with Driver(address) as driver:
        with pytest.raises(LinkDown):
            driver.session.publish(b"early")
        driver.session.connect()
        with pytest.raises(LinkDown):
            driver.session.publish(b"early")


def test_two_sessions_of_one_camera_dont_throw_each_other_out(address: Address) -> None:
    with Driver(address) as one, Driver(address) as other:
        one.up()
        other.up()
        for driver in (one, other):
            driver.session.publish(b"here")
            driver.until(lambda: Done() in driver.seen)  # noqa: B023


def test_a_broker_of_another_home_is_refused(address: Address, tmp_path: Path) -> None:
    error = why_down(replace(address, authority=Authority(tmp_path, "another authority").pem))
    assert "is not this home's" in error.message


def test_a_broker_with_another_name_is_refused(tmp_path: Path) -> None:
    with Broker(tmp_path, names=("elsewhere.example",)) as broker:
        error = why_down(address_at(broker))
    assert "is not this home's" in error.message
    assert "not valid for 'localhost'" in error.message


def test_a_certificate_that_the_broker_does_not_know_is_said_to_be_refused(address: Address, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path, "another authority").certificate(ALIAS)
    error = why_down(replace(address, certificate=certificate, key=key))
    assert "refuses this camera's certificate" in error.message or "without accepting" in error.message
    assert error.hint is not None
    assert "claimed by another hub" in error.hint


def test_an_unknown_host_is_said_to_be_unknown(address: Address) -> None:
    assert "unknown" in why_down(replace(address, host="no-such-host.invalid")).message


def test_a_port_where_nobody_listens_is_said(address: Address) -> None:
    assert "nobody listens" in why_down(replace(address, port=1)).message


def test_a_port_that_is_not_a_brokers_is_said(address: Address) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        session = Session(replace(address, host="127.0.0.1", port=server.getsockname()[1]), WILL)
        answer_with_nonsense(server)
        with pytest.raises(LinkDown, match=r"no TLS 1\.3") as caught:
            session.connect()
    assert caught.value.hint is not None


def answer_with_nonsense(server: socket.socket) -> None:
    """Let the next one who connects read something that is no TLS."""

    def answer() -> None:
        peer, _ = server.accept()
        with peer:
            peer.sendall(b"220 mail.example ESMTP\r\n")
            peer.recv(1 << 16)

    threading.Thread(target=answer, daemon=True).start()


def test_a_broker_that_dies_ends_the_session_with_a_reason(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Driver(address_at(broker)) as driver:
        driver.up()
        broker.kill()
        with pytest.raises(LinkDown, match="the connection to the broker ended"):
            driver.until(lambda: False)
        with pytest.raises(LinkDown):
            driver.session.publish(b"late")


@pytest.mark.parametrize("name", ["certificate", "key", "authority"])
@pytest.mark.parametrize("content", [None, b"", b"not a PEM file"])
def test_a_missing_or_damaged_file_of_the_claim_is_one_clear_error(
    address: Address, tmp_path: Path, name: str, content: bytes | None
) -> None:
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match="can't use") as caught:
        tls_context(replace(address, **{name: file}))
    assert caught.value.hint is not None
    assert "claim" in caught.value.hint


def test_a_key_of_another_certificate_is_one_clear_error(shared: Broker, address: Address) -> None:
    _, key = shared.certificate("fedcba9876543210")
    with pytest.raises(ConfigError, match="can't use"):
        tls_context(replace(address, key=key))


def test_a_connection_that_breaks_leaves_the_will_and_one_that_is_closed_does_not(
    shared: Broker, address: Address
) -> None:
    with HubClient(shared) as hub:
        with Driver(address) as driver:
            driver.up()
        with Driver(address) as broken:
            broken.up()
            sock = socket.socket(fileno=os.dup(broken.session.fileno()))
            sock.shutdown(socket.SHUT_RDWR)
            sock.close()
            with pytest.raises(LinkDown):
                broken.until(lambda: False)
        eventually(lambda: hub.wills, what="the will")
        assert hub.wills == [WILL]
