"""Format 2: epochs of keys, clips, shares and the audit log; wishes of every kind, and not of arming alone."""

from typing import Any

import sqlalchemy as sa
from alembic import context, op

from sealcam.wire import schema
from sealcam.wire.bodies import Mode
from sealcam.wire.wishes import ArmBody, CommandType

revision, down_revision = "2", "1"
_MAX_INT = (1 << 63) - 1
_BLOB, _BIG = sa.LargeBinary, sa.BigInteger
_ADDED = {
    "cameras": (
        ("will_counter", _BIG, "0"),
        ("prekey", _BIG, None),
        ("recipient_set", _BIG, None),
        ("traffic", sa.Integer, None),
        ("privacy", sa.Boolean, None),
        ("cut_off", sa.Boolean, sa.false()),
        ("expelled", sa.Boolean, sa.false()),
        ("gone", sa.Boolean, sa.false()),
        ("farewell_seq", _BIG, "0"),
        ("skip", sa.Boolean, sa.false()),
    ),
    "boots": (("counter", _BIG, "0"),),
    "bridges": (("epoch", _BIG, "0"),),
    "events": (("epoch", _BIG, "1"),),
    "notices": (("why", sa.String(16), ""),),
}


def upgrade() -> None:
    """From format 1."""
    for table, columns in _ADDED.items():
        for name, kind, first in columns:
            op.add_column(table, sa.Column(name, kind, server_default=first, nullable=first is None))
    op.rename_table("wishes", "wishes_1")
    _create()
    _wishes()
    _epochs()
    # How far a boot that was left had counted wasn't kept: nothing of it may look newer than what came.
    boots = sa.table("boots", sa.column("counter"))
    op.get_bind().execute(sa.update(boots).values(counter=_MAX_INT))


def _camera(*, primary: bool = False) -> sa.Column[int]:
    return sa.Column("camera", sa.Integer, sa.ForeignKey("cameras.id"), primary_key=primary, nullable=False)


def _needed(name: str, kind: Any, *, first: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=first, nullable=False, autoincrement=False)


def _create() -> None:
    epoch = (_needed("public", _BLOB), _needed("command", _BLOB))
    op.create_table(
        "epochs",
        _camera(primary=True),
        _needed("epoch", _BIG, first=True),
        *epoch,
        _needed("after_seq", _BIG),
        _needed("since_ns", _BIG),
    )
    epoch = (_needed("public", _BLOB), _needed("command", _BLOB))
    op.create_table("handovers", _needed("hash", _BLOB, first=True), _needed("epoch", _BIG), *epoch)
    op.create_table(
        "clips",
        _needed("clip", _BLOB, first=True),
        _camera(),
        sa.Column("incident", _BLOB),
        sa.Column("event", _BLOB),
        _needed("part", _BIG),
        sa.Column("wrapped", _BLOB),
        sa.Column("state", sa.Integer),
        _needed("said", _BIG),
        sa.Column("chunks", _BIG),
        sa.Column("size", _BIG),
        sa.Column("chain", _BLOB),
    )
    op.create_index("clips_by_incident", "clips", ["camera", "incident"])
    op.create_table(
        "wishes",
        _camera(primary=True),
        _needed("kind", sa.Integer, first=True),
        _needed("body", _BLOB),
        sa.Column("mode", sa.Integer),
        _needed("asked_ns", _BIG),
        sa.Column("sent_nonce", _BLOB),
        sa.Column("sent_number", _BIG),
        sa.Column("outcome", sa.Integer),
        sa.Column("detail", sa.String(256)),
    )
    op.create_table("audit", _needed("number", _BIG, first=True), _needed("hash", _BLOB), _needed("entry", _BLOB))
    op.create_table(
        "grants",
        _needed("id", sa.String(16), first=True),
        _needed("clip", _BLOB),
        _needed("recipient", _BLOB),
        _needed("name", sa.String(64)),
        _needed("bundle", _BLOB),
        _needed("issued_ns", _BIG),
        _needed("expires_ns", _BIG),
        sa.Column("revoked_ns", _BIG),
    )
    op.create_table(
        "deletions",
        sa.Column("id", sa.Integer, primary_key=True),
        _camera(),
        _needed("incident", _BLOB),
        _needed("below_prekey", _BIG),
        _needed("asked_ns", _BIG),
        sa.Column("done_ns", _BIG),
    )
    op.create_table("values", _needed("name", sa.String(32), first=True), _needed("value", _BLOB))


def _wishes() -> None:
    """What was asked of each camera in format 1 was a mode."""
    names = ("camera", "kind", "body", "mode", "asked_ns")
    old, new = (sa.table(of, *(sa.column(name) for name in names)) for of in ("wishes_1", "wishes"))
    for row in op.get_bind().execute(sa.select(old.c.camera, old.c.mode, old.c.asked_ns)).all():
        said = context.config.attributes["wrap"](schema.encode(ArmBody(mode=Mode(row.mode))))
        kind = {"kind": int(CommandType.ARM), "body": said}
        op.get_bind().execute(sa.insert(new).values(**row._mapping, **kind))
    op.drop_table("wishes_1")


def _epochs() -> None:
    """A camera had one key for its life: its first epoch."""
    cameras = sa.table("cameras", *(sa.column(name) for name in ("id", "epoch", "public", "command", "enrolled_ns")))
    events = sa.table("events", sa.column("camera"), sa.column("epoch"))
    names = ("camera", "epoch", "public", "command", "after_seq", "since_ns")
    epochs = sa.table("epochs", *(sa.column(name) for name in names))
    for row in op.get_bind().execute(sa.select(cameras)).all():
        first = {"camera": row.id, "epoch": row.epoch, "public": row.public, "command": row.command}
        op.get_bind().execute(sa.insert(epochs).values(after_seq=0, since_ns=row.enrolled_ns, **first))
        op.get_bind().execute(sa.update(events).where(events.c.camera == row.id).values(epoch=row.epoch))
