"""Messages that name a camera's next key before its hand-over has come: kept in memory for a while, so that an alarm
needn't wait until the camera sends it again.

Nobody has verified them, so there are few of them and the newest win; what is dropped comes again, since it has no
receipt. Implements design/pipeline.md, "Hub", step 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sealcam_hub.inbox import Message
from sealcam_hub.notices import Refusal
from sealcam_hub.outcome import Outcome

MOST = 32  # of one camera
MOST_BYTES = 1 << 20


class Early:
    """What waits, by camera."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Message]] = {}
        self._epochs: dict[str, int] = {}

    def sort_out(
        self, messages: Sequence[Message], outcomes: Sequence[Outcome], epochs: Mapping[str, int]
    ) -> list[Message]:
        """Keep the early ones of a batch; those that needn't wait any longer, by the epochs of cameras it moved."""
        ready = [one for alias in epochs if self._moved(alias, epochs[alias]) for one in self._waiting.pop(alias, [])]
        for message, outcome in zip(messages, outcomes, strict=True):
            if outcome.refusal is Refusal.EARLY:
                self._keep(message)
        return ready

    def _moved(self, alias: str, epoch: int) -> bool:
        before = self._epochs.get(alias)
        self._epochs[alias] = epoch
        return before != epoch

    def _keep(self, message: Message) -> None:
        waiting = [*self._waiting.get(message.alias, ()), message][-MOST:]
        while waiting and sum(len(one.payload) for one in waiting) > MOST_BYTES:
            waiting.pop(0)
        self._waiting[message.alias] = waiting
