"""Has cameras delete their own sealed files of clips that the owner deleted.

The keys are destroyed here whatever a camera does; its files would still open with the words. What a camera hasn't
answered yet goes with what is new, in the transaction of the deletion. design/hub.md, "Intimate moments".
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select

from sealcam.wire import schema
from sealcam.wire.bodies import ClipState
from sealcam.wire.wishes import CommandType, ForgetWish
from sealcam_hub.tables import cameras, clips
from sealcam_hub.wishes import Wishes

MOST = schema.MAX_ITEMS  # clips in one command; of more the rest goes as the camera makes room
_AT_ONCE = 10_000  # names in one query


def ask(connection: Connection, wishes: Wishes, names: Sequence[bytes], actor: str) -> None:
    """Ask the cameras of these clips, as far as they may still have them, in the caller's writing transaction."""
    dropped = or_(clips.c.state.is_(None), clips.c.state != int(ClipState.EVICTED))
    query = select(cameras.c.id, cameras.c.alias, clips.c.clip).join(clips, clips.c.camera == cameras.c.id)
    query = query.where(dropped, ~cameras.c.expelled, ~cameras.c.gone).order_by(cameras.c.id, clips.c.clip)
    found: dict[tuple[int, str], list[bytes]] = {}
    for first in range(0, len(names), _AT_ONCE):
        for row in connection.execute(query.where(clips.c.clip.in_(names[first : first + _AT_ONCE]))):
            found.setdefault((row.id, row.alias), []).append(row.clip)
    for (camera, alias), its in found.items():
        before = wishes.standing(connection, camera, CommandType.FORGET)
        kept = before.clips if isinstance(before, ForgetWish) else ()
        named = tuple(dict.fromkeys((*kept, *its)))[-MOST:]
        wishes.put(connection, alias, ForgetWish(clips=named), actor)
