"""Pictures of QR codes as a phone takes them: askew, seen from the side, unevenly lit, noisy, not quite sharp."""

from __future__ import annotations

import cv2
import numpy as np
import segno

WIDTH_PX, HEIGHT_PX = 1600, 1200


def photo(
    text: str | None,
    side_px: int = 500,
    turned: float = 10,
    tilt: float = 0.1,
    harsh: float = 1.0,
    ending: str = ".jpg",
) -> bytes:
    """A picture of a code (none: of nothing) that is `side_px` wide in it, `turned` by degrees.

    `tilt` is the share by which one corner is further away than the middle; `harsh` scales noise, blur and shadow.
    """
    rng = np.random.default_rng(7)
    coarse = rng.integers(60, 200, (HEIGHT_PX // 40, WIDTH_PX // 40)).astype(np.uint8)
    scene = cv2.resize(coarse, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    if text is not None:
        modules = np.pad(np.array(list(segno.make(text, micro=False).matrix), np.uint8), 4)
        code = np.kron(np.where(modules, 0, 255).astype(np.uint8), np.ones((8, 8), np.uint8))
        angle, size = np.deg2rad(turned), code.shape[0]
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        away = 1 + tilt * corners.sum(axis=1) / 2
        seen = side_px / 2 * (corners @ turn) / away[:, None] + [WIDTH_PX / 2, HEIGHT_PX / 2]
        flat = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)
        matrix = cv2.getPerspectiveTransform(flat, seen.astype(np.float32))
        way = {"borderMode": cv2.BORDER_TRANSPARENT, "flags": cv2.INTER_AREA}
        scene = cv2.warpPerspective(code, matrix, (WIDTH_PX, HEIGHT_PX), dst=scene, **way)  # type: ignore[call-overload]
    lit = scene * np.linspace(1 - 0.3 * harsh, 1, WIDTH_PX) * 0.85 + 15
    soft = cv2.GaussianBlur(lit, (0, 0), harsh)
    noisy = soft + rng.normal(0, 8 * harsh, soft.shape)
    picture = cv2.cvtColor(np.clip(noisy, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    return cv2.imencode(ending, picture)[1].tobytes()
