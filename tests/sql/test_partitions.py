"""History has a partition a month."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from server.db import Database, PlainConnection
from server.loops.partitions import PartitionLoop
from tests.conftest import Clock
from tests.lock_waits import until_waiting


def partitions(conn: PlainConnection) -> list[str]:
    rows = conn.execute(
        "select inhrelid::regclass::text as name from pg_inherits"
        " where inhparent = 'history'::regclass order by 1"
    )
    return [row["name"] for row in rows]


async def test_this_month_and_the_next_two_are_added_once(
    db: Database, conn: PlainConnection, clock: Clock
) -> None:
    clock.set(datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC))
    await PartitionLoop().run_once(db, 1)
    await PartitionLoop().run_once(db, 1)

    assert partitions(conn) == [
        "history_2026_11",
        "history_2026_12",
        "history_2027_01",
        "history_default",
    ]

    clock.advance(1)
    await PartitionLoop().run_once(db, 1)
    assert "history_2027_02" in partitions(conn)


async def test_a_month_that_has_calls_in_the_default_partition_stays_there(
    db: Database, conn: PlainConnection, clock: Clock
) -> None:
    clock.set(datetime(2026, 1, 15, tzinfo=UTC))
    conn.execute(
        """
        insert into history (
          attempt_id, claimed_at, lease_token, campaign_id, contact_id, entry_id, e164, status,
          cycle, dial_position, attempt_number, rule, settings_version, worker_id, scheduled_at,
          begun_at, ended_at, ring, talk
        )
        select
          uuid_at(clock()), clock(), gen_random_uuid(), 1, 1, 1, '+12025550100', 'BUSY', 1, 0, 1,
          'FIRST_CALL', 1, 'w', clock(), clock(), clock(), '0 s', '0 s'
        """
    )

    await PartitionLoop().run_once(db, 1)

    assert partitions(conn) == ["history_2026_02", "history_2026_03", "history_default"]


async def test_two_servers_that_start_together_do_not_race(
    db: Database, new_connection: Callable[[], PlainConnection], conn: PlainConnection
) -> None:
    other = new_connection()
    with other.transaction():
        other.execute("select add_history_partitions(2)")
        adding = asyncio.create_task(PartitionLoop().run_once(db, 1))
        await until_waiting(conn)

    await adding
    assert len(partitions(conn)) == 4
