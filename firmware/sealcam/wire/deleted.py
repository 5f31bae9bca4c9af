"""What the home hub has deleted, as it tells another hub: sealed to the key of one question, and padded.

So neither the broker nor who records it learns what was deleted or how much, and no answer counts for a later
question. Implements design/wire.md section 6.2.
"""

from __future__ import annotations

from sealcam.wire import schema
from sealcam.wire.envelope import padded_size
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, seal_box
from sealcam.wire.schema import body, key

MAX_LIST_BYTES = 32_767  # padded and sealed it fits a statement
_END = b"\x80"


@body
class DeletedPart:
    """What of one incident is deleted: the events of it in `runs` (first, last, first, last ...), and these clips."""

    camera: bytes = key(1, size=8)
    incident: bytes = key(2, size=8)
    runs: tuple[int, ...] = key(3)
    clips: tuple[bytes, ...] = key(4, size=16)


@body
class DeletedList:
    """The deletions behind number `after` up to `until`; `mark` is what the home hub knows `until` again by."""

    after: int = key(1)
    until: int = key(2)
    mark: bytes = key(3, size=8)
    parts: tuple[DeletedPart, ...] = key(4)


def seal_list(public: bytes, item: DeletedList) -> bytes:
    """`item` for the holder of the X25519 key `public`.

    Raises:
        ValueError: a field isn't as specified, or it is longer than `MAX_LIST_BYTES`.
        EnvelopeError: nothing can be sealed to that key.
    """
    plain = schema.encode(item)
    if len(plain) > MAX_LIST_BYTES:
        raise ValueError("more than one statement holds")
    return seal_box(public, (plain + _END).ljust(padded_size(len(plain) + 1), b"\0"))


def open_list(sealed: bytes, secret: BoxKey) -> DeletedList:
    """The list in `sealed`.

    Raises:
        EnvelopeError: for every reason there is.
    """
    padded = secret.open_box(sealed)
    plain = b"" if padded is None else padded.rstrip(b"\0")
    if not plain.endswith(_END) or len(plain) > MAX_LIST_BYTES + 1 or padded_size(len(plain)) != len(padded or b""):
        raise EnvelopeError
    item = schema.decode(plain[:-1], DeletedList)
    if item.after >= item.until or not all(_rises(one.runs) for one in item.parts):
        raise EnvelopeError
    return item


def _rises(runs: tuple[int, ...]) -> bool:
    """Whether these are firsts and lasts of runs that rise and don't touch what was before."""
    rising = all(last < first for last, first in zip(runs[1::2], runs[2::2], strict=False))
    return len(runs) % 2 == 0 and rising and all(one <= two for one, two in zip(runs[::2], runs[1::2], strict=True))
