"""Refusals at the command line: one hint for each command, which is the same whatever the reason was.

Sealed bytes are refused without a reason (`EnvelopeError`), so that a sender learns nothing. The person at the command
line gets the list of what may be the case, and that doesn't tell more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sealcam.wire.errors import EnvelopeError, SealcamError

CLIP = (
    "either no camera of this hub made it, or not the signer that you named; or no key here opens it;"
    " or the file is no sealed clip, or was damaged or changed"
)
GRANT = (
    "either the clip, the grant, your key and the owner's fingerprint don't belong together, or a file was damaged or"
    " changed on its way; ask the owner for a new grant"
)
ENVELOPE = (
    "either no camera of this hub sealed it, or no key here opens it any more; or the file is no envelope, or was"
    " damaged or changed"
)
LOG = "the file is no exported audit log, or was damaged: `sealcam-hub audit --export FILE` writes one"
CLAIM = (
    "either this is no claim of a camera, or it was damaged on its way; or the camera is known here already: use the"
    " request that `sealcam claim` has just made"
)


@contextmanager
def hinted(hint: str) -> Iterator[None]:
    """Give a refusal inside that `hint`; also for a whole function, as its decorator.

    Raises:
        SealcamError: something inside was refused.
    """
    try:
        yield
    except EnvelopeError as error:
        raise SealcamError(error.message, error.hint or hint) from error
