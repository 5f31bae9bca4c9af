"""Clips under kill -9: whatever moment it comes, what was written is there in order, and the clip says how it ended."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from sealcam.clips import ClipFolder, Fate
from sealcam.wire.bodies import ClipState
from sealcam.wire.clip import FileSource, Reader, State, verify
from tests.scl1 import RECIPIENTS, SIGNER, content
from tests.waiting import eventually

# Says a clip's key once it is "queued", then writes pieces of any size as fast as it can, for ever.
CHILD = """
import os, random, sys
from pathlib import Path
from sealcam.clips import ClipFolder
from sealcam.sealing import Seal
from sealcam.term import Term
from tests.scl1 import INFO, RECIPIENTS, SIGNER, content

folder = ClipFolder(Path(sys.argv[1]))
plain = content(1 << 21)
prepared = folder.prepare(Seal(SIGNER, 3, [key.public for key in RECIPIENTS], 7, Term()), INFO)
os.write(1, prepared.key.content_key.hex().encode() + b"\\n")
recording = prepared.queued()
while True:
    at = 0
    while at < len(plain):
        size = random.choice((10, 4_000, 70_000, 300_000))
        recording.write(plain[at : at + size])
        at += size
"""


@pytest.mark.parametrize("attempt", range(4))
def test_a_killed_recorder_leaves_a_clip_that_opens_to_its_last_chunk(tmp_path: Path, attempt: int) -> None:
    wanted = random.Random(attempt).randrange(0, 12 << 20)
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        key = bytes.fromhex(child.stdout.readline().decode())
        (path,) = tmp_path.glob("*.part")
        eventually(lambda: path.stat().st_size > wanted, what="writing")
        child.kill()
    left = path.stat().st_size
    said: list[Fate] = []
    ClipFolder(tmp_path).recover([SIGNER.public], SIGNER, 3, said.append)
    (fate,) = said
    assert fate.state is ClipState.INTERRUPTED
    assert fate.chunks >= (left - 726) // 65_560 - 1
    with ClipFolder(tmp_path).clips()[0].open("rb") as file:
        source = FileSource(file)
        status = verify(source, [SIGNER.public])
        assert (status.state, status.chunks, status.chain) == (State.INTERRUPTED, fate.chunks, fate.chain)
        plain, at = content(1 << 21), 0
        for chunk in Reader(source, status.header, key):
            assert chunk == plain[at % len(plain) :][: len(chunk)]
            at += len(chunk)
    assert at == fate.size
    assert RECIPIENTS[0].open(status.header.slots[0]) == key
