"""What the owner is about to share, until it is shared or dropped: in memory, for the session that began it.

What shall leave is made at once, and looked at before anybody is named; nothing is granted before `share`. A draft is
forgotten after an hour, and with the hub. design/hub.md, "Sharing".
"""

from __future__ import annotations

import secrets
import threading
from contextlib import ExitStack
from dataclasses import dataclass

from sealcam.wire.bodies import Run
from sealcam.wire.clip import SCL1
from sealcam.wire.errors import ConfigError, SealcamError
from sealcam_hub import audit
from sealcam_hub.clock import Clock
from sealcam_hub.movie import Movie, read_movie
from sealcam_hub.redact import Redaction
from sealcam_hub.share_copies import DRAFT_NS, Copies, Copy
from sealcam_hub.shares import Share, Shares, Terms, checked
from sealcam_hub.vault import OpenedClip, Vault
from sealcam_hub.vault_files import FileRange
from sealcam_hub.views import ClipView

MOST = 4  # at a time: each holds a copy on the disk
SEGMENT_BYTES = SCL1.chunk_bytes * SCL1.segment_chunks
_GONE = ("this draft is gone", "share the clip again from its page")


@dataclass(frozen=True, slots=True)
class Beginning:
    """The clip up to the end of a segment, which holds it up to about `until_s`."""

    segment: int
    until_s: float


@dataclass(slots=True)
class Draft:
    """One share that isn't one yet. `redaction`: it is made anew; else it is the clip, or its segments up to `upto`.

    `part` is what share of the making is done; `problem` why it failed, in words and a hint.
    """

    id: str
    who: str
    clip: ClipView
    redaction: Redaction | None
    upto: int | None
    began_ns: int
    part: float = 0.0
    copy: Copy | None = None
    problem: SealcamError | None = None
    terms: Terms | None = None
    dropped: bool = False

    @property
    def ready(self) -> bool:
        """Whether it can be looked at."""
        return self.redaction is None or self.copy is not None


class Limited:
    """The first bytes of an open clip."""

    def __init__(self, clip: OpenedClip, most_bytes: int | None) -> None:
        self._clip = clip
        self.camera, self.info = clip.camera, clip.info
        self.size = clip.size if most_bytes is None else min(clip.size, most_bytes)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of it, none behind its end."""
        return self._clip.read(offset, max(0, min(length, self.size - offset)))

    def close(self) -> None:
        """Let go of the clip."""
        self._clip.close()


class Drafts:
    """The drafts of one hub."""

    def __init__(self, vault: Vault, copies: Copies, shares: Shares, clock: Clock) -> None:
        self._vault, self._copies, self._shares, self._clock = vault, copies, shares, clock
        self._lock = threading.Lock()
        self._drafts: dict[str, Draft] = {}

    def begin(self, who: str, clip: ClipView, redaction: Redaction | None, upto: int | None) -> Draft:
        """A new draft of a clip that is here; what is to be made anew is made on a thread of its own.

        Raises:
            ConfigError: a rule of the household forbids it, or there are too many drafts.
        """
        self._shares.check_rules(bytes.fromhex(clip.id))
        draft = Draft(secrets.token_hex(8), who, clip, redaction, upto, self._clock.boot_ns())
        self._forget()
        with self._lock:
            if len(self._drafts) >= MOST:
                raise ConfigError("there are too many drafts", "share or drop one that you have begun")
            self._drafts[draft.id] = draft
        if redaction is not None:
            threading.Thread(target=self._make, args=(draft, redaction), name="redact", daemon=True).start()
        return draft

    def of(self, who: str) -> tuple[Draft, ...]:
        """A session's drafts, the oldest first."""
        self._forget()
        with self._lock:
            return tuple(one for one in self._drafts.values() if one.who == who)

    def find(self, draft: str, who: str) -> Draft:
        """A draft, by its id, of this session alone.

        Raises:
            ConfigError: there is none.
        """
        found = next((one for one in self.of(who) if one.id == draft), None)
        if found is None:
            raise ConfigError(*_GONE)
        return found

    def agree(self, draft: Draft, terms: Terms) -> None:
        """Say to whom, what for, how long; nothing is granted yet.

        Raises:
            ConfigError: the terms aren't words.
        """
        checked(terms)
        draft.terms = terms

    def open(self, draft: Draft) -> Limited:
        """What would leave, for its owner to look at; to be closed.

        Raises:
            SealcamError: it isn't here.
        """
        if draft.copy is not None:
            return Limited(self._copies.open(draft.copy.id), None)
        if draft.redaction is not None:
            raise ConfigError("it isn't made yet", "wait a moment")
        most = None if draft.upto is None else (draft.upto + 1) * SEGMENT_BYTES
        return Limited(self._vault.open(draft.clip.id), most)

    def share(self, draft: Draft, actor: str = audit.CONSOLE) -> Share:
        """Grant it; the draft is over.

        Raises:
            ConfigError: it has no terms yet, or isn't made yet; otherwise as `Shares.create`.
            SealcamError: the clip is gone, or not as it was.
        """
        if draft.terms is None or not draft.ready:
            raise ConfigError("this draft isn't ready", "say to whom, and look at what would leave")
        with self._lock:
            if self._drafts.pop(draft.id, None) is None:
                raise ConfigError("this was shared a moment ago", "Sharing lists it")
        try:
            return self._granted(draft, draft.terms, actor)
        except BaseException:
            with self._lock:
                if not draft.dropped:
                    self._drafts[draft.id] = draft  # it may be tried again
            raise

    def _granted(self, draft: Draft, terms: Terms, actor: str) -> Share:
        files, name = (self._vault.files, draft.clip.id) if draft.copy is None else (self._copies.files, draft.copy.id)
        segments = None if draft.upto is None else (Run(first=0, last=draft.upto),)
        with ExitStack() as stack:
            try:
                handle, _ = stack.enter_context(files.opened(bytes.fromhex(name)))
            except OSError as error:
                raise ConfigError("the clip isn't here any more", "nothing was shared") from error
            source = FileRange(handle, files.length(handle))
            return self._shares.create(self._shares.offer(source, segments), terms, actor)

    def drop(self, draft: Draft) -> None:
        """Forget a draft, and destroy what was made for it."""
        with self._lock:
            self._drafts.pop(draft.id, None)
        draft.dropped = True
        if draft.copy is not None:
            self._copies.drop(draft.copy.id)

    def _forget(self) -> None:
        too_old = self._clock.boot_ns() - DRAFT_NS
        with self._lock:
            old = [one for one in self._drafts.values() if one.began_ns <= too_old]
        for one in old:
            self.drop(one)

    def _make(self, draft: Draft, redaction: Redaction) -> None:
        def told(part: float) -> bool:
            draft.part = part
            return not draft.dropped

        try:
            with self._vault.open(draft.clip.id) as clip:
                copy = self._copies.make(clip, redaction, told)
            draft.copy = copy
            if draft.dropped:  # as it became ready
                self._copies.drop(copy.id)
        except SealcamError as error:
            draft.problem = error
        finally:  # whatever ended this thread, the owner waits for a word
            if draft.copy is None and draft.problem is None:
                draft.problem = SealcamError("the clip couldn't be made anew", "the hub's log says why")


def beginnings(movie: Movie | None, size: int) -> tuple[Beginning, ...]:
    """Where a clip of that size can end as its camera signed it, but for its own end."""
    if movie is None:
        return ()
    ends = [*(one.offset for one in movie.fragments[1:]), movie.end]
    times = [*(one.time for one in movie.fragments[1:]), movie.duration]
    found = []
    for segment in range((size - 1) // SEGMENT_BYTES):
        whole = [time for end, time in zip(ends, times, strict=True) if end <= (segment + 1) * SEGMENT_BYTES]
        if whole:
            found.append(Beginning(segment, whole[-1] / movie.timescale))
    return tuple(found)


def of_clip(clip: OpenedClip) -> tuple[float, tuple[Beginning, ...]]:
    """How long an open clip is, in seconds, and where it can end."""
    movie = read_movie(clip.read, clip.size)
    return (0.0 if movie is None else movie.duration / movie.timescale), beginnings(movie, clip.size)
