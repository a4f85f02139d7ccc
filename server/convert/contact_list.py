"""Contact lists."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from callhopper.v1.contact_list_service_pb2 import ContactList
from server.checks import Checks, etag, quoted
from server.convert.calls import timestamp
from server.names import name_key
from server.numbers import is_region

WRITABLE: Final = ("display_name", "default_region", "extensions_allowed")
DEFAULT_REGION: Final = "US"


def contact_list(row: Mapping[str, Any]) -> ContactList:
    """Return the message of a row of contact_list; contact_count is optional in it."""
    return ContactList(
        name=f"contactLists/{row['contact_list_id']}",
        display_name=row["name"],
        default_region=row["default_region"],
        extensions_allowed=row["extensions_allowed"],
        contact_count=row.get("contact_count", 0),
        create_time=timestamp(row["created_at"]),
        update_time=timestamp(row["updated_at"]),
        etag=etag(row["revision"]),
    )


def contact_list_columns(
    checks: Checks, message: ContactList, fields: Collection[str]
) -> dict[str, Any]:
    """Return the columns that some fields of a message set."""
    columns: dict[str, Any] = {}
    if "display_name" in fields:
        field = "contact_list.display_name"
        name = checks.text(field, message.display_name, most=128, required=True)
        columns |= {"display_name": name, "name_key": name_key(name)}
    if "default_region" in fields:
        field = "contact_list.default_region"
        columns["default_region"] = region(checks, field, message.default_region)
    if "extensions_allowed" in fields:
        columns["extensions_allowed"] = message.extensions_allowed
    return columns


def region(checks: Checks, field: str, value: str) -> str:
    """Return a region that numbers can be read for; US when empty or refused."""
    code = value.strip().upper() or DEFAULT_REGION
    if is_region(code):
        return code
    checks.refuse(field, f"is {quoted(value)}, must be two letters of ISO 3166-1, such as US")
    return DEFAULT_REGION
