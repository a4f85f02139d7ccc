"""What is compared after every step: the database and the model, each in the same plain shape."""

from typing import Any

from tests.model.direct import BEGINNING, Direct
from tests.model.model import Call, Closed, Decision, Entry, Hopper, tally

Rows = list[list[Any]]
Snapshot = dict[str, Rows]


def _seconds(column: str) -> str:
    return f"extract(epoch from {column}) - {BEGINNING}"


def _rows(columns: str, relation: str) -> str:
    return f"(select coalesce(json_agg(json_build_array({columns})), '[]') from {relation})"


_QUERIES = {
    "entries": _rows(
        f"campaign_id, contact_id, state, {_seconds('scheduled_at')}, priority, cycle, attempts, "
        "tallies, last_e164, last_item_type, last_status, close_as, "
        f"{_seconds('loaded_at')}, {_seconds('last_ended_at')}",
        "hopper_entry",
    ),
    "numbers": _rows(
        "campaign_id, contact_id, e164, item_type, order_by, dial_position, cycle, total, tallies, "
        "state",
        "(select campaign_id, contact_id, e164, item_type, order_by, dial_position, cycle, total, "
        "tallies, state from hopper_additional_phones union all select campaign_id, contact_id, "
        "e164, item_type, order_by, dial_position, cycle, total, tallies, state from hopper_number "
        "where dial_position = 0) number",
    ),
    "next_calls": _rows(
        f"campaign_id, contact_id, e164, item_type, dial_position, cycle, {_seconds('due_at')}, "
        "rule, close_reason",
        "next_calls",
    ),
    "attempts": _rows(
        "campaign_id, contact_id, state, e164, item_type, dial_position, cycle, attempt_number, "
        f"rule, settings_version, worker_id, {_seconds('scheduled_at')}, {_seconds('begun_at')}, "
        f"{_seconds('answered_at')}, {_seconds('lease_expires_at')}, {_seconds('held_until')}",
        "attempt",
    ),
    "history": _rows(
        "campaign_id, contact_id, attempt_number, e164, item_type, status, cycle, dial_position, "
        f"rule, settings_version, worker_id, {_seconds('scheduled_at')}, {_seconds('begun_at')}, "
        f"{_seconds('answered_at')}, {_seconds('ended_at')}, extract(epoch from ring), "
        "extract(epoch from talk), is_corrected",
        "history",
    ),
    "finals": _rows(
        "campaign_id, contact_id, reason, last_e164, last_item_type, last_status, attempts, "
        f"cycles, tallies, {_seconds('loaded_at')}, {_seconds('first_begun_at')}, "
        f"{_seconds('last_ended_at')}, {_seconds('closed_at')}",
        "final",
    ),
    "evidence": _rows("outcome, answer", "late_report"),
    "conservation": _rows(
        "campaign_id, loaded_entries, ready_entries, live_entries, held_entries, final_entries, "
        "history_calls, holds",
        "conservation",
    ),
}
_QUERY = f"select {', '.join(f'{rows} as {name}' for name, rows in _QUERIES.items())}"


def _sorted(snapshot: Snapshot) -> Snapshot:
    return {name: sorted(rows, key=repr) for name, rows in snapshot.items()}


def of_database(direct: Direct) -> Snapshot:
    """Read everything in one statement."""
    snapshot = direct.row(_QUERY)
    for name, rows in snapshot.items():
        snapshot[name] = [
            [
                int(value) if isinstance(value, float) and value == int(value) else value
                for value in row
            ]
            for row in rows
        ]
    return _sorted(snapshot)


def of_model(hopper: Hopper) -> Snapshot:
    """Say what the database must hold."""
    entries = list(hopper.entries.values())
    return _sorted(
        {
            "entries": [_entry(one) for one in entries],
            "numbers": [row for one in entries for row in _numbers(hopper, one)],
            "next_calls": [
                _next_call(one, hopper.decide(one)) for one in entries if one.attempt is None
            ],
            "attempts": [
                [
                    *one.key,
                    one.state,
                    one.place.number,
                    one.place.type_name,
                    one.place.position,
                    one.cycle,
                    one.attempt_number,
                    one.rule,
                    one.version,
                    one.worker_id,
                    one.scheduled,
                    one.begun,
                    one.answered,
                    one.lease_ends,
                    one.held_until,
                ]
                for one in hopper.attempts()
            ],
            "history": [_history(one) for one in hopper.history],
            "finals": [_final(one) for one in hopper.finals],
            "evidence": [list(one) for one in hopper.evidence],
            "conservation": _conservation(hopper),
        }
    )


def _tallies(calls: list[Call]) -> dict[str, Any]:
    tallies: dict[str, Any] = {}
    for call in calls:
        counts = tally(calls, call.number)
        failed = counts.total() - counts["ANSWERED"]
        tallies[call.number] = {
            **{status: count for status, count in counts.items() if count},
            "total": failed,
            "cycle": call.cycle,
        }
    return tallies


def _last(calls: list[Call]) -> tuple[str | None, str | None, str | None, int | None]:
    if not calls:
        return None, None, None, None
    last = calls[-1]
    # A late report that says ANSWERED is the only one that an entry takes over (D3).
    status = "ANSWERED" if last.status == "ANSWERED" else last.counted_as
    return last.number, last.type_name, status, last.ended


def _entry(entry: Entry) -> list[Any]:
    number, type_name, status, ended = _last(entry.calls)
    return [
        *entry.key,
        entry.state,
        # The due time of a live entry is in its attempt.
        entry.due if entry.attempt is None else entry.attempt.scheduled,
        entry.priority,
        entry.cycle,
        len(entry.calls),
        _tallies(entry.calls),
        number,
        type_name,
        status,
        entry.close_as,
        entry.loaded,
        ended,
    ]


def _numbers(hopper: Hopper, entry: Entry) -> Rows:
    rows = []
    for place in hopper.order(entry.key[1]):
        counts = dict(_tallies(entry.calls).get(place.number, {}))
        total = counts.pop("total", 0)
        counts.pop("cycle", None)
        rows.append(
            [
                *entry.key,
                place.number,
                place.type_name,
                place.order_by,
                place.position,
                entry.cycle,
                total,
                counts,
                hopper.number_state(entry, place.number),
            ]
        )
    return rows


def _next_call(entry: Entry, decision: Decision) -> list[Any]:
    place = decision.place
    if place is None:
        return [*entry.key, None, None, None, None, None, None, decision.close]
    return [
        *entry.key,
        place.number,
        place.type_name,
        place.position,
        decision.cycle,
        decision.due,
        decision.rule,
        None,
    ]


def _history(call: Call) -> list[Any]:
    return [
        *call.key,
        call.attempt_number,
        call.number,
        call.type_name,
        call.status,
        call.cycle,
        call.position,
        call.rule,
        call.version,
        call.worker_id,
        call.scheduled,
        call.begun,
        call.answered,
        call.ended,
        call.ring,
        call.talk,
        call.is_corrected,
    ]


def _final(final: Closed) -> list[Any]:
    calls = final.calls
    number, type_name, status, ended = _last(calls)
    return [
        *final.key,
        final.reason,
        number,
        type_name,
        status,
        len(calls),
        calls[-1].cycle if calls else 0,
        _tallies(calls),
        final.loaded,
        calls[0].begun if calls else None,
        ended,
        final.closed,
    ]


def _conservation(hopper: Hopper) -> Rows:
    rows = []
    for campaign in hopper.campaigns.values():
        key = campaign.campaign_id
        states = [one.state for one in hopper.entries.values() if one.key[0] == key]
        rows.append(
            [
                key,
                campaign.loaded,
                *(states.count(state) for state in ("READY", "LIVE", "HELD")),
                sum(final.key[0] == key for final in hopper.finals),
                sum(call.key[0] == key for call in hopper.history),
                True,
            ]
        )
    return rows
