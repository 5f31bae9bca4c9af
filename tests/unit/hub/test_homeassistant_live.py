"""The live picture over HTTP: for who shows the token, as long as it counts, and a file that a player can read."""

from __future__ import annotations

import base64
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import httpx
import pytest

from sealcam.wire.errors import SealcamError
from sealcam_hub.audit_source import AuditSource
from sealcam_hub.homeassistant.live import LiveDoor, kept, new_token, shown
from sealcam_hub.homeassistant.names import ACTOR
from sealcam_hub.homeassistant.settings import Settings
from tests.broker import free_port
from tests.hubs import NS, opened
from tests.live_camera import Session
from tests.unit.hub.test_live import House
from tests.waiting import eventually


class Door:
    """A hub, a camera that shows its picture, and the listener."""

    def __init__(self, house: House) -> None:
        self.house, self.door = house, LiveDoor(house.live)
        self.token, self.kept = new_token()
        self.port = free_port()
        self.door.follow(self.settings())

    def settings(self, **changed: object) -> Settings:
        values: dict[str, object] = {"live_host": "127.0.0.1", "live_port": self.port, "token": self.kept} | changed
        return Settings("localhost", 1883, **values)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/live/{self.house.camera.alias}.mp4"

    def shows(self) -> None:
        """A session of the camera's, of three seconds, brought to the hub at once."""
        eventually(lambda: self.house.line.wishes, what="the wish")
        name = self.house.line.session
        for message in Session(self.house.camera, name, 100 * NS).all():
            self.house.live.deliver(self.house.camera.alias, name, message)
            self.house.live.run_once(0)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path / "hub") as home:
        made = Door(House(home))
        try:
            yield made
        finally:
            made.door.close()


@contextmanager
def watching(door: Door, **options: object) -> Iterator[httpx.Response]:
    with httpx.Client(timeout=20) as client, client.stream("GET", door.url, **options) as answer:  # type: ignore[arg-type]
        yield answer


def test_a_player_reads_the_pictures_as_they_come(door: Door) -> None:
    with watching(door, auth=("camera", door.token)) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
        door.shows()
        film = b""
        for piece in answer.iter_raw():
            film += piece
            if film.count(b"moof") >= 25:
                break
    with av.open(io.BytesIO(film)) as file:
        assert len(list(file.decode(video=0))) >= 20
    entries = AuditSource(door.house.home.store, door.house.home.keys, door.house.clock).newest(10).entries
    assert [one.actor for one in entries if "live view" in one.detail] == [ACTOR]


@pytest.mark.parametrize("header", ["", "Basic", "Basic !", "Bearer", "Bearer x", "Digest a", "Basic " + "A" * 9000])
def test_without_the_token_nobody_sees_anything(door: Door, header: str) -> None:
    headers = {"authorization": header} if header else {}
    with watching(door, headers=headers) as answer:
        assert answer.status_code == 401
    assert door.house.line.wishes == []
    assert httpx.get(door.url, params={"token": door.token}).status_code == 401
    assert httpx.get(door.url.replace("/live/", "/"), auth=("camera", door.token)).status_code == 404


def test_who_has_the_token_learns_nothing_of_other_names(door: Door) -> None:
    for alias in ("0" * 16, "x", "..%2f" + door.house.camera.alias):
        url = door.url.replace(door.house.camera.alias, alias)
        assert httpx.get(url, auth=("camera", door.token)).status_code in (401, 404)


def test_a_token_that_is_revoked_ends_what_runs(door: Door) -> None:
    with watching(door, auth=("camera", door.token)) as answer:
        door.shows()
        pieces = answer.iter_raw()
        assert next(pieces)
        door.kept = new_token()[1]
        door.door.follow(door.settings())
        for _ in pieces:
            pass  # it ends
    assert httpx.get(door.url, auth=("camera", door.token)).status_code == 401


def test_turned_off_nobody_listens(door: Door) -> None:
    door.door.follow(door.settings(token="", live_host="", live_port=0))
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", door.port), 2)
    door.door.follow(door.settings())
    assert httpx.get(door.url).status_code == 401
    door.door.follow(None)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", door.port), 2)


def test_a_port_that_is_taken_is_told(door: Door) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SealcamError, match="can't listen at"):
        door.door.follow(door.settings(live_port=taken.getsockname()[1]))


def test_a_token_is_taken_as_password_or_bearer() -> None:
    token, mark = new_token()
    assert kept(token) == mark
    assert token not in mark
    assert shown("Basic " + base64.b64encode(f"anybody:{token}".encode()).decode()) == token
    assert shown(f"Bearer {token}") == token
    assert shown("Basic " + base64.b64encode(b"\xff\xff").decode()) == ""
