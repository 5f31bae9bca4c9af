"""What is left to recover after a hub was lost: which cameras still have a backlog, and what of it never comes.

While the owner's recovery key is in memory, what a camera queued for the lost hub opens. A camera's backlog is
through with its first beat that says nothing is queued: whatever is still missing then was receipted by the lost hub
after its last backup, and is gone. So the chain is bridged there, and the owner is told. Implements design/wire.md
10.3.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, delete, select

from sealcam.wire.bodies import BeatBody
from sealcam_hub.chain import Bridge, Chain, Move, bridge
from sealcam_hub.rekey import put
from sealcam_hub.tables import cameras, values

_ROW = "recover/"  # and the alias: a camera whose backlog isn't through


def begin(connection: Connection, alias: str) -> None:
    """A camera has a backlog that only the recovery key opens."""
    put(connection, _ROW + alias, b"\1")


def is_open(connection: Connection, alias: str) -> bool:
    """Whether a camera's backlog isn't through yet."""
    return connection.execute(select(values.c.name).where(values.c.name == _ROW + alias)).first() is not None


def end(connection: Connection, alias: str) -> None:
    """A camera's backlog is through."""
    connection.execute(delete(values).where(values.c.name == _ROW + alias))


def waiting(connection: Connection) -> dict[str, str]:
    """Alias and name of every camera whose backlog isn't through."""
    rows = connection.execute(select(cameras.c.alias, cameras.c.name).order_by(cameras.c.name)).all()
    names = set(connection.execute(select(values.c.name).where(values.c.name.like(f"{_ROW}%"))).scalars())
    return {row.alias: row.name for row in rows if _ROW + row.alias in names}


def through(connection: Connection, alias: str, body: BeatBody, *, at_home: bool) -> bool:
    """Whether after this beat, which counts, nothing that is still missing comes any more.

    A camera deletes what its home hub has receipted and nothing else: so where it has nothing queued, the home hub
    once had what it lacks, whether it knows that it was restored or not. Another hub knows it of a backlog alone.
    """
    if body.queued:
        return False
    if is_open(connection, alias):
        end(connection, alias)
        return True
    return at_home


def missing(chain: Chain, body: BeatBody) -> Iterator[tuple[Bridge, Move]]:
    """Every run that will never come, and the chain's move across it; `body` is of the beat that ended the backlog.

    What is newer than the beat may be parked already, where another worker was quicker: of that it says nothing.
    """
    while (gap := chain.gap(body.newest_seq)) is not None and gap[0] <= body.newest_seq:
        first, last = gap[0], min(gap[1], body.newest_seq)
        after = chain.parked.get(last + 1)
        if after is None and last != body.newest_seq:
            return  # a bridge of the camera's own begins there
        run = Bridge(first, last, body.newest_hash if after is None else after.prev)
        move = bridge(chain, run)
        yield run, move
        chain = move.chain
