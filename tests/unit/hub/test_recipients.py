"""Who may open: changes that the owner signs, and a second hub from its first word to its first event."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from sealcam.wire import statement
from sealcam.wire.bodies import HubPrekey
from sealcam.wire.errors import ConfigError, StorageError
from sealcam.wire.keys import SigningKey, key_id
from sealcam.wire.statement_kinds import Prekey, RecipientKind, RecipientSet
from sealcam_hub import certified, expulsion, joining, recipients, setup, signing
from sealcam_hub.cli import main
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.outcome import What
from sealcam_hub.receive import Receiver
from sealcam_hub.signing import Request, Signed
from tests.hubs import BROKER, WALL_NS, Camera


class Family:
    """A home hub whose owner can sign, one camera, and a folder for a second hub."""

    def __init__(self, path: Path) -> None:
        words: list[str] = []
        self.path = path
        self.folder, self.second = Folder(path / "home"), Folder(path / "second")
        setup.make_hub(self.folder, BROKER, words.append)
        self.owner = setup.owner_keys(words[0])
        self.camera = Camera()
        with self.home() as home:
            self.camera.claim(home)

    def home(self, folder: Folder | None = None) -> AbstractContextManager[Home]:
        return open_home(folder or self.folder, SimulatedClock(wall_ns=WALL_NS))

    def accept(self, home: Home, request: Request) -> int:
        return recipients.accept(home.folder, home.store, home.keys, home.clock, signing.sign(request, self.owner))

    def join(self) -> joining.Join:
        path = self.path / "join"
        path.write_text(joining.request(self.second)[0])
        return joining.read_join(path)

    def admit(self, home: Home, join: joining.Join) -> joining.Admission:
        path = self.path / "admission"
        path.write_text(joining.admit(home, join)[0])
        return joining.read_admission(path, SigningKey(self.second.read("keys/operating")))


@pytest.fixture
def family(tmp_path: Path) -> Family:
    return Family(tmp_path)


def test_what_the_owner_signed_is_in_force_for_a_hub_that_runs_and_goes_to_the_camera_with_its_beat(
    family: Family,
) -> None:
    camera = family.camera
    with family.home() as running, family.home() as other:
        receiver = Receiver(running.store, running.keys, running.clock)
        assert receiver.take(camera.alias, camera.beat(recipient_set=1), WALL_NS).also == ()
        join = family.join()
        assert family.accept(other, recipients.add(other.keys, join.operating, join.name)) == 2
        *_, sent = receiver.take(camera.alias, camera.beat(recipient_set=1), WALL_NS + 1).also
        chosen = statement.read(sent, running.keys.root_public, RecipientSet)
        assert (chosen.number, running.keys.set_number) == (2, 2)
        assert [one.public for one in chosen.recipients][-1] == join.operating
        assert receiver.take(camera.alias, camera.beat(recipient_set=2), WALL_NS + 2).also == ()
    with family.home() as again:
        assert again.keys.set_number == 2


def test_a_set_that_is_not_newer_not_the_owners_or_without_this_hub_changes_nothing(family: Family) -> None:
    stranger = setup.owner_keys(setup.new_words())
    with family.home() as home:
        join = family.join()
        request = recipients.add(home.keys, join.operating, "cellar")
        good = signing.sign(request, family.owner)
        forged = Signed(statement.sign(stranger.root, request.after), good.certificates)
        alone = tuple(one for one in request.after.recipients if one.public != home.keys.operating.public)
        without = RecipientSet(number=2, suite=1, home_hub=join.operating, recipients=alone)
        gone = Signed(statement.sign(family.owner.root, without), good.certificates)
        for bad in (forged, gone, Signed(b"", ()), Signed(good.recipient_set, (b"x",))):
            with pytest.raises(ConfigError, match="refused"):
                recipients.accept(home.folder, home.store, home.keys, home.clock, bad)
        old = Signed(home.keys.recipient_set, ())
        assert home.keys.set_number == 1
        recipients.accept(home.folder, home.store, home.keys, home.clock, good)
        with pytest.raises(ConfigError, match="isn't newer"):
            recipients.accept(home.folder, home.store, home.keys, home.clock, old)
        assert recipients.accept(home.folder, home.store, home.keys, home.clock, good) == 2  # a repeat


def test_a_crash_between_the_file_and_the_ledger_is_mended_by_doing_it_again(family: Family) -> None:
    with family.home() as running:
        join = family.join()
        signed = signing.sign(recipients.add(running.keys, join.operating, "cellar"), family.owner)
        running.folder.write("keys/recipient-set", signed.recipient_set)  # and then the power went
        with family.home() as again:
            assert again.keys.set_number == 2
            recipients.accept(again.folder, again.store, again.keys, again.clock, signed)
        running.ledger().lines()
        assert running.keys.set_number == 2


def test_a_hub_is_taken_out_by_its_key_id_and_the_home_hub_stays(family: Family) -> None:
    with family.home() as home:
        join = family.join()
        family.accept(home, recipients.add(home.keys, join.operating, "cellar"))
        home.ledger().lines()
        kid = SigningKey(family.second.read("keys/operating")).kid.hex()
        with pytest.raises(ConfigError, match="in the recipient set already"):
            recipients.add(home.keys, join.operating, "cellar")
        with pytest.raises(ConfigError, match="home hub can't be taken out"):
            recipients.remove(home.keys, home.keys.kid.hex())
        with pytest.raises(ConfigError, match="no hub"):
            recipients.remove(home.keys, "00" * 8)
        moved = replace(recipients.remove(home.keys, kid), after=replace(home.keys.chosen, home_hub=join.operating))
        moved = replace(moved, after=replace(moved.after, number=3))
        assert "CHANGES" in signing.describe(moved)
        with pytest.raises(ConfigError, match="another hub the home hub"):
            family.accept(home, moved)
        gone = recipients.remove(home.keys, kid)
        assert "REMOVES hub " + kid in signing.describe(gone)
        assert family.accept(home, gone) == 3
        home.ledger().lines()
        assert home.keys.is_home
        kinds = [one.kind for one in home.keys.chosen.recipients]
        assert kinds == [RecipientKind.HUB, RecipientKind.RECOVERY]


def test_a_second_hub_opens_what_is_sealed_once_the_camera_knows_it(family: Family) -> None:
    camera, join = family.camera, family.join()
    with family.home() as home:
        at_home = Receiver(home.store, home.keys, home.clock)
        before = camera.incident(1)
        at_home.take(camera.alias, before, WALL_NS)
        with pytest.raises(ConfigError, match="isn't in the recipient set"):
            joining.admit(home, join)
        family.accept(home, recipients.add(home.keys, join.operating, join.name))
        admission = family.admit(home, join)
        assert admission.fingerprint == home.keys.root_fingerprint
        assert joining.begin(family.second, admission) == 1
        meanwhile = camera.incident(2)  # before the camera has the second hub's prekey
        at_home.take(camera.alias, meanwhile, WALL_NS + 1)
        with family.home(family.second) as second:
            assert not second.keys.is_home
            assert second.settings.broker == home.settings.broker
            reader = Receiver(second.store, second.keys, second.clock)
            assert reader.take(camera.alias, meanwhile, WALL_NS + 1).what is What.REFUSED
            message = reader._prekey(reader.standings()[0].camera)
            prekey = statement.read(message, second.keys.operating.public, Prekey)
            camera.others.append(prekey.public)
            camera.set_number = 2
            after = [
                camera.incident(3),
                camera.beat(recipient_set=2, others=(HubPrekey(hub=second.keys.kid, prekey=1, oldest_prekey=1),)),
            ]
            taken = reader.take_all([Message(camera.alias, one, WALL_NS + n) for n, one in enumerate(after)])
            assert [one.what for one in taken] == [What.PARKED, What.BEAT]
            assert [one.answer for one in taken] == [None, None]  # only the home hub receipts
            late = camera.incident(4)
            assert reader.take(camera.alias, late, WALL_NS + 9).what is What.APPENDED
            shown = [(one.seq, one.type) for one in second.ledger().lines() if one.type == "incident"]
            assert shown == [(3, "incident"), (4, "incident")]
        assert at_home.take(camera.alias, after[0], WALL_NS + 3).what is What.APPENDED


def test_a_second_hub_learns_of_cameras_that_came_later_by_doing_the_same_again(family: Family) -> None:
    join = family.join()
    with family.home() as home:
        family.accept(home, recipients.add(home.keys, join.operating, join.name))
        joining.begin(family.second, family.admit(home, join))
        Camera().claim(home, "Yard")
        assert joining.begin(family.second, family.admit(home, join)) == 2
        acl = home.folder.read("broker/acl").decode()
        with family.home(family.second) as second:
            assert [one.name for one in second.ledger().cameras()] == ["Door", "Yard"]
            assert acl.count(f"user {second.settings.link_name}\n") == 1
            with pytest.raises(ConfigError, match="isn't the home hub"):
                second.enroller()


def test_a_hub_that_was_taken_out_loses_its_rights_at_the_broker_and_its_certificate(family: Family) -> None:
    join = family.join()
    with family.home() as home:
        family.accept(home, recipients.add(home.keys, join.operating, join.name))
        family.admit(home, join)
        with home.store.reading() as connection:
            link = certified.link(connection, join.operating)
            (serial,) = certified.serials(connection, link or "")
        assert f"user {link}\ntopic" in home.folder.read("broker/acl").decode()
        request = recipients.remove(home.keys, key_id(join.operating).hex())
        signed = family.path / "signed"
        signed.write_text(signing.sign(request, family.owner).text())
    assert main(["--state", str(family.folder.path), "recipients", "accept", str(signed)]) == 0
    acl = family.folder.read("broker/acl").decode()
    assert acl.count(f"user {link}\n") == 1
    assert f"user {link}\ntopic deny sealcam/#\n" in acl
    revoked = x509.load_pem_x509_crl(family.folder.read("broker/revoked.pem"))
    assert revoked.get_revoked_certificate_by_serial_number(serial) is not None


def test_a_second_hub_learns_which_cameras_were_expelled_and_can_expel_by_itself(family: Family) -> None:
    join = family.join()
    with family.home() as home:
        yard = Camera()
        yard.claim(home, "Yard")
        family.accept(home, recipients.add(home.keys, join.operating, join.name))
        joining.begin(family.second, family.admit(home, join))
        with home.store.writing() as connection:
            expulsion.expel(connection, family.camera.alias)
        assert joining.begin(family.second, family.admit(home, join)) == 1
    assert expelled(family) == [family.camera.alias]
    assert main(["--state", str(family.second.path), "expel", "Yard", "--yes"]) == 0
    assert expelled(family) == [family.camera.alias, yard.alias]


def expelled(family: Family) -> list[str]:
    """Whom the second hub believes no more."""
    with family.home(family.second) as second, second.store.reading() as connection:
        return expulsion.expelled(connection)


def test_an_admission_for_another_hub_or_changed_on_its_way_lets_nobody_in(family: Family) -> None:
    join = family.join()
    with family.home() as home:
        family.accept(home, recipients.add(home.keys, join.operating, join.name))
        family.admit(home, join)
    path = family.path / "admission"
    with pytest.raises(ConfigError, match="doesn't let this hub in"):
        joining.read_admission(path, SigningKey.generate())
    text = path.read_text()
    operating = SigningKey(family.second.read("keys/operating"))
    for old, new in (("Door", "Yard"), ("8883", "8884")):
        path.write_text(text.replace(old, new))
        with pytest.raises(ConfigError, match="doesn't let this hub in"):
            joining.read_admission(path, operating)


def test_a_hub_that_stands_already_does_not_ask_to_join_and_its_keys_stay_when_it_asks_again(family: Family) -> None:
    assert joining.request(family.second)[1] == joining.request(family.second)[1]
    with pytest.raises(StorageError, match="already"):
        joining.request(family.folder)
