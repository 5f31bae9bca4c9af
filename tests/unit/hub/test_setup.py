"""Making a hub, and taking cameras in."""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from sealcam.wire import statement
from sealcam.wire.errors import ConfigError, EnvelopeError, StorageError
from sealcam.wire.keys import BoxKey, fingerprint
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import ClaimAnswer, ClaimRequest, HubCertificate, RecipientKind, RecipientSet
from sealcam_hub import setup
from sealcam_hub.folder import Address, Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.keys import load_keys
from tests.hubs import BROKER, Camera, csr, make, opened


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with opened(tmp_path / "hub") as made:
        yield made


def test_the_words_alone_give_the_owner_back_and_are_kept_nowhere(tmp_path: Path) -> None:
    shown: list[str] = []
    folder = Folder(tmp_path / "hub")
    keys = setup.make_hub(folder, BROKER, shown.append)
    (words,) = shown
    owner = setup.owner_keys(words)
    assert len(words.split()) == 24
    assert owner.root.public == keys.root_public
    stored = b"".join(path.read_bytes() for path in folder.path.rglob("*") if path.is_file())
    for secret in (words.encode(), owner.root.seed, owner.recovery.secret):
        assert secret not in stored
    chosen = statement.read(keys.recipient_set, owner.root.public, RecipientSet)
    assert [one.kind for one in chosen.recipients] == [RecipientKind.HUB, RecipientKind.RECOVERY]
    assert chosen.recipients[1].public == owner.recovery.public
    assert (chosen.number, chosen.home_hub, keys.slot) == (1, keys.operating.public, 0)
    assert statement.read(keys.certificate, owner.root.public, HubCertificate).hub == keys.operating.public
    assert keys.root_fingerprint == fingerprint(keys.root_public).hex()


def test_everything_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = make(tmp_path / "hub")
    for path in [folder.path, *folder.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_second_hub_in_the_same_folder_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    folder = make(tmp_path / "hub")
    before = load_keys(folder).operating
    with pytest.raises(StorageError, match="already") as refused:
        make(tmp_path / "hub")
    assert refused.value.hint
    assert load_keys(folder).operating == before


def test_a_hub_that_was_only_half_made_can_be_made_again(tmp_path: Path) -> None:
    folder = make(tmp_path / "hub")
    (folder.path / "hub.toml").unlink()
    with pytest.raises(StorageError, match="no hub"), open_home(folder):
        pass
    make(tmp_path / "hub")
    with open_home(folder) as home:
        assert home.settings.broker == BROKER


@pytest.mark.parametrize("name", ["keys/operating", "keys/root.pub", "keys/recipient-set"])
def test_keys_that_do_not_belong_together_are_one_clear_error(tmp_path: Path, name: str) -> None:
    folder, other = make(tmp_path / "one"), make(tmp_path / "two")
    folder.write(name, other.read(name))
    with pytest.raises(StorageError, match="belong together"):
        load_keys(folder)


def test_the_broker_asks_for_tls_13_and_a_certificate_and_runs_as_the_owner_of_its_files(tmp_path: Path) -> None:
    folder = make(tmp_path / "hub", Address("hub.home", 8884))
    lines = (folder.path / "broker" / "mosquitto.conf").read_text().splitlines()
    owner = folder.path.owner()
    for line in ("tls_version tlsv1.3", "require_certificate true", "use_identity_as_username true"):
        assert line in lines
    assert {"allow_anonymous false", "persistence false", "listener 8884", f"user {owner}"} <= set(lines)
    with open_home(folder) as home:
        name = home.settings.link_name
    assert name.startswith("hub-")
    acl = (folder.path / "broker" / "acl").read_text()
    assert f"user {name}\ntopic read sealcam/+/ev\ntopic write sealcam/+/cmd\n" in acl
    server = x509.load_pem_x509_certificate((folder.path / "broker" / "server.pem").read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", "hub.home"} <= set(names.get_values_for_type(x509.DNSName))
    assert "127.0.0.1" in {str(one) for one in names.get_values_for_type(x509.IPAddress)}
    assert server.not_valid_before_utc == dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def test_a_claim_gives_the_camera_all_it_needs(home: Home) -> None:
    camera = Camera()
    camera.claim(home)
    answer = camera.answer
    assert (answer.camera, answer.host, answer.port) == (camera.signer.kid, "localhost", 8883)
    assert len(bytes.fromhex(answer.alias)) == 8
    assert camera.prekey.number == 1
    certificate = x509.load_pem_x509_certificate(answer.certificate)
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == answer.alias
    now = dt.datetime.fromtimestamp(home.clock.wall_ns() / 1e9, dt.UTC)
    assert certificate.not_valid_after_utc - now == dt.timedelta(days=30)
    trusted = Store([x509.load_pem_x509_certificate(answer.authority)])
    server = x509.load_pem_x509_certificate(home.folder.read("broker/server.pem"))
    verifier = PolicyBuilder().store(trusted).time(now).build_server_verifier(x509.DNSName("localhost"))
    assert verifier.verify(server, [])[0] == server


def test_the_same_camera_may_ask_again(home: Home) -> None:
    camera = Camera()
    camera.claim(home, "Door")
    alias, certificate = camera.alias, camera.answer.certificate
    camera.claim(home, "Front door")
    assert camera.alias == alias
    assert camera.answer.certificate != certificate
    assert camera.prekey.number == 1
    assert [(one.name, one.alias, one.state) for one in home.ledger().cameras()] == [("Front door", alias, "new")]


def test_two_cameras_share_no_name(home: Home) -> None:
    Camera().claim(home, "Door")
    with pytest.raises(ConfigError, match="another camera"):
        Camera().claim(home, "Door")
    assert len(home.ledger().cameras()) == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "red\x1b[31m"])
def test_a_name_that_cannot_be_shown_is_misuse(home: Home, name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        Camera().claim(home, name)


def test_a_request_by_anybody_else_is_refused_and_enrols_nobody(home: Home) -> None:
    camera = Camera()
    good = camera.request()
    stolen = ClaimRequest(epoch=1, public=camera.signer.public, command=BoxKey.generate().public, csr=csr())
    signed_by_another = statement.claim_request(Camera().signer, stolen)
    torn = bytearray(csr())
    torn[-1] ^= 1  # the proof that the sender holds the TLS key
    unproven = ClaimRequest(epoch=1, public=camera.signer.public, command=camera.command.public, csr=bytes(torn))
    for request in (b"", good[:-1], good[1:], signed_by_another, statement.claim_request(camera.signer, unproven)):
        with pytest.raises(EnvelopeError):
            home.enroller().answer(request, "Door")
    assert home.ledger().cameras() == ()


def test_a_tls_key_of_another_kind_is_refused(home: Home) -> None:
    camera = Camera()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sealcam")])
    from cryptography.hazmat.primitives import hashes

    key = rsa.generate_private_key(65537, 2048)
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    der = request.public_bytes(serialization.Encoding.DER)
    item = ClaimRequest(epoch=1, public=camera.signer.public, command=camera.command.public, csr=der)
    with pytest.raises(EnvelopeError):
        home.enroller().answer(statement.claim_request(camera.signer, item), "Door")


def test_the_answer_is_signed_by_the_hub_that_the_root_certified(home: Home) -> None:
    bundle = Bundle.unpack(home.enroller().answer(Camera().request(), "Door"))
    hub = statement.read(bundle.hub_certificate, home.keys.root_public, HubCertificate).hub
    assert statement.read(bundle.answer, hub, ClaimAnswer).port == 8883
