"""Check what the demo has dialed: the worked example call by call, and all sums."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console

from callhopper.exchange import read_log
from callhopper.judge import Verdict, judge
from callhopper.v1 import campaign_service_pb2 as campaigns
from callhopper.v1 import hopper_service_pb2 as hopper
from callhopper.v1 import types_pb2
from server.cli.connection import Stubs
from server.cli.output import enum_word, print_table
from server.cli.resources import pages

NEVER_ANSWERING: Final = ("+12025550100", "+12025550101", "+12025550102")
"""Primary, Office and Holiday Home of the first contact of contacts.csv."""
LATEST: Final = timedelta(seconds=3)
"""How late a call of the worked example may be: a busy machine is no fault of the rule."""


@dataclass(slots=True)
class Timeline:
    """Hold the calls to the worked example's contact beside what was planned.

    Attributes:
        calls: In order.
        planned: What PlanCalls says of the same numbers and settings.
        gaps: From the end of the call before to the begin of each; None for the first.
        at_least: What each gap must be at least.
        faults: What does not hold, in words; empty when all is well.
    """

    calls: Sequence[hopper.HistoryCall]
    planned: campaigns.PlanCallsResponse
    gaps: list[timedelta | None] = field(default_factory=list)
    at_least: list[timedelta | None] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @classmethod
    def read(
        cls,
        stubs: Stubs,
        campaign: str,
        planned: campaigns.PlanCallsResponse,
        retry: timedelta,
        delay: timedelta,
    ) -> Self:
        """Ask for the history and final of the worked example's contact."""
        finals = list(
            pages(stubs.hopper.ListFinal, hopper.ListFinalRequest(campaign=campaign), "entries")
        )
        same = [one for one in finals if one.last_number in NEVER_ANSWERING]
        if not same:
            return cls([], planned, faults=["the contact of the worked example was not dialed"])
        request = hopper.ListHistoryRequest(campaign=campaign, contact=same[0].contact)
        calls = list(pages(stubs.hopper.ListHistory, request, "calls"))
        made = cls(sorted(calls, key=lambda call: call.attempt_number), planned)
        made._compare(same[0])
        made._measure(retry, delay)
        return made

    def show(self, screen: Console) -> None:
        """Write the timeline."""
        screen.print(
            "\nthe worked example: nobody answers at Robin Example's (seconds for minutes)"
        )
        first = self.calls[0] if self.calls else None
        plans = list(self.planned.calls)
        rows: list[Sequence[Any] | None] = []
        cycle = 1
        for place, call in enumerate(self.calls):
            if call.cycle != cycle:
                rows.append(None)
            cycle = call.cycle
            gap, least = self.gaps[place], self.at_least[place]
            plan = plans[place] if place < len(plans) else None
            rows.append(
                [
                    call.cycle,
                    call.number,
                    call.contact_item_type_display_name or "primary",
                    _since(plan.call_time, plans[0].call_time) if plan else None,
                    _since(call.begin_time, first.begin_time) if first else None,
                    f"{gap.total_seconds():.3f} s" if gap is not None else None,
                    f"{least.total_seconds():.0f} s" if least is not None else None,
                    enum_word(types_pb2.CallStatus.DESCRIPTOR, call.status),
                ]
            )
        columns = ("cycle", "number", "phone", "planned", "dialed", "gap", "at least", "came to")
        print_table(columns, rows)

    def _compare(self, final: hopper.FinalEntry) -> None:
        dialed = [(one.number, one.cycle, one.position, one.rule, one.status) for one in self.calls]
        planned = [
            (one.number, one.cycle, one.position, one.rule, one.status)
            for one in self.planned.calls
        ]
        if dialed != planned:
            self.faults.append("the worked example was not dialed as planned")
        closed = self.planned.closed
        if (
            (final.reason, final.attempt_count, final.cycle_count, final.last_number)
            != (closed.reason, closed.attempt_count, closed.cycle_count, closed.last_number)
        ):  # fmt: skip
            self.faults.append("the worked example did not close as planned")

    def _measure(self, retry: timedelta, delay: timedelta) -> None:
        before: hopper.HistoryCall | None = None
        for call in self.calls:
            if before is None:
                self.gaps.append(None)
                self.at_least.append(None)
            else:
                gap, least = _gap(before, call), _least(call, retry, delay)
                self.gaps.append(gap)
                self.at_least.append(least)
                if gap < least:
                    self.faults.append(f"call {call.attempt_number} came after {gap} already")
                if gap > least + LATEST:
                    self.faults.append(f"call {call.attempt_number} came only after {gap}")
            before = call


@dataclass(slots=True)
class Sums:
    """Hold counts from four sides: counters, history, finals and the exchange's own log.

    Attributes:
        rows: What was counted, each count, and whether it is as it should be.
        verdict: Of the exchange's judge.
        statuses: Ended calls by status.
        reasons: Closed contacts by reason.
        faults: What does not add up, in words.
    """

    rows: list[tuple[str, str, bool]]
    verdict: Verdict
    statuses: Counter[str]
    reasons: Counter[str]

    @property
    def faults(self) -> list[str]:
        """Return what does not add up; empty when all is well."""
        return [f"{what}: {found}" for what, found, is_right in self.rows if not is_right]

    @classmethod
    def read(
        cls,
        stubs: Stubs,
        campaign: str,
        *,
        log: Path,
        loaded: int,
        retry: timedelta,
        delay: timedelta,
    ) -> Self:
        """Ask the server for everything and compare it with the exchange's log."""
        stats = stubs.campaigns.GetCampaignStats(
            campaigns.GetCampaignStatsRequest(name=campaign)
        ).stats
        history: list[hopper.HistoryCall] = list(
            pages(stubs.hopper.ListHistory, hopper.ListHistoryRequest(campaign=campaign), "calls")
        )
        finals: list[hopper.FinalEntry] = list(
            pages(stubs.hopper.ListFinal, hopper.ListFinalRequest(campaign=campaign), "entries")
        )
        events = read_log(log)
        verdict = judge(events)
        statuses = types_pb2.CallStatus.DESCRIPTOR
        recorded = {
            (one.attempt_id, one.number, enum_word(statuses, one.status)) for one in history
        }
        ended = {
            (one["attempt"], one["number"], one["outcome"])
            for one in events
            if one["event"] == "end"
        }
        attempts = sum(one.attempt_count for one in finals)
        early = _early(history, retry, delay)
        doubles = len(verdict.twice_at_once_by_number) + len(verdict.twice_at_once_by_person)
        different = len(recorded ^ ended)
        rows = [
            (
                "contacts loaded = closed = in final",
                f"{loaded} = {stats.final_count} = {len(finals)}",
                loaded == stats.final_count == len(finals),
            ),
            (
                "calls in history = attempts in final = in the exchange's log",
                f"{len(history)} = {attempts} = {verdict.calls}",
                len(history) == attempts == verdict.calls == stats.call_count,
            ),
            ("calls on which history and exchange differ", str(different), different == 0),
            ("calls that came too early", str(early), early == 0),
            ("phones or persons rung twice at once", str(doubles), doubles == 0),
            (
                "attempts dialed again",
                str(len(verdict.dialed_again)),
                not verdict.dialed_again,
            ),
        ]
        return cls(
            rows,
            verdict,
            Counter(str(enum_word(statuses, one.status)) for one in history),
            Counter(str(enum_word(types_pb2.CloseReason.DESCRIPTOR, one.reason)) for one in finals),
        )

    def show(self, screen: Console) -> None:
        """Write the sums."""
        screen.print(f"\nthe exchange: at most {self.verdict.peak} calls at once")
        print_table(("calls ended as", "count"), self.statuses.most_common())
        print_table(("contacts closed as", "count"), self.reasons.most_common())
        print_table(
            ("check", "found", ""),
            [[what, found, "good" if is_right else "WRONG"] for what, found, is_right in self.rows],
        )


def _early(history: Sequence[hopper.HistoryCall], retry: timedelta, delay: timedelta) -> int:
    """Count calls that began before their time, by the history itself."""
    entries: dict[str, list[hopper.HistoryCall]] = defaultdict(list)
    for call in history:
        entries[call.entry].append(call)
    early = 0
    for calls in entries.values():
        calls.sort(key=lambda one: one.attempt_number)
        for before, call in pairwise(calls):
            early += _gap(before, call) < _least(call, retry, delay)
    return early


def _least(call: hopper.HistoryCall, retry: timedelta, delay: timedelta) -> timedelta:
    return delay if call.rule == types_pb2.DIAL_RULE_NEXT_NUMBER else retry


def _gap(before: hopper.HistoryCall, call: hopper.HistoryCall) -> timedelta:
    return _time(call.begin_time) - _time(before.end_time)


def _since(moment: Timestamp, start: Timestamp) -> str:
    return f"{(_time(moment) - _time(start)).total_seconds():.2f} s"


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
