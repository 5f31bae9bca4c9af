"""How a camera and the hub announce themselves to Home Assistant: one device each. Pure.

Device-based discovery (https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload). Availability stands
in each component, in list form: at the device the single form would be inherited and break them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from sealcam_hub.homeassistant.names import HUB, Names
from sealcam_hub.homeassistant.reports import NOTICES, STAGES
from sealcam_hub.homeassistant.settings import Settings
from sealcam_hub.views import CameraView

ORIGIN = {"name": "Sealcam", "support_url": "https://www.home-assistant.io/integrations/mqtt/"}
Component = dict[str, object]
_ACTION = "{{ {'action': action, 'code': code} | to_json }}"


def camera(names: Names, seen: CameraView, settings: Settings) -> bytes:
    """What announces a camera. What isn't turned on has its platform alone, which takes its entity away."""
    maker = _Maker(names, seen.alias)
    maker.binary("motion", "Motion", device_class="motion")
    maker.binary("person", "Person", device_class="occupancy")
    maker.binary("vehicle", "Vehicle", device_class="occupancy", icon="mdi:car")
    maker.binary("animal", "Animal", device_class="occupancy", icon="mdi:paw")
    maker.binary("threat", "Threat", device_class="safety")
    maker.binary("tamper", "Tampering", device_class="tamper", json_attributes_topic=maker.topic("tamper_kind"))
    maker.binary("connectivity", "Connection", always=True, device_class="connectivity", entity_category="diagnostic")
    maker.binary(
        "problem",
        "Problem",
        always=True,
        device_class="problem",
        entity_category="diagnostic",
        json_attributes_topic=maker.topic("problems"),
    )
    maker.event("incident", "Incident", STAGES, icon="mdi:shield-alert-outline")
    maker.event("notice", "Notice", NOTICES, icon="mdi:message-alert-outline")
    maker.add(
        "last",
        "sensor",
        "Last incident",
        always=True,
        state_topic=maker.topic("last"),
        value_template="{{ value_json.summary }}",
        json_attributes_topic=maker.topic("last"),
        icon="mdi:history",
    )
    _panel(maker, settings)
    _controls(maker, settings)
    maker.add(
        "firmware", "update", "Firmware", state_topic=maker.topic("firmware"), device_class="firmware", always=True
    )
    maker.offered(
        settings.allows("image"),
        "image",
        "image",
        "Last picture",
        image_topic=maker.topic("image"),
        content_type="image/jpeg",
    )
    _diagnostics(maker)
    device = {"identifiers": [names.device(seen.alias)], "name": seen.name, "manufacturer": "Sealcam"}
    device |= {"model": "Camera", "sw_version": seen.firmware or "unknown", "via_device": names.device(HUB)}
    return _announced(device, maker.components)


def hub(names: Names) -> bytes:
    """What announces the hub itself."""
    maker = _Maker(names, HUB)
    maker.binary(
        "problem", "Problem", always=True, device_class="problem", json_attributes_topic=maker.topic("problems")
    )
    maker.event("notice", "Notice", NOTICES, always=True, icon="mdi:message-alert-outline")
    maker.diagnostic("refused", "Refused commands", **_refused(maker))
    device = {"identifiers": [names.device(HUB)], "name": "Sealcam hub", "manufacturer": "Sealcam", "model": "Hub"}
    return _announced(device, maker.components)


def _announced(device: Mapping[str, object], components: Mapping[str, Component]) -> bytes:
    return json.dumps({"device": device, "origin": ORIGIN, "components": components, "qos": 1}).encode()


class _Maker:
    """Collects the components of one device."""

    def __init__(self, names: Names, alias: str) -> None:
        self.components: dict[str, Component] = {}
        self._names, self._alias = names, alias

    def topic(self, what: str) -> str:
        return self._names.topic(self._alias, what)

    def command(self, what: str) -> str:
        return self._names.command(self._alias, what)

    def add(self, key: str, platform: str, name: str, *, always: bool = False, **options: object) -> None:
        """A component; `always` there while the bridge is, whatever becomes of its camera."""
        topics = [self._names.available] if always else [self._names.available, self.topic("available")]
        self.components[key] = {
            "platform": platform,
            "unique_id": f"{self._names.device(self._alias)}-{key}",
            "name": name,
            "availability": [{"topic": topic} for topic in topics],
            "availability_mode": "all",
            **options,
        }

    def offered(self, offered: bool, key: str, platform: str, name: str, **options: object) -> None:
        """As `add`, or its platform alone."""
        if offered:
            self.add(key, platform, name, **options)  # type: ignore[arg-type]
        else:
            self.components[key] = {"platform": platform}

    def binary(self, what: str, name: str, *, always: bool = False, **options: object) -> None:
        self.add(what, "binary_sensor", name, always=always, state_topic=self.topic(what), **options)

    def event(self, what: str, name: str, types: Iterable[str], *, always: bool = True, **options: object) -> None:
        topic = self._names.event(self._alias, what)
        self.add(what, "event", name, always=always, state_topic=topic, event_types=list(types), **options)

    def diagnostic(self, what: str, name: str, **options: object) -> None:
        topic = self.topic(what)
        self.add(what, "sensor", name, always=True, state_topic=topic, entity_category="diagnostic", **options)


def _panel(maker: _Maker, settings: Settings) -> None:
    disarms = settings.allows("disarm") and bool(settings.code)
    code: Component = {"code": "REMOTE_CODE"} if disarms else {}
    maker.add(
        "arm",
        "alarm_control_panel",
        "Watch",
        always=True,
        state_topic=maker.topic("mode"),
        command_topic=maker.command("arm"),
        command_template=_ACTION,
        supported_features=["arm_home", "arm_away", "arm_night"],
        code_arm_required=False,
        code_disarm_required=disarms,
        **code,
    )


def _controls(maker: _Maker, settings: Settings) -> None:
    """Switch and number where the owner allowed them, what they would show where not."""
    switch, number = settings.allows("privacy"), settings.allows("sensitivity")
    state = {"state_topic": maker.topic("privacy"), "icon": "mdi:eye-off-outline"}
    maker.offered(switch, "privacy", "switch", "Privacy", command_topic=maker.command("privacy"), **state)
    maker.offered(not switch, "privacy_state", "binary_sensor", "Privacy", **state)
    level = {"state_topic": maker.topic("sensitivity"), "unit_of_measurement": "%", "icon": "mdi:tune"}
    maker.offered(
        number,
        "sensitivity",
        "number",
        "Sensitivity",
        command_topic=maker.command("sensitivity"),
        min=0,
        max=100,
        step=5,
        entity_category="config",
        **level,
    )
    maker.offered(not number, "sensitivity_state", "sensor", "Sensitivity", entity_category="diagnostic", **level)


def _diagnostics(maker: _Maker) -> None:
    for what, name, options in (
        ("last_beat", "Last beat", {"device_class": "timestamp"}),
        ("frame_age", "Age of the picture", {"device_class": "duration", "unit_of_measurement": "s"}),
        ("queued", "Queued", {"icon": "mdi:tray-full"}),
        ("incidents", "Incidents", {"icon": "mdi:counter"}),
        ("refused", "Refused commands", _refused(maker)),
    ):
        maker.diagnostic(what, name, **options)


def _refused(maker: _Maker) -> Component:
    return {"icon": "mdi:hand-back-right-off-outline", "json_attributes_topic": maker.topic("refused_at")}
