"""Contact item types."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from callhopper.v1.contact_item_type_service_pb2 import ContactItemType
from server.checks import Checks, etag, quoted
from server.convert.calls import timestamp
from server.names import name_key, sort_name

WRITABLE: Final = ("display_name", "order_by", "colour")

_COLOUR: Final = re.compile(r"#[0-9A-F]{6}")


def contact_item_type(row: Mapping[str, Any]) -> ContactItemType:
    """Return the message of a row of contact_item_type."""
    return ContactItemType(
        name=f"contactItemTypes/{row['contact_item_type_id']}",
        display_name=row["name"],
        order_by=row["order_by"],
        colour=row["colour"] or "",
        create_time=timestamp(row["created_at"]),
        update_time=timestamp(row["updated_at"]),
        etag=etag(row["revision"]),
    )


def contact_item_type_columns(
    checks: Checks, message: ContactItemType, fields: Collection[str]
) -> dict[str, Any]:
    """Return the columns that some fields of a message set (C3)."""
    columns: dict[str, Any] = {}
    at = "contact_item_type"
    if "display_name" in fields:
        name = checks.text(f"{at}.display_name", message.display_name, most=64, required=True)
        columns |= {"display_name": name, "name_key": name_key(name), "sort_name": sort_name(name)}
    if "order_by" in fields:
        columns["order_by"] = checks.between(f"{at}.order_by", message.order_by, 1)
    if "colour" in fields:
        columns["colour"] = _colour(checks, f"{at}.colour", message.colour)
    return columns


def _colour(checks: Checks, field: str, value: str) -> str | None:
    colour = value.strip().upper()
    if colour and not _COLOUR.fullmatch(colour):
        checks.refuse(field, f"is {quoted(value)}, must be #RRGGBB")
    return colour or None
