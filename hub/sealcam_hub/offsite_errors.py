"""What a store of the off-site copy may answer instead of doing as it is asked."""

from __future__ import annotations

from sealcam.wire.errors import SealcamError


class Away(SealcamError):
    """The store doesn't do what it is asked for; the message says why, in words that may be logged."""


class Missing(Away):
    """There is no such object."""


class Refused(Away):
    """The store answers, and won't: asking again changes nothing."""
