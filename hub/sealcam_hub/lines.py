"""Ledger lines as text: JSON for programs, and coloured words for people.

The JSON keys are a contract: tools outside the project rely on them. Whatever a camera wrote is printed without its
control characters, so that nobody steers a terminal from inside an event.
"""

from __future__ import annotations

import datetime as dt
import json

from rich.text import Text

from sealcam_hub.views import EventView

_COLOURS = {"threat": "bold red", "benign": "green", "false_alarm": "dim"}
_SIGNS = {"threat": "▲", "benign": "●", "false_alarm": "○", "notice": "!", "loss": "✗", "health": "+"}
_SIGNS |= {"deleted": "-", "unknown": "?"}


def iso(at_ns: int | None) -> str | None:
    """A wall time as ISO 8601 in UTC, to the millisecond."""
    if at_ns is None:
        return None
    seconds, rest_ns = divmod(at_ns, 1_000_000_000)
    day = dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None)
    return f"{day.isoformat()}.{rest_ns // 1_000_000:03d}Z"


def json_line(event: EventView, pending: bool) -> str:
    """One event as one line of JSON."""
    report = event.report
    return json.dumps(
        {
            "camera": event.camera,
            "alias": event.alias,
            "seq": event.seq,
            "type": event.type,
            "incident": event.incident,
            "stage": report and report.stage,
            "subject": report and report.subject,
            "confidence": report and report.confidence,
            "verdict": report and report.verdict,
            "threat": report and report.threat,
            "reasons": list(report.reasons) if report else [],
            "trigger": report and report.trigger,
            "mode": report and report.mode,
            "occurred": iso(event.occurred_ns),
            "started": iso(event.started_ns),
            "ended": iso(event.ended_ns),
            "arrived": iso(event.arrived_ns),
            "camera_clock": iso(event.camera_ns),
            "thumbnail_bytes": event.thumbnail_bytes,
            "clip": event.clip,
            "hash": event.hash,
            "text": event.text[0] if event.text else None,
            "kind": event.text[1] if len(event.text) > 1 else None,
            "pending": pending,
        },
        ensure_ascii=False,
    )


def plain(text: str) -> str:
    """`text` without anything that a terminal would act on."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def text_line(event: EventView, pending: bool) -> Text:
    """One event for people: local time, camera, what it is, and why."""
    local = dt.datetime.fromtimestamp(event.occurred_ns // 1_000_000_000).astimezone()
    line = Text(local.strftime("%Y-%m-%d %H:%M:%S"), style="").append(f"  {plain(event.camera):<16} ")
    report = event.report
    if report is None:
        style = "yellow" if event.type in ("notice", "loss") else ""
        line.append(f"{_SIGNS.get(event.type, ' ')} {event.type:<12} ", style=style)
        line.append(plain("; ".join(event.text[:1])))
    else:
        verdict = report.verdict.replace("_", " ")
        line.append(f"{_SIGNS[report.verdict]} {verdict:<12} ", style=_COLOURS[report.verdict])
        line.append(f"{report.subject:<8} {round(100 * report.confidence):3d} %  {report.stage:<7}")
        if event.thumbnail_bytes:
            line.append("picture  ", style="cyan")
        line.append(plain("; ".join(report.reasons)))
    if pending:
        line.append("  (an earlier event is still missing)", style="magenta")
    return line
