"""See from outside that sessions wait for locks."""

import asyncio

from server.db import PlainConnection


async def until_waiting(conn: PlainConnection, sessions: int = 1) -> None:
    """Return when at least so many sessions of this database wait for a lock; give up after 5 s."""
    async with asyncio.timeout(5):
        while _waiting(conn) < sessions:  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.01)


def _waiting(conn: PlainConnection) -> int:
    row = conn.execute(
        "select count(*) as sessions from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock'"
    ).fetchone()
    assert row is not None
    return int(row["sessions"])
