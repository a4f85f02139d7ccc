"""Put load on something from a process of its own: `python -m bench.drivers JSON`.

The process says `ready`, reads a window of time, works from then until the window ends, and writes
what it got done within the window.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import grpc
import psycopg
from google.protobuf import duration_pb2

from callhopper import open_channel
from callhopper.v1 import contact_service_pb2 as contacts
from callhopper.v1 import dialer_service_pb2 as dialer
from callhopper.v1 import types_pb2
from callhopper.v1.contact_service_pb2_grpc import ContactServiceStub
from callhopper.v1.dialer_service_pb2_grpc import DialerServiceStub
from server import attempts
from server.attempts import Caller, EndedCall
from server.db import Database, Transaction
from server.errors import CallhopperError
from server.settings import Settings

ECHO: Final = "/bench.Echo/Echo"
ECHO_BYTES: Final = b"x" * 300
SEVERAL: Final = 16
"""Clients that share a channel."""
PATIENCE: Final = 30.0  # seconds after the window in which a call must be answered
PAUSE: Final = 0.02  # seconds before something is tried again


@dataclass(frozen=True, slots=True)
class Job:
    """Say what one driver process does.

    Attributes:
        kind: A key of KINDS.
        target: A DSN or the address of a server.
        clients: Coroutines, each with one call at a time.
        batch: Attempts in a claim.
        answered: The share of calls that are answered, which closes the entry.
        seed: Of what calls come to.
        rows: How many rows there are to choose from.
    """

    kind: str
    target: str
    clients: int
    batch: int = 1
    answered: float = 0.1
    seed: int = 1
    rows: int = 1


@dataclass(slots=True)
class Result:
    """What a driver process did.

    Attributes:
        done: Within the window.
        total: Before and after as well.
        milliseconds: By step, each one within the window.
        errors: By reason.
    """

    done: int = 0
    total: int = 0
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)


class Meter:
    """Count what happens within a window of time.monotonic(), which all processes share."""

    def __init__(self, begin: float, until: float) -> None:
        self._begin = begin
        self._until = until
        self.result = Result()

    @property
    def is_open(self) -> bool:
        """Tell whether to go on."""
        return time.monotonic() < self._until

    def count(self, done: int) -> None:
        """Count what was done just now."""
        self.result.total += done
        if self._is_inside():
            self.result.done += done

    def time(self, step: str, seconds: float) -> None:
        """Note how long a step took that ended just now."""
        if self._is_inside():
            self.result.milliseconds.setdefault(step, []).append(seconds * 1000)

    async def refuse(self, reason: str) -> None:
        """Count something that has to be tried again, and wait a little.

        Raises:
            TimeoutError: It was tried long enough.
        """
        if time.monotonic() > self._until + PATIENCE:
            raise TimeoutError(reason)
        await asyncio.sleep(PAUSE)
        self.result.errors[reason] = self.result.errors.get(reason, 0) + 1

    def _is_inside(self) -> bool:
        return self._begin <= time.monotonic() < self._until


Client = Callable[[Meter], Awaitable[None]]
"""Works until the meter is closed."""


async def direct(job: Job, stack: AsyncExitStack) -> list[Client]:
    """Claim with begin and report with the server's own code and SQL, without gRPC."""
    settings = Settings(pool_size=job.clients, report_pool_size=job.clients)
    db = Database(settings, job.target)
    await db.open(wait=10)
    stack.push_async_callback(db.close)

    async def client(meter: Meter) -> None:
        rnd = random.Random(job.seed)
        while meter.is_open:
            caller = Caller(f"bench {job.seed}", None, job.batch, timedelta(minutes=1), begins=True)
            began = time.monotonic()
            try:
                [rows] = await db.run(lambda tx, one=caller: attempts.claim(tx, [one], None))  # type: ignore[misc]
            except CallhopperError as error:
                await meter.refuse(error.reason)
                continue
            meter.time("claim", time.monotonic() - began)
            if not rows:
                await meter.refuse("EMPTY")
                continue
            calls = [
                EndedCall(
                    attempts.lease_of(row),
                    _outcome(rnd, job.answered).removeprefix("OUTCOME_"),
                    ring=timedelta(seconds=20),
                )
                for row in rows
            ]
            await _end(db, calls, meter)

    return [client] * job.clients


async def _end(db: Database, calls: Sequence[EndedCall], meter: Meter) -> None:
    async def work(tx: Transaction) -> int:
        await attempts.lock_entries(tx, [call.lease for call in calls])
        return len(await attempts.end(tx, calls))

    while True:
        began = time.monotonic()
        try:
            ended = await db.run(work, pool="report")
        except CallhopperError as error:
            await meter.refuse(error.reason)
            continue
        meter.time("report", time.monotonic() - began)
        assert ended == len(calls)
        meter.count(ended)
        return


async def dialing(job: Job, stack: AsyncExitStack) -> list[Client]:
    """Claim with begin and report through gRPC; `on_time` notes how late attempts come instead."""
    stubs = [DialerServiceStub(channel) for channel in await _channels(job, stack)]

    async def dial(stub: Any, worker: int, meter: Meter) -> None:
        rnd = random.Random(f"{job.seed} {worker}")
        claim = dialer.ClaimAttemptsRequest(
            worker_id=f"bench {job.seed} {worker}",
            max_attempts=job.batch,
            begin=True,
            wait_duration=duration_pb2.Duration(seconds=1),
        )
        while meter.is_open:
            claim.request_id = str(uuid4())
            began = time.monotonic()
            claimed = await _insist(stub.ClaimAttempts, claim, meter)
            if not claimed.attempts:
                continue
            if job.kind == "on_time":
                for one in claimed.attempts:
                    due = one.scheduled_time.seconds + one.scheduled_time.nanos / 1e9
                    meter.time("late", time.time() - due)
            else:
                meter.time("claim", time.monotonic() - began)
            reports = [
                dialer.OutcomeReport(
                    lease=dialer.Lease(attempt_id=one.attempt_id, lease_token=one.lease_token),
                    outcome=_outcome(rnd, job.answered),
                    ring_duration=duration_pb2.Duration(seconds=20),
                )
                for one in claimed.attempts
            ]
            began = time.monotonic()
            request = dialer.ReportOutcomesRequest(reports=reports)
            reported = await _insist(stub.ReportOutcomes, request, meter)
            meter.time("report", time.monotonic() - began)
            accepted = dialer.ReportResult.Answer.ANSWER_ACCEPTED
            assert all(result.answer == accepted for result in reported.results)
            meter.count(len(reported.results))

    return [
        lambda meter, worker=worker: dial(stubs[worker // SEVERAL], worker, meter)  # type: ignore[misc]
        for worker in range(job.clients)
    ]


async def echo(job: Job, stack: AsyncExitStack) -> list[Client]:
    """Call a bare echo."""
    channels = await _channels(job, stack)
    calls: list[Any] = [channel.unary_unary(ECHO) for channel in channels]
    return [_asking(calls[n // SEVERAL], lambda: ECHO_BYTES) for n in range(job.clients)]


async def get_contact(job: Job, stack: AsyncExitStack) -> list[Client]:
    """Read one contact at a time."""
    stubs = [ContactServiceStub(channel) for channel in await _channels(job, stack)]
    rnd = random.Random(job.seed)

    def request() -> contacts.GetContactRequest:
        return contacts.GetContactRequest(name=f"contacts/{rnd.randint(1, job.rows)}")

    return [_asking(stubs[n // SEVERAL].GetContact, request) for n in range(job.clients)]


def _asking(call: Any, request: Callable[[], Any]) -> Client:
    async def client(meter: Meter) -> None:
        while meter.is_open:
            began = time.monotonic()
            await _insist(call, request(), meter)
            meter.time("call", time.monotonic() - began)
            meter.count(1)

    return client


async def commits(job: Job, stack: AsyncExitStack) -> list[Client]:
    """Update one row and commit, the least that a begin or a report can be."""

    async def client(connection: psycopg.AsyncConnection[Any], row: int, meter: Meter) -> None:
        while meter.is_open:
            began = time.monotonic()
            await connection.execute("update bench_row set n = n + 1 where id = %s", (row,))
            meter.time("commit", time.monotonic() - began)
            meter.count(1)

    connections = [
        await stack.enter_async_context(
            await psycopg.AsyncConnection.connect(job.target, autocommit=True, prepare_threshold=0)
        )
        for _ in range(job.clients)
    ]
    return [
        lambda meter, pair=pair: client(pair[1], pair[0], meter)  # type: ignore[misc]
        for pair in enumerate(connections, start=1)
    ]


KINDS: Final = {
    "direct": direct,
    "dialing": dialing,
    "on_time": dialing,
    "echo": echo,
    "get_contact": get_contact,
    "commits": commits,
}


async def _channels(job: Job, stack: AsyncExitStack) -> list[grpc.aio.Channel]:
    channels = []
    for _ in range(-(-job.clients // SEVERAL)):
        channel = await stack.enter_async_context(open_channel(job.target))
        await channel.channel_ready()
        channels.append(channel)
    return channels


async def _insist(call: Any, request: Any, meter: Meter) -> Any:
    """Call until it is answered; a claim has a request id, and a report is idempotent."""
    while True:
        try:
            return await call(request, timeout=30)
        except grpc.aio.AioRpcError as error:
            if error.code() not in _LATER:
                raise
            await meter.refuse(error.code().name)


_LATER: Final = {
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
}


def _outcome(rnd: random.Random, answered: float) -> Any:
    if rnd.random() < answered:
        return types_pb2.Outcome.Name(types_pb2.OUTCOME_ANSWERED)
    return rnd.choice(("OUTCOME_NO_ANSWER", "OUTCOME_BUSY"))


async def _run(job: Job) -> None:
    async with AsyncExitStack() as stack:
        clients = await KINDS[job.kind](job, stack)
        print("ready", flush=True)
        window = await asyncio.to_thread(sys.stdin.readline)
        if not window:
            return  # whoever started this has gone
        meter = Meter(**json.loads(window))
        await asyncio.gather(*[client(meter) for client in clients])
        print(json.dumps(asdict(meter.result)), flush=True)


if __name__ == "__main__":
    asyncio.run(_run(Job(**json.loads(sys.argv[1]))))
