"""What hubs say to each other, through the real broker that `init` configured and its access list."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sealcam.wire.live import MAX_MESSAGE_BYTES
from sealcam.wire.piece import MAX_PIECE_BYTES
from sealcam.wire.sealed import MAX_ENVELOPE_BYTES
from sealcam.wire.statement import MAX_STATEMENT_BYTES
from sealcam_hub import ca, mosquitto
from sealcam_hub.broker import BrokerLink
from sealcam_hub.folder import Access, Address, Folder
from tests.broker import free_port
from tests.hubs import make
from tests.waiting import eventually

ALIAS = "a1" * 8


class Ear:
    """A hub's link, and all that it hears."""

    def __init__(self, folder: Folder, name: str) -> None:
        authority = ca.load_authority(folder.read("ca/ca.key"), folder.read("ca/ca.pem"))
        key, certificate = ca.client_certificate(authority, name)
        part = folder.path / name
        part.mkdir()
        for file, data in (("key", key), ("pem", certificate)):
            (part / file).write_bytes(data)
        self.folder = folder
        address = folder.settings().broker
        access = Access(address, name, part / "pem", part / "key", folder.path / "ca" / "ca.pem")
        self.mail: list[tuple[str, bytes]] = []
        self.asks: list[tuple[str, bytes]] = []
        self.clips: list[tuple[str, bytes, bytes]] = []
        self.lives: list[tuple[str, bytes, bytes]] = []
        self.told: list[bytes] = []
        self.link = BrokerLink(
            access,
            lambda alias, one: self.mail.append((alias, one)),
            lambda name, one: self.asks.append((name, one)),
            told=self.told.append,
            clip=lambda *one: self.clips.append(one),
            live=lambda *one: self.lives.append(one),
        )


@pytest.fixture
def ears(tmp_path: Path) -> Iterator[list[Ear]]:
    """The home hub's, and two other hubs'."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        pytest.skip("no mosquitto on this machine")
    port = free_port()
    folder = make(tmp_path / "hub", Address("localhost", port))
    names = [folder.settings().link_name, "hub-second", "hub-third"]
    folder.write("broker/acl", mosquitto.access_list(names).encode())
    conf = folder.path / "broker" / "mosquitto.conf"
    with ExitStack() as stack:
        broker = subprocess.Popen([program, "-c", str(conf)], stderr=subprocess.DEVNULL)
        stack.callback(broker.wait)
        stack.callback(broker.kill)
        eventually(lambda: listens(port), what="the broker")
        found = [Ear(folder, name) for name in names]
        for ear in found:
            ear.link.start()
            stack.callback(ear.link.stop)
        eventually(lambda: all(ear.link.up for ear in found), what="three hubs at the broker")
        yield found


def listens(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port), 1).close()
    except OSError:
        return False
    return True


def test_an_ask_reaches_the_home_hub_alone_and_its_answer_the_asker_alone(ears: list[Ear]) -> None:
    home, second, third = ears

    def ask() -> bool:
        second.link.ask(b"what did I miss?")
        return bool(home.asks)

    eventually(ask, what="the ask")
    assert home.asks[0] == ("hub-second", b"what did I miss?")

    def fill() -> bool:
        home.link.fill("hub-second", ALIAS.encode() + b"an envelope")
        return bool(second.mail)

    eventually(fill, what="the answer")
    assert second.mail[0] == (ALIAS, b"an envelope")
    third.link.fill("hub-second", ALIAS.encode() + b"a lie")
    third.link.ask(b"the last word")
    eventually(lambda: ("hub-third", b"the last word") in home.asks, what="another hub's ask")
    assert (ALIAS, b"a lie") not in second.mail
    assert second.asks == third.asks == []
    assert third.mail == []


def test_what_is_no_fill_is_dropped(ears: list[Ear]) -> None:
    home, second, _ = ears

    def fill() -> bool:
        for message in (b"", b"short", b"Z" * 16 + b"x", b"SGN1" + bytes(MAX_STATEMENT_BYTES), b"SGN1 a statement"):
            home.link.fill("hub-second", message)
        home.link.fill("hub-second", ALIAS.encode() + b"good")
        return bool(second.mail)

    eventually(fill, what="the good one")
    assert {alias for alias, _ in second.mail} == {ALIAS}
    assert set(second.told) == {b"SGN1 a statement"}, "told apart before anything is parsed"


def test_pieces_of_clips_and_live_views_reach_the_home_hub_alone_by_what_they_are_called(ears: list[Ear]) -> None:
    home, second, _ = ears
    name = bytes(range(16))
    camera = Ear(home.folder, ALIAS)
    camera.link.start()
    try:

        def said() -> bool:
            for kind in ("clip", "live", "gossip"):
                camera.link._publish(f"sealcam/{ALIAS}/{kind}/{name.hex()}", kind.encode())
            camera.link._publish(f"sealcam/{ALIAS}/clip/{name.hex()[2:]}", b"no name")
            camera.link._publish(f"sealcam/{'b' * 16}/clip/{name.hex()}", b"not its own")
            return bool(home.clips and home.lives)

        eventually(said, what="a piece and a part")
    finally:
        camera.link.stop()
    assert set(home.clips) == {(ALIAS, name, b"clip")}
    assert set(home.lives) == {(ALIAS, name, b"live")}
    assert second.clips == second.lives == home.mail == []


def test_what_is_longer_than_its_kind_can_be_is_dropped_before_anybody_keeps_it(ears: list[Ear]) -> None:
    home, _, third = ears
    name = bytes(range(16)).hex()
    most = {
        "ev": MAX_ENVELOPE_BYTES,
        f"clip/{name}": MAX_PIECE_BYTES,
        f"live/{name}": MAX_MESSAGE_BYTES,
    }
    camera = Ear(home.folder, ALIAS)
    camera.link.start()
    try:
        eventually(lambda: camera.link.up, what="the camera's link")
        for topic, size in most.items():
            for message in (bytes(size + 1), bytes(size)):
                camera.link._publish(f"sealcam/{ALIAS}/{topic}", message)
        eventually(lambda: bool(home.mail and home.clips and home.lives), what="what isn't too long")
    finally:
        camera.link.stop()
    assert [len(one[-1]) for one in (*home.mail, *home.clips, *home.lives)] == list(most.values())
    for message in (bytes(MAX_STATEMENT_BYTES + 1), bytes(MAX_STATEMENT_BYTES)):
        third.link.ask(message)
    eventually(lambda: bool(home.asks), what="the ask")
    assert [len(message) for _, message in home.asks] == [MAX_STATEMENT_BYTES]
