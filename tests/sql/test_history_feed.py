"""History is listed in the order in which it was written, whatever the transaction's number."""

import uuid

from server.db import Database, PlainConnection
from tests.factories import Factory


async def test_pages_go_on_across_a_power_of_ten(db: Database, conn: PlainConnection) -> None:
    campaign = Factory(conn).campaign()
    for number in (98, 99, 100, 101, 999, 1000):
        conn.execute(
            """
            insert into history (
              attempt_id, claimed_at, lease_token, campaign_id, contact_id, entry_id, e164, status,
              cycle, dial_position, attempt_number, rule, settings_version, worker_id,
              scheduled_at, begun_at, ended_at, ring, talk, recorded_in
            )
            select
              uuid_at(clock()), clock(), gen_random_uuid(), %s, 1, 1, '+12025550100', 'BUSY', 1, 0,
              1, 'FIRST_CALL', 1, 'w', clock(), clock(), clock(), '0 s', '0 s', %s::text::xid8
            """,
            [campaign, str(number)],
        )
    seen: list[str] = []
    after = ("0", uuid.UUID(int=0))
    while True:
        async with db.transaction() as tx:
            rows = await tx.many(
                "list_history",
                campaign_id=campaign,
                after_recorded_in=after[0],
                after_attempt_id=after[1],
                contact_id=None,
                is_feed=False,
                page_size=2,
            )
        if not rows:
            break
        seen += [row["recorded_in"] for row in rows]
        after = (rows[-1]["recorded_in"], rows[-1]["attempt_id"])

    assert seen == ["98", "99", "100", "101", "999", "1000"]
