"""The frozen keys, statements, claims and commands, by our code and by an independent reader (design/wire.md 13)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.vectors import independent_keys, make_keys, ours_keys

FROZEN_SHA256 = "985eb3d154e0f80c7f38b152f10f38248d21163f469ff71c82317ed17df3deb1"
CASES: list[dict[str, Any]] = json.loads(make_keys.FILE.read_text())


def _id(case: dict[str, Any]) -> str:
    return f"{case['kind']}: {case['name']}"


def test_the_cases_are_frozen() -> None:
    assert hashlib.sha256(make_keys.FILE.read_bytes()).hexdigest() == FROZEN_SHA256


def test_they_can_be_made_again_byte_for_byte() -> None:
    assert make_keys.text() == make_keys.FILE.read_text()


def test_every_case_has_its_own_name() -> None:
    assert len({_id(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_a_reader_written_from_the_specification_agrees(case: dict[str, Any]) -> None:
    assert independent_keys.judge(case)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_our_own_code_agrees(case: dict[str, Any]) -> None:
    assert ours_keys.judge(case)
