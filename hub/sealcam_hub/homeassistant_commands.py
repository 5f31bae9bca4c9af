"""`sealcam-hub homeassistant`: what Home Assistant gets, at which broker, and what it may do; all off by default.

Each only writes the settings; `serve` follows them within seconds (`homeassistant.worker`).
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sealcam.wire.errors import ConfigError
from sealcam.wire.statement_kinds import Action
from sealcam_hub import audit, doorkeeper
from sealcam_hub.arguments import parse_address
from sealcam_hub.folder import Folder, Held
from sealcam_hub.home import Home, open_home
from sealcam_hub.homeassistant import accounts, code
from sealcam_hub.homeassistant.reach import same
from sealcam_hub.homeassistant.settings import ALLOWED, Settings, load, save
from sealcam_hub.lines import plain
from sealcam_hub.newfile import check_new, check_target, read_file, write_new
from sealcam_hub.ownership import as_caller
from sealcam_hub.terminal import Adder, say
from sealcam_hub.tty import DevTty, Terminal

MOST_SECRET_BYTES = 1 << 16
LEAVE_S = 30.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
Run = Callable[[argparse.Namespace, Folder], int]


def add(command: Adder) -> None:
    """Add the command to the parser."""
    words = "Home Assistant: its broker, what it may do, the live view; off unless you turn it on"
    parts = command("homeassistant", _status, words).add_subparsers(dest="what", metavar="WHAT", required=True)

    def part(name: str, run: Run, told: str) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = parts.add_parser(name, help=told, description=told)
        added.set_defaults(run=run)
        return added

    on = part("on", _on, "send states in plain text to the broker that you name here, and take commands from it")
    on.add_argument("--broker", metavar="HOST:PORT", help="Home Assistant's broker")
    on.add_argument("--own", action="store_true", help="this hub's own broker, with an account apart; needs -o")
    on.add_argument("--username", metavar="NAME", default="", help="there; the password is asked for")
    on.add_argument("--password-file", type=Path, metavar="FILE", help="holds the password, for scripts")
    on.add_argument("--authority", type=Path, metavar="CA.pem", help="certifies that broker, if no public one does")
    on.add_argument("--plain", action="store_true", help="without TLS: whoever listens on that network reads it all")
    words = "of --own: a folder for the files with which Home Assistant signs in"
    on.add_argument("-o", dest="directory", type=Path, metavar="DIR", help=words)
    part("off", _off, "take everything back from the broker, and forget accounts, code and token")
    for name, run, told in (("allow", _allow, "let it do more"), ("forbid", _forbid, "let it do so no more")):
        part(name, run, told).add_argument("which", nargs="+", choices=ALLOWED, metavar=f"{{{','.join(ALLOWED)}}}")
    part("code", _code, "set the code that disarming from Home Assistant needs, 6 to 12 digits")
    live = part("live", _live, "show live pictures over HTTP to who has the token")
    live.add_argument("on", choices=("on", "off"), help="`on` makes a new token; the one before stops working")
    live.add_argument("--listen", metavar="HOST:PORT", help="where")
    part("status", _status, "what is on").add_argument("--json", action="store_true", help="for programs")


def _on(options: argparse.Namespace, folder: Folder) -> int:
    if bool(options.broker) == options.own:
        raise ConfigError("which broker?", "--broker HOST:PORT, or --own for this hub's own one")
    with open_home(folder) as home:
        if not home.keys.is_home:
            raise ConfigError("only the home hub serves Home Assistant", "do it there")
        if load(folder) is not None:
            raise ConfigError("it is on already", "turn it off first: sealcam-hub homeassistant off")
        settings = _own(options, home) if options.own else _named(options, home)
        with home.store.writing() as connection:
            told = f"states of all cameras in plain text to the broker at {settings.broker}, until it is turned off"
            audit.append(connection, home.keys, home.clock.wall_ns(), Action.SHARED, audit.OWNER, told)
        save(folder, settings)
        if options.own:
            doorkeeper.refresh(home)
    say(f"on: states go to {settings.broker}, with `serve`. It may arm; `allow` lets it do more")
    return 0


def _own(options: argparse.Namespace, home: Home) -> Settings:
    if options.directory is None:
        raise ConfigError("--own needs -o DIR", "where the files go that Home Assistant signs in with")
    with as_caller():
        options.directory.mkdir(mode=0o700, exist_ok=True)
    names = [options.directory / name for name in ("ca.pem", "client.pem", "client.key")]
    for path in names:
        check_target(path, home.folder)
        check_new(path)
    bridge, account, key, certificate = accounts.make(home)
    for path, data in zip(names, (home.folder.read("ca/ca.pem"), certificate, key), strict=True):
        write_new(path, [data])
    say(f"for Home Assistant's MQTT integration: {', '.join(str(path) for path in names)}")
    broker = home.settings.broker
    return Settings(broker.host, broker.port, own=True, bridge=bridge, account=account)


def _named(options: argparse.Namespace, home: Home) -> Settings:
    broker = parse_address(options.broker)
    if same(broker, home.settings.broker):
        raise ConfigError("that is the cameras' broker", "if it is this hub's own, say --own: it gets an account apart")
    if options.plain and options.authority:
        raise ConfigError("--plain is without TLS, and --authority is for TLS", "say one of them")
    password = ""
    if options.username:
        password = _password(options.password_file)
    authority = read_file(options.authority, MOST_SECRET_BYTES).decode("ascii", "replace") if options.authority else ""
    return Settings(
        broker.host,
        broker.port,
        tls=not options.plain,
        authority=authority,
        username=options.username,
        password=password,
    )


def _password(file: Path | None) -> str:
    if file is not None:
        return read_file(file, MOST_SECRET_BYTES).decode().strip()
    return DevTty("the password is typed").ask("Password at that broker: ", echo=False)


def _off(_options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        settings = _settings(folder)
        with home.store.writing() as connection:
            told = f"nothing goes to the broker at {settings.broker} any more"
            audit.append(connection, home.keys, home.clock.wall_ns(), Action.REVOKED, audit.OWNER, told)
        save(folder, replace(settings, leaving=True, allowed=(), code="", live_host="", live_port=0, token=""))
        if not _taken_back(folder):
            say(
                f"off: `serve` takes back what stands at {settings.broker} when it next gets there; until then it stays"
            )
            return 0
        say(f"off: everything was taken back from {settings.broker}")
        if settings.own:  # here too: a hub in its unit's sandbox can't tell the broker
            told_it = doorkeeper.refresh(home)
            for name in (settings.bridge, settings.account):
                doorkeeper.cut(home, name)
            words = "lets its accounts in no more" if told_it else "couldn't be told: restart it"
            say(f"the broker {words}")
    return 0


def _taken_back(folder: Folder) -> bool:
    """Whether a `serve` that runs has taken everything back, within `LEAVE_S`."""
    try:
        with folder.only_one("serve"):
            return False  # none runs
    except Held:
        pass
    pause, until = threading.Event(), time.monotonic() + LEAVE_S
    while load(folder) is not None:
        if time.monotonic() > until:
            return False
        pause.wait(0.2)
    return True


def _allow(options: argparse.Namespace, folder: Folder) -> int:
    settings = _settings(folder)
    if "disarm" in options.which and not settings.code:
        raise ConfigError("disarming needs a code", "set it first: sealcam-hub homeassistant code")
    return _allowed(folder, settings, {*settings.allowed, *options.which})


def _forbid(options: argparse.Namespace, folder: Folder) -> int:
    settings = _settings(folder)
    return _allowed(folder, settings, {*settings.allowed} - {*options.which})


def _allowed(folder: Folder, settings: Settings, allowed: set[str]) -> int:
    save(folder, replace(settings, allowed=tuple(one for one in ALLOWED if one in allowed)))
    say(f"Home Assistant may: {', '.join(['arm', *sorted(allowed)])}")
    return 0


def _code(_options: argparse.Namespace, folder: Folder) -> int:
    settings = _settings(folder)
    save(folder, replace(settings, code=code.kept(typed_twice(DevTty("the code is typed")))))
    say("the code is set" + ("" if settings.allows("disarm") else "; `allow disarm` makes it count"))
    return 0


def typed_twice(terminal: Terminal) -> str:
    """The code that a person chooses, typed the same way twice and unseen.

    Raises:
        ConfigError: it was typed in two ways.
    """
    first = terminal.ask("New code, 6 to 12 digits: ", echo=False)
    if terminal.ask("Once more: ", echo=False) != first:
        raise ConfigError("that was typed in two different ways", "nothing was changed; try again")
    return first


def _live(options: argparse.Namespace, folder: Folder) -> int:
    settings = _settings(folder)
    if options.on == "off":
        save(folder, replace(settings, live_host="", live_port=0, token=""))
        say("the live view is off, and its token works no more")
        return 0
    if not options.listen:
        raise ConfigError("--listen HOST:PORT says where", "127.0.0.1:8482 for a Home Assistant on this machine")
    from sealcam_hub.homeassistant.live import new_token  # the listener's libraries are loaded by this command alone

    at, (token, kept) = parse_address(options.listen), new_token()
    save(folder, replace(settings, live_host=at.host, live_port=at.port, token=kept))
    with open_home(folder) as home:
        cameras = [(one.name, one.alias) for one in home.ledger().cameras() if one.state not in ("gone", "expelled")]
    if at.host not in _LOOPBACK:
        say("without TLS: whoever listens on that network sees the pictures, too")
    say("for Home Assistant's Generic Camera, as stream source; the token isn't shown again:")
    for name, alias in cameras:
        say(f"{plain(name):<20} http://camera:{token}@{at}/live/{alias}.mp4")
    return 0


def _status(options: argparse.Namespace, folder: Folder) -> int:
    folder.settings()  # a folder without a hub is told
    settings = load(folder)
    told: dict[str, object] = {"on": settings is not None and not settings.leaving}
    if settings is not None:
        told |= {"broker": str(settings.broker), "own": settings.own, "tls": settings.tls, "leaving": settings.leaving}
        told |= {"allowed": list(settings.allowed), "code": bool(settings.code)}
        told["live"] = None if settings.live is None else str(settings.live)
    if options.json:
        say(json.dumps(told))
    elif settings is None:
        say("off: nothing goes to Home Assistant")
    else:
        for name, value in told.items():
            say(f"{name:<8} {value}")
    return 0


def _settings(folder: Folder) -> Settings:
    """What is on.

    Raises:
        ConfigError: nothing is.
    """
    folder.settings()  # a folder without a hub is told first
    settings = load(folder)
    if settings is None or settings.leaving:
        raise ConfigError("Home Assistant isn't on", "turn it on: sealcam-hub homeassistant on --broker HOST:PORT")
    return settings
