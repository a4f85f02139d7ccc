from callhopper.v1 import contact_service_pb2 as pb
from tests.refusals import refused


async def test_it_shows_all_numbers_in_dial_order(contacts, make):
    late, early = make.item_type("Late", 9), make.item_type("Early", 1)
    contact_id = make.contact(additional=[(None, None), (None, late), (None, early)])
    answer = await contacts.GetContact(pb.GetContactRequest(name=f"contacts/{contact_id}"))
    shown = [phone.contact_item_type_display_name for phone in answer.contact.additional_phones]
    assert shown == ["Early", "Late", ""]


async def test_a_deleted_or_unknown_contact_is_not_found(contacts, make):
    contact_id = make.contact(deleted=True)
    for one in (contact_id, contact_id + 1):
        with refused("RESOURCE_NOT_FOUND"):
            await contacts.GetContact(pb.GetContactRequest(name=f"contacts/{one}"))


async def test_a_malformed_name_is_refused(contacts):
    with refused("INVALID_FIELD") as refusal:
        await contacts.GetContact(pb.GetContactRequest(name="contacts/1 "))
    assert refusal.fields == {"name": "is 'contacts/1 ', must be contacts/{id}"}
