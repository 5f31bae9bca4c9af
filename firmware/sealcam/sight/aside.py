"""What happens only where the owner doesn't watch never alarms, whatever a judge thinks of it, and that is said.

A subject that stayed in ignore zones, or outside every watch zone, is benign. See design/sight.md, zones, masks and
schedule.
"""

from __future__ import annotations

from sealcam.sight.types import Subject, Verdict
from sealcam.sight.verdict import IncidentFeatures, Judgement

# The most that a judgement may say of something that the owner doesn't watch.
THREAT_MOST = 0.05


def set_aside(judgement: Judgement, features: IncidentFeatures) -> Judgement:
    """The judgement, unless the subject never stood where the owner watches: then it is benign, and why comes first."""
    if features.watched or features.subject is Subject.NONE:
        return judgement
    reason = "it stayed outside the zones that are watched"
    if features.ignored:
        names = " and ".join(f"“{name}”" for name in features.ignored)
        reason = f"it stayed in {names}, which {'is' if len(features.ignored) == 1 else 'are'} ignored"
    seen, *others = judgement.reasons or ("",)
    said = tuple(one for one in (seen, reason, *others) if one)
    return Judgement(Verdict.BENIGN, min(judgement.threat, THREAT_MOST), said)
