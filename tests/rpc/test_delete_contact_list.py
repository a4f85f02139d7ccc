from callhopper.v1 import contact_list_service_pb2 as pb
from tests.refusals import refused


def request(list_id, **more):
    return pb.DeleteContactListRequest(name=f"contactLists/{list_id}", **more)


async def test_an_empty_list_goes_and_its_name_is_free(lists, make):
    list_id = make.contact_list("Leads")
    make.campaign(lists=[list_id])
    make.contact(list_id, deleted=True)
    answer = await lists.DeleteContactList(request(list_id, etag='"1"'))
    assert answer.deleted_contact_count == 0
    assert make.rows("select * from campaign_list") == []
    with refused("RESOURCE_NOT_FOUND"):
        await lists.GetContactList(pb.GetContactListRequest(name=f"contactLists/{list_id}"))
    with refused("RESOURCE_NOT_FOUND"):
        await lists.DeleteContactList(request(list_id))
    found = await lists.ListContactLists(pb.ListContactListsRequest())
    assert list(found.contact_lists) == []
    await lists.CreateContactList(
        pb.CreateContactListRequest(contact_list=pb.ContactList(display_name="Leads"))
    )


async def test_a_list_with_contacts_stays_unless_forced(lists, make, unchanged):
    list_id = make.contact_list()
    make.contact(list_id)
    with unchanged(), refused("RESOURCE_IN_USE"):
        await lists.DeleteContactList(request(list_id))


async def test_forced_its_contacts_go_and_their_open_entries_close(lists, make):
    list_id, other = make.contact_list(), make.contact_list()
    make.contacts(3, list_id)
    make.contact(other)
    campaign_id = make.campaign(lists=[list_id, other])
    answer = await lists.DeleteContactList(request(list_id, force=True))
    assert answer.deleted_contact_count == 3
    finals = make.rows("select campaign_id, reason from final")
    assert finals == [{"campaign_id": campaign_id, "reason": "DELETED"}] * 3
    assert len(make.rows("select * from hopper_entry")) == 1
    assert [row["contact_list_id"] for row in make.rows("select * from campaign_list")] == [other]
    assert len(make.rows("select * from contacts")) == 1
    assert make.rows("select holds from conservation") == [{"holds": True}]


async def test_an_old_etag_is_refused(lists, make, unchanged):
    list_id = make.contact_list()
    with unchanged(), refused("ETAG_MISMATCH"):
        await lists.DeleteContactList(request(list_id, etag='"2"'))
