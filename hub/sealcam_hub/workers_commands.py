"""`sealcam-hub workers`, `worker` and `database`: a hub that is more than one process on one machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sealcam_hub import database, doorkeeper, workers
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.keys import load_keys
from sealcam_hub.postgres import Where
from sealcam_hub.terminal import Adder, Progress, say
from sealcam_hub.tty import MAX_LINE, DevTty


def add(command: Adder) -> None:
    """Add the commands to the parser."""
    several = command("workers", _workers, "how many workers take messages in beside `serve`")
    several.add_argument("count", type=int, nargs="?", metavar="N", help="let there be so many; without it: say it")
    one = command("worker", _worker, "run one of the workers beside `serve`")
    one.add_argument("number", type=int, metavar="NUMBER", help="from 1 on")
    moved = command("database", _database, "move the ledger into PostgreSQL: its address is asked for, or on stdin")
    moved.add_argument("--authority", type=Path, metavar="FILE", help="the certificate that the server is known by")
    moved.add_argument("--back", action="store_true", help="move it back into a file of the hub's folder")


def _workers(options: argparse.Namespace, folder: Folder) -> int:
    if options.count is None:
        say(str(folder.settings().workers))
        return 0
    with open_home(folder) as home:
        workers.choose(home, options.count)
    with open_home(folder) as home:
        doorkeeper.refresh(home)
    say("start `serve` again" + "".join(f", and `worker {number}`" for number in range(1, options.count + 1)))
    return 0


def _worker(options: argparse.Namespace, folder: Folder) -> int:
    from sealcam_hub.work import work

    with open_home(folder) as home:
        return work(home, options.number)


def _database(options: argparse.Namespace, folder: Folder) -> int:
    wrap = load_keys(folder).table.wrap
    if options.back:
        with Progress("moving the ledger back") as told:
            count = database.move_back(folder, wrap, told)
        say(f"{count} rows are in {folder.ledger}; the database still has them, too: drop it there")
        return 0
    if sys.stdin.isatty():
        text = DevTty("the database's address is typed").ask("Address of the database: ", echo=False)
    else:
        text = sys.stdin.readline(MAX_LINE)
    authority = None if options.authority is None else options.authority.absolute()
    with Progress("moving the ledger") as told:
        count = database.move(folder, wrap, Where.parse(text, authority), told)
    say(f"{count} rows are in the database; the file they were in is gone")
    return 0
