"""Contacts and their numbers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from callhopper.v1.contact_service_pb2 import AdditionalPhone, Contact
from server.checks import Checks, etag, quoted
from server.convert.calls import item_type_name, timestamp
from server.names import name_key
from server.numbers import Number, NumberRefusedError, parse_number

DEFAULT_PRIORITY: Final = 2
MAX_ADDITIONAL_PHONES: Final = 32
PHONES: Final = ("phone", "additional_phones")

LINE: Final = {"first_name": 200, "last_name": 200, "email": 320, "company": 200}
LINES: Final = {"postal_address": 1000, "description": 4000}
"""Text fields of one line, and of several, with their most characters; the import reads both."""
MAX_PERSON_KEY: Final = 200

WRITABLE: Final = (
    *PHONES, *LINE, *LINES, "priority", "earliest_call_time", "time_zone", "person_key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phone:
    """Hold one number of a contact as it is stored."""

    e164: str
    entered: str
    contact_item_type_id: int | None = None


@dataclass(frozen=True, slots=True)
class Numbering:
    """Say how a list reads numbers."""

    region: str
    extensions_allowed: bool


def contact(row: Mapping[str, Any], warnings: Sequence[str] = ()) -> Contact:
    """Return the message of a row of the view `contacts`."""
    primary, *additional = row["phones"]
    return Contact(
        name=f"contacts/{row['contact_id']}",
        contact_list=f"contactLists/{row['contact_list_id']}",
        phone=primary["e164"],
        entered_phone=primary["entered"],
        additional_phones=[_additional_phone(phone) for phone in additional],
        **{field: row[field] for field in (*LINE, *LINES, "priority")},
        earliest_call_time=timestamp(row["earliest_call_at"]),
        time_zone=row["time_zone"] or "",
        person_key=row["person_key"] or "",
        create_time=timestamp(row["created_at"]),
        update_time=timestamp(row["updated_at"]),
        etag=etag(row["revision"]),
        warnings=warnings,
    )


def _additional_phone(phone: Mapping[str, Any]) -> AdditionalPhone:
    return AdditionalPhone(
        number=phone["e164"],
        entered=phone["entered"],
        contact_item_type=item_type_name(phone["contact_item_type_id"]),
        contact_item_type_display_name=phone["item_type"] or "",
        order_by=phone["order_by"] or 0,
        colour=phone["colour"] or "",
        dial_position=phone["dial_position"],
    )


def contact_columns(checks: Checks, message: Contact, fields: Collection[str]) -> dict[str, Any]:
    """Return the columns of table contact that some fields of a message set (C1)."""
    columns: dict[str, Any] = {
        field: checks.text(f"contact.{field}", getattr(message, field), most=most, lines=lines)
        for limits, lines in ((LINE, False), (LINES, True))
        for field, most in limits.items()
        if field in fields
    }
    if "priority" in fields:
        priority = message.priority or DEFAULT_PRIORITY
        columns["priority"] = checks.between("contact.priority", priority, 1)
    if "earliest_call_time" in fields:
        columns["earliest_call_at"] = checks.moment(
            "contact.earliest_call_time", message, "earliest_call_time"
        )
    if "time_zone" in fields:
        columns["time_zone"] = checks.zone("contact.time_zone", message.time_zone)
    if "person_key" in fields:
        key = checks.text("contact.person_key", message.person_key, most=MAX_PERSON_KEY)
        columns["person_key"] = key or None
    return columns


def name_keys(columns: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns that a contact is found by (C6), from first_name and last_name."""
    return {
        "first_name_key": name_key(columns["first_name"]),
        "last_name_key": name_key(columns["last_name"]),
    }


def item_type_ids(checks: Checks, message: Contact) -> list[int | None]:
    """Return the item type of each additional phone, None for untyped."""
    return [
        checks.optional_id(
            f"contact.additional_phones[{place}].contact_item_type",
            phone.contact_item_type,
            "contactItemTypes",
        )
        for place, phone in enumerate(message.additional_phones)
    ]


def read_phones(
    checks: Checks,
    message: Contact,
    numbering: Numbering,
    *,
    fields: Collection[str],
    type_ids: Sequence[int | None],
    stored: Sequence[Phone] = (),
) -> tuple[list[Phone], list[str]]:
    """Read the numbers that a contact will have (C2, C4, C5).

    Args:
        checks: Collects what is refused.
        message: Gives the numbers that `fields` name.
        numbering: How to read them.
        fields: `phone`, `additional_phones` or both.
        type_ids: What `item_type_ids` answered.
        stored: The present numbers in order of entry, which stay where `fields` do not name them.

    Returns:
        All numbers in order of entry, the primary first, and warnings. Not to be stored when
        something was refused.
    """
    found: list[tuple[str, Phone]] = []
    warnings: list[str] = []

    def read(field: str, text: str, item_type_id: int | None = None) -> None:
        number = _read_number(checks, field, text, numbering)
        if number:
            found.append((field, Phone(number.e164, number.entered, item_type_id)))
            if number.warning:
                warnings.append(f"{field}: {number.warning}")

    if "phone" in fields:
        read("contact.phone", message.phone)
    else:
        found.append(("contact.phone", stored[0]))
    if "additional_phones" in fields:
        if len(message.additional_phones) > MAX_ADDITIONAL_PHONES:
            count = len(message.additional_phones)
            reason = f"has {count}, must have at most {MAX_ADDITIONAL_PHONES}"
            checks.refuse("contact.additional_phones", reason)
        for place, (phone, type_id) in enumerate(
            zip(message.additional_phones, type_ids, strict=True)
        ):
            read(f"contact.additional_phones[{place}].number", phone.number, type_id)
    else:
        found += [("an additional phone", phone) for phone in stored[1:]]
    _refuse_duplicates(checks, found)
    return [phone for _, phone in found], warnings


def _read_number(checks: Checks, field: str, text: str, numbering: Numbering) -> Number | None:
    try:
        return parse_number(text, numbering.region, extensions_allowed=numbering.extensions_allowed)
    except NumberRefusedError as error:
        checks.refuse(field, f"is {quoted(text)}: {error.reason}" if text else error.reason)
        return None


def _refuse_duplicates(checks: Checks, found: Sequence[tuple[str, Phone]]) -> None:
    first: dict[str, tuple[str, Phone]] = {}
    for field, phone in found:
        if phone.e164 not in first:
            first[phone.e164] = (field, phone)
            continue
        earlier, earlier_phone = first[phone.e164]
        if field.startswith("contact."):
            checks.refuse(field, f"is {quoted(phone.entered)}, the same number as {earlier}")
        else:
            entered = quoted(earlier_phone.entered)
            checks.refuse(earlier, f"is {entered}, the same number as {field}")
