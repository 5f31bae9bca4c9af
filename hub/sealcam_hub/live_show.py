"""One camera's live view, for all who look: when it is asked for, prolonged, given up and ended, and what is said.

Pure but for the random session ids: times are handed in, ns on the hub's boot clock; commands are signed and sent by
`live`. design/clips.md, "Live view, hub".
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from sealcam.wire.bodies import Outcome
from sealcam.wire.live import Content
from sealcam.wire.wishes import LiveWish
from sealcam_hub.live_picture import Words
from sealcam_hub.live_stream import Start, Stream
from sealcam_hub.live_viewer import Viewer
from sealcam_hub.views import CameraState
from sealcam_hub.wish_words import outcome_said

SECONDS = 60  # a hub that dies is shown nothing for longer
EVERY_NS = 25_000_000_000  # two prolongations may get lost
GRACE_NS = 5_000_000_000  # a page that is loaded again is back by then
AGAIN_NS = 1_000_000_000
STALE_NS = 2_000_000_000  # the longest that a camera may take from one keyframe to the next (wire.md section 15)
PATIENCE_NS, MOST_PATIENCE_NS = 10_000_000_000, 300_000_000_000  # without a picture it is asked anew, ever more rarely

LIVE = Words("live", "")
_STOPPED: dict[CameraState, str] = {
    "private": "{0} doesn't capture: nobody sees anything until privacy ends.",
    "gone": "{0} was reset, and belongs to nobody until it is claimed again.",
    "expelled": "{0} was turned out: nothing that it shows counts.",
}
_AWAY: dict[CameraState, str] = {
    "silent": "{0} is silent. It is asked for its picture as soon as it is heard.",
    "cut-off": "The connection of {0} broke. It is asked for its picture as soon as it is back.",
    "new": "{0} has not been heard yet. It is asked for its picture as soon as it is.",
}


@dataclass(slots=True)
class Show:
    """What is shown of one camera. `opens` finds the start in a message of a session; `subject` is the camera's id."""

    alias: str
    name: str
    subject: bytes
    opens: Callable[[bytes, bytes], Start | None]
    viewers: set[Viewer] = field(default_factory=set)
    words: Words = field(init=False)
    session: bytes = b""
    stream: Stream = field(init=False)
    _numbers: count[int] = field(default_factory=count)
    _asked_ns: int | None = None  # when the last command of this session went out
    _waits_ns: int = 0  # since when a picture is waited for: the first of this session, or the next
    _patience_ns: int = PATIENCE_NS
    _next_ns: int = 0  # no command before
    _left_ns: int | None = None  # since when nobody looks
    _rests: bool = False  # the camera has refused: somebody else has to come and ask
    _pending: set[int] = field(default_factory=set)  # commands without an answer

    def __post_init__(self) -> None:
        self._renew()
        self.words = Words("asking", f"{self.name} is asked for its picture.")

    def enter(self, viewer: Viewer) -> None:
        """Show this viewer, too, what there is, beginning with the last keyframe."""
        self.viewers.add(viewer)
        self._left_ns, self._rests = None, False
        viewer.say(self.words)
        for picture in self.stream.held:
            viewer.show(picture)

    def leave(self, viewer: Viewer, now_ns: int) -> None:
        """This one looks no more."""
        self.viewers.discard(viewer)
        if not self.viewers and self._left_ns is None:
            self._left_ns = now_ns

    def over(self, now_ns: int) -> bool:
        """Whether nobody has looked for so long that nobody will."""
        return self._left_ns is not None and now_ns - self._left_ns >= GRACE_NS

    def take(self, message: bytes, now_ns: int, wall_ns: int) -> None:
        """One message of this session, which came now."""
        picture = self.stream.take(message, now_ns, wall_ns)
        if picture is None:
            return
        if picture.content is Content.END:
            self._say("ended", f"{self.name} has ended the live view; it is asked again.")
            self._renew()
            self._next_ns = now_ns + AGAIN_NS
            return
        if picture.age is not None:
            self._waits_ns, self._patience_ns = now_ns, PATIENCE_NS
            self._say(LIVE.state, LIVE.text)
        for viewer in self.viewers:
            viewer.show(picture)

    def due(self, now_ns: int, state: CameraState) -> LiveWish | None:
        """What to ask the camera for now, if anything; `state` is how it stands."""
        if not self.viewers or now_ns < self._next_ns:
            return None
        if state in _STOPPED:
            self._say(state, _STOPPED[state].format(self.name))
            self._rests = False
            if self._asked_ns is not None:
                self._renew()
            return None
        if self._rests:
            return None
        if state in _AWAY and now_ns - self._waits_ns >= STALE_NS:
            self._say(state, _AWAY[state].format(self.name))
        if self._asked_ns is not None and now_ns - self._waits_ns >= self._patience_ns:
            seconds = self._patience_ns // 1_000_000_000
            self._say("late", f"{self.name} has shown no picture for {seconds} s; it is asked again.")
            self._patience_ns = min(MOST_PATIENCE_NS, 2 * self._patience_ns)
            self._renew()
        if self._asked_ns is None or now_ns - self._asked_ns >= EVERY_NS:
            return LiveWish(session=self.session, seconds=SECONDS)
        return None

    def sent(self, now_ns: int, number: int) -> None:
        """The command went out under this number."""
        if self._asked_ns is None:
            self._waits_ns = now_ns
        self._asked_ns = now_ns
        self._pending.add(number)
        if self.words.state in ("unheard", "ended", *_STOPPED, *_AWAY):
            self._say("asking", f"{self.name} is asked for its picture.")

    def unsent(self, now_ns: int) -> None:
        """No command can reach it now."""
        self._next_ns, self._asked_ns = now_ns + AGAIN_NS, None
        if self.words.state in ("asking", "ended"):
            self._say("unheard", f"{self.name} is asked for its picture as soon as it is heard.")

    def answered(self, number: int, outcome: Outcome, detail: str, now_ns: int) -> None:
        """The camera's word on one of these commands."""
        if number not in self._pending:
            return
        self._pending.discard(number)
        if outcome is Outcome.DONE:
            return
        self._asked_ns = None
        self._next_ns = now_ns + AGAIN_NS
        if outcome not in (Outcome.STALE, Outcome.REPEATED):
            self._rests = True
            self._say("refused", f"{self.name} doesn't show its picture: {detail or outcome_said(outcome)}.")

    def end(self) -> LiveWish | None:
        """What ends it at the camera; none where it was never asked."""
        return LiveWish(session=self.session, seconds=0) if self._asked_ns is not None else None

    def _renew(self) -> None:
        """From here on another session: a camera that began anew counts from nought."""
        self.session = secrets.token_bytes(16)
        session = self.session
        self.stream = Stream(lambda message: self.opens(session, message), lambda: next(self._numbers))
        self._asked_ns = None
        self._pending.clear()

    def _say(self, state: str, text: str) -> None:
        if self.words != (words := Words(state, text)):
            self.words = words
            for viewer in self.viewers:
                viewer.say(words)
