"""A DialerService in this process for faults that a real server cannot be asked for.

It follows the comments of dialer_service.proto with a dictionary for a database: attempts are
offered, claimed, begun, released, ended; a repeated request id answers what is still held. On top
of that each RPC can be told to fail before it does anything, or to lose its answer afterwards.
"""

import asyncio
import time
import uuid
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from callhopper.v1 import dialer_service_pb2 as pb
from callhopper.v1 import dialer_service_pb2_grpc as rpc
from callhopper.v1 import types_pb2 as types


@dataclass
class Held:
    """One attempt as the server sees it."""

    attempt: pb.ClaimedAttempt
    state: str = "claimed"  # claimed, begun, released, ended
    lease_end: float = 0.0
    answered: bool = False
    reports: list[pb.OutcomeReport] = field(default_factory=list)


@dataclass
class Fault:
    """One failure of one RPC."""

    code: grpc.StatusCode
    lose_answer: bool  # the effect takes place, its answer is lost
    retry_delay: timedelta | None


class ScriptedServer(rpc.DialerServiceServicer):
    """State of the server, and what the test looks at."""

    def __init__(self) -> None:
        self.address = ""
        self.offers: deque[pb.ClaimedAttempt] = deque()
        self.held: dict[str, Held] = {}
        self.requests: list[tuple[float, str, Any]] = []  # monotonic time, RPC, request
        self.faults: dict[str, deque[Fault]] = {}
        self.poll_interval = timedelta(milliseconds=10)
        self.refuse_begin: set[str] = set()  # numbers
        self.refuse_report: set[str] = set()  # numbers: INVALID_ARGUMENT for the whole request
        self.answer_report: dict[str, pb.ReportResult.Answer] = {}  # by number
        self.lose_leases: set[str] = set()  # numbers
        self.lease: timedelta | None = None  # instead of what is asked for
        self.deliver_again: list[pb.ClaimedAttempt] = []
        self.hold: dict[str, asyncio.Event] = {}  # an RPC does nothing until the event
        self.hold_answer: dict[str, asyncio.Event] = {}  # it is done, its answer waits
        self._claims: dict[str, list[str]] = {}
        self._stopped: set[str] = set()
        self._changed = asyncio.Condition()

    # -------------------------------------------------------------------- what a test says

    async def offer(self, *numbers: str, ring_timeout: timedelta = timedelta(seconds=20)) -> None:
        """Have attempts claimed, one for each number."""
        for number in numbers:
            self.offers.append(
                pb.ClaimedAttempt(
                    attempt_id=str(uuid.uuid4()),
                    lease_token=uuid.uuid4().hex,
                    campaign="campaigns/1",
                    entry=f"campaigns/1/entries/{number}",
                    contact=f"contacts/{number}",
                    number=number,
                    cycle=1,
                    attempt_number=1,
                    ring_timeout=ring_timeout,
                    rule=types.DIAL_RULE_FIRST_CALL,
                    first_name="Ada",
                )
            )
        await self.change()

    def fail(
        self,
        method: str,
        code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE,
        *,
        times: int = 1,
        lose_answer: bool = False,
        retry_delay: timedelta | None = None,
    ) -> None:
        """Let the next calls of an RPC fail."""
        self.faults.setdefault(method, deque()).extend(
            [Fault(code, lose_answer, retry_delay)] * times
        )

    async def change(self) -> None:
        """Wake whatever waits for a change."""
        async with self._changed:
            self._changed.notify_all()

    async def until(self, true: Callable[[], bool], within: float = 20) -> None:
        """Wait for a condition of this server."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(true)

    def sent(self, method: str) -> list[Any]:
        """Return the requests of one RPC so far."""
        return [request for _, name, request in self.requests if name == method]

    def times(self, method: str) -> list[float]:
        """Return when the requests of one RPC came."""
        return [at for at, name, _ in self.requests if name == method]

    def states(self) -> Counter[str]:
        """Return how many attempts are in which state."""
        return Counter(held.state for held in self.held.values())

    def reports(self) -> dict[str, list[int]]:
        """Return the outcomes that were stored, by number."""
        return {
            held.attempt.number: [report.outcome for report in held.reports]
            for held in self.held.values()
        }

    def is_reported(self, number: str) -> bool:
        """Return whether what a call to a number came to is stored."""
        return bool(self.reports().get(number))

    # -------------------------------------------------------------------- what a worker asks

    async def ClaimAttempts(self, request, context):
        fault = await self._arrive("ClaimAttempts", request, context)
        end = time.monotonic() + request.wait_duration.ToTimedelta().total_seconds()
        if request.request_id not in self._claims:
            await self._wait_for_offer(request, end)
            self._claims[request.request_id] = self._hand_out(request)
        response = pb.ClaimAttemptsResponse(
            attempts=[
                self.held[attempt_id].attempt
                for attempt_id in self._claims[request.request_id]
                if self.held[attempt_id].state in {"claimed", "begun"}
            ],
            poll_interval=self.poll_interval,
            draining=request.worker_id in self._stopped,
        )
        response.attempts.extend(self.deliver_again)
        self.deliver_again = []
        return await self._answer(fault, response, context)

    async def BeginAttempts(self, request, context):
        fault = await self._arrive("BeginAttempts", request, context)
        results = []
        for lease in request.leases:
            held = self._find(lease)
            answer = pb.BeginResult.ANSWER_NOT_FOUND
            if held:
                answer = self._begin(held)
                held.lease_end = self._lease_end(request)
            results.append(
                pb.BeginResult(
                    attempt_id=lease.attempt_id,
                    answer=answer,
                    lease_duration=self._lasting(request),
                )
            )
        return await self._answer(fault, pb.BeginAttemptsResponse(results=results), context)

    async def RenewLeases(self, request, context):
        fault = await self._arrive("RenewLeases", request, context)
        results = []
        for renewal in request.renewals:
            held = self._find(renewal.lease)
            answer = pb.RenewResult.ANSWER_NOT_FOUND
            if held and self._has_lost_lease(held):
                answer = pb.RenewResult.ANSWER_LEASE_LOST
            elif held:
                answer = pb.RenewResult.ANSWER_RENEWED
                held.lease_end = self._lease_end(request)
                held.answered |= renewal.answered
            results.append(
                pb.RenewResult(
                    attempt_id=renewal.lease.attempt_id,
                    answer=answer,
                    lease_duration=self._lasting(request),
                )
            )
        return await self._answer(fault, pb.RenewLeasesResponse(results=results), context)

    async def ReportOutcomes(self, request, context):
        fault = await self._arrive("ReportOutcomes", request, context)
        held_ones = [(report, self._find(report.lease)) for report in request.reports]
        if any(held and held.attempt.number in self.refuse_report for _, held in held_ones):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a bad field")
        results = [
            pb.ReportResult(attempt_id=report.lease.attempt_id, answer=self._record(report, held))
            for report, held in held_ones
        ]
        return await self._answer(fault, pb.ReportOutcomesResponse(results=results), context)

    async def ReleaseAttempts(self, request, context):
        fault = await self._arrive("ReleaseAttempts", request, context)
        results = []
        for lease in request.leases:
            held = self._find(lease)
            answer = pb.ReleaseResult.ANSWER_NOT_FOUND
            if held and held.state in {"claimed", "released"}:
                answer = pb.ReleaseResult.ANSWER_RELEASED
                held.state = "released"
            elif held:
                answer = pb.ReleaseResult.ANSWER_BEGUN
            results.append(pb.ReleaseResult(attempt_id=lease.attempt_id, answer=answer))
        return await self._answer(fault, pb.ReleaseAttemptsResponse(results=results), context)

    async def StopWorker(self, request, context):
        fault = await self._arrive("StopWorker", request, context)
        self._stopped.add(request.worker_id)
        released = 0
        for held in self.held.values():
            if held.state == "claimed":
                held.state = "released"
                released += 1
        begun = self.states()["begun"]
        response = pb.StopWorkerResponse(released_attempt_count=released, begun_attempt_count=begun)
        return await self._answer(fault, response, context)

    # -------------------------------------------------------------------- how it answers

    async def _arrive(self, method: str, request: Any, context: Any) -> Fault | None:
        self.requests.append((time.monotonic(), method, request))
        await self.change()
        if method in self.hold:
            await self.hold[method].wait()
        faults = self.faults.get(method)
        fault = faults.popleft() if faults else None
        if fault and not fault.lose_answer:
            await self._abort(fault, context)
        return fault

    async def _answer(self, fault: Fault | None, response: Any, context: Any) -> Any:
        await self.change()
        held_back = self.hold_answer.get(type(response).__name__.removesuffix("Response"))
        if held_back:
            await held_back.wait()
        if fault:
            await self._abort(fault, context)
        return response

    async def _abort(self, fault: Fault, context: Any) -> None:
        status = status_pb2.Status(code=fault.code.value[0], message="scripted")
        if fault.retry_delay is not None:
            detail = AnyMessage()
            detail.Pack(error_details_pb2.RetryInfo(retry_delay=fault.retry_delay))
            status.details.append(detail)
        trailers = rpc_status.to_status(status).trailing_metadata
        await context.abort(fault.code, "scripted", trailing_metadata=trailers)

    async def _wait_for_offer(self, request: pb.ClaimAttemptsRequest, end: float) -> None:
        async with self._changed:
            while not self.offers and request.worker_id not in self._stopped:
                try:
                    async with asyncio.timeout(end - time.monotonic()):
                        await self._changed.wait()
                except TimeoutError:
                    return

    def _hand_out(self, request: pb.ClaimAttemptsRequest) -> list[str]:
        handed_out: list[str] = []
        if request.worker_id in self._stopped:
            return handed_out
        while self.offers and len(handed_out) < max(request.max_attempts, 1):
            attempt = self.offers.popleft()
            attempt.lease_duration.FromTimedelta(self._lasting(request))
            attempt.begun = request.begin
            self.held[attempt.attempt_id] = Held(
                attempt, "begun" if request.begin else "claimed", self._lease_end(request)
            )
            handed_out.append(attempt.attempt_id)
        return handed_out

    def _lasting(self, request: Any) -> timedelta:
        return self.lease if self.lease is not None else request.lease_duration.ToTimedelta()

    def _lease_end(self, request: Any) -> float:
        return time.monotonic() + self._lasting(request).total_seconds()

    def _find(self, lease: pb.Lease) -> Held | None:
        held = self.held.get(lease.attempt_id)
        return held if held and held.attempt.lease_token == lease.lease_token else None

    def _has_lost_lease(self, held: Held) -> bool:
        return held.attempt.number in self.lose_leases or held.lease_end < time.monotonic()

    def _begin(self, held: Held) -> pb.BeginResult.Answer:
        if held.state not in {"claimed", "begun"}:
            return pb.BeginResult.ANSWER_LEASE_LOST
        if held.attempt.number in self.refuse_begin:
            held.state = "released"
            return pb.BeginResult.ANSWER_REFUSED
        held.state = "begun"
        return pb.BeginResult.ANSWER_BEGUN

    def _record(self, report: pb.OutcomeReport, held: Held | None) -> pb.ReportResult.Answer:
        if held is None:
            return pb.ReportResult.ANSWER_NOT_FOUND
        if held.attempt.number in self.answer_report:
            return self.answer_report[held.attempt.number]
        if held.state == "released":
            return pb.ReportResult.ANSWER_LEASE_LOST
        if held.reports:
            same = held.reports[0].outcome == report.outcome
            return pb.ReportResult.ANSWER_REPLAYED if same else pb.ReportResult.ANSWER_CONFLICT
        held.reports.append(report)
        held.state = "ended"
        return pb.ReportResult.ANSWER_ACCEPTED


@asynccontextmanager
async def serving(scripted: ScriptedServer, port: int = 0) -> AsyncIterator[ScriptedServer]:
    """Serve until the block ends; the address is `scripted.address`."""
    server = grpc.aio.server()
    rpc.add_DialerServiceServicer_to_server(scripted, server)
    healthy = health.aio.HealthServicer()
    await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    scripted.address = f"127.0.0.1:{port}"
    await server.start()
    try:
        yield scripted
    finally:
        await server.stop(None)
