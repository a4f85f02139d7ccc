from uuid import uuid4

from callhopper.v1 import contact_item_type_service_pb2 as pb
from tests.refusals import refused


def request(name="Office", order_by=1, colour="#00FF00", **more):
    item_type = pb.ContactItemType(display_name=name, order_by=order_by, colour=colour)
    return pb.CreateContactItemTypeRequest(contact_item_type=item_type, **more)


async def test_it_answers_what_it_stored(item_types, make):
    answer = await item_types.CreateContactItemType(request(" Office ", 3, "#a0b1c2"))
    stored = answer.contact_item_type
    assert (stored.display_name, stored.order_by, stored.colour) == ("Office", 3, "#A0B1C2")
    assert stored.name.startswith("contactItemTypes/")
    assert stored.create_time == stored.update_time
    assert stored.etag == '"1"'
    [row] = make.rows("select name, name_key, sort_name from contact_item_type")
    assert row == {"name": "Office", "name_key": "office", "sort_name": "office"}


async def test_a_colour_is_optional(item_types):
    answer = await item_types.CreateContactItemType(request(colour=""))
    assert answer.contact_item_type.colour == ""


async def test_every_bad_field_is_named_and_nothing_is_stored(item_types, unchanged):
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await item_types.CreateContactItemType(request(" ", 0, "red", request_id="7"))
    assert refusal.fields == {
        "request_id": "is '7', must be a UUID",
        "contact_item_type.display_name": "must be given",
        "contact_item_type.order_by": "is 0, must be 1 or more",
        "contact_item_type.colour": "is 'red', must be #RRGGBB",
    }


async def test_a_name_has_at_most_64_characters_and_no_control_character(item_types):
    await item_types.CreateContactItemType(request("é" * 64))
    with refused("INVALID_FIELD") as refusal:
        await item_types.CreateContactItemType(request("é" * 65))
    assert refusal.fields == {
        "contact_item_type.display_name": "has 65 characters, must have at most 64"
    }
    with refused("INVALID_FIELD") as refusal:
        await item_types.CreateContactItemType(request("Off\0ice"))
    assert refusal.fields == {
        "contact_item_type.display_name": "must not contain the control character U+0000"
    }


async def test_a_name_is_taken_regardless_of_case_and_unicode_form(item_types, make, unchanged):
    make.item_type("Stra\u00dfe \ufb01")
    with unchanged(), refused("RESOURCE_EXISTS"):
        await item_types.CreateContactItemType(request("STRASSE FI", request_id=str(uuid4())))


async def test_the_same_request_id_answers_the_same_and_stores_once(item_types, make):
    once = request(request_id=str(uuid4()))
    assert await item_types.CreateContactItemType(once) == (
        await item_types.CreateContactItemType(once)
    )
    assert make.rows("select count(*) as n from contact_item_type") == [{"n": 1}]


async def test_a_request_id_is_not_used_for_another_request(item_types, unchanged):
    request_id = str(uuid4())
    await item_types.CreateContactItemType(request(request_id=request_id))
    with unchanged(), refused("REQUEST_ID_REUSED"):
        await item_types.CreateContactItemType(request("Home", request_id=request_id))


async def test_a_refused_request_does_not_use_up_its_id(item_types, make):
    make.item_type("Office")
    request_id = str(uuid4())
    with refused("RESOURCE_EXISTS"):
        await item_types.CreateContactItemType(request(request_id=request_id))
    await item_types.CreateContactItemType(request("Home", request_id=request_id))


async def test_validate_only_checks_everything_and_stores_nothing(item_types, make, unchanged):
    make.item_type("Home")
    with unchanged():
        answer = await item_types.CreateContactItemType(request(validate_only=True))
        with refused("RESOURCE_EXISTS"):
            await item_types.CreateContactItemType(request("HOME", validate_only=True))
    assert answer.contact_item_type.display_name == "Office"
    assert answer.contact_item_type.name == ""
