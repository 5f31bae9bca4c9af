"""How memory and statics lie in a file: incidents, marks and looks as bytes, and back (design/sight.md, memory).

Pure. A look becomes one signed byte a channel, which changes a likeness by less than 0.005; a place 1/65535 of the
picture. Where it is kept, and locked, is `memoryfile`'s.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from sealcam.sight.focus import Look
from sealcam.sight.memory import Part, Trace
from sealcam.sight.statics import StaticThing
from sealcam.sight.types import ArmMode, Box, Subject, Verdict
from sealcam.sight.verdict import IncidentFeatures, Mark
from sealcam.wire import schema
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.schema import body, key

# The whole content is no larger; of a larger one the oldest incidents are left out. An incident takes some 700 bytes.
MOST_BYTES = 900_000
MOST_CHANNELS = 4096
_ALL = 65_535
_SUBJECTS, _VERDICTS, _MODES, _MARKS = tuple(Subject), tuple(Verdict), tuple(ArmMode), tuple(Mark)


@body
class _Thing:
    """A part of an incident, or a static thing: `box` is x0, y0, x1, y1 in 65535ths of the picture."""

    subject: int = key(1, limit=len(_SUBJECTS) - 1)
    box: tuple[int, ...] = key(2, limit=_ALL)
    looks: tuple[bytes, ...] = key(3)


@body
class _Incident:
    """One incident; `threat` in millionths, `features` as JSON without what is as usual."""

    incident: str = key(1)
    subject: int = key(2, limit=len(_SUBJECTS) - 1)
    verdict: int = key(3, limit=len(_VERDICTS) - 1)
    threat: int = key(4, limit=1_000_000)
    mode: int = key(5, limit=len(_MODES) - 1)
    features: bytes = key(6)
    parts: tuple[_Thing, ...] = key(7)
    mark: int | None = key(8, default=None, limit=len(_MARKS) - 1)
    at_s: int = key(9)


@body
class _Kept:
    """All of it; `model` names what the looks were pooled from: those of another can't be compared."""

    model: str = key(1)
    incidents: tuple[bytes, ...] = key(2)
    statics: tuple[bytes, ...] = key(3)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a camera remembers: incidents, the oldest first, and what belongs to the scene."""

    traces: tuple[Trace, ...] = ()
    statics: tuple[StaticThing, ...] = ()


def encode(remembered: Remembered, model: str) -> bytes:
    """The bytes of it, at most `MOST_BYTES`: the oldest incidents are left out, those without a mark first."""
    statics = tuple(schema.encode(_thing(one.subject, one.box, one.looks)) for one in remembered.statics)
    packed = [(one, schema.encode(_incident(one))) for one in remembered.traces]
    room = MOST_BYTES - 1000 - sum(len(one) + 9 for one in statics)
    kept = set[int]()
    for index, (_, data) in sorted(enumerate(packed), key=lambda one: (one[1][0].mark is None, -one[0])):
        if len(data) + 9 <= room:
            room -= len(data) + 9
            kept.add(index)
    incidents = tuple(data for index, (_, data) in enumerate(packed) if index in kept)
    return schema.encode(_Kept(model=model, incidents=incidents, statics=statics))


def decode(data: bytes, model: str) -> Remembered:
    """What `encode` made; looks that another model saw are left out.

    Raises:
        EnvelopeError: it isn't as specified.
    """
    kept = schema.decode(data, _Kept)
    alike = kept.model == model
    return Remembered(
        tuple(_trace(schema.decode(one, _Incident), alike=alike) for one in kept.incidents),
        tuple(_static(schema.decode(one, _Thing), alike=alike) for one in kept.statics),
    )


def _incident(trace: Trace) -> _Incident:
    return _Incident(
        incident=trace.incident,
        subject=_SUBJECTS.index(trace.subject),
        verdict=_VERDICTS.index(trace.verdict),
        threat=round(1e6 * min(1.0, max(0.0, trace.threat))) if math.isfinite(trace.threat) else 0,
        mode=_MODES.index(trace.mode),
        features=json.dumps(plain(trace.features)).encode(),
        parts=tuple(_thing(one.subject, one.box, one.looks) for one in trace.parts),
        mark=None if trace.mark is None else _MARKS.index(trace.mark),
        at_s=max(0, trace.at_s),
    )


def _trace(kept: _Incident, *, alike: bool) -> Trace:
    return Trace(
        incident=kept.incident,
        subject=_SUBJECTS[kept.subject],
        verdict=_VERDICTS[kept.verdict],
        threat=kept.threat / 1e6,
        mode=_MODES[kept.mode],
        features=_features(kept.features),
        parts=tuple(Part(*_read(one, alike=alike)) for one in kept.parts),
        mark=None if kept.mark is None else _MARKS[kept.mark],
        at_s=kept.at_s,
    )


def _static(kept: _Thing, *, alike: bool) -> StaticThing:
    return StaticThing(*_read(kept, alike=alike))


def _thing(subject: Subject, box: Box, looks: Iterable[Look]) -> _Thing:
    edges = (box.x0, box.y0, box.x1, box.y1)
    shares = tuple(round(_ALL * min(1.0, max(0.0, edge))) if math.isfinite(edge) else 0 for edge in edges)
    return _Thing(subject=_SUBJECTS.index(subject), box=shares, looks=tuple(filter(any, map(_packed, looks))))


def _read(kept: _Thing, *, alike: bool) -> tuple[Subject, Box, tuple[Look, ...]]:
    if len(kept.box) != 4:
        raise EnvelopeError
    looks = tuple(_unpacked(one) for one in kept.looks) if alike else ()
    return _SUBJECTS[kept.subject], Box(*(edge / _ALL for edge in kept.box)), looks


def _packed(look: Look) -> bytes:
    """One signed byte a channel; nothing but zeros for what is no look."""
    sound = np.nan_to_num(look, posinf=0.0, neginf=0.0)
    largest = max(float(np.abs(sound).max()), 1e-9)
    return np.round(sound * (127 / largest)).astype(np.int8).tobytes()


def _unpacked(data: bytes) -> Look:
    values = np.frombuffer(data, np.int8).astype(np.float32)
    length = float(np.linalg.norm(values))
    if not 0 < values.size <= MOST_CHANNELS or length == 0:
        raise EnvelopeError
    look: Look = values / np.float32(length)
    return look


def plain(features: IncidentFeatures) -> dict[str, object]:
    """The features that are not as usual, for JSON."""
    found: dict[str, object] = {}
    for one in fields(features):
        value = getattr(features, one.name)
        if one.name != "told" and value != one.default:
            found[one.name] = round(value, 4) if isinstance(value, float) and math.isfinite(value) else value
    return found


def _features(data: bytes) -> IncidentFeatures:
    """The features in this JSON; what a later version knows besides is left out."""
    try:
        given = json.loads(data)
        known = {one.name: given[one.name] for one in fields(IncidentFeatures) if one.name in given}
        known = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
        return IncidentFeatures(**{**known, "subject": Subject(known["subject"])})
    except (ValueError, TypeError, KeyError) as error:
        raise EnvelopeError from error
