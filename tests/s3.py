"""A real S3 server for tests: moto's, in a process of its own on the loopback. It can be frozen, and its disk is its
memory, so it is started once for a session; each test has a bucket of its own.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from sealcam_hub.offsite_settings import Settings

PROGRAM = Path(__file__).parents[1] / "build" / "s3" / "bin" / "python"
START_S = 60.0
KEYS = {"access_key": "an-access-key", "secret_key": "a-secret-key-that-nobody-logs"}


class S3Server:
    """The server; `bucket` makes one, `raw` is a client of the test's own."""

    def __init__(self, log: Path) -> None:
        if not PROGRAM.exists():
            pytest.skip("needs an S3 server (provisioning/testdeps.sh installs it)")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        command = (str(PROGRAM), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port))
        with log.open("wb") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        self.raw: Any = self._client()
        self._wait(log)

    def _client(self) -> Any:
        session = botocore.session.Session()
        return session.create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.endpoint,
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def _wait(self, log: Path) -> None:
        until, pause = time.monotonic() + START_S, threading.Event()
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None, log.read_text(errors="replace")[-2000:]
                assert time.monotonic() < until, "the S3 server didn't start"
            pause.wait(0.05)

    def bucket(self, *, versions: bool = False, lock: bool = False, **chosen: Any) -> Settings:
        """A new bucket, as the owner's settings name it."""
        name = f"home-{secrets.token_hex(6)}"
        self.raw.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
        if versions:
            self.raw.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return Settings(endpoint=self.endpoint, bucket=name, **(KEYS | {"most_kbytes_per_s": 0} | chosen))

    def objects(self, chosen: Settings) -> dict[str, bytes]:
        """Everything in that bucket, by whole name."""
        found = self.raw.list_objects_v2(Bucket=chosen.bucket).get("Contents", ())
        return {one["Key"]: self.raw.get_object(Bucket=chosen.bucket, Key=one["Key"])["Body"].read() for one in found}

    def versions(self, chosen: Settings) -> int:
        """How many versions and marks of deletion there are in that bucket."""
        found = self.raw.list_object_versions(Bucket=chosen.bucket)
        return len(found.get("Versions", ())) + len(found.get("DeleteMarkers", ()))

    def freeze(self) -> None:
        """Let it answer nothing more."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def end(self) -> None:
        """End it."""
        self.raw.close()
        self._process.kill()
        self._process.wait()
