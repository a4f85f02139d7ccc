from callhopper.v1 import contact_list_service_pb2 as pb
from tests.refusals import refused


async def test_it_counts_the_living_contacts(lists, make):
    list_id = make.contact_list("Leads", region="GB", extensions_allowed=True)
    make.contacts(3, list_id)
    make.contact(list_id, deleted=True)
    answer = await lists.GetContactList(pb.GetContactListRequest(name=f"contactLists/{list_id}"))
    found = answer.contact_list
    assert (found.display_name, found.default_region) == ("Leads", "GB")
    assert (found.extensions_allowed, found.contact_count) == (True, 3)


async def test_a_list_that_does_not_exist_is_not_found(lists):
    with refused("RESOURCE_NOT_FOUND"):
        await lists.GetContactList(pb.GetContactListRequest(name="contactLists/1"))


async def test_a_malformed_name_is_refused(lists):
    with refused("INVALID_FIELD") as refusal:
        await lists.GetContactList(pb.GetContactListRequest(name="contactLists/-1"))
    assert refusal.fields == {"name": "is 'contactLists/-1', must be contactLists/{id}"}
