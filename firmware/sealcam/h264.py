"""H.264 as encoders give it (Annex B) taken apart into what a file wants: parameter sets once, samples with lengths.

Nothing is decoded: units are told apart by their first byte (ITU-T H.264, table 7-1), and what isn't part of a picture
is left out. Where the parts go is `fmp4`'s; how a configuration record looks stands in ISO/IEC 14496-15, 5.3.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sealcam.wire.errors import HardwareError

_START = b"\0\0\1"
_IDR, _SPS, _PPS = 5, 7, 8
_SLICES = range(1, 6)
_KINDS = 0x1F
# Profiles without the four bytes that tell of colour sampling: baseline, main, extended.
_PLAIN_PROFILES = frozenset({66, 77, 88})
_YUV420_8BIT = b"\xfd\xf8\xf8\x00"


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """What a decoder must know before the first picture."""

    sps: bytes
    pps: tuple[bytes, ...]

    @property
    def codec(self) -> str:
        """The name that browsers know the stream by (RFC 6381): `avc1.42C01F`."""
        return f"avc1.{self.sps[1:4].hex().upper()}"

    @property
    def record(self) -> bytes:
        """The decoder's configuration record (`avcC`), for samples with lengths of four bytes."""
        known = b"\x01" + self.sps[1:4] + b"\xff\xe1" + _counted(self.sps)
        known += bytes([len(self.pps)]) + b"".join(map(_counted, self.pps))
        return known if self.sps[1] in _PLAIN_PROFILES else known + _YUV420_8BIT


def units(data: bytes) -> Iterator[bytes]:
    """The units between start codes, without the zeros behind them."""
    at = data.find(_START)
    while at >= 0:
        following = data.find(_START, at + 3)
        unit = data[at + 3 : following if following >= 0 else len(data)].rstrip(b"\0")
        if unit:
            yield unit
        at = following


def parameter_sets(data: bytes) -> ParameterSets:
    """The parameter sets of a keyframe.

    Raises:
        HardwareError: it brings none along.
    """
    sets: dict[int, list[bytes]] = {_SPS: [], _PPS: []}
    for unit in units(data):
        sets.get(unit[0] & _KINDS, []).append(unit)
    if len(sets[_SPS]) != 1 or len(sets[_SPS][0]) < 4 or not sets[_PPS]:
        raise HardwareError("the encoder gave a keyframe without its parameter sets")
    return ParameterSets(sets[_SPS][0], tuple(sets[_PPS]))


def sample(data: bytes) -> bytes:
    """The picture alone: its slices, each behind its length in four bytes."""
    slices = (unit for unit in units(data) if unit[0] & _KINDS in _SLICES)
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in slices)


def _counted(unit: bytes) -> bytes:
    return len(unit).to_bytes(2, "big") + unit


@dataclass(frozen=True, slots=True)
class WholePicture:
    """A picture as encoders promise it: `key` where nothing before it is needed, and then its parameter sets lead."""

    key: bool
    data: bytes


class WholePictures:
    """Completes what an encoder gives: one may say its parameter sets once, or apart from any picture."""

    def __init__(self) -> None:
        self._sets: dict[int, tuple[bytes, ...]] = {}

    def take(self, data: bytes) -> WholePicture | None:
        """The picture in what an encoder gave; none where there are only parameter sets in it, which are kept."""
        found: dict[int, list[bytes]] = {}
        for unit in units(data):
            found.setdefault(unit[0] & _KINDS, []).append(unit)
        self._sets |= {kind: tuple(found[kind]) for kind in (_SPS, _PPS) if kind in found}
        if not any(kind in _SLICES for kind in found):
            return None
        if _IDR not in found or (_SPS in found and _PPS in found):
            return WholePicture(_IDR in found, data)
        known = [unit for kind in (_SPS, _PPS) if kind not in found for unit in self._sets.get(kind, ())]
        return WholePicture(True, b"".join(b"\0" + _START + unit for unit in known) + data)
