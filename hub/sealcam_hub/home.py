"""One hub's parts, opened from its folder: what every command but `init` begins with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sealcam.wire.errors import StorageError
from sealcam_hub import ca
from sealcam_hub.clock import Clock, SystemClock
from sealcam_hub.enrol import Enroller
from sealcam_hub.folder import Access, Folder, Settings
from sealcam_hub.keys import HubKeys, load_keys
from sealcam_hub.ledger import Ledger
from sealcam_hub.store import Store, open_store
from sealcam_hub.wishes import Wishes


@dataclass(frozen=True, slots=True)
class Home:
    """A hub that was made: its folder, keys and open ledger."""

    folder: Folder
    settings: Settings
    keys: HubKeys
    store: Store
    clock: Clock

    def ledger(self) -> Ledger:
        """The ledger, for showing."""
        return Ledger(self.store, self.keys.table)

    def wishes(self) -> Wishes:
        """The owner's wishes."""
        return Wishes(self.store, self.keys, self.clock)

    def enroller(self) -> Enroller:
        """What takes cameras in.

        Raises:
            StorageError: the authority's files are missing or damaged.
        """
        try:
            authority = ca.load_authority(self.folder.read("ca/ca.key"), self.folder.read("ca/ca.pem"))
        except (ValueError, TypeError) as error:
            raise StorageError(f"the authority in {self.folder.path / 'ca'} is damaged", "restore it") from error
        return Enroller(self.store, self.keys, authority, self.settings.broker, self.clock)

    def access(self) -> Access:
        """How the hub goes to its broker."""
        link = self.folder.path / "link"
        authority = self.folder.path / "ca" / "ca.pem"
        return Access(self.settings.broker, self.settings.link_name, link / "link.pem", link / "link.key", authority)


@contextmanager
def open_home(folder: Folder, clock: Clock | None = None) -> Iterator[Home]:
    """The hub in `folder`, closed again afterwards.

    Raises:
        StorageError: there is none, it is damaged, or a newer Sealcam made it.
    """
    settings = folder.settings()
    keys = load_keys(folder)
    store = open_store(folder.ledger)
    try:
        yield Home(folder, settings, keys, store, clock or SystemClock())
    finally:
        store.close()
