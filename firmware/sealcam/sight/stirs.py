"""Who stirs all by himself: what moves about him is in his own box, so it is no shadow, no rain and no passer-by.

See design/sight.md, statics.
"""

from __future__ import annotations

import math

import cv2

from sealcam.sight.gate import Motion
from sealcam.sight.types import Box

# Of what moved within half a box around somebody this share is in his own box.
OWN_SHARE = 0.75


def alone(box: Box, motion: Motion) -> bool:
    """Whether what moves there is in this box."""
    across, down = box.width / 2, box.height / 2
    around = _moved(motion, Box(box.x0 - across, box.y0 - down, box.x1 + across, box.y1 + down))
    return _moved(motion, box) >= OWN_SHARE * around


def _moved(motion: Motion, box: Box) -> int:
    """How many cells moved within the box."""
    rows, columns = motion.mask.shape
    x0, x1 = max(0, int(box.x0 / motion.cell_x_px)), min(columns, math.ceil(box.x1 / motion.cell_x_px))
    y0, y1 = max(0, int(box.y0 / motion.cell_y_px)), min(rows, math.ceil(box.y1 / motion.cell_y_px))
    return cv2.countNonZero(motion.mask[y0:y1, x0:x1]) if x0 < x1 and y0 < y1 else 0
