"""Changes of contacts that meet other changes: nothing is missed, and nobody waits for ever."""

import asyncio
from uuid import uuid4

import grpc

from callhopper.v1 import campaign_service_pb2 as campaigns_pb
from callhopper.v1 import contact_item_type_service_pb2 as item_types_pb
from callhopper.v1 import contact_list_service_pb2 as lists_pb
from callhopper.v1 import contact_service_pb2 as pb
from tests.lock_waits import until_waiting

MET = {grpc.StatusCode.OK, grpc.StatusCode.NOT_FOUND}


def creation(list_id, number, type_id=None):
    contact = pb.Contact(contact_list=f"contactLists/{list_id}", phone=number)
    if type_id:
        name = f"contactItemTypes/{type_id}"
        contact.additional_phones.add(number="+12025550199", contact_item_type=name)
    return pb.CreateContactRequest(contact=contact, request_id=str(uuid4()))


async def codes(*calls):
    async def code(call):
        try:
            await call
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    return await asyncio.gather(*map(code, calls))


async def test_a_contact_created_while_its_list_is_attached_is_loaded(
    contacts, make, new_connection
):
    list_id = make.contact_list()
    campaign_id = make.campaign()
    other = new_connection()
    with other.transaction():
        other.execute("select 1 from contact_list for update")
        created = asyncio.ensure_future(contacts.CreateContact(creation(list_id, "+12025550100")))
        await until_waiting(make.connection)
        other.execute("insert into campaign_list values (%s, %s, now())", (campaign_id, list_id))
    await created
    assert make.rows("select campaign_id from hopper_entry") == [{"campaign_id": campaign_id}]


async def test_a_contact_created_while_its_list_is_deleted_is_refused(
    contacts, make, new_connection
):
    list_id = make.contact_list()
    other = new_connection()
    with other.transaction():
        other.execute("select 1 from contact_list for update")
        created = asyncio.ensure_future(
            codes(contacts.CreateContact(creation(list_id, "+12025550100")))
        )
        await until_waiting(make.connection)
        other.execute("update contact_list set deleted_at = now()")
    assert await created == [grpc.StatusCode.NOT_FOUND]
    assert make.rows("select * from contact") == []


async def test_a_type_deleted_while_phones_of_it_are_added_leaves_none(contacts, item_types, make):
    list_id = make.contact_list()
    make.campaign(lists=[list_id])
    for _ in range(15):
        type_id = make.item_type()
        known = make.contact(list_id, additional=[(None, type_id)])
        change = pb.UpdateContactRequest(contact=pb.Contact(name=f"contacts/{known}"))
        name = f"contactItemTypes/{type_id}"
        change.contact.additional_phones.add(number="+12025550198", contact_item_type=name)
        answered = await codes(
            contacts.CreateContact(creation(list_id, make.number(), type_id)),
            contacts.UpdateContact(change),
            item_types.DeleteContactItemType(
                item_types_pb.DeleteContactItemTypeRequest(name=name, force=True)
            ),
        )
        assert set(answered) <= MET
        assert answered[2] == grpc.StatusCode.OK
    assert make.rows("select * from contact_phone where contact_item_type_id is not null") == []


async def test_concurrent_changes_of_one_contact_are_all_kept(contacts, make):
    contact_id = make.contact()
    name = f"contacts/{contact_id}"
    fields = ("first_name", "last_name", "company", "email")
    changes = [pb.UpdateContactRequest(contact=pb.Contact(name=name)) for _ in fields]
    for change, field in zip(changes, fields, strict=True):
        setattr(change.contact, field, field)
    answered = await codes(*map(contacts.UpdateContact, changes))
    assert answered == [grpc.StatusCode.OK] * len(fields)
    [row] = make.rows("select first_name, last_name, company, email, revision from contact")
    assert list(row.values()) == [*fields, 5]


async def test_only_one_of_two_changes_with_the_same_etag_is_made(contacts, make):
    contact_id = make.contact()
    answered = await codes(
        *(
            contacts.UpdateContact(
                pb.UpdateContactRequest(
                    contact=pb.Contact(name=f"contacts/{contact_id}", etag='"1"', company=company)
                )
            )
            for company in "ab"
        )
    )
    assert sorted(code.name for code in answered) == ["ABORTED", "OK"]


async def test_lists_change_and_go_while_contacts_come_and_campaigns_attach_them(
    contacts, lists, stubs, make
):
    for _ in range(10):
        list_id, campaign_id = make.contact_list(), make.campaign()
        known = make.contacts(2, list_id)
        name = f"contactLists/{list_id}"
        attach = campaigns_pb.AddCampaignListRequest(
            name=f"campaigns/{campaign_id}", contact_list=name
        )
        answered = await codes(
            contacts.CreateContact(creation(list_id, make.number())),
            stubs.campaigns.AddCampaignList(attach),
            contacts.DeleteContact(pb.DeleteContactRequest(name=f"contacts/{known[0]}")),
            lists.DeleteContactList(lists_pb.DeleteContactListRequest(name=name, force=True)),
        )
        assert set(answered) <= MET
        assert answered[3] == grpc.StatusCode.OK
    assert make.rows("select * from hopper_entry") == []
    assert make.rows("select * from campaign_list") == []
    assert make.rows("select * from contacts") == []
    assert make.rows("select * from conservation where not holds") == []
