"""The household's page and deleting: what is shown, what is done, and that the words are never asked for."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from sealcam.wire.errors import StorageError
from sealcam_hub.console.deleting import DeletingPart
from sealcam_hub.console.household import HouseholdPart
from sealcam_hub.deletion_source import Doom
from sealcam_hub.deletions_told import Behind
from sealcam_hub.recovery_state import Recipient
from sealcam_hub.rules import Effect
from tests.unit.hub.console_client import Visitor, console
from tests.unit.hub.console_clips import clip
from tests.unit.hub.console_fake import NOW_NS, PORCH, FakeSource, incident
from tests.unit.hub.console_rooms_fake import RECOVERY, FakeDeletions, FakeHousehold

TIMES = {"from": "22:00", "to": "06:00", "zone": "Europe/Vienna", **{f"d{day}": "1" for day in range(7)}}


class House:
    """The page over a household of one camera, and what deletes there."""

    def __init__(self) -> None:
        self.source, self.household = FakeSource([incident(1), incident(2)]), FakeHousehold()
        self.deletions = FakeDeletions(self.source)
        parts = (HouseholdPart(self.household, self.source.cameras, "Europe/Vienna"), DeletingPart(self.deletions))
        self.visitor = Visitor(console(self.source, parts=parts)).sign_in()

    def page(self) -> str:
        return self.visitor.get("/household").text

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.visitor.post(path, {"csrf": self.visitor.csrf(), **fields})


# Recovery.


def test_a_home_that_is_not_prepared_says_what_to_run() -> None:
    page = House().page()
    for text in (
        "never tried",
        "sealcam-hub words check",
        "none was made here",
        "sealcam-hub backup",
        RECOVERY.fingerprint,
    ):
        assert text in page
    for text in ("This hub", "Your 24 words", "d4" * 8, "the home hub"):
        assert text in page
    assert "textarea" not in page
    assert 'type="password"' not in page  # no page asks for the words


def test_a_home_that_is_prepared_says_since_when() -> None:
    house = House()
    house.household.state = replace(RECOVERY, backed_up_ns=NOW_NS, deletions_pending=2)
    assert house.post("/household/tried").status_code == 303
    page = house.page()
    assert "never tried" not in page
    assert "none was made here" not in page
    assert "2 deletions wait" in page


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        (Behind(0, NOW_NS), "Has deleted everything that was deleted here."),
        (Behind(1, None), "Hasn't confirmed 1 deletion yet, and never said what it has deleted."),
        (Behind(2, NOW_NS), "Hasn't confirmed 2 deletions yet, and was last heard <time"),
    ],
)
def test_of_another_hub_the_page_says_whether_it_has_deleted_the_same(behind: Behind, said: str) -> None:
    house = House()
    other = Recipient("f6" * 8, words=False, home=False, name="cellar", behind=behind)
    house.household.state = replace(RECOVERY, recipients=(*RECOVERY.recipients, other))
    assert said in house.page()
    house.household.state = RECOVERY
    assert "confirmed" not in house.page(), "it says nothing of this hub and of the words"
    assert "deleted everything" not in house.page()


def test_words_in_the_hubs_folder_are_told() -> None:
    house = House()
    assert "lie in its folder" not in house.page()
    house.household.state = replace(RECOVERY, throwaway=True)
    assert "lie in its folder" in house.page()


# Rules.


def test_a_rule_is_made_said_in_words_and_taken_back() -> None:
    house = House()
    fields = {"camera": PORCH, "where": "Sofa & co", Effect.NOT_KEPT: "1", Effect.VEILED: "1", **TIMES}
    assert house.post("/household/rules", **fields).status_code == 303
    (kept,) = house.household.kept
    assert (kept.rule.cameras, kept.rule.zone) == ((PORCH,), "Sofa & co")
    assert kept.rule.effects == {Effect.NOT_KEPT, Effect.VEILED}
    page = house.page()
    assert "Clips are never kept, previews are blurred." in page
    assert "No zone of that name was drawn here" in page
    assert '<option value="Sofa">' in page
    assert "Front door, in “Sofa &amp; co”, Every day, 22:00 to 06:00 (Europe/Vienna)" in page
    assert house.post("/household/rules", remove="1").status_code == 303
    assert house.household.kept == []
    assert "There is none" in house.page()


@pytest.mark.parametrize(
    "wrong",
    [
        {Effect.NOT_KEPT.value: ""},
        {"camera": "f" * 16},
        {"from": "late"},
        {"zone": "Mars/Olympus"},
        {"where": "x" * 65},
        {"remove": "7"},
        {"remove": "x"},
    ],
)
def test_a_rule_that_is_none_is_refused_with_words(wrong: dict[str, str]) -> None:
    house = House()
    answer = house.post("/household/rules", **{Effect.NOT_KEPT.value: "1", **TIMES} | wrong)
    assert answer.status_code == 400
    assert "data-problem" in answer.text
    assert house.household.kept == []


# Deleting.


def test_deleting_an_incident_is_asked_once_and_says_what_goes() -> None:
    house = House()
    path = f"/incident/{PORCH}-{1:016x}/delete"
    page = house.visitor.get(path).text
    for text in ("Delete this incident?", "2 reports", "1 share of it ends", "24 words", "undone"):
        assert text in page
    assert house.deletions.done == []
    answer = house.post(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/timeline")
    assert [one.incident.id[-1] for one in house.deletions.done] == ["1"]
    assert house.visitor.get(path).status_code == 404


def test_deleting_a_clip_leads_back_to_its_incident() -> None:
    house = House()
    one = clip(1)
    house.deletions.clips[one.id] = Doom(house.source.shown[0], one, 0)
    page = house.visitor.get(f"/clip/{one.id}/delete").text
    assert "Delete this video?" in page
    assert "The incident and its other reports stay" in page
    answer = house.post(f"/clip/{one.id}/delete")
    assert answer.headers["location"] == f"/incident/{house.source.shown[0].id}"
    assert house.deletions.done[0].clip == one


def test_a_deletion_that_fails_is_told_and_nothing_is_called_done() -> None:
    house = House()
    house.deletions.error = StorageError("another process deletes", "try again in a minute")
    answer = house.post(f"/incident/{PORCH}-{1:016x}/delete")
    assert answer.status_code == 503
    assert "Another process deletes." in answer.text


def test_nothing_is_deleted_by_another_site_or_under_another_name() -> None:
    house = House()
    path = f"/incident/{PORCH}-{1:016x}/delete"
    assert house.visitor.post(path, {"csrf": house.visitor.csrf()}, sec_fetch_site="cross-site").status_code == 403
    assert house.visitor.post(path, {"csrf": "another"}).status_code == 403
    for name in ("0" * 16, f"{PORCH}-xyz", "../../x"):
        assert house.post(f"/incident/{name}/delete").status_code == 404
    assert house.post(f"/clip/{'0' * 32}/delete").status_code == 404
    assert house.deletions.done == []
