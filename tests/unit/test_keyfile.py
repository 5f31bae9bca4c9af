"""The key file: locked, taken over from the first format, and never overwritten by someone who can't open it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from sealcam.keystore import Keystore
from sealcam.outbox import Outbox
from sealcam.sealing import Sealing
from sealcam.wire import cbor, statement
from sealcam.wire.bodies import ClockQuality, EventType, Stamp
from sealcam.wire.envelope import open_envelope
from sealcam.wire.errors import SealcamError
from sealcam.wire.keys import BoxKey, SigningKey
from sealcam.wire.statement_kinds import Prekey
from sealcam.wrapping import Wrapping
from tests.chains import queued
from tests.claimed import household

NONE: Mapping[str, str] = {}


def credential(folder: Path, key: bytes = b"k" * 32) -> dict[str, str]:
    """An environment in which systemd has given this unit its credential."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sealcam-wrap").write_bytes(key)
    return {"CREDENTIALS_DIRECTORY": str(folder)}


def state(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_with_a_credential_nothing_beside_the_key_file_opens_it(tmp_path: Path) -> None:
    given = credential(tmp_path / "credentials")
    made = Keystore.open_or_create(tmp_path / "eye", given)
    assert [path.name for path in (tmp_path / "eye").iterdir()] == ["keys"]
    data = (tmp_path / "eye" / "keys").read_bytes()
    assert data[:4] == b"SCK1"
    assert made.signer.seed not in data
    assert Keystore.open(tmp_path / "eye", given).signer.public == made.signer.public


def test_without_a_credential_a_key_beside_it_is_made_once_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        Keystore.open_or_create(tmp_path, NONE)
        wrap = (tmp_path / "wrap").read_bytes()
        Keystore.open(tmp_path, NONE)
    assert (tmp_path / "wrap").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "wrap").read_bytes() == wrap
    assert [record.message for record in caplog.records] == [
        "no credential sealcam-wrap here: the camera's keys are locked with a key that lies beside them"
    ]


def test_a_missing_or_wrong_credential_is_one_clear_error_and_overwrites_nothing(tmp_path: Path) -> None:
    eye = tmp_path / "eye"
    Keystore.open_or_create(eye, credential(tmp_path / "right"))
    before = state(eye)
    for environment, words in (
        (NONE, "isn't here"),
        ({"CREDENTIALS_DIRECTORY": str(tmp_path / "empty")}, "isn't here"),
        (credential(tmp_path / "wrong", b"w" * 32), "another credential"),
        (credential(tmp_path / "short", b"short"), "32 bytes"),
    ):
        for opened in (Keystore.open, Keystore.open_or_create):
            with pytest.raises(SealcamError, match=words) as caught:
                opened(eye, environment)
            assert caught.value.hint
    assert state(eye) == before


def test_keys_made_before_there_was_a_credential_are_locked_under_it(tmp_path: Path) -> None:
    eye = tmp_path / "eye"
    made = Keystore.open_or_create(eye, NONE)
    wrap = Wrapping((eye / "wrap").read_bytes())
    given = credential(tmp_path / "credentials")
    assert Keystore.open(eye, given).signer.public == made.signer.public
    assert [path.name for path in eye.iterdir()] == ["keys"]
    assert wrap.unlock((eye / "keys").read_bytes()[4:]) is None
    assert Keystore.open(eye, given).signer.public == made.signer.public


def test_a_crash_between_locking_and_removing_the_old_key_is_made_good(tmp_path: Path) -> None:
    eye = tmp_path / "eye"
    Keystore.open_or_create(eye, NONE)
    wrap = (eye / "wrap").read_bytes()
    given = credential(tmp_path / "credentials")
    Keystore.open(eye, given)
    (eye / "wrap").write_bytes(wrap)
    Keystore.open(eye, given)
    assert not (eye / "wrap").exists()


def test_what_a_broken_off_write_left_is_removed_with_the_next(tmp_path: Path) -> None:
    store = Keystore.open_or_create(tmp_path, NONE)
    (tmp_path / ".keys.abc123").write_bytes(b"half")
    store.reserve(1)
    assert not (tmp_path / ".keys.abc123").exists()


@pytest.mark.parametrize("cut", [0, 3, 4, 20, 60, -1])
def test_a_cut_or_changed_key_file_is_one_clear_error(tmp_path: Path, cut: int) -> None:
    Keystore.open_or_create(tmp_path, NONE)
    whole = (tmp_path / "keys").read_bytes()
    for data in (whole[:cut], whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:]):
        (tmp_path / "keys").write_bytes(data)
        with pytest.raises(SealcamError, match="damaged") as caught:
            Keystore.open(tmp_path, NONE)
        assert caught.value.hint
        assert (tmp_path / "keys").read_bytes() == data


def plain(folder: Path, number: int) -> tuple[SigningKey, bytes]:
    """A key file of the first version, of a claimed camera that holds prekey `number`."""
    home = household(folder / "elsewhere")
    signer, claim = home.camera.signer, home.camera.claim
    prekey = statement.sign(home.hub, Prekey(camera=signer.kid, number=number, public=home.prekey.public))
    fields: dict[int, cbor.Value] = {1: claim.root, 2: claim.hub, 3: claim.recipient_set, 4: prekey, 5: claim.alias}
    (folder / "keys").write_bytes(cbor.encode({1: 1, 2: signer.seed, 3: home.camera.command.secret, 4: fields}))
    return signer, home.prekey.public


def test_a_key_file_of_the_first_version_is_taken_over_and_locked(tmp_path: Path) -> None:
    signer, prekey = plain(tmp_path, 5)
    for _ in range(2):
        store = Keystore.open(tmp_path, NONE)
        assert store.signer.public == signer.public
        assert (store.camera, store.epoch, store.taken, store.reserved) == (signer.kid, 1, 5, 0)
        assert store.recipients()[0] == prekey
        (home,) = store.standing(None)
        assert (home.prekey, home.oldest_prekey) == (5, 5)
        assert store.standing(3)[0].oldest_prekey == 1, "what was queued by prekey numbers is taken for older"
    assert (tmp_path / "keys").read_bytes()[:4] == b"SCK1"
    assert signer.seed not in (tmp_path / "keys").read_bytes()


def test_an_unclaimed_key_file_of_the_first_version_is_taken_over_too(tmp_path: Path) -> None:
    signer, command = SigningKey.generate(), BoxKey.generate()
    (tmp_path / "keys").write_bytes(cbor.encode({1: 1, 2: signer.seed, 3: command.secret}))
    store = Keystore.open(tmp_path, NONE)
    assert store.signer.public == signer.public
    with pytest.raises(SealcamError, match="not claimed"):
        _ = store.claim


def test_a_copied_disk_opens_nothing(tmp_path: Path) -> None:
    """Whatever 32 bytes of the state, locked or unlocked, are tried as a key: no queued event opens."""
    home = household(tmp_path)
    outbox = Outbox(tmp_path / "outbox.db", max_bytes=1 << 20)
    sealing = Sealing(home.camera, outbox, lambda: Stamp(boot=bytes(16), boot_ns=0, wall_ns=0, quality=ClockQuality(0)))
    old = home.camera.signer.public
    sealing.event(EventType.HEALTH, b"\xa0", 1)
    sealing.take_rotation(home.rotation(2))
    sealing.event(EventType.HEALTH, b"\xa0", 1)
    (first, _, last), new = queued(outbox), home.camera.signer.public
    outbox.close()
    unlocked = Wrapping((tmp_path / "wrap").read_bytes()).unlock((tmp_path / "keys").read_bytes()[4:])
    assert unlocked is not None
    assert home.camera.signer.seed in unlocked, "this is what a thief with the credential has"
    assert open_envelope(first, old, [home.prekey]).kind == EventType.HEALTH
    found = {part for data in (unlocked, *state(tmp_path).values()) for part in _strings(data)}
    for envelope, public in ((first, old), (last, new)):
        header = envelope[21:53]
        assert header in found
        for candidate in found:
            assert not _opens(envelope, public, candidate)


def _strings(data: bytes) -> set[bytes]:
    """Every 32 bytes in a row. An outbox's empty pages hold the same ones over and over."""
    return {data[at : at + 32] for at in range(len(data) - 31)}


def _opens(envelope: bytes, public: bytes, candidate: bytes) -> bool:
    from sealcam.wire import labels

    if labels.blake2b(labels.EVENT_COMMIT, candidate) == envelope[21:53]:
        return True
    key = BoxKey(candidate)
    return any(key.open(envelope[at : at + 80]) is not None for at in range(54, 54 + 4 * 80, 80))
