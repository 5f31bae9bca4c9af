"""A second hub: what it asks with, what the home hub lets it in with, and how it begins.

The second hub makes its own keys. The owner certifies it and signs a set with it (`recipients`); the home hub's
authority lets it into the broker and hands over which cameras there are, signed, so that it knows whose events to
believe. It opens what is sealed after the cameras took up the new set and its prekeys; nothing before. Implements
design/wire.md 10.1 for hubs that are not the home hub.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import Connection, insert, select

from sealcam.wire import statement
from sealcam.wire.errors import ConfigError, EnvelopeError, StorageError
from sealcam.wire.keys import KEY_BYTES, SigningKey, fingerprint, key_id, verify
from sealcam.wire.labels import BACKUP
from sealcam.wire.statement_kinds import Action, HubCertificate, RecipientSet
from sealcam_hub import audit, ca, certified, doorkeeper, expulsion, prekeys, recipients, recovery
from sealcam_hub.folder import Address, Folder, Settings
from sealcam_hub.home import Home, open_home
from sealcam_hub.setup import fresh_keys, new_link_name
from sealcam_hub.signing import read_json
from sealcam_hub.store import create_store
from sealcam_hub.tables import cameras, epochs

JOIN, ADMISSION = "sealcam join request", "sealcam admission"


@dataclass(frozen=True, slots=True)
class Join:
    """A second hub as it asks: its operating key, what it calls itself, the certificate request of its link (DER)."""

    operating: bytes
    name: str
    csr: bytes


def read_join(path: Path) -> Join:
    """The request in a file.

    Raises:
        ConfigError: it holds none.
    """
    said = read_json(path, JOIN)
    try:
        operating, csr = bytes.fromhex(said["operating"]), bytes.fromhex(said["csr"])
        if len(operating) != KEY_BYTES:
            raise ValueError("a key has 32 bytes")
        return Join(operating, str(said["name"])[:64], csr)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} is no {JOIN}", "make it with: sealcam-hub join request") from error


def request(folder: Folder) -> tuple[str, bytes]:
    """Make a second hub's own keys in `folder`: the text of its request, and the id of its operating key.

    Asked again the keys stay.

    Raises:
        StorageError: there is a hub already, or the folder can't be written.
    """
    if folder.exists:
        raise StorageError(f"there is a hub in {folder.path} already", "give the second one a folder: --state DIR")
    folder.create()
    operating = fresh_keys(folder)
    tls = folder.path / "link" / "link.key"
    if not tls.exists():
        folder.write("link/link.key", ca.private_pem(ec.generate_private_key(ec.SECP256R1())))
    key = serialization.load_pem_private_key(folder.read("link/link.key"), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sealcam hub")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    der = csr.public_bytes(serialization.Encoding.DER)
    said = {"format": JOIN, "operating": operating.public.hex(), "name": socket.gethostname(), "csr": der.hex()}
    return json.dumps(said, indent=1) + "\n", operating.kid


def admit(home: Home, join: Join) -> tuple[str, bool]:
    """The text of the file that lets a hub of the recipient set in, and whether the broker was told.

    May be made again when cameras were added.

    Raises:
        ConfigError: the owner hasn't signed that it is one, or this isn't the home hub.
        EnvelopeError: its certificate request isn't one.
    """
    if not home.keys.is_home:
        raise ConfigError("only the home hub lets another one in", "do it there")
    with home.store.writing() as connection:
        certificate = recipients.certificate(connection, join.operating)
        if certificate is None or all(one.public != join.operating for one in home.keys.chosen.recipients):
            kid = key_id(join.operating).hex()
            hint = "sealcam-hub recipients change --add JOIN, then accept what the owner signed"
            raise ConfigError(f"hub {kid} isn't in the recipient set", hint)
        link = certified.link(connection, join.operating) or new_link_name()
        certified.keep_link(connection, join.operating, link)
        pem = ca.hub_certificate(home.authority(), link, join.csr)
        certified.keep(connection, link, ca.serial(pem))
        said = {
            "root": home.keys.root_public.hex(),
            "hub_certificate": certificate.hex(),
            "recipient_set": home.keys.recipient_set.hex(),
            "authority": home.folder.read("ca/ca.pem").decode(),
            "link": pem.decode(),
            "link_name": link,
            "broker_host": home.settings.broker.host,
            "broker_port": home.settings.broker.port,
            "cameras": _cameras(connection),
            "expelled": [kid.hex() for kid in _expelled(connection)],
        }
    told = doorkeeper.refresh(home)
    text = json.dumps(said)
    signature = home.keys.operating.sign(BACKUP, text.encode())
    packed = {"format": ADMISSION, "admission": text, "signature": signature.hex()}
    return json.dumps(packed | {"home_certificate": home.keys.certificate.hex()}, indent=1) + "\n", told


@dataclass(frozen=True, slots=True)
class Admission:
    """What lets a second hub in, verified under the root that it names itself: compare the fingerprint."""

    root: bytes
    said: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """Of the owner, as hex digits."""
        return fingerprint(self.root).hex()


def read_admission(path: Path, operating: SigningKey) -> Admission:
    """The admission in a file, if it is for this hub.

    Raises:
        ConfigError: it holds none, or one for another hub.
    """
    packed = read_json(path, ADMISSION)
    try:
        text = packed["admission"]
        said = json.loads(text)
        root = bytes.fromhex(said["root"])
        chosen = statement.read(bytes.fromhex(said["recipient_set"]), root, RecipientSet)
        home = statement.read(bytes.fromhex(packed["home_certificate"]), root, HubCertificate).hub
        mine = statement.read(bytes.fromhex(said["hub_certificate"]), root, HubCertificate).hub
        verify(home, bytes.fromhex(packed["signature"]), BACKUP, text.encode())
        if chosen.home_hub != home or mine != operating.public:
            raise EnvelopeError
    except (EnvelopeError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ConfigError(f"{path} doesn't let this hub in", "make it with: sealcam-hub join accept") from error
    return Admission(root, said)


def begin(folder: Folder, admission: Admission) -> int:
    """Become the hub that was let in, or learn of cameras that were added or expelled since; how many there are.

    Raises:
        ConfigError: this is another owner's hub.
        StorageError: the folder can't be written.
    """
    said = admission.said
    if folder.exists and folder.read("keys/root.pub") != admission.root:
        raise ConfigError("this hub has another owner", "nothing was changed")
    folder.write("ca/ca.pem", said["authority"].encode())
    folder.write("link/link.pem", said["link"].encode())
    if not folder.exists:
        folder.write("keys/hub-certificate", bytes.fromhex(said["hub_certificate"]))
        folder.write("keys/recipient-set", bytes.fromhex(said["recipient_set"]))
        folder.write("keys/root.pub", admission.root)
        if folder.ledger.exists():
            folder.ledger.unlink()
        create_store(folder.ledger).close()
        broker = Address(str(said["broker_host"]), int(said["broker_port"]))
        folder.save_settings(Settings(broker, str(said["link_name"])))
    with open_home(folder) as home, home.store.writing() as connection:
        for one in said["cameras"]:
            _take(connection, home, one)
        for kid in said.get("expelled", ()):  # which an admission of an earlier version doesn't have
            _expel(connection, home, bytes.fromhex(kid))
    return len(said["cameras"])


def _cameras(connection: Connection) -> list[dict[str, object]]:
    rows = connection.execute(select(cameras).where(~cameras.c.expelled).order_by(cameras.c.id)).all()
    found: list[dict[str, object]] = []
    for row in rows:
        signed = connection.execute(select(epochs).where(epochs.c.camera == row.id).order_by(epochs.c.epoch)).all()
        keys = [
            {"epoch": one.epoch, "public": one.public.hex(), "command": one.command.hex(), "after_seq": one.after_seq}
            for one in signed
        ]
        named = {"alias": row.alias, "name": row.name, "kid": row.kid.hex(), "enrolled_ns": row.enrolled_ns}
        found.append(named | {"head_seq": row.head_seq, "head_hash": row.head_hash.hex(), "epochs": keys})
    return found


def _expelled(connection: Connection) -> list[bytes]:
    return list(connection.execute(select(cameras.c.kid).where(cameras.c.expelled).order_by(cameras.c.id)).scalars())


def _expel(connection: Connection, home: Home, kid: bytes) -> None:
    """Believe a camera no more that the home hub has turned out."""
    known = select(cameras.c.alias).where(cameras.c.kid == kid, ~cameras.c.expelled)
    alias = connection.execute(known).scalar()
    if alias is not None:
        expulsion.expel(connection, alias)
        recovery.end(connection, alias)
        audit.append(connection, home.keys, home.clock.wall_ns(), Action.EXPELLED, audit.OWNER, f"camera {alias}", kid)


def _take(connection: Connection, home: Home, said: dict[str, Any]) -> None:
    kid = bytes.fromhex(said["kid"])
    if connection.execute(select(cameras.c.id).where(cameras.c.kid == kid)).first() is not None:
        return
    newest = said["epochs"][-1]
    values = {name: said[name] for name in ("alias", "name", "enrolled_ns", "head_seq")}
    values |= {"kid": kid, "head_hash": bytes.fromhex(said["head_hash"]), "epoch": newest["epoch"]}
    values |= {"public": bytes.fromhex(newest["public"]), "command": bytes.fromhex(newest["command"])}
    key = connection.execute(insert(cameras).values(**values)).inserted_primary_key
    identity = int(key[0]) if key is not None else 0
    for one in said["epochs"]:
        row = {"epoch": one["epoch"], "after_seq": one["after_seq"], "since_ns": home.clock.wall_ns()}
        row |= {"public": bytes.fromhex(one["public"]), "command": bytes.fromhex(one["command"])}
        connection.execute(insert(epochs).values(camera=identity, **row))
    prekeys.issue(connection, home.keys, identity, 1, home.clock.wall_ns())
    recovery.begin(connection, said["alias"])  # what isn't sealed to this hub yet never comes: bridged once it is
