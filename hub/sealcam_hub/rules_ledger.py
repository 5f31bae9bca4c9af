"""The household's rules in the ledger: made, listed, taken back, and asked what they say of an incident.

What a rule says is `rules`'; that a clip isn't kept is seen to by `rules_keeper`, `intake` and `shares`, and a veil by
`ledger`. design/hub.md, "Intimate moments".
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from sealcam.wire.errors import ConfigError, EnvelopeError
from sealcam.wire.statement_kinds import Action
from sealcam_hub import audit, rules
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys, TableKey
from sealcam_hub.rules import Effect, Occurrence, Rule
from sealcam_hub.rules_tables import household_rules
from sealcam_hub.store import Store
from sealcam_hub.tables import fresh_id
from sealcam_hub.views import IncidentView


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A rule that holds here, by its number."""

    number: int
    rule: Rule


def kept_rules(connection: Connection, table: TableKey) -> tuple[KeptRule, ...]:
    """Every rule, oldest first; one that no key here opens is left out."""
    found = []
    for row in connection.execute(select(household_rules).order_by(household_rules.c.made_ns, household_rules.c.id)):
        try:
            found.append(KeptRule(row.id, rules.decode(table.unwrap(row.body))))
        except (EnvelopeError, ValueError, KeyError, TypeError):
            continue
    return tuple(found)


def occurrence(view: IncidentView) -> Occurrence:
    """What rules ask of an incident."""
    reasons = tuple(reason for report in view.reports for reason in report.reasons)
    return Occurrence(view.alias, view.started_ns, view.ended_ns, reasons)


@dataclass(frozen=True, slots=True)
class Household:
    """The rules of one hub."""

    store: Store
    keys: HubKeys
    clock: Clock

    def rules(self) -> tuple[KeptRule, ...]:
        """Every rule, oldest first.

        Raises:
            StorageError: the ledger can't be read.
        """
        with self.store.reading() as connection:
            return kept_rules(connection, self.keys.table)

    def make(self, rule: Rule, actor: str = audit.OWNER) -> None:
        """Let a rule hold from now on, for what is here already as well.

        Raises:
            ConfigError: it is none, or there are too many.
            StorageError: the ledger can't be written.
        """
        rules.check(rule)
        now_ns = self.clock.wall_ns()
        with self.store.writing() as connection:
            count = connection.execute(select(func.count()).select_from(household_rules)).scalar_one()
            if count >= rules.MOST_RULES:
                raise ConfigError(f"a household has at most {rules.MOST_RULES} rules", "take one back first")
            body = self.keys.table.wrap(rules.encode(rule))
            connection.execute(insert(household_rules).values(id=fresh_id(), body=body, made_ns=now_ns))
            audit.append(connection, self.keys, now_ns, Action.COMMANDED, actor, "a household rule was made")

    def take_back(self, number: int, actor: str = audit.OWNER) -> None:
        """End a rule; what it has deleted stays deleted.

        Raises:
            ConfigError: there is no such rule.
            StorageError: the ledger can't be written.
        """
        with self.store.writing() as connection:
            gone = connection.execute(delete(household_rules).where(household_rules.c.id == number)).rowcount
            if not gone:
                raise ConfigError("there is no such rule", "it may have been taken back already")
            now_ns = self.clock.wall_ns()
            audit.append(connection, self.keys, now_ns, Action.COMMANDED, actor, "a household rule was taken back")

    def effects(self, view: IncidentView) -> frozenset[Effect]:
        """What the rules say of an incident.

        Raises:
            StorageError: the ledger can't be read.
        """
        return rules.effects([one.rule for one in self.rules()], occurrence(view))
