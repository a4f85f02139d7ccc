"""ListHistory: ended calls page by page, and as a feed that misses nothing."""

from callhopper.v1 import hopper_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import moment, rule_word, status_word

dialing = arrangement.dialing

PRIMARY, OFFICE, HOLIDAY = "+12025550100", "+12025550101", "+12025550102"


async def page(dialing, campaign_id, **query):
    """Return the numbers called, and the next token."""
    request = pb.ListHistoryRequest(campaign=f"campaigns/{campaign_id}", **query)
    answer = await dialing.hopper.ListHistory(request)
    return [call.number for call in answer.calls], answer.next_page_token


async def call_all(dialing, make, how_many=5):
    """Make calls one after another; return the campaign and the numbers in the order of reports."""
    list_id = make.contact_list()
    make.contacts(how_many, list_id)
    campaign_id = make.campaign(lists=[list_id])
    called = []
    for _ in range(how_many):
        [attempt] = await dialing.claim(1, begin=True)
        called.append(attempt.number)
        await dialing.report(attempt, "ANSWERED")
    return campaign_id, called


async def test_a_call_is_shown_with_all_that_was_decided_about_it(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring())
    dialing.at(65)
    attempt = await dialing.claim_one()
    dialing.at(66)
    await dialing.begin(attempt)
    dialing.at(70)
    await dialing.report(attempt, "BUSY")
    call = (await dialing.history(campaign_id))[1]
    assert (call.attempt_id, call.entry) == (attempt.attempt_id, attempt.entry)
    assert (call.contact, call.number) == (f"contacts/{contact_id}", OFFICE)
    assert (call.contact_item_type_display_name, status_word(call.status)) == ("Office", "BUSY")
    assert (call.cycle, call.position, call.attempt_number) == (1, 1, 2)
    assert (rule_word(call.rule), call.worker_id) == ("NEXT_NUMBER", "worker")
    assert [call.scheduled_time, call.begin_time, call.end_time] == [
        moment(60), moment(66), moment(70),
    ]  # fmt: skip
    assert (call.settings_version, call.corrected) == (1, False)


async def test_the_name_of_the_item_type_is_what_it_was(dialing, make):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring())
    dialing.at(60)
    await dialing.report(await dialing.ring())
    make.rows("update contact_item_type set name = 'Bureau' returning 1")
    names = [one.contact_item_type_display_name for one in await dialing.history(campaign_id)]
    assert names == ["", "Office"]


async def test_calls_come_page_by_page_in_the_order_in_which_they_were_recorded(dialing, make):
    campaign_id, called = await call_all(dialing, make)
    found, token = await page(dialing, campaign_id, page_size=2)
    while token:
        more, token = await page(dialing, campaign_id, page_size=2, page_token=token)
        found += more
    assert found == called


async def test_calls_are_filtered_by_contact(dialing, make):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE)
    make.attach(campaign_id, dialing.list_of(make.contact(phone=HOLIDAY)))
    for attempt in await dialing.claim(begin=True):
        await dialing.report(attempt)
    found = await page(dialing, campaign_id, contact=f"contacts/{contact_id}")
    assert found == ([PRIMARY], "")


# ---------------------------------------------------------------- the feed


async def test_a_feed_always_gives_a_token_to_go_on_from(dialing, make):
    campaign_id = make.campaign()
    found, token = await page(dialing, campaign_id, feed=True)
    assert (found, bool(token)) == ([], True)
    make.attach(campaign_id, dialing.list_of(make.contact(phone=PRIMARY)))
    await dialing.report(await dialing.ring(), "ANSWERED")
    found, token = await page(dialing, campaign_id, feed=True, page_token=token)
    assert found == [PRIMARY]
    for _ in range(2):
        found, token = await page(dialing, campaign_id, feed=True, page_token=token)
        assert found == []


async def test_a_feed_in_small_pages_misses_nothing_and_repeats_nothing(dialing, make):
    campaign_id, called = await call_all(dialing, make)
    found: list[str] = []
    token = ""
    for _ in range(4):
        more, token = await page(dialing, campaign_id, feed=True, page_size=2, page_token=token)
        found += more
    assert found == called


async def test_an_open_transaction_holds_the_feed_back_and_nothing_is_missed(
    dialing, make, new_connection
):
    campaign_id, _ = dialing.person(PRIMARY)
    other, _ = dialing.person(OFFICE)
    make.attach(campaign_id, dialing.list_of(make.contact(phone=HOLIDAY)))
    first, *_, second = await dialing.claim(begin=True)
    await dialing.report(first, "ANSWERED")
    opened = new_connection()
    with opened.transaction():
        opened.execute("select pg_current_xact_id()")
        await dialing.report(second, "ANSWERED")
        found, token = await page(dialing, campaign_id, feed=True)
        assert found == [first.number]
        assert len((await page(dialing, campaign_id))[0]) == 2
    found, token = await page(dialing, campaign_id, feed=True, page_token=token)
    assert found == [second.number]
    assert len(await dialing.entries(other)) == 1


async def test_a_corrected_call_is_fed_again(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    dialing.at(210)
    await dialing.rescue()
    found, token = await page(dialing, campaign_id, feed=True)
    assert found == [PRIMARY]
    await dialing.report(attempt, "BUSY")
    request = pb.ListHistoryRequest(
        campaign=f"campaigns/{campaign_id}", feed=True, page_token=token
    )
    [call] = (await dialing.hopper.ListHistory(request)).calls
    assert (call.attempt_id, status_word(call.status), call.corrected) == (
        attempt.attempt_id, "BUSY", True,
    )  # fmt: skip


# ---------------------------------------------------------------- errors


async def test_a_page_token_belongs_to_its_query(dialing, make):
    campaign_id, _ = await call_all(dialing, make, 2)
    _, token = await page(dialing, campaign_id, page_size=1)
    for query in ({"page_token": "nonsense"}, {"page_token": token, "feed": True}):
        with refused("INVALID_PAGE_TOKEN"):
            await page(dialing, campaign_id, **query)


async def test_every_bad_field_is_named(dialing):
    with refused("INVALID_FIELD") as refusal:
        await page(dialing, "x", contact="x", page_size=-1)
    assert list(refusal.fields) == ["campaign", "contact", "page_size"]


async def test_a_campaign_that_does_not_exist_is_not_found(dialing):
    with refused("RESOURCE_NOT_FOUND"):
        await page(dialing, 99)
