"""Whatever is sent, an RPC answers with a documented refusal, leaks nothing and breaks no law.

Requests are built at random from the descriptors: unset and set fields, edges of every number,
names that exist, names that do not, and rubbish.
"""

import random
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from callhopper.v1 import (
    campaign_service_pb2,
    contact_item_type_service_pb2,
    contact_list_service_pb2,
    contact_service_pb2,
    dialer_service_pb2,
    hopper_service_pb2,
)
from server.db import PlainConnection
from tests.factories import Factory

REQUESTS = 60
FILES = (
    campaign_service_pb2,
    contact_item_type_service_pb2,
    contact_list_service_pb2,
    contact_service_pb2,
    dialer_service_pb2,
    hopper_service_pb2,
)
METHODS = [
    method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
FORBIDDEN = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNIMPLEMENTED}
TEXTS = (
    "",
    " ",
    "x",
    "x" * 5000,
    "\x00",
    "'; drop table contact; --",
    "Ⅷ ﷺ \u202e",
    "campaigns/1",
    "campaigns/0",
    "campaigns/99999999999999999999",
    "campaigns/1/entries/1-1",
    "campaigns/1/entries/1-9223372036854775807",
    "contactLists/1",
    "contacts/1",
    "contacts/-1",
    "contactItemTypes/1",
    "+12025550100",
    "911",
    "00000000-0000-4000-8000-000000000000",
    "1.1.00000000-0000-7000-8000-000000000000",
    "9223372036854775807.1.ffffffff-ffff-ffff-ffff-ffffffffffff",
    "display_name",
    "retry_settings.rules",
    "#12aB3c",
    "US",
    "Europe/Paris",
    "phone,Office\n+12025550101,+12025550102\n",
)
NUMBERS = (0, 1, 2, -1, 3, 100, 2**31 - 1, -(2**31))
LONG_NUMBERS = (*NUMBERS, 2**63 - 1, -(2**63), 253_402_300_799, 253_402_300_800)


def value_of(field: FieldDescriptor, chance: random.Random, depth: int) -> Any:
    """Return a value for one field."""
    if field.message_type is not None:
        return message_of(field.message_type, chance, depth + 1)
    if field.enum_type is not None:
        return chance.choice([*(one.number for one in field.enum_type.values), 99, -5])
    scalars: dict[int, tuple[Any, ...]] = {
        FieldDescriptor.TYPE_STRING: TEXTS,
        FieldDescriptor.TYPE_BYTES: tuple(text.encode() for text in TEXTS),
        FieldDescriptor.TYPE_BOOL: (False, True),
        FieldDescriptor.TYPE_INT64: LONG_NUMBERS,
    }
    return chance.choice(scalars.get(field.type, NUMBERS))


def message_of(descriptor: Descriptor, chance: random.Random, depth: int = 0) -> Message:
    """Return a message of which some fields are set, at times few and at times most."""
    message = GetMessageClass(descriptor)()
    fill = chance.random()
    for field in descriptor.fields:
        if chance.random() > fill or depth > 4:
            continue
        if field.is_repeated:
            values = [value_of(field, chance, depth) for _ in range(chance.randint(0, 3))]
            getattr(message, field.name).extend(values)
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(value_of(field, chance, depth))
        else:
            setattr(message, field.name, value_of(field, chance, depth))
    return message


@pytest.fixture
def furnished(conn: PlainConnection) -> Factory:
    """Make one of everything, so that names such as contacts/1 mean something."""
    make = Factory(conn)
    list_id = make.contact_list()
    office = make.item_type("Office")
    make.contact(list_id, "+12025550100", [("+12025550103", office)])
    make.campaign(lists=[list_id])
    return make


async def send(
    channel: grpc.aio.Channel, method: Any, requests: list[Message]
) -> grpc.aio.AioRpcError | None:
    """Call a method; return its refusal, None when it was served."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    codec = {
        "request_serializer": lambda message: message.SerializeToString(),
        "response_deserializer": GetMessageClass(method.output_type).FromString,
    }
    try:
        if method.client_streaming:
            async for _ in channel.stream_stream(path, **codec)(iter(requests), timeout=10):
                pass
        else:
            await channel.unary_unary(path, **codec)(requests[0], timeout=10)
    except grpc.aio.AioRpcError as refusal:
        return refusal
    return None


def words(refusal: grpc.aio.AioRpcError) -> Iterator[str]:
    yield refusal.details() or ""
    for _, value in refusal.trailing_metadata() or ():
        yield value if isinstance(value, str) else value.decode("utf-8", "replace")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method.name))
async def test_any_request_is_served_or_refused_with_a_reason(
    method: Any, channel: grpc.aio.Channel, furnished: Factory
) -> None:
    chance = random.Random(method.full_name)
    for _ in range(REQUESTS):
        requests = [message_of(method.input_type, chance) for _ in range(chance.randint(1, 4))]
        for request in requests:
            # A claim that finds nothing would wait.
            if "wait_duration" in request.DESCRIPTOR.fields_by_name:
                request.ClearField("wait_duration")

        refusal = await send(channel, method, requests)

        if refusal is not None:
            assert refusal.code() not in FORBIDDEN, (refusal, requests)
            for text in words(refusal):
                for leak in ("psycopg", "select ", "insert ", "Traceback", "host=", "pg_"):
                    assert leak not in text, (text, requests)
    assert furnished.rows("select * from conservation where not holds") == []
