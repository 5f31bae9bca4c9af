"""The frozen statements that came later, by our code and by an independent reader (design/wire.md 6 and 13)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from sealcam.wire.statement_kinds import Kind
from tests.vectors import independent_keys, make_statements_2, ours_keys
from tests.vectors.statement_cases import EXAMPLES as FIRST
from tests.vectors.statement_cases_2 import EXAMPLES

FROZEN_SHA256 = "a5257dec19178e00b2f6635cc20f4dd5c6c6065fc6d1b873fd7e1a0eb037ff4a"
CASES: list[dict[str, Any]] = json.loads(make_statements_2.FILE.read_text())


def _id(case: dict[str, Any]) -> str:
    return f"{case['kind']}: {case['name']}"


def test_the_cases_are_frozen() -> None:
    assert hashlib.sha256(make_statements_2.FILE.read_bytes()).hexdigest() == FROZEN_SHA256


def test_they_can_be_made_again_byte_for_byte() -> None:
    assert make_statements_2.text() == make_statements_2.FILE.read_text()


def test_every_case_has_its_own_name_and_every_kind_a_case() -> None:
    assert len({_id(case) for case in CASES}) == len(CASES)
    assert {*FIRST, *EXAMPLES} == set(Kind)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_a_reader_written_from_the_specification_agrees(case: dict[str, Any]) -> None:
    assert independent_keys.judge(case)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_our_own_code_agrees(case: dict[str, Any]) -> None:
    assert ours_keys.judge(case)
