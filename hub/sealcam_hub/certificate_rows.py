"""When certificates end: those that this home's authority gave to cameras, and those in the hub's own folder."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from sqlalchemy import Connection, delete, insert, select

from sealcam_hub.alarm_tables import certificate_ends
from sealcam_hub.ca import CAMERA_DAYS
from sealcam_hub.folder import Folder
from sealcam_hub.tables import cameras

_PLACES = ("ca", "link", "broker", "console")
_DAY_NS = 24 * 3600 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Life:
    """From when to when a certificate holds, wall time in ns; `of` is a camera's alias or a file in the folder."""

    of: str
    begin_ns: int
    end_ns: int
    camera: int = 0


def keep(connection: Connection, alias: str, certificate: bytes) -> None:
    """Note the newest certificate (PEM) of a camera."""
    life = _life(alias, x509.load_pem_x509_certificate(certificate))
    connection.execute(delete(certificate_ends).where(certificate_ends.c.alias == alias))
    row = insert(certificate_ends).values(alias=alias, begin_ns=life.begin_ns, end_ns=life.end_ns)
    connection.execute(row)


def of_cameras(connection: Connection) -> list[Life]:
    """The newest certificate of each camera that hasn't left; one from before they were noted, by its claim."""
    ends = certificate_ends
    query = select(cameras.c.id, cameras.c.alias, cameras.c.enrolled_ns, ends.c.begin_ns, ends.c.end_ns)
    query = query.outerjoin(ends, ends.c.alias == cameras.c.alias).where(~cameras.c.expelled, ~cameras.c.gone)
    return [
        Life(row.alias, row.begin_ns, row.end_ns, row.id)
        if row.end_ns is not None
        else Life(row.alias, row.enrolled_ns - _DAY_NS, row.enrolled_ns + CAMERA_DAYS * _DAY_NS, row.id)
        for row in connection.execute(query.order_by(cameras.c.id))
    ]


def of_files(folder: Folder) -> list[Life]:
    """Every certificate that the hub or its broker shows or trusts; of a file with several, the one that ends first."""
    found = []
    for place in _PLACES:
        for path in sorted((folder.path / place).glob("*")):
            if path.suffix in (".pem", ".crt"):
                name = f"{place}/{path.name}"
                found += sorted(_in(name, path.read_bytes()), key=lambda one: one.end_ns)[:1]
    return found


def _in(name: str, data: bytes) -> list[Life]:
    try:
        return [_life(name, one) for one in x509.load_pem_x509_certificates(data)]
    except ValueError:
        return []  # a key, or a list of what counts no more


def _life(of: str, certificate: x509.Certificate) -> Life:
    return Life(of, _ns(certificate.not_valid_before_utc), _ns(certificate.not_valid_after_utc))


def _ns(at: dt.datetime) -> int:
    return int(at.timestamp()) * 1_000_000_000
