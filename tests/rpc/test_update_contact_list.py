from callhopper.v1 import contact_list_service_pb2 as pb
from tests.refusals import refused


def request(list_id, *paths, etag="", **fields):
    name = f"contactLists/{list_id}"
    update = pb.UpdateContactListRequest(
        contact_list=pb.ContactList(name=name, etag=etag, **fields)
    )
    update.update_mask.paths.extend(paths)
    return update


async def test_it_changes_the_fields_of_the_mask(lists, make):
    list_id = make.contact_list("Leads", region="GB", extensions_allowed=True)
    answer = await lists.UpdateContactList(
        request(list_id, "extensions_allowed", "default_region", display_name="Other")
    )
    changed = answer.contact_list
    assert (changed.display_name, changed.default_region) == ("Leads", "US")
    assert (changed.extensions_allowed, changed.etag) == (False, '"2"')


async def test_without_a_mask_it_changes_what_is_set(lists, make):
    list_id = make.contact_list("Leads", region="GB", extensions_allowed=True)
    answer = await lists.UpdateContactList(request(list_id, display_name="Other"))
    changed = answer.contact_list
    assert (changed.display_name, changed.default_region) == ("Other", "GB")
    assert changed.extensions_allowed


async def test_numbers_already_stored_stay_as_they_are(lists, make):
    list_id = make.contact_list()
    make.contact(list_id)
    before = make.rows("select * from contact_phone")
    await lists.UpdateContactList(request(list_id, default_region="GB"))
    assert make.rows("select * from contact_phone") == before


async def test_bad_fields_and_masks_are_refused(lists, make, unchanged):
    list_id = make.contact_list()
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await lists.UpdateContactList(
            request(list_id, "display_name", "contact_count", "default_region", default_region="x")
        )
    assert refusal.fields == {
        "update_mask": "names contact_count, which cannot be changed",
        "contact_list.display_name": "must be given",
        "contact_list.default_region": "is 'x', must be two letters of ISO 3166-1, such as US",
    }


async def test_a_name_of_another_list_is_refused(lists, make, unchanged):
    make.contact_list("Leads")
    list_id = make.contact_list("Other")
    with unchanged(), refused("RESOURCE_EXISTS"):
        await lists.UpdateContactList(request(list_id, display_name="leads"))


async def test_an_old_etag_is_refused(lists, make, unchanged):
    list_id = make.contact_list()
    with unchanged(), refused("ETAG_MISMATCH"):
        await lists.UpdateContactList(request(list_id, display_name="Other", etag='"2"'))


async def test_a_list_that_does_not_exist_is_not_found(lists):
    with refused("RESOURCE_NOT_FOUND"):
        await lists.UpdateContactList(request(4, display_name="Other"))
