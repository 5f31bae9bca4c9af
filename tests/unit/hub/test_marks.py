"""What the player's timeline shows, joined by the camera's own clock."""

from __future__ import annotations

from dataclasses import replace

from sealcam.wire.bodies import ClockQuality
from sealcam_hub.console.marks import marks, scene
from tests.unit.hub.console_clips import BOOT, START_NS, info
from tests.unit.hub.console_fake import NOW_NS, SECOND_NS, report

AT = info().at
SAID = tuple(
    report(n, stage, boot=BOOT, boot_ns=START_NS + n * SECOND_NS, occurred_ns=NOW_NS + 3600 * SECOND_NS + n * SECOND_NS)
    for n, stage in ((4, "new"), (7, "update"), (95, "end"))
)


def test_trigger_and_reports_stand_where_the_cameras_clock_says() -> None:
    shown = marks(AT, START_NS + 3 * SECOND_NS, SAID)
    assert [(one.kind, one.at_s) for one in shown] == [("trigger", 3), ("new", 4), ("update", 7), ("end", 95)]
    assert [one.verdict for one in shown] == ["threat"] * 4


def test_a_follow_on_has_what_was_said_before_it_before_its_beginning() -> None:
    later = replace(AT, boot_ns=START_NS + 60 * SECOND_NS)
    assert [one.at_s for one in marks(later, None, SAID)] == [-56, -53, 35]


def test_what_another_boot_said_has_no_place_here() -> None:
    other = tuple(replace(one, boot=b"c" * 16) for one in SAID)
    assert [one.kind for one in marks(AT, START_NS, other)] == ["trigger"]
    assert marks(AT, None, (report(1),)) == ()


def test_the_scenes_time_is_the_cameras_where_it_was_sure_and_else_what_its_reports_came_to() -> None:
    assert scene(AT, SAID) == scene(AT, ())
    assert (scene(AT, SAID).wall_ns, scene(AT, SAID).sure) == (NOW_NS, True)
    unsure = replace(AT, quality=ClockQuality.UNKNOWN, wall_ns=12345)
    assert (scene(unsure, SAID).wall_ns, scene(unsure, SAID).sure) == (NOW_NS + 3600 * SECOND_NS, False)
    assert scene(unsure, ()).wall_ns == 12345


def test_an_update_that_brings_only_a_picture_or_a_key_is_no_mark_of_its_own() -> None:
    again = replace(SAID[0], stage="update", seq=5)
    other = replace(SAID[0], stage="update", seq=6, verdict="benign")
    shown = marks(AT, None, (SAID[0], again, other, SAID[1]))
    assert [(one.kind, one.verdict) for one in shown] == [("new", "threat"), ("update", "benign"), ("update", "threat")]
