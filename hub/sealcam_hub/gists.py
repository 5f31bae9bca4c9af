"""Gists: subject, verdict and words of an incident in a few bytes, and whether a filter wants them. Pure.

A filter reads gists and not reports, so that a hundred thousand incidents needn't be opened for a page of two dozen.
What is shown is opened all the same, and asked again: a gist only says where to look.
"""

from __future__ import annotations

from dataclasses import dataclass

from sealcam_hub.views import IncidentView

MOST_TEXT = 400  # letters of an incident's reasons that can be searched for
MOST_WORDS = 8
_SAID = {"none": "movement only", "false_alarm": "false alarm"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter: empty words ask for nothing. `words` are in lower case; all of them must be found.

    Times are wall times in ns, of an incident's arrival here: from `since_ns` on, to before `until_ns`.
    """

    camera: str = ""  # its alias
    subject: str = ""
    verdict: str = ""
    words: tuple[str, ...] = ()
    since_ns: int | None = None
    until_ns: int | None = None

    @property
    def sealed(self) -> bool:
        """Whether it asks for something that only an opened incident tells."""
        return bool(self.subject or self.verdict or self.words)


def search_words(text: str) -> tuple[str, ...]:
    """What a person typed, as `Wanted.words`."""
    return tuple(text.casefold().split()[:MOST_WORDS])


@dataclass(frozen=True, slots=True)
class Gist:
    """What is asked for; `text` is all its words, in lower case."""

    subject: str
    verdict: str
    text: str

    def meets(self, wanted: Wanted, camera_name: str) -> bool:
        """Whether the filter wants it, as far as an opened incident says."""
        if wanted.subject not in ("", self.subject) or wanted.verdict not in ("", self.verdict):
            return False
        if not wanted.words:
            return True
        told = " ".join((camera_name.casefold(), *(_SAID.get(one, one) for one in (self.subject, self.verdict))))
        return all(word in self.text or word in told for word in wanted.words)


def of(view: IncidentView) -> Gist:
    """The gist of an incident."""
    said = dict.fromkeys(reason for report in reversed(view.reports) for reason in report.reasons)
    return Gist(view.subject, view.verdict, " ".join(said).casefold()[:MOST_TEXT])


def pack(gist: Gist) -> bytes:
    """A gist as bytes."""
    return "\0".join((gist.subject, gist.verdict, gist.text)).encode()


def unpack(data: bytes) -> Gist:
    """The gist again.

    Raises:
        ValueError: it is none.
    """
    subject, verdict, text = data.decode().split("\0", 2)
    return Gist(subject, verdict, text)
