"""The off-site copy: against a real S3 server, from a hub that is lost to an empty one that has the words alone."""

from __future__ import annotations

import dataclasses
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sealcam.wire.bodies import Stage
from sealcam.wire.clip import BytesSource
from sealcam.wire.errors import ConfigError, EnvelopeError, StorageError
from sealcam.wire.keys import BoxKey, OwnerKeys
from sealcam_hub import deletion, offsite, offsite_rows, offsite_settings, offsite_status, setup
from sealcam_hub.cli import main
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.feed import Feed
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.intake import Intake
from sealcam_hub.offsite import Kind, Names
from sealcam_hub.offsite_copier import Copier
from sealcam_hub.offsite_errors import Away, Missing
from sealcam_hub.offsite_fetch import Fetcher
from sealcam_hub.offsite_s3 import S3Store
from sealcam_hub.offsite_settings import DAY_NS, Settings
from sealcam_hub.offsite_tables import Stored, objects
from sealcam_hub.offsite_worker import OffsiteWorker
from sealcam_hub.receive import Receiver
from sealcam_hub.recovery_commands import next_number, other_hubs, recovered
from sealcam_hub.vault_settle import settle
from tests import typing_person
from tests.hubs import BROKER, JPEG, WALL_NS, Camera
from tests.s3 import KEYS, S3Server
from tests.scl1 import content
from tests.vault import clip_of, name_of, pieces

HUB = Path(sys.executable).with_name("sealcam-hub")
BIG = content(5 << 20)  # two parts


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3") / "log")
    yield server
    server.end()


class House:
    """A home with a camera and a store; its hub may be lost."""

    def __init__(self, path: Path, chosen: Settings) -> None:
        words: list[str] = []
        self.path, self.chosen = path, chosen
        self.folder = Folder(path / "old")
        self.clock = SimulatedClock(wall_ns=WALL_NS)
        setup.make_hub(self.folder, BROKER, words.append)
        self.words = words[0]
        self.owner: OwnerKeys = setup.owner_keys(self.words)
        self.camera = Camera()
        with self.home() as home:
            self.camera.claim(home)

    @contextmanager
    def home(self) -> Iterator[Home]:
        with open_home(self.folder, self.clock) as home:
            yield home

    def take(self, home: Home, *mail: bytes) -> None:
        now_ns = home.clock.wall_ns()
        receiver = Receiver(home.store, home.keys, home.clock)
        receiver.take_all([Message(self.camera.alias, one, now_ns + n) for n, one in enumerate(mail)])

    def clip(self, home: Home, number: int = 1, plain: bytes = BIG) -> bytes:
        """An incident and its whole clip."""
        self.take(home, self.camera.incident(number, picture=JPEG, clip=self.camera.clip_key(number)))
        data = clip_of(self.camera, number, plain)
        intake: Intake = home.intake(Feed())
        for one in pieces(data):
            intake.deliver(self.camera.alias, name_of(number), one)
            intake.run_once(lambda _alias, _message: True, 0)
        return data

    def copier(self, home: Home, remote: object | None = None) -> Copier:
        store = S3Store(self.chosen) if remote is None else remote
        return Copier(home.store, home.vault().files, home.keys, self.chosen, home.clock, store)  # type: ignore[arg-type]

    def lag(self, home: Home) -> offsite_rows.Lag:
        now_ns = home.clock.wall_ns()
        with home.store.reading() as connection:
            return offsite_rows.lag(connection, self.chosen.cutoff_ns(now_ns), now_ns)

    @contextmanager
    def anew(self, name: str = "new") -> Iterator[tuple[Home, Fetcher]]:
        """An empty hub that has the words and the store alone, everything but the clips brought back."""
        folder, clock = Folder(self.path / name), SimulatedClock(wall_ns=WALL_NS + 10**12)
        fetcher = Fetcher(S3Store(self.chosen), self.owner)
        with (self.path / f"{name}.spool").open("w+b") as spool:
            backup = fetcher.backup(spool)
            if not folder.exists:
                setup.found(folder, BROKER, self.owner, next_number(clock, backup), other_hubs(backup))
            with open_home(folder, clock) as home:
                recovered(home, self.owner, backup)
                fetcher.book(home, backup)
                yield home, fetcher


@pytest.fixture
def house(tmp_path: Path, s3: S3Server) -> House:
    return House(tmp_path, s3.bucket(prefix="a/b"))


def events(home: Home) -> list[tuple[int, bytes, int, object]]:
    return [(one.seq, one.hash, one.arrived_ns, one.report) for one in home.ledger().lines(limit=1000)]


def kinds(house: House, s3: S3Server) -> list[Kind | None]:
    names = Names(house.owner.recovery.public)
    return sorted(names.kind(one.removeprefix("a/b/")) for one in s3.objects(house.chosen))


def test_everything_comes_back_on_an_empty_hub_with_the_words_alone(house: House, s3: S3Server) -> None:
    camera = house.camera
    with house.home() as home:
        data = house.clip(home)
        house.take(home, camera.incident(1, Stage.END), camera.health())
        before = events(home)
        house.copier(home).run()
        assert house.lag(home) == offsite_rows.Lag(objects=5)
    assert kinds(house, s3) == [Kind.EVENTS, Kind.CLIP, Kind.CLIP, Kind.AUDIT, Kind.DIRECTORY]
    with house.anew() as (home, fetcher):
        assert events(home) == before
        assert fetcher.clips(home) == 1
        settle(home.vault(), home.clock)
        view = home.vault().clip(name_of(1).hex())
        assert view is not None
        assert (view.state, view.held) == ("here", len(data))
        with home.vault().open(view.id) as clip:
            assert clip.read(0, clip.size) == BIG
        assert (fetcher.refused, fetcher.clips(home)) == (0, 0)
        house.copier(home).run()  # the new hub goes on with the same copy: the new log and directory, and no clip anew
    assert kinds(house, s3) == [Kind.EVENTS, Kind.CLIP, Kind.CLIP, Kind.AUDIT, Kind.AUDIT, Kind.DIRECTORY]


def test_recover_asks_the_store_then_for_the_words_and_a_second_run_fetches_the_clips(
    house: House, s3: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with house.home() as home:
        house.clip(home)
        house.copier(home).run()
    file, state = house.path / "store.toml", house.path / "new"
    offsite_settings.save(Folder(house.path), house.chosen)
    (house.path / offsite_settings.FILE).rename(file)
    command = [HUB, "--state", state, "recover", "--offsite", file, "--no-wait"]
    done = typing_person.run([*command, "--no-clips"], [("word  1 of 24: ", house.words)])
    assert (done.code, done.error) == (0, "")
    assert "1 events from a backup, 0 places of deleted ones, 0 refused" in done.out
    done = typing_person.run(command, [("word  1 of 24: ", house.words)])
    assert (done.code, done.error) == (0, "")
    assert "1 clips from the off-site copy" in done.out
    assert (state / "clips" / f"{name_of(1).hex()}.scl1").stat().st_size > len(BIG)
    assert (state / offsite_settings.FILE).stat().st_mode & 0o777 == 0o600
    file.write_text(file.read_text().replace(house.chosen.bucket, "elsewhere"))
    assert main(["--state", str(house.path / "third"), "recover", "--offsite", str(file)]) == 1
    assert "no such bucket" in capsys.readouterr().err  # before any word is asked for


def test_the_store_learns_no_name_no_key_id_and_no_bytes_that_the_broker_saw(house: House, s3: S3Server) -> None:
    camera = house.camera
    with house.home() as home:
        data = house.clip(home)
        sent = camera.health()
        house.take(home, sent)
        house.copier(home).run()
        kid = home.keys.kid
    for name, stored in s3.objects(house.chosen).items():
        assert name.startswith("a/b/")
        assert len(name) == len("a/b/") + 48
        for secret in (b"Door", camera.alias.encode(), camera.kid, JPEG[:40], sent[:64], data[:64], data[4000:4064]):
            assert secret not in stored
            assert secret.hex() not in name
        assert kid in stored  # which hub wrote it
    assert len({len(one) for one in s3.objects(house.chosen).values() if len(one) < 100_000}) == 1


def test_another_owners_words_find_nothing_and_a_changed_object_is_refused(house: House, s3: S3Server) -> None:
    with house.home() as home:
        house.take(home, house.camera.incident(1))
        house.copier(home).run()
        data = offsite.make(home.keys, Kind.EVENTS, b"some")
        root = home.keys.root_public
    stranger = setup.owner_keys(setup.new_words())
    with (house.path / "spool").open("w+b") as spool, pytest.raises(StorageError, match="no copy of this owner's"):
        Fetcher(S3Store(house.chosen), stranger).backup(spool)
    assert offsite.read(data, root, house.owner.recovery) == (Kind.EVENTS, b"some")
    for at in range(0, len(data), 997):
        with pytest.raises(EnvelopeError):
            offsite.read(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], root, house.owner.recovery)
    for wrong in (data[:-1], data[:100], b"", b"\xff\xff"):
        with pytest.raises(EnvelopeError):
            offsite.opened(BytesSource(wrong), root, house.owner.recovery)
    with pytest.raises(EnvelopeError):
        offsite.read(data, root, BoxKey.generate())
    for name, stored in s3.objects(house.chosen).items():
        if Names(house.owner.recovery.public).kind(name.removeprefix("a/b/")) is Kind.EVENTS:
            s3.raw.put_object(Bucket=house.chosen.bucket, Key=name, Body=stored[:-1] + bytes([stored[-1] ^ 1]))
    s3.raw.put_object(Bucket=house.chosen.bucket, Key="a/b/readme.txt", Body=b"somebody else's")
    with house.anew() as (home, fetcher):
        assert (events(home), fetcher.refused) == ([], 1)


def test_what_is_deleted_here_is_deleted_there_in_every_version(tmp_path: Path, s3: S3Server) -> None:
    house = House(tmp_path, s3.bucket(versions=True, prefix="a/b"))
    camera = house.camera
    with house.home() as home:
        house.clip(home, 1)
        house.take(home, camera.incident(2))
        house.copier(home).run()
        first = s3.objects(house.chosen)
        with home.store.reading() as connection:
            doomed = deletion.named(connection, [one.id for one in home.ledger().incidents() if one.id.endswith("01")])
        assert len(doomed) == 1
        deletion.Deleter(home.folder, home.store, home.keys, home.clock).delete(doomed)
        assert house.lag(home).events == 0  # before the copier has looked
        house.copier(home).run()
        left = s3.objects(house.chosen)
        assert s3.versions(house.chosen) == len(left)
        assert house.lag(home) == offsite_rows.Lag(objects=len(left))
    old = {name for name in first if name in left}
    names = Names(house.owner.recovery.public)
    assert {names.kind(one.removeprefix("a/b/")) for one in old} <= {Kind.AUDIT}
    assert Kind.CLIP not in kinds(house, s3)
    with house.anew() as (home, fetcher):
        assert len(home.ledger().incidents()) == 1
        assert fetcher.clips(home) == 0


def test_a_lock_holds_what_was_deleted_and_it_goes_when_the_lock_ends(tmp_path: Path, s3: S3Server) -> None:
    house = House(tmp_path, s3.bucket(lock=True, lock_days=7))
    house.clock = SimulatedClock(wall_ns=time.time_ns())  # the server has its own
    with house.home() as home:
        house.clip(home, 1)
        house.copier(home).run()
        assert S3Store(house.chosen).lockable()
        with home.store.reading() as connection:
            doomed = deletion.named(connection, [one.id for one in home.ledger().incidents()])
        deletion.Deleter(home.folder, home.store, home.keys, home.clock).delete(doomed)
        house.copier(home).run()
        lag = house.lag(home)
        assert lag.locked == lag.doomed > 0
        (name,) = [one for one in s3.objects(house.chosen) if one][:1]
        with pytest.raises(Away, match="doesn't allow"):
            S3Store(house.chosen).delete(name)
        with house.anew() as (new, fetcher):  # it is there, and withdrawn
            assert fetcher.clips(new) == 0
            assert not new.ledger().incidents()
        house.clock.advance(8 * 86_400)
        assert house.lag(home).locked == 0


def test_it_goes_on_where_it_was_cut_and_leaves_nothing_behind(house: House, s3: S3Server) -> None:
    real = S3Store(house.chosen)

    class Breaking:
        """Fails at every second object: after it has come for one, before that for the next."""

        def __init__(self) -> None:
            self.tries = 0

        def put(self, name: str, data: bytes, locked_ns: int = 0) -> None:
            self.tries += 1
            if self.tries % 4 == 1:
                raise Away("broken before")
            real.put(name, data, locked_ns)
            if self.tries % 4 == 3:
                raise Away("broken after")

        def delete(self, name: str) -> None:
            real.delete(name)

    breaking = Breaking()
    with house.home() as home:
        house.clip(home, 1)
        house.take(home, *(house.camera.incident(n) for n in range(2, 9)))
        before = events(home)
        for _ in range(20):
            try:
                house.copier(home, breaking).run()
                break
            except Away:
                continue
        assert breaking.tries > 6
        assert not house.lag(home).waits
        assert house.lag(home).doomed == 0
    assert kinds(house, s3) == [Kind.EVENTS, Kind.CLIP, Kind.CLIP, Kind.AUDIT, Kind.DIRECTORY]
    with house.anew() as (home, fetcher):
        assert events(home) == before
        assert fetcher.clips(home) == 1


def test_a_store_that_does_not_answer_is_told_once_and_nothing_is_lost(
    house: House, s3: S3Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with house.home() as home:
        offsite_settings.save(home.folder, house.chosen)
        worker = OffsiteWorker(home, lambda chosen: S3Store(chosen, connect_s=1, read_s=0.3))
        worker.look()
        house.take(home, house.camera.incident(1))
        s3.freeze()
        try:
            for _ in range(3):
                worker.look()
                house.clock.advance(3600)
        finally:
            s3.thaw()
        told = offsite_status.as_json(home)
        assert (told["waiting_events"], told["why"], told["lags"]) == (1, "the store doesn't answer in time", True)
        assert "It waits since" in offsite_status.as_text(home)
        house.clock.advance(3600)
        worker.look()
        assert offsite_status.as_json(home)["waiting_events"] == 0
        assert "All is there" in offsite_status.as_text(home)
    lines = [one.getMessage() for one in caplog.records if one.name.startswith("sealcam")]
    assert lines == [
        "the off-site copy waits: the store doesn't answer in time; it goes on by itself",
        "the off-site copy goes on",
    ]
    for one in (house.chosen.bucket, house.chosen.access_key, house.chosen.secret_key):
        assert one not in caplog.text


def test_another_store_gets_everything_and_one_that_is_named_again_nothing_twice(house: House, s3: S3Server) -> None:
    other = s3.bucket()
    with house.home() as home:
        house.clip(home)
        worker = OffsiteWorker(home, S3Store)
        for chosen in (house.chosen, house.chosen, other):
            offsite_settings.save(home.folder, chosen)
            worker.look()
            house.clock.advance(3601)
        worker.look()
        assert kinds(house, s3) == [Kind.EVENTS, Kind.CLIP, Kind.CLIP, Kind.AUDIT, Kind.DIRECTORY]
        assert offsite_status.as_json(home)["objects"] == 5
        worker.stop()
        before = events(home)
    house.chosen = other
    with house.anew() as (home, fetcher):
        assert events(home) == before
        assert fetcher.clips(home) == 1


def test_a_copy_that_is_ended_or_goes_elsewhere_stops_at_the_next_object(house: House) -> None:
    with house.home() as home:
        house.clip(home)
        offsite_settings.save(home.folder, house.chosen)

        class Ending(S3Store):
            def put(self, name: str, data: bytes, locked_ns: int = 0) -> None:
                super().put(name, data, locked_ns)
                home.folder.remove(offsite_settings.FILE)

        worker = OffsiteWorker(home, Ending)
        worker.look()
        worker.look()
        assert house.lag(home).objects == 1
        worker.stop()


def test_what_is_too_old_goes_there_and_stays_here(tmp_path: Path, s3: S3Server) -> None:
    house = House(tmp_path, s3.bucket(prefix="a/b", keep_days=30))
    with house.home() as home:
        house.clip(home, 1, content(1000))
        house.copier(home).run()
        house.clock.advance(31 * 86_400)
        house.take(home, house.camera.incident(2))
        house.copier(home).run()
        assert not house.lag(home).waits
        assert len(home.ledger().incidents()) == 2
        clip = home.vault().clip(name_of(1).hex())
        assert clip is not None
        assert clip.state == "here"
    assert kinds(house, s3)[:1] == [Kind.EVENTS]
    assert Kind.CLIP not in kinds(house, s3)
    assert kinds(house, s3).count(Kind.EVENTS) == 1
    assert DAY_NS == 86_400 * 10**9


def test_many_small_objects_are_put_together(house: House, s3: S3Server) -> None:
    with house.home() as home:
        for number in range(1, offsite_rows.MANY_SMALL + 3):
            house.take(home, house.camera.incident(number))
            house.copier(home).run()
        assert not house.lag(home).waits
        with home.store.reading() as connection:
            count = select(func.count()).select_from(objects).where(objects.c.kind == int(Kind.EVENTS))
            assert connection.execute(count.where(objects.c.state == int(Stored.THERE))).scalar_one() < 5
    assert kinds(house, s3).count(Kind.EVENTS) < 5


def test_the_owner_names_the_store_in_a_file_and_no_key_is_shown(
    house: House, s3: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    file, state = house.path / "store.toml", ("--state", str(house.folder.path))
    chosen = dataclasses.replace(house.chosen, prefix="")
    offsite_settings.save(Folder(house.path), chosen)
    (house.path / offsite_settings.FILE).rename(file)
    assert main([*state, "offsite", "status"]) == 0
    assert "none" in capsys.readouterr().out
    assert main([*state, "offsite", "set", str(file), "--yes"]) == 0
    said = capsys.readouterr().out
    assert "Who takes this hub can delete the copy" in said
    assert (house.folder.path / offsite_settings.FILE).stat().st_mode & 0o777 == 0o600
    assert main([*state, "offsite", "status", "--json"]) == 0
    assert main([*state, "status"]) == 0
    assert "off-site copy" in capsys.readouterr().out
    assert main([*state, "offsite", "off"]) == 0
    assert not (house.folder.path / offsite_settings.FILE).exists()
    for secret in KEYS.values():
        assert secret not in said
    assert s3.objects(chosen) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('endpoint = "https://a"', "bucket is missing"),
        ("nonsense", "no TOML"),
        ('buket = "x"', "buket is unknown"),
        ('endpoint = "http://nas.lan"\nbucket="b"\naccess_key="a"\nsecret_key="s"', "must begin with https"),
        ('endpoint = "ftp://nas"\nbucket="b"\naccess_key="a"\nsecret_key="s"', "no address"),
        ('endpoint = "https://n"\nbucket="b"\naccess_key="a"\nsecret_key="s"\nkeep_days=-1', "count from 0"),
        ('endpoint = "https://n"\nbucket="b"\naccess_key="a"\nsecret_key="s"\nkeep_days="1"', "must be a number"),
        ('endpoint = "https://n"\nbucket="b"\naccess_key="a"\nsecret_key="s"\nca_file="/none"', "no ca_file"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        offsite_settings.read(text, "store.toml")


def test_what_is_wrong_with_the_store_is_said(house: House) -> None:
    for changed, words in (
        ({"bucket": "not-there"}, "no such bucket"),
        ({"endpoint": "http://127.0.0.1:9"}, "can't be reached|broke"),
    ):
        with pytest.raises(Away, match=words):
            S3Store(dataclasses.replace(house.chosen, **changed)).put("a", b"b")
    with pytest.raises(Missing):
        S3Store(house.chosen).get("none", 10)
    S3Store(house.chosen).delete("none")
