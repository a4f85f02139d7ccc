"""The same human, told by person_key, is never on two calls at once (C1, D1)."""

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from callhopper.v1 import contact_service_pb2 as contacts
from callhopper.v1 import dialer_service_pb2 as dialer
from server.db import PlainConnection
from tests.conftest import Stubs
from tests.factories import Factory


async def claim(stubs: Stubs) -> list[dialer.ClaimedAttempt]:
    request = dialer.ClaimAttemptsRequest(worker_id="w", max_attempts=1, begin=True)
    return list((await stubs.dialer.ClaimAttempts(request)).attempts)


async def give_key(stubs: Stubs, contact: str, person_key: str) -> None:
    await stubs.contacts.UpdateContact(
        contacts.UpdateContactRequest(
            contact=contacts.Contact(name=contact, person_key=person_key),
            update_mask=FieldMask(paths=["person_key"]),
        )
    )


async def test_a_person_known_only_during_the_call_is_not_called_by_another_contact(
    stubs: Stubs, conn: PlainConnection
) -> None:
    make = Factory(conn)
    list_id = make.contact_list()
    make.contact(list_id)
    make.contact(list_id, person_key="k")
    make.campaign(lists=[list_id])
    [live] = await claim(stubs)

    await give_key(stubs, live.contact, "k")

    assert await claim(stubs) == []
    assert make.rows("select person from attempt") == [{"person": "key:k"}]


async def test_two_contacts_on_a_call_cannot_become_one_person(
    stubs: Stubs, conn: PlainConnection
) -> None:
    make = Factory(conn)
    list_id = make.contact_list()
    make.contact(list_id)
    make.contact(list_id, person_key="k")
    make.campaign(lists=[list_id])
    [live] = await claim(stubs)
    assert len(await claim(stubs)) == 1

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await give_key(stubs, live.contact, "k")

    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert make.rows("select person_key from contact order by contact_id") == [
        {"person_key": None},
        {"person_key": "k"},
    ]
