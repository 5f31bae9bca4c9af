"""The verdict models that were trained at home, and which one the cameras were told to judge by.

A model stands under the table key until the owner erases it. None goes to a camera unless its owner says so, for that
one model; the camera checks it again and answers (design/wire.md 5.5). design/hub.md, "Review".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from sealcam.wire import schema
from sealcam.wire.errors import ConfigError, EnvelopeError
from sealcam.wire.schema import body, key
from sealcam.wire.wishes import CommandType, ModelWish
from sealcam_hub import audit
from sealcam_hub.clock import Clock
from sealcam_hub.keys import HubKeys
from sealcam_hub.review_tables import marks, models
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras
from sealcam_hub.wishes import Wishes, WishView

SHIPPED = "shipped"


@body
class Made:
    """What a row holds: the model's file, and its figures as JSON."""

    content: bytes = key(1)
    figures: bytes = key(2)


@dataclass(frozen=True, slots=True)
class ModelView:
    """A trained model: its name, when it was made (wall ns), and its figures as `training` gives them."""

    id: int
    name: str
    made_ns: int
    figures: dict[str, Any]

    @property
    def fit(self) -> bool:
        """Whether it may be sent: it finds the threats that the shipped one finds."""
        return bool(self.figures.get("fit"))


class Models:
    """The models of one hub; `actor` is who sends them, as the audit log names him."""

    def __init__(self, store: Store, keys: HubKeys, clock: Clock, wishes: Wishes, actor: str = audit.CONSOLE) -> None:
        self._store, self._keys, self._clock, self._wishes = store, keys, clock, wishes
        self._actor = actor

    def keep(self, content: bytes, figures: dict[str, Any], learnt: Sequence[int] = ()) -> int:
        """Keep what was trained by the marks of these numbers; its number.

        Raises:
            ConfigError: the marks were erased meanwhile, and with them what they taught.
            StorageError: the ledger can't be written.
        """
        made = schema.encode(Made(content=content, figures=json.dumps(figures).encode()))
        with self._store.writing() as connection:
            stands = select(marks.c.id).where(marks.c.id <= max(learnt, default=0)).limit(1)  # none comes twice
            if learnt and connection.execute(stands).first() is None:
                raise ConfigError("the marks were erased meanwhile", "nothing was kept of what they taught")
            row = insert(models).values(wrapped=self._keys.table.wrap(made), made_ns=self._clock.wall_ns())
            return int(connection.execute(row.returning(models.c.id)).scalar_one())

    def newest(self) -> ModelView | None:
        """The one that was made last, or none.

        Raises:
            StorageError: the ledger can't be read.
        """
        found = self._find(None)
        return None if found is None else found[0]

    def send(self, number: int) -> ModelView:
        """Have every camera judge by this model.

        Raises:
            ConfigError: it isn't there, may not be sent, or this isn't the home hub.
            StorageError: the ledger can't be written; nothing was asked.
        """
        found = self._find(number)
        if found is None:
            raise ConfigError("this model isn't there any more", "train another one")
        view, content = found
        if not view.fit:
            raise ConfigError("this model misses threats that the shipped one finds", "mark more, and train again")
        self._ask(ModelWish(name=view.name, sha256=hashlib.sha256(content).digest(), content=content))
        return view

    def back(self) -> None:
        """Have every camera judge by the model that it was shipped with.

        Raises:
            ConfigError: this isn't the home hub.
            StorageError: the ledger can't be written; nothing was asked.
        """
        self._ask(ModelWish(name=SHIPPED, sha256=bytes(32)))

    def told(self) -> tuple[WishView, ...]:
        """What each camera was asked to judge by, and what it answered.

        Raises:
            StorageError: the ledger can't be read.
        """
        return tuple(one for one in self._wishes.list() if one.kind is CommandType.MODEL)

    def unasked(self) -> tuple[str, ...]:
        """The cameras that were never asked, by name: they came later, and judge by what they were shipped with.

        Raises:
            StorageError: the ledger can't be read.
        """
        asked = {one.alias for one in self.told()}
        here = select(cameras.c.alias, cameras.c.name).where(~cameras.c.expelled, ~cameras.c.gone)
        with self._store.reading() as connection:
            rows = connection.execute(here.order_by(cameras.c.id)).all()
        return tuple(row.name for row in rows if row.alias not in asked)

    def _ask(self, wish: ModelWish) -> None:
        with self._store.writing() as connection:
            query = select(cameras.c.alias).where(~cameras.c.expelled, ~cameras.c.gone).order_by(cameras.c.id)
            for alias in connection.execute(query).scalars().all():
                self._wishes.put(connection, alias, wish, self._actor)

    def _find(self, number: int | None) -> tuple[ModelView, bytes] | None:
        query = select(models).order_by(models.c.id.desc()).limit(1)
        with self._store.reading() as connection:
            row = connection.execute(query if number is None else query.where(models.c.id == number)).one_or_none()
            if row is None:
                return None
            try:
                made = schema.decode(self._keys.table.unwrap(row.wrapped), Made)
            except EnvelopeError:
                return None
        figures: dict[str, Any] = json.loads(made.figures)
        return ModelView(row.id, f"home-{row.id}", row.made_ns, figures), made.content
