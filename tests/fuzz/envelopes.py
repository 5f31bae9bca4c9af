"""Targets: events as the hub takes them, commands as a camera reads them; signed again, whatever was done to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import nacl.bindings as sodium

from sealcam.command_bodies import BODIES, read
from sealcam.wire import bodies, schema
from sealcam.wire.envelope import SCM1, SEV1, Format, open_envelope, open_with_content_key
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, SigningKey
from sealcam.wire.sealed import GENESIS, envelope_hash
from sealcam.wire.wishes import CommandType
from sealcam_hub.facts import facts_of
from sealcam_hub.inbox import open_mail
from sealcam_hub.registry import Camera, Epoch
from tests.fuzz.choices import Choices, Seed, edits
from tests.vectors import independent, independent_bodies, independent_statement
from tests.vectors.body_examples import EVENTS
from tests.vectors.builder import Recipe, Signer, cbor, draw, labelled, pad
from tests.vectors.command_cases import BASE as COMMAND
from tests.vectors.command_cases import SECRET, WISHES
from tests.vectors.refusals import ENCODINGS

SIGNER = Signer(draw("fuzz signer"))
SECRETS = tuple(draw(f"fuzz recipient {n}") for n in range(2))
EVENT = Recipe("fuzz", SIGNER, SECRETS, seq=7, prev=b"p" * 32)
SLOT = 1
RAW, PADDED, BODY, HEADER, POKES = range(5)


@dataclass(frozen=True)
class _Forge:
    """Makes envelopes of one recipe: its header and slots are sealed once, bodies and signatures each time."""

    recipe: Recipe
    clear: bytes
    message: bytes

    @staticmethod
    def of(recipe: Recipe, slots: int) -> _Forge:
        message = recipe.message()
        return _Forge(recipe, message[: 54 + 80 * slots], message)

    def encrypted(self, clear: bytes, padded: bytes) -> bytes:
        key = labelled(f"sealcam/{self.recipe.form}/body-key", self.recipe.content_key + clear)
        return clear + sodium.crypto_aead_chacha20poly1305_ietf_encrypt(padded, clear, bytes(12), key)

    def envelope(self, choices: Choices) -> bytes:
        """What the choices say, signed."""
        how = choices.below(5)
        if how == RAW:
            message = choices.rest()
        elif how == PADDED:
            message = self.encrypted(self.clear, choices.rest())
        elif how == BODY:
            kind, seq = choices.byte(), choices.number(choices.below(9))
            prev = (GENESIS, b"p" * 32)[choices.below(2)]
            plain = replace(self.recipe, type=kind, seq=seq, prev=prev, body=choices.rest()).plain
            message = self.encrypted(self.clear, pad(plain))
        elif how == HEADER:
            clear = choices.edited(self.clear)[: len(self.clear) - choices.below(3)]
            message = self.encrypted(clear, pad(self.recipe.plain))
        else:
            message = choices.edited(self.message)
        return message + self.recipe.signer.sign(message, f"sealcam/{self.recipe.form}/signature")


EVENTS_FORGE = _Forge.of(EVENT, 4)
COMMANDS_FORGE = _Forge.of(COMMAND, 1)
CAMERA = Camera(
    id=1,
    alias="00112233445566ff",
    name="front door",
    kid=SIGNER.kid,
    public=SIGNER.public,
    command=SIGNER.public,
    epoch=1,
    epochs=(Epoch(1, SIGNER.public, SIGNER.kid, 0, 0),),
    prekeys=(BoxKey(SECRETS[0]),),
    prekey_numbers=(1,),
    expelled=False,
    gone=False,
    skip=False,
)


CLASSES: dict[int, type] = {kind: getattr(bodies, f"{kind.name.title()}Body") for kind in bodies.EventType}


@dataclass(frozen=True)
class _Hub:
    """As much of a hub's keys as opening mail asks for."""

    operating: SigningKey
    slot: int = 0
    is_home: bool = True
    spare: tuple[BoxKey, ...] = ()


HUB: Any = _Hub(SigningKey(b"h" * 32))


def _agreed(envelope: bytes, signer: bytes, secret: bytes, form: Format) -> Any:
    """What an envelope says, if our opener and the independent one take it; both or neither must."""
    opener = independent.open_sev1 if form is SEV1 else independent.open_scm1
    try:
        said: Any = opener(envelope, signer, [secret])
    except independent.RefusedError:
        said = None
    try:
        opened = open_envelope(envelope, signer, [BoxKey(secret)], form=form)
    except EnvelopeError:
        assert said is None, "the independent opener takes what ours refuses"
        return None
    assert said is not None, "ours takes what the independent opener refuses"
    assert (opened.kind, opened.seq, opened.prev, opened.body) == (said.type, said.seq, said.prev, said.body)
    assert open_with_content_key(envelope, signer, opened.content_key, form) == opened
    return opened


def event(data: bytes) -> None:
    """An event: both openers, the hub's inbox with every body that it decodes, and the facts that are shown of it."""
    envelope = EVENTS_FORGE.envelope(Choices(data))
    opened = _agreed(envelope, SIGNER.public, SECRETS[0], SEV1)
    open_mail(envelope, envelope_hash(envelope), CAMERA, HUB, lambda: [CAMERA])
    if opened is not None:
        facts_of(opened, 1)
        _same_body(opened.kind, opened.body)


def command(data: bytes) -> None:
    """A command: both openers, and the body of its type."""
    envelope = COMMANDS_FORGE.envelope(Choices(data))
    opened = _agreed(envelope, COMMAND.signer.public, SECRET, SCM1)
    if opened is not None and opened.kind in BODIES:
        try:
            read(CommandType(opened.kind), opened.body)
            ours = True
        except EnvelopeError:
            ours = False
        assert ours == _reads(lambda: independent_bodies.read_command(opened.kind, opened.body))


def _same_body(kind: int, body: bytes) -> None:
    """Whether a body is readable is the same for ours and for the independent reader."""
    if kind not in CLASSES:
        return
    try:
        schema.decode(body, CLASSES[kind])
        ours = True
    except EnvelopeError:
        ours = False
    assert ours == _reads(lambda: independent_statement.read_map(body, independent_bodies.EVENTS[kind]))


def _reads(reader: Callable[[], object]) -> bool:
    try:
        reader()
    except independent.RefusedError:
        return False
    return True


def _seeds(forge: _Forge, bodies: list[tuple[int, bytes]]) -> list[Seed]:
    found = [Seed(f"raw-{n}", bytes([RAW]) + forge.message[:n]) for n in (0, 53, 54, len(forge.message))]
    found += [Seed(f"body-{n}", bytes([BODY, kind, 1, 7, kind < 0x80]) + body) for n, (kind, body) in enumerate(bodies)]
    plain = forge.recipe.plain
    for name, padded in (("good", pad(plain)), ("zeros", bytes(512)), ("none", b""), ("short", plain + b"\x80")):
        found.append(Seed(f"padded-{name}", bytes([PADDED]) + padded))
    for at in (0, 4, 5, 16, 20, 21, 53, 60):
        found.append(Seed(f"header-{at}", bytes([HEADER]) + edits((at, 1))))
        found.append(Seed(f"poke-{at}", bytes([POKES]) + edits((at, 1))))
    return found


def event_seeds() -> list[Seed]:
    odd = [(1, bytes.fromhex(body)) for body in ENCODINGS.values()]
    return _seeds(EVENTS_FORGE, [*((kind, cbor(fields)) for kind, fields in EVENTS), *odd])


def command_seeds() -> list[Seed]:
    odd = [(1, bytes.fromhex(body)) for body in ENCODINGS.values()]
    return _seeds(COMMANDS_FORGE, [*((kind, cbor(fields)) for _, kind, fields in WISHES), *odd])
