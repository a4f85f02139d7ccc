"""Transactions take their locks in the order that the schema names (10_foundation.sql).

Two connections: one holds a lock of a later kind, the other one must wait for it while it has what
comes before, and never the other way round.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from callhopper.v1 import campaign_service_pb2 as campaigns
from callhopper.v1 import contact_service_pb2 as contacts
from server import attempts
from server.attempts import Caller
from server.db import Database, PlainConnection
from tests.conftest import Stubs
from tests.factories import Factory
from tests.lock_waits import until_waiting

NewConnection = Callable[[], PlainConnection]


@pytest.fixture
def make(conn: PlainConnection) -> Factory:
    return Factory(conn)


async def claim(db: Database, how_many: int = 10) -> list[dict[str, Any]]:
    caller = Caller("w", None, how_many, timedelta(seconds=60), begins=False)
    [rows] = await db.run(lambda tx: attempts.claim(tx, [caller], None))
    return rows


async def test_a_claim_passes_over_locked_entries_and_never_waits(
    db: Database, make: Factory, new_connection: NewConnection
) -> None:
    list_id = make.contact_list()
    first, second = make.contact(list_id), make.contact(list_id)
    make.campaign(lists=[list_id])
    other = new_connection()
    with other.transaction():
        other.execute("select 1 from hopper_entry where contact_id = %s for update", [first])

        async with asyncio.timeout(2):
            rows = await claim(db)

        assert [row["contact_id"] for row in rows] == [second]


async def test_a_claim_passes_over_a_campaign_that_is_being_paused(
    db: Database, make: Factory, new_connection: NewConnection
) -> None:
    list_id = make.contact_list()
    contact = make.contact(list_id)
    paused = make.campaign(lists=[list_id])
    other = new_connection()
    with other.transaction():
        other.execute("select pg_advisory_xact_lock(campaign_lock(%s))", [paused])

        async with asyncio.timeout(2):
            assert await claim(db) == []

    assert [row["contact_id"] for row in await claim(db)] == [contact]


async def test_a_begin_waits_for_a_pause_under_way_and_is_then_refused(
    db: Database, make: Factory, conn: PlainConnection, new_connection: NewConnection
) -> None:
    list_id = make.contact_list()
    make.contact(list_id)
    campaign = make.campaign(lists=[list_id])
    [row] = await claim(db)
    lease = attempts.lease_of(row)
    other = new_connection()
    with other.transaction():
        other.execute("select pg_advisory_xact_lock(campaign_lock(%s))", [campaign])
        other.execute("update campaign set state = 'PAUSED' where campaign_id = %s", [campaign])
        beginning = asyncio.create_task(
            db.run(lambda tx: attempts.begin(tx, [lease], timedelta(seconds=60)))
        )
        await until_waiting(conn)

    [answer] = await beginning
    assert answer is not None
    assert (answer["is_begun"], answer["is_allowed"]) == (False, False)
    assert make.rows("select state from hopper_entry") == [{"state": "READY"}]


async def test_a_pause_waits_for_a_begin_under_way_and_lets_it_pass(
    stubs: Stubs,
    db: Database,
    make: Factory,
    conn: PlainConnection,
    new_connection: NewConnection,
) -> None:
    list_id = make.contact_list()
    contact = make.contact(list_id)
    campaign = make.campaign(lists=[list_id])
    [row] = await claim(db)
    lease = attempts.lease_of(row)
    other = new_connection()
    with other.transaction():
        other.execute("select 1 from hopper_entry where contact_id = %s for update", [contact])
        beginning = asyncio.create_task(
            db.run(lambda tx: attempts.begin(tx, [lease], timedelta(seconds=60)))
        )
        await until_waiting(conn)
        request = campaigns.PauseCampaignRequest(name=f"campaigns/{campaign}")
        pausing = asyncio.ensure_future(stubs.campaigns.PauseCampaign(request))
        await until_waiting(conn, 2)

    [answer] = await beginning
    assert answer is not None
    assert answer["is_begun"]
    await pausing
    assert make.rows("select state from campaign") == [{"state": "PAUSED"}]


async def test_a_contact_added_while_its_list_is_attached_is_loaded(
    stubs: Stubs, make: Factory, conn: PlainConnection, new_connection: NewConnection
) -> None:
    list_id = make.contact_list()
    campaign = make.campaign()
    other = new_connection()
    with other.transaction():
        # The list is being attached: its row is locked, its contacts are loaded, nothing committed.
        other.execute("select 1 from contact_list where contact_list_id = %s for update", [list_id])
        other.execute(
            "insert into campaign_list (campaign_id, contact_list_id, added_at)"
            " values (%s, %s, clock())",
            [campaign, list_id],
        )
        message = contacts.Contact(contact_list=f"contactLists/{list_id}", phone=make.number())
        request = contacts.CreateContactRequest(contact=message)
        adding = asyncio.ensure_future(stubs.contacts.CreateContact(request))
        await until_waiting(conn)

    await adding
    assert make.rows("select count(*) as entries from hopper_entry") == [{"entries": 1}]
