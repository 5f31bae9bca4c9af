"""`sealcam-hub status`: the hub in a few lines, or as JSON for the launcher and other programs."""

from __future__ import annotations

from rich.text import Text

from sealcam_hub.home import Home
from sealcam_hub.lines import iso, plain


def status_json(home: Home) -> dict[str, object]:
    """Counts and cameras; `opened` are incidents of which a report was opened, `refused` are messages."""
    ledger = home.ledger()
    counts = ledger.counts()
    return {
        "incidents": counts.incidents,
        "opened": counts.opened,
        "refused": counts.refused,
        "refused_by_kind": dict(counts.refused_by_kind),
        "repeats": counts.repeats,
        "notices": counts.notices,
        "fingerprint": home.keys.root_fingerprint,
        "broker": str(home.settings.broker),
        "cameras": [
            {
                "name": one.name,
                "alias": one.alias,
                "state": one.state,
                "mode": one.mode,
                "last_beat": iso(one.last_beat_ns),
                "queued": one.queued,
                "firmware": one.firmware,
                "incidents": one.incidents,
            }
            for one in ledger.cameras()
        ],
    }


def status_text(home: Home) -> Text:
    """The same for people."""
    ledger = home.ledger()
    counts = ledger.counts()
    text = Text(f"{counts.incidents} incidents, {counts.opened} opened, {counts.refused} messages refused\n")
    for kind, count in counts.refused_by_kind:
        text.append(f"  {count} {kind}\n", style="yellow")
    for one in ledger.cameras():
        style = {"watching": "green", "silent": "bold red"}.get(one.state, "dim")
        text.append(f"{plain(one.name):<20} ").append(f"{one.state:<9}", style=style)
        text.append(f" {one.mode or '-':<6} {one.incidents} incidents\n")
    text.append(f"owner fingerprint {home.keys.root_fingerprint}\nbroker            {home.settings.broker}")
    return text
