"""Manage contact lists: ContactListService."""

from typing import Any, Final

import grpc

from callhopper.v1 import contact_list_service_pb2 as contact_lists
from callhopper.v1.contact_list_service_pb2_grpc import ContactListServiceServicer
from server.checks import Checks, require_etag
from server.convert.contact_list import WRITABLE, contact_list, contact_list_columns
from server.db import Row, Transaction
from server.errors import AlreadyExists, InUse, NotFound
from server.names import name_key
from server.pages import open_page
from server.request_log import answer_once
from server.services.context import Context

NAME_IS_TAKEN: Final = {
    "contact_list_name_is_taken": AlreadyExists("a contact list has this display_name")
}

Call = grpc.aio.ServicerContext[Any, Any]


class ContactListService(ContactListServiceServicer):
    """Serve contact lists."""

    def __init__(self, context: Context) -> None:
        self._db = context.db

    async def CreateContactList(
        self, request: contact_lists.CreateContactListRequest, context: Call
    ) -> contact_lists.CreateContactListResponse:
        """Add an empty list."""
        with Checks() as checks:
            request_id = checks.request_id(request.request_id)
            columns = contact_list_columns(checks, request.contact_list, WRITABLE)

        async def create(tx: Transaction) -> contact_lists.CreateContactListResponse:
            [row] = await tx.many("insert_contact_list", **columns)
            return contact_lists.CreateContactListResponse(contact_list=contact_list(row))

        return await self._db.run(
            lambda tx: answer_once(
                tx, request, request_id, contact_lists.CreateContactListResponse, create
            ),
            constraints=NAME_IS_TAKEN,
        )

    async def GetContactList(
        self, request: contact_lists.GetContactListRequest, context: Call
    ) -> contact_lists.GetContactListResponse:
        """Read one list and count its contacts."""
        with Checks() as checks:
            list_id = checks.resource_id("name", request.name, "contactLists")

        async def get(tx: Transaction) -> contact_lists.GetContactListResponse:
            row = await tx.one("get_contact_list", contact_list_id=list_id)
            if row is None:
                raise NotFound(request.name)
            return contact_lists.GetContactListResponse(contact_list=contact_list(row))

        return await self._db.run(get)

    async def ListContactLists(
        self, request: contact_lists.ListContactListsRequest, context: Call
    ) -> contact_lists.ListContactListsResponse:
        """List the lists by id, or find the one of a name."""
        with Checks() as checks:
            size = checks.page_size(request.page_size)
            name = checks.text("display_name", request.display_name, most=128)

        async def read(tx: Transaction) -> contact_lists.ListContactListsResponse:
            page = await open_page(tx, request, size, first=(0,))
            rows = await tx.many(
                "list_contact_lists",
                after_contact_list_id=page.after[0],
                name_key=name_key(name) or None,
                row_limit=page.limit,
            )
            return contact_lists.ListContactListsResponse(
                contact_lists=[contact_list(row) for row in page.rows(rows)],
                next_page_token=page.next_token(rows, "contact_list_id"),
            )

        return await self._db.run(read)

    async def UpdateContactList(
        self, request: contact_lists.UpdateContactListRequest, context: Call
    ) -> contact_lists.UpdateContactListResponse:
        """Change a list; numbers already stored stay as they are."""
        with Checks() as checks:
            message = request.contact_list
            list_id = checks.resource_id("contact_list.name", message.name, "contactLists")
            fields = checks.mask(request.update_mask, message, WRITABLE)
            columns = contact_list_columns(checks, message, fields)

        async def update(tx: Transaction) -> contact_lists.UpdateContactListResponse:
            stored = await _lock(tx, list_id, message.etag)
            merged = stored | columns
            [row] = await tx.many(
                "update_contact_list",
                contact_list_id=list_id,
                display_name=merged["display_name"],
                name_key=name_key(merged["display_name"]),
                default_region=merged["default_region"],
                extensions_allowed=merged["extensions_allowed"],
            )
            return contact_lists.UpdateContactListResponse(contact_list=contact_list(row))

        return await self._db.run(update, constraints=NAME_IS_TAKEN)

    async def DeleteContactList(
        self, request: contact_lists.DeleteContactListRequest, context: Call
    ) -> contact_lists.DeleteContactListResponse:
        """Delete a list; forced, its contacts too, whose open entries close as DELETED (E4)."""
        with Checks() as checks:
            list_id = checks.resource_id("name", request.name, "contactLists")

        async def delete(tx: Transaction) -> contact_lists.DeleteContactListResponse:
            await _lock(tx, list_id, request.etag)
            [found] = await tx.many("list_has_contacts", contact_list_id=list_id)
            if found["has_contacts"] and not request.force:
                raise InUse(f"{request.name} has contacts; force deletes them too")
            [deleted] = await tx.many("delete_contacts_of_list", contact_list_id=list_id)
            ids = deleted["contact_ids"]
            await tx.execute("lock_entries_of_contacts", contact_ids=ids)
            await tx.many("close_contact_entries", contact_ids=ids, reason="DELETED")
            await tx.execute("detach_contact_list", contact_list_id=list_id)
            await tx.execute("delete_contact_list", contact_list_id=list_id)
            return contact_lists.DeleteContactListResponse(
                deleted_contact_count=deleted["deleted_contact_count"]
            )

        return await self._db.run(delete)


async def _lock(tx: Transaction, list_id: int, etag: str) -> Row:
    row = await tx.one("lock_contact_list", contact_list_id=list_id)
    if row is None:
        raise NotFound(f"contactLists/{list_id}")
    require_etag(etag, row["revision"])
    return row
