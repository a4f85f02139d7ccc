"""ListHopperEntries: open entries, and what is dialed next."""

import pytest

from callhopper.v1 import hopper_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import moment, rule_word, seconds, status_word, word

dialing = arrangement.dialing

NONSENSE = "nonsense"

PRIMARY, OFFICE = "+12025550100", "+12025550101"


async def page(dialing, campaign_id, **query):
    request = pb.ListHopperEntriesRequest(campaign=f"campaigns/{campaign_id}", **query)
    answer = await dialing.hopper.ListHopperEntries(request)
    return [entry.contact for entry in answer.entries], answer.next_page_token


async def test_an_entry_that_was_never_called(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE)
    dialing.at(7)
    entry = await dialing.entry(campaign_id)
    assert entry.contact == f"contacts/{contact_id}"
    assert entry.name.startswith(f"campaigns/{campaign_id}/entries/")
    assert word(pb.HopperEntry.State, entry.state) == "READY"
    assert (entry.scheduled_time, entry.due_in) == (moment(0), seconds(-7))
    assert (entry.priority, entry.cycle, entry.attempt_count) == (2, 1, 0)
    assert (entry.last_number, status_word(entry.last_status)) == ("", "UNSPECIFIED")
    assert not entry.HasField("last_end_time")
    assert (entry.next_number, rule_word(entry.next_rule)) == (PRIMARY, "FIRST_CALL")


async def test_an_entry_between_two_calls(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring(), "BUSY")
    dialing.at(10)
    entry = await dialing.entry(campaign_id)
    assert (entry.scheduled_time, entry.due_in, entry.attempt_count) == (moment(60), seconds(50), 1)
    assert (entry.last_number, status_word(entry.last_status)) == (PRIMARY, "BUSY")
    assert entry.last_end_time == moment(0)
    assert (entry.next_number, rule_word(entry.next_rule)) == (OFFICE, "NEXT_NUMBER")


async def test_entries_are_filtered_by_state_and_contact(dialing, make):
    list_id = make.contact_list()
    contacts = [f"contacts/{one}" for one in make.contacts(3, list_id)]
    campaign_id = make.campaign(lists=[list_id])
    held, live = await dialing.claim(2, begin=True)
    dialing.at(50)
    await dialing.renew(live)
    dialing.at(60)
    await dialing.rescue()
    assert (await page(dialing, campaign_id, states=["STATE_READY"]))[0] == [contacts[2]]
    assert (await page(dialing, campaign_id, states=["STATE_LIVE"]))[0] == [live.contact]
    assert (await page(dialing, campaign_id, states=["STATE_HELD"]))[0] == [held.contact]
    both = ["STATE_READY", "STATE_LIVE"]
    assert (await page(dialing, campaign_id, states=both))[0] == contacts[1:]
    assert (await page(dialing, campaign_id, contact=contacts[1]))[0] == [contacts[1]]
    assert (await page(dialing, campaign_id, contact="contacts/99"))[0] == []


async def test_entries_come_page_by_page_and_only_those_of_the_campaign(dialing, make):
    list_id = make.contact_list()
    contacts = [f"contacts/{one}" for one in make.contacts(5, list_id)]
    campaign_id = make.campaign(lists=[list_id])
    make.campaign(lists=[list_id])
    found, token = await page(dialing, campaign_id, page_size=2)
    while token:
        more, token = await page(dialing, campaign_id, page_size=2, page_token=token)
        found += more
    assert found == contacts


async def test_an_entry_whose_next_decision_closes_it_has_no_next_number(dialing, make):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring())
    make.rows("update campaign_settings set no_answer_max_attempts = 1 returning 1")
    make.rows("delete from contact_phone where e164 = %s returning 1", OFFICE)
    entry = await dialing.entry(campaign_id)
    assert (entry.next_number, rule_word(entry.next_rule)) == ("", "UNSPECIFIED")


async def test_an_entry_on_a_call_or_held_has_no_next_number(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    await dialing.ring()
    for at, state in ((0, "LIVE"), (60, "HELD")):
        dialing.at(at)
        await dialing.rescue()
        entry = await dialing.entry(campaign_id)
        assert word(pb.HopperEntry.State, entry.state) == state
        assert (entry.next_number, rule_word(entry.next_rule)) == ("", "UNSPECIFIED")


async def test_a_page_token_belongs_to_its_query(dialing, make):
    list_id = make.contact_list()
    make.contacts(2, list_id)
    campaign_id, other = (make.campaign(lists=[list_id]) for _ in range(2))
    _, token = await page(dialing, campaign_id, page_size=1)
    with refused("INVALID_PAGE_TOKEN"):
        await page(dialing, other, page_token=token)
    with refused("INVALID_PAGE_TOKEN"):
        await page(dialing, campaign_id, page_token=NONSENSE)


@pytest.mark.parametrize("contact", ["contacts/x", "campaigns/1"])
async def test_every_bad_field_is_named(dialing, contact):
    with refused("INVALID_FIELD") as refusal:
        await page(dialing, "x", contact=contact, page_size=-1, states=[1, 0, 99])
    assert list(refusal.fields) == ["campaign", "contact", "page_size", "states[1]", "states[2]"]


async def test_a_campaign_that_does_not_exist_is_not_found(dialing):
    with refused("RESOURCE_NOT_FOUND"):
        await page(dialing, 99)
