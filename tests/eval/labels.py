"""What is really to be seen in a clip, read from the files that a person drew and checked.

The files stand in `tests/eval/labels/`, one a clip, drawn by hand from the pictures and never by a model: they judge
the models. What they say is in the values of `lives.py`.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from sealcam.sight.types import Box, Subject
from sealcam.wire.errors import ConfigError
from tests.eval.lives import ClipLabels, Key, Life, Static, Stretch

__all__ = ["FOLDER", "ClipLabels", "Key", "Life", "Static", "Stretch", "load"]

FOLDER = Path(__file__).with_suffix("")  # tests/eval/labels
_MOVING = {"person": Subject.PERSON, "vehicle": Subject.VEHICLE, "animal": Subject.ANIMAL}
_HINT = "the format is described in tests/eval/labels.py, at `load`"


def load(path: Path) -> ClipLabels:
    """The labels in the TOML file at `path`, checked.

    `clip`, `width_px`, `height_px`, `note`; tables `[[person]]`, `[[vehicle]]`, `[[animal]]` (moving: `name`, `note`,
    `keys` as rows of `[seconds, x0, y0, x1, y1]`, `hidden` as rows of `[from, to]`), `[[static]]` (`name`, `subject`,
    `box`), `[[empty]]` (`from_s`, `to_s`). Seconds are those of the frames' own timestamps; pixels are the picture's.

    Raises:
        ConfigError: the file is no TOML, a key is missing or unknown, or the values can't be: it names file and place.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name}: {error}", _HINT) from error
    return _Reader(path.name).clip(table)


class _Reader:
    """Turns tables into values; every complaint names the file and the entry."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._names: set[str] = set()
        self._frame = Box(0, 0, 0, 0)

    def clip(self, table: Mapping[str, object]) -> ClipLabels:
        self._known("clip", table, {"clip", "width_px", "height_px", "note"}, {*_MOVING, "static", "empty"})
        width, height = table["width_px"], table["height_px"]
        if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
            raise self._wrong("clip", f"a picture of {width} x {height} can't be")
        self._frame = Box(0, 0, width, height)
        return ClipLabels(
            clip=str(table["clip"]),
            width_px=width,
            height_px=height,
            note=str(table["note"]),
            lives=tuple(self._life(kind, row) for kind in _MOVING for row in self._tables(table, kind)),
            statics=tuple(self._static(row) for row in self._tables(table, "static")),
            empty=tuple(self._empty(row) for row in self._tables(table, "empty")),
        )

    def _life(self, kind: str, row: Mapping[str, object]) -> Life:
        where = self._name(kind, row)
        self._known(where, row, {"name", "keys"}, {"note", "hidden"})
        keys = tuple(self._key(where, numbers) for numbers in self._rows(where, "keys", row["keys"], 5))
        if len(keys) < 2:
            raise self._wrong(where, "a life needs two keys, the first and the last")
        for a, b in pairwise(keys):
            if not a.t_s < b.t_s:
                raise self._wrong(where, f"keys must be in time order: {b.t_s:g} s comes after {a.t_s:g} s")
        hidden = tuple(Stretch(*pair) for pair in self._rows(where, "hidden", row.get("hidden", []), 2))
        self._check_hidden(where, hidden, keys)
        return Life(str(row["name"]), _MOVING[kind], str(row.get("note", "")), keys, hidden)

    def _check_hidden(self, where: str, hidden: tuple[Stretch, ...], keys: tuple[Key, ...]) -> None:
        for stretch in hidden:
            if not keys[0].t_s <= stretch.from_s < stretch.to_s <= keys[-1].t_s:
                said = f"hidden from {stretch.from_s:g} to {stretch.to_s:g} s"
                raise self._wrong(where, f"{said} is not inside its life, {keys[0].t_s:g} to {keys[-1].t_s:g} s")
        for first, second in pairwise(hidden):
            if not first.to_s < second.from_s:
                raise self._wrong(where, f"hidden stretches overlap or are out of order at {second.from_s:g} s")

    def _static(self, row: Mapping[str, object]) -> Static:
        where = self._name("static", row)
        self._known(where, row, {"name", "subject", "box"}, {"note"})
        if row["subject"] not in _MOVING:
            raise self._wrong(where, f"subject {row['subject']!r} is none of {', '.join(_MOVING)}")
        (numbers,) = self._rows(where, "box", [row["box"]], 4)
        return Static(str(row["name"]), _MOVING[str(row["subject"])], self._box(where, numbers))

    def _empty(self, row: Mapping[str, object]) -> Stretch:
        self._known("empty", row, {"from_s", "to_s"}, set())
        ((from_s, to_s),) = self._rows("empty", "from_s, to_s", [[row["from_s"], row["to_s"]]], 2)
        if not 0 <= from_s < to_s:
            raise self._wrong("empty", f"from {from_s:g} to {to_s:g} s is no stretch")
        return Stretch(from_s, to_s)

    def _key(self, where: str, numbers: list[float]) -> Key:
        t_s, *edges = numbers
        if t_s < 0:
            raise self._wrong(where, f"a key at {t_s:g} s is before the clip")
        return Key(t_s, self._box(f"{where} at {t_s:g} s", edges))

    def _box(self, where: str, edges: list[float]) -> Box:
        box, frame = Box(*edges), self._frame
        if not (box.x0 < box.x1 and box.y0 < box.y1):
            raise self._wrong(where, f"box {edges} is empty: it is x0, y0, x1, y1")
        if box.x0 < 0 or box.y0 < 0 or box.x1 > frame.x1 or box.y1 > frame.y1:
            raise self._wrong(where, f"box {edges} leaves the picture of {frame.x1:g} x {frame.y1:g}")
        return box

    def _name(self, kind: str, row: Mapping[str, object]) -> str:
        name = row.get("name")
        if not isinstance(name, str) or not name:
            raise self._wrong(kind, "an entry has no name")
        if name in self._names:
            raise self._wrong(f"{kind} {name}", "this name stands twice")
        self._names.add(name)
        return f"{kind} {name}"

    def _tables(self, table: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
        rows = table.get(key, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self._wrong(key, f"must be tables: [[{key}]]")
        return rows

    def _rows(self, where: str, key: str, rows: object, columns: int) -> list[list[float]]:
        if not isinstance(rows, list):
            raise self._wrong(where, f"{key} must be a list")
        for row in rows:
            if not (isinstance(row, list) and len(row) == columns and all(map(_is_number, row))):
                raise self._wrong(where, f"{key}: {row} is not {columns} numbers")
        return [[float(number) for number in row] for row in rows]

    def _known(self, where: str, row: Mapping[str, object], needed: set[str], optional: set[str]) -> None:
        for key in sorted(needed - row.keys()):
            raise self._wrong(where, f"{key} is missing")
        for key in sorted(row.keys() - needed - optional):
            raise self._wrong(where, f"unknown key {key}; known are {', '.join(sorted(needed | optional))}")

    def _wrong(self, where: str, what: str) -> ConfigError:
        return ConfigError(f"{self._file}: {where}: {what}", _HINT)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
