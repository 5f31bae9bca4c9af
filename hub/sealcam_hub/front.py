"""The console of one hub, put together: its pages over the real ledger, log, clips, people and rooms.

Loads the libraries behind the pages; a hub without a console does without this file. `serve` gives it its listeners.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from starlette.applications import Starlette

from sealcam_hub import audit, parts
from sealcam_hub.audit_source import AuditSource
from sealcam_hub.clip_source import Clips
from sealcam_hub.console.app import create
from sealcam_hub.console.door_people import Household
from sealcam_hub.console.door_ways import Ways
from sealcam_hub.doors import Door
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home
from sealcam_hub.live import LiveViews
from sealcam_hub.members import People
from sealcam_hub.members_passkeys import Keyring
from sealcam_hub.notifying.manage import Notifications
from sealcam_hub.timeline import Timeline


def pages(
    home: Home, feed: Feed, live: LiveViews, hosts: Collection[str], ways: Ways, timeline: Timeline | None = None
) -> Starlette:
    """The console as an ASGI application, under the names `hosts`; `ways` is how other devices reach it.

    `timeline` is one that somebody keeps up.
    """
    return create(
        home.ledger(),
        feed,
        hosts=hosts,
        door=Door(home.folder),
        arm=partial(home.wishes().ask, actor=audit.CONSOLE),
        clock=home.clock.wall_ns,
        boot=home.clock.boot_ns,
        log=AuditSource(home.store, home.keys, home.clock),
        live=live,
        clips=Clips(home.vault(), home.fetching().ask),
        parts=parts.of(home, feed, timeline),
        household=Household(People(home.store, home.keys, home.clock), Keyring(home.store, home.keys, home.clock)),
        ways=ways,
        opened=Notifications(home).seen,
    )
