"""StopCampaign: ready entries close now, live ones when they are reported (E4)."""

import pytest

from callhopper.v1 import campaign_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import answers, reason_word, word

dialing = arrangement.dialing

PRIMARY, OFFICE = "+12025550100", "+12025550101"


async def test_ready_entries_close_now(dialing, make):
    list_id = make.contact_list()
    make.contacts(3, list_id)
    campaign_id = make.campaign(lists=[list_id])
    [attempt] = await dialing.claim(1, begin=True)
    stopped = await dialing.stop(campaign_id)
    assert word(pb.Campaign.State, stopped.campaign.state) == "STOPPED"
    assert (stopped.closed_entry_count, stopped.live_entry_count) == (2, 1)
    assert [reason_word(one.reason) for one in await dialing.finals(campaign_id)] == ["STOPPED"] * 2
    assert answers([await dialing.report(attempt)]) == ["ACCEPTED"]
    assert len(await dialing.finals(campaign_id)) == 3


@pytest.mark.parametrize(
    ("outcome", "reason"), [("BUSY", "STOPPED"), ("ANSWERED", "REACHED"), ("NOT_DIALED", "STOPPED")]
)
async def test_a_live_entry_closes_when_it_is_reported(dialing, outcome, reason):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    await dialing.stop(campaign_id)
    assert len(await dialing.entries(campaign_id)) == 1
    result = await dialing.report(attempt, outcome)
    assert answers([result]) == ["ACCEPTED"]
    assert reason_word((await dialing.final(campaign_id)).reason) == reason
    assert reason_word(result.decision.closed_reason) == reason
    assert not result.decision.HasField("next_call_time")


async def test_a_claimed_entry_closes_when_its_lease_ends(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    await dialing.claim_one()
    await dialing.stop(campaign_id)
    dialing.at(60)
    await dialing.rescue()
    assert reason_word((await dialing.final(campaign_id)).reason) == "STOPPED"


async def test_stopping_again_closes_nothing_more(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    await dialing.ring()
    first = await dialing.stop(campaign_id)
    again = await dialing.stop(campaign_id)
    assert (again.closed_entry_count, again.live_entry_count) == (0, 1)
    assert again.campaign == first.campaign


@pytest.mark.parametrize("state", ["DRAFT", "PAUSED"])
async def test_a_campaign_may_be_stopped_in_any_state(dialing, make, state):
    campaign_id = make.campaign(lists=[dialing.list_of(make.contact())], state=state)
    assert (await dialing.stop(campaign_id)).closed_entry_count == 1


async def test_a_campaign_without_entries_stops(dialing, make):
    stopped = await dialing.stop(make.campaign())
    assert (stopped.closed_entry_count, stopped.live_entry_count) == (0, 0)


async def test_a_campaign_that_does_not_exist_is_not_found(dialing):
    with refused("RESOURCE_NOT_FOUND"):
        await dialing.stop(1)
    with refused("INVALID_FIELD") as refusal:
        await dialing.campaigns.StopCampaign(pb.StopCampaignRequest(name="x"))
    assert list(refusal.fields) == ["name"]
