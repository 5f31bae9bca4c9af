"""Figures of sealed clips: what writing one costs over its bare primitives, and what a seek costs.

Bare is what nobody can save: one ChaCha20-Poly1305 pass over the content and one BLAKE2b pass over what comes out of
it, by the same libraries on the same bytes, chunk by chunk. Nothing reaches a disk: that is the disk's figure. Leaves
printing to `sealcam bench`. No test asserts a speed.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sealcam.bench import Figure
from sealcam.bench_wire import in_turns
from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam.wire.clip import SCL1, BytesSource, ClipInfo, ClipWriter, Reader, check_content_key, read_header, verify
from sealcam.wire.keys import KEY_BYTES, BoxKey, SigningKey

_SEGMENTS = 16  # 16 MiB: half a minute of video at 4 Mbit/s
_RECIPIENTS = 3
_ROUNDS = 60


class _Nowhere(io.RawIOBase):
    """A file that takes everything and keeps nothing."""

    def write(self, data: object) -> int:
        return len(cast(bytes, data))


@dataclass(frozen=True, slots=True)
class _Bench:
    """Keys, content of some segments, and the clip that holds it."""

    signer: SigningKey
    recipients: tuple[bytes, ...]
    content: bytes

    @staticmethod
    def make() -> _Bench:
        recipients = tuple(BoxKey.generate().public for _ in range(_RECIPIENTS))
        content = secrets.token_bytes(_SEGMENTS * SCL1.segment_chunks * SCL1.chunk_bytes - 1000)
        return _Bench(SigningKey.generate(), recipients, content)

    def write(self, file: BinaryIO) -> bytes:
        """Seal the content into `file`, as a recorder hands it over; the content key."""
        at = Stamp(boot=bytes(16), boot_ns=10**11, wall_ns=10**18, quality=ClockQuality.SYNCHRONISED)
        info = ClipInfo(incident=bytes(8), at=at, media="video/mp4", part=0)
        clip = secrets.token_bytes(16)
        writer = ClipWriter(file, self.signer, self.recipients, clip=clip, info=info, epoch=1, recipient_set=1)
        key = writer.content_key
        writer.write(self.content)
        writer.finish()
        return key

    def into(self, file: BinaryIO) -> None:
        """The same, for its time alone."""
        self.write(file)

    def bare(self) -> None:
        """The content through one AEAD and one hash."""
        view, cipher, chain = memoryview(self.content), ChaCha20Poly1305(bytes(KEY_BYTES)), hashlib.blake2b()
        for number, at in enumerate(range(0, len(view), SCL1.chunk_bytes)):
            sealed = cipher.encrypt(number.to_bytes(12, "big"), view[at : at + SCL1.chunk_bytes], None)
            chain.update(sealed)


def figures(_footage: Path | None = None, rounds: int = _ROUNDS) -> Iterator[Figure]:
    """Sealing a clip over its bare primitives; opening one chunk after a seek, from the header and from a reader."""
    bench = _Bench.make()
    nowhere = cast(BinaryIO, _Nowhere())
    bare_s, ours_s = in_turns(bench.bare, lambda: bench.into(nowhere), rounds, calls=1)
    size = len(bench.content)
    how = f"{size / 2**20:.0f} MiB, {_RECIPIENTS} recipients, no disk"
    yield Figure("seal a clip", round(size / ours_s / 1e6, 1), "MB/s", how)
    bare = f"{how}; bare: one AEAD, one BLAKE2b, {size / bare_s / 1e6:.0f} MB/s; in turns"
    yield Figure("seal a clip, over bare", round(ours_s / bare_s, 3), "x", bare)
    kept = io.BytesIO()
    key = bench.write(kept)
    yield from _reading(BytesSource(kept.getvalue()), bench.signer.public, key, rounds, how)


def _reading(source: BytesSource, signer: bytes, key: bytes, rounds: int, how: str) -> Iterator[Figure]:
    header = read_header(source, [signer])
    reader = Reader(source, header, key)
    places = [secrets.randbelow(reader.chunks) for _ in range(rounds)]
    seek_s = _least([lambda n=n: reader.chunk(n) for n in places])  # type: ignore[misc]
    yield Figure("open one chunk after a seek", round(seek_s * 1e6, 1), "us", f"{how}, any of {reader.chunks} chunks")

    def from_nothing() -> None:
        found = read_header(source, [signer])
        check_content_key(found, key)
        Reader(source, found, key).chunk(reader.chunks // 2)

    cold_s = _least([from_nothing] * rounds)
    yield Figure("open one chunk of a new file", round(cold_s * 1e6, 1), "us", f"{how}, header verified first")
    verify_s = _least([lambda: verify(source, [signer])] * max(1, rounds // 8))
    yield Figure("verify a clip", round(source.size / verify_s / 1e6, 1), "MB/s", f"{how}, without its key")


def _least(work: list[Callable[[], object]]) -> float:
    """Seconds of the fastest call."""
    taken = []
    for call in work:
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return min(taken)
