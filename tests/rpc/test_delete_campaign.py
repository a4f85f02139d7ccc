"""DeleteCampaign: preconditions, and what goes."""

import pytest

from callhopper.v1 import campaign_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import answers

dialing = arrangement.dialing

PRIMARY, OFFICE = "+12025550100", "+12025550101"


async def delete(dialing, campaign_id, **more):
    await dialing.campaigns.DeleteCampaign(
        pb.DeleteCampaignRequest(name=f"campaigns/{campaign_id}", **more)
    )


@pytest.mark.parametrize("state", ["DRAFT", "PAUSED", "STOPPED"])
async def test_a_campaign_goes_with_its_entries(dialing, make, state):
    list_id = make.contact_list()
    make.contact(list_id)
    campaign_id = make.campaign(lists=[list_id], state=state)
    await delete(dialing, campaign_id, etag='"1"')
    for table in ("campaign", "campaign_settings", "campaign_list", "hopper_entry", "hopper_load"):
        assert make.rows(f"select * from {table}") == []
    assert len(make.rows("select * from contact")) == 1
    with refused("RESOURCE_NOT_FOUND"):
        await delete(dialing, campaign_id)


async def test_a_running_campaign_is_not_deleted(dialing, unchanged):
    campaign_id, _ = dialing.person(PRIMARY)
    with unchanged(), refused("WRONG_STATE"):
        await delete(dialing, campaign_id, force=True)


@pytest.mark.parametrize("is_begun", [False, True])
async def test_a_campaign_with_live_calls_is_not_deleted(dialing, unchanged, is_begun):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.claim_one(begin=is_begun)
    await dialing.pause(campaign_id)
    with unchanged(), refused("WRONG_STATE"):
        await delete(dialing, campaign_id, force=True)
    await (dialing.report(attempt) if is_begun else dialing.release(attempt))
    await delete(dialing, campaign_id, force=True)


async def test_history_goes_only_with_force(dialing, make, unchanged):
    campaign_id, _ = dialing.person(PRIMARY)
    other, _ = dialing.person(OFFICE)
    for attempt in await dialing.claim(begin=True):
        await dialing.report(attempt, "ANSWERED")
    await dialing.pause(campaign_id)
    with unchanged(), refused("RESOURCE_IN_USE"):
        await delete(dialing, campaign_id)
    await delete(dialing, campaign_id, force=True)
    for table in ("history", "final", "campaign"):
        assert make.rows(f"select campaign_id from {table}") == [{"campaign_id": other}]


async def test_a_report_of_a_deleted_campaign_finds_nothing(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.ring()
    await dialing.report(attempt)
    await dialing.pause(campaign_id)
    await delete(dialing, campaign_id, force=True)
    assert answers([await dialing.report(attempt)]) == ["NOT_FOUND"]


async def test_an_old_etag_is_refused(dialing, make, unchanged):
    campaign_id = make.campaign(state="DRAFT")
    with unchanged(), refused("ETAG_MISMATCH"):
        await delete(dialing, campaign_id, etag='"2"')


async def test_a_malformed_name_is_refused(dialing):
    with refused("INVALID_FIELD") as refusal:
        await delete(dialing, "x")
    assert refusal.fields == {"name": "is 'campaigns/x', must be campaigns/{id}"}
