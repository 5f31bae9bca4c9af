"""Household rules: which incidents they are about, and that what they say is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from sealcam.wire.bodies import Stage
from sealcam.wire.errors import ConfigError
from sealcam_hub import audit, deletion, rules, rules_keeper, tables
from sealcam_hub.clip_carriers import carried
from sealcam_hub.folder import Held
from sealcam_hub.rules import Effect, Occurrence, Rule, effects
from sealcam_hub.views import IncidentView
from tests.hubs import JPEG, NS
from tests.vault import Dock, clip_of, dock, name_of, pieces

VIENNA = "Europe/Vienna"
NOT_KEPT, NOT_SHARED, VEILED = (frozenset({one}) for one in Effect)
ALWAYS = Rule(NOT_KEPT)
NIGHTS = Rule(VEILED, days=0b0011111, from_minute=22 * 60, to_minute=6 * 60, clock=VIENNA)  # begin Monday to Friday


def at(text: str, seconds: int = 10, alias: str = "door", reasons: tuple[str, ...] = ()) -> Occurrence:
    """An incident that began at that time in Vienna."""
    began = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(VIENNA))
    started_ns = int(began.timestamp()) * NS
    return Occurrence(alias, started_ns, started_ns + seconds * NS, reasons)


@pytest.mark.parametrize(
    ("when", "seconds", "holds"),
    [
        ("2025-11-21 21:59:40", 10, False),  # a Friday
        ("2025-11-21 21:59:40", 30, True),  # it reaches into the time
        ("2025-11-21 22:00:00", 1, True),
        ("2025-11-22 05:59:59", 0, True),  # Friday's night
        ("2025-11-22 06:00:00", 10, False),
        ("2025-11-22 23:00:00", 10, False),  # a Saturday
        ("2025-11-24 05:00:00", 10, False),  # Sunday's night
        ("2025-11-17 12:00:00", 8 * 86400, True),
        ("2025-07-21 22:30:00", 10, True),  # by the clock on the wall, in summer too
    ],
)
def test_a_time_is_that_of_the_clock_on_the_wall_and_runs_over_midnight(when: str, seconds: int, holds: bool) -> None:
    assert (effects([NIGHTS], at(when, seconds)) == VEILED) is holds


def test_a_rule_is_about_its_cameras_and_its_zone() -> None:
    bath = replace(ALWAYS, cameras=("hall",))
    assert effects([bath], at("2025-11-21 12:00", alias="hall"))
    assert not effects([bath], at("2025-11-21 12:00", alias="door"))
    sofa = replace(ALWAYS, zone="Sofa")
    assert effects([sofa], at("2025-11-21 12:00", reasons=("armed home", "a person stayed in “Hall” and “Sofa”")))
    assert not effects([sofa], at("2025-11-21 12:00", reasons=("a person stayed in “Sofa bed”",)))


def test_rules_add_up_and_what_is_not_kept_is_not_shared() -> None:
    both = effects([ALWAYS, Rule(VEILED)], at("2025-11-21 12:00"))
    assert both == set(Effect)
    assert effects([Rule(NOT_SHARED)], at("2025-11-21 12:00")) == NOT_SHARED
    assert effects([], at("2025-11-21 12:00")) == frozenset()


@pytest.mark.parametrize(
    "wrong",
    [
        {"effects": frozenset()},
        {"days": 0},
        {"days": 128},
        {"from_minute": 1440},
        {"to_minute": 1441},
        {"from_minute": 60, "to_minute": 60},
        {"clock": "Nowhere/Land"},
        {"clock": "../../etc/passwd"},
        {"zone": "x" * 65},
        {"zone": "a\nb"},
    ],
)
def test_what_is_no_rule_is_refused_with_the_reason(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        rules.check(replace(ALWAYS, **wrong))  # type: ignore[arg-type]


def test_a_rule_comes_back_as_it_was() -> None:
    assert rules.decode(rules.encode(NIGHTS)) == NIGHTS
    full = replace(NIGHTS, cameras=("door", "hall"), zone="Sofa", effects=frozenset(Effect))
    assert rules.decode(rules.encode(full)) == full


# At a hub.


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Dock]:
    with dock(tmp_path / "hub") as one:
        yield one


def view(made: Dock, number: int = 1) -> IncidentView | None:
    return made.desk.home.ledger().incident(number.to_bytes(8, "big").hex())


def test_rules_are_kept_sealed_listed_and_taken_back_and_the_log_says_so(made: Dock) -> None:
    household = made.desk.home.household()
    household.make(replace(ALWAYS, zone="Wintergarten"), audit.CONSOLE)
    (kept,) = household.rules()
    assert kept.rule.zone == "Wintergarten"
    files = [one.read_bytes() for one in made.desk.home.folder.path.iterdir() if one.name.startswith("ledger.db")]
    assert not any(b"Wintergarten" in one for one in files)
    household.take_back(kept.number)
    assert household.rules() == ()
    with pytest.raises(ConfigError):
        household.take_back(kept.number)
    with made.desk.home.store.reading() as connection:
        log = list(audit.entries(connection))
    household.make(ALWAYS, audit.CONSOLE)
    with pytest.raises(ConfigError):  # an old page's button takes back no other rule
        household.take_back(kept.number)
    assert b"a household rule was made" in log[-2]
    assert b"Wintergarten" not in log[-2]


def test_there_are_not_endlessly_many_rules(made: Dock) -> None:
    household = made.desk.home.household()
    for _ in range(rules.MOST_RULES):
        household.make(ALWAYS)
    with pytest.raises(ConfigError, match="at most"):
        household.make(ALWAYS)


def test_a_veiled_picture_leaves_for_those_alone_who_ask_for_it_unveiled(made: Dock) -> None:
    made.desk.take(made.camera.incident(1, Stage.UPDATE, JPEG))
    ledger = made.desk.home.ledger()
    incident = ledger.incidents()[0].id
    assert ledger.thumbnail(incident) == JPEG
    made.desk.home.household().make(Rule(VEILED))
    assert ledger.incidents()[0].veiled
    assert ledger.thumbnail(incident) is None
    assert ledger.thumbnail(incident, unveiled=True) == JPEG


def test_a_clip_that_is_not_kept_is_refused_while_it_comes(made: Dock) -> None:
    made.desk.home.household().make(ALWAYS)
    made.again()
    said = made.bring(pieces(clip_of(made.camera)))
    assert said[0].stop is True
    assert not any(one.held or one.whole for one in said)
    assert made.file() == b""


def test_what_had_come_is_deleted_with_its_key_and_the_incident_stays(made: Dock) -> None:
    made.bring(pieces(clip_of(made.camera)))
    made.desk.take(made.camera.incident(1, Stage.END, JPEG), made.camera.incident(2, clip=made.camera.clip_key(2)))
    assert made.place() == "here"
    home = made.desk.home
    keeper = home.keeper()
    home.household().make(replace(ALWAYS, cameras=("another",)))
    assert keeper.sweep() == 0
    home.household().make(ALWAYS)
    assert keeper.sweep() == 0  # it was asked a moment ago
    made.desk.clock.advance(3601)
    assert keeper.sweep() == 2
    assert (made.place(), made.place(name_of(2)), made.file()) == ("deleted", "deleted", b"")
    incident = view(made)
    assert incident is not None
    assert [one.stage for one in incident.reports] == ["end"]  # the other one carried the key
    assert view(made, 2) is None  # nothing else was said of it
    with home.store.reading() as connection:
        assert deletion.count(connection).pending == 2
        assert carried(connection, home.keys.table, name_of(1)) is None
        assert list(connection.execute(select(tables.clips.c.wrapped)).scalars()) == [None, None]
        last = list(audit.entries(connection))[-1]
    assert b"hub" in last


def test_a_round_reaches_the_oldest_clip_however_few_are_looked_at_at_once(
    made: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules_keeper, "AT_ONCE", 1)
    made.bring(pieces(clip_of(made.camera)))
    made.desk.take(made.camera.incident(1, Stage.END, JPEG))
    for number in (2, 3):
        made.desk.take(made.camera.incident(number, clip=made.camera.clip_key(number)))
    home = made.desk.home
    home.household().make(ALWAYS)
    keeper = home.keeper()
    assert [keeper.sweep() for _ in range(5)] == [0, 0, 0, 1, 0]  # the newer ones go on
    assert made.place() == "deleted"
    made.desk.take(made.camera.incident(4, clip=made.camera.clip_key(4)))
    made.desk.clock.advance(3601)
    assert keeper.sweep() == 0  # the round has begun
    (kept,) = home.household().rules()
    home.household().take_back(kept.number)
    assert [keeper.sweep() for _ in range(3)] == [0, 0, 0]  # what was found by the old rule is left alone


def test_a_deletion_that_could_not_be_done_is_done_by_the_next_call(
    made: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.bring(pieces(clip_of(made.camera)))
    made.desk.take(made.camera.incident(1, Stage.END, JPEG))
    made.desk.home.household().make(ALWAYS)
    keeper = made.desk.home.keeper()

    def held(*_: object) -> bool:
        raise Held("somebody deletes just now", "try again")

    with monkeypatch.context() as patched:
        patched.setattr(deletion.Deleter, "delete_clips", held)
        with pytest.raises(Held):
            keeper.sweep()
    assert keeper.sweep() == 1
    assert made.place() == "deleted"


def test_a_clip_of_an_incident_that_goes_on_waits_for_its_end(made: Dock) -> None:
    home = made.desk.home
    made.desk.take(made.camera.beat())  # the boot that the incident is of still runs
    home.household().make(ALWAYS)
    incident = view(made)
    assert incident is not None
    assert incident.open
    assert home.keeper().sweep() == 0
    made.desk.clock.advance(120)  # nothing more was said of it
    assert home.keeper().sweep() == 1


def test_deleting_one_clip_leaves_the_others_of_its_incident(made: Dock) -> None:
    made.desk.take(made.camera.incident(1, Stage.UPDATE, clip=made.camera.clip_key(2, 1)))
    made.desk.take(made.camera.incident(1, Stage.END))
    home = made.desk.home
    home.deleter().delete_clips([name_of(1)], audit.CONSOLE)
    incident = view(made)
    assert incident is not None
    assert [(one.id[-1], one.state) for one in incident.clips] == [("1", "deleted"), ("2", "recording")]
    assert [one.stage for one in incident.reports] == ["update", "end"]
    home.deleter().delete_clips([name_of(1), name_of(9)])  # again, and one that there isn't
    assert view(made) == incident
