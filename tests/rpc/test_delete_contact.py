from callhopper.v1 import contact_service_pb2 as pb
from tests.refusals import refused


def request(contact_id, etag=""):
    return pb.DeleteContactRequest(name=f"contacts/{contact_id}", etag=etag)


async def test_a_deleted_contact_is_found_nowhere(contacts, make):
    contact_id = make.contact(None, "+12025550100", first_name="Ada")
    await contacts.DeleteContact(request(contact_id, '"1"'))
    for again in (
        contacts.GetContact(pb.GetContactRequest(name=f"contacts/{contact_id}")),
        contacts.DeleteContact(request(contact_id)),
    ):
        with refused("RESOURCE_NOT_FOUND"):
            await again
    listed = await contacts.ListContacts(pb.ListContactsRequest(name_prefix="ada"))
    found = await contacts.LookupContacts(pb.LookupContactsRequest(number="+12025550100"))
    assert (len(listed.contacts), len(found.contacts)) == (0, 0)


async def test_ready_entries_close_now_and_live_ones_when_reported(contacts, make):
    list_id = make.contact_list()
    contact_id, other = make.contacts(2, list_id)
    ready, live = make.campaign(lists=[list_id]), make.campaign(lists=[list_id])
    make.connection.execute(
        "update hopper_entry set state = 'LIVE' where (campaign_id, contact_id) = (%s, %s)",
        (live, contact_id),
    )
    await contacts.DeleteContact(request(contact_id))
    finals = make.rows("select campaign_id, contact_id, reason from final")
    assert finals == [{"campaign_id": ready, "contact_id": contact_id, "reason": "DELETED"}]
    left = make.rows("select campaign_id, contact_id, close_as from hopper_entry order by 1, 2")
    assert left == [
        {"campaign_id": ready, "contact_id": other, "close_as": None},
        {"campaign_id": live, "contact_id": contact_id, "close_as": "DELETED"},
        {"campaign_id": live, "contact_id": other, "close_as": None},
    ]


async def test_an_old_etag_is_refused(contacts, make, unchanged):
    contact_id = make.contact()
    with unchanged(), refused("ETAG_MISMATCH"):
        await contacts.DeleteContact(request(contact_id, '"2"'))


async def test_a_malformed_name_is_refused(contacts):
    with refused("INVALID_FIELD") as refusal:
        await contacts.DeleteContact(pb.DeleteContactRequest(name="contacts/"))
    assert refusal.fields == {"name": "is 'contacts/', must be contacts/{id}"}
