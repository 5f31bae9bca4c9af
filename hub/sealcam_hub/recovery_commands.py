"""`sealcam-hub recover` and `backup`: a hub is lost, and comes back from the words, a backup, and what cameras keep."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import OwnerKeys
from sealcam.wire.statement_kinds import Action, Recipient, RecipientKind
from sealcam_hub import audit, offsite_recovery, recovery, setup
from sealcam_hub.arguments import parse_address
from sealcam_hub.backup import write_backup
from sealcam_hub.backup_file import Backup, check_backup, open_backup
from sealcam_hub.clock import Clock, SystemClock
from sealcam_hub.folder import Folder
from sealcam_hub.fullcopy import restore, write_copy
from sealcam_hub.home import Home, open_home
from sealcam_hub.lines import plain
from sealcam_hub.newfile import FORCE, check_new
from sealcam_hub.rebuild import Rebuilder
from sealcam_hub.recovery_state import BACKED_UP, note
from sealcam_hub.tables import cameras
from sealcam_hub.terminal import Adder, Progress, say
from sealcam_hub.tty import DevTty
from sealcam_hub.wholefile import check_fresh, is_sealed, restore_whole, write_whole
from sealcam_hub.words import ask_words


def add(command: Adder) -> None:
    """Add the commands to the parser."""
    backup = command("backup", _backup, "write what this hub keeps to one file; it opens with the 24 words alone")
    backup.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    backup.add_argument("--force", action="store_true", help="replace a file that is there")
    backup.add_argument("--with-keys", action="store_true", help="a full copy that opens everything: guard it well")
    backup.add_argument("--whole", action="store_true", help="this hub but its clips, sealed to the 24 words")
    recover = command("recover", _recover, "take a lost hub's place, with the owner's 24 words")
    recover.add_argument("--from", dest="backup", type=Path, metavar="BACKUP", help="the lost hub's newest backup")
    recover.add_argument("--offsite", type=Path, metavar="FILE", help="the store of the lost hub's off-site copy")
    recover.add_argument("--no-clips", action="store_true", help="with --offsite: clips later, by running this again")
    recover.add_argument("--broker", metavar="HOST:PORT", default="localhost:8883", help="default localhost:8883")
    recover.add_argument("--set-number", type=int, default=0, metavar="N", help="if a camera says its set is newer")
    recover.add_argument("--no-wait", action="store_true", help="don't stay for what cameras still have queued")
    back = command("restore", _restore, "put back a copy made by `backup --whole` or `--with-keys`")
    back.add_argument("copy", type=Path, metavar="FILE", nargs="?")
    back.add_argument("--in-place", action="store_true", help="the folder was copied back by other means")


def _backup(options: argparse.Namespace, folder: Folder) -> int:
    if options.whole and options.with_keys:
        raise ConfigError("--whole is sealed and --with-keys is open: choose one")
    if not options.force:
        check_new(options.output, FORCE)
    with open_home(folder) as home, Progress("writing") as bar:
        what = "a backup, sealed to the words"
        if options.whole or options.with_keys:
            what = "the whole hub, sealed to the words" if options.whole else "a full copy, which opens everything"
        with home.store.writing() as connection:  # first: nothing leaves the house that the log doesn't tell of
            audit.append(connection, home.keys, home.clock.wall_ns(), Action.SERVED, audit.OWNER, f"{what}, in a file")
        if options.whole:
            size = write_whole(home, options.output, bar)
            with home.store.writing() as connection:
                note(connection, BACKED_UP, home.clock.wall_ns())
            say(f"the whole hub but its clips: {options.output}, {size:,} bytes. The 24 words alone open it")
            return 0
        if options.with_keys:
            size = write_copy(home, options.output, bar)
            with home.store.writing() as connection:
                note(connection, BACKED_UP, home.clock.wall_ns())
            say(f"full copy: {options.output}, {size:,} bytes. Whoever has it opens everything, also what you delete")
            return 0
        report = write_backup(home.store, home.keys, home.clock, options.output, bar)
        with home.store.writing() as connection:
            note(connection, BACKED_UP, home.clock.wall_ns())
    say(f"backup: {options.output}, {report.events:,} events of {report.cameras} cameras, {report.size_bytes:,} bytes")
    say("it opens with the 24 words alone: sealcam-hub recover --from FILE")
    return 0


def _restore(options: argparse.Namespace, folder: Folder) -> int:
    if options.in_place == (options.copy is not None):
        raise ConfigError("restore what?", "a FILE, or --in-place")
    if options.copy is not None and is_sealed(options.copy):
        check_fresh(folder)
        count = restore_whole(folder, options.copy, ask_words(DevTty("the owner's words are typed")))
    else:
        count = restore(folder, options.copy)
    say(f"restored in {folder.path}: its {count} cameras get new keys with a wide step, none is used twice")
    return 0


def _recover(options: argparse.Namespace, folder: Folder) -> int:
    if options.backup is not None and options.offsite is not None:
        raise ConfigError("a backup or an off-site copy, not both at once", "run it with one, then with the other")
    broker = parse_address(options.broker)
    with nullcontext() if options.offsite is None else offsite_recovery.ready(options.offsite, folder) as copy:
        if options.backup is not None:
            check_backup(options.backup)  # before anybody types 24 words for nothing
        owner = ask_words(DevTty("the owner's words are typed"))
        backup = None if options.backup is None else open_backup(options.backup, owner.root.public)
        if copy is not None:
            backup = copy.backup(owner)
        if not folder.exists:
            setup.found(
                folder, broker, owner, next_number(SystemClock(), backup, options.set_number), other_hubs(backup)
            )
        with open_home(folder, SystemClock()) as home:
            recovered(home, owner, backup)
            if copy is not None:
                copy.finish(home, clips=not options.no_clips)
            return 0 if options.no_wait else _wait(home)


def _wait(home: Home) -> int:
    """Serve until what the cameras have queued is through."""
    from sealcam_hub.serve import serve  # the console's libraries are loaded by this alone

    say("now claim every camera again: sealcam-provision claim. Waiting for what they have queued")
    waiting = Waiting(home)
    code = serve(home, None, waiting.look)
    home.keys.recovery = None
    say("every camera's backlog is through" if waiting.done else "not all is through yet: run this again to go on")
    return code


def next_number(clock: Clock, backup: Backup | None, least: int = 0) -> int:
    """The number of a new hub's first recipient set: above every one that cameras may hold.

    Which was the newest is known to the lost hub alone, and a backup may be older. So it counts from the time, in
    seconds, which no hub that counted one by one has reached; or onward from what is known, if the clock is wrong.
    """
    known = max(least, 0 if backup is None else backup.recipients.number)
    return min(max(known + 1, clock.wall_ns() // 1_000_000_000), (1 << 32) - 1)


def other_hubs(backup: Backup | None) -> tuple[Recipient, ...]:
    """The hubs that stood beside the lost one, and go on."""
    if backup is None:
        return ()
    lost = (backup.hub, backup.recipients.home_hub)
    return tuple(
        one for one in backup.recipients.recipients if one.kind is RecipientKind.HUB and one.public not in lost
    )


def recovered(home: Home, owner: OwnerKeys, backup: Backup | None) -> None:
    """Keep the recovery key in memory, and take in a backup.

    Raises:
        ConfigError: the hub in this folder is another owner's.
        StorageError: the backup is damaged, or the disk full.
    """
    if home.keys.root_public != owner.root.public:
        raise ConfigError("the hub in this folder is another owner's", "a fresh folder: --state DIR")
    home.keys.recovery = owner.recovery
    if backup is None:
        return
    with Progress("opening the backup") as bar:
        tally = Rebuilder(home.store, home.keys, home.clock).rebuild(backup, bar)
    told = f"{tally.kept} events from a backup, {tally.places} places of deleted ones, {tally.refused} refused"
    with home.store.writing() as connection:
        audit.append(connection, home.keys, home.clock.wall_ns(), Action.RECOVERED, audit.OWNER, told)
    say(told)


@dataclass(slots=True)
class Waiting:
    """Tells how far each camera's backlog has come, and when the last one is through."""

    home: Home
    done: bool = False
    _told: dict[str, str] = field(default_factory=dict)

    def look(self) -> bool:
        """Whether there is something to wait for; prints what has changed."""
        with self.home.store.reading() as connection:
            waiting = recovery.waiting(connection)
            rows = connection.execute(cameras.select()).all()
        for row in rows:
            state = "not heard yet" if row.beat_ns is None else f"{row.head_seq} events, {row.queued} queued there"
            state = state if row.alias in waiting else "through"
            if self._told.get(row.alias) != state:
                self._told[row.alias] = state
                say(f"{plain(row.name)}: {state}")
        self.done = bool(rows) and not waiting
        return not self.done
