"""StartCampaign."""

import pytest

from callhopper.v1 import campaign_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import word

dialing = arrangement.dialing


async def start(dialing, campaign_id):
    request = pb.StartCampaignRequest(name=f"campaigns/{campaign_id}")
    return (await dialing.campaigns.StartCampaign(request)).campaign


@pytest.mark.parametrize("state", ["DRAFT", "PAUSED"])
async def test_a_started_campaign_dials(dialing, make, state):
    campaign_id = make.campaign(lists=[dialing.list_of(make.contact())], state=state)
    assert await dialing.claim() == []
    started = await start(dialing, campaign_id)
    assert (word(pb.Campaign.State, started.state), started.etag) == ("RUNNING", '"2"')
    assert len(await dialing.claim()) == 1


async def test_a_running_campaign_is_left_as_it_is(dialing, make, unchanged):
    campaign_id = make.campaign()
    with unchanged():
        started = await start(dialing, campaign_id)
    assert (word(pb.Campaign.State, started.state), started.etag) == ("RUNNING", '"1"')


async def test_a_stopped_campaign_never_starts_again(dialing, make, unchanged):
    campaign_id = make.campaign(state="STOPPED")
    with unchanged(), refused("WRONG_STATE") as refusal:
        await start(dialing, campaign_id)
    assert refusal.message == f"campaigns/{campaign_id} is STOPPED"


async def test_a_campaign_that_does_not_exist_is_not_found(dialing):
    with refused("RESOURCE_NOT_FOUND"):
        await start(dialing, 1)
    with refused("INVALID_FIELD") as refusal:
        await start(dialing, "x")
    assert list(refusal.fields) == ["name"]
