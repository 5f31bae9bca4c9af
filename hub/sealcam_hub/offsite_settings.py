"""Where the off-site copy goes: a small TOML file that its owner writes and the hub keeps, mode 0600.

It holds the store's secret key, so it is named on the command line and never typed into one. The same file brings the
copy back: `sealcam-hub recover --offsite FILE`.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sealcam.wire.errors import ConfigError
from sealcam_hub.folder import Folder
from sealcam_hub.newfile import read_file

FILE = "offsite.toml"
MOST_FILE_BYTES = 1 << 16
DAY_NS = 86_400_000_000_000
_NEAR = ("localhost", "127.0.0.1", "::1")
_HINT = "sealcam-hub offsite template shows what such a file says"

TEMPLATE = """\
# Where this home's sealed copy goes: any store that speaks S3. Keep this file with the 24 words: both bring it back.
endpoint = "https://s3.example.net"
region = "us-east-1"
bucket = "my-bucket"
prefix = ""              # a folder in the bucket
access_key = ""
secret_key = ""
ca_file = ""             # of a store at home with a certificate of its own
keep_days = 0            # delete there what is older; 0: keep it as long as it is at home
lock_days = 0            # nobody deletes an object sooner, not even with these keys; the bucket needs object lock
most_kbytes_per_s = 1000 # of this home's line; 0: all of it
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """A store, and how it is used; `secret_key` is never shown."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    prefix: str = ""
    ca_file: str = ""
    keep_days: int = 0
    lock_days: int = 0
    most_kbytes_per_s: int = 1000

    def cutoff_ns(self, now_ns: int) -> int:
        """What is older than this isn't kept there; wall time."""
        return now_ns - self.keep_days * DAY_NS if self.keep_days else 0

    @property
    def where(self) -> str:
        """The store in words, without its keys."""
        return f"{self.endpoint.rstrip('/')}/{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


def read(text: str, name: str) -> Settings:
    """What such a file says; `name` is the file's, for errors.

    Raises:
        ConfigError: something in it is missing, unknown or not possible.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is no TOML: {error}", _HINT) from error
    known = {one.name: one for one in fields(Settings)}
    for key, value in said.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise ConfigError(f"{name}: {key} is unknown", f"did you mean {near[0]}?" if near else _HINT)
        wanted = int if known[key].type == "int" else str
        if type(value) is not wanted:
            raise ConfigError(f"{name}: {key} must be {'a number' if wanted is int else 'a text'}", _HINT)
    for key in ("endpoint", "bucket", "access_key", "secret_key"):
        if not said.get(key):
            raise ConfigError(f"{name}: {key} is missing", _HINT)
    return _checked(Settings(**_tidied(said)), name)


def _tidied(said: dict[str, Any]) -> dict[str, Any]:
    return said | {"prefix": str(said.get("prefix", "")).strip("/")}


def _checked(chosen: Settings, name: str) -> Settings:
    address = urlsplit(chosen.endpoint)
    near = address.hostname in _NEAR
    if address.scheme not in ("https", "http") or not address.hostname or address.username or address.query:
        raise ConfigError(f"{name}: endpoint is no address of a store", _HINT)
    if address.scheme == "http" and not near:
        raise ConfigError(f"{name}: endpoint must begin with https://", "http:// is for a store on this machine alone")
    if (
        min(chosen.keep_days, chosen.lock_days, chosen.most_kbytes_per_s) < 0
        or max(chosen.keep_days, chosen.lock_days) > 36_500
    ):
        raise ConfigError(f"{name}: days and kilobytes count from 0", _HINT)
    if chosen.ca_file and not Path(chosen.ca_file).is_file():
        raise ConfigError(f"{name}: there is no ca_file {chosen.ca_file}", _HINT)
    return chosen


def read_settings(path: Path) -> Settings:
    """What the file at `path` says.

    Raises:
        ConfigError: it can't be read, or as `read`.
    """
    data = read_file(path, MOST_FILE_BYTES)
    try:
        return read(data.decode(), str(path))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text", _HINT) from error


def load(folder: Folder) -> Settings | None:
    """Where this hub's copy goes, if anywhere.

    Raises:
        ConfigError: the file was changed to what isn't possible.
        StorageError: it can't be read.
    """
    if not (folder.path / FILE).exists():
        return None
    return read(folder.read(FILE).decode(errors="replace"), str(folder.path / FILE))


def save(folder: Folder, chosen: Settings) -> None:
    """Keep it.

    Raises:
        StorageError: the folder can't be written.
    """
    lines = [f"{one.name} = {json.dumps(getattr(chosen, one.name))}" for one in fields(Settings)]
    folder.write(FILE, ("# Kept by `sealcam-hub offsite set`.\n" + "\n".join(lines) + "\n").encode())
