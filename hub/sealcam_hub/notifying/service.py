"""Any service that apprise knows: one file imports it. An address holds a password; nothing here says or logs it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from sealcam.wire.errors import ConfigError
from sealcam_hub.notifying.push import Message, Sent

TITLE = "Sealcam"
MOST = 2048
_HERE = {"dbus", "kde", "qt", "glib", "gnome", "macosx", "windows", "syslog"}  # this machine's screen or log


def kind(address: str) -> str:
    """What kind of service an address is of, such as `ntfys`.

    Raises:
        ConfigError: apprise knows none, or it is one of this machine's own.
    """
    import apprise  # the hub's commands don't wait for it

    address = address.strip()
    with _hushed():
        made = apprise.Apprise.instantiate(address, suppress_exceptions=True) if 0 < len(address) <= MOST else None
    scheme = address.partition("://")[0].lower()
    if made is None or scheme in _HERE or not scheme.isalnum():
        hint = "https://appriseit.com lists them, such as ntfys://TOPIC or mailtos://USER:PASSWORD@HOST"
        raise ConfigError("that is no address of a service", hint)
    return scheme


def send(address: str, message: Message) -> Sent:
    """Send one message; never raises for what the service does."""
    import apprise

    asset = apprise.AppriseAsset(async_mode=False, app_id=TITLE, app_desc=TITLE, app_url="")
    service = apprise.Apprise(asset=asset)
    with _hushed():
        done = service.add(address) and service.notify(title=TITLE, body=message.words)
    return Sent.DONE if done else Sent.LATER


@contextmanager
def _hushed() -> Iterator[None]:
    """Its log names addresses. And it looks at each of its services as it is first used: one that says that it will be
    old some day would, where warnings are errors, leave it without any."""
    log = logging.getLogger("apprise")
    log.setLevel(logging.CRITICAL + 1)
    log.propagate = False
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
