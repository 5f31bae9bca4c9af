"""One hub's parts, opened from its folder: what every command but `init` begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sealcam.wire.errors import ConfigError, StorageError
from sealcam_hub import ca
from sealcam_hub.clock import Clock, SystemClock
from sealcam_hub.database import open_ledger
from sealcam_hub.deletion import Deleter
from sealcam_hub.enrol import Enroller
from sealcam_hub.feed import Feed
from sealcam_hub.fetching import Fetching
from sealcam_hub.folder import Access, Folder, Settings
from sealcam_hub.intake import Intake
from sealcam_hub.keys import HubKeys, load_keys
from sealcam_hub.ledger import Ledger
from sealcam_hub.live import LiveViews
from sealcam_hub.live_keys import LiveKeys
from sealcam_hub.live_log import LiveLog
from sealcam_hub.rekey import settle
from sealcam_hub.rules_keeper import Keeper
from sealcam_hub.rules_ledger import Household
from sealcam_hub.store import Store
from sealcam_hub.timeline import Timeline
from sealcam_hub.vault import Vault
from sealcam_hub.vault_files import VaultFiles
from sealcam_hub.vault_room import Room
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
        return Ledger(self.store, self.keys.table, VaultFiles(self.folder.clips).size)

    def timeline(self) -> Timeline:
        """The incidents by what they say."""
        return Timeline(self.store, self.keys.table, self.ledger())

    def vault(self) -> Vault:
        """The sealed clips."""
        return Vault(VaultFiles(self.folder.clips), self.store, self.keys)

    def fetching(self) -> Fetching:
        """What asks cameras for clips."""
        return Fetching(self.vault(), self.wishes(), self.clock)

    def intake(self, feed: Feed) -> Intake:
        """What takes clips in."""
        room = Room(self.store, self.vault().files, self.ledger(), self.clock)
        return Intake(self.vault(), room, self.fetching(), feed, self.clock, self.keeper())

    def household(self) -> Household:
        """The household's rules."""
        return Household(self.store, self.keys, self.clock)

    def deleter(self) -> Deleter:
        """What deletes."""
        return Deleter(self.folder, self.store, self.keys, self.clock)

    def keeper(self) -> Keeper:
        """What sees to the household's rules on clips."""
        return Keeper(self.household(), self.ledger(), self.deleter(), self.clock)

    def wishes(self) -> Wishes:
        """The owner's wishes."""
        return Wishes(self.store, self.keys, self.clock)

    def live(self, send: Callable[[str, bytes], bool]) -> LiveViews:
        """Live views, whose commands `send(alias, command)` takes to the camera."""
        keys, log = LiveKeys(self.store, self.keys), LiveLog(self.store, self.keys, self.clock)
        return LiveViews(keys, log, self.wishes(), self.clock, send)

    def authority(self) -> ca.Authority:
        """What certifies cameras and hubs at the broker.

        Raises:
            ConfigError: this hub has none, being a second one.
            StorageError: the authority's files are missing or damaged.
        """
        if not (self.folder.path / "ca" / "ca.key").exists() and not self.keys.is_home:
            raise ConfigError("this isn't the home hub: it takes no cameras in", "do it at the home hub")
        try:
            return ca.load_authority(self.folder.read("ca/ca.key"), self.folder.read("ca/ca.pem"))
        except (ValueError, TypeError) as error:
            raise StorageError(f"the authority in {self.folder.path / 'ca'} is damaged", "restore it") from error

    def enroller(self) -> Enroller:
        """What takes cameras in.

        Raises:
            ConfigError: as `authority`.
            StorageError: as `authority`.
        """
        return Enroller(self.store, self.keys, self.authority(), self.settings.broker, self.clock)

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
    store = open_ledger(folder, keys.table.wrap)
    try:
        settle(folder, store, keys)
        store.guard(keys.follow)
        yield Home(folder, settings, keys, store, clock or SystemClock())
    finally:
        store.close()
