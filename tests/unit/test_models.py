"""Finding a model by name and checking it, with a small manifest of our own and with the project's."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sealcam import models
from sealcam.sight.detect import SUBJECTS
from sealcam.sight.spec import Head, Placement
from sealcam.wire.errors import ModelError
from sealcam_provision.model_list import read_models

PROJECT = Path(__file__).resolve().parents[2] / "models"
FAST, SMALL = b"fast weights", b"small weights"

MANIFEST = """
default = "tiny"
[classes]
two = ["person", "car"]
[[model]]
name = "tiny"
classes = "two"
threshold = 0.4
[model.input]
height = 64
width = 96
layout = "NHWC"
dtype = "uint8"
channels = "RGB"
placement = "stretch"
fill = 0
scale = 1.0
offset = 0.0
[model.decoding]
head = "yolox"
iou = 0.5
strides = [8, 16]
"""


def variant(name: str, runtime: str, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return (
        f'[[model.variant]]\nfile = "{name}"\nruntimes = ["{runtime}"]\nbytes = {len(content)}\nsha256 = "{digest}"\n'
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    both = variant("fast.tflite", "ai-edge-litert", FAST) + variant("small.tflite", "tflite-runtime", SMALL)
    (tmp_path / "MANIFEST.toml").write_text(MANIFEST + both)
    (tmp_path / "fast.tflite").write_bytes(FAST)
    (tmp_path / "small.tflite").write_bytes(SMALL)
    return tmp_path


def test_the_variant_is_the_one_that_is_fastest_on_the_runtime(folder: Path) -> None:
    assert models.load("tiny", "ai-edge-litert", [folder]).content == FAST
    assert models.load("tiny", "tflite-runtime", [folder]).content == SMALL
    assert models.load("tiny", None, [folder]).file == "fast.tflite"


def test_without_a_name_it_is_the_default(folder: Path) -> None:
    assert models.load(folders=[folder]).spec.name == "tiny"


def test_the_specification_says_how_to_feed_and_read_it(folder: Path) -> None:
    spec = models.load("tiny", None, [folder]).spec
    assert (spec.input.height, spec.input.width, spec.input.placement) == (64, 96, Placement.STRETCH)
    assert (spec.decoding.head, spec.decoding.strides) == (Head.YOLOX, (8, 16))
    assert (spec.classes, spec.threshold, spec.embedding_stride) == (("person", "car"), 0.4, None)


def test_a_changed_file_has_the_wrong_checksum(folder: Path) -> None:
    (folder / "fast.tflite").write_bytes(FAST[:-1] + b"!")
    with pytest.raises(ModelError, match=r"fast\.tflite has the wrong checksum") as caught:
        models.load("tiny", None, [folder])
    assert caught.value.hint == "get it again with: make model NAME=tiny"


def test_a_cut_off_file_says_how_many_bytes_are_missing(folder: Path) -> None:
    (folder / "fast.tflite").write_bytes(FAST[:4])
    with pytest.raises(ModelError, match="has 4 bytes, and 12 were expected"):
        models.load("tiny", None, [folder])


def test_a_file_that_is_too_long_is_refused_before_it_is_read(folder: Path) -> None:
    with (folder / "fast.tflite").open("r+b") as file:
        file.truncate(1 << 40)  # a hole: to read it would be a MemoryError
    with pytest.raises(ModelError, match=f"has {1 << 40} bytes, and 12 were expected"):
        models.load("tiny", None, [folder])


def test_a_model_that_does_not_fit_into_memory_is_one_clear_error(folder: Path) -> None:
    takes = models.TIMES * len(FAST) + models.BESIDE_BYTES
    assert models.load("tiny", None, [folder], takes).content == FAST
    with pytest.raises(ModelError, match="doesn't fit: it takes 25 MiB of memory, and there are 24") as caught:
        models.load("tiny", None, [folder], takes - 61)
    assert "smaller" in str(caught.value.hint)


def test_a_missing_file_says_where_was_searched_and_how_to_get_it(folder: Path) -> None:
    (folder / "fast.tflite").unlink()
    with pytest.raises(ModelError, match=str(folder)) as caught:
        models.load("tiny", None, [folder])
    assert caught.value.hint == "get it with: make model NAME=tiny"


def test_a_folder_instead_of_a_file_is_one_clear_error(folder: Path) -> None:
    (folder / "fast.tflite").unlink()
    (folder / "fast.tflite").mkdir()
    with pytest.raises(ModelError, match="can't be read"):
        models.load("tiny", None, [folder])


def test_a_mistyped_name_is_answered_with_the_nearest(folder: Path) -> None:
    with pytest.raises(ModelError, match="no model named tinny; did you mean tiny") as caught:
        models.load("tinny", None, [folder])
    assert caught.value.hint == "known models: tiny"


@pytest.mark.parametrize(
    "text",
    ["not toml at all [", "default = 1", MANIFEST.replace("height", "hight"), MANIFEST.replace("yolox", "yolo99")],
)
def test_a_manifest_that_is_none_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "MANIFEST.toml"
    path.write_text(text + (variant("a", "b", b"c") if "[[model]]" in text else ""))
    with pytest.raises(ModelError, match="isn't a model manifest"):
        models.read_manifest(path)


def test_earlier_folders_win(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty")
    assert models.load("tiny", None, [empty, folder]).content == FAST


def test_the_projects_own_models_are_what_its_manifest_says() -> None:
    manifest = models.read_manifest(PROJECT / "MANIFEST.toml")
    for runtime in ("ai-edge-litert", "tflite-runtime"):
        loaded = models.load(None, runtime, [PROJECT])
        assert loaded.spec.name == manifest.default == "nanodet-g"
    assert sum(variant.size_bytes for variant in manifest.entry("nanodet-g").variants) < 12e6


def test_every_model_of_the_project_sees_people_and_has_labels_we_merge() -> None:
    for entry in models.read_manifest(PROJECT / "MANIFEST.toml").entries:
        assert "person" in entry.spec.classes, entry.spec.name
        assert entry.spec.name == "person-192" or len(set(entry.spec.classes) & set(SUBJECTS)) > 3
        assert 0 < entry.spec.threshold < 1


def test_a_class_list_has_the_length_the_networks_were_trained_with() -> None:
    lengths = {
        entry.spec.name: len(entry.spec.classes) for entry in models.read_manifest(PROJECT / "MANIFEST.toml").entries
    }
    assert lengths == {"nanodet-g": 80, "oidv4": 24, "ssdlite": 91, "yolox-nano": 80, "person-192": 1}


def test_the_technicians_list_names_the_same_files() -> None:
    ours = models.read_manifest(PROJECT / "MANIFEST.toml").entries
    theirs = read_models(PROJECT / "MANIFEST.toml")
    assert [(entry.spec.name, [v.sha256 for v in entry.variants]) for entry in ours] == [
        (model.name, [file.sha256 for file in model.files]) for model in theirs
    ]


def test_every_model_has_a_card_and_a_licence() -> None:
    for model in read_models(PROJECT / "MANIFEST.toml"):
        assert (PROJECT / "cards" / f"{model.name}.md").is_file()
        assert "Apache-2.0" in model.licence
