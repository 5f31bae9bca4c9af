"""`sealcam-hub share`, and `open --grant`: handing a clip to one recipient, and opening what was handed over.

Says in words what is handed over before it is, and what can't be taken back. `shares` does it on the hub's side,
`recipient` on the other.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import segno

from sealcam.wire.clip import State
from sealcam.wire.errors import ConfigError
from sealcam_hub import redact
from sealcam_hub.arguments import lasting, parse_root, parse_runs
from sealcam_hub.clock import SystemClock
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.lines import iso, plain
from sealcam_hub.newfile import check_new, write_new
from sealcam_hub.recipient import key_name, load_key, make_key, open_shared, parse_recipient
from sealcam_hub.refusals import GRANT, hinted
from sealcam_hub.share_room import copies, shares
from sealcam_hub.share_sources import chosen, handed
from sealcam_hub.shares import Offer, Share, Terms, checked, state
from sealcam_hub.terminal import Adder, Progress, confirmed, say
from sealcam_hub.vault_commands import is_id
from sealcam_hub.wish_words import runs_said

NO_WAY_BACK = (
    "What was opened can't be taken back: after that day, and once you revoke it, this hub hands nothing over and\n"
    "the recipient's tool refuses and deletes what it kept; a copy made in between stays where it is."
)


def add(command: Adder) -> None:
    """Add `share` to the command line."""
    share = command("share", _misuse, "hand a clip, or a part of one, to one recipient")
    kinds = share.add_subparsers(dest="what", metavar="WHAT", required=True)

    def kind(name: str, run: Callable[[argparse.Namespace, Folder], int], words: str) -> argparse.ArgumentParser:
        added = kinds.add_parser(name, help=words, description=words)
        added.set_defaults(run=run)
        return added

    key = kind("key", _key, "for a recipient: make a key to be granted something with")
    key.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="for the secret half")
    create = kind("create", _create, "grant one recipient a clip")
    words = "the sealed clip, or the id of one that is here"
    create.add_argument("clip", type=Path, metavar="CLIPFILE|ID", help=words)
    create.add_argument("--to", required=True, metavar="KEY", help="the recipient's public key, or a file with it")
    create.add_argument("--name", required=True, help="who that is, for your list")
    create.add_argument("--purpose", required=True, metavar="TEXT", help="what for; the recipient reads it too")
    create.add_argument("--expires", required=True, metavar="TIME", help="how long from now: 12h, 7d")
    create.add_argument("--segments", metavar="NUMBERS", help="only these parts of 1 MiB, such as 0-3,7")
    create.add_argument("--blur-people", action="store_true", help="of an ID: a copy in which people are blurred")
    create.add_argument("--box", metavar="L,T,R,B", help="of an ID: a copy, black outside this box (thousandths)")
    create.add_argument("--from", dest="begin", metavar="TIME", help="of an ID: a copy from there on, such as 0:05")
    create.add_argument("--until", dest="end", metavar="TIME", help="of an ID: a copy up to there")
    create.add_argument("-o", "--output", type=Path, required=True, metavar="BUNDLE")
    create.add_argument("--yes", action="store_true", help="don't ask")
    again = kind("give", _give, "hand a grant that still stands over once more")
    again.add_argument("grant", metavar="ID")
    again.add_argument("-o", "--output", type=Path, required=True, metavar="BUNDLE")
    listed = kind("list", _list, "what was shared, with whom, and until when")
    listed.add_argument("--json", action="store_true", help="for programs")
    kind("revoke", _revoke, "end a grant").add_argument("grant", metavar="ID")


def add_open(parser: argparse.ArgumentParser) -> None:
    """Add what `open --grant` takes to `open`."""
    parser.add_argument("--grant", type=Path, metavar="BUNDLE", help="open a clip that was shared; needs no hub")
    parser.add_argument("--clip", type=Path, metavar="FILE", help="with --grant: the clip")
    parser.add_argument("--key", type=Path, metavar="FILE", help="with --grant: your key, as `share key` made it")
    words = "with --grant: the owner's fingerprint, got by another way than the grant"
    parser.add_argument("--root", metavar="HEX", help=words)
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="with --grant: where the content goes")


@hinted(GRANT)
def open_grant(options: argparse.Namespace) -> int:
    """`open --grant`, without a hub."""
    missing = [f"--{name}" for name in ("clip", "key", "root", "output") if getattr(options, name) is None]
    if missing:
        raise ConfigError(f"open --grant lacks {', '.join(missing)}", "sealcam-hub open --help says what each is")
    key, root = load_key(options.key), parse_root(options.root)
    with Progress("checking") as told:
        opened = open_shared(options.grant, options.clip, key, root, options.output, SystemClock().wall_ns(), told)
    grant, status = opened.grant, opened.status
    if grant.segments is not None:
        what = f"segments {runs_said(grant.segments)} of a clip"
    else:
        what = f"a clip, {status.state}"
        if status.state is State.CUT:
            what += f": {status.signed_chunks} of its {status.chunks} chunks are signed, its end is missing"
    say(f"opened: {what}, {opened.size} bytes, in {options.output}")
    say(f"for: {plain(grant.purpose)}\nuntil: {iso(grant.expires_ns)}; delete it then")
    return 0


def _misuse(_options: argparse.Namespace, _folder: Folder) -> int:
    raise ConfigError("share what?", "sealcam-hub share --help lists what there is")


def _key(options: argparse.Namespace, _folder: Folder) -> int:
    key = make_key(options.output)
    say(f"public key: {key.public.hex()}\nfingerprint: {key_name(key.public)}")
    say(f"give the owner the public key, and compare the fingerprint by telephone; {options.output} stays with you")
    if sys.stdout.isatty():  # for the owner's telephone
        segno.make(key.public.hex().upper(), micro=False).terminal(sys.stdout, compact=True)
    return 0


def _create(options: argparse.Namespace, folder: Folder) -> int:
    terms = Terms(parse_recipient(options.to), options.name, options.purpose, lasting(options.expires))
    checked(terms)
    segments = parse_runs(options.segments) if options.segments else None
    wanted = redact.of_words(options.blur_people, options.box or "", options.begin or "", options.end or "")
    if wanted.anything and segments is not None:
        raise ConfigError("a copy has no segments of the clip that it is of", "choose its part with --from and --until")
    beside = options.output.with_name(options.output.name + ".scl1")
    own_file = segments is not None or is_id(options.clip)
    for path in [options.output] + ([beside] if own_file else []):
        check_new(path)
    with open_home(folder) as home, chosen(home, options.clip, wanted) as source:
        with Progress("checking") as told:
            offer = shares(home).offer(source, segments, told)
        say(_in_words(offer, terms, source.size, home.clock.wall_ns()))
        if not confirmed("Hand it over?", options.yes):
            say("nothing was shared")
            return 1
        if own_file:
            write_new(beside, handed(source, offer))
        share = shares(home).create(offer, terms)
    write_new(options.output, [share.bundle])
    say(f"grant {share.id}: {options.output}, to be handed over with {beside if own_file else options.clip}")
    return 0


def _in_words(offer: Offer, terms: Terms, size: int, now_ns: int) -> str:
    clip = offer.clip
    what = f"clip {clip.header.clip.hex()} of {plain(clip.camera)}"
    if offer.copied is not None:
        part = f"a copy under a key of its own, {', '.join(redact.said(offer.copied.redaction))}, {size} bytes"
    elif offer.segments is None:
        part = f"all of it, {offer.state}, {size} bytes"
    else:
        part = f"of it segments {runs_said(offer.segments)}, {offer.chunks * 64} KiB; the rest is blanked"
    return (
        f"This hands over: {what},\n  {part}\n"
        f"to:    {terms.name}, key {key_name(terms.recipient)}\n"
        f"for:   {terms.purpose}\n"
        f"until: {iso(now_ns + terms.lasting_ns)}\n{NO_WAY_BACK}"
    )


def _give(options: argparse.Namespace, folder: Folder) -> int:
    check_new(options.output)
    with open_home(folder) as home:
        share = shares(home).serve(options.grant)
    write_new(options.output, [share.bundle])
    say(f"grant {share.id} for {plain(share.name)}: {options.output}")
    return 0


def _list(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        now_ns = home.clock.wall_ns()
        found = shares(home).list()
    if not (found or options.json):
        say("nothing was shared yet")
    for share in found:
        say(_json(share, now_ns) if options.json else _text(share, now_ns))
    return 0


def _revoke(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        share = shares(home).revoke(options.grant)
        copies(home).tidy()
    say(f"revoked: {share.id}. This hub hands nothing of it over any more.")
    say(f"{plain(share.name)} may have opened the clip already, and can until {iso(share.grant.expires_ns)} with what")
    say("was handed over: a grant that is out of the house can't be called back.")
    return 0


def _json(share: Share, now_ns: int) -> str:
    grant = share.grant
    return json.dumps(
        {
            "id": share.id,
            "state": state(share, now_ns),
            "clip": grant.clip.hex(),
            "name": share.name,
            "recipient": grant.recipient.hex(),
            "segments": None if grant.segments is None else runs_said(grant.segments),
            "purpose": grant.purpose,
            "issued": iso(grant.issued_ns),
            "expires": iso(grant.expires_ns),
            "revoked": iso(share.revoked_ns),
        },
        ensure_ascii=False,
    )


def _text(share: Share, now_ns: int) -> str:
    grant = share.grant
    what = "whole" if grant.segments is None else f"segments {runs_said(grant.segments)}"
    line = f"{share.id}  {state(share, now_ns):<8} until {iso(grant.expires_ns)}  {plain(share.name)}, key "
    return f"{line}{key_name(grant.recipient)}: clip {grant.clip.hex()}, {what}; for: {plain(grant.purpose)}"
