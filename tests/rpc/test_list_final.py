"""ListFinal: closed entries, and why they closed (R5, R6)."""

from datetime import timedelta

from callhopper.v1 import hopper_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import START, moment, reason_word, status_word

dialing = arrangement.dialing

NONSENSE = "nonsense"

PRIMARY, OFFICE = "+12025550100", "+12025550101"


async def page(dialing, campaign_id, **query):
    request = pb.ListFinalRequest(campaign=f"campaigns/{campaign_id}", **query)
    answer = await dialing.hopper.ListFinal(request)
    return [entry.contact for entry in answer.entries], answer.next_page_token


async def test_a_closed_entry_tells_its_whole_story(dialing):
    campaign_id, contact_id = dialing.person(
        PRIMARY, OFFICE, busy_max_attempts=1, no_answer_max_attempts=1
    )
    dialing.at(5)
    attempt = await dialing.ring()
    dialing.at(10)
    await dialing.report(attempt, "BUSY")
    dialing.at(70)
    await dialing.report(await dialing.ring())
    final = await dialing.final(campaign_id)
    assert (final.name, final.contact) == (attempt.entry, f"contacts/{contact_id}")
    assert (reason_word(final.reason), status_word(final.last_status)) == (
        "RETRY_LIMIT", "NO_ANSWER",
    )  # fmt: skip
    assert (final.last_number, final.last_contact_item_type_display_name) == (OFFICE, "Office")
    assert (final.attempt_count, final.cycle_count) == (2, 1)
    told = {
        tally.number: {status_word(one.status): one.count for one in tally.statuses}
        for tally in final.tallies
    }
    assert told == {PRIMARY: {"BUSY": 1}, OFFICE: {"NO_ANSWER": 1}}
    assert [final.load_time, final.first_begin_time, final.last_end_time, final.close_time] == [
        moment(0), moment(5), moment(70), moment(70),
    ]  # fmt: skip


async def test_an_entry_that_was_never_called_has_nothing_to_tell(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    dialing.at(9)
    await dialing.stop(campaign_id)
    final = await dialing.final(campaign_id)
    assert (final.last_number, status_word(final.last_status)) == ("", "UNSPECIFIED")
    assert (final.attempt_count, final.cycle_count, list(final.tallies)) == (0, 0, [])
    assert not final.HasField("first_begin_time")
    assert not final.HasField("last_end_time")
    assert (final.load_time, final.close_time) == (moment(0), moment(9))


async def test_entries_of_a_campaign_that_ended_close_as_expired(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    dialing.set_campaign(campaign_id, end_at=START + timedelta(seconds=100))
    await dialing.report(await dialing.ring())
    dialing.at(99)
    await dialing.rescue()
    assert len(await dialing.entries(campaign_id)) == 1
    dialing.at(100)
    await dialing.rescue()
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), final.attempt_count) == ("EXPIRED", 1)


async def test_a_live_entry_of_a_campaign_that_ended_closes_after_its_report(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    dialing.set_campaign(campaign_id, end_at=START + timedelta(seconds=10))
    attempt = await dialing.ring()
    dialing.at(20)
    await dialing.rescue()
    assert len(await dialing.entries(campaign_id)) == 1
    await dialing.report(attempt)
    dialing.at(100)
    await dialing.rescue()
    assert await dialing.claim() == []
    assert reason_word((await dialing.final(campaign_id)).reason) == "EXPIRED"


async def test_entries_are_filtered_by_reason_and_contact_and_come_page_by_page(dialing, make):
    list_id = make.contact_list()
    contacts = [f"contacts/{one}" for one in make.contacts(4, list_id)]
    campaign_id = make.campaign(lists=[list_id])
    for attempt in await dialing.claim(2, begin=True):
        await dialing.report(attempt, "ANSWERED")
    await dialing.stop(campaign_id)
    reached, stopped = "CLOSE_REASON_REACHED", "CLOSE_REASON_STOPPED"
    assert (await page(dialing, campaign_id, reasons=[reached]))[0] == contacts[:2]
    assert (await page(dialing, campaign_id, reasons=[stopped]))[0] == contacts[2:]
    assert (await page(dialing, campaign_id, reasons=[stopped, reached]))[0] == contacts
    assert (await page(dialing, campaign_id, reasons=["CLOSE_REASON_MERGED"]))[0] == []
    assert (await page(dialing, campaign_id, contact=contacts[3]))[0] == [contacts[3]]
    found, token = await page(dialing, campaign_id, page_size=3)
    more, end = await page(dialing, campaign_id, page_size=3, page_token=token)
    assert (found + more, end) == (contacts, "")


async def test_a_page_token_belongs_to_its_query(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    with refused("INVALID_PAGE_TOKEN"):
        await page(dialing, campaign_id, page_token=NONSENSE)


async def test_every_bad_field_is_named(dialing):
    with refused("INVALID_FIELD") as refusal:
        await page(dialing, "x", contact="x", page_size=-1, reasons=[1, 0, 99])
    assert list(refusal.fields) == ["campaign", "contact", "page_size", "reasons[1]", "reasons[2]"]


async def test_a_campaign_that_does_not_exist_is_not_found(dialing):
    with refused("RESOURCE_NOT_FOUND"):
        await page(dialing, 99)
