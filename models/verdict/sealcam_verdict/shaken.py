"""Makes the model doubt what it has never seen: examples with features of others, and examples of nothing known.

A network is sure of itself far from what it was shown. So most examples get some of their features from another
incident of the same subject, or lose them: no single feature may decide. And a few have features at random, and only
the subject says what they are: that is what there is to go by when an incident is like no other.
"""

from __future__ import annotations

import numpy as np

from sealcam.sight.judge_features import COUNT, NAMES
from sealcam_verdict.fit import Examples

# So often a group of an example's features is taken from another, or (a quarter of those) is blank; four times over.
SHAKEN, TIMES, BLANK = 0.3, 4, 0.25
GROUPS = (
    ("confidence",),
    ("seen", "hits"),
    ("motion", "bursts"),
    ("people",),
    ("pir",),
    ("light",),
    ("hit_share",),
    ("height",),
    ("path", "dwell"),
    ("approach",),
    ("spread", "inside"),
)
# And so many examples lose nearly all that is known of them.
STRIPPED, STRIPPED_SHARE = 0.1, 0.8
# How often an incident like no other is a threat, benign or a false alarm, by its subject: person, vehicle, animal,
# none. A recognised person is one unless much speaks against it.
ODD_CHANCES = ((0.94, 0.03, 0.03), (0.03, 0.90, 0.07), (0.05, 0.87, 0.08), (0.06, 0.12, 0.82))
FIRST_ODD = 2_000_000


def shaken(examples: Examples, seed: int) -> Examples:
    """The examples, most of them with features that are another's or blank."""
    random = np.random.default_rng(seed)
    inputs = examples.inputs.copy()
    kinds = examples.inputs[:, :3] @ np.array([1.0, 2.0, 3.0])
    for kind in range(4):
        rows = np.flatnonzero(kinds == kind)
        for _ in range(TIMES):
            hit = rows[random.random(len(rows)) < SHAKEN]
            others = rows[(random.random(len(hit)) * len(rows)).astype(np.int64)]
            groups = (random.random(len(hit)) * len(GROUPS)).astype(np.int64)
            blank = random.random(len(hit)) < BLANK
            for index, group in enumerate(GROUPS):
                columns = [NAMES.index(name) for name in group]
                taken = groups == index
                values = examples.inputs[others[taken]][:, columns] * ~blank[taken, None]
                inputs[np.ix_(hit[taken], columns)] = values
    stripped = random.random(len(examples)) < STRIPPED
    for group in GROUPS:
        lost = stripped & (random.random(len(examples)) < STRIPPED_SHARE)
        for name in group:
            inputs[lost, NAMES.index(name)] = 0.0
    return Examples(inputs, examples.classes, examples.counts, examples.incidents)


def odd(count: int, seed: int) -> Examples:
    """Incidents like no other."""
    random = np.random.default_rng(seed)
    inputs = random.random((count, COUNT))
    subjects = (random.random(count) * 4).astype(np.int64)
    inputs[:, :3] = np.eye(4)[subjects][:, :3]
    for name in ("pir", "light"):
        inputs[:, NAMES.index(name)] = inputs[:, NAMES.index(name)] < 0.3
    for name in ("confidence", "seen", "people", "hits", "hit_share", "height", "path", "dwell", "approach"):
        inputs[subjects == 3, NAMES.index(name)] = 0.0
    ends = np.cumsum(np.array(ODD_CHANCES), axis=1)[subjects]
    classes = (random.random(count)[:, None] >= ends[:, :2]).sum(axis=1)
    return Examples(inputs, classes, np.ones(count), FIRST_ODD + np.arange(count))
