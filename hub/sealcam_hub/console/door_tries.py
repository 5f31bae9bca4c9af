"""Passphrases as they are typed at the door: whose it is, whether it holds, and how long a wrong one makes wait.

Hashed on a thread of its own, one at a time. Strangers' tries wait by whom they try: the owner's apart from everybody
else's. A member who signs in doesn't forgive the wrong tries under other names: somebody who has one passphrase
could otherwise guess another one without ever waiting. No try is logged; they are counted.
"""

from __future__ import annotations

from collections.abc import Callable

from anyio import CapacityLimiter, to_thread

from sealcam_hub.console.door_people import Household
from sealcam_hub.console.session import Entry
from sealcam_hub.console.source import Door
from sealcam_hub.console.throttle import Throttle
from sealcam_hub.passphrase import TooShort, normal, pretend
from sealcam_hub.person import OWNER, Person, folded


class Tries:
    """Everybody's passphrases; `clock` is wall time, `boot` time since boot, in nanoseconds."""

    def __init__(
        self, door: Door, household: Household | None, clock: Callable[[], int], boot: Callable[[], int]
    ) -> None:
        self._door = door
        self._people = None if household is None else household.people
        self._clock = clock
        self._owners, self._others = Throttle(boot), Throttle(boot)
        self._one = CapacityLimiter(1)
        self.wrong = 0
        self.wrong_ns: int | None = None

    def mark(self, person: int) -> bytes | None:
        """Which passphrase of a person holds; none where there is none, or no such person. May block."""
        if person == OWNER.id:
            return self._door.mark()
        return None if self._people is None else self._people.mark(person)

    def failed(self) -> None:
        """Count a wrong try."""
        self.wrong += 1
        self.wrong_ns = self._clock()

    def wait_s(self, name: str) -> int:
        """How long a stranger under that name has to wait."""
        return (self._owners if _is_owner(name) else self._others).wait_s()

    async def stranger(self, name: str, typed: str, own: Throttle | None) -> Entry | str:
        """How somebody comes in who types a name and a passphrase, or what to say; `own` is a guest's throttle."""

        def attempt() -> Entry | str:
            person = OWNER if _is_owner(name) else self._named(name)
            throttle = own or (self._owners if person == OWNER else self._others)
            found = self._tried(person, typed, throttle, forgives=throttle is not self._others)
            if isinstance(found, bytes):
                assert person is not None
                if self._people is not None:
                    self._people.entered(person, "the passphrase")
                return Entry(found, person)
            return found

        return await to_thread.run_sync(attempt, limiter=self._one) if normal(typed) else "Type the passphrase."

    async def known(self, person: Person, typed: str, throttle: Throttle) -> bytes | str:
        """The mark of a person's passphrase if `typed` is it; otherwise what to say."""
        if not normal(typed):
            return "Type the passphrase."
        return await to_thread.run_sync(self._tried, person, typed, throttle, True, limiter=self._one)

    async def choose(self, person: Person, new: str, again: str, held: bytes | None) -> str:
        """Set a person's, unless another one came meanwhile than `held`; what to say where it isn't set."""

        def choose() -> str:
            if self.mark(person.id) != held:
                return "Another passphrase was chosen meanwhile. Load this page again."
            try:
                if person.id == OWNER.id:
                    self._door.choose(new)
                elif self._people is not None:
                    self._people.choose(person.id, new)
            except TooShort as error:
                return f"That is no passphrase: {error}."
            return ""

        if normal(new) != normal(again):
            return "The two are not the same. Type it again."
        return await to_thread.run_sync(choose, limiter=self._one)

    async def join(self, token: str, new: str, again: str) -> Entry | str:
        """How somebody who was invited comes in with the passphrase that they choose, or what to say.

        Raises:
            ConfigError: the invitation is over.
        """

        def join() -> Entry | str:
            assert self._people is not None
            try:
                person = self._people.join(token, new)
            except TooShort as error:
                return f"That is no passphrase: {error}."
            mark = self.mark(person.id)
            assert mark is not None
            return Entry(mark, person, "an invitation")

        if normal(new) != normal(again):
            return "The two are not the same. Type it again."
        return await to_thread.run_sync(join, limiter=self._one)

    def _named(self, name: str) -> Person | None:
        return None if self._people is None else self._people.named(name)

    def _tried(self, person: Person | None, typed: str, throttle: Throttle, forgives: bool) -> bytes | str:
        wait_s = throttle.wait_s()
        if wait_s:
            return f"Too many wrong tries. The next one counts in {seconds(wait_s)}."
        mark = None if person is None else self.mark(person.id)
        if mark is not None and person is not None and self._matches(person, typed):
            if forgives:
                throttle.passed()
            return mark
        if mark is None:
            pretend(typed)
        throttle.failed()
        self.failed()
        wait_s = throttle.wait_s()
        who = "That is not the passphrase." if person == OWNER else "That is not the name, or not the passphrase."
        return who + (f" Wait {seconds(wait_s)}." if wait_s else "")

    def _matches(self, person: Person, typed: str) -> bool:
        if person.id == OWNER.id:
            return self._door.matches(typed)
        return self._people is not None and self._people.matches(person.id, typed)


def seconds(count: int) -> str:
    """A short time in words."""
    if count < 60:
        return "1 second" if count == 1 else f"{count} seconds"
    minutes = -(-count // 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _is_owner(name: str) -> bool:
    return folded(name) in ("", folded(OWNER.name))
