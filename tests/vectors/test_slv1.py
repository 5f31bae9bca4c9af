"""The frozen live views, by our reader and by an independent one (design/wire.md sections 13 and 15)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.vectors import independent_live, make_slv1, ours_live

FROZEN_SHA256 = "afdd28d9c796078b410511b1fe2676481906896130914f8984545afd49c51393"
CASES: list[dict[str, Any]] = json.loads(make_slv1.FILE.read_text())


def _id(case: dict[str, Any]) -> str:
    return str(case["name"])


def test_the_cases_are_frozen_and_can_be_made_again_byte_for_byte() -> None:
    assert hashlib.sha256(make_slv1.FILE.read_bytes()).hexdigest() == FROZEN_SHA256
    assert make_slv1.text() == make_slv1.FILE.read_text()


def test_every_case_has_its_own_name() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_a_reader_written_from_the_specification_agrees(case: dict[str, Any]) -> None:
    assert independent_live.judge(case)


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_our_own_reader_agrees(case: dict[str, Any]) -> None:
    assert ours_live.judge(case)
