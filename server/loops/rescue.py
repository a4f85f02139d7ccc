"""Settle attempts whose lease is over, and entries whose campaign is (D3, E1)."""

from datetime import timedelta
from functools import partial
from typing import ClassVar

from server import attempts
from server.attempts import EndedCall
from server.db import Database, Transaction


class RescueLoop:
    """Release claims that never rang, hold silent calls, end holds that are over."""

    name: ClassVar[str] = "rescue"

    def __init__(self, interval: timedelta) -> None:
        self.interval = interval

    async def run_once(self, db: Database, limit: int) -> int:
        """Settle up to `limit` attempts or entries of each kind; answer how many in all."""
        settled = 0
        for step in (_release_claims, _hold_silent, _end_holds, _close_expired):
            settled = max(settled, await db.run(partial(step, limit=limit)))
        return settled


async def _release_claims(tx: Transaction, limit: int) -> int:
    rows = await tx.many("lock_ended_claims", max_attempts=limit)
    await attempts.release(tx, [attempts.lease_of(row) for row in rows], "LEASE_ENDED")
    return len(rows)


async def _hold_silent(tx: Transaction, limit: int) -> int:
    return len(await tx.many("hold_silent_attempts", max_attempts=limit))


async def _end_holds(tx: Transaction, limit: int) -> int:
    rows = await tx.many("lock_ended_holds", max_attempts=limit)
    await attempts.end(
        tx,
        [
            EndedCall(
                lease=attempts.lease_of(row),
                status=row["status"],
                talk=row["talk"],
                ended_at=row["held_until"],
            )
            for row in rows
        ],
    )
    return len(rows)


async def _close_expired(tx: Transaction, limit: int) -> int:
    rows = await tx.many("lock_expired_entries", max_entries=limit)
    return await attempts.close(tx, rows)
