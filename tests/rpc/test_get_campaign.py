"""GetCampaign."""

import pytest

from callhopper.v1 import campaign_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import word

dialing = arrangement.dialing


async def get(dialing, name):
    return (await dialing.campaigns.GetCampaign(pb.GetCampaignRequest(name=name))).campaign


async def test_it_answers_one_campaign_with_its_lists(dialing, make):
    lists = [make.contact_list() for _ in range(2)]
    campaign_id = make.campaign("Spring", lists=lists)
    found = await get(dialing, f"campaigns/{campaign_id}")
    assert (found.display_name, word(pb.Campaign.State, found.state)) == ("Spring", "RUNNING")
    assert list(found.contact_lists) == [f"contactLists/{one}" for one in lists]


async def test_a_campaign_that_does_not_exist_is_not_found(dialing):
    with refused("RESOURCE_NOT_FOUND") as refusal:
        await get(dialing, "campaigns/1")
    assert refusal.message == "campaigns/1 does not exist"


@pytest.mark.parametrize("name", ["", "campaigns/0", "campaigns/1/entries/1", "contacts/1"])
async def test_a_malformed_name_is_refused(dialing, name):
    with refused("INVALID_FIELD") as refusal:
        await get(dialing, name)
    assert list(refusal.fields) == ["name"]
