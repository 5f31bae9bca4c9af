"""What `sealcam-hub share create` shares: a clip in a file, one that is here, or a copy that is made of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sealcam.wire.clip import Source, blanked
from sealcam.wire.errors import ConfigError, SealcamError
from sealcam.wire.statement_kinds import granted_segments
from sealcam_hub import audit, share_room
from sealcam_hub.home import Home
from sealcam_hub.newfile import clip_file
from sealcam_hub.redact import Redaction
from sealcam_hub.shares import Offer
from sealcam_hub.terminal import Progress
from sealcam_hub.vault_commands import is_id
from sealcam_hub.vault_files import FileRange, VaultFiles

_PIECE = 1 << 18


@contextmanager
def chosen(home: Home, named: Path, wanted: Redaction) -> Iterator[Source]:
    """The sealed bytes while inside; a copy that nothing was granted of by then is destroyed.

    Raises:
        ConfigError: there is no such file or clip, or a copy is wanted of what isn't a clip of this hub.
        SealcamError: the clip isn't here, or no copy can be made of it; the rules of the household may forbid it.
    """
    if not is_id(named):
        if wanted.anything:
            raise ConfigError("a copy is made of a clip that is here, by its id", "sealcam-hub clip list shows them")
        with clip_file(named) as source:
            yield source
    elif wanted.anything:
        with _copied(home, str(named), wanted) as source:
            yield source
    else:
        view = home.vault().clip(str(named))
        if view is None or view.state != "here":
            raise SealcamError(f"clip {named} isn't here whole", "sealcam-hub clip fetch ID asks its camera for it")
        with _held(home.vault().files, str(named)) as source:
            yield source


def handed(source: Source, offer: Offer) -> Iterator[bytes]:
    """The file that goes with a grant of what was offered."""
    if offer.segments is not None:
        yield from blanked(source, offer.clip.header, set(granted_segments(offer.segments)))
        return
    for at in range(0, source.size, _PIECE):
        yield source.read(at, _PIECE)


@contextmanager
def _copied(home: Home, clip: str, wanted: Redaction) -> Iterator[Source]:
    share_room.shares(home).check_rules(bytes.fromhex(clip))
    copies = share_room.copies(home)
    with home.vault().open(clip) as opened:
        what = f"a clip of {opened.camera}, to make a copy of it"
        audit.opened(home.store, home.keys, home.clock, what, bytes.fromhex(clip))
        with Progress("making a copy") as progress:

            def told(part: float) -> bool:
                progress(int(100 * part), 100)
                return True

            copy = copies.make(opened, wanted, told)
    try:
        with _held(copies.files, copy.id) as source:
            yield source
    finally:
        copies.drop(copy.id)


@contextmanager
def _held(files: VaultFiles, clip: str) -> Iterator[FileRange]:
    try:
        handle, _ = files.open(bytes.fromhex(clip))
    except OSError as error:
        raise SealcamError(f"clip {clip} can't be read: {error.strerror}", "is its disk all right?") from error
    try:
        yield FileRange(handle, files.length(handle))
    finally:
        os.close(handle)
