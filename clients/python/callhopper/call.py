"""A call that a worker may dial, and what a dial function says it came to."""

import enum
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from callhopper.v1 import dialer_service_pb2 as pb

_LONGEST_TEXT: Final = 200  # characters of a report's cause and channel

# CLOCK_MONOTONIC stands still while a machine is suspended, and leases do not.
_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def clock() -> float:
    """Return seconds on the clock that leases are measured with; it never goes back."""
    return time.clock_gettime(_CLOCK)


class Outcome(enum.IntEnum):
    """What a call came to: `callhopper.v1.Outcome`."""

    ANSWERED = 1
    """The person was reached. Closes the contact at once, whatever numbers are left."""
    NO_ANSWER = 2
    """It rang, and nobody answered within the ring timeout."""
    BUSY = 3
    """The called party was busy."""
    CONGESTION = 4
    """The network or the trunk could not carry the call."""
    NO_SUCH_NUMBER = 5
    """The number does not exist. Retires this number only."""
    DROP = 6
    """Answered, but no agent was free in time, so the system hung up."""
    ABANDONED = 7
    """Answered, but the called party hung up before an agent came."""
    MACHINE = 8
    """An answering machine took the call."""
    AGENT_REJECT = 9
    """The agent hung up a placed call before it was answered."""
    NOT_DIALED = 10
    """Nothing was dialed. Counts nothing; the entry is due again in 10 seconds."""


class DialRule(enum.IntEnum):
    """Which rule put a call here: `callhopper.v1.DialRule`."""

    UNSPECIFIED = 0
    """Not said, or a rule that this version of the client does not know."""
    FIRST_CALL = 1
    """The first number in dial order, when the entry is due."""
    NEXT_NUMBER = 2
    """The next number of the same cycle."""
    NEXT_CYCLE = 3
    """A new cycle."""
    SAME_NUMBER = 4
    """The same number again."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        """Read a rule of a newer server as UNSPECIFIED, so that its calls can be dialed."""
        del value
        return cls(0)


class NotDialed(Exception):  # noqa: N818 - it is an outcome, not a fault of the program
    """Raised by a dial function that dialed nothing: trunk down, channel limit, its own fault.

    Raise it only when the called phone cannot have rung. Its text, which goes to the server as
    the telephony cause, must hold neither number nor name.
    """


@dataclass(frozen=True, slots=True)
class Result:
    """What one call came to."""

    outcome: Outcome
    ring: timedelta = timedelta(0)
    """How long it rang."""
    talk: timedelta = timedelta(0)
    """How long they talked."""
    cause: str = ""
    """Cause that the telephone network gave; cut after 200 characters."""
    channel_id: str = ""
    """Channel of the telephone exchange; cut after 200 characters."""

    def __post_init__(self) -> None:
        """Check what the server would refuse, and cut texts that are too long."""
        object.__setattr__(self, "outcome", Outcome(self.outcome))
        if min(self.ring, self.talk) < timedelta(0):
            raise ValueError(f"ring and talk are at least 0, not {self.ring} and {self.talk}")
        object.__setattr__(self, "cause", self.cause[:_LONGEST_TEXT])
        object.__setattr__(self, "channel_id", self.channel_id[:_LONGEST_TEXT])


@dataclass(slots=True)
class Lease:
    """What the worker knows about its hold on an attempt; changes while the call lives."""

    token: str
    deadline: float
    """When it must be taken as ended, on `clock`: the server's end minus the guard."""
    tell: Callable[[], None]
    """Wakes the renewals."""
    answered: bool = False
    told: bool = False
    """The server knows that it was answered."""
    lost: bool = False
    """The server does not know the lease any more: nothing is left to renew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An attempt that this worker holds: one call, to be dialed once, by nobody else.

    `repr` shows neither number nor name, so that a call can be logged.
    """

    attempt_id: str
    campaign: str
    """`campaigns/{id}`."""
    entry: str
    """`campaigns/{campaign}/entries/{id}`."""
    contact: str
    """`contacts/{id}`."""
    number: str = field(repr=False)
    """The number to dial, E.164."""
    contact_item_type: str
    """`contactItemTypes/{id}`; empty for the primary and untyped numbers."""
    contact_item_type_display_name: str
    position: int
    """Dial position; the primary is 0."""
    cycle: int
    """From 1."""
    attempt_number: int
    """The nth call of the entry, from 1."""
    ring_timeout: timedelta
    """How long to let it ring."""
    caller_id: str = field(repr=False)
    """Number to show; empty for the trunk's own."""
    rule: DialRule
    scheduled_time: datetime
    """When it was due, in UTC by the server's clock."""
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    lease: Lease = field(repr=False, compare=False)
    """The worker's own business."""

    @classmethod
    def from_claim(cls, attempt: pb.ClaimedAttempt, lease: Lease) -> Self:
        """Take over a claimed attempt."""
        return cls(
            attempt_id=attempt.attempt_id,
            campaign=attempt.campaign,
            entry=attempt.entry,
            contact=attempt.contact,
            number=attempt.number,
            contact_item_type=attempt.contact_item_type,
            contact_item_type_display_name=attempt.contact_item_type_display_name,
            position=attempt.position,
            cycle=attempt.cycle,
            attempt_number=attempt.attempt_number,
            ring_timeout=attempt.ring_timeout.ToTimedelta(),
            caller_id=attempt.caller_id,
            rule=DialRule(attempt.rule),
            scheduled_time=attempt.scheduled_time.ToDatetime(tzinfo=UTC),
            first_name=attempt.first_name,
            last_name=attempt.last_name,
            lease=lease,
        )

    @property
    def deadline(self) -> float:
        """Return when the lease must be taken as ended, on `callhopper.clock`: dial before it.

        Renewals move it while the call lives.
        """
        return self.lease.deadline

    @property
    def may_be_dialed(self) -> bool:
        """Return whether the lease still lasts: ask again right before a slow originate."""
        return clock() < self.lease.deadline

    async def answered(self) -> None:
        """Note that the call was answered; the next renewal, due at once, says so.

        From then on the server holds the call for the campaign's longest talk, should this worker
        go silent, and closes it as reached. It does not wait for the server.
        """
        self.lease.answered = True
        self.lease.tell()
