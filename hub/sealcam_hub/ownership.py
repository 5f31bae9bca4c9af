"""Root's commands act as the owner of the hub's folder, so that nothing in it comes to belong to root.

Files that the person named on the command line (`newfile`) are still root's to read and write: inside `as_caller` the
process is root again. What it starts can't be, and a process that serves gives root up for good.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sealcam.wire.errors import ConfigError
from sealcam_hub.folder import Folder

_ROOT = 0


def act_as_owner(folder: Folder, for_good: bool) -> None:
    """If root runs this and `folder` is another user's, go on as that user; `for_good`: without a way back.

    Raises:
        ConfigError: this process may not, as in a container without that right.
    """
    if os.geteuid() != _ROOT:
        return
    try:
        owner = folder.path.stat()
    except OSError:
        return  # none is there yet, and what can't be used is told by who uses it
    if owner.st_uid == _ROOT:
        return
    user, group = owner.st_uid, owner.st_gid
    try:
        os.setgroups([group])
        os.setresgid(group, group, group if for_good else _ROOT)
        os.setresuid(user, user, user if for_good else _ROOT)
    except OSError as error:
        message = f"{folder.path} belongs to the user {user}, whom this process can't act as: {error.strerror}"
        raise ConfigError(message, "run the command as that user") from error


@contextmanager
def as_caller() -> Iterator[None]:
    """Inside, be root again if root ran the command; whoever else did stays who he is."""
    user, group = os.geteuid(), os.getegid()
    if user == _ROOT or os.getresuid()[2] != _ROOT:
        yield
        return
    os.seteuid(_ROOT)
    os.setegid(_ROOT)
    try:
        yield
    finally:
        os.setegid(group)
        os.seteuid(user)
