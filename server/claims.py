"""Hand due attempts to waiting workers: one polling loop for all ClaimAttempts calls of a server.

A waiting call costs a coroutine and no connection. Calls that arrive while a claim is under way
are served by the next one together, in one statement. Every RPC has a deadline, so a call never
waits for ever; a worker that waits for nothing is answered empty at the end of its `wait_duration`.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from server import attempts
from server.attempts import Caller, Row
from server.db import Database, Transaction
from server.errors import CallhopperError, Conflict, Draining, Overloaded

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Answer:
    """What a claim got."""

    rows: Sequence[Row] = ()
    next_due_in: timedelta | None = None
    is_stopped: bool = False
    is_repeated: bool = False
    """The claim was served before; `rows` is what is still held of it, perhaps nothing."""


@dataclass(slots=True, eq=False)
class _Waiting:
    caller: Caller
    campaign_ids: tuple[int, ...] | None
    since: float
    """When it came, or was looked at last, by the event loop's clock."""
    until: float
    """When it is answered empty."""
    answer: asyncio.Future[Answer]
    is_new: bool = True
    """No claim has looked yet whether its request_id was served before."""


class ClaimLoop:
    """Serve waiting claims until it is stopped.

    Args:
        db: Where the hopper is.
        poll_interval: Longest time between two looks while somebody waits.
        max_waiting: More waiting calls than this are refused with OVERLOADED.
        max_batch: Most attempts in one claim statement.
    """

    def __init__(
        self, db: Database, *, poll_interval: timedelta, max_waiting: int, max_batch: int = 500
    ) -> None:
        self._db = db
        self.poll_interval = poll_interval
        self._max_waiting = max_waiting
        self._max_batch = max_batch
        self._waiting: list[_Waiting] = []
        self._arrival = asyncio.Event()
        self._draining = False
        self._served: list[_Waiting] = []
        """The calls that a transaction serves at this moment."""

    async def claim(
        self, caller: Caller, campaign_ids: tuple[int, ...] | None, wait: timedelta
    ) -> Answer:
        """Wait up to `wait` for attempts.

        Raises:
            Overloaded: Too many calls are waiting.
        """
        if self._draining:
            return Answer()
        if len(self._waiting) >= self._max_waiting:
            raise Overloaded(retry_after=self.poll_interval.total_seconds())
        answer = asyncio.get_running_loop().create_future()
        now = _now()
        waiting = _Waiting(caller, campaign_ids, now, now + wait.total_seconds(), answer)
        self._waiting.append(waiting)
        self._arrival.set()
        try:
            return await waiting.answer
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def drain(self) -> None:
        """Answer every waiting call empty, and every later one at once.

        Calls that a transaction serves at this moment are answered when it is over: what it
        claims for them is committed, and they would not ask for it again.
        """
        self._draining = True
        for waiting in self._waiting:
            if waiting not in self._served:
                _answer(waiting, Answer())
        self._arrival.set()

    async def run(self) -> None:
        """Serve until drained or cancelled. Errors go to the callers and never end the loop."""
        round_began = _now()
        while not self._draining:
            self._arrival.clear()
            next_look = await self._look(round_began)
            self._waiting = [one for one in self._waiting if not one.answer.done()]
            if next_look > 0:
                await self._rest(next_look)
                round_began = _now()

    async def _look(self, round_began: float) -> float:
        """Run a claim for each set of campaigns; answer in how many seconds to look again."""
        groups: dict[tuple[int, ...] | None, list[_Waiting]] = defaultdict(list)
        for waiting in sorted(self._waiting, key=lambda one: one.since):
            groups[waiting.campaign_ids].append(waiting)
        next_look = self.poll_interval.total_seconds()
        for campaign_ids, group in groups.items():
            if self._draining:
                break
            next_look = min(next_look, await self._serve(campaign_ids, group, round_began))
        return next_look

    async def _rest(self, seconds: float) -> None:
        """Wait for a new call, or until the next look, or the end of somebody's wait."""
        timeout = None
        if self._waiting:
            soonest = min(one.until for one in self._waiting) - _now()
            # Jitter keeps the servers of a cluster from looking at the same moment.
            timeout = max(min(seconds, soonest), 0.001) * random.uniform(0.9, 1)  # noqa: S311
        try:
            async with asyncio.timeout(timeout):
                await self._arrival.wait()
        except TimeoutError:
            pass

    async def _serve(
        self, campaign_ids: tuple[int, ...] | None, group: Sequence[_Waiting], round_began: float
    ) -> float:
        """Run one claim for a group; answer in how many seconds to look again."""
        batch, asked = self._next_batch(group)
        if not batch:
            return self.poll_interval.total_seconds()
        self._served = batch
        try:
            answers, next_due_in = await self._db.run(
                lambda tx: _claim(tx, campaign_ids, batch),
                constraints={"claim_request_pkey": Conflict()},
            )
        except Conflict as error:
            # Another server may have served the same request_id just now: look for it again.
            for waiting in batch:
                waiting.is_new = True
            _refuse([one for one in batch if one.until <= _now()], error)
            if self._draining:
                _refuse(batch, Draining())
            return 0.01
        except Exception as error:  # noqa: BLE001 - the interceptor tells the callers; none may be left waiting
            _refuse(batch, error)
            return self.poll_interval.total_seconds()
        finally:
            self._served = []
        await self._give_back(_deliver(batch, answers, next_due_in, is_last=self._draining))
        is_full = sum(len(answer.rows) for answer in answers) >= asked
        if is_full or any(one.since < round_began and not one.answer.done() for one in group):
            return 0  # more may be due, or not everybody has been looked at
        if next_due_in is None:
            return self.poll_interval.total_seconds()
        return max(next_due_in.total_seconds(), 0.005)

    def _next_batch(self, group: Sequence[_Waiting]) -> tuple[list[_Waiting], int]:
        """Return the calls that one statement can serve, and how much they ask for in all."""
        batch: list[_Waiting] = []
        asked = 0
        request_ids: set[UUID] = set()
        for waiting in group:
            request_id = waiting.caller.request_id
            if waiting.answer.done() or asked >= self._max_batch:
                continue
            waiting.since = _now()
            if request_id is not None and request_id in request_ids:
                # The same request twice: what the first call gets is found for the second.
                if waiting.until <= _now():
                    _answer(waiting, Answer())
                continue
            batch.append(waiting)
            asked += waiting.caller.max_attempts
            if request_id is not None:
                request_ids.add(request_id)
        return batch, asked

    async def _give_back(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        # Nobody has seen these attempts and nobody can ask for them again, so none was dialed.
        leases = [attempts.lease_of(row) for row in rows]

        async def give_back(tx: Transaction) -> None:
            await attempts.lock_entries(tx, leases)
            await attempts.release(tx, leases, "NOT_DIALED")

        try:
            await self._db.run(give_back)
        except CallhopperError as error:  # their leases end by themselves
            log.warning("claim of a caller that left was not given back", reason=error.reason)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _deliver(
    batch: Sequence[_Waiting],
    answers: Sequence[Answer],
    next_due_in: timedelta | None,
    *,
    is_last: bool,
) -> list[Row]:
    """Answer the calls that got something or waited long enough; all of them the last time.

    Returns:
        What was claimed for callers that have gone and cannot ask again.
    """
    undelivered: list[Row] = []
    now = _now()
    for waiting, answer in zip(batch, answers, strict=True):
        waiting.is_new = False
        if waiting.answer.done():
            if waiting.caller.request_id is None:
                undelivered += answer.rows
        elif (
            answer.rows
            or answer.is_stopped
            or answer.is_repeated
            or waiting.until <= now
            or is_last
        ):
            answer.next_due_in = next_due_in
            _answer(waiting, answer)
    return undelivered


def _refuse(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


def _answer(waiting: _Waiting, answer: Answer) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(answer)


async def _claim(
    tx: Transaction, campaign_ids: tuple[int, ...] | None, batch: Sequence[_Waiting]
) -> tuple[list[Answer], timedelta | None]:
    """Answer each waiting call, in order, and say when an entry is due next."""
    answers = [Answer() for _ in batch]
    served = await _find_served(tx, batch)
    stopped = {
        row["worker_id"]
        for row in await tx.many(
            "find_stopped_workers", worker_ids=[one.caller.worker_id for one in batch]
        )
    }
    claiming: list[int] = []
    for index, waiting in enumerate(batch):
        if waiting.caller.request_id in served:
            answers[index] = Answer(served[waiting.caller.request_id], is_repeated=True)
        elif waiting.caller.worker_id in stopped:
            answers[index].is_stopped = True
        elif not waiting.answer.done():
            claiming.append(index)
    if claiming:
        claimed = await attempts.claim(
            tx, [batch[index].caller for index in claiming], campaign_ids
        )
        for index, rows in zip(claiming, claimed, strict=True):
            answers[index].rows = rows
    due = await tx.one(
        "next_due_in", campaign_ids=None if campaign_ids is None else list(campaign_ids)
    )
    return answers, None if due is None else due["due_in"]


async def _find_served(tx: Transaction, batch: Sequence[_Waiting]) -> dict[UUID | None, list[Row]]:
    """Find the request_ids that were served before, and what is still held of each (D2)."""
    asked = [
        one.caller.request_id for one in batch if one.is_new and one.caller.request_id is not None
    ]
    if not asked:
        return {}
    known = await tx.many("find_claim_requests", request_ids=asked)
    served: dict[UUID | None, list[Row]] = {row["request_id"]: [] for row in known}
    if served:
        for row in await tx.many("find_claimed_attempts", request_ids=list(served)):
            served[row["request_id"]].append(row)
    return served
