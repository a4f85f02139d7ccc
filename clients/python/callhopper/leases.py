"""The leases of a worker: when each must be taken as ended, and their renewal."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from grpc.aio import AioRpcError

from callhopper.call import Call, Lease, clock
from callhopper.pacing import Backoff, happened
from callhopper.reporter import (
    GATHER_SECONDS,
    MOST_ITEMS,
    RPC_SECONDS,
    Stats,
    answer_name,
    lease_of,
)
from callhopper.v1 import dialer_service_pb2 as pb

if TYPE_CHECKING:
    from callhopper.v1.dialer_service_pb2_grpc import DialerServiceAsyncStub

log = logging.getLogger("callhopper.worker")


class Leases:
    """Knows which calls are live, and renews them all with one RPC.

    Args:
        stub: Of the server.
        stats: Counts renewals.
        lasting: How long leases are asked to last.
        guard: Seconds before its end at which a lease counts as ended.
    """

    def __init__(
        self, stub: "DialerServiceAsyncStub", stats: Stats, lasting: timedelta, guard: float
    ) -> None:
        self._stub = stub
        self._stats = stats
        self._lasting = lasting
        self._guard = guard
        self._live: dict[str, Call] = {}
        self._answered = asyncio.Event()
        self._beats = (clock(), clock())

    async def beat(self) -> None:
        """Note that this process runs: after a stop (SIGSTOP, a frozen machine) it did not.

        An answer may have lain in a buffer while the process stood still, so the leases of a
        claim are counted from the beat before last, when it cannot have been there yet.
        """
        while True:
            self._beats = (self._beats[1], clock())
            await asyncio.sleep(min(0.5, self._lasting.total_seconds() / 20))

    def claimed(self, attempt: pb.ClaimedAttempt) -> Lease:
        """Return the lease of an attempt that a claim delivered just now."""
        return Lease(
            token=attempt.lease_token,
            deadline=self._deadline(attempt.lease_duration.ToTimedelta(), self._beats[0]),
            tell=self._answered.set,
        )

    def extend(self, call: Call, lasting: timedelta, *, asked: float) -> None:
        """Note how long a lease lasts; counted from the question, which is before the answer."""
        call.lease.deadline = self._deadline(lasting, asked)

    def _deadline(self, lasting: timedelta, since: float) -> float:
        return since + lasting.total_seconds() - self._guard

    def hold(self, call: Call) -> None:
        """Renew the lease of a call from now on."""
        self._live[call.attempt_id] = call

    def drop(self, call: Call) -> None:
        """Renew the lease of a call no more."""
        self._live.pop(call.attempt_id, None)

    async def renew(self) -> None:
        """Renew all live leases at a third of their time, and newly answered calls at once."""
        interval = self._lasting.total_seconds() / 3
        due = clock() + interval
        backoff = Backoff()
        while True:
            await happened(self._answered, within=max(0.0, due - clock()))
            self._answered.clear()
            await asyncio.sleep(GATHER_SECONDS)
            every = clock() >= due
            calls = [
                call
                for call in self._live.values()
                if not call.lease.lost and (every or call.lease.answered > call.lease.told)
            ]
            done = True
            for start in range(0, len(calls), MOST_ITEMS):
                done &= await self._renew_batch(calls[start : start + MOST_ITEMS])
            if not done:
                due = clock() + min(next(backoff), interval)
            elif every:
                due = clock() + interval
                backoff = Backoff()

    async def _renew_batch(self, calls: Sequence[Call]) -> bool:
        """Renew up to 1000 leases, and return whether the server answered."""
        asked = clock()
        told = [call.lease.answered for call in calls]
        request = pb.RenewLeasesRequest(
            renewals=[
                pb.Renewal(lease=lease_of(call), answered=answered)
                for call, answered in zip(calls, told, strict=True)
            ],
            lease_duration=self._lasting,
        )
        try:
            response = await self._stub.RenewLeases(request, timeout=RPC_SECONDS)
        except AioRpcError as error:
            self._stats.retries += 1
            log.info("RenewLeases failed: %s", error.code().name)
            return False
        results = {result.attempt_id: result for result in response.results}
        for call, answered in zip(calls, told, strict=True):
            result = results.get(call.attempt_id)
            if result is None:
                continue
            if result.answer == pb.RenewResult.ANSWER_RENEWED:
                self._stats.renewed += 1
                call.lease.told = answered
                self.extend(call, result.lease_duration.ToTimedelta(), asked=asked)
            else:
                self._stats.lost += 1
                call.lease.lost = True
                answer = answer_name(pb.RenewResult.Answer, result.answer)
                log.warning("attempt %s is not renewed: %s", call.attempt_id, answer)
        return True
