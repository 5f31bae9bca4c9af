"""For every test: no example of a property has a deadline, and the files of tests lie in memory where there is room.

A busy machine is not a bug. What is synced to a disk in a test is lost with the test: waiting for the disk was half of
the suite's time. Where Hypothesis knows that it runs in CI, its own profile (the same examples in every run) stays
underneath.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings

settings.register_profile("sealcam", settings.default, deadline=None)
settings.load_profile("sealcam")

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 2 << 30

if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES:
    os.environ["TMPDIR"] = str(_MEMORY)  # for the processes that tests start, too
    tempfile.tempdir = None
