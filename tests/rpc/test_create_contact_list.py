from uuid import uuid4

from callhopper.v1 import contact_list_service_pb2 as pb
from tests.refusals import refused


def request(name="Leads", request_id="", **fields):
    contact_list = pb.ContactList(display_name=name, **fields)
    return pb.CreateContactListRequest(contact_list=contact_list, request_id=request_id)


async def test_it_answers_what_it_stored(lists):
    answer = await lists.CreateContactList(
        request(" Leads ", default_region="gb", extensions_allowed=True)
    )
    stored = answer.contact_list
    assert (stored.display_name, stored.default_region) == ("Leads", "GB")
    assert stored.extensions_allowed
    assert stored.name.startswith("contactLists/")
    assert (stored.contact_count, stored.etag) == (0, '"1"')


async def test_the_region_is_us_when_not_set(lists):
    answer = await lists.CreateContactList(request())
    assert answer.contact_list.default_region == "US"
    assert not answer.contact_list.extensions_allowed


async def test_every_bad_field_is_named_and_nothing_is_stored(lists, unchanged):
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await lists.CreateContactList(request("x" * 129, "no", default_region="XX"))
    assert refusal.fields == {
        "request_id": "is 'no', must be a UUID",
        "contact_list.display_name": "has 129 characters, must have at most 128",
        "contact_list.default_region": "is 'XX', must be two letters of ISO 3166-1, such as US",
    }


async def test_a_name_is_taken_regardless_of_case(lists, make, unchanged):
    make.contact_list("LEADS")
    with unchanged(), refused("RESOURCE_EXISTS"):
        await lists.CreateContactList(request())


async def test_the_same_request_id_answers_the_same_and_stores_once(lists, make):
    once = request(request_id=str(uuid4()))
    assert await lists.CreateContactList(once) == await lists.CreateContactList(once)
    assert make.rows("select count(*) as n from contact_list") == [{"n": 1}]


async def test_a_request_id_is_not_used_for_another_request(lists, unchanged):
    request_id = str(uuid4())
    await lists.CreateContactList(request(request_id=request_id))
    with unchanged(), refused("REQUEST_ID_REUSED"):
        await lists.CreateContactList(request("Other", request_id))
