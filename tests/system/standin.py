"""The smallest service on `sealcam.service`: it watches its orders in a file and obeys."""

from __future__ import annotations

import sys
from pathlib import Path

from sealcam.clocks import SystemClock
from sealcam.service import Beat, Service, harden
from sealcam.wire.errors import HardwareError

harden()
service = Service("standin", SystemClock())
orders = Path(sys.argv[1])


def obey(beat: Beat) -> None:
    while not service.stop.wait(0.1):
        order = orders.read_text().strip() if orders.exists() else ""
        if order == "hang":
            orders.unlink()
            service.stop.wait()
        if order == "fail":
            orders.unlink()
            raise HardwareError("the stand-in was told to fail", hint="tell it something else")
        beat()


service.add("obey", obey, deadline_s=2.0)
sys.exit(service.run())
