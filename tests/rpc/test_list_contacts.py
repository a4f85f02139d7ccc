import pytest

from callhopper.v1 import contact_service_pb2 as pb
from tests.refusals import refused


@pytest.fixture
def find(contacts):
    async def names(**query):
        answer = await contacts.ListContacts(pb.ListContactsRequest(**query))
        return [one.name for one in answer.contacts], answer.next_page_token

    return names


async def test_contacts_come_by_id_in_pages(find, make):
    first, second = make.contact_list(), make.contact_list()
    ids = [make.contact(list_id) for list_id in (first, second, first, first)]
    make.contact(first, deleted=True)
    expected = [f"contacts/{one}" for one in ids]
    page, token = await find(page_size=3)
    assert page == expected[:3]
    assert await find(page_size=1, page_token=token) == (expected[3:], "")


async def test_contacts_of_one_list(find, make):
    list_id = make.contact_list()
    ids = make.contacts(2, list_id)
    make.contact()
    name = f"contactLists/{list_id}"
    assert await find(contact_list=name) == ([f"contacts/{one}" for one in ids], "")
    assert await find(contact_list=f"contactLists/{list_id + 9}") == ([], "")


async def test_contacts_are_found_by_the_beginning_of_a_name_regardless_of_case(find, make):
    ada = make.contact(first_name="Ada", last_name="\u00d6zil")
    oezil = make.contact(last_name="\u00d6ZIL_%")
    make.contact()
    assert await find(name_prefix="AD") == ([f"contacts/{ada}"], "")
    assert await find(name_prefix="\u00f6z") == ([f"contacts/{ada}", f"contacts/{oezil}"], "")
    assert await find(name_prefix="\u00f6zil_") == ([f"contacts/{oezil}"], "")
    assert await find(name_prefix="%") == ([], "")


async def test_every_contact_shows_its_additional_phones(contacts, make):
    office = make.item_type("Office", colour="#123456")
    list_id = make.contact_list()
    for _ in range(3):
        make.contact(list_id, additional=[(None, None), (None, office)])
    answer = await contacts.ListContacts(pb.ListContactsRequest())
    shown = [[phone.colour for phone in one.additional_phones] for one in answer.contacts]
    assert shown == [["#123456", ""]] * 3


async def test_a_token_of_another_query_is_refused(find, make):
    make.contacts(2)
    _, token = await find(page_size=1)
    with refused("INVALID_PAGE_TOKEN"):
        await find(page_token=token, name_prefix="a")


async def test_bad_fields_are_refused(find):
    with refused("INVALID_FIELD") as refusal:
        await find(page_size=-1, contact_list="x", name_prefix="a\0")
    assert refusal.fields == {
        "page_size": "is -1, must be 0 or more",
        "contact_list": "is 'x', must be contactLists/{id}",
        "name_prefix": "must not contain the control character U+0000",
    }
