"""How the off-site copy stands, in words, for `sealcam-hub status`, the console and the metrics."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from sealcam.wire.errors import ConfigError
from sealcam_hub import nearness, offsite_rows, offsite_settings, offsite_worker
from sealcam_hub.home import Home
from sealcam_hub.lines import iso
from sealcam_hub.offsite_rows import Lag
from sealcam_hub.offsite_worker import State


@dataclass(frozen=True, slots=True)
class Standing:
    """A copy that is kept: where (without keys), what waits, how the last tries went; `lags`: it needs a look."""

    where: str
    lag: Lag
    state: State
    lags: bool


def standing(home: Home) -> Standing | None:
    """How the copy stands, or none where no store is named.

    Raises:
        SealcamError: the settings or the ledger can't be read.
    """
    chosen = offsite_settings.load(home.folder)
    if chosen is None:
        return None
    now_ns = home.clock.wall_ns()
    with home.store.reading() as connection:
        lag = offsite_rows.lag(connection, chosen.cutoff_ns(now_ns), now_ns)
        now = offsite_worker.state(connection)
    return Standing(chosen.where, lag, now, offsite_worker.waits_s(lag, now, now_ns) > nearness.COPY_LATE_S)


def waits_s(home: Home) -> int | None:
    """For how long the copy could have had what it hasn't, in seconds; none where no store is named.

    Where all was there within the hour it is 0, and the ledger isn't searched: this is asked by the minute.

    Raises:
        StorageError: the ledger can't be read.
    """
    now_ns, cutoff_ns = home.clock.wall_ns(), None
    with suppress(ConfigError):  # what the file says isn't known, and the copier has noted since when it fails
        chosen = offsite_settings.load(home.folder)
        if chosen is None:
            return None
        cutoff_ns = chosen.cutoff_ns(now_ns)
    with home.store.reading() as connection:
        now = offsite_worker.state(connection)
        recent = not now.failing_ns and now_ns - now.done_ns <= nearness.COPY_LATE_S * 1_000_000_000
        searched = not recent and cutoff_ns is not None
        lag = offsite_rows.lag(connection, cutoff_ns or 0, now_ns) if searched else Lag()
    return max(0, offsite_worker.waits_s(lag, now, now_ns))


def as_json(home: Home) -> dict[str, object]:
    """For programs."""
    found = standing(home)
    if found is None:
        return {"on": False}
    lag, state = found.lag, found.state
    return {
        "on": True,
        "store": found.where,
        "objects": lag.objects,
        "waiting_events": lag.events,
        "waiting_clips": lag.clips,
        "waiting_clip_bytes": lag.clip_bytes,
        "oldest_waiting": iso(lag.oldest_ns),
        "to_delete": lag.doomed,
        "locked": lag.locked,
        "lags": found.lags,
        "complete_at": iso(state.done_ns or None),
        "failing_since": iso(state.failing_ns or None),
        "why": state.why,
    }


def lines(found: Standing) -> tuple[str, ...]:
    """Sentences for a person, the most important first."""
    lag, state = found.lag, found.state
    told = []
    if state.failing_ns:
        told.append(f"It waits since {iso(state.failing_ns)}: {state.why}. It goes on by itself; nothing is lost.")
    if lag.waits:
        clips = f"{lag.clips} clips ({lag.clip_bytes / 1e6:,.1f} MB)"
        told.append(f"{lag.events} events and {clips} are not there yet, the oldest of {iso(lag.oldest_ns)}.")
    elif not state.failing_ns:
        told.append(f"All is there, in {lag.objects} objects.")
    if lag.doomed:
        locked = f"; the store's lock holds {lag.locked} of them" if lag.locked else ""
        told.append(f"{lag.doomed} objects are still to be deleted there{locked}.")
    return tuple(told)


def as_text(home: Home) -> str:
    """For a person."""
    found = standing(home)
    if found is None:
        return "off-site copy: none; sealcam-hub offsite template shows how one begins"
    return "\n".join((f"off-site copy at {found.where}", *(f"  {one}" for one in lines(found))))
