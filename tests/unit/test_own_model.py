"""The verdict model that the owner trained at home: taken only if it is whole and sane, kept, and given back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from sealcam import verdict_file, verdicts
from sealcam.board.litert import LiteRtNetwork, ScriptedNetwork
from sealcam.commands import Declined
from sealcam.golden import LEAVES, SOMEBODY, arithmetic, checked
from sealcam.ownmodel import OwnModel
from sealcam.sight import judge_features
from sealcam.sight.types import ArmMode
from sealcam.verdict_file import Layer
from sealcam.wire.bodies import Outcome
from sealcam.wire.errors import ModelError
from sealcam.wire.wishes import CommandType, ModelWish
from sealcam.wrapping import Wrapping
from sealcam_verdict import tflite
from tests.judged import PERSON

KEY = Wrapping(bytes(32))


def shipped_layers() -> tuple[Layer, ...]:
    return verdict_file.read(verdicts.load(), "it")


def other(temperature: float = 2.0) -> bytes:
    """A model that says the same, less surely."""
    *first, last = shipped_layers()
    return tflite.write((*first, Layer(last.weights / np.float32(temperature), last.biases / np.float32(temperature))))


def biased(*by: float) -> bytes:
    """The shipped model with these added to its scores: threat, benign, false alarm."""
    *first, last = shipped_layers()
    return tflite.write((*first, Layer(last.weights, last.biases + np.array(by, np.float32))))


def wish(content: bytes | None, sha256: bytes | None = None, name: str = "home-1") -> ModelWish:
    digest = hashlib.sha256(content or b"").digest()
    return ModelWish(name=name, sha256=digest if sha256 is None else sha256, content=content)


class Camera:
    """A camera's judge, over its restarts; what it had trouble with."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "verdict"
        self.said: list[str] = []
        self.start()

    def start(self) -> None:
        self.model = OwnModel(self.path, KEY, self.said.append)

    def told(self, said: ModelWish) -> str:
        return self.model.handlers[CommandType.MODEL](said)

    @contextmanager
    def refuses(self, why: str) -> Iterator[None]:
        before = self.threat
        with pytest.raises(Declined, match=why) as declined:
            yield
        assert declined.value.outcome is Outcome.FAILED
        assert declined.value.detail.endswith("it judges as before")
        assert self.threat == before

    @property
    def threat(self) -> float:
        return self.model.judge(PERSON, ArmMode.AWAY, worded=False).threat


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    return Camera(tmp_path)


def test_a_model_from_home_judges_at_once_and_after_a_restart_and_the_shipped_one_again(camera: Camera) -> None:
    shipped, content = camera.threat, other()
    assert camera.told(wish(content)) == "judges by home-1 from now on"
    own = camera.threat
    assert own != shipped
    camera.start()
    assert camera.threat == own
    assert camera.told(wish(None, hashlib.sha256(content).digest())) == "judges by home-1 already"
    assert camera.threat == own
    assert camera.told(wish(None, bytes(32), "shipped")) == "judges by the model that it was shipped with"
    assert camera.threat == shipped
    assert not camera.path.exists()
    camera.start()
    assert camera.threat == shipped
    assert camera.said == []


def test_the_shipped_model_is_gone_back_to_by_its_own_name_too_and_no_other_is_here(camera: Camera) -> None:
    camera.told(wish(other()))
    with camera.refuses("there is no model home-9 here"):
        camera.told(wish(None, b"x" * 32, "home-9"))
    camera.told(wish(None, hashlib.sha256(verdicts.load()).digest(), "verdict"))
    assert not camera.path.exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "has 0 bytes"),
        (verdicts.load() + b"\0", "has 4641 bytes"),
        (b"\0" * 4640, "another architecture"),
        (verdicts.load()[:1296] + b"\xff\xff\xff\x7f" + verdicts.load()[1300:], "no numbers"),
        (biased(-30, 0, 0), "plainly stands at the house for harmless"),
        (biased(60, 0, 0), "moving leaves for a threat"),
    ],
)
def test_what_is_no_sane_verdict_model_changes_nothing(camera: Camera, content: bytes, why: str) -> None:
    with camera.refuses(why):
        camera.told(wish(content))
    camera.told(wish(other()))
    with camera.refuses(why):
        camera.told(wish(content))


def test_a_model_that_is_not_what_its_hash_says_changes_nothing(camera: Camera) -> None:
    with camera.refuses("isn't what its SHA-256 says"):
        camera.told(wish(other(), hashlib.sha256(other(3)).digest()))


def test_a_runtime_that_says_something_else_than_the_weights_is_not_believed() -> None:
    network = ScriptedNetwork((1, judge_features.COUNT), [(np.array([[0.9, 0.05, 0.05]], np.float32),)], np.float32)
    with pytest.raises(ModelError, match="doesn't say here what its weights say"):
        checked(other(), lambda _content: network, "it")
    broken = ScriptedNetwork((1, judge_features.COUNT), [(np.full((1, 3), np.nan, np.float32),)], np.float32)
    with pytest.raises(ModelError, match="doesn't say here"):
        checked(other(), lambda _content: broken, "it")


def test_a_kept_model_that_is_damaged_is_told_and_the_shipped_one_judges(camera: Camera) -> None:
    shipped = camera.threat
    camera.told(wish(other()))
    camera.model._file.write(b"nothing of the kind")
    camera.start()
    assert camera.threat == shipped
    assert camera.said == ["the model from home can't be understood; the shipped model judges instead"]


def test_what_is_kept_is_locked(camera: Camera) -> None:
    content = other()
    camera.told(wish(content))
    assert content[1296:1400] not in camera.path.read_bytes()


def test_the_golden_incidents_are_what_the_shipped_model_says_they_are() -> None:
    layers = shipped_layers()
    assert arithmetic(layers, judge_features.vector(SOMEBODY))[0, 0] > 0.9
    assert arithmetic(layers, judge_features.vector(LEAVES))[0, 0] < 0.1
    assert checked(verdicts.load(), LiteRtNetwork, "it") is not None
