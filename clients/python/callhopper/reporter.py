"""The reports of a worker: gathered, sent until they are answered, each answer counted."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

import grpc
from grpc.aio import AioRpcError

from callhopper.call import Call, Result, clock
from callhopper.pacing import Backoff
from callhopper.v1 import dialer_service_pb2 as pb

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

    from callhopper.v1 import types_pb2
    from callhopper.v1.dialer_service_pb2_grpc import DialerServiceAsyncStub

log = logging.getLogger("callhopper.worker")

RPC_SECONDS: Final = 10.0  # deadline of an RPC, beyond what a claim waits
GATHER_SECONDS: Final = 0.005  # what happens together goes together
MOST_ITEMS: Final = 1000  # of one request; the contract's limit


@dataclass(slots=True)
class Stats:
    """What a worker has done so far."""

    claims: int = 0
    """Claims that were answered."""
    claimed: int = 0
    """Attempts delivered, each counted once."""
    replayed: int = 0
    """Attempts delivered a second time, and left alone."""
    dialed: int = 0
    """Times that the dial function was called."""
    refused: int = 0
    """Attempts that BeginAttempts did not permit to dial."""
    expired: int = 0
    """Attempts whose lease ended by this worker's clock before they were dialed; never dialed."""
    released: int = 0
    """Attempts given back before they were begun."""
    unknown: int = 0
    """Calls whose outcome the dial function did not say."""
    renewed: int = 0
    """Leases made longer."""
    lost: int = 0
    """Leases that the server would not renew."""
    reports: Counter[str] = field(default_factory=Counter)
    """Answers to reports by name (ACCEPTED, REPLAYED, ...); GIVEN_UP and INVALID are ours."""
    retries: int = 0
    """RPCs that failed and were sent again."""


@dataclass(frozen=True, slots=True)
class _Report:
    call: Call
    result: Result
    ended: float


class Reporter:
    """Keeps what calls came to until the server has given a definite answer.

    A report says how long ago its call ended, measured anew for each send: a report that waited
    for a server to come back still carries the time at which the call ended.
    """

    def __init__(self, stub: "DialerServiceAsyncStub", stats: Stats, give_up: float) -> None:
        self._stub = stub
        self._stats = stats
        self._give_up = give_up  # seconds after the end of a call
        self._reports: deque[_Report] = deque()
        self._due = asyncio.Event()
        self._flushing = False
        self._hurrying = False

    def add(self, call: Call, result: Result) -> None:
        """Report a call that ended now."""
        self._reports.append(_Report(call, result, clock()))
        self._due.set()

    def flush(self) -> None:
        """Let `run` return when everything is answered."""
        self._flushing = True
        self._due.set()

    def hurry(self) -> None:
        """Let `flush` give up what one more try does not get answered."""
        self._hurrying = True

    async def run(self) -> None:
        """Send reports in batches until each got a definite answer, or is too old."""
        backoff = Backoff()
        while self._reports or not self._flushing:
            await self._due.wait()
            self._due.clear()
            await asyncio.sleep(GATHER_SECONDS)
            while self._reports:
                batch = list(islice(self._reports, MOST_ITEMS))
                unanswered = await self._send(batch)
                for _ in batch:
                    self._reports.popleft()
                if not unanswered:
                    backoff = Backoff()
                    continue
                self._reports.extendleft(reversed(unanswered))
                if self._flushing and self._hurrying:
                    self._give_up_on(len(self._reports))
                    self._reports.clear()
                else:
                    await asyncio.sleep(next(backoff))

    def _give_up_on(self, reports: int) -> None:
        self._stats.reports["GIVEN_UP"] += reports
        log.error("%d reports are given up unanswered", reports)

    async def _send(self, reports: Sequence[_Report]) -> list[_Report]:
        """Send up to 1000 reports, and return those that are to be sent again."""
        now = clock()
        young = [report for report in reports if now - report.ended < self._give_up]
        if len(young) < len(reports):
            self._give_up_on(len(reports) - len(young))
        if not young:
            return []
        request = pb.ReportOutcomesRequest(reports=[_outcome(report, now) for report in young])
        try:
            response = await self._stub.ReportOutcomes(request, timeout=RPC_SECONDS)
        except AioRpcError as error:
            if error.code() != grpc.StatusCode.INVALID_ARGUMENT:
                self._stats.retries += 1
                log.info("ReportOutcomes failed: %s", error.code().name)
                return young
            if len(young) == 1:
                self._stats.reports["INVALID"] += 1
                log.error("attempt %s: report refused", young[0].call.attempt_id)  # noqa: TRY400
                return []
            # One bad report must not keep the others from being stored.
            half = len(young) // 2
            return await self._send(young[:half]) + await self._send(young[half:])
        answers = {result.attempt_id: result.answer for result in response.results}
        return [report for report in young if not self._note(report, answers)]

    def _note(self, report: _Report, answers: dict[str, "pb.ReportResult.Answer"]) -> bool:
        """Count the answer to one report, and return whether there was one."""
        attempt_id = report.call.attempt_id
        if attempt_id not in answers:
            return False
        answer = answer_name(pb.ReportResult.Answer, answers[attempt_id])
        self._stats.reports[answer] += 1
        if answer not in {"ACCEPTED", "REPLAYED"}:
            log.warning("attempt %s: report is %s", attempt_id, answer)
        return True


def _outcome(report: _Report, now: float) -> pb.OutcomeReport:
    outcome: types_pb2.Outcome = report.result.outcome  # type: ignore[assignment] # same numbers
    return pb.OutcomeReport(
        lease=lease_of(report.call),
        outcome=outcome,
        ring_duration=report.result.ring,
        talk_duration=report.result.talk,
        ended_ago=timedelta(seconds=now - report.ended),
        telephony_cause=report.result.cause,
        channel_id=report.result.channel_id,
    )


def lease_of(call: Call) -> pb.Lease:
    """Return what identifies the attempt to the server."""
    return pb.Lease(attempt_id=call.attempt_id, lease_token=call.lease.token)


def answer_name(answers: "EnumTypeWrapper", answer: int) -> str:
    """Return the name of an answer; of one that only a newer server knows, its number."""
    if answer not in answers.values():
        return str(answer)
    return answers.Name(answer).removeprefix("ANSWER_")
