"""Campaigns, their retry settings, counts and plans."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from callhopper.v1 import campaign_service_pb2 as campaigns
from server.checks import etag
from server.convert.calls import (
    STATUSES,
    call_status,
    close_reason,
    dial_rule,
    duration,
    timestamp,
)

DEFAULT_SETTINGS: Final[dict[str, Any]] = {
    "global_max_attempts": 4,
    "additional_phone_delay": "60 seconds",
    **{f"{status.lower()}_max_attempts": 3 for status in STATUSES},
    **{f"{status.lower()}_retry_interval": "9000 seconds" for status in STATUSES},
    **{f"{status.lower()}_on_failure": "NEXT_NUMBER" for status in STATUSES},
}
"""Retry settings where nothing is said (R1), with the column names of campaign_settings."""


def retry_settings(row: dict[str, Any]) -> campaigns.RetrySettings:
    """Return the retry settings in a row of the view `campaigns`, one rule a status."""
    return campaigns.RetrySettings(
        global_max_attempts=row["global_max_attempts"],
        additional_phone_delay=duration(row["additional_phone_delay"]),
        rules=[
            campaigns.RetryRule(
                status=call_status(status),
                max_attempts=row[f"{status.lower()}_max_attempts"],
                retry_interval=duration(row[f"{status.lower()}_retry_interval"]),
                on_failure=f"ON_FAILURE_{row[f'{status.lower()}_on_failure']}",
            )
            for status in STATUSES
        ],
    )


def campaign(row: dict[str, Any]) -> campaigns.Campaign:
    """Return the message of a row of the view `campaigns`."""
    return campaigns.Campaign(
        name=f"campaigns/{row['campaign_id']}",
        display_name=row["name"],
        state=f"STATE_{row['state']}",
        priority=row["priority"],
        start_time=timestamp(row["start_at"]),
        end_time=timestamp(row["end_at"]),
        originate_timeout=duration(row["originate_timeout"]),
        caller_id=row["caller_id"],
        retry_settings=retry_settings(row),
        settings_version=row["settings_version"],
        check_duplicate=f"CHECK_DUPLICATE_{row['check_duplicate']}",
        duplicate_scope=f"DUPLICATE_SCOPE_{row['duplicate_scope']}",
        quarantine=duration(row["quarantine"]),
        max_talk=duration(row["max_talk"]),
        contact_lists=[f"contactLists/{list_id}" for list_id in row["contact_list_ids"]],
        create_time=timestamp(row["created_at"]),
        update_time=timestamp(row["updated_at"]),
        etag=etag(row["revision"]),
    )


def campaign_stats(row: dict[str, Any]) -> campaigns.CampaignStats:
    """Return the message of the row of `get_campaign_stats`."""
    due_in: timedelta | None = row["next_due_in"]
    return campaigns.CampaignStats(
        loaded_count=int(row["loaded_entries"]),
        ready_count=row["ready_entries"],
        due_count=row["due_entries"],
        live_count=row["live_entries"],
        held_count=row["held_entries"],
        final_count=row["final_entries"],
        close_reasons=[
            campaigns.CloseReasonCount(reason=close_reason(reason), count=count)
            for reason, count in _most_first(row["close_reasons"])
        ],
        call_count=row["history_calls"],
        call_statuses=[
            campaigns.CallStatusCount(status=call_status(status), count=count)
            for status, count in _most_first(row["call_statuses"])
        ],
        next_due_in=duration(None if due_in is None else max(due_in, timedelta(0))),
    )


def _most_first(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def plan(rows: Sequence[dict[str, Any]]) -> campaigns.PlanCallsResponse:
    """Return the message of the rows of `plan_calls`."""
    response = campaigns.PlanCallsResponse()
    for row in rows:
        if row["close_reason"] is None:
            response.calls.append(
                campaigns.PlannedCall(
                    call_time=timestamp(row["call_at"]),
                    number=row["e164"],
                    contact_item_type_display_name=row["item_type"],
                    cycle=row["call_cycle"],
                    position=row["dial_position"],
                    attempt_number=row["attempt_number"],
                    status=call_status(row["status"]),
                    rule=dial_rule(row["rule"]),
                )
            )
        else:
            response.closed.CopyFrom(
                campaigns.PlannedClose(
                    close_time=timestamp(row["call_at"]),
                    reason=close_reason(row["close_reason"]),
                    last_number=row["e164"] or "",
                    last_contact_item_type_display_name=row["item_type"],
                    attempt_count=row["attempt_number"],
                    cycle_count=row["call_cycle"],
                )
            )
    return response
