"""The off-site copy where things stand badly: a hub brought back without its clips, a store that stumbles or that won't
delete, parts out of order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select, update

from sealcam_hub import offsite_rows, offsite_settings
from sealcam_hub.cli import main
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.offsite import Kind
from sealcam_hub.offsite_copier import Copier
from sealcam_hub.offsite_errors import Away, Missing, Refused
from sealcam_hub.offsite_fetch import PAUSES_S, Fetcher
from sealcam_hub.offsite_s3 import S3Store
from sealcam_hub.offsite_tables import objects
from sealcam_hub.recovery_commands import recovered
from sealcam_hub.tables import cameras
from sealcam_hub.vault_settle import settle
from sealcam_hub.wholefile import restore_whole, write_whole
from tests.s3 import S3Server
from tests.unit.hub.test_offsite import House
from tests.vault import name_of


@dataclass
class Shelf:
    """A store in memory; it raises `troubles` first, one each time that something is fetched."""

    held: dict[str, bytes] = field(default_factory=dict)
    troubles: list[Away] = field(default_factory=list)
    deletes: bool = True

    def put(self, name: str, data: bytes, locked_ns: int = 0) -> None:
        self.held[name] = data

    def names(self) -> Iterator[str]:
        return iter(sorted(self.held))

    def get(self, name: str, most_bytes: int) -> bytes:
        if self.troubles:
            raise self.troubles.pop(0)
        return self.held[name][: most_bytes + 1]

    def delete(self, name: str) -> None:
        if not self.deletes:
            raise Refused("the store doesn't allow it")
        self.held.pop(name, None)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, offsite_settings.Settings("https://nas.lan", "sealcam", "account", "secret"))


def test_clips_come_back_to_a_hub_that_was_restored_without_them(house: House) -> None:
    shelf, new = Shelf(), Folder(house.path / "new")
    with house.home() as home:
        sealed = house.clip(home)
        house.copier(home, shelf).run()
        write_whole(home, house.path / "whole")
    restore_whole(new, house.path / "whole", house.owner)
    for fetched in (1, 0):
        with open_home(new, house.clock) as home, (house.path / "spool").open("w+b") as spool:
            fetcher = Fetcher(shelf, house.owner)
            backup = fetcher.backup(spool)
            recovered(home, house.owner, backup)
            fetcher.book(home, backup)
            assert fetcher.clips(home) == fetched
            settle(home.vault(), home.clock)
            assert [one.state for one in home.vault().clips()] == ["here"]
            assert (home.folder.clips / f"{name_of(1).hex()}.scl1").read_bytes() == sealed
            assert house.lag(home).clips == 0


def test_a_restored_hub_whose_fetching_ends_early_still_knows_what_is_there(house: House) -> None:
    shelf, new = Shelf(), Folder(house.path / "new")
    with house.home() as home:
        for number in (1, 2):
            house.clip(home, number)
        house.copier(home, shelf).run()
        write_whole(home, house.path / "whole")
    restore_whole(new, house.path / "whole", house.owner)
    with open_home(new, house.clock) as home, (house.path / "spool").open("w+b") as spool:
        fetcher = Fetcher(shelf, house.owner)
        fetcher.backup(spool)
        shelf.troubles = [Missing("there is no such object")]
        with pytest.raises(Missing):
            fetcher.clips(home)
        with home.store.reading() as connection:
            left = connection.execute(select(objects.c.clip).where(objects.c.clip.is_not(None)).distinct()).all()
        assert len(left) == 2  # none of it has come, so all of it is still as it was
        assert fetcher.clips(home) == 2


def test_a_clip_of_which_a_part_was_booked_comes_back_whole(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, new = Shelf(), Folder(house.path / "new")
    with house.home() as home:
        sealed = house.clip(home)
        parts, sends = list[int](), Copier._part

        def first_alone(copier: Copier) -> bool:
            parts.append(len(parts))
            return sends(copier) if len(parts) == 1 else False

        with monkeypatch.context() as stopped:
            stopped.setattr(Copier, "_part", first_alone)
            house.copier(home, shelf).run()
        write_whole(home, house.path / "whole")  # it knows of the first part alone
        house.copier(home, shelf).run()
    restore_whole(new, house.path / "whole", house.owner)
    with open_home(new, house.clock) as home, (house.path / "spool").open("w+b") as spool:
        fetcher = Fetcher(shelf, house.owner)
        backup = fetcher.backup(spool)
        recovered(home, house.owner, backup)
        fetcher.book(home, backup)
        assert fetcher.clips(home) == 1
        assert (home.folder.clips / f"{name_of(1).hex()}.scl1").read_bytes() == sealed


def test_what_a_store_will_not_delete_keeps_nothing_else_back(house: House) -> None:
    shelf = Shelf(deletes=False)
    with house.home() as home:
        house.take(home, house.camera.incident(1))
        house.copier(home, shelf).run()
        with home.store.writing() as connection:
            connection.execute(update(cameras).values(name="Back door"))  # a new directory instead of the old one
        house.clip(home, 2)
        with pytest.raises(Refused):
            house.copier(home, shelf).run()
        assert (house.lag(home).clips, house.lag(home).doomed) == (0, 1)
        shelf.deletes = True
        house.copier(home, shelf).run()
        assert house.lag(home).doomed == 0


def test_a_store_that_stumbles_is_asked_again_and_one_that_has_nothing_is_not(house: House, tmp_path: Path) -> None:
    shelf, waited = Shelf(), list[float]()
    with house.home() as home:
        house.take(home, house.camera.incident(1))
        house.copier(home, shelf).run()
    fetcher = Fetcher(shelf, house.owner, wait=waited.append)
    with (tmp_path / "spool").open("w+b") as spool:
        shelf.troubles = [Away("the store doesn't answer in time")] * 2
        assert len(list(fetcher.backup(spool).events())) == 1
        assert waited == list(PAUSES_S[:2])
        for trouble, pauses in ((Away("gone"), PAUSES_S), (Missing("none"), ()), (Refused("no"), ())):
            waited.clear()
            shelf.troubles = [trouble] * 20
            with pytest.raises(type(trouble)):
                fetcher.backup(spool)
            assert waited == list(pauses)


def test_a_clip_reaches_as_far_as_its_parts_leave_no_gap(house: House) -> None:
    clip = name_of(1)
    with house.home() as home, home.store.writing() as connection:
        for name, at, size in (("c", 8, 4), ("a", 0, 4), ("b", 4, 4)):
            assert offsite_rows.reaches(connection, clip) == (0 if name != "b" else 4)
            offsite_rows.begin(connection, name, Kind.CLIP, size, 1, clip=clip, at=at)
            offsite_rows.arrived(connection, name)
        assert offsite_rows.reaches(connection, clip) == 12


def test_an_account_that_may_not_delete_is_taken_and_what_follows_is_said(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_store: S3Store, _name: str) -> None:
        raise Refused("the store doesn't allow it")

    server = S3Server(tmp_path / "s3.log")
    try:
        monkeypatch.setattr(S3Store, "delete", refuses)
        offsite_settings.save(Folder(tmp_path), server.bucket())
        command = ["--state", str(house.folder.path), "offsite", "set", str(tmp_path / offsite_settings.FILE), "--yes"]
        assert main(command) == 0
    finally:
        server.end()
    said = capsys.readouterr().out
    assert "This account may not delete there" in said
    assert "Who takes this hub can delete" not in said
