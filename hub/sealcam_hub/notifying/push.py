"""Web Push: sealed to one browser (RFC 8291), vouched for by this hub's VAPID key (RFC 8292). One file knows how.

The push service sees who is told and when, and a message of one size whatever it says.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sealcam.wire.errors import ConfigError, StorageError
from sealcam_hub.folder import Folder

KEY = "keys/vapid.pem"
PLAIN_BYTES = 1024
LIFE_S = 24 * 3600
TOKEN_S = 12 * 3600  # RFC 8292 allows 24 hours
TIMEOUT_S = (5.0, 10.0)  # to connect, and for an answer
CONTACT = "mailto:owner@sealcam.invalid"  # asked for by RFC 8292; this hub has no address that anybody should have
_GONE = (404, 410)
_MAKERS = (
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".notify.windows.com",
    ".push.apple.com",
)
_MOST = 2048
_MOST_FIELD = 256


class Sent(Enum):
    """What became of a message."""

    DONE = auto()
    LATER = auto()
    GONE = auto()  # for good: the browser doesn't want it any more


@dataclass(frozen=True, slots=True)
class Message:
    """What a target is told: `tag` names what it replaces, `path` where to look; `loud` rings again."""

    words: str
    tag: str
    path: str = "/"
    loud: bool = True


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser: where its push service is, and its keys, as it gave them."""

    endpoint: str
    p256dh: str
    auth: str

    def __repr__(self) -> str:
        return "Subscription()"

    @property
    def host(self) -> str:
        """The push service's name."""
        return urlsplit(self.endpoint).hostname or ""

    def pack(self) -> bytes:
        """As it is kept."""
        return json.dumps([self.endpoint, self.p256dh, self.auth]).encode()


def subscription(data: bytes) -> Subscription:
    """What `pack` made."""
    return Subscription(*json.loads(data))


def checked(endpoint: str, p256dh: str, auth: str, hosts: tuple[str, ...]) -> Subscription:
    """A browser's own words, taken only if its push service is one of the makers' or of `hosts` (origins).

    Raises:
        ConfigError: it isn't, or the keys are none.
    """
    try:
        found = urlsplit(endpoint)
        origin, host = f"{found.scheme}://{found.netloc}", found.hostname or ""
        port = found.port
    except ValueError as error:
        raise ConfigError("that is no push service") from error
    makers = any(host == one or (one.startswith(".") and host.endswith(one)) for one in _MAKERS)
    usual = found.scheme == "https" and port in (None, 443) and makers and "@" not in found.netloc
    if not (usual or origin in hosts) or len(endpoint) > _MOST:
        raise ConfigError(
            f"this browser's push service is {host[:100]!r}, which this hub doesn't know",
            "if you trust it: sealcam-hub notify host ORIGIN",
        )
    try:
        point = _decoded(p256dh)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        if len(_decoded(auth)) != 16 or len(point) != 65:
            raise ValueError
    except ValueError as error:
        raise ConfigError("this browser's keys are none") from error
    return Subscription(endpoint, p256dh, auth)


def _decoded(text: str) -> bytes:
    if len(text) > _MOST_FIELD:
        raise ValueError
    return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)


class Pusher:
    """Sends; the hub's key is made when it is first needed. May be used from several threads."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def public(self) -> str:
        """The key that a browser is to expect, as base64url without padding.

        Raises:
            StorageError: it can't be read or written.
        """
        point = self._key().public_key()
        raw = point.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def _key(self) -> ec.EllipticCurvePrivateKey:
        if not (self._folder.path / KEY).exists():
            made = ec.generate_private_key(ec.SECP256R1())
            pem = made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            self._folder.write(KEY, pem)
        try:
            key = serialization.load_pem_private_key(self._folder.read(KEY), None)
        except ValueError as error:
            raise StorageError(f"{self._folder.path / KEY} is damaged", "remove it: browsers are added anew") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise StorageError(f"{self._folder.path / KEY} is damaged", "remove it: browsers are added anew")
        return key

    def send(self, to: Subscription, message: Message) -> Sent:
        """Send one message; never raises for what the push service does.

        Raises:
            StorageError: the hub's key can't be read.
        """
        import requests  # takes a second to load, and most hubs push nothing

        key = self._key()
        pem = self._folder.read(KEY)
        topic = hashlib.blake2b(message.tag.encode(), key=hashlib.sha256(pem).digest(), digest_size=24).digest()
        headers = {
            "TTL": str(LIFE_S),
            "Urgency": "high",
            "Topic": base64.urlsafe_b64encode(topic).decode(),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": f"vapid t={_token(key, to)},k={self.public()}",
        }
        try:
            with requests.Session() as session:
                session.trust_env = False
                with session.post(
                    to.endpoint,
                    data=_sealed(to, message),
                    headers=headers,
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    code = answer.status_code
        except requests.RequestException:
            return Sent.LATER  # its words would name the address, which nobody else may know
        return Sent.GONE if code in _GONE else Sent.DONE if 200 <= code < 300 else Sent.LATER


def _token(key: ec.EllipticCurvePrivateKey, to: Subscription) -> str:
    """What proves to the push service that this hub was subscribed to (RFC 8292, section 2)."""
    import jwt

    found = urlsplit(to.endpoint)
    claims = {"aud": f"{found.scheme}://{found.netloc}", "sub": CONTACT, "exp": int(time.time()) + TOKEN_S}
    return jwt.encode(claims, key, "ES256")


def _sealed(to: Subscription, message: Message) -> bytes:
    """The message for that browser alone: a fresh key and salt each time (RFC 8291, section 3)."""
    import http_ece

    sealed: bytes = http_ece.encrypt(
        padded(message),
        salt=os.urandom(16),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_decoded(to.p256dh),
        auth_secret=_decoded(to.auth),
        version="aes128gcm",
    )
    return sealed


def padded(message: Message) -> bytes:
    """What the browser gets, always of one size."""
    said = {"words": message.words, "tag": message.tag, "path": message.path, "loud": message.loud}
    data = json.dumps(said).encode()
    return data + b" " * (PLAIN_BYTES - len(data))
