"""Forget what was kept for repeated requests and late answers."""

from datetime import timedelta
from typing import ClassVar

from server.db import Database


class ForgetLoop:
    """Delete answers, claims, releases and stopped workers that nobody will ask for any more."""

    name: ClassVar[str] = "forget"
    interval = timedelta(minutes=10)

    async def run_once(self, db: Database, limit: int) -> int:  # noqa: ARG002 - one statement does all
        """Forget what is old enough; answer 0, because nothing is ever left over."""
        await db.run(lambda tx: tx.one("forget_old_requests"))
        return 0
