"""Open entries, their numbers, history and final."""

from collections.abc import Mapping
from typing import Any

from callhopper.v1 import hopper_service_pb2 as hopper
from server.convert.calls import (
    attempt_name,
    call_status,
    close_reason,
    dial_rule,
    duration,
    entry_name,
    item_type_name,
    timestamp,
)


def hopper_entry(row: dict[str, Any]) -> hopper.HopperEntry:
    """Return the message of a row of `list_hopper_entries`."""
    return hopper.HopperEntry(
        name=entry_name(row["campaign_id"], row["contact_id"], row["entry_id"]),
        contact=f"contacts/{row['contact_id']}",
        state=f"STATE_{row['state']}",
        scheduled_time=timestamp(row["scheduled_at"]),
        due_in=duration(row["due_in"]),
        priority=row["priority"],
        cycle=row["cycle"],
        attempt_count=row["attempts"],
        last_number=row["last_e164"] or "",
        last_status=call_status(row["last_status"]),
        last_end_time=timestamp(row["last_ended_at"]),
        next_number=row["next_e164"] or "",
        next_rule=dial_rule(row["next_rule"]),
    )


def _tallies(tallies: Mapping[str, int]) -> list[hopper.CallStatusCountOfPhone]:
    return [
        hopper.CallStatusCountOfPhone(status=call_status(status), count=count)
        for status, count in sorted(tallies.items())
        if status not in {"total", "cycle"}
    ]


def additional_phone(row: dict[str, Any]) -> hopper.HopperAdditionalPhone:
    """Return the message of a row of the view hopper_additional_phones."""
    return hopper.HopperAdditionalPhone(
        entry=entry_name(row["campaign_id"], row["contact_id"], row["entry_id"]),
        contact=f"contacts/{row['contact_id']}",
        number=row["e164"],
        contact_item_type=item_type_name(row["contact_item_type_id"]),
        contact_item_type_display_name=row["item_type"] or "",
        order_by=row["order_by"] or 0,
        colour=row["colour"] or "",
        dial_position=row["dial_position"],
        total=row["total"],
        tallies=_tallies(row["tallies"]),
        state=f"STATE_{row['state']}",
        cycle=row["cycle"],
    )


def history_call(row: dict[str, Any]) -> hopper.HistoryCall:
    """Return the message of a row of `list_history`."""
    return hopper.HistoryCall(
        attempt_id=attempt_name(row["campaign_id"], row["contact_id"], row["attempt_id"]),
        entry=entry_name(row["campaign_id"], row["contact_id"], row["entry_id"]),
        contact=f"contacts/{row['contact_id']}",
        number=row["e164"],
        contact_item_type_display_name=row["item_type"] or "",
        status=call_status(row["status"]),
        cycle=row["cycle"],
        position=row["dial_position"],
        attempt_number=row["attempt_number"],
        rule=dial_rule(row["rule"]),
        worker_id=row["worker_id"],
        scheduled_time=timestamp(row["scheduled_at"]),
        begin_time=timestamp(row["begun_at"]),
        answer_time=timestamp(row["answered_at"]),
        end_time=timestamp(row["ended_at"]),
        ring_duration=duration(row["ring"]),
        talk_duration=duration(row["talk"]),
        telephony_cause=row["telephony_cause"],
        channel_id=row["channel_id"],
        settings_version=row["settings_version"],
        corrected=row["is_corrected"],
    )


def final_entry(row: dict[str, Any]) -> hopper.FinalEntry:
    """Return the message of a row of `list_final`."""
    return hopper.FinalEntry(
        name=entry_name(row["campaign_id"], row["contact_id"], row["entry_id"]),
        contact=f"contacts/{row['contact_id']}",
        reason=close_reason(row["reason"]),
        last_number=row["last_e164"] or "",
        last_contact_item_type_display_name=row["last_item_type"] or "",
        last_status=call_status(row["last_status"]),
        attempt_count=row["attempts"],
        cycle_count=row["cycles"],
        tallies=[
            hopper.NumberTally(number=number, total=tally["total"], statuses=_tallies(tally))
            for number, tally in sorted(row["tallies"].items())
        ],
        load_time=timestamp(row["loaded_at"]),
        first_begin_time=timestamp(row["first_begun_at"]),
        last_end_time=timestamp(row["last_ended_at"]),
        close_time=timestamp(row["closed_at"]),
    )
