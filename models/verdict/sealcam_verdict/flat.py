"""Writes FlatBuffers, as far as a small TensorFlow Lite file needs them: tables, vectors, strings, byte blobs.

Parents lie before their children and everything in the order it is given, so the same tree is the same bytes. Knows
nothing of TensorFlow Lite: that is `tflite`. Written from the format's public description; a package for it would be
the only one that training needs beside numpy.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

# A blob's bytes begin at a multiple of this: the runtimes read weights in place, as 16-byte vectors.
BLOB_ALIGNMENT = 16


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number within a table, in `struct`'s letter for its type."""

    kind: str
    value: float | int


@dataclass(frozen=True, slots=True)
class Blob:
    """A vector of bytes whose place in the file is reported under its name."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Ints:
    """A vector of int32."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """A vector of tables."""

    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its fields by their number in the schema; those that are left out have the schema's default."""

    fields: dict[int, Field]


Field = Scalar | Blob | Ints | Tables | Table | str


class Writer:
    """Lays out one tree. `blobs` holds each blob's first byte and the one after its last, in the file's order."""

    def __init__(self) -> None:
        self._out = bytearray()
        self.blobs: dict[str, tuple[int, int]] = {}

    def file(self, root: Table, identifier: bytes) -> bytes:
        """The whole file: the root's offset, four bytes that say what it holds, the tree, zeros up to 16."""
        self._out += bytes(4) + identifier
        self._refer(0, root)
        self._align(BLOB_ALIGNMENT)
        return bytes(self._out)

    def _refer(self, at: int, child: Field) -> None:
        """Put the child behind everything that is there, and its distance into the four bytes at `at`."""
        place = self._child(child)
        struct.pack_into("<I", self._out, at, place - at)

    def _child(self, child: Field) -> int:
        if isinstance(child, Table):
            return self._table(child)
        if isinstance(child, Tables):
            return self._tables(child.tables)
        if isinstance(child, Ints):
            return self._vector(struct.pack(f"<{len(child.values)}i", *child.values), len(child.values), 4)
        if isinstance(child, Blob):
            place = self._vector(child.content, len(child.content), BLOB_ALIGNMENT)
            self.blobs[child.name] = (place + 4, place + 4 + len(child.content))
            return place
        if isinstance(child, str):
            text = child.encode()
            place = self._vector(text, len(text), 4)
            self._out += b"\0"
            return place
        raise TypeError(f"{child!r} stands within its table")

    def _vector(self, content: bytes, count: int, alignment: int) -> int:
        """A length, and what follows it aligned."""
        while (len(self._out) + 4) % alignment:
            self._out.append(0)
        place = len(self._out)
        self._out += struct.pack("<I", count) + content
        return place

    def _tables(self, tables: Sequence[Table]) -> int:
        place = self._vector(bytes(4 * len(tables)), len(tables), 4)
        for index, table in enumerate(tables):
            self._refer(place + 4 + 4 * index, table)
        return place

    def _table(self, table: Table) -> int:
        """A vtable, then the fields in their order, then what they refer to."""
        slots, size, references = [0] * (max(table.fields, default=-1) + 1), 4, []
        body = bytearray(4)
        for number, field in sorted(table.fields.items()):
            kind, value = (field.kind, field.value) if isinstance(field, Scalar) else ("I", 0)
            width = struct.calcsize(f"<{kind}")
            body += bytes(-len(body) % width)
            slots[number] = len(body)
            if not isinstance(field, Scalar):
                references.append((len(body), field))
            body += struct.pack(f"<{kind}", value)
        size = len(body)
        self._align(4)
        vtable = struct.pack(f"<HH{len(slots)}H", 4 + 2 * len(slots), size, *slots)
        self._out += bytes(-(len(self._out) + len(vtable)) % 4) + vtable
        place = len(self._out)
        struct.pack_into("<i", body, 0, len(vtable))
        self._out += body
        for offset, child in references:
            self._refer(place + offset, child)
        return place

    def _align(self, alignment: int) -> None:
        self._out += bytes(-len(self._out) % alignment)
