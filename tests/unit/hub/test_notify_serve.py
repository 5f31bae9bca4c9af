"""A real hub behind a real broker tells a service of a threat: once, and over a kill; a service that hangs holds up
no receipt."""

from __future__ import annotations

import json
import subprocess
import threading

from sealcam.wire.errors import EnvelopeError
from sealcam.wire.sealed import envelope_hash
from tests.listener import Heard, Listener, listening
from tests.unit.hub.test_serve import HUB, Place, place, post
from tests.waiting import eventually

__all__ = ["place"]


def words(listener: Listener) -> list[str]:
    return [json.loads(one.body)["message"] for one in listener.heard]


def add(there: Place, listener: Listener) -> None:
    address = listener.origin.replace("http", "json") + "/chat\n"
    command = [HUB, "--state", str(there.folder.path), "notify", "add", "Family"]
    subprocess.run(command, input=address.encode(), capture_output=True, check=True)


def test_a_threat_reaches_a_service_once_over_a_kill(place: Place) -> None:
    with listening() as listener:
        camera = place.claim("Front door")
        add(place, listener)
        place.start_broker()
        place.start_hub()
        place.until_receiving()
        with post(place, camera) as sends:
            sends.send(camera.incident(1))
            eventually(lambda: len(listener.heard) == 1, 30, "the first is told")
            place.kill_hub()
            place.start_hub()
            place.until_receiving(2)
            sends.send(camera.incident(2))
            eventually(lambda: len(listener.heard) == 2, 60, "the second is told")
        assert len(listener.heard) == 2
        assert all(one.startswith("Front door: person") for one in words(listener))
        assert "/chat" not in place.log.read_text()


def test_a_service_that_hangs_holds_up_no_receipt(place: Place) -> None:
    with listening() as listener:
        asked, released = threading.Event(), threading.Event()
        keep = listener.take

        def hang(heard: Heard) -> int:
            asked.set()
            released.wait(60)
            return keep(heard)

        listener.take = hang  # type: ignore[method-assign]
        camera = place.claim("Front door")
        add(place, listener)
        place.start_broker()
        place.start_hub()
        place.until_receiving()
        try:
            with post(place, camera) as sends:
                sends.send(camera.incident(1))
                assert asked.wait(30)
                envelopes = [camera.incident(number) for number in range(2, 40)]
                for envelope in envelopes:
                    sends.send(envelope)
                wanted = {envelope_hash(one) for one in envelopes}

                def receipted() -> bool:
                    found = set()
                    for answer in list(sends.came):
                        try:
                            found.add(camera.receipted(answer))
                        except EnvelopeError:  # prekeys come on the same topic
                            continue
                    return wanted <= found

                eventually(receipted, 30, "every receipt")
                assert not released.is_set()
                assert listener.heard == []
        finally:
            released.set()
