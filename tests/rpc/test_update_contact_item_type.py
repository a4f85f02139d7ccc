import pytest

from callhopper.v1 import contact_item_type_service_pb2 as pb
from tests.refusals import refused


def request(type_id, *paths, etag="", validate_only=False, **fields):
    name = f"contactItemTypes/{type_id}"
    update = pb.UpdateContactItemTypeRequest(
        contact_item_type=pb.ContactItemType(name=name, etag=etag, **fields),
        validate_only=validate_only,
    )
    update.update_mask.paths.extend(paths)
    return update


async def test_it_changes_the_fields_of_the_mask(item_types, make):
    type_id = make.item_type("Office", 5, "#FF0000")
    answer = await item_types.UpdateContactItemType(
        request(type_id, "display_name", "colour", display_name="Work", order_by=9)
    )
    changed = answer.contact_item_type
    assert (changed.display_name, changed.order_by, changed.colour) == ("Work", 5, "")
    assert changed.etag == '"2"'
    [row] = make.rows("select name, name_key, sort_name from contact_item_type")
    assert row == {"name": "Work", "name_key": "work", "sort_name": "work"}


async def test_without_a_mask_it_changes_what_is_set(item_types, make):
    type_id = make.item_type("Office", 5, "#FF0000")
    answer = await item_types.UpdateContactItemType(request(type_id, order_by=1))
    changed = answer.contact_item_type
    assert (changed.display_name, changed.order_by, changed.colour) == ("Office", 1, "#FF0000")


async def test_a_star_changes_all_fields(item_types, make):
    type_id = make.item_type("Office", 5, "#FF0000")
    answer = await item_types.UpdateContactItemType(
        request(type_id, "*", display_name="Work", order_by=2)
    )
    changed = answer.contact_item_type
    assert (changed.display_name, changed.order_by, changed.colour) == ("Work", 2, "")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("size", "names 'size', which is no field of ContactItemType"),
        ("create_time", "names create_time, which cannot be changed"),
        ("order_by.x", "names 'order_by.x': fields are changed as a whole, not parts of them"),
    ],
)
async def test_a_mask_names_only_fields_that_can_be_changed(
    item_types, make, unchanged, path, reason
):
    type_id = make.item_type()
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await item_types.UpdateContactItemType(request(type_id, "order_by", path, order_by=2))
    assert refusal.fields == {"update_mask": reason}


async def test_bad_values_are_refused(item_types, make, unchanged):
    type_id = make.item_type()
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await item_types.UpdateContactItemType(request(type_id, "*", order_by=-1, colour="#12345"))
    assert set(refusal.fields) == {
        "contact_item_type.display_name",
        "contact_item_type.order_by",
        "contact_item_type.colour",
    }


async def test_an_old_etag_is_refused(item_types, make, unchanged):
    type_id = make.item_type()
    await item_types.UpdateContactItemType(request(type_id, order_by=2, etag='"1"'))
    with unchanged(), refused("ETAG_MISMATCH"):
        await item_types.UpdateContactItemType(request(type_id, order_by=3, etag='"1"'))


async def test_a_name_of_another_type_is_refused(item_types, make, unchanged):
    make.item_type("Office")
    type_id = make.item_type("Home")
    with unchanged(), refused("RESOURCE_EXISTS"):
        await item_types.UpdateContactItemType(request(type_id, display_name="OFFICE"))
    await item_types.UpdateContactItemType(request(type_id, display_name="HOME"))


async def test_a_type_that_does_not_exist_is_not_found(item_types):
    with refused("RESOURCE_NOT_FOUND"):
        await item_types.UpdateContactItemType(request(77, order_by=2))


@pytest.fixture
def dialed(make):
    """Two of three open entries go to Office next: their primary was called in this cycle."""
    office, home = make.item_type("Office", 1), make.item_type("Home", 2)
    list_id = make.contact_list()
    contacts = [make.contact(list_id, None, [(None, home), (None, office)]) for _ in range(3)]
    make.contact(list_id, None, [(None, home)])
    make.campaign(lists=[list_id])
    make.connection.execute(
        """
        update hopper_entry
        set last_e164 = phone.e164, last_status = 'NO_ANSWER', last_ended_at = clock(),
          first_begun_at = clock(), attempts = 1,
          tallies = count_call('{}', phone.e164, 'NO_ANSWER', 1)
        from contact_phone phone
        where phone.contact_id = hopper_entry.contact_id and phone.entry_position = 0
          and phone.contact_id = any(%s)
        """,
        (contacts[:2],),
    )
    return office


async def test_it_counts_the_entries_whose_next_call_changes(item_types, make, dialed):
    before = make.rows("select entry_id, item_type from next_calls order by entry_id")
    assert [row["item_type"] for row in before] == ["Office", "Office", None, None]
    answer = await item_types.UpdateContactItemType(request(dialed, order_by=3))
    assert (answer.affected_entry_count, answer.changed_next_call_count) == (3, 2)
    after = make.rows("select entry_id, item_type from next_calls order by entry_id")
    assert [row["item_type"] for row in after] == ["Home", "Home", None, None]


async def test_validate_only_answers_the_effect_and_changes_nothing(item_types, unchanged, dialed):
    with unchanged():
        answer = await item_types.UpdateContactItemType(
            request(dialed, order_by=3, validate_only=True)
        )
        harmless = await item_types.UpdateContactItemType(
            request(dialed, colour="#000000", validate_only=True)
        )
    assert (answer.affected_entry_count, answer.changed_next_call_count) == (3, 2)
    assert answer.contact_item_type.order_by == 3
    assert (harmless.affected_entry_count, harmless.changed_next_call_count) == (3, 0)
