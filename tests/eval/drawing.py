"""Drawings of the report, as SVG: where boxes lay in a picture, what happened when, and how far probabilities hold.

Colours are classes; `page.html` gives them for light and for dark. Coordinates of pictures are the clip's own pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from tests.eval.lives import ClipLabels, Life, Stretch
from tests.eval.matching import covered
from tests.eval.records import Run, Seen, Shot
from tests.eval.scoring import must_px
from tests.eval.tables import Bin, Result

# A timeline: its width, the room for names, the height of a row, in units of the drawing.
WIDE, NAMES, ROW = 960.0, 110.0, 11.0
# Moments of one track that lie this near belong to one bar, seconds.
JOIN_S = 0.6
# Evidence of this age is still drawn into a picture: not every frame is looked at.
RECENT_S = 0.25


def boxes(shot: Shot, result: Result) -> str:
    """What was drawn (dashed) and what was evidence (solid, with its track's number) in the frame of a picture."""
    labels = _labels(result)
    t_s = shot.t_s
    scale = labels.width_px / 400
    parts = [_box(life.box_at(t_s), "drawn", life.name, scale) for life in labels.lives if life.visible_at(t_s)]
    parts += [_box(static.box, "parked", static.name, scale) for static in labels.statics]
    for one in _recent(result.run.seen, t_s):
        parts.append(_box(one.box, "seen", f"{one.track}", scale))
    return f'<svg class="over" viewBox="0 0 {labels.width_px} {labels.height_px}">{"".join(parts)}</svg>'


def _recent(seen: Sequence[Seen], t_s: float) -> Iterator[Seen]:
    newest: dict[int, Seen] = {one.track: one for one in seen if t_s - RECENT_S <= one.t_s <= t_s}
    yield from newest.values()


def _box(box: object, kind: str, name: str, scale: float) -> str:
    x0, y0, x1, y1 = (getattr(box, edge) for edge in ("x0", "y0", "x1", "y1"))
    place = f'x="{x0:.0f}" y="{y0:.0f}" width="{x1 - x0:.0f}" height="{y1 - y0:.0f}"'
    # Drawn names stand below, tracks' numbers above.
    at_y = y1 + 10 * scale if kind != "seen" else max(9 * scale, y0 - 3 * scale)
    text = f'<text x="{x0:.0f}" y="{at_y:.0f}" font-size="{9 * scale:.0f}">{escape(name)}</text>'
    return f'<g class="{kind}"><rect {place} stroke-width="{1.6 * scale:.1f}"/>{text}</g>'


def timeline(result: Result) -> str:
    """What happened when: the gate, each life with the tracks that showed it, the incidents with their reports."""
    labels, run = _labels(result), result.run
    first_s = result.job.clip.first_s if result.job.stretch is None else 0.0
    axis = _Axis(first_s, first_s + max(run.watched_s, 0.1))
    rows = [_gate(run, axis)]
    matches = covered(run.seen, labels)
    for life in labels.lives:
        moments = [(m.t_s, m.track) for m in matches if m.life == life.name and m.own]
        rows.append(_life(life, labels, moments, axis))
    rows.append(_incidents(result, axis))
    height, parts = 4.0, []
    for content, room in rows:
        parts.append(f'<g transform="translate(0 {height:.0f})">{content}</g>')
        height += room
    parts.append(f'<g transform="translate(0 {height:.0f})">{axis.ticks()}</g>')
    return f'<svg class="timeline" viewBox="0 0 {WIDE:.0f} {height + 16:.0f}">{"".join(parts)}</svg>'


class _Axis:
    """Seconds to places."""

    def __init__(self, from_s: float, to_s: float) -> None:
        self.from_s, self.to_s = from_s, to_s

    def x(self, t_s: float) -> float:
        share = (t_s - self.from_s) / (self.to_s - self.from_s)
        return NAMES + min(max(share, 0.0), 1.0) * (WIDE - NAMES - 8)

    def bar(self, kind: str, stretch: Stretch, y: float, high: float, title: str = "") -> str:
        x = self.x(stretch.from_s)
        wide = max(1.2, self.x(stretch.to_s) - x)
        told = f"<title>{escape(title)}</title>" if title else ""
        return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}">{told}</rect>'

    def ticks(self) -> str:
        span = self.to_s - self.from_s
        step = next((s for s in (1, 2, 5, 10, 20, 50) if span / s <= 12), 100)
        marks = []
        for number in range(int(span / step) + 1):
            x = self.x(self.from_s + number * step)
            marks.append(f'<text class="tick" x="{x:.1f}" y="10" text-anchor="middle">{number * step} s</text>')
        return "".join(marks)


def _named(name: str, y: float) -> str:
    return f'<text class="name" x="{NAMES - 6:.0f}" y="{y:.1f}" text-anchor="end">{escape(name)}</text>'


def _gate(run: Run, axis: _Axis) -> tuple[str, float]:
    """The share of the picture that moved, by its root, and where the light changed."""
    high = 26.0
    points = " ".join(f"{axis.x(m.t_s):.1f},{high - high * min(1.0, m.share) ** 0.5:.1f}" for m in run.moved)
    parts = [_named("gate", 18), f'<polyline class="gate" points="{points}"/>' if points else ""]
    parts += [axis.bar("light", Stretch(m.t_s, m.t_s), 0, high, "light") for m in run.moved if m.whole]
    return "".join(parts), high + 6


def _life(life: Life, labels: ClipLabels, moments: Sequence[tuple[float, int]], axis: _Axis) -> tuple[str, float]:
    parts = [_named(life.name, 8), axis.bar("view", life.in_view, 1, 8, f"{life.name}: {life.note}")]
    parts += [axis.bar("high", stretch, 1, 8) for stretch in life.stretches_at_height(must_px(labels))]
    for track, stretch in _spans(moments):
        parts.append(axis.bar(f"track t{track % 6}", stretch, 3, 4, f"track {track}"))
    return "".join(parts), ROW


def _spans(moments: Iterable[tuple[float, int]]) -> Iterator[tuple[int, Stretch]]:
    """Moments of one track that lie near are one bar."""
    open_: tuple[int, float, float] | None = None
    for t_s, track in moments:
        if open_ is not None and open_[0] == track and t_s - open_[2] <= JOIN_S:
            open_ = (track, open_[1], t_s)
            continue
        if open_ is not None:
            yield open_[0], Stretch(open_[1], open_[2])
        open_ = (track, t_s, t_s)
    if open_ is not None:
        yield open_[0], Stretch(open_[1], open_[2])


def _incidents(result: Result, axis: _Axis) -> tuple[str, float]:
    parts = [_named("incidents", 10)]
    for judged in result.score.incidents:
        said = [one for one in result.run.said if one.incident == judged.incident]
        kind = "threat" if judged.threatened else judged.verdict
        words = (
            f"{judged.subject}, {judged.verdict.replace('_', ' ')} {judged.threat:.2f}; {'; '.join(said[-1].reasons)}"
        )
        parts.append(axis.bar(f"incident {kind}", Stretch(said[-1].started_s, said[-1].ended_s), 2, 10, words))
        parts += [f'<circle class="report" cx="{axis.x(one.t_s):.1f}" cy="7" r="2"/>' for one in said]
    return "".join(parts), 16.0


def reliability(bins: Sequence[Bin]) -> str:
    """The curve of reliability: told probability across, share of true threats up; a dot's area is its count."""
    size = 220.0
    most = max((one.count for one in bins), default=1)
    parts = [
        f'<rect class="field" x="0" y="0" width="{size:.0f}" height="{size:.0f}"/>',
        f'<line class="ideal" x1="0" y1="{size:.0f}" x2="{size:.0f}" y2="0"/>',
    ]
    points = [(one.mean * size, size - one.share * size, one) for one in bins]
    parts.append(f'<polyline class="curve" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)}"/>')
    for x, y, one in points:
        radius = 3 + 9 * (one.count / most) ** 0.5
        told = f"{one.count} incidents, told {one.mean:.2f}, threats {one.share:.2f}"
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{told}</title></circle>')
    for share in (0, 0.5, 1):
        parts.append(
            f'<text class="tick" x="{share * size:.0f}" y="{size + 14:.0f}" text-anchor="middle">{share:g}</text>'
        )
        parts.append(f'<text class="tick" x="-6" y="{size - share * size + 4:.0f}" text-anchor="end">{share:g}</text>')
    parts.append(f'<text class="tick" x="{size / 2:.0f}" y="{size + 30:.0f}" text-anchor="middle">told threat</text>')
    parts.append(
        f'<text class="tick" x="-34" y="{size / 2:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 -34 {size / 2:.0f})">share that was one</text>'
    )
    return f'<svg class="reliability" viewBox="-48 -10 {size + 64:.0f} {size + 48:.0f}">{"".join(parts)}</svg>'


def _labels(result: Result) -> ClipLabels:
    """In an empty stretch only what is parked was drawn."""
    labels = result.job.clip.labels
    if result.job.stretch is None:
        return labels
    return ClipLabels(labels.clip, labels.width_px, labels.height_px, labels.note, (), labels.statics, labels.empty)
