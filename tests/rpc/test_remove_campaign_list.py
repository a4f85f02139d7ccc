"""RemoveCampaignList: ready entries close now, live ones when they are reported (E4)."""

import pytest

from callhopper.v1 import campaign_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import answers, reason_word

dialing = arrangement.dialing


async def remove(dialing, campaign_id, list_id):
    """Return how many entries closed, and how many will."""
    answer = await dialing.campaigns.RemoveCampaignList(
        pb.RemoveCampaignListRequest(
            name=f"campaigns/{campaign_id}", contact_list=f"contactLists/{list_id}"
        )
    )
    return answer.closed_entry_count, answer.live_entry_count


async def test_only_entries_of_the_list_close(dialing, make):
    gone, kept = make.contact_list(), make.contact_list()
    make.contacts(3, gone)
    make.contact(kept)
    campaign_id = make.campaign(lists=[gone, kept])
    other = make.campaign(lists=[gone])
    [attempt] = await dialing.claim(1, campaigns=[f"campaigns/{campaign_id}"])
    assert await remove(dialing, campaign_id, gone) == (2, 1)
    finals = await dialing.finals(campaign_id)
    assert [reason_word(final.reason) for final in finals] == ["REMOVED"] * 2
    assert len(await dialing.entries(campaign_id)) == 2
    assert len(await dialing.entries(other)) == 3
    assert answers(await dialing.begin(attempt)) == ["REFUSED"]
    assert len(await dialing.entries(campaign_id)) == 1


@pytest.mark.parametrize(("outcome", "reason"), [("BUSY", "REMOVED"), ("ANSWERED", "REACHED")])
async def test_a_live_entry_closes_when_it_is_reported(dialing, make, outcome, reason):
    list_id = make.contact_list()
    make.contact(list_id)
    campaign_id = make.campaign(lists=[list_id])
    attempt = await dialing.ring()
    assert await remove(dialing, campaign_id, list_id) == (0, 1)
    result = await dialing.report(attempt, outcome)
    assert reason_word(result.decision.closed_reason) == reason
    assert reason_word((await dialing.final(campaign_id)).reason) == reason


async def test_the_first_reason_to_close_stands(dialing, make):
    list_id = make.contact_list()
    make.contact(list_id)
    campaign_id = make.campaign(lists=[list_id])
    attempt = await dialing.ring()
    await remove(dialing, campaign_id, list_id)
    await dialing.stop(campaign_id)
    await dialing.report(attempt, "BUSY")
    assert reason_word((await dialing.final(campaign_id)).reason) == "REMOVED"


async def test_new_contacts_of_a_removed_list_are_not_loaded(dialing, make):
    list_id = make.contact_list()
    campaign_id = make.campaign(lists=[list_id])
    assert await remove(dialing, campaign_id, list_id) == (0, 0)
    make.contact(list_id)
    assert await dialing.entries(campaign_id) == []
    assert await dialing.claim() == []


async def test_a_list_that_is_not_attached_is_not_found(dialing, make, unchanged):
    list_id, other = make.contact_list(), make.contact_list()
    campaign_id = make.campaign(lists=[list_id])
    with unchanged(), refused("RESOURCE_NOT_FOUND") as refusal:
        await remove(dialing, campaign_id, other)
    assert refusal.message == f"contactLists/{other} is not attached to campaigns/{campaign_id}"
    for wrong in ((99, list_id), (campaign_id, 99)):
        with unchanged(), refused("RESOURCE_NOT_FOUND"):
            await remove(dialing, *wrong)


async def test_every_bad_field_is_named(dialing):
    with refused("INVALID_FIELD") as refusal:
        await remove(dialing, 0, "x")
    assert list(refusal.fields) == ["name", "contact_list"]
