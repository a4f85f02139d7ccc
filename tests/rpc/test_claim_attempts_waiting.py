"""ClaimAttempts with a wait: what wakes it, and what ends it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from uuid import uuid4

import grpc
import pytest

from callhopper.v1 import campaign_service_pb2 as campaigns_pb
from callhopper.v1 import dialer_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import START, seconds, wait_for_claims

dialing = arrangement.dialing

PRIMARY, OFFICE = "+12025550100", "+12025550101"
LONG = 20
"""Seconds that no test waits out."""
MOST_LOOKS = 30
"""In a second: one each poll_interval of 0.05 s, shortened by up to a tenth, and some to spare."""


async def test_a_waiting_claim_wakes_when_an_entry_becomes_due(dialing, make, server):
    list_id = make.contact_list()
    make.contact(list_id, PRIMARY, earliest_call_at=START + timedelta(minutes=5))
    make.campaign(lists=[list_id])
    claim = asyncio.create_task(dialing.claim(wait=LONG))
    await wait_for_claims(server)
    dialing.at(300)
    assert [attempt.number for attempt in await asyncio.wait_for(claim, 5)] == [PRIMARY]


async def test_a_waiting_claim_is_woken_in_real_time_when_its_entry_is_due(dialing, make):
    dialing.clock.set(None)
    list_id = make.contact_list()
    make.contact(list_id, PRIMARY, earliest_call_at=dialing.clock.now() + timedelta(seconds=0.5))
    make.campaign(lists=[list_id])
    attempt = await dialing.ring(wait=LONG)
    late = dialing.clock.now() - attempt.scheduled_time.ToDatetime(START.tzinfo)
    assert timedelta(0) <= late < timedelta(seconds=0.5)


async def test_a_waiting_claim_wakes_when_a_list_is_loaded(dialing, make, server):
    campaign_id = make.campaign()
    contact_id = make.contact(phone=PRIMARY)
    claim = asyncio.create_task(dialing.claim(wait=LONG))
    await wait_for_claims(server)
    await dialing.campaigns.AddCampaignList(
        campaigns_pb.AddCampaignListRequest(
            name=f"campaigns/{campaign_id}",
            contact_list=f"contactLists/{dialing.list_of(contact_id)}",
        )
    )
    assert [attempt.number for attempt in await asyncio.wait_for(claim, 5)] == [PRIMARY]


async def test_a_waiting_claim_wakes_when_its_campaign_starts(dialing, server):
    campaign_id, _ = dialing.person(PRIMARY)
    await dialing.pause(campaign_id)
    claim = asyncio.create_task(dialing.claim(wait=LONG, campaigns=[f"campaigns/{campaign_id}"]))
    await wait_for_claims(server)
    await dialing.start(campaign_id)
    assert len(await asyncio.wait_for(claim, 5)) == 1


async def test_at_the_end_of_the_wait_the_answer_is_empty(dialing):
    started = monotonic()
    answer = await dialing.ask(wait=0.3)
    assert 0.3 <= monotonic() - started < 3
    assert list(answer.attempts) == []
    assert not answer.HasField("next_due_in")
    assert not answer.draining
    assert answer.poll_interval == seconds(0.05)


async def test_an_empty_answer_says_when_an_entry_is_due_next(dialing):
    dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring())
    assert (await dialing.ask()).next_due_in == seconds(60)


async def test_a_wait_longer_than_the_deadline_ends_empty_before_it(dialing):
    request = pb.ClaimAttemptsRequest(worker_id="w", wait_duration=seconds(30))
    answer = await dialing.dialer.ClaimAttempts(request, timeout=1.5)
    assert list(answer.attempts) == []


async def test_two_waiting_workers_share_what_comes(dialing, make, server):
    campaign_id = make.campaign()
    list_id = make.contact_list()
    make.contacts(4, list_id)
    claims = [
        asyncio.create_task(dialing.claim(2, worker=worker, wait=LONG)) for worker in ("a", "b")
    ]
    await wait_for_claims(server, 2)
    make.attach(campaign_id, list_id)
    batches = await asyncio.wait_for(asyncio.gather(*claims), 5)
    assert [len(batch) for batch in batches] == [2, 2]
    assert len({attempt.number for batch in batches for attempt in batch}) == 4


async def test_waiting_claims_of_different_campaigns_get_their_own(dialing, server):
    first, _ = dialing.person(PRIMARY)
    second, _ = dialing.person(OFFICE)
    await dialing.pause(first)
    await dialing.pause(second)
    claims = [
        asyncio.create_task(dialing.claim(wait=LONG, campaigns=[f"campaigns/{one}"]))
        for one in (second, first)
    ]
    await wait_for_claims(server, 2)
    await dialing.start(first)
    await dialing.start(second)
    batches = await asyncio.wait_for(asyncio.gather(*claims), 5)
    assert [[attempt.number for attempt in batch] for batch in batches] == [[OFFICE], [PRIMARY]]


async def test_a_claim_does_not_wait_for_more_when_it_has_something(dialing):
    dialing.person(PRIMARY)
    assert len(await asyncio.wait_for(dialing.claim(100, wait=LONG), 5)) == 1


async def test_waiting_for_a_campaign_that_starts_later_does_not_keep_the_database_busy(
    dialing, make, server
):
    campaign_id, _ = dialing.person(PRIMARY)
    dialing.set_campaign(campaign_id, start_at=START + timedelta(hours=1))
    looks = count_looks(server)
    await dialing.claim(wait=1)
    assert len(looks) <= MOST_LOOKS


async def test_the_same_request_waiting_twice_does_not_keep_the_database_busy(dialing, server):
    request_id = str(uuid4())
    looks = count_looks(server)
    both = [dialing.ask(wait=wait, request_id=request_id) for wait in (1, 1)]
    assert [list(answer.attempts) for answer in await asyncio.gather(*both)] == [[], []]
    assert len(looks) <= MOST_LOOKS


async def test_the_same_request_waiting_twice_is_answered_at_the_end_of_each_wait(dialing, server):
    request_id = str(uuid4())
    longer = asyncio.create_task(dialing.ask(wait=LONG, request_id=request_id))
    await wait_for_claims(server)
    answer = await asyncio.wait_for(dialing.ask(wait=0.2, request_id=request_id), 5)
    assert list(answer.attempts) == []
    longer.cancel()


def count_looks(server):
    """Return a list that grows with each transaction of the server."""
    looks: list[None] = []
    run = server.app.db.run

    async def count(*args, **kwargs):
        looks.append(None)
        return await run(*args, **kwargs)

    server.app.db.run = count
    return looks


class TestFew:
    """One claim may wait."""

    @pytest.fixture
    def settings(self, settings):
        return replace(settings, waiting_claims=1)

    async def test_too_many_waiting_claims_are_refused(self, dialing, server):
        claim = asyncio.create_task(dialing.claim(wait=LONG))
        await wait_for_claims(server)
        with refused("OVERLOADED"):
            await dialing.claim(wait=1)
        claim.cancel()


class TestImpatient:
    """A call without a deadline may take a second."""

    @pytest.fixture
    def settings(self, settings):
        return replace(settings, default_deadline=1.0)

    async def test_a_wait_without_a_deadline_ends_empty_too(self, dialing):
        try:
            assert await dialing.claim(wait=3) == []
        except grpc.aio.AioRpcError as error:
            pytest.fail(f"{error.code()}: {error.details()}")
