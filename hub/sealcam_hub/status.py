"""`sealcam-hub status`: the hub in a few lines, or as JSON for the launcher and other programs."""

from __future__ import annotations

from dataclasses import asdict

from rich.text import Text

from sealcam_hub import deletion, deletions_told, offsite_status, recipients
from sealcam_hub.deletions_told import Behind
from sealcam_hub.home import Home
from sealcam_hub.lines import iso, plain


def _deleted(home: Home) -> deletion.Count:
    with home.store.reading() as connection:
        return deletion.count(connection)


def _followers(home: Home) -> list[tuple[str, str, Behind]]:
    """Key id, name and how far it has followed, of each other hub."""
    with home.store.reading() as connection:
        names, found = recipients.names(connection), deletions_told.followers(connection, home.keys)
    return [(kid, names.get(kid, "another hub"), one) for kid, one in found.items()]


def status_json(home: Home) -> dict[str, object]:
    """Counts and cameras; `opened` are incidents of which a report was opened, `refused` are messages."""
    ledger = home.ledger()
    counts = ledger.counts()
    deleted = _deleted(home)
    return {
        "incidents": counts.incidents,
        "opened": counts.opened,
        "refused": counts.refused,
        "refused_by_kind": dict(counts.refused_by_kind),
        "repeats": counts.repeats,
        "notices": counts.notices,
        "fingerprint": home.keys.root_fingerprint,
        "broker": str(home.settings.broker),
        "recipient_set": home.keys.set_number,
        "home_hub": home.keys.is_home,
        "deletions": {"pending": deleted.pending, "complete": deleted.complete, "best_effort": True},
        "hubs": [
            {"hub": kid, "name": name, "deletions_unconfirmed": one.count, "last_heard": iso(one.heard_ns)}
            for kid, name, one in _followers(home)
        ],
        "offsite": offsite_status.as_json(home),
        "cameras": [
            {
                "name": one.name,
                "alias": one.alias,
                "state": one.state,
                "mode": one.mode,
                "last_beat": iso(one.last_beat_ns),
                "queued": one.queued,
                "firmware": one.firmware,
                "storage": None if one.storage is None else asdict(one.storage),
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
        style = {"watching": "green", "silent": "bold red", "cut-off": "yellow"}.get(one.state, "dim")
        text.append(f"{plain(one.name):<20} ").append(f"{one.state:<9}", style=style)
        text.append(f" {one.mode or '-':<6} {one.incidents} incidents\n")
    deleted = _deleted(home)
    if deleted.pending or deleted.complete:
        text.append(f"deleted: {deleted.complete} incidents complete, {deleted.pending} pending\n")
        text.append(
            "  (best effort: this hub's keys are files, so who copied them before can still open)\n", style="dim"
        )
    for _, name, behind in _followers(home):
        if behind.count:
            heard = f"last heard {iso(behind.heard_ns)}" if behind.heard_ns else "never heard of"
            text.append(f"{plain(name)}: deletions not confirmed: {behind.count}, {heard}\n", style="yellow")
        else:
            text.append(f"{plain(name)}: has deleted everything that was deleted here\n")
    if (copy := offsite_status.standing(home)) is not None:
        style = "bold red" if copy.lags else "yellow" if copy.state.failing_ns else ""
        text.append("off-site copy: ").append(" ".join(offsite_status.lines(copy)) + "\n", style=style)
    text.append(f"owner fingerprint {home.keys.root_fingerprint}\nbroker            {home.settings.broker}")
    return text
