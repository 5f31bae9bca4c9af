"""Sharing a clip: what the owner confirms, what the recipient opens without a hub, and what ends it."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select

from sealcam.wire.audit import entry_hash, verify_log
from sealcam.wire.bodies import Run
from sealcam.wire.clip import SCL1, BytesSource, ClipInfo, ClipWriter, State
from sealcam.wire.errors import ConfigError, EnvelopeError, SealcamError, StorageError
from sealcam.wire.keys import BoxKey, key_id
from sealcam.wire.statement_kinds import Action, LogEntry
from sealcam_hub import audit, refusals
from sealcam_hub.cli import main
from sealcam_hub.clip_keys import known_clip
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.home import Home, open_home
from sealcam_hub.recipient import load_key, make_key, open_shared, parse_recipient
from sealcam_hub.shares import EXPIRED, REVOKED, VALID, Shares, Terms, may_serve, state
from sealcam_hub.tables import cameras, clips, prekeys
from tests.hubs import NS, WALL_NS, Camera, make

DAY_NS = 86_400 * NS
PLAIN = b"".join(number.to_bytes(8, "big") for number in range(300_000))  # 2.4 MB: segments 0 to 2
SEGMENT = SCL1.chunk_bytes * SCL1.segment_chunks


def sealed(camera: Camera, plain: bytes, *, finish: bool = True, clip: bytes = b"a clip's own id!") -> bytes:
    """A clip as that camera writes one."""
    file, recipients = io.BytesIO(), [camera.prekey.public, *camera.others]
    info = ClipInfo(incident=b"incident", at=camera.stamp(), media="video/mp4", part=0)
    writer = ClipWriter(file, camera.signer, recipients, clip=clip, info=info, epoch=1, recipient_set=1)
    writer.write(plain)
    if finish:
        writer.finish()
    return file.getvalue()


@dataclass
class House:
    """A hub with one camera and a clip of it, a recipient with a key, and a folder for what is handed over."""

    home: Home
    clock: SimulatedClock
    camera: Camera
    them: BoxKey
    path: Path

    @property
    def shares(self) -> Shares:
        return Shares(self.home.store, self.home.keys, self.clock)

    @property
    def fingerprint(self) -> str:
        return self.home.keys.root_fingerprint

    def terms(self, **changed: object) -> Terms:
        values = {"recipient": self.them.public, "name": "Insurer", "purpose": "claim 4711", "lasting_ns": DAY_NS}
        return Terms(**(values | changed))  # type: ignore[arg-type]

    def share(self, segments: tuple[Run, ...] | None = None, /, **changed: object) -> str:
        source = BytesSource((self.path / "clip").read_bytes())
        share = self.shares.create(self.shares.offer(source, segments), self.terms(**changed))
        (self.path / "bundle").write_bytes(share.bundle)
        return share.id

    def opens(
        self, out: str = "out", now_ns: int = WALL_NS, clip: str = "clip", key: BoxKey | None = None
    ) -> State | None:
        root = bytes.fromhex(self.fingerprint)
        bundle, output = self.path / "bundle", self.path / out
        return open_shared(bundle, self.path / clip, key or self.them, root, output, now_ns).status.state

    def log(self) -> tuple[LogEntry, ...]:
        with self.home.store.reading() as connection:
            return verify_log(audit.entries(connection), [self.home.keys.operating.public]).entries

    def hub(self, *words: str) -> int:
        return main(["--state", str(self.home.folder.path), *words])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = SimulatedClock(wall_ns=WALL_NS)
    with open_home(make(tmp_path / "hub"), clock) as home:
        camera = Camera()
        camera.claim(home)
        handed = tmp_path / "handed"
        handed.mkdir()
        (handed / "clip").write_bytes(sealed(camera, PLAIN))
        yield House(home, clock, camera, BoxKey(b"t" * 32), handed)


def test_what_is_shared_is_opened_without_a_hub(house: House) -> None:
    house.share()
    assert house.opens() is State.COMPLETE
    assert (house.path / "out").read_bytes() == PLAIN
    assert stat.S_IMODE((house.path / "out").stat().st_mode) == 0o600


def test_of_a_part_nothing_else_is_opened(house: House) -> None:
    house.share((Run(first=0, last=0), Run(first=2, last=2)))
    assert house.opens() is None
    assert (house.path / "out").read_bytes() == PLAIN[:SEGMENT] + PLAIN[2 * SEGMENT :]


def test_a_grant_past_its_date_is_refused_and_what_was_kept_is_deleted(house: House) -> None:
    house.share()
    house.opens()
    (house.path / "mine").write_text("something else that is here")
    with pytest.raises(EnvelopeError):
        house.opens("mine", WALL_NS + DAY_NS)
    assert (house.path / "mine").exists()  # not this grant's
    assert (house.path / "out").exists()
    house.share()
    (house.path / "out").unlink()
    house.opens()
    with pytest.raises(EnvelopeError):
        house.opens("out", WALL_NS + DAY_NS)
    assert sorted(one.name for one in house.path.iterdir()) == ["clip", "mine"]


def test_another_recipient_another_clip_and_another_owner_are_refused_alike(house: House) -> None:
    house.share()
    (house.path / "another").write_bytes(sealed(house.camera, PLAIN, clip=b"another clip id."))
    with pytest.raises(EnvelopeError):
        house.opens(key=BoxKey.generate())
    with pytest.raises(EnvelopeError):
        house.opens(clip="another")
    with pytest.raises(EnvelopeError):
        open_shared(house.path / "bundle", house.path / "clip", house.them, bytes(32), house.path / "out", WALL_NS)
    assert not (house.path / "out").exists()
    root = house.home.keys.root_public  # instead of its fingerprint
    open_shared(house.path / "bundle", house.path / "clip", house.them, root, house.path / "out", WALL_NS)


def test_a_changed_clip_leaves_nothing_behind(house: House) -> None:
    house.share()
    data = bytearray((house.path / "clip").read_bytes())
    data[-1000] ^= 1
    (house.path / "clip").write_bytes(data)
    with pytest.raises(EnvelopeError):
        house.opens()
    assert sorted(one.name for one in house.path.iterdir()) == ["bundle", "clip"]


def test_a_file_that_is_there_is_not_written_over(house: House) -> None:
    house.share()
    (house.path / "out").write_text("mine")
    with pytest.raises(StorageError, match="there already"):
        house.opens()
    assert (house.path / "out").read_text() == "mine"


def test_sharing_and_revoking_are_entries_and_the_grant_names_the_one_before(house: House) -> None:
    share_id = house.share()
    house.clock.advance(60)
    house.shares.serve(share_id)
    house.shares.revoke(share_id)
    told = [one for one in house.log() if one.action in (Action.SHARED, Action.SERVED, Action.REVOKED)]
    assert [one.action for one in told] == [Action.SHARED, Action.SERVED, Action.REVOKED]
    assert all((one.subject, one.recipient) == (b"a clip's own id!", house.them.public) for one in told)
    assert f"{share_id}: clip of Door to Insurer, the whole, for: claim 4711" == told[0].detail
    (share,) = house.shares.list()
    assert share.grant.log_prev == told[0].prev
    with house.home.store.reading() as connection:
        signed = list(audit.entries(connection))
    assert entry_hash(signed[-1]) == audit_head(house)


def audit_head(house: House) -> bytes:
    with house.home.store.reading() as connection:
        return audit.head(connection).hash


def test_what_expired_or_was_revoked_is_handed_over_no_more(house: House) -> None:
    first, second = house.share(), house.share(lasting_ns=NS)
    house.shares.revoke(first)
    house.clock.advance(1)
    shares = {one.id: one for one in house.shares.list()}
    now_ns = house.clock.wall_ns()
    assert [state(shares[one], now_ns) for one in (first, second)] == [REVOKED, EXPIRED]
    assert not any(may_serve(one, now_ns) for one in shares.values())
    for one in (first, second):
        with pytest.raises(SealcamError, match=f"{one} is (revoked|expired)"):
            house.shares.serve(one)
    with pytest.raises(ConfigError, match="revoked already"):
        house.shares.revoke(first)
    with pytest.raises(ConfigError, match="no grant"):
        house.shares.revoke("0" * 16)
    third = house.share()
    assert state(house.shares.list()[0], now_ns) == VALID
    assert house.shares.serve(third).bundle == (house.path / "bundle").read_bytes()


def test_only_a_clip_of_this_home_is_shared(house: House) -> None:
    stranger = Camera()
    stranger.claim(house.home, "Shed")
    stranger.signer = Camera().signer
    clip = sealed(house.camera, PLAIN)
    broken = bytearray(clip)
    broken[2_000_000] ^= 1
    foreign = Camera()
    foreign.prekey, foreign.others = house.camera.prekey, []
    for data, segments in (
        (sealed(stranger, PLAIN), None),
        (sealed(foreign, PLAIN), None),
        (bytes(broken), None),
        (clip, (Run(first=3, last=3),)),
        (clip, (Run(first=1, last=0),)),
        (clip[:-200], (Run(first=2, last=2),)),
        (b"", None),
        (b"x" * 5000, None),
    ):
        with pytest.raises(SealcamError, match="can't be shared"):
            house.shares.offer(BytesSource(data), segments)


def test_a_cut_clip_is_offered_as_what_it_is(house: House) -> None:
    (house.path / "clip").write_bytes(sealed(house.camera, PLAIN, finish=False)[:1_500_000])
    house.share()
    assert house.opens() is State.CUT
    out = (house.path / "out").read_bytes()
    assert PLAIN.startswith(out)
    assert len(out) > SEGMENT


def test_terms_that_are_no_words_are_misuse(house: House) -> None:
    for changed in ({"name": ""}, {"name": "x" * 65}, {"name": "a\nb"}, {"purpose": " "}, {"purpose": "x" * 501}):
        with pytest.raises(ConfigError, match="printable"):
            house.share(**changed)
    with pytest.raises(ConfigError, match="nothing can be sealed"):
        house.share(recipient=b"\1" + bytes(31))
    assert house.shares.list() == ()
    assert not [one for one in house.log() if one.action is Action.SHARED]


def test_keys_of_recipients_are_files_that_cannot_be_mistaken(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    key = make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path).secret == key.secret
    with pytest.raises(StorageError, match="there already"):
        make_key(path)
    with pytest.raises(ConfigError, match="is a secret key"):
        parse_recipient(str(path))
    public = tmp_path / "public"
    public.write_text(f"# from the insurer\n{key.public.hex()}\n")
    assert parse_recipient(str(public)) == parse_recipient(key.public.hex().upper()) == key.public
    with pytest.raises(ConfigError, match="no recipient's key"):
        load_key(public)
    for text in ("", "xyz", "\xff", key.public.hex() + "\n" + key.public.hex()):
        public.write_text(text)
        with pytest.raises(ConfigError, match="no recipient's key"):
            parse_recipient(str(public))
    with pytest.raises(ConfigError, match="nothing can be sealed"):
        parse_recipient("01" + "00" * 31)
    with pytest.raises(ConfigError, match="can't be read"):
        parse_recipient(str(tmp_path / "nowhere"))


# The command lines.


def test_a_clip_is_shared_opened_and_revoked_by_commands(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, bundle, out = (str(tmp_path / name) for name in ("secret", "bundle", "out"))
    assert main(["share", "key", "-o", secret]) == 0
    told = dict(line.split(": ") for line in capsys.readouterr().out.splitlines()[:2])
    public = told["public key"]
    assert told["fingerprint"].replace(" ", "") == key_id(bytes.fromhex(public)).hex()

    clip = str(house.path / "clip")
    words = ["--to", public, "--name", "Insurer", "--purpose", "claim 4711", "--expires", "7d"]
    assert house.hub("share", "create", clip, *words, "--segments", "1-2", "-o", bundle, "--yes") == 0
    said = capsys.readouterr().out
    for part in (
        "clip " + b"a clip's own id!".hex() + " of Door",
        "segments 1-2",
        "Insurer, key " + told["fingerprint"],
    ):
        assert part in said
    assert "can't be taken back" in said
    nowhere = ["--state", str(tmp_path / "nowhere")]
    opening = ["open", "--grant", bundle, "--clip", bundle + ".scl1", "--key", secret, "-o", out]
    assert main([*nowhere, *opening, "--root", house.fingerprint]) == 0
    assert Path(out).read_bytes() == PLAIN[SEGMENT:]
    assert "for: claim 4711" in capsys.readouterr().out
    assert (tmp_path / "bundle.scl1").stat().st_size == (house.path / "clip").stat().st_size

    Path(out).unlink()
    assert main([*nowhere, *opening, "--root", "00" * 32]) == 1
    assert capsys.readouterr().err == f"sealcam-hub: error: refused\nhint: {refusals.GRANT}\n"

    assert house.hub("share", "list", "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["state"], row["name"], row["segments"], row["recipient"]) == ("valid", "Insurer", "1-2", public)
    assert house.hub("share", "list") == 0
    assert "Insurer, key " in capsys.readouterr().out
    assert house.hub("share", "give", row["id"], "-o", str(tmp_path / "again")) == 0
    assert (tmp_path / "again").read_bytes() == (tmp_path / "bundle").read_bytes()
    assert house.hub("share", "revoke", row["id"]) == 0
    assert "can't be called back" in capsys.readouterr().out
    assert house.hub("share", "give", row["id"], "-o", str(tmp_path / "third")) == 1
    assert not (tmp_path / "third").exists()
    assert house.hub("share", "list") == 0
    assert " revoked " in capsys.readouterr().out


def test_an_expired_grant_is_refused_by_the_command_and_its_leavings_deleted(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long_ago = Shares(house.home.store, house.home.keys, SimulatedClock(wall_ns=NS))
    secret = tmp_path / "secret"
    house.them = make_key(secret)
    source = BytesSource((house.path / "clip").read_bytes())
    bundle, out = house.path / "bundle", house.path / "out"
    bundle.write_bytes(long_ago.create(long_ago.offer(source, None), house.terms()).bundle)
    house.opens(now_ns=NS)
    words = ["--grant", str(bundle), "--clip", str(house.path / "clip"), "--key", str(secret), "-o", str(out)]
    assert main(["open", *words, "--root", house.fingerprint]) == 1
    told = capsys.readouterr().err
    assert told.startswith("sealcam-hub: error: refused: this grant has expired\nhint: deleted here")
    assert all(str(one) in told for one in (bundle, out))
    assert sorted(one.name for one in house.path.iterdir()) == ["clip"]


@pytest.mark.parametrize(
    "words",
    [
        ["share", "create", "CLIP", "--to", "00", "--name", "a", "--purpose", "b", "--expires", "1d", "-o", "OUT"],
        ["share", "create", "CLIP", "--to", "KEY", "--name", "a", "--purpose", "b", "--expires", "soon", "-o", "OUT"],
        ["share", "create", "CLIP", "--to", "KEY", "--name", "a", "--purpose", "b", "--expires", "0d", "-o", "OUT"],
        ["share", "create", "CLIP", "--to", "KEY", "--name", "", "--purpose", "b", "--expires", "1d", "-o", "OUT"],
        ["share", "create", "NONE", "--to", "KEY", "--name", "a", "--purpose", "b", "--expires", "1d", "-o", "OUT"],
        ["share", "create", "CLIP", "--to", "KEY", "--name", "a", "--purpose", "b", "--expires", "1d", "-o", "OUT"],
        ["share", "revoke", "00"],
        ["open"],
        ["open", "CLIP", "--grant", "CLIP"],
        ["open", "--grant", "CLIP"],
        ["open", "--grant", "CLIP", "--clip", "CLIP", "--key", "CLIP", "--root", "00", "-o", "OUT"],
    ],
)
def test_misuse_shares_nothing(house: House, tmp_path: Path, words: list[str]) -> None:
    names = {"CLIP": house.path / "clip", "NONE": tmp_path / "none", "OUT": tmp_path / "out"}
    typed = [str(names.get(word, house.them.public.hex() if word == "KEY" else word)) for word in words]
    assert house.hub(*typed) == 2
    assert not (tmp_path / "out").exists()
    assert house.shares.list() == ()


def test_what_was_deleted_is_not_shared(house: House) -> None:
    with house.home.store.writing() as connection:
        camera = connection.execute(select(cameras.c.id)).scalar_one()
        row = {"clip": b"a clip's own id!", "camera": camera, "event": b"e" * 32, "wrapped": None}
        connection.execute(insert(clips).values(**row))
    with pytest.raises(SealcamError, match="was deleted"):
        house.share()


@pytest.mark.parametrize("known", [True, False], ids=["told by an event", "known by its slots alone"])
def test_what_is_deleted_while_the_owner_thinks_about_it_is_not_shared(house: House, known: bool) -> None:
    offer = house.shares.offer(BytesSource((house.path / "clip").read_bytes()), None)
    with house.home.store.writing() as connection:  # another process, after the offer
        if known:
            camera = connection.execute(select(cameras.c.id)).scalar_one()
            row = {"clip": offer.clip.header.clip, "camera": camera, "event": b"e" * 32, "wrapped": None}
            connection.execute(insert(clips).values(**row))
        else:
            connection.execute(delete(prekeys))
    with pytest.raises(SealcamError, match="was deleted" if known else "doesn't open any more"):
        house.shares.create(offer, house.terms())
    assert house.shares.list() == ()
    assert Action.SHARED not in [entry.action for entry in house.log()]


def test_a_key_that_an_event_brought_opens_what_no_prekey_opens_any_more(house: House) -> None:
    source = BytesSource((house.path / "clip").read_bytes())
    with house.home.store.reading() as connection:
        found = known_clip(connection, house.home.keys, source)
    with house.home.store.writing() as connection:
        connection.execute(delete(prekeys))
        with pytest.raises(EnvelopeError):
            known_clip(connection, house.home.keys, source)
        camera = connection.execute(select(cameras.c.id)).scalar_one()
        row = {"clip": found.header.clip, "camera": camera, "event": b"e" * 32}
        connection.execute(insert(clips).values(**row, wrapped=house.home.keys.table.wrap(found.content_key)))
    house.share()
    assert house.opens() is State.COMPLETE
