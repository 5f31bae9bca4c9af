"""Makes the models again: NanoDet-g and OIDv4 as shipped, and SSDLite for those who want to compare.

    build.py [--out FOLDER] [--cache FOLDER] [nanodet-g] [oidv4] [ssdlite]

Runs in the environment of `build.sh`. The same inputs give the same bytes: the converter and every fold are
deterministic, and what can vary (TensorFlow, NumPy, the package) is pinned by hash.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import convert
import exactness
import nanodet
import oidv4
import packages
import ssdlite
import tensorflow as tf
import tfjs

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]

# A wide picture, as cameras give it, for two thirds of the cost of a square one of the same width.
NANODET_SIZE = (256, 416)
# Of the backbone's three maps the finest tells individuals apart best (design/adr/0004), and has the fewest channels.
BACKBONE_STRIDE = 8

Built = Iterator[tuple[str, bytes]]


def build_nanodet(cache: Path) -> Built:
    """NanoDet-g in both precisions: file name and bytes."""
    graph = tfjs.read_graph(packages.obtain(packages.NANODET, cache) / "nanodet.json")
    say(f"the rebuilt graph is exact: largest difference {exactness.check(graph):.1e}")
    height, width = NANODET_SIZE
    for precision in ("dyn", "fp16"):
        model = convert.to_tflite(
            lambda picture: nanodet.rebuild(graph, picture, BACKBONE_STRIDE),
            (1, height, width, 3),
            tf.uint8,
            precision,
        )
        yield f"nanodet_g_coco80_{height}x{width}_{precision}.tflite", model


def build_ssdlite(cache: Path) -> Built:
    """SSDLite-MobileNetV2 with half-precision weights (the 8-bit ones are slower): file name and bytes."""
    graph = tfjs.read_graph(packages.obtain(packages.COCO_SSD, cache) / "model.json")
    shape = (1, ssdlite.SIZE, ssdlite.SIZE, 3)
    model = convert.to_tflite(lambda picture: ssdlite.rebuild(graph, picture), shape, tf.uint8, "fp16")
    yield f"ssdlite_mnv2_coco90_{ssdlite.SIZE}_fp16.tflite", model


def build_oidv4(cache: Path) -> Built:
    """SSD MobileNetV2 of Open Images v4, as it lies in its package: file name and bytes."""
    try:
        labels, model = oidv4.extract(packages.obtain(packages.OBJECTRON, cache) / oidv4.ASSETS)
    except ValueError as error:
        raise packages.BuildError(str(error)) from error
    say(f"its labels: {', '.join(labels[1:])}")
    yield "ssd_mnv2_oidv4_300_fp16.tflite", model


BUILDERS: dict[str, Callable[[Path], Built]] = {
    "nanodet-g": build_nanodet,
    "oidv4": build_oidv4,
    "ssdlite": build_ssdlite,
}
# These are part of the project; what else is built belongs to the machine it was built on.
SHIPPED = ("nanodet-g", "oidv4")


def main() -> int:
    """Build what the command line names; 0 when every file has the hash that MANIFEST.toml gives."""
    parser = argparse.ArgumentParser(description="make the converted models again from their pinned packages")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BUILDERS)} (default: {', '.join(SHIPPED)})")
    parser.add_argument("--out", type=Path, help="folder for the results (default: where each belongs)")
    parser.add_argument("--cache", type=Path, default=TOP / "build" / "models-build", help="folder for packages")
    arguments = parser.parse_args()
    for name in set(arguments.names) - set(BUILDERS):
        parser.error(f"there is no model {name} to build")
    arguments.cache.mkdir(parents=True, exist_ok=True)
    expected = manifest_hashes(HERE.parent / "MANIFEST.toml")
    same = True
    try:
        for name in arguments.names or SHIPPED:
            folder = arguments.out or (HERE.parent if name in SHIPPED else TOP / "build" / "models")
            folder.mkdir(parents=True, exist_ok=True)
            for file_name, model in BUILDERS[name](arguments.cache):
                write_whole(folder / file_name, model)
                same &= report(folder / file_name, model, expected.get(file_name))
    except packages.BuildError as error:
        say(f"error: {error}")
        return 1
    return 0 if same else 1


def manifest_hashes(manifest: Path) -> dict[str, str]:
    """SHA-256 by file name, as MANIFEST.toml gives them."""
    models = tomllib.loads(manifest.read_text())["model"] if manifest.exists() else []
    return {file["file"]: file["sha256"] for model in models for file in model["variant"]}


def write_whole(path: Path, content: bytes) -> None:
    """Write the file whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)


def report(path: Path, model: bytes, expected: str | None) -> bool:
    """Say what was made; true when it is what the manifest says."""
    got = hashlib.sha256(model).hexdigest()
    say(f"{path.name}: {len(model)} bytes, sha256 {got}")
    if got != expected:
        say(f"error: MANIFEST.toml says {expected} for {path.name}")
    return got == expected


def say(line: str) -> None:
    """One line of progress, on standard error."""
    print(f"models: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
