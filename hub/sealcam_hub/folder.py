"""The hub's state folder: where each file stands, written whole and for its owner's eyes alone.

`ca/` authority, `keys/` the hub's keys, `link/` its own certificate for the broker, `broker/` Mosquitto's files,
`clips/` sealed clips, `ledger.db`, `hub.toml`. What is in them is left to `ca`, `keys`, `mosquitto`, `vault_files`
and `store`.
"""

from __future__ import annotations

import fcntl
import json
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sealcam.wire.errors import StorageError

DEFAULT = "/var/lib/sealcam-hub"
VARIABLE = "SEALCAM_HUB_STATE"
MOST_WORKERS = 15  # beside `serve`
PARTS = ("ca", "keys", "link", "broker")


class Held(StorageError):
    """Another process holds what only one may have."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a hub was made with: its broker's address, and the name of its certificate there.

    `workers` take messages in beside `serve`.
    """

    broker: Address
    link_name: str
    workers: int = 0


@dataclass(frozen=True, slots=True)
class Access:
    """Where the broker is, and as whom the hub goes there."""

    address: Address
    name: str
    certificate: Path
    key: Path
    authority: Path


class Folder:
    """A state folder by its path; nothing is read or written before it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def ledger(self) -> Path:
        """The database."""
        return self.path / "ledger.db"

    @property
    def clips(self) -> Path:
        """Where the vault's sealed clips are; made with the first."""
        return self.path / "clips"

    @property
    def exists(self) -> bool:
        """Whether a hub was made here."""
        return (self.path / "hub.toml").exists()

    def create(self) -> None:
        """Make the folder and its parts, mode 0700.

        Raises:
            StorageError: that is not possible.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in PARTS:
                (self.path / part).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            message = f"{self.path} can't be made: {error.strerror}"
            raise StorageError(message, "say where the hub may keep its state with --state DIR") from error

    def write(self, name: str, data: bytes) -> Path:
        """Write a file (mode 0600) so that it is there whole or not at all, and return its path.

        Raises:
            StorageError: the disk is full or read-only.
        """
        path = self.path / name
        draft = path.with_name(path.name + ".new")
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                if os.geteuid() == 0:  # a command that root runs must not lock the service's own user out
                    owner = self.path.stat()
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
                os.fsync(file.fileno())
            draft.replace(path)
            self._sync(path.parent)
        except OSError as error:
            raise StorageError(f"{path} can't be written: {error.strerror}") from error
        return path

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            StorageError: it isn't there, or not ours to read.
        """
        path = self.path / name
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise StorageError(
                f"there is no hub in {self.path}", f"make one: sealcam-hub --state {self.path} init"
            ) from error
        except OSError as error:
            raise StorageError(f"{path} can't be read: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """Remove a file if it is there, for good: also after a power cut.

        Raises:
            StorageError: the disk is read-only or broken.
        """
        path = self.path / name
        try:
            path.unlink(missing_ok=True)
            self._sync(path.parent)
        except OSError as error:
            raise StorageError(f"{path} can't be removed: {error.strerror}") from error

    def rename(self, old: str, new: str) -> None:
        """Let the file `old` take the place of `new`, for good: also after a power cut.

        Raises:
            StorageError: the disk is read-only or broken.
        """
        path = self.path / new
        try:
            (self.path / old).replace(path)
            self._sync(path.parent)
        except OSError as error:
            raise StorageError(f"{path} can't be written: {error.strerror}") from error

    @staticmethod
    def _sync(part: Path) -> None:
        handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def save_settings(self, settings: Settings) -> None:
        """Write `hub.toml`; its being there means that the hub is complete."""
        text = (
            "# Made by `sealcam-hub init`.\n"
            f"broker_host = {json.dumps(settings.broker.host)}\n"
            f"broker_port = {settings.broker.port}\n"
            f"link_name = {json.dumps(settings.link_name)}\n"
            + (f"workers = {settings.workers}\n" if settings.workers else "")
        )
        self.write("hub.toml", text.encode())

    def settings(self) -> Settings:
        """What `hub.toml` says.

        Raises:
            StorageError: it isn't there or isn't what `init` wrote.
        """
        try:
            table = tomllib.loads(self.read("hub.toml").decode())
            address = Address(str(table["broker_host"]), int(table["broker_port"]))
            return Settings(address, str(table["link_name"]), int(table.get("workers", 0)))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, ValueError) as error:
            raise StorageError(f"{self.path / 'hub.toml'} isn't what `sealcam-hub init` wrote: {error}") from error

    @contextmanager
    def only_one(self, what: str) -> Iterator[None]:
        """Hold the folder for `what`; another process that wants the same is told so.

        Raises:
            Held: another process holds it.
            StorageError: the folder can't be used.
        """
        try:
            handle = os.open(self.path / f"{what}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"{self.path} can't be used: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            message = f"another `sealcam-hub {what}` runs in {self.path}"
            raise Held(message, "one is enough; give the second one a folder of its own with --state") from error
        finally:
            os.close(handle)
