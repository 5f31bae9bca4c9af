"""Answers the cases of `slv1.json` with the product's own code."""

from __future__ import annotations

from typing import Any

from sealcam.wire import schema
from sealcam.wire.keys import BoxKey
from tests.livecam import Looker


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """What our code says to a case."""
    signers = [bytes.fromhex(one) for one in case["signers_hex"]]
    looker = Looker(bytes.fromhex(case["session_hex"]), signers, [BoxKey(bytes.fromhex(case["recipient_secret_hex"]))])
    for message in case["messages_hex"]:
        looker.hear(bytes.fromhex(message))
    taken = [
        {
            "number": str(part.number),
            "content": int(part.content),
            "seen_ns": str(part.seen_ns),
            "sealed_ns": str(part.sealed_ns),
            "data_hex": part.data.hex(),
        }
        for part in looker.parts
    ]
    return {"infos_hex": [schema.encode(one).hex() for one in looker.infos], "taken": taken}


def judge(case: dict[str, Any]) -> bool:
    """Whether our code answers a case as it says."""
    return all(case[name] == value for name, value in answer(case).items())
