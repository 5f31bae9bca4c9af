"""`python -m sealcam_verdict.figures`: the figures of the verdict model's card, and its calibration curve as a picture.

Simulated incidents are others than those it learnt from and was calibrated on; each real clip is judged by the model
that was trained without it. What is printed is what the card says.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sealcam import verdicts
from sealcam.verdict_file import read
from sealcam_verdict import calibration, fit, real, train
from sealcam_verdict.calibration import Bin, bounded, brier, expected_error, reliability
from sealcam_verdict.fit import Array, Examples
from sealcam_verdict.life import BENIGN, FALSE_ALARM, THREAT

TESTED, SEED = 8_000, train.SEED + 2
PICTURE = train.CHECKOUT / "models" / "cards" / "verdict.svg"
SIDE_PX, EDGE_PX = 360, 56


def of_simulated() -> tuple[Examples, Array]:
    """Simulated incidents that the shipped model has never seen, and what it says of them."""
    examples = train.simulated(SEED, TESTED)
    return examples, fit.probabilities(read(verdicts.load(), "the shipped model"), examples.inputs)


def of_clip(clip: str) -> tuple[Examples, Array]:
    """A real clip's incidents, and what the model without that clip says of them."""
    examples = real.examples(only=clip)
    return examples, fit.probabilities(read(train.without(clip), clip), examples.inputs)


def lines() -> list[str]:
    """The figures as they are printed."""
    examples, said = of_simulated()
    threat_error = bounded(lambda p, c: expected_error(p[:, THREAT], c == THREAT), said, examples, SEED)
    out = [
        f"simulated: {len(examples)} moments of {TESTED} incidents",
        f"  error of the threat's probability (ECE): {threat_error}",
        f"  Brier score over the three classes: {bounded(brier, said, examples, SEED)}",
        *_called(examples, said),
    ]
    out += [
        f"  said {one.said:.3f}: {one.so:.3f} of {one.count} ({one.low:.3f} to {one.high:.3f})"
        for one in reliability(said[:, THREAT], examples.classes == THREAT)
    ]
    for clip in real.clips():
        examples, said = of_clip(clip)
        incidents = len(np.unique(examples.incidents))
        out.append(f"{clip}, by the model without it: {len(examples)} moments of {incidents} incidents")
        out.append(f"  Brier score over the three classes: {brier(said, examples.classes):.3f}")
        out += _called(examples, said)
    return out


def _called(examples: Examples, said: Array) -> list[str]:
    """How many moments of each class were called threats, before any rule; and of what was taken for a person."""
    out = []
    person = examples.inputs[:, 0] == 1
    for really, words in ((True, "persons who were recognised"), (False, "what was taken for a person and was none")):
        chosen = person & ((examples.classes == THREAT) == really)
        if chosen.any():
            called = int((said[chosen, THREAT] >= 0.5).sum())
            out.append(f"  {words}: {called} of {int(chosen.sum())} moments called a threat")
    for index, words in ((THREAT, "threats"), (BENIGN, "benign"), (FALSE_ALARM, "false alarms")):
        chosen = examples.classes == index
        if chosen.any():
            called = int((said[chosen, THREAT] >= 0.5).sum())
            out.append(f"  {words}: {called} of {int(chosen.sum())} moments called a threat")
    return out


def picture(bins: Sequence[Bin]) -> str:
    """The calibration curve as SVG: what was said across, what was so up, bars for the bounds, counts beside."""

    def at(said: float, so: float) -> tuple[float, float]:
        return round(EDGE_PX + said * SIDE_PX, 1), round(EDGE_PX + (1 - so) * SIDE_PX, 1)

    whole = SIDE_PX + 2 * EDGE_PX
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{whole}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{whole}" height="{whole}" fill="#ffffff"/>',
        f'<rect x="{EDGE_PX}" y="{EDGE_PX}" width="{SIDE_PX}" height="{SIDE_PX}" fill="none" stroke="#888888"/>',
        _line(at(0, 0), at(1, 1), "#bbbbbb", 'stroke-dasharray="4 4"'),
    ]
    for step in (0.0, 0.25, 0.5, 0.75, 1.0):
        (x, _), (_, y) = at(step, 0), at(0, step)
        parts.append(f'<text x="{x}" y="{EDGE_PX + SIDE_PX + 18}" text-anchor="middle">{step:g}</text>')
        parts.append(f'<text x="{EDGE_PX - 8}" y="{y + 4}" text-anchor="end">{step:g}</text>')
    for one in bins:
        (x, y), (_, low), (_, high) = at(one.said, one.so), at(one.said, one.low), at(one.said, one.high)
        parts.append(_line((x, low), (x, high), "#3465a4", ""))
        parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="#3465a4"/>')
        side, anchor = (-8, "end") if one.said > 0.5 else (8, "start")
        parts.append(f'<text x="{x + side}" y="{y - 6}" text-anchor="{anchor}" fill="#555555">{one.count}</text>')
    middle = EDGE_PX + SIDE_PX / 2
    parts += [
        f'<text x="{middle}" y="{whole - 14}" text-anchor="middle">said: probability of a threat</text>',
        f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">so: share of threats'
        "</text>",
        f'<text x="{middle}" y="24" text-anchor="middle">Simulated incidents that the model has not seen</text>',
        f'<text x="{middle}" y="42" text-anchor="middle" fill="#555555">bars: 95 %; numbers: moments</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _line(start: tuple[float, float], end: tuple[float, float], colour: str, more: str) -> str:
    return f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}" stroke="{colour}" {more}'.rstrip() + "/>"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures and write the picture; 0 when done."""
    parser = argparse.ArgumentParser(prog="sealcam_verdict.figures", description="the figures of the card")
    parser.add_argument("--picture", type=Path, default=PICTURE, metavar="FILE", help=f"default {PICTURE.name}")
    options = parser.parse_args(arguments)
    examples, said = of_simulated()
    bins = calibration.reliability(said[:, THREAT], examples.classes == THREAT)
    options.picture.write_text(picture(bins), encoding="utf-8")
    sys.stdout.write("\n".join(lines()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
