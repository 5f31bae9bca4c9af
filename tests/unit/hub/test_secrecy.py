"""What a thief makes of the hub's whole folder and a recording of all that the broker ever carried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import nacl.exceptions
import nacl.secret
import pytest

from sealcam.wire.bodies import Stage
from sealcam.wire.envelope import SEV1, open_envelope, open_with_content_key
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey
from sealcam.wire.labels import blake2b
from sealcam_hub import deletion, setup
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.deletion import Deleter
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.receive import Receiver
from tests.hubs import BROKER, JPEG, WALL_NS, Camera

COMMIT = slice(21, 53)


def stolen(folder: Folder) -> tuple[set[bytes], set[bytes]]:
    """Everything in the folder that may be a secret of 32 bytes: what is in its files, and what that unwraps.

    Every string of 32 bytes in a small file counts, and so does whatever one of the small files, taken as a table
    key, opens anywhere in the database or its log.
    """
    files = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    small = {path: data for path, data in files.items() if not path.name.startswith("ledger.db")}
    raw = {data[at : at + 32] for data in small.values() for at in range(len(data) - 31)}
    boxes = [nacl.secret.SecretBox(data) for data in small.values() if len(data) == 32]
    unwrapped = set()
    for path, data in files.items():
        if path not in small:
            for at in range(len(data) - 71):
                if data[at : at + 24].count(0) > 20:
                    continue  # an empty page
                for box in boxes:
                    with suppress(nacl.exceptions.CryptoError):
                        unwrapped.add(box.decrypt(data[at : at + 72]))
    return raw, {one for one in unwrapped if len(one) == 32}


def opened(recording: list[bytes], camera: Camera, folder: Folder) -> list[int]:
    """Which messages of the recording the thief opens, by their place in it."""
    raw, unwrapped = stolen(folder)
    commits = {blake2b(SEV1.commit, one): one for one in raw | unwrapped}
    boxes = [BoxKey(one) for one in unwrapped] + [BoxKey(one) for one in _key_files(folder)]
    found = []
    for place, message in enumerate(recording):
        try:
            key = commits.get(message[COMMIT])
            if key is not None:
                open_with_content_key(message, camera.signer.public, key)
            else:
                open_envelope(message, camera.signer.public, boxes)
            found.append(place)
        except EnvelopeError:
            pass
    return found


def _key_files(folder: Folder) -> list[bytes]:
    return [path.read_bytes() for path in (folder.path / "keys").iterdir() if path.stat().st_size == 32]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Home, str]]:
    words: list[str] = []
    setup.make_hub(Folder(tmp_path / "hub"), BROKER, words.append)
    with open_home(Folder(tmp_path / "hub"), SimulatedClock(wall_ns=WALL_NS)) as home:
        yield home, words[0]


def test_what_was_deleted_opens_with_the_words_and_with_nothing_else(place: tuple[Home, str]) -> None:
    home, words = place
    camera = Camera()
    camera.claim(home)
    receiver = Receiver(home.store, home.keys, home.clock)
    recording = [camera.incident(1, picture=JPEG), camera.incident(1, Stage.END), camera.incident(2)]
    for number, message in enumerate(recording):
        receiver.take(camera.alias, message, WALL_NS + number)
    assert opened(recording, camera, home.folder) == [0, 1, 2]

    with home.store.reading() as connection:
        doomed = deletion.named(connection, ["00" * 7 + "01"])
    assert Deleter(home.folder, home.store, home.keys, home.clock).delete(doomed)
    # Its prekey still lives, for the camera may have sealed more to it: not complete, and said so.
    assert opened(recording, camera, home.folder) == [0, 1, 2]
    with home.store.reading() as connection:
        assert deletion.count(connection).pending == 1

    (fresh,) = receiver.take(camera.alias, camera.beat(), WALL_NS + 10).also
    camera.take_prekey(fresh)
    receiver.take(camera.alias, camera.beat(), WALL_NS + 11)
    with home.store.reading() as connection:
        assert deletion.count(connection) == deletion.Count(pending=0, complete=1)
    assert opened(recording, camera, home.folder) == [2]  # what was kept

    owner = setup.owner_keys(words)
    for message in recording:
        assert open_envelope(message, camera.signer.public, [owner.recovery]).content_key
