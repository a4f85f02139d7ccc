"""A simulated telephone exchange that keeps its own log of every call.

The log knows nothing of the server's tables, so it can show what they cannot: whether any phone
was rung twice at once. `callhopper.judge` reads it.
"""

import asyncio
import fcntl
import json
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from callhopper.call import Call, NotDialed, Outcome, Result

Event = dict[str, Any]

HUNG_UP: Final = "HUNG_UP"
"""Outcome in the log of a call whose dial function was cancelled."""

_LATE_END: Final = 1_000_000_000
"""Nanoseconds that a busy process may be late in writing the end of a call."""

_CHANCES: Final[Mapping[Outcome, float]] = {
    Outcome.NO_ANSWER: 0.45,
    Outcome.ANSWERED: 0.25,
    Outcome.BUSY: 0.12,
    Outcome.MACHINE: 0.08,
    Outcome.CONGESTION: 0.04,
    Outcome.NO_SUCH_NUMBER: 0.03,
    Outcome.ABANDONED: 0.02,
    Outcome.DROP: 0.01,
}
_TALKING: Final = frozenset(
    {Outcome.ANSWERED, Outcome.MACHINE, Outcome.DROP, Outcome.ABANDONED},
)
_NEVER_RINGING: Final = frozenset({Outcome.CONGESTION, Outcome.NO_SUCH_NUMBER})


class CallLog:
    """Every call of the exchange: one JSON object a line, appended in one write.

    `originate` is written before the call counts as placed, `end` when it has ended; a process
    that is killed in between leaves a call without an end. Each has:

    * `at`: nanoseconds of the machine's monotonic clock, one scale for all its processes;
    * `wall`: ISO 8601, UTC; for people, nothing is decided by it;
    * `worker`, `attempt`, `number`, `contact`, `campaign`, `nth` (call to that number, from 1);
    * `outcome`: on `originate` the one that is planned;
    * `until`, on `originate`: when the exchange ends the call if nobody does sooner.

    Args:
        path: File that several processes of one machine share. Written lines survive the death of
            the process, not of the machine (no fsync). None keeps the log in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._events: list[Event] = []
        self._unread = b""
        self._calls: Counter[str] = Counter()  # by number
        self._live: dict[str, dict[str, int]] = {}  # number -> attempt -> until
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = None if path is None else os.open(path, flags, 0o600)
        self._read_to = 0

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @contextmanager
    def locked(self) -> Iterator[Self]:
        """Keep other processes from writing, having read what they wrote."""
        if self._file is None:
            yield self
            return
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self._catch_up(self._file)
            yield self
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def events(self) -> list[Event]:
        """Return all events so far, in the order in which they were written."""
        with self.locked():
            return list(self._events)

    def calls_to(self, number: str) -> int:
        """Return how many calls to a number were placed; ask under the lock."""
        return self._calls[number]

    def is_live(self, number: str) -> bool:
        """Return whether a number is on a call, by any process; ask under the lock."""
        past = time.monotonic_ns() - _LATE_END
        return any(until > past for until in self._live.get(number, {}).values())

    def write(self, event: Event) -> None:
        """Append one event, under the lock."""
        if self._file is None:
            self._note(event)
            return
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError("the log of the exchange could not be written in one piece")
        self._catch_up(self._file)

    def _catch_up(self, file: int) -> None:
        while chunk := os.pread(file, 1 << 20, self._read_to):
            self._read_to += len(chunk)
            *lines, self._unread = (self._unread + chunk).split(b"\n")
            for line in lines:
                self._note(json.loads(line))

    def _note(self, event: Event) -> None:
        self._events.append(event)
        live = self._live.setdefault(event["number"], {})
        if event["event"] == "originate":
            self._calls[event["number"]] += 1
            live[event["attempt"]] = event["until"]
        elif event["event"] == "end":
            live.pop(event["attempt"], None)


def read_log(path: Path) -> list[Event]:
    """Read the events of a log file; a last line that a dying process left half is left out."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines]


@dataclass(frozen=True, slots=True)
class _Plan:
    outcome: Outcome
    ring: float  # seconds of the simulation
    talk: float


class Exchange:
    """Takes calls and answers, refuses or ignores them, as its rules and its seed say.

    The same seed, number and nth call to that number give the same outcome, ring and talk time,
    whatever else goes on at the same time. With a log file, n counts the calls of all processes
    that share it.

    Args:
        seed: Of everything that is drawn.
        rules: What calls to a number come to, by the end of the number; the longest end that fits
            wins. A sequence is the outcomes of the first, second ... call, the last one for all
            further calls.
        chances: Weights of outcomes for numbers without a rule.
        ring: Shortest and longest time until a phone is answered, never longer than the call's
            ring timeout. What nobody answers rings for the whole of it.
        talk: Shortest and longest time that people talk.
        time_scale: Real seconds for a second of the simulation; 0 makes calls instantaneous.
        log: Where calls are written.
        worker_id: Who places the calls, for the log.
        fence: Refuse a call to a number that is on one, as an exchange with a channel id for each
            contact does. Off, so that the judge sees the faults of the dialing.
        placed: Called when a call is in the log, before anything else happens.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        rules: Mapping[str, Outcome | Sequence[Outcome]] | None = None,
        chances: Mapping[Outcome, float] | None = None,
        ring: tuple[float, float] = (2.0, 15.0),
        talk: tuple[float, float] = (10.0, 180.0),
        time_scale: float = 1.0,
        log: CallLog | None = None,
        worker_id: str = "",
        fence: bool = False,
        placed: Callable[[Call], None] | None = None,
    ) -> None:
        self.log = log or CallLog()
        self._seed = seed
        self._rules = dict(rules or {})
        self._chances = dict(chances or _CHANCES)
        self._ring = ring
        self._talk = talk
        self._time_scale = time_scale
        self._worker_id = worker_id
        self._fence = fence
        self._placed = placed

    async def call(self, call: Call) -> Result:
        """Place one call, and return when it has ended.

        Its ring and talk times are the real ones, after scaling.

        Raises:
            NotDialed: The rules say so (trunk down), or the number is on a call and `fence` is on.
        """
        async with self._connected(call) as plan:
            await self._spend(plan.ring)
            if plan.outcome in _TALKING:
                if plan.outcome is Outcome.ANSWERED:
                    await call.answered()
                await self._spend(plan.talk)
        return Result(
            plan.outcome,
            ring=timedelta(seconds=plan.ring * self._time_scale),
            talk=timedelta(seconds=plan.talk * self._time_scale),
            channel_id=f"SIM/{call.attempt_id}",
        )

    async def _spend(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._time_scale)

    @asynccontextmanager
    async def _connected(self, call: Call) -> AsyncIterator[_Plan]:
        with self.log.locked() as log:
            plan = self._plan(call, log.calls_to(call.number) + 1)
            if plan.outcome is Outcome.NOT_DIALED:
                raise NotDialed("trunk down")
            if self._fence and log.is_live(call.number):
                self._write("refuse", call, plan.outcome.name)
                raise NotDialed("number is on a call")
            length = int((plan.ring + plan.talk) * self._time_scale * 1e9)
            self._write("originate", call, plan.outcome.name, length=length)
        if self._placed:
            self._placed(call)
        said = HUNG_UP
        try:
            yield plan
            said = plan.outcome.name
        finally:
            with self.log.locked():
                self._write("end", call, said)

    def _write(self, event: str, call: Call, outcome: str, *, length: int | None = None) -> None:
        now = time.monotonic_ns()
        nth = self.log.calls_to(call.number)
        record: Event = {
            "event": event,
            "at": now,
            "wall": datetime.now(UTC).isoformat(),
            "worker": self._worker_id,
            "attempt": call.attempt_id,
            "number": call.number,
            "contact": call.contact,
            "campaign": call.campaign,
            "nth": nth,
            "outcome": outcome,
        }
        if length is not None:
            record |= {"nth": nth + 1, "until": now + length}
        self.log.write(record)

    def _plan(self, call: Call, nth: int) -> _Plan:
        draw = random.Random(f"{self._seed}:{call.number}:{nth}")  # noqa: S311 - a simulation
        outcome = self._ruled(call.number, nth)
        if outcome is None:
            outcome = draw.choices(list(self._chances), weights=list(self._chances.values()))[0]
        longest = call.ring_timeout.total_seconds()
        ring = min(draw.uniform(*self._ring), longest)
        talk = draw.uniform(*self._talk)
        if outcome is Outcome.NO_ANSWER:
            ring = longest
        if outcome in _NEVER_RINGING:
            ring = 0.0
        return _Plan(outcome, ring, talk if outcome in _TALKING else 0.0)

    def _ruled(self, number: str, nth: int) -> Outcome | None:
        ends = (number[start:] for start in range(len(number)))
        rule = next((self._rules[end] for end in ends if end in self._rules), None)
        if rule is None or isinstance(rule, Outcome):
            return rule
        return rule[min(nth, len(rule)) - 1]
