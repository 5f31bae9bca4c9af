"""Whatever happens to a ledger, the timeline finds what opening every incident finds: from memory, or without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from sealcam.wire import schema
from sealcam.wire.bodies import EventType, IncidentBody, Mode, Stage, Subject, Trigger, Verdict
from sealcam_hub import deletion, gists
from sealcam_hub.gists import Wanted
from sealcam_hub.home import Home
from sealcam_hub.inbox import Message
from sealcam_hub.receive import Receiver
from sealcam_hub.timeline import Timeline
from tests.hubs import NS, WALL_NS, Camera, opened

INCIDENTS = 9
WORDS = ("gate", "sauna", "two", "people")
ALL = 1000

reports = st.tuples(
    st.just("report"),
    st.integers(0, 1),
    st.integers(1, INCIDENTS),
    st.sampled_from([Verdict.THREAT, Verdict.BENIGN]),
    st.sampled_from([Subject.PERSON, Subject.ANIMAL]),
    st.sampled_from(WORDS),
    st.booleans(),  # whether the next one of this camera comes before it
)
deeds = st.one_of(
    reports,
    reports,
    st.tuples(st.just("delete"), st.integers(0, 1), st.integers(1, INCIDENTS)),
    st.tuples(st.just("keep up")),
)
filters = st.builds(
    lambda camera, subject, verdict, words, since, until: (camera, subject, verdict, words, since, until),
    st.sampled_from([None, 0, 1]),
    st.sampled_from(["", "person", "animal"]),
    st.sampled_from(["", "threat", "benign"]),
    st.sets(st.sampled_from([*WORDS, "threat", "door"]), max_size=2),
    st.sampled_from([None, 3]),
    st.sampled_from([None, 12]),
)


class Hub:
    """Two cameras whose reports may overtake each other, and two timelines: one is kept up, the other never is."""

    def __init__(self, home: Home, most: int) -> None:
        self.home = home
        self.receiver = Receiver(home.store, home.keys, home.clock)
        self.cameras = [Camera(), Camera()]
        for camera, name in zip(self.cameras, ("Street", "Door"), strict=True):
            camera.claim(home, name)
        self.kept = Timeline(home.store, home.keys.table, home.ledger(), most)
        self.bare = home.timeline()
        self.held: list[list[bytes]] = [[], []]
        self.came = 0

    def report(self, which: int, number: int, verdict: Verdict, subject: Subject, word: str, overtaken: bool) -> None:
        camera = self.cameras[which]
        body = IncidentBody(
            incident=number.to_bytes(8, "big"),
            stage=Stage.UPDATE,
            at=camera.stamp(),
            trigger=Trigger.MOTION,
            started_ns=90 * NS,
            ended_ns=99 * NS,
            subject=subject,
            confidence_permille=875,
            verdict=verdict,
            threat_permille=100,
            reasons=(f"seen at “{word}”",),
            mode=Mode.HOME,
        )
        made = camera.event(EventType.INCIDENT, schema.encode(body))
        if overtaken:
            self.held[which].append(made)
            return
        self.take(which, made)
        for one in reversed(self.held[which]):
            self.take(which, one)
        self.held[which].clear()

    def take(self, which: int, envelope: bytes) -> None:
        self.came += 1
        self.receiver.take_all([Message(self.cameras[which].alias, envelope, WALL_NS + self.came * NS)])

    def delete(self, which: int, number: int) -> None:
        name = f"{self.cameras[which].alias}-{number:016x}"
        if self.home.ledger().incident(name) is not None:
            with self.home.store.reading() as connection:
                doomed = deletion.named(connection, [name])
            self.home.deleter().delete(doomed)

    def opened(self, wanted: Wanted) -> list[str]:
        """What the filter wants of all that there is, by opening all of it."""
        views = self.home.ledger().incidents(ALL)
        since, until = wanted.since_ns or 0, wanted.until_ns or 1 << 63
        return [
            one.id
            for one in views
            if wanted.camera in ("", one.alias)
            and since <= one.arrived_ns < until
            and gists.of(one).meets(wanted, one.camera_name)
        ]

    def wanted(self, asked: tuple[int | None, str, str, set[str], int | None, int | None]) -> Wanted:
        camera, subject, verdict, words, since, until = asked
        return Wanted(
            "" if camera is None else self.cameras[camera].alias,
            subject,
            verdict,
            tuple(words),
            None if since is None else WALL_NS + since * NS,
            None if until is None else WALL_NS + until * NS,
        )


def paged(timeline: Timeline, wanted: Wanted) -> Iterator[str]:
    """All that a timeline finds, three on a page."""
    before = None
    while True:
        page = timeline.page(wanted, 3, before)
        yield from (one.id for one in page.incidents)
        if page.older is None:
            return
        before = page.older


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(deeds, filters), min_size=1, max_size=25), st.sampled_from([4, 100_000]))
def test_what_is_found_is_what_opening_everything_finds(
    steps: Sequence[tuple[tuple[object, ...], object]], most: int
) -> None:
    with TemporaryDirectory() as folder, opened(Path(folder) / "hub") as home:
        hub = Hub(home, most)
        for (deed, *arguments), asked in steps:
            if deed == "report":
                hub.report(*arguments)  # type: ignore[arg-type]
            elif deed == "delete":
                hub.delete(*arguments)  # type: ignore[arg-type]
            else:
                hub.kept.keep_up()
            wanted = hub.wanted(asked)  # type: ignore[arg-type]
            assert list(paged(hub.kept, wanted)) == hub.opened(wanted)
        hub.kept.keep_up()
        assert list(paged(hub.bare, Wanted())) == list(paged(hub.kept, Wanted())) == hub.opened(Wanted())
