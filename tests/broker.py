"""A real private Mosquitto for tests: TLS 1.3, client certificates required, the access list of design/pipeline.md.

`with Broker(tmp_path) as broker:` makes a throw-away authority, starts the broker on a free port of the loopback
and ends it afterwards. It can be killed, started again on the same port, and frozen.
"""

from __future__ import annotations

import datetime as dt
import getpass
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "localhost"
START_S = 20.0

_CONFIGURATION = """\
user {user}
listener {port} 127.0.0.1
cafile {folder}/ca.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.key
tls_version tlsv1.3
require_certificate true
use_identity_as_username true
acl_file {folder}/acl
persistence false
set_tcp_nodelay true
allow_anonymous false
max_packet_size 2097152
max_queued_messages 100000
max_inflight_messages 1000
log_dest file {folder}/broker.log
log_type all
"""
_ACCESS = """\
pattern write sealcam/%u/ev
pattern write sealcam/%u/clip/+
pattern write sealcam/%u/live/+
pattern read sealcam/%u/cmd
user {hub}
topic read sealcam/+/ev
topic read sealcam/+/clip/+
topic read sealcam/+/live/+
topic write sealcam/+/cmd
"""


class Authority:
    """A throw-away certificate authority with P-256 keys."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = folder / "ca.pem"
        self.pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def certificate(self, cn: str, names: tuple[str, ...] = ()) -> tuple[Path, Path]:
        """The certificate and key files of `cn`; a server's when it has DNS `names`, else a client's."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
        usage = ExtendedKeyUsageOID.SERVER_AUTH if names else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = _builder(subject, self._name, key.public_key()).add_extension(
            x509.ExtendedKeyUsage([usage]), critical=False
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        pem, key_pem = self._folder / f"{cn}.pem", self._folder / f"{cn}.key"
        pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return pem, key_pem


def _builder(subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2060, 1, 1, tzinfo=dt.UTC))
    )


class Broker:
    """The broker and its authority; skips the test, saying so, where Mosquitto is not installed."""

    def __init__(
        self,
        folder: Path,
        *,
        hub: str = "hub-test",
        names: tuple[str, ...] = (HOST,),
        extra: str = "",
        access: str = _ACCESS,
    ) -> None:
        """`extra` are further lines of its configuration, over those of its own, `access` is its access list."""
        self._mosquitto = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if self._mosquitto is None:
            pytest.skip("Mosquitto is not installed")
        self.host = HOST
        self.port = free_port()
        self._folder = folder / "broker"
        self.authority = Authority(self._folder)
        self.ca_pem = self.authority.pem
        self.authority.certificate("broker", names)
        self.hub_certificate = self.authority.certificate(hub)
        (self._folder / "acl").write_text(access.format(hub=hub))
        # Started as root it would become another user, who can't read these files.
        values = {"user": getpass.getuser(), "port": self.port, "folder": self._folder}
        self._configuration = self._folder / "mosquitto.conf"
        self._configuration.write_text(_CONFIGURATION.format(**values) + extra)
        self._process: subprocess.Popen[bytes] | None = None

    def certificate(self, cn: str) -> tuple[Path, Path]:
        """The files of a client's certificate and key; the CN is the user name that the access list sees."""
        return self.authority.certificate(cn)

    def context(self, certificate: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """A client's TLS context: TLS 1.3, this authority, host name checked."""
        context = ssl.create_default_context(cafile=self.ca_pem)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if certificate is not None:
            context.load_cert_chain(*certificate)
        return context

    @property
    def log(self) -> str:
        """What the broker has logged so far."""
        file = self._folder / "broker.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def start(self) -> None:
        """Start it on its port, and return once it answers a TLS handshake."""
        command = [str(self._mosquitto), "-c", str(self._configuration)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until, never = time.monotonic() + START_S, threading.Event()
        while not self._answers():
            assert self._process.poll() is None, f"the broker ended:\n{self.log}"
            assert time.monotonic() < until, f"the broker does not answer:\n{self.log}"
            never.wait(0.02)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order; nothing when it doesn't run."""
        self._signal(signal.SIGTERM)

    def freeze(self) -> None:
        """It stops doing anything, but keeps its sockets."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_S)
            self._process = None

    def _answers(self) -> bool:
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), timeout=2) as plain,
                self.context().wrap_socket(plain, server_hostname=HOST),
            ):
                return True
        except ssl.SSLCertVerificationError:
            return True  # a test gave it another name on purpose
        except OSError:
            return False


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
