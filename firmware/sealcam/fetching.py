"""The owner's wish for events and clips: what is here goes before all else, what isn't is said, or it is deleted.

How clips go is `sending`'s, events `pace`'s. Of a clip more than the chunks that were asked for may go: all of it does.
design/wire.md 5.3 and 14.
"""

from __future__ import annotations

from sealcam.commands import Declined
from sealcam.outbox import Outbox
from sealcam.sending import Asked, Sending
from sealcam.wire.bodies import Outcome
from sealcam.wire.errors import StorageError
from sealcam.wire.wishes import FetchWish, ForgetWish

_MOST_NAMED = 3


class Fetching:
    """Carries out fetch commands, in the link's thread."""

    def __init__(self, outbox: Outbox, sending: Sending | None) -> None:
        self._outbox, self._sending = outbox, sending

    def wish(self, wish: FetchWish) -> str:
        """Let it go now.

        Raises:
            Declined: of the clips none is here, or the disk is full.
        """
        found = sum(self._outbox.due_now(run.first, run.last) for run in wish.events)
        said = [f"{_counted(found, 'event')} on {_their(found)} way"] if wish.events or not wish.clips else []
        clips = tuple(dict.fromkeys(one.clip for one in wish.clips))
        asked = Asked((), (), clips)
        if clips and self._sending is not None:
            try:
                asked = self._sending.ask(clips)
            except StorageError as error:
                raise Declined(Outcome.FAILED, "; ".join((*said, error.message))) from error
        said += _words(asked)
        if clips and not asked.coming and not asked.running:
            raise Declined(Outcome.FAILED, "; ".join(said))
        return "; ".join(said)

    def forget(self, wish: ForgetWish) -> str:
        """Delete clips that the owner has deleted.

        Raises:
            Declined: the disk fails.
        """
        assert self._sending is not None  # nobody is asked without
        try:
            found = self._sending.forget(tuple(dict.fromkeys(wish.clips)))
        except StorageError as error:
            raise Declined(Outcome.FAILED, error.message) from error
        return f"{_counted(found, 'clip')} deleted"


def _words(asked: Asked) -> list[str]:
    said = []
    if asked.coming:
        said.append(f"{_counted(len(asked.coming), 'clip')} on {_their(len(asked.coming))} way")
    if asked.running:
        said.append(f"{_counted(len(asked.running), 'clip')} still being recorded, and will follow")
    if asked.missing:
        named = ", ".join(clip.hex() for clip in asked.missing[:_MOST_NAMED])
        more = f" and {len(asked.missing) - _MOST_NAMED} more" if len(asked.missing) > _MOST_NAMED else ""
        said.append(f"not here, evicted or never recorded: {named}{more}")
    return said


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing} is" if count == 1 else f"{count} {thing}s are"


def _their(count: int) -> str:
    return "its" if count == 1 else "their"
