"""What workers send and get."""

from typing import Any

from callhopper.v1 import dialer_service_pb2 as dialer
from server.convert.calls import (
    attempt_name,
    close_reason,
    dial_rule,
    duration,
    entry_name,
    item_type_name,
    timestamp,
)


def claimed_attempt(row: dict[str, Any]) -> dialer.ClaimedAttempt:
    """Return the message of a row of `claim_attempts` or `find_claimed_attempts`."""
    return dialer.ClaimedAttempt(
        attempt_id=attempt_name(row["campaign_id"], row["contact_id"], row["attempt_id"]),
        lease_token=row["lease_token"].hex,
        lease_duration=duration(row["lease"]),
        campaign=f"campaigns/{row['campaign_id']}",
        entry=entry_name(row["campaign_id"], row["contact_id"], row["entry_id"]),
        contact=f"contacts/{row['contact_id']}",
        number=row["e164"],
        contact_item_type=item_type_name(row["contact_item_type_id"]),
        contact_item_type_display_name=row["item_type"] or "",
        position=row["dial_position"],
        cycle=row["cycle"],
        attempt_number=row["attempt_number"],
        ring_timeout=duration(row["originate_timeout"]),
        caller_id=row["caller_id"],
        rule=dial_rule(row["rule"]),
        scheduled_time=timestamp(row["scheduled_at"]),
        begun=row["state"] == "DIALING",
        first_name=row["first_name"],
        last_name=row["last_name"],
    )


def decision(row: dict[str, Any]) -> dialer.Decision:
    """Return the message of a row of `end_attempts`."""
    if row["close_reason"] is not None:
        return dialer.Decision(closed_reason=close_reason(row["close_reason"]))
    return dialer.Decision(
        next_call_time=timestamp(row["due_at"]),
        next_call_in=duration(row["due_in"]),
        next_number=row["next_e164"],
        next_contact_item_type_display_name=row["next_item_type"] or "",
        rule=dial_rule(row["next_rule"]),
    )
