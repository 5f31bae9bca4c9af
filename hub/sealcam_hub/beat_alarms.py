"""What a beat tells of its camera that the owner should know: a clock that runs away, an outbox or a disk nearly full.

Called for each beat that counts, in the transaction that counts it. design/hub.md, "Silence is an alarm".
"""

from __future__ import annotations

from sqlalchemy import Connection

from sealcam.wire.bodies import BeatBody, Storage
from sealcam_hub.nearness import (
    CLOCK_OFF_S,
    CLOCK_RIGHT_S,
    QUEUE_EASY_BYTES,
    QUEUE_NEAR_BYTES,
    apart_s,
    between,
    card_low,
)
from sealcam_hub.notices import NoticeKind, Why
from sealcam_hub.rows import Rows
from sealcam_hub.troubles import Trouble, Turn, see

BEATS = 3  # running: a minute
_QUEUE, _CARD = "queue", "card"
_DISK = NoticeKind.DISK, NoticeKind.ROOM


def heard(connection: Connection, rows: Rows, camera: int, body: BeatBody, arrived_ns: int) -> bool:
    """Tell what is new of a camera (its row); whether there was anything."""
    apart = apart_s(body.at, arrived_ns)
    wrong = None if apart is None else between(apart, CLOCK_OFF_S, CLOCK_RIGHT_S)
    turn = see(connection, Trouble(camera, NoticeKind.CLOCK), wrong, arrived_ns, BEATS)
    told = _tell(rows, camera, turn, (NoticeKind.CLOCK, NoticeKind.CLOCK_RIGHT), apart or 0, arrived_ns)
    full = between(body.queued_bytes, QUEUE_NEAR_BYTES, QUEUE_EASY_BYTES)
    turn = see(connection, Trouble(camera, NoticeKind.DISK, _QUEUE), full, arrived_ns, BEATS)
    queued = body.queued_bytes // 1_000_000
    told = _tell(rows, camera, turn, _DISK, queued, arrived_ns, Why.QUEUED) or told
    return _card(connection, rows, camera, body.storage, arrived_ns) or told


def _card(connection: Connection, rows: Rows, camera: int, storage: Storage | None, arrived_ns: int) -> bool:
    if storage is None:  # it doesn't tell: what was told stands
        return False
    low = card_low(storage.free_mib, storage.clips_mib)
    turn = see(connection, Trouble(camera, NoticeKind.DISK, _CARD), low, arrived_ns, BEATS)
    free = (storage.free_mib << 20) // 1_000_000
    return _tell(rows, camera, turn, _DISK, free, arrived_ns, Why.CARD, f":{_CARD}")


def _tell(
    rows: Rows,
    camera: int,
    turn: Turn,
    kinds: tuple[NoticeKind, NoticeKind],
    first: int,
    at_ns: int,
    why: Why = Why.PLACE,
    mark: str = "",
) -> bool:
    """`mark` tells two notices of one kind and beat apart."""
    if turn is Turn.NOTHING:
        return False
    kind, why = (kinds[0], why) if turn is Turn.BEGINS else (kinds[1], Why.PLACE)
    return rows.notice(camera, kind, f"{kind.value}:{camera}:{at_ns}{mark}", first, first, at_ns, why)
