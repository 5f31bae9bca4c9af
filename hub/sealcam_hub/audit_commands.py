"""`sealcam-hub audit`: who opened, shared, deleted and changed what; checked before anything is shown.

With `--log` an exported file instead of the hub's own, on any machine. How a log is checked stands in
`sealcam.wire.audit` and `audit_file`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sealcam.wire.audit import Log, pin_text
from sealcam.wire.errors import ConfigError
from sealcam_hub import audit
from sealcam_hub.arguments import parse_root
from sealcam_hub.audit import AuditView, views
from sealcam_hub.audit_file import (
    MAX_FILE_BYTES,
    Exported,
    export_text,
    load_pin,
    read_export,
    save_pin,
    verify_export,
)
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.lines import iso, plain
from sealcam_hub.newfile import FORCE, check_new, read_file, write_new
from sealcam_hub.refusals import LOG, hinted
from sealcam_hub.terminal import Adder, say


def add(command: Adder) -> None:
    """Add `audit` to the command line."""
    parser = command("audit", _audit, "the audit log: who opened, shared, deleted and changed what")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--verify", action="store_true", help="check it, and say no more than whether it holds")
    words = "check that the entry pinned in FILE is still there, then pin the newest; keep FILE on a device of your own"
    parser.add_argument("--pin", type=Path, metavar="FILE", help=words)
    parser.add_argument("--export", type=Path, metavar="FILE", help="write it to a file that can be checked elsewhere")
    parser.add_argument("--force", action="store_true", help="with --export: replace a file that is there")
    parser.add_argument("--log", type=Path, metavar="FILE", help="an exported log, instead of this hub's; needs --root")
    parser.add_argument("--root", metavar="HEX", help="the owner's fingerprint, got by another way than the file")


def _audit(options: argparse.Namespace, folder: Folder) -> int:
    if options.export and not options.force:
        check_new(options.export, FORCE)
    exported, root = _source(options, folder)
    pinned = load_pin(options.pin) if options.pin else None
    log = verify_export(exported, root, [] if pinned is None else [pinned])
    if options.pin and pinned != log.head:
        save_pin(options.pin, log.head)
    if options.export:
        write_new(options.export, [f"{export_text(exported)}\n".encode()], replace=options.force)
    if options.verify or options.export:
        count = len(log.entries)
        entries = "1 entry" if count == 1 else f"{count} entries"
        say(f"the log holds: {entries}, none changed or missing\nhead {pin_text(log.head)}")
    else:
        _show(log, options.json)
    return 0


def _source(options: argparse.Namespace, folder: Folder) -> tuple[Exported, bytes]:
    """The log to look at, and the root that it must be under."""
    if options.log is None:
        with open_home(folder) as home, home.store.reading() as connection:
            certificates = audit.certificates(connection, home.keys)
            entries = tuple(audit.entries(connection))
            return Exported(home.keys.root_public, certificates, entries), home.keys.root_public
    if options.root is None:
        hint = "`sealcam-hub status` prints it on the owner's hub; get it by another way than the file"
        raise ConfigError("a log in a file is checked against the owner's fingerprint: --root HEX", hint)
    root = parse_root(options.root)
    with hinted(LOG):
        return read_export(read_file(options.log, MAX_FILE_BYTES)), root


def _show(log: Log, as_json: bool) -> None:
    if not (log.entries or as_json):
        say("the log has no entries yet")
    for view in views(log):
        say(_json(view) if as_json else _text(view))


def _json(view: AuditView) -> str:
    return json.dumps(
        {
            "number": view.number,
            "at": iso(view.at_ns),
            "actor": view.actor,
            "action": view.action,
            "subject": view.subject and view.subject.hex(),
            "recipient": view.recipient and view.recipient.hex(),
            "detail": view.detail,
            "hash": view.hash.hex(),
        },
        ensure_ascii=False,
    )


def _text(view: AuditView) -> str:
    subject = f"  [{view.subject.hex()}]" if view.subject else ""
    return (
        f"{view.number:5d}  {iso(view.at_ns)}  {plain(view.actor):<8} {view.action:<10} {plain(view.detail)}{subject}"
    )
