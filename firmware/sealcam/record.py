"""`sealcam record`: sight and recorder on a recorded file, sealing its clips to public keys; no network, no claim.

The clips are signed with a key that is thrown away when the command ends, and whose public half stays beside them as
`signer.pub`: what comes from a file is nobody's camera, so that a claimed camera's key never signs it. What is
recorded is `recorder`'s, what is printed `record_lines`'s. design/clips.md.
"""

from __future__ import annotations

import argparse
import re
import secrets
import sys
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from sealcam import config
from sealcam.board.encoder import X264Encoder
from sealcam.board.replay import ReplayCamera
from sealcam.clips import ClipFolder
from sealcam.files import write_whole
from sealcam.record_lines import Desk
from sealcam.recorder import Parts, Recorder
from sealcam.replay import Sight, moment, open_watch
from sealcam.replay_orders import RecordedOrders
from sealcam.sealing import Seal
from sealcam.sight.types import ArmMode
from sealcam.term import Term
from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam.wire.errors import ClipError, ConfigError, EnvelopeError, StorageError, describe
from sealcam.wire.keys import KEY_BYTES, SLOT_COUNTS, SigningKey, check_sealable

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

SIGNER = "signer.pub"
_KEY_HINT = "it is an X25519 public key: 64 hex digits"


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    words = "the incidents of a recorded file as sealed clips"
    parser = commands.add_parser("record", help=words, description=words)
    parser.add_argument("clip", type=Path, metavar="CLIP", help="a recorded file")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="where the sealed clips go")
    words = "who can open them: 64 hex digits of an X25519 public key; one or more"
    parser.add_argument("--recipient", nargs="+", action="extend", required=True, metavar="PUBKEY", help=words)
    parser.add_argument("--json", action="store_true", help="one JSON line a clip")
    modes = [str(mode) for mode in ArmMode]
    parser.add_argument("--arm", choices=modes, help="default: the configuration's, or its schedule's")
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"default {config.DEFAULT_PATH}")
    words = "when the recording began: 2026-11-22T01:00:00+01:00"
    parser.add_argument("--at", type=moment, metavar="TIME", help=words)


def run(options: argparse.Namespace) -> int:
    """Record the file; 0 when it was read to its end and every clip is whole, else 1."""
    recipients = [_public(word) for word in dict.fromkeys(word.lower() for word in options.recipient)]
    if len(recipients) > SLOT_COUNTS[-1]:
        raise ConfigError(f"a clip has at most {SLOT_COUNTS[-1]} recipients, not {len(recipients)}")
    settings = config.load(options.config)
    cv2.setNumThreads(1)
    mode = settings.arm if options.arm is None else ArmMode(options.arm)
    with suppress(StopIteration):  # a file that can't be read is told before anything is written
        next(ReplayCamera(options.clip).frames())
    sight = open_watch(settings, options.clip, mode, [])
    orders = RecordedOrders(sight.watch, settings.scene.timetable, mode, options.at, fixed=options.arm is not None)
    if orders.in_vain:
        sys.stderr.write("sealcam: note: the schedule isn't applied: --at says when the recording began\n")
    signer = SigningKey.generate()
    desk = Desk(options.clip.name, options.to, options.json)
    folder = _folder(options.to, signer)
    recorder = _recorder(settings, folder, signer, recipients, options.at, desk)
    try:
        _record(options.clip, sight, recorder, orders, desk)
    except ClipError as error:
        desk.complain(describe("sealcam", error))
    desk.sum_up()
    return 1 if desk.failed else 0


def _record(path: Path, sight: Sight, recorder: Recorder, orders: RecordedOrders, desk: Desk) -> None:
    """Everything that the file holds; then the error, where its rest can't be read."""
    watch = sight.watch
    failure: ClipError | None = None
    try:
        for frame in ReplayCamera(path).frames():
            orders.take(frame.t_ns)
            reports = watch.step(frame)
            seen = watch.evidence
            desk.saw(frame.t_ns, recorder.take(frame if seen is None else seen.frame, reports))
            for trouble in sight.tend(frame.t_ns):
                desk.warn(trouble.words)
    except ClipError as error:
        failure = error
    desk.ended(recorder.stop(watch.close()))
    if failure is not None:
        raise failure


def _recorder(
    settings: config.Config,
    folder: ClipFolder,
    signer: SigningKey,
    recipients: list[bytes],
    began: datetime | None,
    desk: Desk,
) -> Recorder:
    clips, boot = settings.clips, secrets.token_bytes(16)
    began_ns = None if began is None else round(began.timestamp() * 1e9)

    def stamp(t_ns: int) -> Stamp:
        wall_ns = 0 if began_ns is None else max(0, began_ns + t_ns)
        return Stamp(boot=boot, boot_ns=t_ns, wall_ns=wall_ns, quality=ClockQuality.UNKNOWN)

    parts = Parts(
        settings=clips,
        encoder=partial(X264Encoder, fps=clips.fps, bytes_per_s=clips.bytes_per_s),
        folder=folder,
        seal=lambda: Seal(signer, 0, recipients, 0, Term()),
        stamp=stamp,
        voice=desk,
        recover=partial(folder.recover, [signer.public], signer, 0, desk.clip),
        name=settings.camera.name or None,
    )
    return Recorder(parts)


def _public(word: str) -> bytes:
    """The key that a person named.

    Raises:
        ConfigError: it is none, or nothing can be sealed to it.
    """
    if not re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", word):
        raise ConfigError(f"--recipient: {word!r} is no key", _KEY_HINT)
    try:
        check_sealable(bytes.fromhex(word))
    except EnvelopeError as error:
        raise ConfigError(f"--recipient: nothing can be sealed to {word}", _KEY_HINT) from error
    return bytes.fromhex(word)


def _folder(path: Path, signer: SigningKey) -> ClipFolder:
    """The folder for the clips, with the key that will have signed them; an earlier run's key keeps a name.

    Raises:
        StorageError: nothing can be written there.
    """
    try:
        folder = ClipFolder(path)
        told = path / SIGNER
        if told.exists():
            earlier = re.sub(r"[^0-9a-f]", "", told.read_text(errors="replace"))[:8]
            told.rename(path / f"signer-{earlier or secrets.token_hex(4)}.pub")
        write_whole(told, f"{signer.public.hex()}\n".encode(), mode=0o644)
    except OSError as error:
        why = error.__cause__ or error
        words = why.strerror if isinstance(why, OSError) else str(why)
        raise StorageError(f"can't write in {path}: {words}", "name a folder that you may write in") from error
    return folder
