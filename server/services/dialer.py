"""Hand attempts to workers and take their reports: DialerService."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from time import monotonic
from typing import Any, Final
from uuid import UUID

import grpc

from callhopper.v1 import dialer_service_pb2 as dialer
from callhopper.v1 import types_pb2
from callhopper.v1.dialer_service_pb2_grpc import DialerServiceServicer
from server import attempts, late
from server.attempts import ZERO, Caller, EndedCall, Lease
from server.checks import Checks
from server.convert import dialer as convert
from server.convert.calls import duration
from server.db import Transaction, call_deadline
from server.errors import NotFound
from server.services.context import Context

MAX_CLAIM: Final = 500
MAX_ITEMS: Final = 1000
DEFAULT_LEASE: Final = 60
MAX_LEASE: Final = 600
MAX_WAIT: Final = 55
MAX_CALL: Final = 7 * 86_400
ANSWER_MARGIN: Final = 0.5
"""Seconds before its deadline at which a waiting claim is answered empty."""

Call = grpc.aio.ServicerContext[Any, Any]


class DialerService(DialerServiceServicer):
    """Serve workers. Attempts move in server/attempts.py, inside one transaction a call."""

    def __init__(self, context: Context) -> None:
        self._db = context.db
        self._claims = context.claims
        self._longest_wait = timedelta(seconds=context.settings.longest_poll)

    async def ClaimAttempts(
        self, request: dialer.ClaimAttemptsRequest, context: Call
    ) -> dialer.ClaimAttemptsResponse:
        """Wait for due attempts and lease them to the caller (E3, D1, D2)."""
        with Checks() as checks:
            caller = Caller(
                worker_id=checks.text("worker_id", request.worker_id, most=128, required=True),
                request_id=checks.request_id(request.request_id),
                max_attempts=checks.between(
                    "max_attempts", request.max_attempts or 1, 1, MAX_CLAIM
                ),
                lease=_lease_duration(checks, request, "lease_duration"),
                begins=request.begin,
            )
            campaign_ids = [
                checks.resource_id(f"campaigns[{place}]", name, "campaigns")
                for place, name in enumerate(request.campaigns)
            ]
            wait = checks.length("wait_duration", request.wait_duration, MAX_WAIT)
        wait = min(wait, self._longest_wait)
        deadline = call_deadline.get()
        if deadline is not None:
            wait = min(wait, timedelta(seconds=max(deadline - monotonic() - ANSWER_MARGIN, 0)))
        if campaign_ids:
            await self._require_campaigns(campaign_ids)
        answer = await self._claims.claim(caller, tuple(sorted(set(campaign_ids))) or None, wait)
        return dialer.ClaimAttemptsResponse(
            attempts=[convert.claimed_attempt(row) for row in answer.rows],
            next_due_in=duration(answer.next_due_in and max(answer.next_due_in, ZERO)),
            poll_interval=duration(self._claims.poll_interval),
            draining=answer.is_stopped,
        )

    async def _require_campaigns(self, campaign_ids: Sequence[int]) -> None:
        rows = await self._db.run(
            lambda tx: tx.many("find_campaigns", campaign_ids=list(campaign_ids))
        )
        found = {row["campaign_id"] for row in rows}
        for campaign_id in campaign_ids:
            if campaign_id not in found:
                raise NotFound(f"campaigns/{campaign_id}")

    async def BeginAttempts(
        self, request: dialer.BeginAttemptsRequest, context: Call
    ) -> dialer.BeginAttemptsResponse:
        """Give the permission to dial, stored before it is given (D2)."""
        with Checks() as checks:
            leases = _leases(checks, "leases", request.leases)
            lease = _lease_duration(checks, request, "lease_duration")
        known = [held for held in leases if held is not None]

        async def work(tx: Transaction) -> tuple[dict[UUID, attempts.Row], Collection[UUID]]:
            rows = await attempts.begin(tx, known, lease)
            held = {row["attempt_id"]: row for row in rows if row is not None}
            return held, await late.find_past(
                tx, [one for one in known if one.attempt_id not in held]
            )

        held, past = await self._db.run(work)
        return dialer.BeginAttemptsResponse(
            results=[
                _begin_result(reference, held.get(known.attempt_id) if known else None, known, past)
                for reference, known in zip(request.leases, leases, strict=True)
            ]
        )

    async def RenewLeases(
        self, request: dialer.RenewLeasesRequest, context: Call
    ) -> dialer.RenewLeasesResponse:
        """Make leases last longer, and note which calls were answered (D3)."""
        with Checks() as checks:
            leases = _leases(checks, "renewals", [one.lease for one in request.renewals], ".lease")
            lease = _lease_duration(checks, request, "lease_duration")
        renewals = [
            (held, one.answered)
            for held, one in zip(leases, request.renewals, strict=True)
            if held is not None
        ]

        async def work(tx: Transaction) -> tuple[dict[UUID, attempts.Row], Collection[UUID]]:
            renewed = await attempts.renew(tx, renewals, lease)
            lost = [held for held, _ in renewals if held.attempt_id not in renewed]
            return renewed, await late.find_past(tx, lost)

        renewed, past = await self._db.run(work)
        answers = dialer.RenewResult.Answer
        results = []
        for one, held in zip(request.renewals, leases, strict=True):
            row = renewed.get(held.attempt_id) if held else None
            answer = answers.ANSWER_RENEWED
            if row is None:
                is_past = held is not None and held.attempt_id in past
                answer = answers.ANSWER_LEASE_LOST if is_past else answers.ANSWER_NOT_FOUND
            results.append(
                dialer.RenewResult(
                    attempt_id=one.lease.attempt_id,
                    answer=answer,
                    lease_duration=None if row is None else duration(row["lease"]),
                )
            )
        return dialer.RenewLeasesResponse(results=results)

    async def ReportOutcomes(
        self, request: dialer.ReportOutcomesRequest, context: Call
    ) -> dialer.ReportOutcomesResponse:
        """Record what calls came to, and decide what is next (R2-R7, D2-D5)."""
        with Checks() as checks:
            leases = _leases(checks, "reports", [one.lease for one in request.reports], ".lease")
            calls = [
                _ended_call(checks, f"reports[{place}]", one, held or _NOBODY)
                for place, (one, held) in enumerate(zip(request.reports, leases, strict=True))
            ]
        known = [call for call in calls if call.lease is not _NOBODY]

        async def work(tx: Transaction) -> dict[UUID, late.Answer]:
            await attempts.lock_entries(tx, [call.lease for call in known])
            undialed = [call.lease for call in known if call.status == "NOT_DIALED"]
            released = await attempts.release(tx, undialed, "NOT_DIALED", attempts.NOT_DIALED_DELAY)
            ended = await attempts.end(tx, [call for call in known if call.status != "NOT_DIALED"])
            answers = {key: late.Answer("ACCEPTED", row) for key, row in ended.items()}
            open_again = [
                lease
                for lease in undialed
                if lease.attempt_id in released
                and released[lease.attempt_id]["close_reason"] is None
            ]
            decisions = released | await attempts.decisions(tx, open_again)
            answers |= {key: late.Answer("ACCEPTED", decisions[key]) for key in released}
            missing = [call for call in known if call.lease.attempt_id not in answers]
            return answers | await late.settle(tx, missing)

        answers = await self._db.run(work, pool="report") if known else {}
        return dialer.ReportOutcomesResponse(
            results=[
                _report_result(one.lease.attempt_id, answers.get(call.lease.attempt_id))
                for one, call in zip(request.reports, calls, strict=True)
            ]
        )

    async def ReleaseAttempts(
        self, request: dialer.ReleaseAttemptsRequest, context: Call
    ) -> dialer.ReleaseAttemptsResponse:
        """Take claimed attempts back that were not begun."""
        with Checks() as checks:
            leases = _leases(checks, "leases", request.leases)
        known = [held for held in leases if held is not None]

        async def work(tx: Transaction) -> dict[UUID, str | None]:
            await attempts.lock_entries(tx, known)
            released = await attempts.release(tx, known, "GIVEN_BACK")
            others = [held for held in known if held.attempt_id not in released]
            return dict.fromkeys(released, "GIVEN_BACK") | await late.find_past(tx, others)

        past = await self._db.run(work)
        answers = dialer.ReleaseResult.Answer
        results = []
        for reference, held in zip(request.leases, leases, strict=True):
            answer = answers.ANSWER_NOT_FOUND
            if held is not None and held.attempt_id in past:
                is_released = past[held.attempt_id] is not None
                answer = answers.ANSWER_RELEASED if is_released else answers.ANSWER_BEGUN
            results.append(dialer.ReleaseResult(attempt_id=reference.attempt_id, answer=answer))
        return dialer.ReleaseAttemptsResponse(results=results)

    async def StopWorker(
        self, request: dialer.StopWorkerRequest, context: Call
    ) -> dialer.StopWorkerResponse:
        """Give a draining worker nothing more, and take back what it did not begin."""
        with Checks() as checks:
            worker_id = checks.text("worker_id", request.worker_id, most=128, required=True)
        # Committed first: a later claim gets nothing, and an earlier one is seen below.
        await self._db.run(lambda tx: tx.execute("stop_worker", worker_id=worker_id))

        async def work(tx: Transaction) -> tuple[int, int]:
            rows = await tx.many("list_attempts_of_worker", worker_id=worker_id)
            leases = [attempts.lease_of(row) for row in rows]
            await attempts.lock_entries(tx, leases)
            released = await attempts.release(tx, leases, "GIVEN_BACK")
            return len(released), len(leases) - len(released)

        released, begun = await self._db.run(work)
        return dialer.StopWorkerResponse(released_attempt_count=released, begun_attempt_count=begun)


_NOBODY: Final = Lease(0, 0, UUID(int=0), UUID(int=0))
"""Stands for a lease that no server ever gave: it is answered NOT_FOUND."""


def _lease_duration(checks: Checks, request: Any, field: str) -> timedelta:
    if not request.HasField(field):
        return timedelta(seconds=DEFAULT_LEASE)
    return checks.seconds(field, getattr(request, field), least=1, most=MAX_LEASE)


def _leases(
    checks: Checks, field: str, references: Sequence[dialer.Lease], suffix: str = ""
) -> list[Lease | None]:
    """Read leases: None for one that is well-formed text but was never given by a server."""
    if not 1 <= len(references) <= MAX_ITEMS:
        checks.refuse(field, f"has {len(references)} items, must have 1 to {MAX_ITEMS}")
    leases = [
        _lease(checks, f"{field}[{place}]{suffix}", reference)
        for place, reference in enumerate(references)
    ]
    seen: dict[str, int] = {}
    for place, reference in enumerate(references):
        first = seen.setdefault(reference.attempt_id, place)
        if reference.attempt_id and first != place:
            checks.refuse(
                f"{field}[{place}]{suffix}.attempt_id", f"is the same as in {field}[{first}]"
            )
    return leases


def _lease(checks: Checks, field: str, reference: dialer.Lease) -> Lease | None:
    attempt_id = checks.text(f"{field}.attempt_id", reference.attempt_id, most=200, required=True)
    token = checks.text(f"{field}.lease_token", reference.lease_token, most=200, required=True)
    try:
        campaign, contact, attempt = attempt_id.split(".")
        lease = Lease(int(campaign), int(contact), UUID(attempt), UUID(hex=token))
    except ValueError:
        return None
    return lease if 0 < lease.campaign_id < 2**63 and 0 < lease.contact_id < 2**63 else None


def _ended_call(
    checks: Checks, field: str, report: dialer.OutcomeReport, lease: Lease
) -> EndedCall:
    if report.outcome == types_pb2.OUTCOME_UNSPECIFIED:
        checks.refuse(f"{field}.outcome", "must be given")
    outcome = checks.choice(f"{field}.outcome", report.outcome, types_pb2.Outcome, "OUTCOME_")

    def length(name: str) -> timedelta:
        return checks.length(f"{field}.{name}", getattr(report, name), MAX_CALL)

    return EndedCall(
        lease=lease,
        status=outcome or "",
        ring=length("ring_duration"),
        talk=length("talk_duration"),
        ended_ago=length("ended_ago"),
        telephony_cause=checks.text(f"{field}.telephony_cause", report.telephony_cause, most=200),
        channel_id=checks.text(f"{field}.channel_id", report.channel_id, most=200),
    )


def _begin_result(
    reference: dialer.Lease, row: attempts.Row | None, lease: Lease | None, past: Collection[UUID]
) -> dialer.BeginResult:
    answers = dialer.BeginResult.Answer
    if row is None:
        is_past = lease is not None and lease.attempt_id in past
        answer = answers.ANSWER_LEASE_LOST if is_past else answers.ANSWER_NOT_FOUND
    elif not row["is_held"]:
        answer = answers.ANSWER_LEASE_LOST
    elif row["is_begun"]:
        return dialer.BeginResult(
            attempt_id=reference.attempt_id,
            answer=answers.ANSWER_BEGUN,
            lease_duration=duration(row["lease"]),
        )
    else:
        answer = answers.ANSWER_REFUSED
    return dialer.BeginResult(attempt_id=reference.attempt_id, answer=answer)


def _report_result(attempt_id: str, answer: late.Answer | None) -> dialer.ReportResult:
    word = "NOT_FOUND" if answer is None else answer.word
    result = dialer.ReportResult(attempt_id=attempt_id, answer=f"ANSWER_{word}")
    if answer is not None and answer.row is not None:
        result.decision.CopyFrom(convert.decision(answer.row))
    return result
