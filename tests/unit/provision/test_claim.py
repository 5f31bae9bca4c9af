"""The plan of a claim, and what a person is told when a step fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sealcam.wire.errors import SealcamError
from sealcam.wire.keys import SigningKey
from sealcam_provision import claim


def test_the_plan_names_every_command_and_no_key(tmp_path: Path) -> None:
    steps = claim.plan("Front door", tmp_path / "sealcam.toml", tmp_path / "hub", bytes(32))
    assert [step.argv[0] for step in steps] == ["sealcam", "sealcam-hub", "sealcam"]
    assert [step.reads for step in steps] == [False, True, True]
    assert "Front door" in steps[1].argv
    assert steps[2].argv[4] == "00" * 32


def test_a_dry_run_prints_the_plan_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "root.pub").write_bytes(SigningKey.generate().public)
    config = tmp_path / "sealcam.toml"
    config.write_text(f'[paths]\nstate = "{tmp_path / "camera"}"\n')
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("sealcam-provision")),
            *("claim", "--name", "Yard", "--config", str(config), "--hub", str(tmp_path), "--dry-run"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "1. the camera makes its keys" in done.stderr
    assert "sealcam-hub --state" in done.stderr
    assert not (tmp_path / "camera").exists()


def test_without_a_hub_the_hint_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SealcamError, match="no hub in") as caught:
        claim.owner_fingerprint(tmp_path)
    assert "sealcam-hub init" in (caught.value.hint or "")


def test_a_step_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    missing = tmp_path / "absent.toml"
    step = claim.Step("the camera asks", ("sealcam", "claim", "request", "--config", str(missing)), reads=False)
    with pytest.raises(SealcamError, match="the camera asks: no configuration file") as caught:
        claim.apply((step,))
    assert caught.value.hint == "name another with --config"
