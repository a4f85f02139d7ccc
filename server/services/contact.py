"""Manage contacts and their numbers: ContactService."""

import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

import grpc

from callhopper.v1 import contact_service_pb2 as contacts
from callhopper.v1.contact_service_pb2_grpc import ContactServiceServicer
from server import attempts
from server.checks import Checks, quoted, require_etag
from server.convert.contact import (
    PHONES,
    WRITABLE,
    Numbering,
    Phone,
    contact,
    contact_columns,
    item_type_ids,
    name_keys,
    read_phones,
)
from server.convert.contact_list import region
from server.db import Row, Transaction
from server.errors import NotFound, WrongState
from server.names import name_key
from server.numbers import NumberRefusedError, parse_number
from server.pages import open_page
from server.rehearsals import rehearse
from server.request_log import answer_once
from server.services.contact_import import import_contacts
from server.services.context import Context

DECIDES_CALLS: Final = frozenset({*PHONES, "priority", "earliest_call_time"})
"""Fields whose change settles the open entries (E5, R11)."""

ON_TWO_CALLS: Final = {
    "one_live_attempt_a_person": WrongState(
        "the contact and another one of this person_key are on a call now; try again later",
        retry_after=30,
    )
}

Call = grpc.aio.ServicerContext[Any, Any]


class ContactService(ContactServiceServicer):
    """Serve contacts. A change settles their open entries in its own transaction (E5)."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._db = context.db

    async def CreateContact(
        self, request: contacts.CreateContactRequest, context: Call
    ) -> contacts.CreateContactResponse:
        """Add a contact, and load it into the campaigns of its list (E2)."""
        message = request.contact
        checks = Checks()
        request_id = checks.request_id(request.request_id)
        list_id = checks.resource_id("contact.contact_list", message.contact_list, "contactLists")
        columns = contact_columns(checks, message, WRITABLE)
        type_ids = item_type_ids(checks, message)
        if not list_id:
            checks.finish()

        async def create(tx: Transaction) -> contacts.CreateContactResponse:
            await _share_item_types(tx, type_ids)
            numbering = await _share_list(tx, list_id)
            with Checks(checks.violations) as found:
                phones, warnings = read_phones(
                    found, message, numbering, fields=PHONES, type_ids=type_ids
                )
            [row] = await tx.many(
                "insert_contact", contact_list_id=list_id, **columns, **name_keys(columns)
            )
            contact_id = row["contact_id"]
            await _insert_phones(tx, contact_id, phones)
            await tx.many("load_contacts", contact_list_id=list_id, contact_ids=[contact_id])
            return contacts.CreateContactResponse(contact=await _read(tx, contact_id, warnings))

        if request.validate_only:
            answer = await rehearse(self._db, create)
            answer.contact.ClearField("name")
            return answer
        return await self._db.run(
            lambda tx: answer_once(tx, request, request_id, contacts.CreateContactResponse, create)
        )

    async def GetContact(
        self, request: contacts.GetContactRequest, context: Call
    ) -> contacts.GetContactResponse:
        """Read one contact."""
        with Checks() as checks:
            contact_id = checks.resource_id("name", request.name, "contacts")

        async def get(tx: Transaction) -> contacts.GetContactResponse:
            return contacts.GetContactResponse(contact=await _read(tx, contact_id))

        return await self._db.run(get)

    async def ListContacts(
        self, request: contacts.ListContactsRequest, context: Call
    ) -> contacts.ListContactsResponse:
        """List contacts by id, of a list or by the beginning of a name (C6)."""
        with Checks() as checks:
            size = checks.page_size(request.page_size)
            list_id = checks.optional_id("contact_list", request.contact_list, "contactLists")
            prefix = checks.text("name_prefix", request.name_prefix, most=200)

        async def read(tx: Transaction) -> contacts.ListContactsResponse:
            page = await open_page(tx, request, size, first=(0,))
            keys = {"after_contact_id": page.after[0], "row_limit": page.limit}
            if prefix:
                span = _names_beginning_with(prefix)
                rows = await tx.many("find_contacts", contact_list_id=list_id, **span, **keys)
            elif list_id:
                rows = await tx.many("list_contacts_of_list", contact_list_id=list_id, **keys)
            else:
                rows = await tx.many("list_contacts", **keys)
            return contacts.ListContactsResponse(
                contacts=[contact(row) for row in page.rows(rows)],
                next_page_token=page.next_token(rows, "contact_id"),
            )

        return await self._db.run(read)

    async def LookupContacts(
        self, request: contacts.LookupContactsRequest, context: Call
    ) -> contacts.LookupContactsResponse:
        """Find contacts by any of their numbers (C6)."""
        with Checks() as checks:
            size = checks.page_size(request.page_size)
            code = region(checks, "default_region", request.default_region)
            e164 = _number_to_find(checks, request.number, code)

        async def read(tx: Transaction) -> contacts.LookupContactsResponse:
            page = await open_page(tx, request, size, first=(0,))
            rows = await tx.many(
                "lookup_contacts",
                e164=e164,
                after_contact_id=page.after[0],
                row_limit=page.limit,
            )
            return contacts.LookupContactsResponse(
                contacts=[contact(row) for row in page.rows(rows)],
                next_page_token=page.next_token(rows, "contact_id"),
            )

        return await self._db.run(read)

    async def UpdateContact(
        self, request: contacts.UpdateContactRequest, context: Call
    ) -> contacts.UpdateContactResponse:
        """Change a contact, and settle its open entries (E5, R11)."""
        message = request.contact
        checks = Checks()
        contact_id = checks.resource_id("contact.name", message.name, "contacts")
        fields = checks.mask(request.update_mask, message, WRITABLE)
        columns = contact_columns(checks, message, fields)
        type_ids = item_type_ids(checks, message) if "additional_phones" in fields else []
        if not contact_id:
            checks.finish()

        async def update(tx: Transaction) -> contacts.UpdateContactResponse:
            await _share_item_types(tx, type_ids)
            stored = await _lock(tx, contact_id, message.etag)
            phones = await _stored_phones(tx, contact_id)
            with Checks(checks.violations) as found:
                _require_same_list(found, message.contact_list, stored)
                numbering = Numbering(stored["default_region"], stored["extensions_allowed"])
                phones, warnings = read_phones(
                    found, message, numbering, fields=fields, type_ids=type_ids, stored=phones
                )
            if fields & (DECIDES_CALLS | {"person_key"}):
                await tx.execute("lock_entries_of_contacts", contact_ids=[contact_id])
            if fields.intersection(PHONES):
                await tx.execute("delete_phones", contact_id=contact_id)
                await _insert_phones(tx, contact_id, phones)
            await _update_columns(tx, stored | columns)
            if "person_key" in fields:
                await tx.execute("set_person_of_attempts", contact_id=contact_id)
            if fields & DECIDES_CALLS:
                await attempts.close(
                    tx, await tx.many("reconcile_entries", contact_ids=[contact_id])
                )
            return contacts.UpdateContactResponse(contact=await _read(tx, contact_id, warnings))

        return await self._db.run(update, constraints=ON_TWO_CALLS)

    async def DeleteContact(
        self, request: contacts.DeleteContactRequest, context: Call
    ) -> contacts.DeleteContactResponse:
        """Delete a contact; its open entries close as DELETED (E4)."""
        with Checks() as checks:
            contact_id = checks.resource_id("name", request.name, "contacts")

        async def delete(tx: Transaction) -> contacts.DeleteContactResponse:
            await _lock(tx, contact_id, request.etag)
            await tx.execute("lock_entries_of_contacts", contact_ids=[contact_id])
            await tx.execute("delete_contact", contact_id=contact_id)
            await tx.many("close_contact_entries", contact_ids=[contact_id], reason="DELETED")
            return contacts.DeleteContactResponse()

        return await self._db.run(delete)

    async def ImportContacts(  # type: ignore[override]  # writes its answers
        self, request_iterator: AsyncIterator[contacts.ImportContactsRequest], context: Call
    ) -> None:
        """Load contacts from a CSV file (I1, I2)."""
        await import_contacts(self._context, request_iterator, context)


# ---------------------------------------------------------------- what a request says


def _number_to_find(checks: Checks, text: str, code: str) -> str:
    try:
        return parse_number(text, code, extensions_allowed=True).e164
    except NumberRefusedError as error:
        checks.refuse("number", f"is {quoted(text)}: {error.reason}" if text else error.reason)
        return ""


def _names_beginning_with(prefix: str) -> dict[str, str]:
    key = name_key(prefix)
    return {"first_key": key, "last_key": key + chr(sys.maxunicode)}


def _require_same_list(checks: Checks, name: str, stored: Row) -> None:
    present = f"contactLists/{stored['contact_list_id']}"
    if name not in ("", present):
        checks.refuse("contact.contact_list", f"is {present} and cannot be changed")


# ---------------------------------------------------------------- steps of a transaction


async def _share_item_types(tx: Transaction, type_ids: Iterable[int | None]) -> None:
    wanted = sorted({type_id for type_id in type_ids if type_id})
    if not wanted:
        return
    rows = await tx.many("share_contact_item_types", contact_item_type_ids=wanted)
    missing = set(wanted) - {row["contact_item_type_id"] for row in rows}
    if missing:
        raise NotFound(f"contactItemTypes/{min(missing)}")


async def _share_list(tx: Transaction, list_id: int) -> Numbering:
    row = await tx.one("share_contact_list", contact_list_id=list_id)
    if row is None:
        raise NotFound(f"contactLists/{list_id}")
    return Numbering(row["default_region"], row["extensions_allowed"])


async def _lock(tx: Transaction, contact_id: int, etag: str) -> Row:
    row = await tx.one("lock_contact", contact_id=contact_id)
    if row is None:
        raise NotFound(f"contacts/{contact_id}")
    require_etag(etag, row["revision"])
    return row


async def _stored_phones(tx: Transaction, contact_id: int) -> list[Phone]:
    return [Phone(**row) for row in await tx.many("get_phones", contact_id=contact_id)]


async def _insert_phones(tx: Transaction, contact_id: int, phones: Sequence[Phone]) -> None:
    await tx.execute(
        "insert_phones",
        contact_id=contact_id,
        e164s=[phone.e164 for phone in phones],
        entereds=[phone.entered for phone in phones],
        contact_item_type_ids=[phone.contact_item_type_id for phone in phones],
    )


async def _update_columns(tx: Transaction, columns: Row) -> None:
    kept = {"contact_list_id", "revision", "default_region", "extensions_allowed"}
    changed = {name: value for name, value in columns.items() if name not in kept}
    await tx.execute("update_contact", **changed, **name_keys(columns))


async def _read(tx: Transaction, contact_id: int, warnings: Sequence[str] = ()) -> contacts.Contact:
    row = await tx.one("get_contact", contact_id=contact_id)
    if row is None:
        raise NotFound(f"contacts/{contact_id}")
    return contact(row, warnings)
