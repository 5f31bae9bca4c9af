"""The camera's clips beyond their recording, in one piece: the index of what is kept, and their way to the hub.

It is there whether clips are recorded or not: what was recorded before is kept, and goes when it is asked for. The
parts decide: `clip_store` what is kept, `sending` and `sending_rules` what goes. design/clips.md, store and transfer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from sealcam.clip_settings import ClipSettings
from sealcam.clip_store import ClipStore
from sealcam.clips import ClipFolder
from sealcam.sealer import Sealer
from sealcam.sending import Sending
from sealcam.sending_rules import Rules
from sealcam.wrapping import Wrapping


@dataclass(frozen=True, slots=True)
class Around:
    """What there is around it: the time of day (ns since 1970 UTC, none while it isn't known), the schedule's zone
    (none: the system's), and how the link is told that there is something to send."""

    wall_ns: Callable[[], int | None]
    zone: Callable[[], tzinfo | None]
    wake: Callable[[], None]


class Transfer:
    """One eye's `store` and `sending`."""

    def __init__(
        self,
        folder: ClipFolder,
        wrapping: Wrapping,
        settings: ClipSettings,
        sealer: Sealer,
        around: Around,
        *,
        cover: bool,
    ) -> None:
        """Open the index.

        Raises:
            StorageError: it can't be opened.
        """
        self._sealer = sealer
        rules = Rules(settings.send, settings.window, cover)
        self.store = ClipStore(
            folder.index,
            folder,
            wrapping,
            max_bytes=settings.max_bytes,
            say=sealer.clip,
            on_change=around.wake,
        )
        folder.growing.on_change = around.wake
        self.sending = Sending(
            self.store, folder, rules, lambda: rules.open(around.wall_ns(), around.zone()), sealer.health
        )

    def take_up(self) -> None:
        """Say what the last start left unsaid; before anything is recorded, after `clips.settle`.

        Raises:
            StorageError: the disk is full or broken.
        """
        if self.store.lost:
            self._sealer.health("clip-index-lost", "the index of clips was damaged: all are kept like threats")
        self.store.take_stock()

    def close(self) -> None:
        """Let go of the index."""
        self.store.close()
