"""A camera's clips and what sends them, for tests: the link, the broker and the hub are the test."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from sealcam.clip_settings import Send
from sealcam.clip_store import ClipStore
from sealcam.clips import ClipFolder, Fate
from sealcam.clocks import SimulatedClock
from sealcam.freight import Load
from sealcam.messages import Way
from sealcam.openclip import Recorded
from sealcam.sending import Sending
from sealcam.sending_rules import Rules
from sealcam.sight.types import Verdict
from sealcam.wrapping import Wrapping
from tests.vaulting import Vault, clip_bytes

MIB = 1 << 20
NS = 1_000_000_000
WRAPPING = Wrapping(b"w" * 32)
THREAT = Rules(Send.THREAT, (60, 300))


class Camera:
    """Clips in a folder, their index and what sends them; the rest is the test."""

    def __init__(self, path: Path, rules: Rules = THREAT) -> None:
        self.path, self.rules = path, rules
        self.folder = ClipFolder(path)
        self.clock = SimulatedClock(boot_ns=1000 * NS)
        self.vault = Vault()
        self.night = False
        self.said: list[tuple[str, str]] = []
        self.fates: list[Fate] = []
        self.files: dict[bytes, bytes] = {}
        self.start()

    def start(self) -> None:
        self.store = ClipStore(
            self.folder.index,
            self.folder,
            WRAPPING,
            max_bytes=1 << 40,
            say=self.fates.append,
            free_bytes=lambda _: 1 << 50,
        )
        self.store.take_stock()
        self.sending = Sending(
            self.store, self.folder, self.rules, lambda: self.night, lambda code, words: self.said.append((code, words))
        )
        self.sending.resumed(self.now)

    def restart(self) -> None:
        self.store.close()
        self.start()

    @property
    def now(self) -> int:
        return self.clock.boot_ns()

    def record(self, plain_bytes: int = 100_000, verdict: Verdict = Verdict.THREAT) -> bytes:
        clip = secrets.token_bytes(16)
        self.files[clip] = clip_bytes(clip, plain_bytes)
        (self.path / f"{clip.hex()}.scl1").write_bytes(self.files[clip])
        self.store.keep([Recorded(clip, secrets.token_hex(8), 0, 0, 1, 0, plain_bytes, verdict)])
        return clip

    def piece(self) -> Load | None:
        """What the link would be given now."""
        load = self.sending.next(self.now)
        assert load is None or load.way is Way.CLIP
        return load

    def carry(self, load: Load, took_s: float = 0.01) -> None:
        """The broker takes it, and the hub hears it and answers."""
        self.clock.advance(took_s)
        self.sending.out(load, self.now)
        said = self.vault.take(load.id, load.payload)
        if said is not None:
            self.sending.held(said)

    def run(self, most: int = 10_000, until: Callable[[], bool] = lambda: False) -> int:
        """Carry until nothing more goes; how many pieces that were."""
        for count in range(most):
            load = None if until() else self.piece()
            if load is None:
                return count
            self.carry(load)
        raise AssertionError("it doesn't end")

    def arrived(self, clip: bytes) -> bool:
        return clip in self.vault.clips and self.vault.content(clip) == self.files[clip]
