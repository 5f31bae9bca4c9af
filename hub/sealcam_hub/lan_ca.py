"""The console's own authority, which phones are asked to trust, and the certificate of the console on the LAN.

It vouches for one name and for private IP addresses and for nothing else (RFC 5280, 4.2.1.10, critical): whoever steals
its key can't pass for another site before those phones. So it isn't the broker's authority (`ca`). The certificate is
short-lived, since phones refuse one of more than 825 days. Pure: the time is handed in. design/hub.md, "Login".
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealcam_hub.ca import BEGIN, END, Authority, private_pem, public_pem

LIFE = dt.timedelta(days=397)
EARLY = dt.timedelta(days=60)
_EARLIER = dt.timedelta(days=1)  # a phone's clock may be behind
_NETS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
NETS = tuple(ipaddress.ip_network(one) for one in _NETS)


def private(address: str) -> bool:
    """Whether this is an address that the authority may vouch for."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in net for net in NETS)


def new_authority(name: str) -> Authority:
    """A new authority for the console at `name`."""
    key = ec.generate_private_key(ec.SECP256R1())
    permitted: list[x509.GeneralName] = [x509.DNSName(name), *map(x509.IPAddress, NETS)]
    title = _title(f"Sealcam console at {name}"[:64])
    builder = _builder(title, title, key.public_key(), BEGIN, END)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(x509.NameConstraints(permitted, None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return Authority(key, builder.sign(key, hashes.SHA256()))


def name_of(authority: Authority) -> str:
    """The name that an authority vouches for."""
    found = authority.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    return next(one.value for one in found.permitted_subtrees or () if isinstance(one, x509.DNSName))


def fingerprint(authority: Authority) -> str:
    """What a person compares: SHA-256 of the certificate as phones show it, pairs of hex digits."""
    return authority.certificate.fingerprint(hashes.SHA256()).hex(" ").upper()


def der(authority: Authority) -> bytes:
    """Its certificate as a phone takes it."""
    return authority.certificate.public_bytes(serialization.Encoding.DER)


def server_certificate(
    authority: Authority, name: str, addresses: Sequence[str], now: dt.datetime
) -> tuple[bytes, bytes]:
    """Key and certificate (PEM) of the console at `name` and those private addresses, from now on."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(name), *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses)]
    builder = _builder(_title(name[:64]), authority.certificate.subject, key.public_key(), now - _EARLIER, now + LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = builder.add_extension(issuer, critical=False)
    return private_pem(key), public_pem(builder.sign(authority.key, hashes.SHA256()))


def serves(certificate: bytes, authority: Authority, name: str, addresses: Sequence[str], now: dt.datetime) -> bool:
    """Whether a certificate (PEM) is this authority's, for that name and those addresses, and good for a while yet."""
    try:
        read = x509.load_pem_x509_certificate(certificate)
        read.verify_directly_issued_by(authority.certificate)
        names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    there = {str(one) for one in names.get_values_for_type(x509.IPAddress)}
    lasts = read.not_valid_before_utc <= now < read.not_valid_after_utc - EARLY
    return lasts and name in names.get_values_for_type(x509.DNSName) and set(addresses) <= there


def _title(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, begin: dt.datetime, end: dt.datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
