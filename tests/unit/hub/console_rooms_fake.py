"""What the rooms of a home's own pages ask, without a hub: implements their protocols, and takes their stimulus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sealcam.wire.errors import ConfigError
from sealcam.wire.wishes import CommandType
from sealcam_hub import rules
from sealcam_hub.camera_facts import Asked, CameraFacts, Health
from sealcam_hub.deletion_source import Doom
from sealcam_hub.gists import Wanted
from sealcam_hub.recovery_state import Recipient, RecoveryState
from sealcam_hub.rules import Rule
from sealcam_hub.rules_ledger import KeptRule
from sealcam_hub.timeline import Page
from sealcam_hub.views import CameraView, IncidentView
from sealcam_hub.wish_words import kind_of
from tests.unit.hub.console_fake import NOW_NS, PORCH, FakeSource

FACTS = CameraFacts(
    kid="a1" * 8,
    public="b2" * 32,
    epoch=3,
    epoch_since_ns=NOW_NS - 86_400_000_000_000,
    prekey=7,
    recipient_set=2,
    enrolled_ns=NOW_NS - 40 * 86_400_000_000_000,
    cover=False,
    head_seq=812,
    clips=31,
    clip_bytes=412_000_000,
    health=(Health(NOW_NS - 7_200_000_000_000, "the picture was dark for 4 min: is something before the lens?"),),
)
RECOVERY = RecoveryState(
    backed_up_ns=None,
    tried_ns=None,
    throwaway=False,
    fingerprint="c3" * 32,
    set_number=2,
    recipients=(
        Recipient("d4" * 8, words=False, home=True, name="this hub"),
        Recipient("e5" * 8, words=True, home=False, name="your 24 words"),
    ),
    deletions_pending=0,
)


@dataclass
class FakeTimeline:
    """Finds what it is given, whatever is asked; `asked` keeps what was."""

    found: Sequence[IncidentView]
    older: int | None = None
    asked: list[tuple[Wanted, int, int | None]] = field(default_factory=list)

    def page(self, wanted: Wanted, size: int, before: int | None = None) -> Page:
        """As given."""
        self.asked.append((wanted, size, before))
        return Page(tuple(self.found), self.older)


@dataclass
class FakeCameras:
    """The cameras of `source`, which take what they are asked when they are told to."""

    source: FakeSource
    known: dict[CommandType, Asked] = field(default_factory=dict)
    wishes: list[object] = field(default_factory=list)
    told: CameraFacts = FACTS

    def view(self, alias: str) -> CameraView | None:
        """By its alias."""
        return next((one for one in self.source.there if one.alias == alias), None)

    def facts(self, alias: str) -> CameraFacts | None:
        """The same for each."""
        return self.told if alias == PORCH else None

    def asked(self, alias: str) -> dict[CommandType, Asked]:
        """What was asked of any."""
        return self.known

    def wish(self, alias: str, body: object) -> None:
        """Take a wish, which waits."""
        self.wishes.append(body)
        self.known[kind_of(body)] = Asked(body, NOW_NS, "waits")

    def answers(self, kind: CommandType, state: str, why: str = "") -> None:
        """A camera has said something."""
        self.known[kind] = replace(self.known[kind], state=state, why=why)


@dataclass
class FakeHousehold:
    """Rules in a list."""

    kept: list[KeptRule] = field(default_factory=list)
    state: RecoveryState = RECOVERY

    def recovery(self) -> RecoveryState:
        """As given."""
        return self.state

    def tried(self) -> None:
        """Now."""
        self.state = replace(self.state, tried_ns=NOW_NS)

    def rules(self) -> Sequence[KeptRule]:
        """The oldest first."""
        return self.kept

    def zones(self) -> Sequence[str]:
        """Two of them."""
        return "Hall", "Sofa"

    def make(self, rule: Rule) -> None:
        """Under the real rule for rules."""
        self.kept.append(KeptRule(len(self.kept) + 1, rules.check(rule)))

    def take_back(self, number: int) -> None:
        """By its number."""
        if all(one.number != number for one in self.kept):
            raise ConfigError("there is no such rule", "it may have been taken back already")
        self.kept = [one for one in self.kept if one.number != number]


@dataclass
class FakeDeletions:
    """What can be deleted is given; `done` keeps what was."""

    source: FakeSource
    clips: dict[str, Doom] = field(default_factory=dict)
    done: list[Doom] = field(default_factory=list)
    error: Exception | None = None

    def incident(self, incident: str) -> Doom | None:
        """Of the source's."""
        found = self.source.incident(incident)
        return None if found is None else Doom(found, None, 1)

    def clip(self, clip: str) -> Doom | None:
        """As given."""
        return self.clips.get(clip)

    def delete(self, doom: Doom) -> None:
        """Note it; an incident is gone then."""
        if self.error is not None:
            raise self.error
        self.done.append(doom)
        if doom.clip is None:
            self.source.shown = [one for one in self.source.shown if one != doom.incident]
