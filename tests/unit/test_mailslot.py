"""The post's end of the socket to the eye."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.mailslot import MailSlot
from sealcam.messages import Carry, Decoder, Delivered, LinkState, Publish, Published, Side, Way, Will, encode
from sealcam.wire.errors import LinkDown


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "eye.sock"))
        made.listen()
        yield made


@pytest.fixture
def slot(listener: socket.socket) -> Iterator[MailSlot]:
    made = MailSlot(Path(listener.getsockname()))
    yield made
    made.close()


@pytest.fixture
def eye(listener: socket.socket, slot: MailSlot) -> Iterator[socket.socket]:
    peer, _ = listener.accept()
    with peer:
        peer.settimeout(10)
        yield peer


def test_an_eye_that_is_not_there_is_a_link_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(LinkDown, match="the eye isn't at") as caught:
        MailSlot(tmp_path / "eye.sock")
    assert caught.value.hint is not None


def test_what_the_eye_wants_published_comes_in_order(eye: socket.socket, slot: MailSlot) -> None:
    piece = Carry(2, Way.CLIP, bytes(16), b"two")
    eye.sendall(encode(Will(b"will")) + encode(Publish(1, b"one")) + encode(piece))
    assert slot.will is None
    slot.read()
    assert slot.will == b"will"
    assert list(slot.inbox) == [Publish(1, b"one"), piece]
    slot.read()
    assert len(slot.inbox) == 2


def test_what_an_eye_does_not_take_waits_and_is_counted(eye: socket.socket, slot: MailSlot) -> None:
    frames = [Delivered(bytes([number]) * 100_000) for number in range(20)]
    for frame in (LinkState(True), *frames, Published(1)):
        slot.send(frame)
    total = slot.unsent_bytes
    slot.write()
    slot.write()
    assert 0 < slot.unsent_bytes < total
    decoder, got = Decoder(Side.POST), []
    while len(got) < 22:
        got += decoder.feed(eye.recv(1 << 16))
        slot.write()
    assert got == [LinkState(True), *frames, Published(1)]
    assert slot.unsent_bytes == 0


def test_an_eye_that_goes_is_a_link_that_is_down(eye: socket.socket, slot: MailSlot) -> None:
    eye.close()
    with pytest.raises(LinkDown, match="the eye has gone"):
        slot.read()
    slot.send(LinkState(True))
    with pytest.raises(LinkDown, match="the eye has gone"):
        slot.write()


def test_an_eye_that_breaks_the_protocol_is_said_to(eye: socket.socket, slot: MailSlot) -> None:
    eye.sendall(encode(LinkState(True)))
    with pytest.raises(LinkDown, match="the eye broke the protocol"):
        slot.read()


@pytest.mark.parametrize(
    "said", [[Publish(1, b"one")], [Carry(1, Way.LIVE, bytes(16), b"one")], [Will(b"one"), Will(b"two")]]
)
def test_the_will_comes_first_and_once(eye: socket.socket, slot: MailSlot, said: list[Publish | Carry | Will]) -> None:
    eye.sendall(b"".join(encode(message) for message in said))
    with pytest.raises(LinkDown, match="its will comes first, and once"):
        slot.read()
