"""Settle reports about attempts that are not held any more (D2, D3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from server import attempts
from server.attempts import EndedCall, Lease, Row
from server.db import Transaction


@dataclass(frozen=True, slots=True)
class Answer:
    """Say what became of a report."""

    word: str
    """A value of ReportResult.Answer without its prefix."""
    row: Row | None
    """The decision, when the report made one."""


async def find_past(tx: Transaction, leases: Sequence[Lease]) -> dict[UUID, str | None]:
    """Return which of these attempts were once held with this token, or still are.

    Returns:
        By attempt id why it was given back; None for one that is held, or has ended in history.
    """
    if not leases:
        return {}
    past: dict[UUID, str | None] = dict.fromkeys(await attempts.find_held(tx, leases))
    for row in await _find_ended(tx, leases):
        past[leases[row["place"] - 1].attempt_id] = row["release_reason"]
    return past


async def settle(tx: Transaction, calls: Sequence[EndedCall]) -> dict[UUID, Answer]:
    """Answer reports that ended nothing, and keep as evidence what says something new (D3).

    The caller has locked the entries. Attempts that never were are missing in the answer.
    """
    if not calls:
        return {}
    rows = await _find_ended(tx, [call.lease for call in calls])
    held = await attempts.find_held(tx, [call.lease for call in calls])
    # Claimed and not begun: whoever reports it dialed without permission.
    evidence = [(call, "LEASE_LOST") for call in calls if call.lease.attempt_id in held]
    answers = {call.lease.attempt_id: Answer(word, None) for call, word in evidence}
    corrections: list[tuple[EndedCall, Row]] = []
    for row in rows:
        call = calls[row["place"] - 1]
        word = _answer(call.status, row)
        answers[call.lease.attempt_id] = Answer(word, None)
        if word != "REPLAYED":
            evidence.append((call, word))
        if word == "LATE":
            corrections.append((call, row))
    await _keep(tx, evidence)
    await _correct(tx, corrections)
    return answers


def _answer(outcome: str, row: Row) -> str:
    if row["release_reason"] is not None:
        replayed = outcome == "NOT_DIALED" and row["release_reason"] == "NOT_DIALED"
        return "REPLAYED" if replayed else "LEASE_LOST"
    if row["status"] == outcome:
        return "REPLAYED"
    # NOT_DIALED of a call recorded as UNKNOWN comes too late to be uncounted: it is evidence only.
    return "LATE" if row["status"] == "UNKNOWN" and outcome != "NOT_DIALED" else "CONFLICT"


async def _find_ended(tx: Transaction, leases: Sequence[Lease]) -> list[Row]:
    return await tx.many(
        "find_ended_attempts",
        attempt_ids=[lease.attempt_id for lease in leases],
        lease_tokens=[lease.lease_token for lease in leases],
    )


async def _keep(tx: Transaction, evidence: Sequence[tuple[EndedCall, str]]) -> None:
    if evidence:
        await tx.execute(
            "insert_late_reports",
            attempt_ids=[call.lease.attempt_id for call, _ in evidence],
            outcomes=[call.status for call, _ in evidence],
            answers=[word for _, word in evidence],
            rings=[call.ring for call, _ in evidence],
            talks=[call.talk for call, _ in evidence],
            causes=[call.telephony_cause for call, _ in evidence],
            channels=[call.channel_id for call, _ in evidence],
        )


async def _correct(tx: Transaction, corrections: Sequence[tuple[EndedCall, Row]]) -> None:
    if not corrections:
        return
    await tx.execute(
        "correct_history",
        attempt_ids=[call.lease.attempt_id for call, _ in corrections],
        claimed_ats=[row["claimed_at"] for _, row in corrections],
        statuses=[call.status for call, _ in corrections],
        rings=[call.ring for call, _ in corrections],
        talks=[call.talk for call, _ in corrections],
        causes=[call.telephony_cause for call, _ in corrections],
        channels=[call.channel_id for call, _ in corrections],
    )
    reached = [row for call, row in corrections if call.status == "ANSWERED"]
    if reached:
        rows = await tx.many(
            "reach_entries",
            campaign_ids=[row["campaign_id"] for row in reached],
            contact_ids=[row["contact_id"] for row in reached],
            entry_ids=[row["entry_id"] for row in reached],
            attempt_numbers=[row["attempt_number"] for row in reached],
        )
        await attempts.close(tx, rows)
