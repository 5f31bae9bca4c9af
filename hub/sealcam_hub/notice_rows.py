"""Notices as they are shown: those of cameras and those of the hub itself, in one order."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, Select, String, cast, literal, select

from sealcam_hub.alarm_tables import HUB, hub_notices, troubles
from sealcam_hub.notices import NoticeKind, notice_text
from sealcam_hub.tables import cameras, notices
from sealcam_hub.views import EventView, NoticeView

THE_HUB = "This hub"
_OF_CAMERAS = select(notices, cameras.c.alias, cameras.c.name).join(cameras, cameras.c.id == notices.c.camera)
_SEVERAL = (NoticeKind.GAP, NoticeKind.FILLED)  # a camera may have several of them at once
MOST_GAPS = 100  # that are shown to stand, the newest
_FILLED = "filled:"


def filled_mark(gap: int) -> str:
    """The mark of the notice that says that the gap of that id is over."""
    return f"{_FILLED}{gap}"


def open_gaps() -> Select[*tuple[Any, ...]]:
    """Notices of a gap that no other one says to be over, with their camera's alias and name."""
    other = notices.alias()
    filled = select(other.c.id).where(other.c.mark == literal(_FILLED) + cast(notices.c.id, String)).exists()
    return _OF_CAMERAS.where(notices.c.kind == NoticeKind.GAP.value, ~filled)


def newest_notices(connection: Connection, limit: int) -> tuple[NoticeView, ...]:
    """The newest notices, newest first."""
    of_cameras = connection.execute(_OF_CAMERAS.order_by(notices.c.id.desc()).limit(limit)).all()
    of_hub = connection.execute(select(hub_notices).order_by(hub_notices.c.id.desc()).limit(limit)).all()
    views = [_of_camera(row) for row in of_cameras] + [_of_hub(row) for row in of_hub]
    return tuple(sorted(views, key=_by_time, reverse=True)[:limit])


def standing_notices(connection: Connection) -> tuple[NoticeView, ...]:
    """For all that was told and isn't over, the notice that says so; of cameras that belong to this home."""
    found: dict[int, NoticeView] = {}
    here = cameras.c.expelled.is_(False) & cameras.c.gone.is_(False)
    told = select(troubles.c.camera, troubles.c.kind, troubles.c.subject).where(troubles.c.told)
    of_cameras = [(row.camera, row.kind) for row in connection.execute(told.where(troubles.c.camera != HUB))]
    silent = select(cameras.c.id).where(cameras.c.silent)
    of_cameras += [(camera, NoticeKind.SILENT.value) for camera in connection.execute(silent).scalars()]
    for camera, kind in of_cameras:
        said = _OF_CAMERAS.where(here, notices.c.camera == camera, notices.c.kind == kind)
        for row in connection.execute(said.order_by(notices.c.id.desc()).limit(1)):
            found[row.id] = _of_camera(row)
    for row in connection.execute(open_gaps().where(here).order_by(notices.c.id.desc()).limit(MOST_GAPS)):
        found[row.id] = _of_camera(row)
    for _, kind, subject in connection.execute(told.where(troubles.c.camera == HUB)).all():
        of_hub = select(hub_notices).where(hub_notices.c.kind == kind, hub_notices.c.subject == subject)
        for row in connection.execute(of_hub.order_by(hub_notices.c.id.desc()).limit(1)):
            found[-row.id] = _of_hub(row)
    return tuple(sorted(found.values(), key=_by_time, reverse=True))


def _by_time(one: NoticeView) -> tuple[int, int]:
    return one.at_ns, abs(one.id)


def notice_lines(connection: Connection, numbers: Collection[int]) -> dict[int, EventView]:
    """The ledger's lines of these notices, by what the journal calls them."""
    of_cameras = _OF_CAMERAS.where(notices.c.id.in_([one for one in numbers if one > 0]))
    of_hub = select(hub_notices).where(hub_notices.c.id.in_([-one for one in numbers if one < 0]))
    found = [(_of_camera(row), row.first) for row in connection.execute(of_cameras)]
    found += [(_of_hub(row), row.first) for row in connection.execute(of_hub)]
    return {view.id: _line(view, first) for view, first in found}


def _of_camera(row: Row[*tuple[Any, ...]]) -> NoticeView:
    subject = str(row.first) if row.kind in _SEVERAL else ""
    return NoticeView(row.id, row.kind, row.name, notice_text(row), row.at_ns, row.alias, subject)


def _of_hub(row: Row[*tuple[Any, ...]]) -> NoticeView:
    return NoticeView(-row.id, row.kind, THE_HUB, notice_text(row, row.subject), row.at_ns, "", row.subject)


def _line(notice: NoticeView, first: int) -> EventView:
    return EventView(
        place=None,
        camera=notice.camera_name,
        alias=notice.alias,
        seq=first,
        type="notice",
        incident=None,
        report=None,
        text=(notice.text, notice.kind),
        occurred_ns=notice.at_ns,
        started_ns=None,
        ended_ns=None,
        arrived_ns=notice.at_ns,
        thumbnail_bytes=0,
        hash="",
    )


def notices_between(
    connection: Connection, since_ns: int, until_ns: int, alias: str, limit: int
) -> tuple[NoticeView, ...]:
    """The notices from one wall time to before another, newest first; of one camera where an alias is given."""
    of_cameras = _OF_CAMERAS.where(notices.c.at_ns >= since_ns, notices.c.at_ns < until_ns)
    of_cameras = of_cameras.where(cameras.c.alias == alias) if alias else of_cameras
    found = [_of_camera(row) for row in connection.execute(of_cameras.order_by(notices.c.id.desc()).limit(limit))]
    if not alias:
        of_hub = select(hub_notices).where(hub_notices.c.at_ns >= since_ns, hub_notices.c.at_ns < until_ns)
        found += [_of_hub(row) for row in connection.execute(of_hub.order_by(hub_notices.c.id.desc()).limit(limit))]
    return tuple(sorted(found, key=_by_time, reverse=True)[:limit])
