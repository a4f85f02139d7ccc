"""The loop behind ClaimAttempts, where no RPC can look."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from server.attempts import Caller
from server.claims import ClaimLoop
from server.db import Database, PlainConnection
from tests.factories import Factory
from tests.lock_waits import until_waiting


@pytest.fixture
async def loop(db: Database) -> AsyncIterator[ClaimLoop]:
    claims = ClaimLoop(db, poll_interval=timedelta(seconds=0.05), max_waiting=10)
    running = asyncio.create_task(claims.run())
    yield claims
    claims.drain()
    await running


def caller(*, begins: bool = True) -> Caller:
    return Caller("w", uuid4(), 1, timedelta(seconds=60), begins)


async def test_a_claim_under_way_is_answered_with_what_it_got_when_the_server_drains(
    loop: ClaimLoop,
    conn: PlainConnection,
    new_connection: Callable[[], PlainConnection],
) -> None:
    make = Factory(conn)
    list_id = make.contact_list()
    contact = make.contact(list_id)
    make.campaign(lists=[list_id])
    other = new_connection()
    with other.transaction():
        # The claim finds the entry, and waits for this uncommitted attempt of the same number.
        other.execute(
            """
            insert into attempt (
              campaign_id, contact_id, entry_id, attempt_id, lease_token, state, person, e164,
              dial_position, cycle, starts_cycle, attempt_number, rule, settings_version, worker_id,
              scheduled_at, claimed_at, lease_expires_at
            )
            select
              0, 0, 0, gen_random_uuid(), gen_random_uuid(), 'CLAIMED', 'x', e164, 0, 1, false, 1,
              'FIRST_CALL', 1, 'w', clock(), clock(), clock()
            from contact_phone where contact_id = %s
            """,
            [contact],
        )
        claiming = asyncio.create_task(loop.claim(caller(), None, timedelta(seconds=10)))
        await until_waiting(conn)
        loop.drain()
        await asyncio.sleep(0)
        assert not claiming.done(), "what the transaction gets would be lost"
        other.execute("delete from attempt")

    answer = await claiming
    assert [row["contact_id"] for row in answer.rows] == [contact]


async def test_a_claim_that_only_waits_is_answered_empty_when_the_server_drains(
    loop: ClaimLoop,
) -> None:
    claiming = asyncio.create_task(loop.claim(caller(), None, timedelta(seconds=10)))
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        while not claiming.done():
            loop.drain()
            await asyncio.sleep(0.01)

    assert list((await claiming).rows) == []
    assert list((await loop.claim(caller(), None, timedelta(seconds=10))).rows) == []
