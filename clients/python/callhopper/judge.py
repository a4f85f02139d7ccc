"""Judges the log of an exchange: was any phone, or any person, rung twice at once?"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from callhopper.exchange import read_log


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two calls that were up at the same moment and should not have been."""

    first: str
    """Attempt id of the earlier call."""
    second: str
    """Attempt id of the call that began while the first was up."""
    by: str
    """The number or the person that both rang."""
    seconds: float
    """How long both were up."""


@dataclass(frozen=True, slots=True)
class _Call:
    attempt: str
    number: str
    person: str
    start: int
    end: int
    outcome: str
    ended: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a log shows."""

    calls: int
    """Calls placed."""
    numbers: int
    """Different numbers called."""
    peak: int
    """Most calls up at once."""
    refused: int
    """Calls that the exchange refused because the number was on one (`fence`)."""
    outcomes: Mapping[str, int]
    """Ended calls by outcome."""
    unended: tuple[str, ...]
    """Attempt ids of calls without an end: their worker died. No fault by itself."""
    twice_at_once_by_number: tuple[Overlap, ...]
    """Numbers rung twice at once."""
    twice_at_once_by_person: tuple[Overlap, ...]
    """Persons rung twice at once, on whichever of their numbers."""
    dialed_again: tuple[str, ...]
    """Attempt ids that were originated more than once."""

    @property
    def ok(self) -> bool:
        """Return whether nobody was rung twice at once and no attempt was dialed again."""
        faults = (self.twice_at_once_by_number, self.twice_at_once_by_person, self.dialed_again)
        return not any(faults)

    def __str__(self) -> str:
        """Say it in a few lines, without numbers or names."""
        lines = [
            f"{self.calls} calls to {self.numbers} numbers, at most {self.peak} at once",
            f"{len(self.unended)} without an end, {self.refused} refused",
            ", ".join(f"{name} {count}" for name, count in sorted(self.outcomes.items())),
            f"numbers rung twice at once: {len(self.twice_at_once_by_number)}",
            f"persons rung twice at once: {len(self.twice_at_once_by_person)}",
            f"attempts dialed again: {len(self.dialed_again)}",
        ]
        return "\n".join(line for line in lines if line)


class _Calls(list[_Call]):
    """All calls of a log, in the order in which they began."""

    @classmethod
    def of(cls, log: Iterable[Mapping[str, Any]], persons: Mapping[str, str]) -> Self:
        """Pair each originate with its end; without one the exchange ended it at `until`."""
        calls: list[tuple[Mapping[str, Any], Mapping[str, Any] | None]] = []
        open_calls: dict[tuple[str, str], list[int]] = {}
        for event in log:
            # The worker belongs to the key: an attempt dialed by two has two ends.
            key = (event["attempt"], event["worker"])
            if event["event"] == "originate":
                open_calls.setdefault(key, []).append(len(calls))
                calls.append((event, None))
            elif event["event"] == "end":
                if not open_calls.get(key):
                    raise ValueError(f"attempt {event['attempt']} ends without an originate")
                index = open_calls[key].pop(0)
                calls[index] = (calls[index][0], event)
        return cls(
            sorted(
                (
                    _Call(
                        attempt=begin["attempt"],
                        number=begin["number"],
                        person=persons.get(begin["contact"], begin["contact"]),
                        start=begin["at"],
                        end=end["at"] if end else begin["until"],
                        outcome=end["outcome"] if end else "",
                        ended=end is not None,
                    )
                    for begin, end in calls
                ),
                key=lambda call: call.start,
            )
        )

    def overlaps(self, by: str) -> tuple[Overlap, ...]:
        """Find each call that began while one with the same number or person was up."""
        up: dict[str, _Call] = {}  # the one that lasts longest
        found: list[Overlap] = []
        for call in self:
            key = getattr(call, by)
            before = up.get(key)
            # A call that ends at the moment another begins does not overlap it.
            if before is not None and call.start < before.end:
                both = min(call.end, before.end) - call.start
                found.append(Overlap(before.attempt, call.attempt, key, both / 1e9))
            if before is None or call.end >= before.end:
                up[key] = call
        return tuple(found)

    def peak(self) -> int:
        """Return the most calls up at once; ends count before begins of the same moment."""
        changes = sorted([(call.start, 1) for call in self] + [(call.end, -1) for call in self])
        now = most = 0
        for _, change in changes:
            now += change
            most = max(most, now)
        return most


def judge(log: Iterable[Mapping[str, Any]], *, persons: Mapping[str, str] | None = None) -> Verdict:
    """Find what must not have happened, and count the rest.

    Args:
        log: The events of `CallLog.events` or `read_log`, of one machine.
        persons: Person of a contact, by contact name, where several contacts are one person. A
            contact that is not there is a person of its own.

    Raises:
        ValueError: A call ends that never began: the log is not whole.
    """
    events = list(log)
    calls = _Calls.of(events, persons or {})
    originated = Counter(call.attempt for call in calls)
    return Verdict(
        calls=len(calls),
        numbers=len({call.number for call in calls}),
        peak=calls.peak(),
        refused=sum(event["event"] == "refuse" for event in events),
        outcomes=Counter(call.outcome for call in calls if call.ended),
        unended=tuple(call.attempt for call in calls if not call.ended),
        twice_at_once_by_number=calls.overlaps("number"),
        twice_at_once_by_person=calls.overlaps("person"),
        dialed_again=tuple(attempt for attempt, times in originated.items() if times > 1),
    )


def main() -> int:
    """Print the verdict on a log file; the exit code is 1 when somebody was rung twice."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("log", type=Path)
    verdict = judge(read_log(parser.parse_args().log))
    print(verdict)  # noqa: T201 - a command line prints
    return 0 if verdict.ok else 1


if __name__ == "__main__":
    sys.exit(main())
