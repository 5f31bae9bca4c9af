"""The console over a real vault: a sealed clip is played by ranges, the log says so, its plain bytes are nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.wire.clip import SCL1
from sealcam_hub.audit_source import AuditSource
from sealcam_hub.clip_source import Clips
from sealcam_hub.console.app import create
from sealcam_hub.feed import Feed
from tests.receiving import Desk, desk
from tests.scl1 import content
from tests.unit.hub.console_client import TOKEN, Visitor
from tests.unit.hub.console_fake import FakeDoor
from tests.unit.hub.test_vault import clip_of, hold

PLAIN = content(17 * SCL1.chunk_bytes + 1000)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path / "hub") as made:
        made.take(made.camera.incident(1, clip=made.camera.clip_key(1)))
        yield made


def visitor(at: Desk) -> Visitor:
    home = at.home
    app = create(
        home.ledger(),
        Feed(),
        hosts=("localhost",),
        door=FakeDoor(TOKEN),
        arm=lambda *_: None,
        clock=at.clock.wall_ns,
        boot=at.clock.boot_ns,
        log=AuditSource(home.store, home.keys, home.clock),
        clips=Clips(home.vault(), home.fetching().ask),
    )
    return Visitor(app).sign_in()


def test_a_sealed_clip_is_given_by_ranges_entered_in_the_log_and_plain_nowhere_on_the_disk(at: Desk) -> None:
    name = hold(at, clip_of(at, plain=PLAIN))
    one = visitor(at)
    (incident,) = at.home.ledger().incidents()
    assert f"/clip/{name}" in one.get(f"/incident/{incident.id}").text
    for first, last in ((0, 99), (SCL1.chunk_bytes - 5, SCL1.chunk_bytes + 5), (len(PLAIN) - 10, len(PLAIN) + 10)):
        answer = one.get(f"/clip/{name}/video", range=f"bytes={first}-{last}")
        assert (answer.status_code, answer.content) == (206, PLAIN[first : last + 1])
    said = [one.detail for one in AuditSource(at.home.store, at.home.keys, at.home.clock).newest(9).entries]
    assert said.count("a clip, watched") == 1
    page = one.get(f"/clip/{name}/save").text
    csrf = page.split('name="csrf" value="')[-1].split('"')[0]
    assert one.post(f"/clip/{name}/save", {"csrf": csrf}).content == PLAIN
    newest = AuditSource(at.home.store, at.home.keys, at.home.clock).newest(1).entries[0]
    assert (newest.detail, newest.actor) == ("a clip, saved as a file that isn't sealed", "console")
    assert newest.subject == bytes.fromhex(name)
    for path in at.home.folder.path.rglob("*"):
        assert not path.is_file() or PLAIN[1000:1100] not in path.read_bytes(), path


def test_a_clip_that_is_on_the_camera_is_asked_for_in_the_consoles_name(at: Desk) -> None:
    at.take(at.camera.clip(1))
    one = visitor(at)
    (incident,) = at.home.ledger().incidents()
    page = one.get(f"/incident/{incident.id}").text
    (view,) = at.home.vault().clips()
    assert f'action="/clip/{view.id}/fetch"' in page
    csrf = page.split('name="csrf" value="')[-1].split('"')[0]
    assert one.post(f"/clip/{view.id}/fetch", {"csrf": csrf}).status_code == 303
    assert "Asked for" in one.get(f"/incident/{incident.id}/clips").text
    newest = AuditSource(at.home.store, at.home.keys, at.home.clock).newest(1).entries[0]
    assert (newest.action, newest.actor) == ("commanded", "console")
