"""PauseCampaign: no claims and begins from then on; live calls end (E4)."""

import asyncio

import pytest

from callhopper.v1 import campaign_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import after_start, answers, word

dialing = arrangement.dialing

PRIMARY, OFFICE = "+12025550100", "+12025550101"


async def pause(dialing, campaign_id):
    request = pb.PauseCampaignRequest(name=f"campaigns/{campaign_id}")
    return (await dialing.campaigns.PauseCampaign(request)).campaign


async def test_a_paused_campaign_claims_nothing_and_lets_live_calls_end(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    paused = await pause(dialing, campaign_id)
    assert word(pb.Campaign.State, paused.state) == "PAUSED"
    assert answers(await dialing.renew(attempt)) == ["RENEWED"]
    result = await dialing.report(attempt)
    assert (answers([result]), result.decision.next_number) == (["ACCEPTED"], OFFICE)
    dialing.at(3600)
    assert await dialing.claim() == []
    await dialing.start(campaign_id)
    again = await dialing.ring()
    assert (again.number, after_start(again.scheduled_time)) == (OFFICE, 60)


async def test_a_paused_campaign_is_left_as_it_is(dialing, make, unchanged):
    campaign_id = make.campaign(state="PAUSED")
    with unchanged():
        assert (await pause(dialing, campaign_id)).etag == '"1"'


@pytest.mark.parametrize("state", ["DRAFT", "STOPPED"])
async def test_only_a_running_campaign_is_paused(dialing, make, unchanged, state):
    campaign_id = make.campaign(state=state)
    with unchanged(), refused("WRONG_STATE"):
        await pause(dialing, campaign_id)


async def test_after_a_pause_has_answered_nothing_is_claimed_however_many_ask(dialing, make):
    list_id = make.contact_list()
    make.contacts(30, list_id)
    campaign_id = make.campaign(lists=[list_id])
    claims = [asyncio.create_task(dialing.claim(1, wait=0.2)) for _ in range(20)]
    await pause(dialing, campaign_id)
    await asyncio.gather(*claims)
    live = (await dialing.stats(campaign_id)).live_count
    assert await dialing.claim() == []
    assert live == sum(len(claim.result()) for claim in claims)


async def test_a_campaign_that_does_not_exist_is_not_found(dialing):
    with refused("RESOURCE_NOT_FOUND"):
        await pause(dialing, 1)
    with refused("INVALID_FIELD") as refusal:
        await pause(dialing, "x")
    assert list(refusal.fields) == ["name"]
