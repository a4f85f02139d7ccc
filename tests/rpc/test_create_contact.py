import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from callhopper.v1 import contact_service_pb2 as pb
from tests.refusals import refused

OFFICE, HOME, PRIMARY = "(212) 555-0101", "+1 305 555 0102", "202-555-0100"


def additional(number, type_id=None):
    name = f"contactItemTypes/{type_id}" if type_id else ""
    return pb.AdditionalPhone(number=number, contact_item_type=name)


def request(list_id, phone=PRIMARY, phones=(), request_id="", *, validate_only=False, **fields):
    contact = pb.Contact(contact_list=f"contactLists/{list_id}", phone=phone, **fields)
    contact.additional_phones.extend(phones)
    return pb.CreateContactRequest(
        contact=contact, request_id=request_id, validate_only=validate_only
    )


async def test_it_answers_what_it_stored_with_numbers_in_dial_order(contacts, make):
    list_id = make.contact_list()
    office, home = make.item_type("Office", 1, "#FF0000"), make.item_type("Home", 2)
    phones = [additional("+12025550199"), additional(HOME, home), additional(OFFICE, office)]
    answer = await contacts.CreateContact(
        request(
            list_id,
            phones=phones,
            first_name=" Ada ",
            last_name="Lovelace",
            email="ada@example.com",
            company="Engines",
            postal_address="1 Street\r\nLondon",
            description="a\tb",
            priority=1,
            earliest_call_time=datetime(2030, 1, 2, tzinfo=UTC),
            time_zone="Europe/London",
            person_key="ada",
        )
    )
    stored = answer.contact
    assert (stored.phone, stored.entered_phone) == ("+12025550100", PRIMARY)
    seen = [
        (p.number, p.entered, p.contact_item_type_display_name, p.order_by, p.colour)
        for p in stored.additional_phones
    ]
    assert seen == [
        ("+12125550101", OFFICE, "Office", 1, "#FF0000"),
        ("+13055550102", HOME, "Home", 2, ""),
        ("+12025550199", "+12025550199", "", 0, ""),
    ]
    assert [p.dial_position for p in stored.additional_phones] == [1, 2, 3]
    assert [p.contact_item_type for p in stored.additional_phones] == [
        f"contactItemTypes/{office}",
        f"contactItemTypes/{home}",
        "",
    ]
    assert (stored.first_name, stored.last_name, stored.company) == ("Ada", "Lovelace", "Engines")
    assert (stored.postal_address, stored.description) == ("1 Street\nLondon", "a\tb")
    assert (stored.priority, stored.time_zone, stored.person_key) == (1, "Europe/London", "ada")
    assert stored.earliest_call_time.ToDatetime(UTC) == datetime(2030, 1, 2, tzinfo=UTC)
    assert list(stored.warnings) == []
    [row] = make.rows("select contact_id, first_name_key from contact")
    assert stored.name == f"contacts/{row['contact_id']}"
    assert row["first_name_key"] == "ada"
    read = await contacts.GetContact(pb.GetContactRequest(name=stored.name))
    assert read.contact == stored


async def test_it_is_loaded_into_the_campaigns_of_its_list(contacts, make):
    list_id = make.contact_list()
    running, draft = make.campaign(lists=[list_id]), make.campaign(lists=[list_id], state="DRAFT")
    make.campaign(lists=[list_id], state="STOPPED")
    make.campaign()
    await contacts.CreateContact(request(list_id))
    rows = make.rows("select campaign_id, priority from hopper_entry order by campaign_id")
    assert rows == [
        {"campaign_id": running, "priority": 2},
        {"campaign_id": draft, "priority": 2},
    ]


async def test_every_bad_field_is_named_with_its_value_and_nothing_is_stored(
    contacts, make, unchanged
):
    list_id = make.contact_list()
    phones = [additional(PRIMARY), additional("12"), additional("9-1-1"), additional("0800 x")]
    phones[3].contact_item_type = "contactItemTypes/x"
    wrong = request(
        list_id,
        "+1 202 555 0100",
        phones,
        request_id="1",
        first_name="x" * 201,
        last_name="a\nb",
        email="x" * 321,
        description="\x1b",
        priority=-1,
        time_zone="Mars/Base",
    )
    wrong.contact.earliest_call_time.nanos = -1
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await contacts.CreateContact(wrong)
    at = "contact.additional_phones"
    assert refusal.fields == {
        "request_id": "is '1', must be a UUID",
        "contact.first_name": "has 201 characters, must have at most 200",
        "contact.last_name": "must not contain the control character U+000A",
        "contact.email": "has 321 characters, must have at most 320",
        "contact.description": "must not contain the control character U+001B",
        "contact.priority": "is -1, must be 1 or more",
        "contact.earliest_call_time": "is not a moment from year 1 to year 9999",
        "contact.time_zone": "is 'Mars/Base', must be a time zone such as Europe/Paris",
        f"{at}[0].number": "is '202-555-0100', the same number as contact.phone",
        f"{at}[1].number": "is '12': it is too short",
        f"{at}[2].number": "is '9-1-1': it is an emergency number",
        f"{at}[3].number": "is '0800 x': it is too short",
        f"{at}[3].contact_item_type": ("is 'contactItemTypes/x', must be contactItemTypes/{id}"),
    }


async def test_the_list_and_the_phone_are_required(contacts, make, unchanged):
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await contacts.CreateContact(pb.CreateContactRequest())
    assert refusal.fields == {"contact.contact_list": "must be given as contactLists/{id}"}
    list_id = make.contact_list()
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await contacts.CreateContact(request(list_id, phone=""))
    assert refusal.fields == {"contact.phone": "must be given"}


async def test_a_missing_list_or_item_type_is_not_found(contacts, make, unchanged):
    list_id = make.contact_list()
    with unchanged(), refused("RESOURCE_NOT_FOUND") as refusal:
        await contacts.CreateContact(request(list_id + 1))
    assert refusal.message == f"contactLists/{list_id + 1} does not exist"
    with unchanged(), refused("RESOURCE_NOT_FOUND") as refusal:
        await contacts.CreateContact(request(list_id, phones=[additional(OFFICE, 9)]))
    assert refusal.message == "contactItemTypes/9 does not exist"


async def test_it_has_at_most_32_additional_phones(contacts, make, unchanged):
    list_id = make.contact_list()
    numbers = [f"+1212555{100 + place:04}" for place in range(33)]
    phones = [additional(number) for number in numbers]
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await contacts.CreateContact(request(list_id, phones=phones))
    assert refusal.fields == {"contact.additional_phones": "has 33, must have at most 32"}
    answer = await contacts.CreateContact(request(list_id, phones=phones[:32]))
    assert [p.number for p in answer.contact.additional_phones] == numbers[:32]


async def test_numbers_are_read_in_the_region_of_the_list(contacts, make):
    answer = await contacts.CreateContact(
        request(make.contact_list(region="GB"), phone="07700 900123")
    )
    assert answer.contact.phone == "+447700900123"
    assert list(answer.contact.warnings) == [
        "contact.phone: +447700900123 is possible, but not a valid number"
    ]


async def test_extensions_are_numbers_only_where_the_list_allows_them(contacts, make, unchanged):
    outer = make.contact_list()
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await contacts.CreateContact(request(outer, phone="4711"))
    assert refusal.fields == {"contact.phone": "is '4711': it is too short"}
    inner = make.contact_list(extensions_allowed=True)
    answer = await contacts.CreateContact(request(inner, phone="4711"))
    assert answer.contact.phone == "4711"
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await contacts.CreateContact(request(inner, phone="911"))
    assert refusal.fields == {"contact.phone": "is '911': it is an emergency number"}


async def test_the_same_request_id_answers_the_same_and_stores_once(contacts, make):
    list_id = make.contact_list(region="GB")
    make.campaign(lists=[list_id])
    once = request(list_id, "07700 900123", request_id=str(uuid4()))
    first, second = await contacts.CreateContact(once), await contacts.CreateContact(once)
    assert first == second
    assert len(first.contact.warnings) == 1
    assert make.rows("select count(*) as n from contact") == [{"n": 1}]
    assert make.rows("select count(*) as n from hopper_entry") == [{"n": 1}]


async def test_concurrent_duplicates_store_once(contacts, make):
    once = request(make.contact_list(), request_id=str(uuid4()))
    answers = await asyncio.gather(*(contacts.CreateContact(once) for _ in range(4)))
    assert len({answer.contact.name for answer in answers}) == 1
    assert make.rows("select count(*) as n from contact") == [{"n": 1}]


async def test_a_request_id_is_not_used_for_another_request(contacts, make, unchanged):
    list_id, request_id = make.contact_list(), str(uuid4())
    await contacts.CreateContact(request(list_id, request_id=request_id))
    with unchanged(), refused("REQUEST_ID_REUSED"):
        await contacts.CreateContact(request(list_id, OFFICE, request_id=request_id))


async def test_validate_only_answers_what_would_be_stored_and_stores_nothing(
    contacts, make, unchanged
):
    list_id = make.contact_list()
    make.campaign(lists=[list_id])
    with unchanged():
        answer = await contacts.CreateContact(request(list_id, validate_only=True))
        with refused("INVALID_FIELD"):
            await contacts.CreateContact(request(list_id, "1", validate_only=True))
    assert (answer.contact.phone, answer.contact.name) == ("+12025550100", "")


@pytest.mark.parametrize("priority", [0, 2])
async def test_the_priority_is_2_when_not_set(contacts, make, priority):
    answer = await contacts.CreateContact(request(make.contact_list(), priority=priority))
    assert answer.contact.priority == 2
