"""A person's device that makes passkeys and signs with them, in Python; and can be told to do it wrongly.

Web Authentication, level 2, sections 6.1 (authenticator data), 6.5 (attestation) and 5.8.1 (client data).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    """As browsers write bytes."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    """As browsers read them."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Device:
    """One passkey; `count` is how often it has signed, `flags` what it says of the person."""

    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    count: int = 0
    counts: bool = True
    flags: int = PRESENT | VERIFIED
    handle: bytes = b""

    def make(self, asked: str, origin: str, **wrong: object) -> str:
        """The answer to what `/me/passkey/ask` gave, as the script sends it."""
        options = json.loads(asked)
        self.handle = unb64(options["user"]["id"])
        said = self._client_data("webauthn.create", options["challenge"], origin, wrong)
        public = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cbor2.dumps(cose)
        data = self._data(str(wrong.get("host", options["rp"]["id"])), ATTESTED) + attested
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer({"clientDataJSON": b64(said), "attestationObject": b64(made)})

    def sign(self, asked: str, origin: str, **wrong: object) -> str:
        """The answer to what `/passkey/ask` gave."""
        options = json.loads(asked)
        said = self._client_data("webauthn.get", options["challenge"], origin, wrong)
        data = self._data(str(wrong.get("host", options["rpId"])))
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        parts = {"clientDataJSON": b64(said), "authenticatorData": b64(data), "signature": b64(signature)}
        return self._answer(parts | {"userHandle": b64(self.handle)})

    def _client_data(self, kind: str, challenge: str, origin: str, wrong: Mapping[str, object]) -> bytes:
        told = {"type": wrong.get("kind", kind), "challenge": wrong.get("challenge", challenge), "origin": origin}
        return json.dumps(told | {"crossOrigin": False}).encode()

    def _data(self, host: str, more: int = 0) -> bytes:
        self.count += 1 if self.counts else 0
        head = hashlib.sha256(host.encode()).digest() + bytes([self.flags | more])
        return head + self.count.to_bytes(4, "big")

    def _answer(self, response: Mapping[str, str]) -> str:
        name = b64(self.credential)
        told = {"id": name, "rawId": name, "type": "public-key", "response": dict(response)}
        return json.dumps(told | {"clientExtensionResults": {}})
