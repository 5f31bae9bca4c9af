"""What an encoder makes is sealed for the live view that runs: its keys, its header, one message a picture.

In the encoder's thread. Keys are taken under a `Term`: a new recipient set or a hand-over ends what is written at the
next keyframe, and it goes on under the new ones. Which session runs, and what may leave, is `live`'s; what a player is
given `livefilm`'s. Bytes: design/wire.md section 15.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sealcam.board.protocols import AccessUnit
from sealcam.clocks import Clock
from sealcam.live import Live, Session
from sealcam.livefilm import LiveFilm, look_of
from sealcam.ring import Look
from sealcam.sealing import Seal
from sealcam.wire.bodies import Stamp
from sealcam.wire.clip import ClipInfo
from sealcam.wire.errors import EnvelopeError, HardwareError, StorageError
from sealcam.wire.live import MAX_CONTENT_BYTES, NO_INCIDENT, Content, LiveWriter

_log = logging.getLogger(__name__)

# A keyframe that was asked for and doesn't come is asked for again after so long.
ASK_AGAIN_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Writing:
    """A session under one set of keys, the `part`-th of it, and in one look."""

    session: Session
    part: int
    seal: Seal
    film: LiveFilm
    writer: LiveWriter


class LiveTap:
    """A `Tap` that seals for `live`.

    `seal` gives the keys in force, or none while they change; `stamp` says when a picture of a time was taken; `name`
    is what the owner calls the camera.
    """

    def __init__(
        self,
        live: Live,
        clock: Clock,
        seal: Callable[[], Seal | None],
        stamp: Callable[[int], Stamp],
        name: str | None = None,
    ) -> None:
        self._live, self._clock, self._seal, self._stamp, self._name = live, clock, seal, stamp, name
        self._writing: _Writing | None = None
        self._ended: tuple[Session, int] | None = None  # what was written last, and which part of it
        self._waits = True  # for a keyframe
        self._hurries = True  # the keyframe should come soon
        self._asked: tuple[Session, int] | None = None  # for a keyframe, in which session and when

    def tend(self) -> None:
        """Leave what is over; from time to time, whether pictures come or not.

        Raises:
            StorageError: the disk is full.
        """
        session = self._live.tend()
        if self._writing is not None and self._writing.session is not session:
            self._stop(last=True)

    def close(self) -> None:
        """There is nothing more to see.

        Raises:
            StorageError: the disk is full.
        """
        self._live.close()
        self.tend()

    def wants(self, t_ns: int) -> bool:
        """Whether the next picture should be a keyframe: where somebody waits for one."""
        session, writing = self._live.shown(), self._writing
        if session is None:
            return False
        begun = writing is not None and writing.session is session and not writing.seal.term.over
        if begun and not self._hurries:
            return False
        if self._asked is not None and self._asked[0] is session and 0 <= t_ns - self._asked[1] < ASK_AGAIN_NS:
            return False
        self._asked = session, t_ns
        return True

    def picture(self, unit: AccessUnit) -> None:
        """Seal it for the session that runs, if it can be shown."""
        session = self._live.shown()
        try:
            self._waits = session is None or not self._show(session, unit)
        except (HardwareError, StorageError, EnvelopeError, ValueError) as error:
            _log.warning("live view: %s", error)
            self._waits = True
            self._stop(last=False)

    def cut(self) -> None:
        """Pictures go on with a keyframe of another stream."""
        self._waits, self._asked = True, None

    def revealed(self) -> None:
        """The masks that count now are in what comes."""
        self._live.reveal()
        self._waits = self._hurries = True

    def _show(self, session: Session, unit: AccessUnit) -> bool:
        """Whether it leaves; raises as `_renewed`."""
        if unit.key:
            self._asked = session, unit.t_ns
            writing = self._renewed(session, unit)
        else:
            writing = None if self._waits else self._writing
        if writing is None or writing.session is not session:
            return False
        data = writing.film.picture(unit)
        if len(data) > MAX_CONTENT_BYTES:
            _log.warning("live view: a picture of %d bytes is too large to be shown", len(data))
            return False
        now_ns = self._clock.boot_ns()
        if not unit.key:
            return self._live.queue_up(
                session, [writing.writer.seal(Content.PICTURES, unit.t_ns, now_ns, data)], key=False
            )
        first = writing.writer.seal(Content.BEGINNING, unit.t_ns, now_ns, writing.film.beginning)
        picture = writing.writer.seal(Content.KEYFRAME, unit.t_ns, now_ns, data)
        shown = self._live.queue_up(session, [writing.writer.start, first, picture], key=True)
        if shown:
            self._hurries, self._asked = False, None
        return shown

    def _renewed(self, session: Session, key: AccessUnit) -> _Writing | None:
        """What this keyframe is written to: under the keys in force, in its own look; none while keys change.

        Raises:
            EnvelopeError: there is nobody to seal to.
            HardwareError: the keyframe lacks its parameter sets.
            StorageError: the disk is full.
        """
        look, writing = look_of(key), self._writing
        if writing is not None and (writing.session is not session or writing.seal.term.over):
            self._stop(last=writing.session is not session)
            writing = None
        if writing is not None and writing.film.look == look:
            return writing
        if writing is not None:
            self._writing = self._begun(session, writing.part, writing.seal, look, key.t_ns)
            return self._writing
        seal = self._seal()
        if seal is None:
            return None
        part = 0 if self._ended is None or self._ended[0] is not session else self._ended[1] + 1
        try:
            self._writing = self._begun(session, part, seal, look, key.t_ns)
        except BaseException:
            seal.term.close()
            raise
        return self._writing

    def _begun(self, session: Session, part: int, seal: Seal, look: Look, t_ns: int) -> _Writing:
        film = LiveFilm(look)
        info = ClipInfo(incident=NO_INCIDENT, at=self._stamp(t_ns), media=film.media, part=part, camera=self._name)
        writer = LiveWriter(
            seal.signer,
            seal.recipients,
            session=session.id,
            info=info,
            epoch=seal.epoch,
            recipient_set=seal.recipient_set,
        )
        return _Writing(session, part, seal, film, writer)

    def _stop(self, *, last: bool) -> None:
        """Nothing more is written under these keys; with `last`, whoever looks is told that it is over."""
        writing, self._writing = self._writing, None
        self._waits = self._hurries = True
        if writing is None:
            return
        self._ended = writing.session, writing.part
        if last:
            now_ns = self._clock.boot_ns()
            end = writing.writer.seal(Content.END, now_ns, now_ns, b"")
            self._live.last(writing.session, [writing.writer.start, end])  # some may have missed the start
        writing.seal.term.close()
