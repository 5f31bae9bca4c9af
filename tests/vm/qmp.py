"""Orders for a running QEMU (its machine protocol, QMP: qemu-qmp-ref(7)): few, and each waits for its answer."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

_CONNECT_S, _ANSWER_S, _STEP_S = 20.0, 120.0, 0.05


class QmpError(Exception):
    """QEMU refused an order, or doesn't answer."""


class Qmp:
    """One connection; `path` is the socket that QEMU listens on."""

    def __init__(self, path: Path) -> None:
        until = time.monotonic() + _CONNECT_S
        while True:
            self._socket = socket.socket(socket.AF_UNIX)
            try:
                self._socket.connect(str(path))
                break
            except OSError as error:
                self._socket.close()
                if time.monotonic() > until:
                    raise QmpError(f"{path} does not listen") from error
                time.sleep(_STEP_S)
        self._socket.settimeout(_ANSWER_S)
        self._lines = self._socket.makefile("r")
        self._lines.readline()  # its greeting
        self.order("qmp_capabilities")

    def order(self, name: str, **arguments: Any) -> Any:
        """Give an order; what it answers."""
        self._socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode())
        for line in self._lines:
            said = json.loads(line)
            if "error" in said:
                raise QmpError(f"{name}: {said['error']['desc']}")
            if "return" in said:
                return said["return"]
        raise QmpError(f"{name}: QEMU has ended")

    def save(self, path: Path) -> None:
        """Stop the machine and write its memory and devices into a file, without its disks."""
        self.order("stop")
        self.order("migrate-set-parameters", **{"max-bandwidth": 1 << 33})
        self.order("migrate", uri=f"exec:cat > '{path}'")
        self._until(lambda: self.order("query-migrate").get("status", ""), "completed", ("failed", "cancelled"))

    def until_running(self) -> None:
        """Wait until what was saved is loaded, and let it go on."""
        self._until(lambda: self.order("query-status")["status"], "paused", ("internal-error",))
        self.order("cont")

    def _until(self, state: Any, wanted: str, wrong: tuple[str, ...]) -> None:
        until = time.monotonic() + _ANSWER_S
        while (now := state()) != wanted:
            if now in wrong or time.monotonic() > until:
                raise QmpError(f"{now} instead of {wanted}")
            time.sleep(_STEP_S)

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()
