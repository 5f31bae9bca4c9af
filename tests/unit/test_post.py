"""The post as a real process, between the eye's end of the socket and a real broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker
from tests.rig import EyeEnd, HubClient, PostProcess, write_claim
from tests.waiting import eventually


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as made:
        yield made


def test_mail_reaches_the_hub_and_leaves_the_outbox_with_its_receipt(tmp_path: Path, broker: Broker) -> None:
    write_claim(tmp_path / "post", broker)
    with HubClient(broker) as hub, EyeEnd(tmp_path / "eye", hub.key.public) as eye:
        for _ in range(200):
            eye.append()
        with PostProcess(eye.socket, tmp_path / "post") as post:
            eventually(lambda: eye.outbox.stats().queued == 0, what="delivery")
            assert len(hub.events) == len(hub.received) == 200
            eventually(lambda: hub.beats == 1, what="a beat")
            assert eye.link.up
            assert post.stop() == 0
            eventually(lambda: not eye.link.up, what="the link's going down")
