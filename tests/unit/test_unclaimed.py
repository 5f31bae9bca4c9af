"""A camera that is nobody's yet: eye and post say so alike, so that whoever set it up knows what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sealcam.keystore import Keystore


@pytest.mark.parametrize("command", ["eye", "post"])
@pytest.mark.parametrize("keys", [False, True])
def test_an_unclaimed_camera_exits_with_2_and_says_how_to_claim_it(tmp_path: Path, command: str, keys: bool) -> None:
    if keys:
        Keystore.open_or_create(tmp_path / "eye", {})
    config = tmp_path / "sealcam.toml"
    config.write_text(f'[paths]\nstate = "{tmp_path}"\nsocket = "{tmp_path}/eye.sock"\n')
    program = f"import sys; from sealcam.cli import main; sys.exit(main({[command, '--config', str(config)]!r}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    error, hint = done.stderr.splitlines()[-2:]
    assert error.startswith("sealcam: error: this camera")
    assert "sealcam-provision claim" in hint
