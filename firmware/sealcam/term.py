"""A term is how long what was begun under some keys and recipients may go on: a clip, a live session.

When a newer recipient set is in force, or the next epoch's keys are asked for, every term is over: whoever holds one
ends what it writes at the next keyframe, closes the term, and begins a follow-on under the new ones. Keys change only
once no term under them is open. design/wire.md section 10.2; who changes keys is `sealing`.
"""

from __future__ import annotations


class Term:
    """One stretch of writing under the keys that were in force when it began. Read and closed by its one writer."""

    __slots__ = ("closed", "over")

    def __init__(self) -> None:
        self.over = False
        """Whether it should end at the next keyframe."""
        self.closed = False

    def close(self) -> None:
        """Nothing is written under it any more; may be called twice."""
        self.closed = True


class Terms:
    """The terms that are open; guarded by `sealing`'s lock, but for what their writers set."""

    def __init__(self) -> None:
        self._open: list[Term] = []

    @property
    def running(self) -> bool:
        """Whether anything is still being written."""
        self._open = [term for term in self._open if not term.closed]
        return bool(self._open)

    def begin(self) -> Term:
        """A new one."""
        term = Term()
        self._open = [one for one in self._open if not one.closed] + [term]
        return term

    def end(self) -> None:
        """Ask all of them to end."""
        for term in self._open:
            term.over = True
