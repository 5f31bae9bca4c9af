"""Further workers beside `serve`: how many there are, and what each is called at the broker.

Each has a certificate of its own, since a broker lets one name in once. design/hub.md, "More than one worker".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sealcam.wire.errors import ConfigError
from sealcam_hub import ca
from sealcam_hub.folder import MOST_WORKERS, Access, Settings
from sealcam_hub.home import Home


def names(settings: Settings) -> tuple[str, ...]:
    """What the workers beside `serve` are called at the broker."""
    return tuple(_name(settings, number) for number in range(1, settings.workers + 1))


def group(settings: Settings) -> str | None:
    """The group in which the workers share what cameras send; none where `serve` is the only one.

    It is this hub's alone: another hub of the home takes in everything, too.
    """
    return settings.link_name if settings.workers else None


def choose(home: Home, count: int) -> None:
    """Let there be so many workers beside `serve`, which takes it up as it is started again.

    Raises:
        ConfigError: too many, or this isn't the home hub.
        StorageError: the disk is full or read-only.
    """
    if not 0 <= count <= MOST_WORKERS:
        raise ConfigError(f"from 0 to {MOST_WORKERS} workers", "each takes messages in beside `serve`")
    settings, authority = replace(home.settings, workers=count), home.authority()
    for number, name in enumerate(names(settings), 1):
        if not (home.folder.path / _file(number, "pem")).exists():
            key, certificate = ca.client_certificate(authority, name)
            home.folder.write(_file(number, "key"), key)
            home.folder.write(_file(number, "pem"), certificate)
    for end, number in _beyond(count):
        home.folder.remove(_file(number, end))
    home.folder.save_settings(settings)


def _beyond(count: int) -> Iterator[tuple[str, int]]:
    return ((end, number) for number in range(count + 1, MOST_WORKERS + 1) for end in ("pem", "key"))


def access(home: Home, number: int) -> Access:
    """How the worker of that number goes to the broker.

    Raises:
        ConfigError: there is no such worker.
    """
    if not 1 <= number <= home.settings.workers:
        hint = f"say how many there are: sealcam-hub workers {max(1, number)}"
        raise ConfigError(f"this hub has no worker {number}", hint)
    path = home.folder.path
    certificate, key = (path / _file(number, end) for end in ("pem", "key"))
    return Access(home.settings.broker, _name(home.settings, number), certificate, key, path / "ca" / "ca.pem")


def _name(settings: Settings, number: int) -> str:
    return f"{settings.link_name}-w{number}"


def _file(number: int, end: str) -> str:
    return f"link/worker-{number}.{end}"
