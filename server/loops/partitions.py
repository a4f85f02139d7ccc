"""Add the partitions of history for the coming months."""

from datetime import timedelta
from typing import ClassVar, Final

from server.db import Database

MONTHS_AHEAD: Final = 2


class PartitionLoop:
    """Keep a partition for this month and the next ones; without one, calls go to the default."""

    name: ClassVar[str] = "partitions"
    interval = timedelta(hours=6)

    async def run_once(self, db: Database, limit: int) -> int:  # noqa: ARG002 - one statement does all
        """Add what is missing; answer 0, because nothing is ever left over."""
        await db.run(lambda tx: tx.many("add_history_partitions", months_ahead=MONTHS_AHEAD))
        return 0
