"""The key table's part for clips, as one batch changes it: keys that events bring, and what became of each clip.

A clip's first key counts, and of what became of it the event with the highest sequence. The events come in any
order, and a clip that another camera has named first is that camera's.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from sealcam.wire.bodies import ClipBody
from sealcam_hub.contents import NewClip
from sealcam_hub.tables import clips

DELETED = clips.c.event.is_not(None) & clips.c.wrapped.is_(None)
"""The clips whose key was destroyed here, or told to be before it came."""
_NAMES = tuple(column.name for column in clips.columns)
_CHANGING = tuple(name for name in _NAMES if name not in ("clip", "camera"))
_CHANGE = (
    update(clips)
    .where(clips.c.clip == bindparam("of_clip"))
    .values(**{name: bindparam(f"now_{name}") for name in _CHANGING})
)


class Clips:
    """What a batch changes in `clips` through `connection`; gathered first, so that the table is asked once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._begun: list[tuple[int, bytes, NewClip, bytes | None]] = []
        self._ended: list[tuple[int, int, ClipBody]] = []

    def begin(self, camera: int, event: bytes, new: NewClip, wrapped: bytes | None) -> None:
        """The key of a clip, wrapped under the table key, as the event of that hash brought it; none for a deleted
        one."""
        self._begun.append((camera, event, new, wrapped))

    def end(self, camera: int, seq: int, said: ClipBody) -> None:
        """What became of a clip, as the event of that sequence says."""
        self._ended.append((camera, seq, said))

    def write(self) -> None:
        """Write everything that was gathered."""
        named = {one[2].key.clip: one[0] for one in reversed(self._begun)}
        named = {one[2].clip: one[0] for one in reversed(self._ended)} | named
        if not named:
            return
        there = self._there(list(named))
        rows = {clip: there.get(clip) or _new(clip, camera) for clip, camera in named.items()}
        for camera, event, new, wrapped in self._begun:
            row = rows[new.key.clip]
            if row["camera"] == camera and row["event"] is None:
                row.update(incident=new.incident, event=event, part=new.key.part, wrapped=wrapped)
        for camera, seq, said in self._ended:
            row = rows[said.clip]
            if row["camera"] == camera and row["said"] < seq:
                row.update(state=int(said.state), said=seq, chunks=said.chunks, size=said.size, chain=said.chain)
        self._save([row for clip, row in rows.items() if clip not in there], list(there.values()))

    def _there(self, names: list[bytes]) -> dict[bytes, dict[str, Any]]:
        found = self._connection.execute(select(clips).where(clips.c.clip.in_(names))).mappings()
        return {row["clip"]: dict(row) for row in found}

    def _save(self, new: list[dict[str, Any]], old: list[dict[str, Any]]) -> None:
        if new:
            self._connection.execute(insert(clips), new)
        if old:
            named = [{"of_clip": row["clip"], **{f"now_{name}": row[name] for name in _CHANGING}} for row in old]
            self._connection.execute(_CHANGE, named)


def _new(clip: bytes, camera: int) -> dict[str, Any]:
    return dict.fromkeys(_NAMES) | {"camera": camera, "clip": clip, "part": 0, "said": 0}
