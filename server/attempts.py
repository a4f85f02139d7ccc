"""Move attempts through their life, inside the caller's transaction.

Services and loops share these steps, so that a report and the end of a hold are one piece of code.
Each locks the entries first and then looks: a statement sees what was committed before it began, so
what it reads of a locked entry is as it is. The decisions are SQL: see claim.sql and
attempt.sql in server/sql/queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from server.db import Transaction
from server.errors import Conflict

ZERO = timedelta(0)
NOT_DIALED_DELAY = timedelta(seconds=10)
"""How long an entry waits after its worker could not dial (D5)."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lease:
    """Name one held attempt: the keys of its row, and the proof that the caller holds it."""

    campaign_id: int
    contact_id: int
    attempt_id: UUID
    lease_token: UUID


@dataclass(frozen=True, slots=True)
class Caller:
    """Say who claims, and what it wants."""

    worker_id: str
    request_id: UUID | None
    max_attempts: int
    lease: timedelta
    begins: bool
    lease_token: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class EndedCall:
    """Say what a begun attempt came to.

    `ended_at` is set where the moment is known (the end of a hold); otherwise the call ended
    `ended_ago` before now, by the reporter's count (D4).
    """

    lease: Lease
    status: str
    ring: timedelta = ZERO
    talk: timedelta = ZERO
    ended_ago: timedelta = ZERO
    ended_at: datetime | None = None
    telephony_cause: str = ""
    channel_id: str = ""


def lease_of(row: Row) -> Lease:
    """Return the lease of a row that has an attempt's keys."""
    return Lease(row["campaign_id"], row["contact_id"], row["attempt_id"], row["lease_token"])


def _keys(leases: Sequence[Lease]) -> dict[str, list[Any]]:
    return {
        "campaign_ids": [lease.campaign_id for lease in leases],
        "contact_ids": [lease.contact_id for lease in leases],
        "attempt_ids": [lease.attempt_id for lease in leases],
        "lease_tokens": [lease.lease_token for lease in leases],
    }


async def lock_entries(tx: Transaction, leases: Sequence[Lease]) -> None:
    """Lock the entries of these attempts, in lock order."""
    await tx.execute(
        "lock_entries",
        campaign_ids=[lease.campaign_id for lease in leases],
        contact_ids=[lease.contact_id for lease in leases],
    )


async def close(tx: Transaction, rows: Sequence[Row]) -> int:
    """Close the entries of rows that have a `close_reason`; answer how many."""
    closing = [row for row in rows if row["close_reason"] is not None]
    if not closing:
        return 0
    [closed] = await tx.many(
        "close_entries",
        campaign_ids=[row["campaign_id"] for row in closing],
        contact_ids=[row["contact_id"] for row in closing],
        reasons=[row["close_reason"] for row in closing],
    )
    if closed["closed_count"] != len(closing):
        raise Conflict
    return len(closing)


async def claim(
    tx: Transaction, callers: Sequence[Caller], campaign_ids: Sequence[int] | None
) -> list[list[Row]]:
    """Claim due attempts for several callers at once (E3, D1, R11).

    Args:
        tx: The transaction.
        callers: Served in this order, each with at most what it asked for.
        campaign_ids: Only these campaigns; None for all that run.

    Returns:
        One list of rows a caller, most urgent first, possibly empty.
    """
    claimed: list[list[Row]] = [[] for _ in callers]
    due = await tx.many(
        "lock_due_entries",
        campaign_ids=None if campaign_ids is None else list(campaign_ids),
        max_attempts=sum(caller.max_attempts for caller in callers),
    )
    if not due:
        return claimed
    shared = await tx.many(
        "share_campaigns", campaign_ids=sorted({row["campaign_id"] for row in due})
    )
    open_campaigns = {row["campaign_id"] for row in shared}
    due = [row for row in due if row["campaign_id"] in open_campaigns]
    if not due:
        return claimed
    rows = await tx.many(
        "claim_attempts",
        campaign_ids=[row["campaign_id"] for row in due],
        contact_ids=[row["contact_id"] for row in due],
        worker_ids=[caller.worker_id for caller in callers],
        lease_tokens=[caller.lease_token for caller in callers],
        max_attempts=[caller.max_attempts for caller in callers],
        leases=[caller.lease for caller in callers],
        begins=[caller.begins for caller in callers],
    )
    urgency = {(row["campaign_id"], row["contact_id"]): place for place, row in enumerate(due)}
    rows.sort(key=lambda row: urgency[row["campaign_id"], row["contact_id"]])
    await close(tx, rows)
    await _put_off(tx, due, rows)
    for row in rows:
        if row["caller"] is not None:
            claimed[row["caller"] - 1].append(row)
    await _remember(tx, callers, claimed)
    return claimed


async def _put_off(tx: Transaction, due: Sequence[Row], rows: Sequence[Row]) -> None:
    """Move the locked entries that a claim did not take: due later now, or busy (R11, D1)."""
    later = [row for row in rows if row["due_at"] is not None]
    if later:
        await tx.execute(
            "move_entries",
            campaign_ids=[row["campaign_id"] for row in later],
            contact_ids=[row["contact_id"] for row in later],
            due_ats=[row["due_at"] for row in later],
        )
    settled = {(row["campaign_id"], row["contact_id"]) for row in rows}
    busy = [row for row in due if (row["campaign_id"], row["contact_id"]) not in settled]
    if busy:
        await tx.execute(
            "defer_busy_entries",
            campaign_ids=[row["campaign_id"] for row in busy],
            contact_ids=[row["contact_id"] for row in busy],
        )


async def _remember(
    tx: Transaction, callers: Sequence[Caller], claimed: Sequence[Sequence[Row]]
) -> None:
    repeatable = [
        (caller, row)
        for caller, rows in zip(callers, claimed, strict=True)
        if caller.request_id is not None
        for row in rows
    ]
    if repeatable:
        await tx.execute(
            "insert_claim_requests",
            request_ids=[caller.request_id for caller, _ in repeatable],
            worker_ids=[caller.worker_id for caller, _ in repeatable],
            lease_tokens=[caller.lease_token for caller, _ in repeatable],
            campaign_ids=[row["campaign_id"] for _, row in repeatable],
            contact_ids=[row["contact_id"] for _, row in repeatable],
        )


async def begin(tx: Transaction, leases: Sequence[Lease], lease: timedelta) -> list[Row | None]:
    """Give the permission to dial (D2); release what may not be dialed any more.

    Returns:
        One row a lease in the order given, None where the attempt is not held.
    """
    await tx.execute("wait_for_campaigns", campaign_ids=[held.campaign_id for held in leases])
    await lock_entries(tx, leases)
    rows = await tx.many("begin_attempts", **_keys(leases), lease=lease)
    by_place: dict[int, Row] = {row["place"]: row for row in rows}
    refused = [
        leases[row["place"] - 1]
        for row in rows
        if row["is_held"] and not row["is_begun"] and not row["is_allowed"]
    ]
    await release(tx, refused, "REFUSED")
    return [by_place.get(place) for place in range(1, len(leases) + 1)]


async def renew(
    tx: Transaction, renewals: Sequence[tuple[Lease, bool]], lease: timedelta
) -> dict[UUID, Row]:
    """Make leases last at least `lease` from now, and note which calls were answered (D3).

    Returns:
        By attempt id the renewed leases; attempts that are not held any more are missing.
    """
    leases = [held for held, _ in renewals]
    await lock_entries(tx, leases)
    rows = await tx.many(
        "renew_leases",
        **_keys(leases),
        are_answered=[is_answered for _, is_answered in renewals],
        lease=lease,
    )
    return {row["attempt_id"]: row for row in rows}


async def find_held(tx: Transaction, leases: Sequence[Lease]) -> set[UUID]:
    """Return which of these attempts are held now."""
    rows = await tx.many("find_held_attempts", **_keys(leases)) if leases else []
    return {leases[row["place"] - 1].attempt_id for row in rows}


async def release(
    tx: Transaction, leases: Sequence[Lease], reason: str, delay: timedelta = ZERO
) -> dict[UUID, Row]:
    """Give attempts back uncounted; the caller has locked their entries.

    Args:
        tx: The transaction.
        leases: The attempts. Begun ones are given back for the reason NOT_DIALED only.
        reason: A value of released_attempt.reason.
        delay: How long until the entries are due again.

    Returns:
        By attempt id a row with `close_reason` for those that were given back.
    """
    if not leases:
        return {}
    rows = await tx.many("release_attempts", **_keys(leases), reason=reason, delay=delay)
    await close(tx, rows)
    return {row["attempt_id"]: row for row in rows}


async def decisions(tx: Transaction, leases: Sequence[Lease]) -> dict[UUID, Row]:
    """Return by attempt id what comes next for entries that were just made ready."""
    if not leases:
        return {}
    rows = await tx.many(
        "find_decisions",
        campaign_ids=[lease.campaign_id for lease in leases],
        contact_ids=[lease.contact_id for lease in leases],
    )
    found = {(row["campaign_id"], row["contact_id"]): row for row in rows}
    keyed = {lease.attempt_id: (lease.campaign_id, lease.contact_id) for lease in leases}
    return {attempt_id: found[key] for attempt_id, key in keyed.items() if key in found}


async def end(tx: Transaction, calls: Sequence[EndedCall]) -> dict[UUID, Row]:
    """End begun attempts: history, tallies, and the next decision (R2-R7).

    The caller has locked their entries.

    Returns:
        By attempt id what was decided; attempts that were not begun, or not held, are missing.

    Raises:
        Conflict: An entry was not where its attempt said; the transaction must be rolled back.
    """
    if not calls:
        return {}
    rows = await tx.many(
        "end_attempts",
        **_keys([call.lease for call in calls]),
        statuses=[call.status for call in calls],
        rings=[call.ring for call in calls],
        talks=[call.talk for call in calls],
        ended_agos=[call.ended_ago for call in calls],
        ended_ats=[call.ended_at for call in calls],
        causes=[call.telephony_cause for call in calls],
        channels=[call.channel_id for call in calls],
    )
    if rows and rows[0]["moved"] != len(rows):
        raise Conflict
    await close(tx, rows)
    return {row["attempt_id"]: row for row in rows}
