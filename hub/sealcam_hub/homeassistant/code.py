"""The owner's code for disarming from Home Assistant: what it must be like, what is kept of it, who may try how often.

Digits, since it is typed on keypads. So few of them that whoever reads what is kept finds it in days: it protects
against who can write to the broker, not against who reads the hub's folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import nacl.exceptions
import nacl.pwhash.argon2id as argon2id

from sealcam.wire.errors import ConfigError
from sealcam_hub.console.throttle import Throttle
from sealcam_hub.passphrase import MEMORY_BYTES, PASSES

_CODE = re.compile(r"[0-9]{6,12}", re.ASCII)


def kept(code: str) -> str:
    """What is kept of a code: an Argon2id string.

    Raises:
        ConfigError: it isn't 6 to 12 digits.
    """
    if not _CODE.fullmatch(code):
        raise ConfigError("the code has 6 to 12 digits", "more digits, more tries for who guesses")
    return argon2id.str(code.encode(), PASSES, MEMORY_BYTES).decode()


class Keypad:
    """Tries codes, ever more slowly while they are wrong; `clock()` is nanoseconds since boot."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._throttle = Throttle(clock)

    def opens(self, typed: str, kept: str) -> bool:
        """Whether `typed` is the code; false, without a look, while one that follows wrong ones has to wait.

        Takes as long for every code, the wrong ones too (libsodium's `crypto_pwhash_str_verify`).
        """
        if not _CODE.fullmatch(typed) or self._throttle.wait_s():
            return False
        try:
            argon2id.verify(kept.encode(), typed.encode())
        except nacl.exceptions.InvalidkeyError:
            self._throttle.failed()
            return False
        self._throttle.passed()
        return True
