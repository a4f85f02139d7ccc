"""Run background loops: interval, jitter, stop, and patience with errors are the same for all."""

import asyncio
import random
from datetime import timedelta
from typing import Final, Protocol

import structlog

from server.db import Database
from server.errors import CallhopperError
from server.log import masked_traceback

log = structlog.get_logger("server.loops")

LIMIT: Final = 500
LONGEST_PAUSE: Final = 60.0


class Loop(Protocol):
    """What a background loop has; its class stands in a file of its own."""

    @property
    def name(self) -> str:
        """Name the loop in the log."""

    @property
    def interval(self) -> timedelta:
        """Say how long to rest between two runs."""

    async def run_once(self, db: Database, limit: int) -> int:
        """Do up to `limit` pieces of work, each in a short transaction; answer how many."""


async def run_loop(loop: Loop, db: Database, stop: asyncio.Event, limit: int = LIMIT) -> None:
    """Run a loop until `stop` is set; a run that is under way is finished first.

    It runs again at once when the limit was reached, else after its interval, shortened by up to a
    tenth so that several servers drift apart. After an error it rests twice as long each time, at
    most a minute (or its interval, when that is longer). An error never ends it.
    """
    interval = loop.interval.total_seconds()
    failures = 0
    while not stop.is_set():
        try:
            is_full = await loop.run_once(db, limit) >= limit
            pause = 0.0 if is_full else interval * random.uniform(0.9, 1)  # noqa: S311 - jitter
            failures = 0
        except Exception as error:  # noqa: BLE001 - the next run may succeed
            failures += 1
            pause = _pause_after(failures, interval)
            facts = {"loop": loop.name, "failures": failures, "next_in": round(pause, 2)}
            if isinstance(error, CallhopperError):
                log.warning("loop failed", reason=error.reason, **facts)
            else:
                log.error("loop failed", traceback=masked_traceback(error), **facts)  # noqa: TRY400 - masked
        await _rest(stop, pause)


def _pause_after(failures: int, interval: float) -> float:
    """Return seconds to rest after so many failures in a row.

    Interval 2 s: 2, 4, 8, 16, 32, 60, 60 ..., each shortened by up to a fifth.
    """
    longest = max(LONGEST_PAUSE, interval)
    pause = min(interval * 2.0 ** min(failures - 1, 16), longest)
    return pause * random.uniform(0.8, 1)  # noqa: S311 - jitter


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
