"""A worker whose calls go to the simulated exchange, and that can be told to die."""

import asyncio
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self, get_args

from callhopper.call import Call, Outcome, Result
from callhopper.exchange import CallLog, Exchange
from callhopper.reporter import Stats
from callhopper.worker import Worker

DeathPoint = Literal["claimed", "begun", "during_call", "before_report"]

EXIT_CODE = 86
"""Exit code of a process that died on purpose."""


@dataclass(slots=True)
class Death:
    """Ends the process, as SIGKILL would, when the nth attempt gets to a point.

    * `claimed`: delivered, before it is begun (or, begun by its claim, before it is dialed);
    * `begun`: the permission to dial is there, nothing is dialed;
    * `during_call`: the exchange has placed the call;
    * `before_report`: the call has ended, nothing is reported.
    """

    point: DeathPoint
    nth: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `point` or `point:nth`, the form of the environment variable CALLHOPPER_DIE_AT.

        Raises:
            ValueError: There is no such point.
        """
        point, _, nth = text.partition(":")
        for known in get_args(DeathPoint):
            if point == known:
                return cls(known, int(nth or 1))
        raise ValueError(f"{point!r} is none of {', '.join(get_args(DeathPoint))}")

    def reach(self, point: DeathPoint) -> None:
        """Die if this is the time."""
        if point != self.point:
            return
        self.nth -= 1
        if self.nth == 0:
            # Nothing is closed, flushed or said: that is what it is for.
            os._exit(EXIT_CODE)


class _MortalWorker(Worker):
    """A worker that can die between claim and begin."""

    death: Death | None = None

    def _claimed(self, calls: Sequence[Call]) -> None:
        for _ in calls:
            if self.death:
                self.death.reach("claimed")


def simulated_worker(
    address: str = "localhost:50051",
    *,
    log: Path | None = None,
    seed: int = 0,
    rules: Mapping[str, Outcome | Sequence[Outcome]] | None = None,
    chances: Mapping[Outcome, float] | None = None,
    time_scale: float = 1.0,
    fence: bool = False,
    die_at: Death | None = None,
    campaigns: Iterable[str] = (),
    concurrency: int = 50,
    batch: int = 100,
    lease: timedelta = timedelta(seconds=60),
    begin_on_claim: bool = True,
    worker_id: str | None = None,
    **settings: Any,
) -> Worker:
    """Make a worker that dials into the simulated exchange.

    Args:
        address: Of the server.
        log: File of the exchange's log; see `CallLog`.
        seed: See `Exchange`.
        rules: See `Exchange`.
        chances: See `Exchange`.
        time_scale: See `Exchange`.
        fence: See `Exchange`.
        die_at: When to die; without it CALLHOPPER_DIE_AT of the environment is asked.
        campaigns: See `Worker`.
        concurrency: See `Worker`.
        batch: See `Worker`.
        lease: See `Worker`.
        begin_on_claim: See `Worker`.
        worker_id: See `Worker`.
        settings: Other settings of `Worker`.
    """
    if die_at is None and (text := os.environ.get("CALLHOPPER_DIE_AT")):
        die_at = Death.parse(text)

    def reach(point: DeathPoint) -> None:
        if die_at:
            die_at.reach(point)

    worker_id = worker_id or str(uuid.uuid4())
    exchange = Exchange(
        seed=seed,
        rules=rules,
        chances=chances,
        time_scale=time_scale,
        log=CallLog(log),
        worker_id=worker_id,
        fence=fence,
        placed=lambda _: reach("during_call"),
    )

    async def dial(call: Call) -> Result:
        reach("begun")
        result = await exchange.call(call)
        reach("before_report")
        return result

    worker = _MortalWorker(
        dial=dial,
        address=address,
        campaigns=campaigns,
        concurrency=concurrency,
        batch=batch,
        lease=lease,
        begin_on_claim=begin_on_claim,
        worker_id=worker_id,
        **settings,
    )
    worker.death = die_at
    return worker


def simulate(address: str = "localhost:50051", **settings: Any) -> Stats:
    """Run a simulated worker until SIGTERM or SIGINT, and return what it did.

    Args:
        address: Of the server.
        settings: Of `simulated_worker`.
    """
    worker = simulated_worker(address, handle_signals=True, **settings)
    asyncio.run(worker.run())
    return worker.stats
