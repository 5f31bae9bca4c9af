"""The frozen clips, by our reader and by an independent one (design/wire.md sections 7 and 13)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.vectors import independent_clip, make_scl1, make_scl1_2, ours_clip
from tests.vectors.clip_stock import stored
from tests.vectors.stock import FOLDER

FROZEN_SHA256 = "1692ebb810ec1e2e726604b86be2b06b897926b39cbe4b0ea746c360ed368bda"
FROZEN_STOCK_SHA256 = "a910b79fab59680dbce12f65b4233450f80a739ecd4cd8f3cfe0e99f897bd164"
FROZEN_LATER_SHA256 = "5e379c8d6eee84ff668ddfcce8c9f648a0b9f8721a6119497d5f3966ddefb9c2"
CASES: list[dict[str, Any]] = [*json.loads(make_scl1.FILE.read_text()), *json.loads(make_scl1_2.FILE.read_text())]


def _id(case: dict[str, Any]) -> str:
    return str(case["name"])


def test_the_cases_and_their_stock_are_frozen() -> None:
    assert hashlib.sha256(make_scl1.FILE.read_bytes()).hexdigest() == FROZEN_SHA256
    assert hashlib.sha256(make_scl1_2.FILE.read_bytes()).hexdigest() == FROZEN_LATER_SHA256
    files = sorted(FOLDER.iterdir())
    stock = b"".join(path.name.encode() + hashlib.sha256(path.read_bytes()).digest() for path in files)
    assert hashlib.sha256(stock).hexdigest() == FROZEN_STOCK_SHA256


def test_they_can_be_made_again_byte_for_byte() -> None:
    assert make_scl1.text() == make_scl1.FILE.read_text()
    assert make_scl1_2.text() == make_scl1_2.FILE.read_text()
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == stored()


def test_every_case_has_its_own_name() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_a_reader_written_from_the_specification_agrees(case: dict[str, Any]) -> None:
    assert independent_clip.judge(case)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_our_own_reader_agrees(case: dict[str, Any]) -> None:
    assert ours_clip.judge(case)
