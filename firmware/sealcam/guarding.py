"""What the eye tells of somebody's work on the camera, and of a motion sensor or a clock that isn't to be believed.

Each beginning and each end is one health event: `tamper-covered`, `tamper-moved`, `tamper-defocused`,
`tamper-blinded`, `tamper-frozen`, then `tamper-over`, or `tamper-stays` where the view isn't back and nobody will say
when it is; `pir-unreliable`, `pir-reliable`; `clock-stuck`, once. While armed away or at night a beginning of tampering
is as urgent as an alarm. What is tampering is decided in `sight`. See design/sight.md, tamper.
"""

from __future__ import annotations

import logging

from sealcam.sealer import Sealer
from sealcam.sight.corroboration import Doubted
from sealcam.sight.types import ArmMode
from sealcam.sight.watch import Watch

_log = logging.getLogger(__name__)

_ARMED = (ArmMode.AWAY, ArmMode.NIGHT)
_DOUBTS = {
    (Doubted.SENSOR, True): "pir-unreliable",
    (Doubted.SENSOR, False): "pir-reliable",
    (Doubted.CLOCK, True): "clock-stuck",
}


def tell(watch: Watch, sealer: Sealer, mode: ArmMode) -> bool:
    """Queue what the watch has to say of itself since this was last asked; whether there was anything.

    Raises:
        StorageError: the disk is full.
    """
    tamperings, doubts = watch.tamperings(), watch.doubts()
    for one in tamperings:
        code = f"tamper-{one.kind}" if one.on else "tamper-stays" if one.stays else "tamper-over"
        detail = one.detail if one.on else f"{one.kind}: {one.detail}"
        _log.warning("%s: %s", code, detail)
        sealer.health(code, detail, urgent=one.on and mode in _ARMED)
    for doubt in doubts:
        code = _DOUBTS[doubt.of, doubt.on]
        _log.warning("%s: %s", code, doubt.detail)
        sealer.health(code, doubt.detail)
    return bool(tamperings or doubts)
