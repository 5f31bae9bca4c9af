"""What the eye tells of its models: each trouble as it comes, and blindness while armed as urgently as an alarm.

A model that broke while nobody was to be guarded against is told once more when the camera is armed. What is a trouble
is decided in `sight.panel`. See design/sight.md, detectors.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sealcam.orders import ARMED
from sealcam.sealer import Sealer
from sealcam.sight.panel import Trouble
from sealcam.sight.types import ArmMode

_log = logging.getLogger(__name__)


class Ailing:
    """Tells through one sealer."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._unheard: Trouble | None = None

    def tell(self, troubles: Sequence[Trouble], mode: ArmMode) -> bool:
        """Queue what is new, and what matters more now that the camera is armed so; whether there was anything.

        Raises:
            StorageError: the disk is full.
        """
        armed = mode in ARMED
        again = self._unheard if armed else None
        for trouble in troubles:
            if trouble.blind is not None:
                again, self._unheard = None, trouble if trouble.blind and not armed else None
            self._say(trouble, urgent=armed and trouble.blind is True)
        if again is not None:
            self._unheard = None
            self._say(again, urgent=True)
        return bool(troubles) or again is not None

    def _say(self, trouble: Trouble, *, urgent: bool) -> None:
        _log.warning("%s", trouble.words)
        self._sealer.health(trouble.code, trouble.words, urgent=urgent)
