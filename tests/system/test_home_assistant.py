"""A real Home Assistant at the hub's own broker: what it shows, what it may do, and what nothing may lose."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from tests.system.assistant import FILMS, PLACE, Assistant, cached_home_assistant
from tests.system.conftest import booted
from tests.system.container import Container, eventually
from tests.system.root import REPO, VENV
from tests.system.test_home import BROKER, BROKER_UNIT, HUB, PORT, STATE

CODE = "271828"
PARTS = ("hub", "broker", "assistant")
UNITS = {"hub": HUB, "broker": BROKER}
RESTARTS = tuple(PARTS[part] for part in (0, 1, 2, 0, 1, 0, 2, 1, 0))  # each of the six orders is three of them running
LASTING = (
    "alarm_control_panel.porch_watch",
    "binary_sensor.porch_connection",
    "binary_sensor.porch_tampering",
    "binary_sensor.sealcam_hub_problem",
    "number.porch_sensitivity",
    "switch.porch_privacy",
)
FILES, CLIENTS = "/var/lib/sealcam-hub-assistant", "/var/lib/sealcam-hub-clients"
IN_REPO = ("env", "PYTHONPATH=/mnt/repo", "PYTHONDONTWRITEBYTECODE=1")
_SET_CODE = f"""
from dataclasses import replace
from pathlib import Path
from sealcam_hub.folder import Folder
from sealcam_hub.homeassistant import code
from sealcam_hub.homeassistant.settings import load, save
folder = Folder(Path("{STATE}"))
save(folder, replace(load(folder), code=code.kept("{CODE}")))
"""


class House:
    """Broker, hub and Home Assistant, each a unit, and cameras that are played."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.assistant = Assistant(container)
        self.broker: dict[str, object] = {"broker": "localhost", "port": PORT, "discovery": True}
        self.broker["discovery_prefix"] = "homeassistant"
        self._cameras: subprocess.Popen[str] | None = None

    def hub(self, *argv: str) -> str:
        """A command of the hub's, as the hub's user."""
        return self._user(f"{VENV}/bin/sealcam-hub", "--state", STATE, *argv)

    def python(self, script: str) -> str:
        """A script as the hub's user."""
        return self._user(f"{VENV}/bin/python", "-c", script)

    def _user(self, *argv: str) -> str:
        return self.container.run("runuser", "-u", "sealcam-hub", "--", *argv)

    def play(self, camera: str, do: str, **order: object) -> str:
        """Have a camera do something; its alias."""
        self.order(camera, do, **order)
        return self.done()

    def order(self, camera: str, do: str, **order: object) -> None:
        """Tell a camera to do something, which may take until somebody hears it."""
        if self._cameras is None:
            python = (*IN_REPO, f"{VENV}/bin/python", "-m", "tests.system.played", STATE, CLIENTS)
            self._cameras = self.container.begin("runuser", "-u", "sealcam-hub", "--", *python)
        assert self._cameras.stdin is not None
        self._cameras.stdin.write(json.dumps({"camera": camera, "do": do, **order}) + "\n")
        self._cameras.stdin.flush()

    def done(self) -> str:
        """Wait until it has done so; its alias."""
        assert self._cameras is not None
        assert self._cameras.stdout is not None
        alias: str = json.loads(self._cameras.stdout.readline())["alias"]
        return alias

    def down(self, part: str) -> None:
        """End Home Assistant, the broker or the hub as a power cut does."""
        if part == "assistant":
            self.assistant.kill()
        else:
            self.container.kill(UNITS[part], "KILL")
            self.container.call("systemctl", "stop", UNITS[part])

    def up(self, part: str) -> None:
        """Start it."""
        if part == "assistant":
            self.assistant.start()
        else:
            self.container.start(UNITS[part])

    def lasting(self) -> dict[str, str]:
        """The states that no restart may change."""
        found = self.assistant.states()
        firmware = found.get("update.porch_firmware", {}).get("attributes", {}).get("installed_version") or ""
        return {name: found.get(name, {}).get("state", "") for name in LASTING} | {"firmware": firmware}

    def close(self) -> None:
        """End the cameras."""
        if self._cameras is not None:
            self._cameras.kill()
            with self._cameras:
                pass

    def state(self, entity: str) -> str:
        """An entity's state; empty where there is none."""
        found: str = self.assistant.states().get(entity, {}).get("state", "")
        return found

    def attributes(self, entity: str) -> dict[str, Any]:
        """An entity's attributes."""
        found: dict[str, Any] = self.assistant.states().get(entity, {}).get("attributes", {})
        return found

    def becomes(self, entity: str, state: str, within_s: float = 60) -> None:
        """Wait for a state."""
        eventually(lambda: self.state(entity) == state, within_s, f"{entity} is {state}\n{self.journal()}")

    def incident(self, number: int, stage: str = "new", **order: object) -> None:
        """A person before the porch."""
        self.play("Porch", "incident", number=number, stage=stage, **order)

    def shows(self, number: int, stage: str) -> bool:
        """Whether the event entity's newest report is that one."""
        told = self.attributes("event.porch_incident")
        return told.get("event_type") == stage and str(told.get("incident", "")).endswith(f"-{number:016x}")

    def journal(self) -> str:
        """What the hub said last."""
        return self.container.journal(HUB)

    def client(self, who: str, *words: str) -> tuple[str, ...]:
        """The command of a client at the broker, with Home Assistant's certificate (`account`) or an alias's."""
        names = ("ca.pem", "client.pem", "client.key") if who == "account" else ("ca", "pem", "key")
        folder = FILES if who == "account" else f"{CLIENTS}/{who}"
        files = [f"{folder}/{name}" for name in names]
        return (*IN_REPO, f"{VENV}/bin/python", "-m", "tests.system.mqtt_client", *files, str(PORT), *words)

    def listen(self, who: str) -> Listener:
        """Such a client, which hears whatever it may."""
        return Listener(self.container.begin(*self.client(who, "listen", "#", "sealcam/#", "sealcam-home/#")))


class Listener:
    """A client at the broker, and all that it has heard."""

    def __init__(self, client: subprocess.Popen[str]) -> None:
        self._client = client
        self._ready = threading.Event()
        self.heard: list[tuple[str, bytes]] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        assert self._ready.wait(60), "the broker doesn't let it in"

    def _read(self) -> None:
        assert self._client.stdout is not None
        for line in self._client.stdout:
            if line == "ready\n":  # what is retained may come before the broker's word that it listens
                self._ready.set()
                continue
            topic, payload = json.loads(line)
            self.heard.append((topic, bytes.fromhex(payload)))

    def close(self) -> None:
        """Let it go, and read what it still heard."""
        assert self._client.stdin is not None
        self._client.stdin.close()
        self._reading.join()
        with self._client:
            pass


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All of it, with a claimed camera."""
    with booted(tmp_path_factory, lambda: {PLACE: cached_home_assistant(), "/mnt/repo": REPO}) as container:
        made = House(container)
        container.write(f"/run/systemd/system/{BROKER}", BROKER_UNIT)
        container.run("systemctl", "daemon-reload")
        container.sh(f"install -d -o sealcam-hub -m 700 {FILES} {CLIENTS}")
        made.hub("init", "--broker", f"localhost:{PORT}", "--throwaway")
        made.hub("homeassistant", "on", "--own", "-o", FILES)
        for unit in (BROKER, HUB):
            container.start(unit)
        made.play("Porch", "claim")
        files = {name: container.run("cat", f"{FILES}/{name}.pem") for name in ("ca", "client")}
        key = container.run("cat", f"{FILES}/client.key")
        made.broker |= {"certificate": files["ca"], "client_cert": files["client"], "client_key": key}
        made.assistant.prepare(made.broker)
        made.assistant.start()
        try:
            yield made
        finally:
            made.close()


def test_entities_appear_for_a_camera_and_for_the_hub(house: House) -> None:
    house.becomes("binary_sensor.porch_connection", "on")
    house.becomes("binary_sensor.sealcam_hub_problem", "off")
    states = house.assistant.states()
    for entity, state in (
        ("binary_sensor.porch_motion", "off"),
        ("binary_sensor.porch_person", "off"),
        ("binary_sensor.porch_vehicle", "off"),
        ("binary_sensor.porch_animal", "off"),
        ("binary_sensor.porch_threat", "off"),
        ("binary_sensor.porch_tampering", "off"),
        ("binary_sensor.porch_problem", "off"),
        ("binary_sensor.porch_privacy", "off"),
        ("alarm_control_panel.porch_watch", "disarmed"),
        ("update.porch_firmware", "unknown"),  # whether a newer one is there, nobody here knows
        ("sensor.porch_sensitivity", "0"),
        ("sensor.porch_refused_commands", "0"),
        ("sensor.sealcam_hub_refused_commands", "0"),
    ):
        assert states.get(entity, {}).get("state") == state, entity
    for entity in ("sensor.porch_last_beat", "sensor.porch_queued", "sensor.porch_age_of_the_picture"):
        assert states[entity]["state"] not in ("unknown", "unavailable")
    assert "image.porch_last_picture" not in states  # off unless it is turned on
    assert "switch.porch_privacy" not in states


def test_an_incident_comes_changes_and_ends(house: House) -> None:
    house.incident(1)
    house.becomes("binary_sensor.porch_motion", "on")
    house.becomes("binary_sensor.porch_threat", "on")
    assert house.state("binary_sensor.porch_person") == "on"
    assert house.state("binary_sensor.porch_vehicle") == "off"
    eventually(lambda: house.shows(1, "new"), 30, "the report")
    assert house.attributes("event.porch_incident")["verdict"] == "threat"
    house.incident(1, "end")
    house.becomes("binary_sensor.porch_motion", "off")
    house.becomes("sensor.porch_last_incident", "person: threat")
    eventually(lambda: house.shows(1, "end"), 30, "the last report")


def test_tampering_is_shown_until_it_is_over(house: House) -> None:
    house.play("Porch", "health", code="tamper-covered")
    house.becomes("binary_sensor.porch_tampering", "on")
    assert house.attributes("binary_sensor.porch_tampering")["kind"] == "covered"
    house.play("Porch", "health", code="tamper-over")
    house.becomes("binary_sensor.porch_tampering", "off")


def arm(house: House, service: str, **data: object) -> None:
    house.assistant.call("alarm_control_panel", f"alarm_{service}", entity_id="alarm_control_panel.porch_watch", **data)


def test_home_assistant_arms_and_can_not_disarm(house: House) -> None:
    arm(house, "arm_away")
    house.becomes("alarm_control_panel.porch_watch", "armed_away")
    for service, code in (("disarm", {}), ("disarm", {"code": CODE}), ("arm_home", {})):
        arm(house, service, **code)
    house.becomes("sensor.porch_refused_commands", "3")
    assert house.state("alarm_control_panel.porch_watch") == "armed_away"


def test_whoever_writes_to_every_command_topic_disarms_nothing(house: House) -> None:
    alias = house.play("Porch", "beat")
    owner = next(iter(house.python(_OWNER).split()))
    said = [
        b"OFF",
        b"DISARM",
        b'{"action":"DISARM","code":"000000"}',
        b'{"action":"DISARM"}',
        b"\xff\x00",
        b"",
        b"[" * 900,
    ]
    said += [b"x" * 70_000, b'{"action":"ARM_HOME"}', b"100", b"ON"]
    refused = int(house.state("sensor.porch_refused_commands"))
    topics = [f"sealcam-home/{owner}/{alias}/{what}/set" for what in ("arm", "privacy", "sensitivity", "nothing")]
    sent = [(topic, payload) for topic in topics for payload in said]
    lines = "".join(json.dumps([topic, payload.hex()]) + "\n" for topic, payload in sent)
    house.assistant.stop()  # at this broker nobody comes twice under one name
    house.container.run(*house.client("account", "say"), stdin=lines.encode())
    house.assistant.start()
    house.becomes("sensor.porch_refused_commands", str(refused + len(sent)))
    assert house.state("alarm_control_panel.porch_watch") == "armed_away"
    assert house.state("binary_sensor.porch_privacy") == "off"
    told = [line for line in house.journal().splitlines() if "is refused" in line]
    assert len(told) == len(set(told))  # each reason once
    assert "000000" not in house.journal()


_OWNER = f"""
from pathlib import Path
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.homeassistant.bridge import names_of
with open_home(Folder(Path("{STATE}"))) as home:
    print(names_of(home).owner)
"""


def test_the_owners_code_disarms_where_the_owner_allows_it(house: House) -> None:
    house.python(_SET_CODE)
    house.hub("homeassistant", "allow", "disarm", "privacy", "sensitivity")
    eventually(
        lambda: house.attributes("alarm_control_panel.porch_watch").get("code_format") == "number",
        30,
        "a code is asked for",
    )
    house.becomes("switch.porch_privacy", "off")
    eventually(lambda: "binary_sensor.porch_privacy" not in house.assistant.states(), 30, "no two of one thing")
    house.assistant.call("switch", "turn_on", entity_id="switch.porch_privacy")  # refused: it is armed
    arm(house, "disarm", code="111111")
    arm(house, "disarm", code=CODE)
    house.becomes("alarm_control_panel.porch_watch", "disarmed")
    house.assistant.call("switch", "turn_on", entity_id="switch.porch_privacy")
    house.becomes("switch.porch_privacy", "on")
    house.assistant.call("switch", "turn_off", entity_id="switch.porch_privacy")
    house.becomes("switch.porch_privacy", "off")
    house.assistant.call("number", "set_value", entity_id="number.porch_sensitivity", value=40)
    house.becomes("number.porch_sensitivity", "40")


def test_who_sees_what_at_the_broker(house: House) -> None:
    spy = house.play("Spy", "stay away")
    house.assistant.stop()
    listening = {who: house.listen(who) for who in ("account", spy)}
    account = listening["account"]
    house.incident(2)
    house.incident(2, "end")
    eventually(lambda: any(b"a person was seen" in payload for _, payload in account.heard), 60, "it is told")
    for client in listening.values():
        client.close()
    assert not [topic for topic, _ in account.heard if topic.startswith("sealcam/")]
    assert not listening[spy].heard
    house.assistant.start()


def test_restarts_in_every_order_lose_no_state_and_no_incident(house: House) -> None:
    assert set(permutations(PARTS)) <= set(zip(RESTARTS, RESTARTS[1:], RESTARTS[2:], strict=False))
    eventually(lambda: not {"", "unavailable", "unknown"} & set(house.lasting().values()), 60, "everything stands")
    before, first = house.lasting(), 100
    house.incident(first)
    for number, part in enumerate(RESTARTS, first + 1):
        house.incident(number - 1, "end")
        eventually(lambda number=number: house.shows(number - 1, "end"), 90, f"{number - 1} is told")  # type: ignore[misc]
        house.down(part)
        house.order("Porch", "incident", number=number)
        house.up(part)
        house.done()
        eventually(lambda number=number: house.shows(number, "new"), 90, f"{part}: {number} is told")  # type: ignore[misc]
        house.becomes("binary_sensor.porch_motion", "on")
        eventually(lambda: house.lasting() == before, 60, f"{part}: {before}, and now {house.lasting()}")
    house.incident(first + len(RESTARTS), "end")
    house.becomes("binary_sensor.porch_motion", "off")
    eventually(lambda: house.shows(first + len(RESTARTS), "end"), 90, "the last one is told")
    told = [json.loads(line) for line in house.hub("events", "--json").splitlines()]
    ended = {one["incident"] for one in told if one["stage"] == "end"}
    assert {f"{number:016x}" for number in range(first, first + len(RESTARTS) + 1)} <= ended


def test_a_camera_that_goes_takes_its_entities_along(house: House) -> None:
    house.play("Shed", "beat")
    house.becomes("binary_sensor.shed_connection", "on")
    house.hub("expel", "Shed", "--yes")
    eventually(lambda: "binary_sensor.shed_connection" not in house.assistant.states(), 30, "the shed's are gone")
    assert "binary_sensor.porch_connection" in house.assistant.states()


def test_the_live_picture_is_home_assistants_own_camera(house: House) -> None:
    told = house.hub("homeassistant", "live", "on", "--listen", "127.0.0.1:8482")
    address = next(word for line in told.splitlines() if line.startswith("Porch ") for word in line.split()[1:])
    house.assistant.stop()
    house.assistant.prepare(house.broker, {"Porch live": address})
    house.assistant.start()
    house.becomes("binary_sensor.porch_connection", "on")
    film = f"{FILMS}/porch.mp4"
    house.assistant.call("camera", "record", entity_id="camera.porch_live", filename=film, duration=5)
    count = f"import av; print(len(list(av.open('{film}').decode(video=0))))"
    frames = int(house.container.run(f"{VENV}/bin/python", "-c", count))
    assert frames >= 10
    log = house.hub("audit")
    assert "live view of Porch" in log
    assert address.partition("camera:")[2].partition("@")[0] not in house.journal() + log
    house.hub("homeassistant", "live", "off")


def test_turned_off_nothing_stays(house: House) -> None:
    said = house.hub("homeassistant", "off")
    assert "everything was taken back" in said
    assert "the broker lets its accounts in no more" in said
    eventually(lambda: "binary_sensor.porch_connection" not in house.assistant.states(), 60, "all entities are gone")
    assert json.loads(house.hub("homeassistant", "status", "--json")) == {"on": False}
    house.assistant.stop()
    done = house.container.call(*house.client("account", "listen", "#"))
    assert done.returncode != 0  # its certificate is revoked
    assert b"ready" not in done.stdout
