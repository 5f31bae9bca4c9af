"""The hub's small certificate authority: one for the home, certificates for the broker, the hub and each camera.

P-256, and nothing but what TLS needs. A camera's certificate lasts 30 days and names only its alias; what it says and
who may open it rests on other keys. Authority and server certificate begin in 2020, so that a camera whose clock
has not been set yet can still connect.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealcam.wire.errors import EnvelopeError

CAMERA_DAYS = 30
BEGIN = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2069, 12, 31, tzinfo=dt.UTC)
Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority's key and certificate."""

    key: Key
    certificate: x509.Certificate

    def __repr__(self) -> str:
        return "Authority()"


def new_authority() -> Authority:
    """A new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sealcam hub")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = _builder(name, name, key.public_key(), BEGIN, END)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return Authority(key, builder.sign(key, hashes.SHA256()))


def load_authority(key: bytes, certificate: bytes) -> Authority:
    """The authority from its PEM files.

    Raises:
        ValueError: they aren't what `new_authority` made.
    """
    loaded = serialization.load_pem_private_key(key, None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise ValueError("not a P-256 key")
    return Authority(loaded, x509.load_pem_x509_certificate(certificate))


def server_certificate(authority: Authority, hosts: Sequence[str]) -> tuple[bytes, bytes]:
    """Key and certificate (PEM) of a broker that answers at `hosts`, names or addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    builder = _leaf(authority, hosts[0], key.public_key(), (BEGIN, END), ExtendedKeyUsageOID.SERVER_AUTH)
    certificate = builder.add_extension(names, critical=False).sign(authority.key, hashes.SHA256())
    return private_pem(key), public_pem(certificate)


def client_certificate(authority: Authority, name: str) -> tuple[bytes, bytes]:
    """Key and certificate (PEM) of the hub itself at its broker."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _leaf(authority, name, key.public_key(), (BEGIN, END), ExtendedKeyUsageOID.CLIENT_AUTH)
    return private_pem(key), public_pem(builder.sign(authority.key, hashes.SHA256()))


def camera_certificate(authority: Authority, alias: str, csr: bytes, now: dt.datetime) -> bytes:
    """The certificate (PEM) for a camera's certificate request (DER), named `alias` whatever the request says.

    Raises:
        EnvelopeError: it isn't a request, its key isn't P-256, or the sender doesn't hold that key.
    """
    life = (now - dt.timedelta(days=1), now + dt.timedelta(days=CAMERA_DAYS))
    return _requested(authority, alias, csr, life)


def hub_certificate(authority: Authority, name: str, csr: bytes) -> bytes:
    """The certificate (PEM) of another hub at this home's broker, for its certificate request (DER).

    Raises:
        EnvelopeError: as `camera_certificate`.
    """
    return _requested(authority, name, csr, (BEGIN, END))


def _requested(authority: Authority, name: str, csr: bytes, life: tuple[dt.datetime, dt.datetime]) -> bytes:
    try:
        request = x509.load_der_x509_csr(csr)
        public = request.public_key()
        held = request.is_signature_valid
    except (ValueError, TypeError) as error:
        raise EnvelopeError from error
    if not held or not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise EnvelopeError
    builder = _leaf(authority, name, public, life, ExtendedKeyUsageOID.CLIENT_AUTH)
    return public_pem(builder.sign(authority.key, hashes.SHA256()))


def serial(certificate: bytes) -> int:
    """The serial number of a certificate (PEM)."""
    return x509.load_pem_x509_certificate(certificate).serial_number


def revocation_list(authority: Authority, serials: Sequence[int]) -> bytes:
    """The list (PEM) of certificates that count no more; valid for as long as the authority, at any clock."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.certificate.subject)
    builder = builder.last_update(BEGIN).next_update(END)
    for number in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(BEGIN).build()
        builder = builder.add_revoked_certificate(revoked)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def private_pem(key: Key) -> bytes:
    """A private key as PEM, for a file that its owner alone may read."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _leaf(
    authority: Authority,
    name: str,
    public: ec.EllipticCurvePublicKey,
    life: tuple[dt.datetime, dt.datetime],
    usage: x509.ObjectIdentifier,
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = _builder(subject, authority.certificate.subject, public, *life)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.add_extension(issuer, critical=False)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, begin: dt.datetime, end: dt.datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
