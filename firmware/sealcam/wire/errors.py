"""The errors that cross a boundary, in a tree by who must act; every command line prints them the same way.

They stand in `wire` because it is the one package that device, hub and technician share.
"""

from __future__ import annotations


class SealcamError(Exception):
    """Something a person or another part must deal with: a message, and where there is one a hint what to do."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class EnvelopeError(SealcamError):
    """Sealed bytes were refused. One message for every reason: a sender learns nothing from it."""

    def __init__(self) -> None:
        super().__init__("refused")


class ConfigError(SealcamError, ValueError):
    """The person who wrote the configuration or the command must act."""

    exit_code = 2


class HardwareError(SealcamError, OSError):
    """A device is lost, busy, stalled or not what it should be: the process ends and its supervisor restarts it."""


class LinkDown(SealcamError, ConnectionError):
    """The network, broker or hub is away: not a failure, what is queued stays queued."""


class StorageError(SealcamError, OSError):
    """The disk is full, read-only or broken: nothing already queued is lost."""


class ModelError(SealcamError):
    """A model file is missing, has another checksum than its manifest says, or another shape."""


class ClipError(SealcamError):
    """A recorded file can't be read as a video."""


def describe(program: str, error: SealcamError) -> str:
    """The one or two lines a command prints on standard error: `program: error: ...` and `hint: ...`."""
    line = f"{program}: error: {error.message}"
    return f"{line}\nhint: {error.hint}" if error.hint else line
