"""Read campaigns, retry settings and plans from requests."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from callhopper.v1 import campaign_service_pb2 as campaigns
from callhopper.v1 import types_pb2
from server.checks import Checks, interval, quoted
from server.convert.calls import STATUSES
from server.convert.campaign import DEFAULT_SETTINGS
from server.names import name_key, sort_name
from server.numbers import NumberRefusedError, is_region, parse_number

MAX_LIMIT: Final = 1000
MAX_DRAFT_PHONES: Final = 32
MAX_ASSUMED: Final = 10_000
QUARANTINE_MARGIN: Final = 120
WRITABLE: Final = (
    "display_name",
    "priority",
    "start_time",
    "end_time",
    "originate_timeout",
    "caller_id",
    "retry_settings",
    "check_duplicate",
    "duplicate_scope",
    "quarantine",
    "max_talk",
)
_CALLER_ID: Final = re.compile(r"\+?[0-9]{2,15}", re.ASCII)


def fields(checks: Checks, campaign: campaigns.Campaign) -> dict[str, Any]:
    """Return the parameters of `insert_campaign` except `settings`, with defaults where unset."""
    field = "campaign"
    ring = (
        checks.seconds(f"{field}.originate_timeout", campaign.originate_timeout, 5, 300)
        if (campaign.HasField("originate_timeout"))
        else None
    )
    ring_seconds = 30 if ring is None else int(ring.total_seconds())
    name = checks.text(f"{field}.display_name", campaign.display_name, most=128, required=True)
    caller_id = checks.text(f"{field}.caller_id", campaign.caller_id, most=16)
    if caller_id and not _CALLER_ID.fullmatch(caller_id):
        checks.refuse(
            f"{field}.caller_id", f"is {quoted(caller_id)}, must be E.164 or 2 to 15 digits"
        )
    start_at = checks.moment(f"{field}.start_time", campaign, "start_time")
    end_at = checks.moment(f"{field}.end_time", campaign, "end_time")
    if start_at is not None and end_at is not None and end_at <= start_at:
        checks.refuse(f"{field}.end_time", "must be after start_time")
    check_duplicate = checks.choice(
        f"{field}.check_duplicate",
        campaign.check_duplicate,
        campaigns.Campaign.CheckDuplicate,
        "CHECK_DUPLICATE_",
    )
    duplicate_scope = checks.choice(
        f"{field}.duplicate_scope",
        campaign.duplicate_scope,
        campaigns.Campaign.DuplicateScope,
        "DUPLICATE_SCOPE_",
    )
    return {
        "name": name,
        "name_key": name_key(name),
        "priority": checks.between(f"{field}.priority", campaign.priority or 2, 1),
        "start_at": start_at,
        "end_at": end_at,
        "originate_timeout": f"{ring_seconds} seconds",
        "caller_id": caller_id,
        "check_duplicate": check_duplicate or "ALWAYS",
        "duplicate_scope": duplicate_scope or "ANY_NUMBER",
        "quarantine": _hold(checks, campaign, "quarantine", ring_seconds + QUARANTINE_MARGIN),
        "max_talk": _hold(checks, campaign, "max_talk", 7200),
    }


def _hold(checks: Checks, campaign: campaigns.Campaign, name: str, default: int) -> str:
    if not campaign.HasField(name):
        return f"{default} seconds"
    return interval(checks.seconds(f"campaign.{name}", getattr(campaign, name), most=86_400))


def settings(checks: Checks, field: str, given: campaigns.RetrySettings) -> str:
    """Return retry settings as the JSON object that the SQL blocks take (R1)."""
    values = dict(DEFAULT_SETTINGS)
    if given.HasField("global_max_attempts"):
        values["global_max_attempts"] = checks.between(
            f"{field}.global_max_attempts", given.global_max_attempts, 0, MAX_LIMIT
        )
    if given.HasField("additional_phone_delay"):
        values["additional_phone_delay"] = interval(
            checks.seconds(f"{field}.additional_phone_delay", given.additional_phone_delay)
        )
    seen: set[str] = set()
    for place, rule in enumerate(given.rules):
        path = f"{field}.rules[{place}]"
        status = checks.choice(f"{path}.status", rule.status, types_pb2.CallStatus, "CALL_STATUS_")
        if status not in STATUSES:
            checks.refuse(f"{path}.status", "must be one of " + ", ".join(STATUSES))
            continue
        if status in seen:
            checks.refuse(f"{path}.status", f"is {status}, which has a rule already")
        seen.add(status)
        stem = status.lower()
        if rule.HasField("max_attempts"):
            values[f"{stem}_max_attempts"] = checks.between(
                f"{path}.max_attempts", rule.max_attempts, 0, MAX_LIMIT
            )
        if rule.HasField("retry_interval"):
            values[f"{stem}_retry_interval"] = interval(
                checks.seconds(f"{path}.retry_interval", rule.retry_interval)
            )
        on_failure = checks.choice(
            f"{path}.on_failure", rule.on_failure, campaigns.RetryRule.OnFailure, "ON_FAILURE_"
        )
        if on_failure is not None:
            values[f"{stem}_on_failure"] = on_failure
    return json.dumps(values)


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold a draft contact as the parameters of `insert_draft_contact`."""

    type_names: list[str]
    type_keys: list[str]
    type_sort_names: list[str]
    type_orders: list[int]
    numbers: list[str]
    number_type_keys: list[str]


def draft(checks: Checks, given: campaigns.DraftContact, region: str) -> Draft:
    """Read a contact that exists only in a plan; numbers as in C4, types as in C3."""
    field = "draft_contact"
    names = [
        checks.text(
            f"{field}.contact_item_types[{place}].display_name",
            one.display_name,
            most=64,
            required=True,
        )
        for place, one in enumerate(given.contact_item_types)
    ]
    orders = [
        checks.between(f"{field}.contact_item_types[{place}].order_by", one.order_by, 1)
        for place, one in enumerate(given.contact_item_types)
    ]
    keys = [name_key(name) for name in names]
    for place, key in enumerate(keys):
        if key and key in keys[:place]:
            checks.refuse(
                f"{field}.contact_item_types[{place}].display_name",
                f"is {quoted(names[place])}, which is there twice",
            )
    if len(given.additional_phones) > MAX_DRAFT_PHONES:
        checks.refuse(
            f"{field}.additional_phones",
            f"has {len(given.additional_phones)} phones, must have at most {MAX_DRAFT_PHONES}",
        )
    phones = [(f"{field}.phone", given.phone, "")] + [
        (
            f"{field}.additional_phones[{place}].number",
            one.number,
            one.contact_item_type_display_name,
        )
        for place, one in enumerate(given.additional_phones)
    ]
    numbers = [_number(checks, path, number, region) for path, number, _ in phones]
    for place, number in enumerate(numbers):
        if number and number in numbers[:place]:
            checks.refuse(
                phones[place][0], f"is {quoted(phones[place][1])}, which the contact has twice"
            )
    return Draft(
        type_names=names,
        type_keys=keys,
        type_sort_names=[sort_name(name) for name in names],
        type_orders=orders,
        numbers=numbers,
        number_type_keys=[name_key(name.strip()) for _, _, name in phones],
    )


def draft_region(checks: Checks, given: campaigns.DraftContact) -> str:
    """Return the region of numbers that a draft writes without a country code."""
    region = given.default_region or "US"
    if is_region(region):
        return region
    checks.refuse(
        "draft_contact.default_region", f"is {quoted(region)}, must be a region such as US"
    )
    return "US"


def _number(checks: Checks, path: str, text: str, region: str) -> str:
    try:
        return parse_number(text, region).e164
    except NumberRefusedError as refused:
        checks.refuse(path, f"is {quoted(text)}: {refused.reason}")
        return ""


def outcomes(checks: Checks, given: Sequence[campaigns.AssumedOutcomes], region: str) -> str:
    """Return assumed outcomes as `plan_calls` takes them: '' is for all other numbers."""
    sequences: dict[str, list[str]] = {}
    for place, one in enumerate(given):
        path = f"assumed_outcomes[{place}]"
        number = _number(checks, f"{path}.number", one.number, region) if one.number else ""
        if number in sequences:
            checks.refuse(
                f"{path}.number", f"is {quoted(one.number)}, which has a sequence already"
            )
        if not 1 <= len(one.outcomes) <= MAX_ASSUMED:
            checks.refuse(
                f"{path}.outcomes", f"has {len(one.outcomes)} items, must have 1 to {MAX_ASSUMED}"
            )
        sequences[number] = [
            _assumed(checks, f"{path}.outcomes[{nth}]", outcome)
            for nth, outcome in enumerate(one.outcomes)
        ]
    sequences.setdefault("", ["NO_ANSWER"])
    return json.dumps(sequences)


def _assumed(checks: Checks, path: str, outcome: int) -> str:
    if outcome in {types_pb2.OUTCOME_UNSPECIFIED, types_pb2.OUTCOME_NOT_DIALED}:
        checks.refuse(path, "must be an outcome of a call that was dialed")
    word = checks.choice(path, outcome, types_pb2.Outcome, "OUTCOME_")
    return word or "NO_ANSWER"
