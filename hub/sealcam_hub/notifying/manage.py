"""What the console's room and the command do to notifications: who is told, of what, and a try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from sealcam.wire.errors import ConfigError, SealcamError
from sealcam_hub.home import Home
from sealcam_hub.notifying import push, rows, service, wording
from sealcam_hub.notifying.push import Message, Pusher, Sent
from sealcam_hub.notifying.round import deliver
from sealcam_hub.notifying.rows import Kind, Target
from sealcam_hub.notifying.rules import Rules

TRY = "This is a test"
INCIDENT = "incident/"


@dataclass(frozen=True, slots=True)
class Notifications:
    """Blocks: call it on a thread."""

    home: Home

    def key(self) -> str:
        """What a browser that is to be told must know of this hub."""
        return Pusher(self.home.folder).public()

    def targets(self) -> tuple[Target, ...]:
        """Who is told."""
        with self.home.store.reading() as connection:
            return rows.all_targets(connection)

    def rules(self) -> Rules:
        """What is told."""
        with self.home.store.reading() as connection:
            return rows.rules(connection)

    def change(self, how: Callable[[Rules], Rules]) -> None:
        """Let the owner choose."""
        with self.home.store.writing() as connection:
            rows.choose(connection, how(rows.rules(connection)))

    def add_browser(self, name: str, endpoint: str, p256dh: str, auth: str) -> None:
        """Tell a browser.

        Raises:
            ConfigError: its push service isn't known, or the name is taken.
        """
        with self.home.store.writing() as connection:
            found = push.checked(endpoint, p256dh, auth, rows.rules(connection).hosts)
            table, now_ns = self.home.keys.table, self.home.clock.wall_ns()
            rows.add(connection, table, Kind.PUSH, name, found.host[:128], found.pack(), 0, now_ns)

    def add_service(self, name: str, address: str, after_s: int = 0) -> None:
        """Tell a service, of threats that nobody has seen for `after_s` only, if that isn't 0.

        Raises:
            ConfigError: that is no service, or the name is taken.
        """
        kind = service.kind(address)
        with self.home.store.writing() as connection:
            table, now_ns = self.home.keys.table, self.home.clock.wall_ns()
            rows.add(connection, table, Kind.SERVICE, name, kind, address.strip().encode(), after_s, now_ns)

    def remove(self, target: int) -> None:
        """Tell somebody no more.

        Raises:
            ConfigError: there is nobody of that number.
        """
        with self.home.store.writing() as connection:
            if not rows.remove(connection, target):
                raise ConfigError("that one is told nothing already")

    def named(self, name: str) -> Target:
        """The target of that name.

        Raises:
            ConfigError: there is none.
        """
        found = next((one for one in self.targets() if one.name == name), None)
        if found is None:
            raise ConfigError(f"nobody is called {name!r} here", "sealcam-hub notify list")
        return found

    def test(self, target: int) -> None:
        """Tell one target something, now.

        Raises:
            SealcamError: it didn't go through.
        """
        with self.home.store.reading() as connection:
            found = next((one for one in rows.all_targets(connection) if one.id == target), None)
            secret = rows.secret(connection, self.home.keys.table, target)
        if found is None or secret is None:
            raise ConfigError("that one is told nothing already")
        if deliver(Pusher(self.home.folder), found.kind, secret, Message(TRY, "test")) is not Sent.DONE:
            raise SealcamError(
                f"{found.name} didn't take it", "is it reached from here, and is its address still right?"
            )

    def host(self, origin: str) -> None:
        """Take a push service beside the browser makers', by its origin.

        Raises:
            ConfigError: it is no origin.
        """
        found = urlsplit(origin.strip())
        if found.scheme not in ("http", "https") or not found.netloc or found.path.strip("/") or found.query:
            raise ConfigError("that is no origin", "such as https://push.example.org")
        one = f"{found.scheme}://{found.netloc}"
        self.change(lambda rules: replace(rules, hosts=tuple(dict.fromkeys((*rules.hosts, one)))))

    def seen(self, incident: str) -> None:
        """A person has looked at an incident: nobody else needs to be told of it."""
        self.seen_subject(f"{INCIDENT}{incident}")

    def seen_subject(self, subject: str) -> None:
        """A person has seen what was told."""
        with self.home.store.reading() as connection:
            if rows.is_seen(connection, subject):
                return
        with self.home.store.writing() as connection:
            rows.set_seen(connection, subject, self.home.clock.wall_ns())

    def words(self, subject: str) -> str:
        """What something is about, without opening anything."""
        about = subject.removeprefix(INCIDENT)
        names = {one.alias: one.name for one in self.home.ledger().cameras()}
        if about == subject:
            return wording.of_subject(subject, names, 0).words
        return f"{names.get(about.partition('-')[0], 'A camera that is gone')}: a threat"

    def unseen(self) -> tuple[str, ...]:
        """What threats were told and nobody has seen."""
        with self.home.store.reading() as connection:
            return rows.unseen(connection)
