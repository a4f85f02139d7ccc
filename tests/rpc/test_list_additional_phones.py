"""ListAdditionalPhones: what is shown is what is dialed (O1-O3)."""

from callhopper.v1 import hopper_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import status_word, word

dialing = arrangement.dialing

NONSENSE = "nonsense"

PRIMARY, OFFICE, HOLIDAY, MOBILE = (f"+1202555010{place}" for place in range(4))


def states(phones):
    return {phone.number: word(pb.HopperAdditionalPhone.State, phone.state) for phone in phones}


async def page(dialing, campaign_id, **query):
    request = pb.ListAdditionalPhonesRequest(campaign=f"campaigns/{campaign_id}", **query)
    answer = await dialing.hopper.ListAdditionalPhones(request)
    return [phone.number for phone in answer.additional_phones], answer.next_page_token


async def test_a_phone_shows_its_type_order_and_colour(dialing, make):
    list_id = make.contact_list()
    office = make.item_type("Office", 3, "#00FF00")
    contact_id = make.contact(list_id, PRIMARY, [(MOBILE, None), (OFFICE, office)])
    campaign_id = make.campaign(lists=[list_id])
    typed, untyped = await dialing.phones(campaign_id)
    assert typed.contact == untyped.contact == f"contacts/{contact_id}"
    assert typed.entry == (await dialing.entry(campaign_id)).name
    assert (typed.number, typed.contact_item_type) == (OFFICE, f"contactItemTypes/{office}")
    assert (typed.contact_item_type_display_name, typed.order_by, typed.colour) == (
        "Office", 3, "#00FF00",
    )  # fmt: skip
    assert (untyped.number, untyped.contact_item_type, untyped.order_by, untyped.colour) == (
        MOBILE, "", 0, "",
    )  # fmt: skip
    assert [phone.dial_position for phone in (typed, untyped)] == [1, 2]
    assert (typed.total, list(typed.tallies), typed.cycle) == (0, [], 1)


async def test_phones_go_by_order_then_name_regardless_of_case_and_accents_then_entry(
    dialing, make
):
    list_id = make.contact_list()
    types = {
        name: make.item_type(name, order)
        for name, order in (("zebra", 1), ("\u00c9mile", 1), ("eva", 1), ("Aunt", 2))
    }
    numbers = make.numbers(7)
    names = ["", "Aunt", "zebra", "eva", "\u00c9mile", "", "eva"]
    typed = [(number, types.get(name)) for number, name in zip(numbers, names, strict=True)]
    make.contact(list_id, PRIMARY, typed)
    campaign_id = make.campaign(lists=[list_id], additional_phone_delay="0 seconds")
    shown = [phone.number for phone in await dialing.phones(campaign_id)]
    assert [names[numbers.index(number)] for number in shown] == [
        "\u00c9mile", "eva", "eva", "zebra", "Aunt", "", "",
    ]  # fmt: skip
    assert [numbers.index(number) for number in shown] == [4, 3, 6, 2, 1, 0, 5]
    dialed = []
    for _ in range(8):
        attempt = await dialing.ring()
        dialed.append(attempt.number)
        await dialing.report(attempt)
    assert dialed == [PRIMARY, *shown]


async def test_the_first_pending_phone_shown_is_what_is_dialed_next(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE, HOLIDAY, MOBILE, no_answer_max_attempts=2)
    while entries := await dialing.entries(campaign_id):
        pending = [
            phone.number
            for phone in await dialing.phones(campaign_id)
            if phone.state == pb.HopperAdditionalPhone.STATE_PENDING
        ]
        if entries[0].attempt_count % 4:
            assert entries[0].next_number == pending[0]
        dialing.clock.advance(entries[0].due_in.ToTimedelta())
        attempt = await dialing.ring()
        assert attempt.number == entries[0].next_number
        await dialing.report(attempt)
    assert (await dialing.final(campaign_id)).attempt_count == 8


async def test_a_phone_has_a_state_and_tallies_of_its_own(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE, HOLIDAY, MOBILE, no_such_number_max_attempts=1)
    for outcome in ("BUSY", "NO_SUCH_NUMBER"):
        await dialing.report(await dialing.ring(), outcome)
        dialing.clock.advance(60)
    attempt = await dialing.claim_one()
    assert states(await dialing.phones(campaign_id)) == {
        OFFICE: "EXHAUSTED", HOLIDAY: "PENDING", MOBILE: "PENDING",
    }  # fmt: skip
    await dialing.begin(attempt)
    assert states(await dialing.phones(campaign_id))[HOLIDAY] == "DIALING"
    await dialing.report(attempt, "BUSY")
    phones = {phone.number: phone for phone in await dialing.phones(campaign_id)}
    assert states(phones.values())[HOLIDAY] == "DIALED"
    assert phones[HOLIDAY].total == 1
    [tally] = phones[HOLIDAY].tallies
    assert (status_word(tally.status), tally.count) == ("BUSY", 1)


async def test_a_phone_whose_call_is_held_is_shown_as_dialing_and_then_counted(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring())
    dialing.at(60)
    await dialing.ring()
    dialing.at(120)
    await dialing.rescue()
    assert states(await dialing.phones(campaign_id)) == {OFFICE: "DIALING"}
    dialing.at(270)
    await dialing.rescue()
    [phone] = await dialing.phones(campaign_id)
    assert (states([phone])[OFFICE], phone.total) == ("DIALED", 1)
    assert [status_word(tally.status) for tally in phone.tallies] == ["UNKNOWN"]


async def test_in_a_new_cycle_the_phones_are_pending_again(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    for _ in range(2):
        await dialing.report(await dialing.ring(), "BUSY")
        dialing.clock.advance(60)
    assert states(await dialing.phones(campaign_id)) == {OFFICE: "DIALED"}
    dialing.clock.advance(9000)
    await dialing.ring()
    [phone] = await dialing.phones(campaign_id)
    assert (states([phone])[OFFICE], phone.cycle, phone.total) == ("PENDING", 2, 1)


async def test_closed_entries_and_other_campaigns_are_not_shown(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    dialing.person(HOLIDAY, MOBILE)
    await dialing.stop(campaign_id)
    assert await dialing.phones(campaign_id) == []


async def test_phones_come_page_by_page_by_entry_and_position(dialing, make):
    list_id = make.contact_list()
    numbers = make.numbers(7)
    first = make.contact(list_id, additional=[(number, None) for number in numbers[:4]])
    make.contact(list_id)
    make.contact(list_id, additional=[(number, None) for number in numbers[4:]])
    campaign_id = make.campaign(lists=[list_id])
    found, token = await page(dialing, campaign_id, page_size=3)
    while token:
        more, token = await page(dialing, campaign_id, page_size=3, page_token=token)
        found += more
    assert found == numbers
    assert (await page(dialing, campaign_id, contact=f"contacts/{first}"))[0] == numbers[:4]
    with refused("INVALID_PAGE_TOKEN"):
        await page(dialing, campaign_id, page_token=NONSENSE)


async def test_every_bad_field_is_named(dialing):
    with refused("INVALID_FIELD") as refusal:
        await page(dialing, "x", contact="x", page_size=-1)
    assert list(refusal.fields) == ["campaign", "contact", "page_size"]


async def test_a_campaign_that_does_not_exist_is_not_found(dialing):
    with refused("RESOURCE_NOT_FOUND"):
        await page(dialing, 99)
