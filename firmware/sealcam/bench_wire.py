"""Figures of sealing: what an envelope costs over its bare primitives, taken in turns in one run.

Bare is what nobody can save: the sealed boxes, one AEAD pass and one signature (or verification) by the same
library on the same bytes. Leaves printing to `sealcam bench`. No test asserts a speed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nacl.bindings

from sealcam.bench import Figure
from sealcam.wire import schema
from sealcam.wire.bodies import ClockQuality, IncidentBody, Mode, Stage, Stamp, Subject, Trigger, Verdict
from sealcam.wire.envelope import open_envelope, padded_size, seal
from sealcam.wire.keys import KEY_BYTES, BoxKey, SigningKey
from sealcam.wire.sealed import Sealed

_RECIPIENTS = 3
_ROUNDS = 800
_CALLS = 2  # short turns find calm moments even on a busy machine
_CLEAR_BYTES = 54 + 4 * 80
_PREFIX_BYTES = 41


@dataclass(frozen=True, slots=True)
class _Bench:
    """Keys, an event's body, its envelope, and the inputs of the bare primitives."""

    signer: SigningKey
    recipients: tuple[BoxKey, ...]
    body: bytes
    envelope: Sealed

    @staticmethod
    def make(thumbnail: bytes | None) -> _Bench:
        signer = SigningKey.generate()
        recipients = tuple(BoxKey.generate() for _ in range(_RECIPIENTS))
        body = schema.encode(_incident(thumbnail))
        return _Bench(signer, recipients, body, _seal(signer, recipients, body))

    def seal(self) -> None:
        _seal(self.signer, self.recipients, self.body)

    def open(self) -> None:
        open_envelope(self.envelope, self.signer.public, self.recipients[:1], slot=0)

    def bare_seal(self) -> Callable[[], None]:
        key, clear, message = secrets.token_bytes(KEY_BYTES), bytes(_CLEAR_BYTES), self.envelope[:-64]
        plain = bytes(padded_size(_PREFIX_BYTES + len(self.body) + 1))
        secret = nacl.bindings.crypto_sign_seed_keypair(self.signer.seed)[1]
        publics = [recipient.public for recipient in self.recipients]

        def run() -> None:
            for public in publics:
                nacl.bindings.crypto_box_seal(key, public)
            nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plain, clear, bytes(12), key)
            nacl.bindings.crypto_sign(message, secret)

        return run

    def bare_open(self) -> Callable[[], None]:
        key, clear, recipient = secrets.token_bytes(KEY_BYTES), bytes(_CLEAR_BYTES), self.recipients[0]
        plain = bytes(padded_size(_PREFIX_BYTES + len(self.body) + 1))
        cipher = nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plain, clear, bytes(12), key)
        box = nacl.bindings.crypto_box_seal(key, recipient.public)
        public, secret = nacl.bindings.crypto_sign_seed_keypair(self.signer.seed)
        signed = nacl.bindings.crypto_sign(self.envelope[:-64], secret)

        def run() -> None:
            nacl.bindings.crypto_sign_open(signed, public)
            nacl.bindings.crypto_box_seal_open(box, recipient.public, recipient.secret)
            nacl.bindings.crypto_aead_chacha20poly1305_ietf_decrypt(cipher, clear, bytes(12), key)

        return run


def _incident(thumbnail: bytes | None) -> IncidentBody:
    at = Stamp(boot=bytes(16), boot_ns=10**11, wall_ns=1_790_000_000 * 10**9, quality=ClockQuality.SYNCHRONISED)
    return IncidentBody(
        incident=bytes(8),
        stage=Stage.NEW,
        at=at,
        trigger=Trigger.MOTION,
        started_ns=10**11 - 10**9,
        ended_ns=10**11,
        subject=Subject.PERSON,
        confidence_permille=873,
        verdict=Verdict.THREAT,
        threat_permille=912,
        reasons=("a person", "armed away"),
        mode=Mode.AWAY,
        thumbnail=thumbnail,
    )


def _seal(signer: SigningKey, recipients: tuple[BoxKey, ...], body: bytes) -> Sealed:
    return seal(
        signer,
        [recipient.public for recipient in recipients],
        kind=1,
        seq=2,
        prev=bytes(32),
        body=body,
        epoch=1,
        recipient_set=1,
    )


def in_turns(
    bare: Callable[[], None], ours: Callable[[], None], rounds: int, calls: int = _CALLS
) -> tuple[float, float]:
    """Least seconds of one call of each: the cost when nothing interrupts; in turns, so that both get calm moments."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for times, work in zip(taken, (bare, ours), strict=True):
            begun = time.perf_counter()
            for _ in range(calls):
                work()
            times.append((time.perf_counter() - begun) / calls)
    return min(taken[0]), min(taken[1])


def figures(_footage: Path | None = None, rounds: int = _ROUNDS) -> Iterator[Figure]:
    """Sealing to three recipients and opening, without and with a 24 KiB thumbnail, over the bare primitives."""
    for what, thumbnail in (("event", None), ("event with a 24 KiB thumbnail", secrets.token_bytes(24576))):
        bench = _Bench.make(thumbnail)
        for name, bare, ours, parts in (
            ("seal", bench.bare_seal(), bench.seal, "three sealed boxes, one AEAD, one signature"),
            ("open", bench.bare_open(), bench.open, "one verification, one sealed box, one AEAD"),
        ):
            bare_s, ours_s = in_turns(bare, ours, rounds)
            how = f"{len(bench.envelope)} B, {_RECIPIENTS} recipients; bare: {parts}, {bare_s * 1e6:.0f} us; in turns"
            yield Figure(f"{name} an {what}", round(ours_s * 1e6, 1), "us", how)
            yield Figure(f"{name} an {what}, over bare", round(ours_s / bare_s, 2), "x", how)
