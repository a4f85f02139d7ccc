"""Words of the database as enums of the contract, and the names and ids that carry keys."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from google.protobuf import duration_pb2, timestamp_pb2

STATUSES: Final = (
    "NO_ANSWER",
    "BUSY",
    "CONGESTION",
    "NO_SUCH_NUMBER",
    "DROP",
    "ABANDONED",
    "MACHINE",
    "AGENT_REJECT",
)
"""The statuses of failed calls that have limits and intervals of their own (R1)."""


def call_status(status: str | None) -> str:
    """Return the enum name of a status; UNSPECIFIED for None."""
    return f"CALL_STATUS_{status or 'UNSPECIFIED'}"


def close_reason(reason: str | None) -> str:
    """Return the enum name of a close reason; UNSPECIFIED for None."""
    return f"CLOSE_REASON_{reason or 'UNSPECIFIED'}"


def dial_rule(rule: str | None) -> str:
    """Return the enum name of a rule; UNSPECIFIED for None."""
    return f"DIAL_RULE_{rule or 'UNSPECIFIED'}"


def timestamp(moment: datetime | None) -> timestamp_pb2.Timestamp | None:
    """Return a Timestamp, or None, which leaves a field absent."""
    if moment is None:
        return None
    message = timestamp_pb2.Timestamp()
    message.FromDatetime(moment)
    return message


def duration(length: timedelta | None) -> duration_pb2.Duration | None:
    """Return a Duration, or None, which leaves a field absent."""
    if length is None:
        return None
    message = duration_pb2.Duration()
    message.FromTimedelta(length)
    return message


def attempt_name(campaign_id: int, contact_id: int, attempt_id: UUID) -> str:
    """Return the opaque id of an attempt. It carries the keys of its row, so no index is needed."""
    return f"{campaign_id}.{contact_id}.{attempt_id}"


def item_type_name(type_id: int | None) -> str:
    """Return the resource name of an item type; "" for untyped."""
    return "" if type_id is None else f"contactItemTypes/{type_id}"


def entry_name(campaign_id: int, contact_id: int, entry_id: int) -> str:
    """Return the resource name of a hopper entry. It carries the keys of its row."""
    return f"campaigns/{campaign_id}/entries/{contact_id}-{entry_id}"
