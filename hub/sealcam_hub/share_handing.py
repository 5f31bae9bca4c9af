"""What is handed over of a grant: the sealed file, or one page with everything in it; a piece at a time, in order.

Nothing is opened for it. Whether it may be handed over is `shares`' to say, first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from sealcam.wire.clip import blanked, read_header
from sealcam.wire.errors import ConfigError
from sealcam.wire.statement_kinds import granted_segments
from sealcam_hub import share_page
from sealcam_hub.shares import Share
from sealcam_hub.vault_files import FileRange, VaultFiles

_PIECE = 1 << 18


class Outgoing:
    """`size` bytes that are read once, from front to back."""

    def __init__(self, size: int, pieces: Iterator[bytes], close: Callable[[], None]) -> None:
        self.size, self._pieces, self._close = size, pieces, close
        self._held = bytearray()

    def read(self, _offset: int, length: int) -> bytes:
        """The next `length` bytes."""
        while len(self._held) < length:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._held += piece
        found = bytes(self._held[:length])
        del self._held[:length]
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._close()


@dataclass(frozen=True, slots=True)
class Handing:
    """Hands over: `vault` are the files of the cameras' clips, `copies` those that were made to be shared."""

    vault: VaultFiles
    copies: VaultFiles

    def clip(self, share: Share) -> Outgoing:
        """The sealed file, in which what wasn't granted is blanked.

        Raises:
            ConfigError: it isn't here any more.
        """
        source, close = self._opened(share.grant.clip)
        return Outgoing(source.size, self._sealed(share, source), close)

    def page(self, share: Share) -> Outgoing:
        """One page with opener, grant and clip.

        Raises:
            ConfigError: the clip isn't here any more.
        """
        source, close = self._opened(share.grant.clip)
        pieces = share_page.page(share.bundle, self._sealed(share, source))
        return Outgoing(share_page.size(share.bundle, source.size), pieces, close)

    def size(self, share: Share) -> int | None:
        """How many bytes the sealed file has; none where it isn't here any more."""
        try:
            source, close = self._opened(share.grant.clip)
        except ConfigError:
            return None
        close()
        return source.size

    def _opened(self, clip: bytes) -> tuple[FileRange, Callable[[], None]]:
        for files in (self.copies, self.vault):
            try:
                handle, whole = files.open(clip)
            except OSError:
                continue
            if whole:
                return FileRange(handle, files.length(handle)), partial(os.close, handle)
            os.close(handle)
        raise ConfigError("the clip isn't here any more", "the grant alone can still be handed over")

    def _sealed(self, share: Share, source: FileRange) -> Iterator[bytes]:
        segments = share.grant.segments
        if segments is not None:
            header = read_header(source, share.grant.signers)
            yield from blanked(source, header, set(granted_segments(segments)))
            return
        for at in range(0, source.size, _PIECE):
            yield source.read(at, _PIECE)
