"""A line of the ledger as an event of Home Assistant's. Pure."""

from __future__ import annotations

import json
from typing import Final

from sealcam_hub.homeassistant.names import HUB, Names
from sealcam_hub.ledger import incident_id
from sealcam_hub.lines import iso
from sealcam_hub.notices import NoticeKind
from sealcam_hub.views import EventView

STAGES: Final = ("new", "update", "end")
HEALTH: Final = "health"
NOTICES: Final = (*(str(kind) for kind in NoticeKind), HEALTH)


def report(names: Names, line: EventView, pending: bool) -> tuple[str, bytes] | None:
    """Topic and payload of what a line tells; none where that is nothing for Home Assistant.

    `pending`: an earlier event of its camera hasn't come yet.
    """
    told: dict[str, object]
    if line.report is not None and line.incident is not None:
        found = line.report
        told = {
            "event_type": found.stage,
            "incident": incident_id(line.alias, bytes.fromhex(line.incident)),
            "subject": found.subject,
            "confidence": round(found.confidence, 3),
            "verdict": found.verdict,
            "threat": round(found.threat, 3),
            "reasons": list(found.reasons),
            "trigger": found.trigger,
            "mode": found.mode,
            "started": iso(line.started_ns),
            "ended": iso(line.ended_ns),
        }
        topic = names.event(line.alias, "incident")
    elif line.type in ("notice", "health"):
        text, code = (line.text[0], line.text[-1]) if line.text else ("", "")
        told = {"event_type": code if line.type == "notice" else HEALTH, "code": code, "text": text}
        if told["event_type"] not in NOTICES:
            return None
        topic = names.event(line.alias or HUB, "notice")
    else:
        return None
    told |= {"camera": line.camera, "occurred": iso(line.occurred_ns), "number": line.seq, "pending": pending}
    return topic, json.dumps(told, ensure_ascii=False).encode()
