"""Texts that must fit: what is cut off is shown to be cut off, and what matters most stays. Pure."""

from __future__ import annotations

from collections.abc import Iterable

_CUT = "\N{HORIZONTAL ELLIPSIS}"
_HEADER_BYTES = 3  # of one text in CBOR, at most, for those that are allowed


def shortened(text: str, most_bytes: int) -> str:
    """`text` if it has at most `most_bytes` bytes as UTF-8, else its beginning and an ellipsis."""
    encoded = text.encode()
    if len(encoded) <= most_bytes:
        return text
    return encoded[: most_bytes - len(_CUT.encode())].decode(errors="ignore") + _CUT


def fitting(texts: Iterable[str], most_bytes: int) -> tuple[str, ...]:
    """The first of `texts` that fit together into `most_bytes` of CBOR; the first that doesn't is shortened."""
    found: list[str] = []
    for text in texts:
        left = most_bytes - _HEADER_BYTES
        if left <= _HEADER_BYTES:
            break
        found.append(shortened(text, left))
        most_bytes -= _HEADER_BYTES + len(found[-1].encode())
        if found[-1] != text:
            break
    return tuple(found)
