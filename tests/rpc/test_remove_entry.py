"""RemoveEntry: one entry leaves the hopper (E4)."""

import pytest

from callhopper.v1 import hopper_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import answers, reason_word

dialing = arrangement.dialing

PRIMARY, OFFICE = "+12025550100", "+12025550101"


async def remove(dialing, name):
    return (await dialing.hopper.RemoveEntry(pb.RemoveEntryRequest(name=name))).closed


async def test_a_ready_entry_closes_now_and_alone(dialing, make):
    list_id = make.contact_list()
    make.contacts(2, list_id)
    campaign_id = make.campaign(lists=[list_id])
    first, second = await dialing.entries(campaign_id)
    assert await remove(dialing, first.name)
    final = await dialing.final(campaign_id)
    assert (final.name, reason_word(final.reason)) == (first.name, "REMOVED")
    assert [entry.name for entry in await dialing.entries(campaign_id)] == [second.name]
    with refused("RESOURCE_NOT_FOUND"):
        await remove(dialing, first.name)


@pytest.mark.parametrize(
    ("outcome", "reason"), [("BUSY", "REMOVED"), ("ANSWERED", "REACHED"), ("NOT_DIALED", "REMOVED")]
)
async def test_a_live_entry_closes_when_it_is_reported(dialing, outcome, reason):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    assert not await remove(dialing, attempt.entry)
    assert len(await dialing.entries(campaign_id)) == 1
    assert answers([await dialing.report(attempt, outcome)]) == ["ACCEPTED"]
    assert reason_word((await dialing.final(campaign_id)).reason) == reason


async def test_a_held_entry_closes_when_the_hold_ends(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    dialing.at(60)
    await dialing.rescue()
    assert not await remove(dialing, attempt.entry)
    dialing.at(210)
    await dialing.rescue()
    assert reason_word((await dialing.final(campaign_id)).reason) == "REMOVED"


async def test_a_claimed_entry_closes_when_it_is_given_back(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.claim_one()
    assert not await remove(dialing, attempt.entry)
    assert answers(await dialing.release(attempt)) == ["RELEASED"]
    assert reason_word((await dialing.final(campaign_id)).reason) == "REMOVED"


async def test_an_entry_that_does_not_exist_is_not_found(dialing, unchanged):
    campaign_id, contact_id = dialing.person(PRIMARY)
    for name in (
        "campaigns/99/entries/1-1",
        f"campaigns/{campaign_id}/entries/{contact_id}-99",
        f"campaigns/{campaign_id}/entries/99-1",
    ):
        with unchanged(), refused("RESOURCE_NOT_FOUND") as refusal:
            await remove(dialing, name)
        assert refusal.message == f"{name} does not exist"


@pytest.mark.parametrize(
    "name",
    ["", "campaigns/1", "campaigns/1/entries/1", "campaigns/1/entries/0-1",
     "campaigns/1/entries/1-" + "9" * 19],
)  # fmt: skip
async def test_a_malformed_name_is_refused(dialing, name):
    with refused("INVALID_FIELD") as refusal:
        await remove(dialing, name)
    assert list(refusal.fields) == ["name"]
