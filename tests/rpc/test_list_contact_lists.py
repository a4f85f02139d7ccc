import pytest

from callhopper.v1 import contact_list_service_pb2 as pb
from tests.refusals import refused


@pytest.fixture
def find(lists):
    async def names(**query):
        answer = await lists.ListContactLists(pb.ListContactListsRequest(**query))
        return [one.display_name for one in answer.contact_lists], answer.next_page_token

    return names


async def test_lists_come_by_id_in_pages(find, make):
    for name in "cab":
        make.contact_list(name)
    first, token = await find(page_size=2)
    last, end = await find(page_size=2, page_token=token)
    assert (first, last, end) == (["c", "a"], ["b"], "")


async def test_a_list_is_found_by_its_whole_name_regardless_of_case(find, make):
    for name in ("Leads", "Leads 2"):
        make.contact_list(name)
    assert await find(display_name="LEADS") == (["Leads"], "")
    assert await find(display_name="Lead") == ([], "")


async def test_a_token_of_another_query_is_refused(find, lists, make):
    make.contact_list("a")
    make.contact_list("b")
    _, token = await find(page_size=1)
    with refused("INVALID_PAGE_TOKEN"):
        await find(page_token=token, display_name="b")


async def test_a_negative_page_size_is_refused(find):
    with refused("INVALID_FIELD") as refusal:
        await find(page_size=-5)
    assert refusal.fields == {"page_size": "is -5, must be 0 or more"}
