"""Compare what the exchange saw, what the workers were told and what the database says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from callhopper.exchange import HUNG_UP, Event
from callhopper.judge import Verdict, judge

Row = Mapping[str, Any]
Notes = Iterable[Mapping[str, Any]]

RECORDED: Final = frozenset({"ACCEPTED", "REPLAYED"})
KEPT: Final = frozenset({"LATE", "CONFLICT", "LEASE_LOST"})


def attempt_of(name: str) -> str:
    """Return the UUID in an attempt's public id."""
    return name.rpartition(".")[2]


@dataclass(frozen=True)
class Books:
    """Rows of the database, read when nothing moves any more; UUIDs are text."""

    history: Sequence[Row]
    released: Sequence[Row]
    late: Sequence[Row]
    broken_laws: Sequence[Row]
    """Rows of `conservation` that do not hold."""
    unsettled: Sequence[Row]
    """Attempts that are still held."""
    persons: Mapping[str, str]
    """Person of each contact, by the contact's name."""


@dataclass(frozen=True)
class Judgement:
    """What a run came to."""

    verdict: Verdict
    faults: Mapping[str, Sequence[Any]]
    """What must not be, by kind; only kinds with something in them."""
    books: Books

    def __str__(self) -> str:
        lines = [str(self.verdict)]
        lines += [f"{kind}: {len(found)}, {found[:3]}" for kind, found in self.faults.items()]
        return "\n".join(lines)


def compare(
    events: Sequence[Event], answers: Notes, survivors: set[str], books: Books
) -> Judgement:
    """Judge a run.

    Args:
        events: Of the exchange's log.
        answers: What workers noted about answered reports.
        survivors: Workers that ended by themselves: all that they dialed was reported.
        books: The database.
    """
    verdict = judge(events, persons=books.persons)
    faults = {
        "numbers rung twice at once": verdict.twice_at_once_by_number,
        "persons rung twice at once": verdict.twice_at_once_by_person,
        "attempts dialed again": verdict.dialed_again,
        "dialed without permission": list(_unpermitted(events, books)),
        "acknowledged and lost": list(_lost(answers, books)),
        "reported and not in history": list(_unrecorded(events, survivors, books)),
        "in history and never dialed": list(_invented(events, books)),
        "conservation does not hold": books.broken_laws,
        "left unsettled": books.unsettled,
    }
    return Judgement(verdict, {kind: found for kind, found in faults.items() if found}, books)


def _by_attempt(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["attempt_id"]: row for row in rows}


def _unpermitted(events: Sequence[Event], books: Books) -> Iterable[str]:
    """Find calls without a begin, or placed before it was stored."""
    begun_at = {row["attempt_id"]: row["begun_at"] for row in books.history}
    released = {row["attempt_id"] for row in books.released if row["was_begun"]}
    for event in events:
        attempt = attempt_of(event["attempt"])
        if event["event"] != "originate" or attempt in released:
            continue
        if attempt not in begun_at or begun_at[attempt] > datetime.fromisoformat(event["wall"]):
            yield attempt


def _lost(answers: Notes, books: Books) -> Iterable[Mapping[str, Any]]:
    """Find answered reports of which nothing is left."""
    history = _by_attempt(books.history)
    undialed = {row["attempt_id"] for row in books.released if row["reason"] == "NOT_DIALED"}
    kept = {(row["attempt_id"], row["outcome"]) for row in books.late}
    for note in answers:
        attempt, outcome = attempt_of(note["attempt"]), note["outcome"]
        is_there = (attempt, outcome) in kept
        if note["answer"] in RECORDED:
            row = history.get(attempt)
            is_there = (
                attempt in undialed
                if outcome == "NOT_DIALED"
                else (row is not None and row["status"] == outcome)
            )
        if not is_there:
            yield note


def _unrecorded(events: Sequence[Event], survivors: set[str], books: Books) -> Iterable[str]:
    """Find calls that ended, of workers that lived, which history does not show as they were."""
    history = _by_attempt(books.history)
    for event in events:
        if event["event"] == "end" and event["worker"] in survivors:
            row = history.get(attempt_of(event["attempt"]))
            if event["outcome"] != HUNG_UP and (row is None or row["status"] != event["outcome"]):
                yield f"{event['attempt']}: {event['outcome']}, {row and row['status']}"


def _invented(events: Sequence[Event], books: Books) -> Iterable[str]:
    """Find history of calls that the exchange never saw; UNKNOWN claims nothing."""
    dialed = {attempt_of(event["attempt"]) for event in events if event["event"] == "originate"}
    for row in books.history:
        if row["status"] != "UNKNOWN" and row["attempt_id"] not in dialed:
            yield row["attempt_id"]
