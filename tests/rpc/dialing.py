"""Dial as a worker does, through the stubs, while the clock stands still.

A test file asks for the fixture with `dialing = arrangement.dialing`. When the test ends, the
conservation law (D6) must hold in its database.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from callhopper.v1 import campaign_service_pb2 as campaigns_pb
from callhopper.v1 import dialer_service_pb2 as pb
from callhopper.v1 import hopper_service_pb2 as hopper_pb
from callhopper.v1 import types_pb2
from callhopper.v1.dialer_service_pb2_grpc import DialerServiceStub
from server.app import App
from server.db import Database
from server.loops.rescue import RescueLoop
from server.settings import Settings
from tests import refusals
from tests.conftest import Clock, Server, Stubs
from tests.factories import Factory

START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""The moment at which every test begins."""
MINUTE: Final = 60
QUICK: Final = {"no_answer_retry_interval": "120 seconds", "additional_phone_delay": "60 seconds"}
"""Settings of the worked example R8."""
UNSET: Final = "UNSPECIFIED"
NOBODY: Final = "x"
"""A lease token that no server gives."""

refusals.CODES.setdefault("WRONG_STATE", grpc.StatusCode.FAILED_PRECONDITION)
refusals.CODES.setdefault("OVERLOADED", grpc.StatusCode.RESOURCE_EXHAUSTED)
refusals.CODES.setdefault("CONFLICT", grpc.StatusCode.ABORTED)


def seconds(length: float) -> Duration:
    """Return a Duration."""
    message = Duration()
    message.FromTimedelta(timedelta(seconds=length))
    return message


def moment(offset: float) -> Timestamp:
    """Return the Timestamp so many seconds after START."""
    message = Timestamp()
    message.FromDatetime(START + timedelta(seconds=offset))
    return message


def after_start(stamp: Timestamp) -> float:
    """Return how many seconds after START a Timestamp is."""
    return (stamp.ToDatetime(UTC) - START).total_seconds()


def word(enum: Any, value: int) -> str:
    """Return an enum value's name without the prefix that all values of the enum share."""
    prefix = enum.Name(0).removesuffix(UNSET)
    return str(enum.Name(value)).removeprefix(prefix)


def answers(results: Sequence[Any]) -> list[str]:
    """Return the answers of results of begin, renew, report or release."""
    return [word(type(result).Answer, result.answer) for result in results]


def status_word(value: int) -> str:
    return word(types_pb2.CallStatus, value)


def reason_word(value: int) -> str:
    return word(types_pb2.CloseReason, value)


def rule_word(value: int) -> str:
    return word(types_pb2.DialRule, value)


def outcome_value(outcome: str) -> Any:
    return types_pb2.Outcome.Value(f"OUTCOME_{outcome}")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of `Dialing.dial`."""

    at: float
    """Seconds after START."""
    number: str
    outcome: str
    cycle: int
    position: int
    rule: str


class Dialing:
    """Be an administrator and a worker of one server."""

    def __init__(self, stubs: Stubs, make: Factory, clock: Clock, db: Database) -> None:
        self.campaigns: Any = stubs.campaigns
        self.hopper: Any = stubs.hopper
        self.dialer: Any = stubs.dialer
        self.contacts: Any = stubs.contacts
        self.item_types: Any = stubs.contact_item_types
        self.lists: Any = stubs.contact_lists
        self.make = make
        self.clock = clock
        self._db = db

    def elapsed(self) -> float:
        """Return how many seconds after START it is."""
        return (self.clock.now() - START).total_seconds()

    def at(self, offset: float) -> None:
        """Set the clock to so many seconds after START."""
        self.clock.set(START + timedelta(seconds=offset))

    # ------------------------------------------------------------ as a worker

    async def ask(
        self,
        most: int = 100,
        *,
        worker: str = "worker",
        lease: float | None = None,
        wait: float = 0,
        **fields: Any,
    ) -> pb.ClaimAttemptsResponse:
        """Call ClaimAttempts."""
        request = pb.ClaimAttemptsRequest(worker_id=worker, max_attempts=most, **fields)
        if lease is not None:
            request.lease_duration.CopyFrom(seconds(lease))
        request.wait_duration.CopyFrom(seconds(wait))
        answer: pb.ClaimAttemptsResponse = await self.dialer.ClaimAttempts(request)
        return answer

    async def claim(self, most: int = 100, **fields: Any) -> list[pb.ClaimedAttempt]:
        """Claim what is due."""
        return list((await self.ask(most, **fields)).attempts)

    async def claim_one(self, **fields: Any) -> pb.ClaimedAttempt:
        """Claim the one entry that is due."""
        [attempt] = await self.claim(**fields)
        return attempt

    async def ring(self, **fields: Any) -> pb.ClaimedAttempt:
        """Claim and begin the one entry that is due."""
        attempt = await self.claim_one(begin=True, **fields)
        assert attempt.begun
        return attempt

    async def begin(
        self, *attempts: pb.ClaimedAttempt, lease: float | None = None
    ) -> list[pb.BeginResult]:
        request = pb.BeginAttemptsRequest(leases=map(lease_of, attempts))
        if lease is not None:
            request.lease_duration.CopyFrom(seconds(lease))
        return list((await self.dialer.BeginAttempts(request)).results)

    async def renew(
        self, *attempts: pb.ClaimedAttempt, answered: bool = False, lease: float | None = None
    ) -> list[pb.RenewResult]:
        renewals = [pb.Renewal(lease=lease_of(one), answered=answered) for one in attempts]
        request = pb.RenewLeasesRequest(renewals=renewals)
        if lease is not None:
            request.lease_duration.CopyFrom(seconds(lease))
        return list((await self.dialer.RenewLeases(request)).results)

    async def release(self, *attempts: pb.ClaimedAttempt) -> list[pb.ReleaseResult]:
        request = pb.ReleaseAttemptsRequest(leases=map(lease_of, attempts))
        return list((await self.dialer.ReleaseAttempts(request)).results)

    async def report(
        self, attempt: pb.ClaimedAttempt, outcome: str = "NO_ANSWER", **fields: Any
    ) -> pb.ReportResult:
        """Report one outcome; `ring`, `talk` and `ended_ago` are in seconds."""
        [result] = await self.report_all(outcome_report(attempt, outcome, **fields))
        return result

    async def report_all(self, *reports: pb.OutcomeReport) -> list[pb.ReportResult]:
        request = pb.ReportOutcomesRequest(reports=reports)
        return list((await self.dialer.ReportOutcomes(request)).results)

    async def dial(self, outcome: Callable[[str], str] | str = "NO_ANSWER") -> list[Call]:
        """Dial until nothing is left to wait for; calls take no time.

        Each time it looks a second before an entry is due, and must get nothing. What a report
        decides must be what is claimed next, so only one entry may be open.

        Args:
            outcome: What every call comes to, or a function of the number called.
        """
        calls: list[Call] = []
        decided: pb.Decision | None = None
        while True:
            answer = await self.ask(1, begin=True)
            if not answer.attempts:
                if not answer.HasField("next_due_in"):
                    return calls
                due = self.clock.now() + answer.next_due_in.ToTimedelta()
                self.clock.set(due - timedelta(seconds=1))
                assert not await self.claim()
                self.clock.set(due)
                continue
            [attempt] = answer.attempts
            if decided is not None:
                assert self.elapsed() == after_start(decided.next_call_time)
                assert (attempt.number, attempt.rule) == (decided.next_number, decided.rule)
            came_to = outcome if isinstance(outcome, str) else outcome(attempt.number)
            result = await self.report(attempt, came_to)
            decided = result.decision
            calls.append(
                Call(
                    at=self.elapsed(),
                    number=attempt.number,
                    outcome=came_to,
                    cycle=attempt.cycle,
                    position=attempt.position,
                    rule=rule_word(attempt.rule),
                )
            )

    async def rescue(self) -> None:
        """Let the loop settle leases that are over, and campaigns too."""
        await RescueLoop(timedelta(seconds=2)).run_once(self._db, 500)

    # ------------------------------------------------------------ as an administrator

    async def pause(self, campaign_id: int) -> None:
        await self.campaigns.PauseCampaign(
            campaigns_pb.PauseCampaignRequest(name=f"campaigns/{campaign_id}")
        )

    async def start(self, campaign_id: int) -> None:
        await self.campaigns.StartCampaign(
            campaigns_pb.StartCampaignRequest(name=f"campaigns/{campaign_id}")
        )

    async def stop(self, campaign_id: int) -> campaigns_pb.StopCampaignResponse:
        answer: campaigns_pb.StopCampaignResponse = await self.campaigns.StopCampaign(
            campaigns_pb.StopCampaignRequest(name=f"campaigns/{campaign_id}")
        )
        return answer

    async def change(self, campaign_id: int, **fields: Any) -> campaigns_pb.Campaign:
        """Change fields of a campaign."""
        campaign = campaigns_pb.Campaign(name=f"campaigns/{campaign_id}", **fields)
        answer = await self.campaigns.UpdateCampaign(
            campaigns_pb.UpdateCampaignRequest(campaign=campaign)
        )
        changed: campaigns_pb.Campaign = answer.campaign
        return changed

    async def entries(self, campaign_id: int, **query: Any) -> list[hopper_pb.HopperEntry]:
        request = hopper_pb.ListHopperEntriesRequest(campaign=f"campaigns/{campaign_id}", **query)
        return list((await self.hopper.ListHopperEntries(request)).entries)

    async def entry(self, campaign_id: int) -> hopper_pb.HopperEntry:
        """Return the one open entry."""
        [entry] = await self.entries(campaign_id)
        return entry

    async def history(self, campaign_id: int) -> list[hopper_pb.HistoryCall]:
        """Return the ended calls in the order in which they began."""
        request = hopper_pb.ListHistoryRequest(campaign=f"campaigns/{campaign_id}")
        calls = list((await self.hopper.ListHistory(request)).calls)
        return sorted(calls, key=lambda call: after_start(call.begin_time))

    async def finals(self, campaign_id: int) -> list[hopper_pb.FinalEntry]:
        request = hopper_pb.ListFinalRequest(campaign=f"campaigns/{campaign_id}")
        return list((await self.hopper.ListFinal(request)).entries)

    async def final(self, campaign_id: int) -> hopper_pb.FinalEntry:
        """Return the one closed entry."""
        [entry] = await self.finals(campaign_id)
        return entry

    async def stats(self, campaign_id: int) -> campaigns_pb.CampaignStats:
        answer = await self.campaigns.GetCampaignStats(
            campaigns_pb.GetCampaignStatsRequest(name=f"campaigns/{campaign_id}")
        )
        stats: campaigns_pb.CampaignStats = answer.stats
        return stats

    async def phones(self, campaign_id: int) -> list[hopper_pb.HopperAdditionalPhone]:
        request = hopper_pb.ListAdditionalPhonesRequest(campaign=f"campaigns/{campaign_id}")
        return list((await self.hopper.ListAdditionalPhones(request)).additional_phones)

    # ------------------------------------------------------------ arrangement

    def person(self, *numbers: str, **fields: Any) -> tuple[int, int]:
        """Add a contact with these numbers, the primary first, in a running campaign of its own.

        Additional phones have the item types Office, Holiday, Mobile and Other, of orders 1 to 4.

        Args:
            numbers: E.164.
            fields: Columns of the campaign's settings; those of QUICK where nothing is said.

        Returns:
            The ids of campaign and contact.
        """
        names = ("Office", "Holiday", "Mobile", "Other")
        known = {
            row["name"]: row["contact_item_type_id"]
            for row in self.make.rows("select name, contact_item_type_id from contact_item_type")
        }
        typed = [
            (number, known.get(names[place]) or self.make.item_type(names[place], place + 1))
            for place, number in enumerate(numbers[1:])
        ]
        contact_id = self.make.contact(phone=numbers[0], additional=typed)
        return self.make.campaign(lists=[self.list_of(contact_id)], **(QUICK | fields)), contact_id

    def list_of(self, contact_id: int) -> int:
        [row] = self.make.rows(
            "select contact_list_id from contact where contact_id = %s", contact_id
        )
        list_id: int = row["contact_list_id"]
        return list_id

    def set_campaign(self, campaign_id: int, **columns: Any) -> None:
        """Set columns of the table campaign."""
        for column, value in columns.items():
            self.make.connection.execute(
                f"update campaign set {column} = %s where campaign_id = %s".encode(),
                [value, campaign_id],
            )


def lease_of(attempt: pb.ClaimedAttempt) -> pb.Lease:
    return pb.Lease(attempt_id=attempt.attempt_id, lease_token=attempt.lease_token)


def outcome_report(
    attempt: pb.ClaimedAttempt,
    outcome: str = "NO_ANSWER",
    *,
    ring: float = 0,
    talk: float = 0,
    ended_ago: float = 0,
    **fields: Any,
) -> pb.OutcomeReport:
    """Return a report; lengths of time are in seconds."""
    return pb.OutcomeReport(
        lease=lease_of(attempt),
        outcome=outcome_value(outcome),
        ring_duration=seconds(ring),
        talk_duration=seconds(talk),
        ended_ago=seconds(ended_ago),
        **fields,
    )


def foreign(attempt: pb.ClaimedAttempt) -> pb.ClaimedAttempt:
    """Return the attempt with the token of somebody else."""
    copy = pb.ClaimedAttempt()
    copy.CopyFrom(attempt)
    copy.lease_token = "0" * 32
    return copy


async def wait_for_claims(server: Server, how_many: int = 1) -> None:
    """Return as soon as so many claims wait in the server."""
    async with asyncio.timeout(5):
        while len(server.app.claims._waiting) < how_many:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)


@asynccontextmanager
async def other_server(settings: Settings, database: str) -> AsyncIterator[Any]:
    """Start a second server of the same database; give its stub of DialerService."""
    app = App(settings, database, loops=[])
    port = await app.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield DialerServiceStub(channel)
    await app.drain()
    await app.stop()


@pytest.fixture
async def dialing(
    clock: Clock, server: Server, stubs: Stubs, make: Factory
) -> AsyncIterator[Dialing]:
    """Give a Dialing at START; the conservation law must hold at the end (D6)."""
    clock.set(START)
    yield Dialing(stubs, make, clock, server.app.db)
    assert make.rows("select * from conservation where not holds") == []
