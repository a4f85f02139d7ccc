"""Bugs to plant in the SQL: what the model must notice, and so what it can be trusted with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.migrate import SQL


@dataclass(frozen=True)
class PlantedBug:
    """Replace `old`, which stands in server/sql exactly once, by `new`.

    Attributes:
        name: What goes wrong.
        broken_rule: The rule that it breaks.
        shows_in_plans: A plan shows it sooner than real calls do.
    """

    name: str
    broken_rule: str
    old: str
    new: str
    shows_in_plans: bool = False


ORDER_REVERSED: Final = PlantedBug(
    "the type with the highest order_by is dialed first",
    "O1",
    "      item_type.order_by,\n      item_type.sort_name",
    "      item_type.order_by desc,\n      item_type.sort_name",
    shows_in_plans=True,
)

PLANTED_BUGS: Final = (
    ORDER_REVERSED,
    PlantedBug(
        "types of one order_by are sorted by name with case and accents",
        "O1",
        '      item_type.sort_name collate "C",\n',
        "",
        shows_in_plans=True,
    ),
    PlantedBug(
        "busy calls are held against the limit of unanswered ones",
        "R2",
        "greatest(settings.busy_max_attempts, 1)",
        "greatest(settings.no_answer_max_attempts, 1)",
        shows_in_plans=True,
    ),
    PlantedBug(
        "a number is exhausted one call too late",
        "R2",
        "(tally ->> 'NO_ANSWER')::integer, 0) >= greatest",
        "(tally ->> 'NO_ANSWER')::integer, 0) > greatest",
        shows_in_plans=True,
    ),
    PlantedBug(
        "most attempts 0 means unlimited",
        "R1",
        "greatest(settings.global_max_attempts, 1)",
        "coalesce(nullif(settings.global_max_attempts, 0), 1000)",
        shows_in_plans=True,
    ),
    PlantedBug(
        "the next cycle waits as after NO_ANSWER, whatever the last status was",
        "R4",
        "when 'NEXT_CYCLE' then greatest(ready_at, last_ended_at + "
        "retry_interval(settings, last_status))",
        "when 'NEXT_CYCLE' then greatest(ready_at, last_ended_at + "
        "retry_interval(settings, 'NO_ANSWER'))",
        shows_in_plans=True,
    ),
    PlantedBug(
        "SAME_NUMBER is ignored after BUSY",
        "R7",
        "when 'BUSY' then settings.busy_on_failure",
        "when 'BUSY' then 'NEXT_NUMBER'",
        shows_in_plans=True,
    ),
    PlantedBug(
        "the earliest call time is forgotten after the first call",
        "C1",
        "when 'NEXT_NUMBER' then greatest(ready_at, last_ended_at + "
        "settings.additional_phone_delay)",
        "when 'NEXT_NUMBER' then last_ended_at + settings.additional_phone_delay",
    ),
    PlantedBug(
        "the delay counts from the begin of the failed call",
        "R3",
        "counted.status,\n    counted.ended_at\n  ) decision",
        "counted.status,\n    counted.begun_at\n  ) decision",
    ),
    PlantedBug(
        "the cycle advances when its first call is reported",
        "R4",
        "  set cycle = begun.cycle\n",
        "  set cycle = entry.cycle\n",
    ),
    PlantedBug(
        "NO_SUCH_NUMBER closes the contact",
        "R2",
        "when counted.status = 'ANSWERED' then 'REACHED' else",
        "when counted.status = 'ANSWERED' then 'REACHED' "
        "when counted.status = 'NO_SUCH_NUMBER' then 'RETRY_LIMIT' else",
    ),
    PlantedBug(
        "a call of unknown outcome is not held",
        "D3",
        "when attempt.answered_at is null then campaign.quarantine else",
        "when attempt.answered_at is null then interval '0' else",
    ),
    PlantedBug(
        "the hold counts from the begin of the call",
        "D3",
        "    attempt.lease_expires_at + case\n",
        "    attempt.begun_at + case\n",
    ),
    PlantedBug(
        "an answered call that went silent is held no longer than a ringing one",
        "D3",
        "campaign.quarantine else campaign.max_talk\n",
        "campaign.quarantine else campaign.quarantine\n",
    ),
    PlantedBug(
        "begun calls whose lease is over are queued again",
        "D3",
        "(attempt.state = 'CLAIMED' or %(reason)s::text = 'NOT_DIALED')",
        "(attempt.state <> 'UNKNOWN' or %(reason)s::text = 'NOT_DIALED')",
    ),
    PlantedBug(
        "a late report ends whatever call the entry has now",
        "D2",
        "    and attempt.attempt_id = report.attempt_id "
        "and attempt.lease_token = report.lease_token\n    and attempt.state in",
        "    and attempt.state in",
    ),
    PlantedBug(
        "a repeated report is not known any more",
        "D2",
        "where history.attempt_id is not null or released.attempt_id is not null;",
        "where released.attempt_id is not null;",
    ),
    PlantedBug(
        "a late ANSWERED closes nothing",
        "D3",
        "from reached where state = 'READY';",
        "from reached where false;",
    ),
    PlantedBug(
        "one person may be on two calls",
        "D1",
        "  constraint one_live_attempt_a_person unique (person),\n",
        "",
    ),
    PlantedBug(
        "one number may be on two calls",
        "D1",
        "  constraint one_live_attempt_a_number unique (e164),\n",
        "",
    ),
    PlantedBug(
        "an entry whose person is on a call elsewhere does not wait",
        "D1",
        "set scheduled_at = clock() + interval '30 s'",
        "set scheduled_at = clock()",
    ),
    PlantedBug(
        "of two entries of one person the less urgent one is called",
        "E3",
        "  order by dialable.turn\n",
        "  order by dialable.turn desc\n",
    ),
    PlantedBug(
        "a paused campaign may begin what it claimed",
        "E4",
        "    campaign.state = 'RUNNING'\n      and (campaign.start_at is null or "
        "campaign.start_at <= moment.at)\n      and (campaign.end_at is null or "
        "campaign.end_at > moment.at)\n      and entry.close_as is null",
        "    entry.close_as is null",
    ),
    PlantedBug(
        "a number that was removed after the claim is dialed",
        "E5",
        "where phone.contact_id = attempt.contact_id and phone.e164 = attempt.e164",
        "where phone.contact_id = attempt.contact_id",
    ),
    PlantedBug(
        "the claim dials although the call is now due later",
        "R11",
        "decision.close_reason is null and decision.due_at <= moment.at as is_due",
        "decision.close_reason is null as is_due",
    ),
    PlantedBug(
        "an edit leaves the due time as it was",
        "R11",
        "greatest(coalesce(decided.due_at, entry.scheduled_at), entry.deferred_until)",
        "entry.scheduled_at",
    ),
    PlantedBug(
        "an undialed call keeps the cycle that it began",
        "D5",
        "when released.begun_at is not null and released.starts_cycle "
        "then released.cycle - 1 else entry.cycle",
        "when released.begun_at is not null and released.starts_cycle "
        "then released.cycle else entry.cycle",
    ),
    PlantedBug(
        "closed contacts are loaded again under ALWAYS",
        "E2",
        "              campaign.check_duplicate = 'ALWAYS'\n",
        "              campaign.check_duplicate = 'NEVER'\n",
    ),
    PlantedBug(
        "a contact whose only rival was left out itself is left out",
        "E2",
        "        else\n          taken :=",
        "        end if;\n        if true then\n          taken :=",
    ),
)


def plant(bug: PlantedBug, folder: Path) -> Path:
    """Copy schema and queries to a folder, with the bug in them.

    Raises:
        AssertionError: The text to replace is not there exactly once: mend the bug.
    """
    copied = folder / "sql"
    found = 0
    for file in sorted([*SQL.glob("schema/*.sql"), *SQL.glob("queries/*.sql")]):
        text = file.read_text("utf-8")
        found += text.count(bug.old)
        copy = copied / file.relative_to(SQL)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text.replace(bug.old, bug.new), "utf-8")
    assert found == 1, f"server/sql has {bug.old!r} {found} times"
    return copied
