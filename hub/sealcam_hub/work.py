"""`sealcam-hub worker`: a further process that takes messages in, beside `serve`, which leads.

It opens, appends and receipts what the broker gives it of this hub's share, and does nothing else: no console, no
command, no clip, nothing that is due by time. Crash-only, as `serve`; whatever it had in hand comes again from the
cameras.
"""

from __future__ import annotations

import threading

from sealcam_hub import database, workers
from sealcam_hub.broker import BrokerLink
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home
from sealcam_hub.notify import from_environment
from sealcam_hub.pump import Pump
from sealcam_hub.receive import Receiver
from sealcam_hub.serve import run, signals


def work(home: Home, number: int) -> int:
    """Run until told to end; the exit code.

    Raises:
        SealcamError: there is no such worker, it runs already, or the ledger can't be written.
    """
    access, notify, ended = workers.access(home, number), from_environment(), threading.Event()
    home.store.patiently(lambda: notify("WATCHDOG=1"))
    with home.folder.only_one(f"worker-{number}"), signals(ended):
        database.check_unmoved(home.folder, home.store)
        receiver = Receiver(home.store, home.keys, home.clock)
        pump = Pump(
            receiver, home.wishes(), Feed(), home.clock, leads=False, lane=number, lanes=1 + home.settings.workers
        )
        link = BrokerLink(access, pump.deliver, share=workers.group(home.settings), leads=False)
        link.start()
        notify("READY=1")
        try:
            run(home, pump, link, None, ended, notify, lambda: True)
        finally:
            notify("STOPPING=1")
            link.stop()
    return 0
