"""Manage the kinds of additional phones: ContactItemTypeService."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import grpc

from callhopper.v1 import contact_item_type_service_pb2 as item_types
from callhopper.v1.contact_item_type_service_pb2_grpc import ContactItemTypeServiceServicer
from server.checks import Checks, require_etag
from server.convert.contact_item_type import (
    WRITABLE,
    contact_item_type,
    contact_item_type_columns,
)
from server.db import Row, Transaction
from server.errors import AlreadyExists, InUse, NotFound
from server.names import name_key, sort_name
from server.pages import open_page
from server.rehearsals import rehearse
from server.request_log import answer_once
from server.services.context import Context

COUNTED_AT_ONCE: Final = 10_000
"""Most open entries whose next calls are compared in a change that is not only rehearsed."""
NAME_IS_TAKEN: Final = {
    "contact_item_type_name_is_taken": AlreadyExists("a contact item type has this display_name")
}

Call = grpc.aio.ServicerContext[Any, Any]


class ContactItemTypeService(ContactItemTypeServiceServicer):
    """Serve item types. Dial order is read live, so a change needs no work on open entries (O3)."""

    def __init__(self, context: Context) -> None:
        self._db = context.db

    async def CreateContactItemType(
        self, request: item_types.CreateContactItemTypeRequest, context: Call
    ) -> item_types.CreateContactItemTypeResponse:
        """Add an item type (C3)."""
        with Checks() as checks:
            request_id = checks.request_id(request.request_id)
            columns = contact_item_type_columns(checks, request.contact_item_type, WRITABLE)

        async def create(tx: Transaction) -> item_types.CreateContactItemTypeResponse:
            [row] = await tx.many("insert_contact_item_type", **columns)
            return item_types.CreateContactItemTypeResponse(
                contact_item_type=contact_item_type(row)
            )

        if request.validate_only:
            answer = await rehearse(self._db, create, constraints=NAME_IS_TAKEN)
            answer.contact_item_type.ClearField("name")
            return answer
        return await self._db.run(
            lambda tx: answer_once(
                tx, request, request_id, item_types.CreateContactItemTypeResponse, create
            ),
            constraints=NAME_IS_TAKEN,
        )

    async def GetContactItemType(
        self, request: item_types.GetContactItemTypeRequest, context: Call
    ) -> item_types.GetContactItemTypeResponse:
        """Read one item type."""
        with Checks() as checks:
            type_id = checks.resource_id("name", request.name, "contactItemTypes")

        async def get(tx: Transaction) -> item_types.GetContactItemTypeResponse:
            row = await tx.one("get_contact_item_type", contact_item_type_id=type_id)
            if row is None:
                raise NotFound(request.name)
            return item_types.GetContactItemTypeResponse(contact_item_type=contact_item_type(row))

        return await self._db.run(get)

    async def ListContactItemTypes(
        self, request: item_types.ListContactItemTypesRequest, context: Call
    ) -> item_types.ListContactItemTypesResponse:
        """List item types in dial order (O1)."""
        with Checks() as checks:
            size = checks.page_size(request.page_size)

        async def read(tx: Transaction) -> item_types.ListContactItemTypesResponse:
            page = await open_page(tx, request, size, first=(0, "", "", 0))
            order_by, sorts_as, name, type_id = page.after
            rows = await tx.many(
                "list_contact_item_types",
                after_order_by=order_by,
                after_sort_name=sorts_as,
                after_name=name,
                after_id=type_id,
                row_limit=page.limit,
            )
            return item_types.ListContactItemTypesResponse(
                contact_item_types=[contact_item_type(row) for row in page.rows(rows)],
                next_page_token=page.next_token(
                    rows, "order_by", "sort_name", "name", "contact_item_type_id"
                ),
            )

        return await self._db.run(read)

    async def UpdateContactItemType(
        self, request: item_types.UpdateContactItemTypeRequest, context: Call
    ) -> item_types.UpdateContactItemTypeResponse:
        """Change an item type; open entries follow at commit (O3)."""
        with Checks() as checks:
            message = request.contact_item_type
            type_id = checks.resource_id("contact_item_type.name", message.name, "contactItemTypes")
            fields = checks.mask(request.update_mask, message, WRITABLE)
            columns = contact_item_type_columns(checks, message, fields)

        async def update(tx: Transaction) -> item_types.UpdateContactItemTypeResponse:
            stored = await _lock(tx, type_id, message.etag)
            [use] = await tx.many("get_type_use", contact_item_type_id=type_id)
            entry_count: int = use["open_entry_count"]
            is_counted = request.validate_only or entry_count <= COUNTED_AT_ONCE
            change = partial(_update, tx, type_id, stored | columns)
            row, changed_count = (
                await _count_changed(tx, type_id, change) if is_counted else (await change(), 0)
            )
            return item_types.UpdateContactItemTypeResponse(
                contact_item_type=contact_item_type(row),
                affected_entry_count=entry_count,
                changed_next_call_count=changed_count,
            )

        run = partial(rehearse, self._db) if request.validate_only else self._db.run
        return await run(update, constraints=NAME_IS_TAKEN)

    async def DeleteContactItemType(
        self, request: item_types.DeleteContactItemTypeRequest, context: Call
    ) -> item_types.DeleteContactItemTypeResponse:
        """Delete an item type; forced, its phones become untyped (C8)."""
        with Checks() as checks:
            type_id = checks.resource_id("name", request.name, "contactItemTypes")

        async def delete(tx: Transaction) -> item_types.DeleteContactItemTypeResponse:
            await _lock(tx, type_id, request.etag)
            [use] = await tx.many("get_type_use", contact_item_type_id=type_id)
            if use["is_used"] and not request.force:
                raise InUse(f"{request.name} is in use; force makes its phones untyped")
            [untyped] = await tx.many("untype_phones", contact_item_type_id=type_id)
            await tx.execute("delete_contact_item_type", contact_item_type_id=type_id)
            return item_types.DeleteContactItemTypeResponse(
                untyped_phone_count=untyped["untyped_phone_count"]
            )

        return await self._db.run(delete)


async def _lock(tx: Transaction, type_id: int, etag: str) -> Row:
    row = await tx.one("lock_contact_item_type", contact_item_type_id=type_id)
    if row is None:
        raise NotFound(f"contactItemTypes/{type_id}")
    require_etag(etag, row["revision"])
    return row


async def _update(tx: Transaction, type_id: int, columns: Row) -> Row:
    [row] = await tx.many(
        "update_contact_item_type",
        contact_item_type_id=type_id,
        display_name=columns["display_name"],
        name_key=name_key(columns["display_name"]),
        sort_name=sort_name(columns["display_name"]),
        order_by=columns["order_by"],
        colour=columns["colour"],
    )
    return row


async def _count_changed(
    tx: Transaction, type_id: int, change: Callable[[], Awaitable[Row]]
) -> tuple[Row, int]:
    [before] = await tx.many("get_next_calls_of_type", contact_item_type_id=type_id)
    row = await change()
    [after] = await tx.many("count_changed_next_calls", contact_item_type_id=type_id, **before)
    return row, after["changed_count"]
