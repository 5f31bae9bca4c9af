"""What shares in one hub, made of its parts: for the console's room, and for the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sealcam_hub.home import Home
from sealcam_hub.media import Media
from sealcam_hub.share_copies import FOLDER, Copies
from sealcam_hub.shares import Shares
from sealcam_hub.vault_files import VaultFiles

if TYPE_CHECKING:
    from sealcam_hub.console.sharing import SharingRoom


def shares(home: Home) -> Shares:
    """The grants."""
    return Shares(home.store, home.keys, home.clock)


def copies(home: Home) -> Copies:
    """The clips that were made anew."""
    return Copies(VaultFiles(home.folder.path / FOLDER), home.store, home.keys, home.clock, Media())


def of(home: Home) -> SharingRoom:
    """The console's room; what an earlier run has left unfinished is destroyed first."""
    from sealcam_hub.console.sharing import SharingRoom  # a hub without pages needs none of the libraries behind them

    made = copies(home)
    made.sweep()
    return SharingRoom(home.vault(), made, shares(home), home.keys.root_fingerprint)
