"""`sealcam-hub clip open` and `clip verify`: a sealed clip in a file, with this hub's keys, keys in files, or words.

A clip that the hub holds is opened by its id as well; that, and what else is done with those, is `vault_commands`'.

Parses, calls, tells. A clip that wasn't closed is opened as far as it goes, and said to be so. Each opening with the
hub's keys is an entry of the audit log. What is done stands in `clipfile`.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from sealcam.wire import clip as scl1
from sealcam.wire.clip import FileSource, State, Status, verify
from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import KEY_BYTES, BoxKey
from sealcam_hub import audit, clipfile, vault_commands
from sealcam_hub.clip_keys import known_clip, known_signers
from sealcam_hub.clipfile import Saved
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.newfile import clip_file, read_file
from sealcam_hub.ownership import as_caller
from sealcam_hub.recipient import SECRET
from sealcam_hub.refusals import CLIP, hinted
from sealcam_hub.terminal import Adder, Progress, say
from sealcam_hub.tty import DevTty
from sealcam_hub.words import ask_words

_SIGNER_WORDS = "a key that signed it: 64 hex digits, or a file that holds them; may be repeated"
_MAX_KEY_FILE_BYTES = 4096
_PURPOSE = "the owner's words are typed"


def add(command: Adder) -> None:
    """Add `clip` to the command line."""
    parser = command("clip", _open, "sealed clips: in a file, or those that this hub has heard of")
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    words = "open it: its video in a file of its own"
    opening = what.add_parser("open", help=words, description=words)
    opening.add_argument("file", type=Path, metavar="FILE|ID", help="the sealed clip, or the id of one that is here")
    opening.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="where its video goes")
    words = "open it without a hub: a file with an X25519 secret key, 64 hex digits or a recipient's; needs --signer"
    opening.add_argument("--key", type=Path, metavar="KEYFILE", help=words)
    words = "open it with the owner's 24 words, asked for on the terminal; with --signer it needs no hub"
    opening.add_argument("--words", action="store_true", help=words)
    opening.add_argument("--signer", action="append", metavar="KEY", help=_SIGNER_WORDS)
    words = "check its signatures and tell whether it is whole; needs no key that opens it"
    checking = what.add_parser("verify", help=words, description=words)
    checking.add_argument("file", type=Path, metavar="FILE", help="the sealed clip")
    checking.add_argument("--signer", action="append", metavar="KEY", help=_SIGNER_WORDS)
    checking.set_defaults(run=_verify)
    vault_commands.add(what)


@hinted(CLIP)
def _verify(options: argparse.Namespace, folder: Folder) -> int:
    with clip_file(options.file) as source:
        if options.signer is not None:
            signers = _signers(options.signer)
        else:
            with open_home(folder) as home, home.store.reading() as connection:
                signers = known_signers(connection, source, home.keys.operating.public)
        status = _status(source, signers)
    say(f"{status.state}: {_chunks(status.chunks)}, {_chunks(status.signed_chunks)} signed")
    say(f"clip {status.header.clip.hex()}")
    _warn(status)
    return 0


@hinted(CLIP)
def _open(options: argparse.Namespace, folder: Folder) -> int:
    if options.key is not None and options.words:
        raise ConfigError("--key and --words are two ways to open it", "choose one of them")
    if (options.key is None) != (options.signer is None) and not options.words:
        raise ConfigError("--key and --signer go together", "with neither, the hub's own keys are used, or --words")
    if vault_commands.is_id(options.file):
        return _open_held(options, folder)
    with clip_file(options.file) as source:
        with as_caller():
            same = options.output.exists() and options.output.samefile(options.file)
        if same:
            raise ConfigError("the video would replace the sealed clip", "name another file with -o")
        if options.signer is not None:
            status, saved = _open_alone(source, options)
        else:
            with open_home(folder) as home:
                status, saved = _open_at_home(source, options, home)
    say(f"{options.output}: {saved.size} bytes, from {_chunks(saved.chunks)}")
    _warn(status)
    if saved.chunks < status.chunks:
        _say_aside(f"the last {_chunks(status.chunks - saved.chunks)} can't be read: the power was cut while they came")
    return 0


def _open_held(options: argparse.Namespace, folder: Folder) -> int:
    if options.key is not None or options.words or options.signer is not None:
        raise ConfigError("--key, --words and --signer go with a file", "the hub's clips are files in HUB/clips")
    with open_home(folder) as home:
        clip = vault_commands.open_held(str(options.file), options.output, home)
    say(f"{options.output}: {clip.size} bytes, from {_chunks(clip.status.signed_chunks)}")
    if (words := vault_commands.warning(clip)) is not None:
        _say_aside(words)
    return 0


def _open_alone(source: FileSource, options: argparse.Namespace) -> tuple[Status, Saved]:
    """With the recipient's secret in a file, or the words; the signers are those that the caller knows."""
    signers = _signers(options.signer)
    key = ask_words(DevTty(_PURPOSE)).recovery if options.words else BoxKey(_hex_file(options.key, "--key", SECRET))
    status = _status(source, signers)
    content_key = scl1.content_key(status.header, [key])
    return status, _saved(source, status, content_key, options.output)


def _open_at_home(source: FileSource, options: argparse.Namespace, home: Home) -> tuple[Status, Saved]:
    """With what the ledger knows, and the words' key if it is asked for.

    The log's entry is written first, and stays if the writing fails.
    """
    if options.words:
        owner = ask_words(DevTty(_PURPOSE))
        if owner.root.public != home.keys.root_public:
            raise ConfigError("these are the words of another owner", "with --signer KEY they need no hub")
        home.keys.recovery = owner.recovery
    with home.store.reading() as connection:
        known = known_clip(connection, home.keys, source)
    status = _status(source, known.signers)
    audit.opened(home.store, home.keys, home.clock, f"a clip in a file, of {known.camera}", known.header.clip)
    return status, _saved(source, status, known.content_key, options.output)


def _status(source: FileSource, signers: tuple[bytes, ...]) -> Status:
    with Progress("checking") as progress:
        return verify(source, signers, progress)


def _saved(source: FileSource, status: Status, content_key: bytes, target: Path) -> Saved:
    with Progress("opening") as progress:
        return clipfile.save(source, status, content_key, target, progress)


def _signers(words: list[str]) -> tuple[bytes, ...]:
    return tuple(
        bytes.fromhex(one) if re.fullmatch(r"[0-9a-fA-F]{64}", one) else _hex_file(Path(one), "--signer")
        for one in words
    )


def _hex_file(path: Path, option: str, prefix: str = "") -> bytes:
    """The 32 bytes whose hex digits are in a file, after `prefix` or not; a line that begins with # is a note."""
    try:
        text = read_file(path, _MAX_KEY_FILE_BYTES).decode("ascii")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{option}: {path} holds no key", "64 hex digits are wanted") from error
    found = "".join(line.strip() for line in text.splitlines() if not line.startswith("#")).removeprefix(prefix)
    if not re.fullmatch(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", found):
        raise ConfigError(f"{option}: {path} holds no key", "64 hex digits are wanted")
    return bytes.fromhex(found)


def _warn(status: Status) -> None:
    """Say aloud what isn't complete."""
    if status.state is State.INTERRUPTED:
        _say_aside("interrupted: the camera's power was cut, and it has signed for what is here")
    elif status.state is State.CUT:
        unsigned = status.chunks - status.signed_chunks
        tail = f"; {_chunks(unsigned)} at the end have no signature" if unsigned else ""
        _say_aside(f"cut: the end of this clip is missing, and nobody has signed for that{tail}")


def _say_aside(words: str) -> None:
    sys.stderr.write(f"sealcam-hub: warning: {words}\n")


def _chunks(count: int) -> str:
    return "1 chunk" if count == 1 else f"{count} chunks"
