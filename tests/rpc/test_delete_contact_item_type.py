from callhopper.v1 import contact_item_type_service_pb2 as pb
from tests.refusals import refused


def request(type_id, **more):
    return pb.DeleteContactItemTypeRequest(name=f"contactItemTypes/{type_id}", **more)


async def test_an_unused_type_goes(item_types, make):
    type_id = make.item_type()
    answer = await item_types.DeleteContactItemType(request(type_id, etag='"1"'))
    assert answer.untyped_phone_count == 0
    with refused("RESOURCE_NOT_FOUND"):
        await item_types.DeleteContactItemType(request(type_id))


async def test_a_used_type_stays_unless_forced(item_types, make, unchanged):
    office = make.item_type("Office")
    make.contact(additional=[(None, office)])
    with unchanged(), refused("RESOURCE_IN_USE"):
        await item_types.DeleteContactItemType(request(office))


async def test_forced_its_phones_become_untyped_and_go_last(item_types, make):
    office, home = make.item_type("Office", 1), make.item_type("Home", 2)
    contact = make.contact(additional=[(None, home), (None, office), (None, office)])
    make.contact(additional=[(None, home)])
    answer = await item_types.DeleteContactItemType(request(office, force=True))
    assert answer.untyped_phone_count == 2
    rows = make.rows(
        "select entry_position, item_type from dial_order where contact_id = %s"
        " order by dial_position",
        contact,
    )
    assert [(row["entry_position"], row["item_type"]) for row in rows] == [
        (0, None),
        (1, "Home"),
        (2, None),
        (3, None),
    ]
    assert make.rows("select revision from contact order by contact_id") == [
        {"revision": 2},
        {"revision": 1},
    ]


async def test_phones_of_deleted_contacts_do_not_keep_a_type(item_types, make):
    office = make.item_type()
    make.contact(additional=[(None, office)], deleted=True)
    answer = await item_types.DeleteContactItemType(request(office))
    assert answer.untyped_phone_count == 0


async def test_an_old_etag_is_refused(item_types, make, unchanged):
    type_id = make.item_type()
    with unchanged(), refused("ETAG_MISMATCH"):
        await item_types.DeleteContactItemType(request(type_id, etag='"0"', force=True))
