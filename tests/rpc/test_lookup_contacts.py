import pytest

from callhopper.v1 import contact_service_pb2 as pb
from tests.refusals import refused


@pytest.fixture
def find(contacts):
    async def names(number, **query):
        answer = await contacts.LookupContacts(pb.LookupContactsRequest(number=number, **query))
        return [one.name for one in answer.contacts], answer.next_page_token

    return names


async def test_a_contact_is_found_by_any_of_its_numbers(find, make):
    one = make.contact(None, "+12025550100", [("+12125550101", None)])
    other = make.contact(None, "+13055550102", [("+12025550100", None)])
    make.contact(None, "+12025550100", deleted=True)
    assert await find("(202) 555-0100") == ([f"contacts/{one}", f"contacts/{other}"], "")
    assert await find("+1 212 555 0101") == ([f"contacts/{one}"], "")
    assert await find("+1 212 555 0199") == ([], "")


async def test_the_region_reads_a_number_without_country_code(find, make):
    one = make.contact(None, "+447700900123")
    assert await find("07700 900123", default_region="gb") == ([f"contacts/{one}"], "")


async def test_an_extension_is_found(find, make):
    one = make.contact(make.contact_list(extensions_allowed=True), "4711")
    assert await find("4711") == ([f"contacts/{one}"], "")


async def test_many_contacts_come_in_pages(find, make):
    ids = [make.contact(None, "+12025550100") for _ in range(3)]
    first, token = await find("2025550100", page_size=2)
    last, end = await find("2025550100", page_size=2, page_token=token)
    assert (first + last, end) == ([f"contacts/{one}" for one in ids], "")
    with refused("INVALID_PAGE_TOKEN"):
        await find("2125550100", page_size=2, page_token=token)


async def test_a_number_that_cannot_be_read_is_refused(find):
    with refused("INVALID_FIELD") as refusal:
        await find("nobody", default_region="1", page_size=-1)
    assert refusal.fields == {
        "page_size": "is -1, must be 0 or more",
        "default_region": "is '1', must be two letters of ISO 3166-1, such as US",
        "number": "is 'nobody': it is not a phone number",
    }
    with refused("INVALID_FIELD") as refusal:
        await find("")
    assert refusal.fields == {"number": "must be given"}
