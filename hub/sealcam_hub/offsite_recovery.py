"""`sealcam-hub recover --offsite FILE`: the store first, then the words, then everything but the clips, then those."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sealcam.wire.errors import StorageError
from sealcam.wire.keys import OwnerKeys
from sealcam_hub import offsite_rows, offsite_settings
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home
from sealcam_hub.offsite_backup import OffsiteBackup
from sealcam_hub.offsite_fetch import Fetcher, Shelf
from sealcam_hub.offsite_settings import Settings
from sealcam_hub.terminal import Progress, say


@dataclass(slots=True)
class Copy:
    """A store that answers, and room for what comes from it."""

    chosen: Settings
    shelf: Shelf
    spool: IO[bytes]
    _fetched: tuple[Fetcher, OffsiteBackup] | None = None

    def backup(self, owner: OwnerKeys) -> OffsiteBackup:
        """Everything but the clips.

        Raises:
            StorageError: there is no copy of this owner's.
            Away: the store fails.
        """
        fetcher = Fetcher(self.shelf, owner)
        with Progress("fetching the off-site copy") as bar:
            found = fetcher.backup(self.spool, bar)
        self._fetched = (fetcher, found)
        return found

    def finish(self, home: Home, *, clips: bool) -> None:
        """Go on with this copy from now on, and fetch its clips.

        Raises:
            Away: the store fails; what came stays, and a second run goes on.
            StorageError: the disk is full.
        """
        assert self._fetched is not None
        fetcher, found = self._fetched
        with home.store.writing() as connection:
            offsite_rows.adopt(connection, self.chosen.where)
        fetcher.book(home, found)
        offsite_settings.save(home.folder, self.chosen)
        if clips:
            with Progress("fetching clips") as bar:
                say(f"{fetcher.clips(home, bar)} clips from the off-site copy")
        if fetcher.refused:
            say(f"{fetcher.refused} objects there are damaged or were changed, and were left out")


@contextmanager
def ready(path: Path, folder: Folder) -> Iterator[Copy]:
    """The store that the file at `path` names, once it has answered; before anybody types 24 words for nothing.

    Raises:
        ConfigError: the file isn't one.
        Away: the store fails.
        StorageError: the hub's folder can't be made.
    """
    from sealcam_hub.offsite_s3 import S3Store  # what no other recovery needs

    chosen = offsite_settings.read_settings(path)
    shelf = S3Store(chosen)
    try:
        if next(shelf.names(), None) is None:
            raise StorageError(f"there is nothing at {chosen.where}", "are endpoint, bucket and prefix right?")
        folder.create()
        with tempfile.TemporaryFile(dir=folder.path) as spool:  # sealed envelopes, and no name
            yield Copy(chosen, shelf, spool)
    finally:
        shelf.close()
