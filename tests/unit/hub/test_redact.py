"""Clips made anew to be shared: whose key opens what, what becomes of them, and the room of the console around them."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from sealcam.wire.bodies import ClockQuality
from sealcam.wire.clip import BytesSource, content_key, read_header
from sealcam.wire.errors import ConfigError, EnvelopeError, SealcamError
from sealcam.wire.keys import BoxKey
from sealcam_hub import redact
from sealcam_hub.audit_source import AuditSource
from sealcam_hub.cli import main
from sealcam_hub.clip_source import Clips
from sealcam_hub.console.app import create
from sealcam_hub.console.roles import may
from sealcam_hub.deletion import Deleter, named
from sealcam_hub.feed import Feed
from sealcam_hub.media import Bounds, Media, MediaError
from sealcam_hub.media_messages import MOST_PICTURE_BYTES, Area, Done
from sealcam_hub.movie import read_movie
from sealcam_hub.person import Person, Role
from sealcam_hub.recipient import key_name, make_key, read_recipient
from sealcam_hub.redact import Redaction
from sealcam_hub.rekey import rekeyed
from sealcam_hub.share_copies import DRAFT_NS, Copies, Copy
from sealcam_hub.share_drafts import SEGMENT_BYTES, beginnings
from sealcam_hub.share_handing import Handing
from sealcam_hub.share_room import copies as copies_of
from sealcam_hub.share_room import of as room_of
from sealcam_hub.share_room import shares as shares_of
from sealcam_hub.share_tables import copies as table
from sealcam_hub.shares import REVOKED, VALID, Share, Terms, state
from sealcam_hub.vault_files import VaultFiles
from tests.codes import photo
from tests.receiving import Desk, desk
from tests.unit.hub.console_client import TOKEN, Visitor
from tests.unit.hub.console_fake import FakeDoor
from tests.unit.hub.test_media import bars, film, pictures
from tests.unit.hub.test_vault import clip_of, hold

BOX = Redaction(area=(250, 250, 750, 750))
DAY_NS = 86_400 * 10**9


@pytest.fixture(scope="module")
def made() -> bytes:
    return film(bars())


@pytest.fixture
def at(tmp_path: Path, made: bytes) -> Iterator[Desk]:
    """A hub with one clip."""
    with desk(tmp_path / "hub") as hub:
        hub.take(hub.camera.incident(1, clip=hub.camera.clip_key(1)))
        hold(hub, clip_of(hub, plain=made))
        yield hub


@pytest.fixture
def them() -> BoxKey:
    return BoxKey(b"t" * 32)


def name(at: Desk) -> str:
    (view,) = at.home.vault().clips()
    return view.id


def copy(at: Desk, wanted: Redaction = BOX) -> Copy:
    with at.home.vault().open(name(at)) as clip:
        return copies_of(at.home).make(clip, wanted)


def grant(at: Desk, one: Copy, them: BoxKey) -> Share:
    shares, source = shares_of(at.home), BytesSource(sealed(at, one))
    return shares.create(shares.offer(source, None), Terms(them.public, "Insurer", "claim 4711", DAY_NS))


def sealed(at: Desk, one: Copy) -> bytes:
    return (at.home.folder.path / "shared" / f"{one.id}.scl1").read_bytes()


def test_a_copy_has_a_key_and_an_id_of_its_own_and_the_originals_opens_nothing_of_it(at: Desk) -> None:
    one = copy(at)
    keys = at.home.keys
    header = read_header(BytesSource(sealed(at, one)), [keys.operating.public])
    original = at.home.vault().open(name(at))
    with original, copies_of(at.home).open(one.id) as opened:
        assert header.clip.hex() == one.id != original.id
        assert (header.epoch, header.recipient_set) == (0, 0)
        assert (opened.info.incident, opened.info.camera, opened.info.trigger_ns) == (bytes(8), None, None)
        assert (opened.info.at.boot, opened.info.at.boot_ns) == (bytes(16), 0)
        assert opened.info.at.wall_ns == original.info.at.wall_ns
        assert opened.info.at.quality is ClockQuality.SYNCHRONISED
        assert opened.camera == "Door"
    with pytest.raises(EnvelopeError):
        content_key(header, [BoxKey(at.camera.clip_key(1).content_key)])
    with at.home.store.reading() as connection:
        row = connection.execute(select(table)).one()
    assert keys.table.unwrap(row.wrapped) != at.camera.clip_key(1).content_key


def test_nothing_of_a_copy_is_on_the_disk_in_the_clear(at: Desk) -> None:
    one = copy(at)
    with copies_of(at.home).open(one.id) as opened:
        plain = opened.read(0, opened.size)
    assert plain[4:8] == b"ftyp"
    for path in at.home.folder.path.rglob("*"):
        assert not path.is_file() or plain[1000:1100] not in path.read_bytes(), path


def test_a_part_begins_and_ends_where_it_was_chosen(at: Desk) -> None:
    one = copy(at, Redaction(begin_s=1.25, end_s=2.5))
    assert (one.facts.pictures, one.facts.lasts_s) == (12, pytest.approx(1.2, abs=0.01))
    with copies_of(at.home).open(one.id) as opened, at.home.vault().open(name(at)) as original:
        movie = read_movie(opened.read, opened.size)
        assert opened.info.at.wall_ns == original.info.at.wall_ns + 1_250_000_000
    assert movie is not None
    assert movie.duration == pytest.approx(1_200_000, abs=10)


def test_a_copy_that_fails_leaves_nothing(at: Desk) -> None:
    good = copies_of(at.home)
    broken = replace(good, media=Media(Bounds(film_bytes=100)))
    with at.home.vault().open(name(at)) as clip, pytest.raises(MediaError):
        broken.make(clip, BOX)
    assert list((at.home.folder.path / "shared").iterdir()) == []
    with at.home.store.reading() as connection:
        assert connection.execute(select(table)).all() == []


def test_a_copy_lives_as_long_as_a_grant_of_it_stands(at: Desk, them: BoxKey) -> None:
    copies, shares = copies_of(at.home), shares_of(at.home)
    one = copy(at)
    first, second = grant(at, one, them), grant(at, one, them)
    assert "made anew: everything outside a box black" in told(at)[-1]
    shares.revoke(first.id)
    copies.tidy()
    assert copies.find(one.id) == replace(one, there=True)
    shares.revoke(second.id)
    copies.tidy()
    found = copies.find(one.id)
    assert found is not None
    assert (found.there, found.facts) == (False, one.facts)
    with pytest.raises(ConfigError):
        copies.open(one.id)
    assert list((at.home.folder.path / "shared").iterdir()) == []


def told(at: Desk) -> list[str]:
    log = AuditSource(at.home.store, at.home.keys, at.home.clock).newest(99).entries
    return [f"{one.action}: {one.detail}" for one in reversed(log)]


def test_a_copy_that_nobody_was_granted_goes_after_an_hour_and_with_the_hub(at: Desk) -> None:
    copies = copies_of(at.home)
    one = copy(at)
    copies.tidy()
    assert copies.find(one.id) is not None
    at.clock.advance(DRAFT_NS / 1e9 + 1)
    copies.tidy()
    assert copies.find(one.id) is None
    other = copy(at)
    copies.sweep()
    assert copies.find(other.id) is None
    assert list((at.home.folder.path / "shared").iterdir()) == []


def test_a_copy_that_cant_be_removed_keeps_no_hub_from_starting(
    at: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(_self: VaultFiles, _clip: bytes) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    copy(at)
    monkeypatch.setattr(VaultFiles, "remove", refused)
    copies_of(at.home).sweep()
    assert [one.message for one in caplog.records] == [
        "what an earlier run left of clips to share can't be removed: Permission denied"
    ]


def test_deleting_the_incident_ends_its_copies_and_what_was_granted_of_them(at: Desk, them: BoxKey) -> None:
    share = grant(at, copy(at), them)
    with at.home.store.reading() as connection:
        (view,) = at.home.ledger().incidents()
        doomed = named(connection, [view.id])
    Deleter(at.home.folder, at.home.store, at.home.keys, at.clock).delete(doomed)
    assert state(shares_of(at.home).find(share.id), at.clock.wall_ns()) == REVOKED
    assert list((at.home.folder.path / "shared").iterdir()) == []


def test_a_new_table_key_takes_copies_along(at: Desk) -> None:
    one = copy(at)
    with rekeyed(at.home.folder, at.home.store, at.home.keys):
        pass
    with copies_of(at.home).open(one.id) as opened:
        assert opened.size
    found = copies_of(at.home).find(one.id)
    assert found == one


def test_what_is_handed_over_is_what_was_granted(at: Desk, them: BoxKey) -> None:
    one = copy(at)
    share = grant(at, one, them)
    copies: Copies = copies_of(at.home)
    handing = Handing(at.home.vault().files, copies.files)
    out = handing.clip(share)
    assert out.read(0, 1 << 30) == sealed(at, one)
    out.close()
    page = handing.page(share)
    content = b"".join(iter(lambda: page.read(0, 100_000), b""))
    page.close()
    assert len(content) == page.size
    assert content.startswith(b"<!doctype html>")
    assert b"https://" not in re.sub(rb"<script type=\"text/plain\".*?</script>", b"", content, flags=re.DOTALL)


def test_a_command_shares_a_clip_by_its_id_whole_or_made_anew(
    at: Desk, tmp_path: Path, made: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    key, state_of = make_key(secret), str(at.home.folder.path)
    words = ["--to", key.public.hex(), "--name", "Insurer", "--purpose", "claim 4711", "--expires", "7d", "--yes"]
    root = at.home.keys.root_fingerprint

    def shared(bundle: Path, *more: str) -> bytes:
        create = ["--state", state_of, "share", "create", name(at), *words, "-o", str(bundle), *more]
        assert main(create) == 0
        out, beside = bundle.with_suffix(".mp4"), f"{bundle}.scl1"
        opening = ["open", "--grant", str(bundle), "--clip", beside, "--key", str(secret), "--root", root]
        assert main([*opening, "-o", str(out)]) == 0
        return out.read_bytes()

    assert shared(tmp_path / "whole") == made
    anew = shared(tmp_path / "anew", "--box", "250,250,750,750", "--from", "1", "--until", "2.5")
    assert len(pictures(anew)) == 15
    assert pictures(anew)[0][1][:50].max() < 24
    said = capsys.readouterr().out
    assert "a copy under a key of its own, from 0:01.0 to 0:02.5, everything outside a box black" in said
    assert (
        main(["--state", state_of, "share", "create", name(at), *words, "-o", str(tmp_path / "no"), "--box", "1"]) == 2
    )
    assert len(list((at.home.folder.path / "shared").iterdir())) == 1
    (newest, _) = shares_of(at.home).list()
    assert main(["--state", state_of, "share", "revoke", newest.id]) == 0


# What is typed.


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ((True, "", "", ""), Redaction(people=True)),
        ((False, "0, 0,1000,1000", "0:05", "1:15.5"), Redaction(False, (0, 0, 1000, 1000), 5.0, 75.5)),
        ((False, "", "7.25", ""), Redaction(begin_s=7.25)),
    ],
)
def test_a_redaction_is_read_as_it_is_typed(typed: tuple[bool, str, str, str], meant: Redaction) -> None:
    assert redact.of_words(*typed) == meant


@pytest.mark.parametrize(
    ("area", "begin", "end"),
    [
        ("1,2,3", "", ""),
        ("0,0,1001,500", "", ""),
        ("500,500,510,900", "", ""),
        ("900,0,100,900", "", ""),
        ("-1,0,500,500", "", ""),
        ("", "soon", ""),
        ("", "5", "4"),
        ("", "5", "5"),
        ("", "", "99999"),
    ],
)
def test_what_is_no_redaction_is_misuse(area: str, begin: str, end: str) -> None:
    with pytest.raises(ConfigError):
        redact.of_words(False, area, begin, end)


def test_times_for_the_media_process_count_from_what_it_is_fed() -> None:
    job = redact.job(Redaction(True, (0, 100, 500, 1000), 12.5, 20.0), 12.0)
    assert (job.begin_us, job.end_us, job.area) == (500_000, 8_000_000, Area(0, 0.1, 0.5, 1))
    facts = redact.facts(BOX, Done(0, 1_400_000, 15, 640, 360, 3))
    assert facts.lasts_s == pytest.approx(1.5)
    assert redact.unpack(redact.pack(facts)) == facts


def test_a_beginning_ends_where_a_whole_fragment_does(made: bytes) -> None:
    movie = read_movie(lambda offset, length: made[offset : offset + length], len(made))
    assert movie is not None
    assert beginnings(movie, len(made)) == ()  # it has one segment: its beginning is all of it
    long = replace(movie, fragments=movie.fragments, end=3 * SEGMENT_BYTES)
    found = beginnings(long, 3 * SEGMENT_BYTES + 10)
    assert [one.segment for one in found] == [0, 1, 2]
    assert found[-1].until_s == movie.duration / movie.timescale


def test_a_key_is_read_from_what_was_pasted_and_never_from_a_path(tmp_path: Path, them: BoxKey) -> None:
    digits = them.public.hex()
    for text in (
        digits,
        digits.upper(),
        f"# mine\n{digits}\n",
        " ".join(re.findall("....", digits)),
        digits[:32] + "\n" + digits[32:],
    ):
        assert read_recipient(text) == them.public
    path = tmp_path / "public"
    path.write_text(digits)
    with pytest.raises(ConfigError, match="no recipient's key"):
        read_recipient(str(path))
    make_key(tmp_path / "secret")
    with pytest.raises(ConfigError, match="is a secret key"):
        read_recipient((tmp_path / "secret").read_text())


# The room.


@pytest.fixture
def one(at: Desk) -> Visitor:
    return Visitor(console(at)).sign_in()


def console(at: Desk) -> object:
    home = at.home
    return create(
        home.ledger(),
        Feed(),
        hosts=("localhost",),
        door=FakeDoor(TOKEN),
        arm=lambda *_: None,
        clock=at.clock.wall_ns,
        boot=at.clock.boot_ns,
        log=AuditSource(home.store, home.keys, home.clock),
        clips=Clips(home.vault(), home.fetching().ask),
        parts=(room_of(home),),
    )


def begun(at: Desk, one: Visitor, **fields: str) -> str:
    """A draft of the clip as it was signed; its address."""
    sent = {"csrf": one.csrf(), "way": "signed", "upto": ""} | fields
    answer = one.post(f"/sharing/clip/{name(at)}", sent)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def agreed(one: Visitor, draft: str, them: BoxKey, **fields: str) -> int:
    sent = {"csrf": one.csrf(), "seen": "yes", "key": them.public.hex(), "name": "Insurer", "why": "share"}
    return one.post(f"{draft}/terms", sent | {"purpose": "claim", "days": "7d"} | fields).status_code


def test_a_share_is_granted_by_the_last_step_alone(at: Desk, one: Visitor, them: BoxKey) -> None:
    draft = begun(at, one)
    assert "opened: a clip, watched" in told(at)
    assert agreed(one, draft, them) == 303
    assert "What can't be taken back" in one.get(draft).text.replace("&#39;", "'")
    assert shares_of(at.home).list() == ()
    answer = one.post(f"{draft}/share", {"csrf": one.csrf()})
    (share,) = shares_of(at.home).list()
    assert answer.headers["location"] == f"/sharing/{share.id}"
    given = one.post(f"/sharing/{share.id}/give/grant", {"csrf": one.csrf()})
    assert given.content == share.bundle
    assert one.post(f"/sharing/{share.id}/revoke", {"csrf": one.csrf()}).status_code == 303
    assert state(shares_of(at.home).find(share.id), at.clock.wall_ns()) == REVOKED
    refused = one.post(f"/sharing/{share.id}/give/grant", {"csrf": one.csrf()})
    assert refused.status_code >= 400
    assert [line.split(":")[0] for line in told(at)][-3:] == ["shared", "served", "revoked"]


def test_without_looking_without_a_key_and_without_a_name_nothing_goes_on(at: Desk, one: Visitor, them: BoxKey) -> None:
    draft = begun(at, one)
    for wrong in ({"seen": ""}, {"key": "abc"}, {"key": "00" * 32}, {"name": " "}, {"purpose": ""}, {"days": "1000d"}):
        assert agreed(one, draft, them, **wrong) >= 400
    assert one.post(f"{draft}/share", {"csrf": one.csrf()}).status_code >= 400
    assert shares_of(at.home).list() == ()


def test_a_key_comes_in_a_picture_of_its_code_and_a_wrong_picture_leaves_what_was_typed(
    at: Desk, one: Visitor, them: BoxKey
) -> None:
    draft = begun(at, one)
    code = photo(them.public.hex().upper())
    sent = {"seen": "yes", "key": "", "name": "Insurer", "why": "share", "purpose": "claim", "days": "30d"}

    def asked(picture: bytes, **fields: str) -> httpx.Response:
        form = sent | {"csrf": one.csrf()} | fields
        headers, files = {"sec-fetch-site": "same-origin"}, {"picture": ("IMG_1.jpg", picture, "image/jpeg")}
        return one.ask("POST", f"{draft}/terms", data=form, files=files, headers=headers)

    before = told(at)
    for wrong in (asked(code[:2000]), asked(code, key="ab")):
        assert wrong.status_code == 409
        assert "data-problem" in wrong.text
        assert 'value="Insurer"' in wrong.text
        assert 'value="claim"' in wrong.text
        assert 'value="30d" selected' in wrong.text
    assert asked(code, csrf="x").status_code == 403
    assert asked(bytes(MOST_PICTURE_BYTES + 20_000)).status_code == 413
    assert asked(code).status_code == 303
    assert key_name(them.public) in one.get(draft).text
    assert told(at) == before


def test_a_draft_is_its_sessions_alone_and_no_form_of_another_site_counts(at: Desk, one: Visitor, them: BoxKey) -> None:
    draft = begun(at, one)
    other = Visitor(one._client._transport.app).sign_in()  # type: ignore[attr-defined]
    for path in (draft, f"{draft}/video"):
        assert other.get(path).status_code >= 400
    for way in ("terms", "share", "drop"):
        assert other.post(f"{draft}/{way}", {"csrf": other.csrf()}).status_code >= 400
        assert one.post(f"{draft}/{way}", {"csrf": "x"}).status_code == 403
        assert one.post(f"{draft}/{way}", {"csrf": one.csrf()}, sec_fetch_site="cross-site").status_code == 403
    assert one.get(draft).status_code == 200


def test_without_a_session_every_address_is_shut(at: Desk, one: Visitor) -> None:
    draft = begun(at, one)
    stranger = Visitor(one._client._transport.app)  # type: ignore[attr-defined]
    for path in ("/sharing", f"/sharing/clip/{name(at)}", draft, f"{draft}/video", f"/sharing/{'0' * 16}"):
        answer = stranger.get(path)
        assert "Insurer" not in answer.text
        assert "What shall leave" not in answer.text
        assert "would leave" not in answer.text
    assert stranger.post(f"/sharing/clip/{name(at)}", {"way": "signed"}).status_code != 303


def test_a_consent_is_a_grant_that_says_so(at: Desk, one: Visitor, them: BoxKey) -> None:
    draft = begun(at, one)
    assert agreed(one, draft, them, why="improve", purpose="") == 303
    one.post(f"{draft}/share", {"csrf": one.csrf()})
    (share,) = shares_of(at.home).list()
    assert share.grant.purpose == "To improve the software"
    assert state(share, at.clock.wall_ns()) == VALID
    page = one.get("/sharing").text
    assert page.index("Improving the software") < page.index(share.id)


def test_nothing_is_shared_and_no_recipient_is_named_before_the_owner_does(at: Desk, one: Visitor) -> None:
    page = one.get("/sharing").text
    assert "Nobody has anything" in page
    assert "You have given nobody a clip for that" in page


@pytest.mark.parametrize(
    "path", ["/sharing/clip/zz", f"/sharing/clip/{'0' * 32}", "/sharing/zz", f"/sharing/{'0' * 16}"]
)
def test_what_is_not_there_is_not_there(one: Visitor, path: str) -> None:
    assert one.get(path).status_code == 404


def test_a_copy_of_what_is_not_here_any_more_is_refused(at: Desk) -> None:
    with pytest.raises(SealcamError):
        copies_of(at.home).open("0" * 32)


@pytest.mark.parametrize("area", ["", "  "])
def test_a_box_that_is_ticked_and_missing_is_no_whole_picture(at: Desk, one: Visitor, area: str) -> None:
    form = {"csrf": one.csrf(), "way": "anew", "black": "yes", "area": area}
    assert "The box is missing" in one.post(f"/sharing/clip/{name(at)}", form).text


def test_sharing_is_the_owners_alone(one: Visitor) -> None:
    routes = [route for route in one._client._transport.app.routes if route.path.startswith("/sharing")]  # type: ignore[attr-defined]
    assert len(routes) > 10
    somebody = Person(1, "Anna", Role.MEMBER)
    assert not [route.path for route in routes for way in ("GET", "POST") if may(somebody, way, route.path)]
