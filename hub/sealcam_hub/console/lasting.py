"""Answers that go on for long end when their reader goes: nothing is worked out for a page that was closed."""

from __future__ import annotations

from collections.abc import Awaitable

import anyio
from starlette.types import Receive


async def until_gone(receive: Receive, answer: Awaitable[None]) -> None:
    """Do `answer` to its end, or until the reader has gone."""
    async with anyio.create_task_group() as tasks:

        async def listen() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            tasks.cancel_scope.cancel()

        tasks.start_soon(listen)
        await answer
        tasks.cancel_scope.cancel()
