from datetime import UTC, datetime, timedelta

import pytest

from callhopper.v1 import contact_service_pb2 as pb
from tests.refusals import refused


def additional(number, type_id=None):
    name = f"contactItemTypes/{type_id}" if type_id else ""
    return pb.AdditionalPhone(number=number, contact_item_type=name)


def request(contact_id, *paths, phones=(), **fields):
    contact = pb.Contact(name=f"contacts/{contact_id}", **fields)
    contact.additional_phones.extend(phones)
    update = pb.UpdateContactRequest(contact=contact)
    update.update_mask.paths.extend(paths)
    return update


def numbers(contact):
    return [contact.phone, *(phone.number for phone in contact.additional_phones)]


async def test_it_changes_the_fields_of_the_mask(contacts, make):
    contact_id = make.contact(first_name="Ada", last_name="Byron", person_key="ada")
    answer = await contacts.UpdateContact(
        request(contact_id, "last_name", "person_key", first_name="X", last_name="Lovelace")
    )
    changed = answer.contact
    assert (changed.first_name, changed.last_name) == ("Ada", "Lovelace")
    assert (changed.person_key, changed.etag) == ("", '"2"')
    [row] = make.rows("select first_name_key, last_name_key from contact")
    assert row == {"first_name_key": "ada", "last_name_key": "lovelace"}


async def test_without_a_mask_it_changes_what_is_set(contacts, make):
    contact_id = make.contact(None, "+12025550100", [("+12125550101", None)], first_name="Ada")
    answer = await contacts.UpdateContact(request(contact_id, company="Engines"))
    changed = answer.contact
    assert (changed.first_name, changed.company) == ("Ada", "Engines")
    assert numbers(changed) == ["+12025550100", "+12125550101"]


async def test_what_was_read_can_be_sent_back(contacts, make):
    contact_id = make.contact(additional=[(None, make.item_type())], first_name="Ada")
    read = await contacts.GetContact(pb.GetContactRequest(name=f"contacts/{contact_id}"))
    answer = await contacts.UpdateContact(pb.UpdateContactRequest(contact=read.contact))
    changed = answer.contact
    assert changed.etag == '"2"'
    changed.etag = read.contact.etag
    changed.update_time.CopyFrom(read.contact.update_time)
    assert changed == read.contact


async def test_additional_phones_are_replaced_as_a_whole(contacts, make):
    office = make.item_type("Office")
    contact_id = make.contact(None, "+12025550100", [("+12125550101", office), (None, None)])
    answer = await contacts.UpdateContact(
        request(
            contact_id,
            "additional_phones",
            phones=[additional("+13055550103"), additional("212 555 0101", office)],
        )
    )
    assert numbers(answer.contact) == ["+12025550100", "+12125550101", "+13055550103"]
    cleared = await contacts.UpdateContact(request(contact_id, "additional_phones"))
    assert numbers(cleared.contact) == ["+12025550100"]


async def test_the_primary_may_change_places_with_an_additional_phone(contacts, make):
    contact_id = make.contact(None, "+12025550100", [("+12125550101", None)])
    answer = await contacts.UpdateContact(
        request(
            contact_id,
            "phone",
            "additional_phones",
            phone="+12125550101",
            phones=[additional("+12025550100")],
        )
    )
    assert numbers(answer.contact) == ["+12125550101", "+12025550100"]


async def test_a_number_twice_is_refused_also_against_what_is_stored(contacts, make, unchanged):
    contact_id = make.contact(None, "+12025550100", [("+12125550101", None)])
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await contacts.UpdateContact(request(contact_id, "phone", phone="(212) 555-0101"))
    assert refusal.fields == {
        "contact.phone": "is '(212) 555-0101', the same number as an additional phone"
    }
    phones = [additional("+13055550102"), additional("202 555 0100")]
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await contacts.UpdateContact(request(contact_id, phones=phones))
    assert refusal.fields == {
        "contact.additional_phones[1].number": (
            "is '202 555 0100', the same number as contact.phone"
        )
    }


async def test_bad_fields_and_masks_are_refused_together(contacts, make, unchanged):
    contact_id = make.contact()
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await contacts.UpdateContact(
            request(contact_id, "phone", "priority", "owner", "warnings", phone="x", priority=-7)
        )
    assert refusal.fields == {
        "update_mask": "names warnings, which cannot be changed",
        "contact.priority": "is -7, must be 1 or more",
        "contact.phone": "is 'x': it is not a phone number",
    }


async def test_the_list_cannot_be_changed(contacts, make, unchanged):
    list_id = make.contact_list()
    contact_id = make.contact(list_id)
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await contacts.UpdateContact(request(contact_id, contact_list="contactLists/99"))
    assert refusal.fields == {
        "contact.contact_list": f"is contactLists/{list_id} and cannot be changed"
    }


async def test_an_old_etag_is_refused(contacts, make, unchanged):
    contact_id = make.contact()
    with unchanged(), refused("ETAG_MISMATCH"):
        await contacts.UpdateContact(request(contact_id, first_name="Ada", etag='"9"'))
    await contacts.UpdateContact(request(contact_id, first_name="Ada", etag='"1"'))


async def test_a_missing_contact_or_item_type_is_not_found(contacts, make, unchanged):
    contact_id = make.contact()
    deleted = make.contact(deleted=True)
    for update in (
        request(deleted, first_name="Ada"),
        request(deleted + 1, first_name="Ada"),
        request(contact_id, phones=[additional("+12125550101", 5)]),
    ):
        with unchanged(), refused("RESOURCE_NOT_FOUND"):
            await contacts.UpdateContact(update)


@pytest.fixture
def called(make):
    """A ready entry whose primary was called without an answer; an additional phone is left."""
    list_id = make.contact_list()
    contact_id = make.contact(list_id, "+12025550100", [("+12125550101", None)])
    make.campaign(lists=[list_id])
    make.connection.execute(
        """
        update hopper_entry
        set last_e164 = '+12025550100', last_status = 'NO_ANSWER', last_ended_at = loaded_at,
          first_begun_at = loaded_at, scheduled_at = loaded_at + interval '1 min', attempts = 1,
          tallies = count_call('{}', '+12025550100', 'NO_ANSWER', 1)
        """
    )
    return contact_id


def entry(make):
    [row] = make.rows(
        "select priority, scheduled_at - loaded_at as wait, ready_at from hopper_entry"
    )
    return row


async def test_a_removed_number_moves_the_entry_to_the_next_cycle(contacts, make, called):
    await contacts.UpdateContact(request(called, "additional_phones"))
    assert entry(make)["wait"] == timedelta(minutes=150)
    await contacts.UpdateContact(request(called, phones=[additional("+13055550102")]))
    assert entry(make)["wait"] == timedelta(minutes=1)


async def test_an_entry_without_a_number_left_closes(contacts, make, called):
    make.connection.execute("update campaign_settings set global_max_attempts = 1")
    await contacts.UpdateContact(request(called, "additional_phones"))
    assert make.rows("select reason from final") == [{"reason": "RETRY_LIMIT"}]


async def test_priority_and_earliest_call_time_reach_the_open_entry(contacts, make):
    list_id = make.contact_list()
    contact_id = make.contact(list_id)
    make.campaign(lists=[list_id])
    later = datetime(2040, 1, 1, tzinfo=UTC)
    await contacts.UpdateContact(request(contact_id, priority=1, earliest_call_time=later))
    assert (entry(make)["priority"], entry(make)["ready_at"]) == (1, later)
    await contacts.UpdateContact(request(contact_id, "earliest_call_time"))
    assert entry(make)["wait"] == timedelta(0)


async def test_tallies_outlive_removal_and_adding_again(contacts, make, called):
    await contacts.UpdateContact(request(called, "phone", phone="+13055550102"))
    await contacts.UpdateContact(request(called, "phone", phone="+12025550100"))
    [row] = make.rows("select total, state from hopper_number where dial_position = 0")
    assert row == {"total": 1, "state": "DIALED"}
