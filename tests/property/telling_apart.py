"""Ways to tell two heaps of byte strings apart, each with how sure it is; for tests that nothing does.

Every test returns a z: how many standard deviations of a fair draw lie between what was seen and what two heaps of
the same kind give. `TOLD` is 6: p < 1e-9 on one side, so that some fifty tests in a run, with fresh randomness each
time, raise a false alarm once in twenty million runs.
"""

from __future__ import annotations

import math

import nacl.bindings
import numpy as np
from numpy.typing import NDArray

TOLD = 6.0
FIELD = 2**255 - 19
Heap = NDArray[np.uint8]  # a row is a string; all have one length


def heap(strings: list[bytes]) -> Heap:
    """Strings of one length as rows."""
    return np.frombuffer(b"".join(strings), dtype=np.uint8).reshape(len(strings), -1)


def _chi_z(statistic: float, freedom: int) -> float:
    """A chi-square statistic as a z (Wilson and Hilferty, 1931)."""
    spread = 2 / (9 * freedom)
    return ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)


def frequencies(one: Heap, other: Heap) -> float:
    """Chi-square of two samples over the 256 byte values, wherever they stand."""
    counts = np.stack([np.bincount(each.ravel(), minlength=256) for each in (one, other)]).astype(float)
    counts = counts[:, counts.sum(axis=0) > 0]
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return _chi_z(float(((counts - expected) ** 2 / expected).sum()), counts.shape[1] - 1)


def uniform(one: Heap) -> float:
    """Chi-square of byte values against all of them being equally likely."""
    counts = np.bincount(one.ravel(), minlength=256).astype(float)
    expected = one.size / 256
    return _chi_z(float(((counts - expected) ** 2 / expected).sum()), 255)


def bits(one: Heap, other: Heap) -> float:
    """The largest difference at any one bit of the strings; many are looked at, so it counts for less."""
    shares = [np.unpackbits(each, axis=1).mean(axis=0) for each in (one, other)]
    pooled = (shares[0] * len(one) + shares[1] * len(other)) / (len(one) + len(other))
    sure = (pooled > 0) & (pooled < 1)
    spread = np.sqrt(np.where(sure, pooled * (1 - pooled), 1) * (1 / len(one) + 1 / len(other)))
    z = float(np.max(np.abs(shares[0] - shares[1]) / spread))
    return z - math.sqrt(2 * math.log(one.shape[1] * 8))  # where the largest of so many fair ones lies


def runs(one: Heap) -> float:
    """Wald and Wolfowitz: as many changes from bit to bit as random ones have."""
    stream = np.unpackbits(one.ravel())
    ones = float(stream.sum())
    zeros = stream.size - ones
    changes = 1 + float(np.count_nonzero(np.diff(stream)))
    expected = 2 * ones * zeros / stream.size + 1
    variance = (expected - 1) * (expected - 2) / (stream.size - 1)
    return abs(changes - expected) / math.sqrt(variance)


def learnt(one: Heap, other: Heap, rounds: int = 60) -> float:
    """Logistic regression on byte histograms and on the first 80 bytes' bits, judged on strings that it never saw.

    Half of both heaps teach, the other half asks: how often it is right is binomial with one half if the heaps are
    alike, whatever it has learnt, so that the threshold is exact.
    """
    size = min(len(one), len(other))
    features = np.concatenate([_features(one[:size]), _features(other[:size])])
    labels = np.repeat([0.0, 1.0], size)
    teach = np.arange(2 * size) % 2 == 0
    mean, spread = features[teach].mean(axis=0), features[teach].std(axis=0) + 1e-9
    known = (features - mean) / spread
    weights, bias = np.zeros(known.shape[1]), 0.0
    for _ in range(rounds):
        said = 1 / (1 + np.exp(-np.clip(known[teach] @ weights + bias, -30, 30)))
        wrong = said - labels[teach]
        weights -= 0.5 * (known[teach].T @ wrong / teach.sum() + 0.01 * weights)
        bias -= 0.5 * float(wrong.mean())
    asked = ~teach
    right = float(((known[asked] @ weights + bias > 0) == (labels[asked] > 0.5)).sum())
    return (right - asked.sum() / 2) / math.sqrt(asked.sum() / 4)


def _features(strings: Heap) -> NDArray[np.float64]:
    histogram = np.stack([np.bincount(row, minlength=256) for row in strings])
    return np.concatenate([histogram, np.unpackbits(strings[:, :80], axis=1)], axis=1).astype(float)


def is_public_key(key: bytes) -> bool:
    """Whether 32 bytes are a canonical point of Curve25519's subgroup of prime order, as every X25519 public key is.

    Asked of libsodium on the Edwards side: y = (u - 1) / (u + 1), either x (RFC 7748, section 4.1).
    """
    u = int.from_bytes(key, "little")
    if u >= FIELD or u == FIELD - 1:
        return False
    y = (u - 1) * pow(u + 1, -1, FIELD) % FIELD
    return nacl.bindings.crypto_core_ed25519_is_valid_point(y.to_bytes(32, "little"))
