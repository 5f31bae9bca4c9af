"""A number in an address: what isn't one, or is more than the ledger holds, is the address of nothing. Pure."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException

MOST = (1 << 63) - 1
_NUMBER = re.compile(r"[0-9]{1,19}")


def number(text: str | None) -> int | None:
    """The number that `text` is; none where there is no text.

    Raises:
        HTTPException: it is none that anything here could have (404).
    """
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or int(text) > MOST:
        raise HTTPException(404)
    return int(text)
