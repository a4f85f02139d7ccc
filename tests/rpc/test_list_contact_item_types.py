from callhopper.v1 import contact_item_type_service_pb2 as pb
from tests.refusals import refused


async def names(item_types, **page):
    answer = await item_types.ListContactItemTypes(pb.ListContactItemTypesRequest(**page))
    return [one.display_name for one in answer.contact_item_types], answer.next_page_token


async def test_types_come_in_dial_order(item_types, make):
    for name, order_by in [("Zebra", 1), ("\u00c9clair", 1), ("eclair2", 1), ("Office", 2)]:
        make.item_type(name, order_by)
    make.item_type("Apple", 2)
    found, token = await names(item_types)
    assert found == ["\u00c9clair", "eclair2", "Zebra", "Apple", "Office"]
    assert token == ""


async def test_pages_follow_each_other_without_gap_or_repetition(item_types, make):
    for name in "fbdace":
        make.item_type(name, order_by=1)
    pages, token = [], ""
    while True:
        found, token = await names(item_types, page_size=4 if token else 2, page_token=token)
        pages.append(found)
        if not token:
            break
    assert pages == [["a", "b"], ["c", "d", "e", "f"]]


async def test_a_page_size_above_1000_is_taken_as_1000(item_types, make):
    make.item_type()
    assert len((await names(item_types, page_size=2_147_483_647))[0]) == 1


async def test_a_negative_page_size_is_refused(item_types):
    with refused("INVALID_FIELD") as refusal:
        await names(item_types, page_size=-1)
    assert refusal.fields == {"page_size": "is -1, must be 0 or more"}


async def test_a_damaged_token_is_refused(item_types, make):
    make.item_type("a")
    make.item_type("b")
    _, token = await names(item_types, page_size=1)
    flipped = ("B" if token[0] == "A" else "A") + token[1:]
    for damaged in (
        flipped,
        token[:-1],
        token + "=",
        token + "A",
        "A",
        "x",
        "\u00e9",
        "\0",
        "AAAA",
    ):
        with refused("INVALID_PAGE_TOKEN"):
            await names(item_types, page_token=damaged)
