"""Timelines of one contact: by the model, by PlanCalls, and by real claims and reports."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from callhopper.v1 import campaign_service_pb2 as campaigns
from callhopper.v1 import types_pb2
from tests.model.direct import BEGINNING, Direct
from tests.model.machine import (
    NUMBERS,
    TYPE_NAMES,
    HopperMachine,
    moment,
    outcomes,
    phone_books,
    retry_settings,
    settings_message,
)
from tests.model.model import (
    FAILURES,
    Call,
    ItemType,
    Numbered,
    Phone,
    Rule,
    Settings,
    dial_order,
    next_call,
)

MOST: Final = 40


@dataclass(frozen=True)
class Subject:
    """A contact, the settings, and what its calls are assumed to come to.

    Attributes:
        book: Numbers, each with the place of its type.
        types: The types.
        settings: The campaign's.
        assumed: By number its outcomes, the last of which repeats; '' is for all other numbers.
        start: No call is made before.
    """

    book: tuple[tuple[str, int | None], ...]
    types: tuple[ItemType, ...]
    settings: Settings
    assumed: dict[str, tuple[str, ...]]
    start: int = 0

    def order(self) -> list[Numbered]:
        """Return the numbers in dial order."""
        return dial_order(
            [Phone(number, kind) for number, kind in self.book], dict(enumerate(self.types))
        )


@dataclass(frozen=True)
class Planned:
    """One call of a timeline."""

    at: int
    number: str
    type_name: str | None
    cycle: int
    position: int
    attempt_number: int
    status: str
    rule: str


Timeline = list[Planned]
End = tuple[str, str, int, int]
"""Reason, last number, attempts, cycles."""

WORKED_EXAMPLE: Final = Subject(
    book=((NUMBERS[0], None), (NUMBERS[2], 1), (NUMBERS[1], 0)),
    types=(ItemType("Office", 1), ItemType("Holiday", 2)),
    settings=Settings(
        global_max_attempts=4,
        additional_phone_delay=60,
        rules={status: Rule(3, 120) for status in FAILURES},
    ),
    assumed={"": ("NO_ANSWER",)},
)
"""Rule R8."""


@st.composite
def subjects(draw: st.DrawFn) -> Subject:
    """Draw a contact with up to four numbers, and a sequence of outcomes for some of them."""
    names = draw(st.permutations(TYPE_NAMES))
    sequences = st.lists(outcomes, min_size=1, max_size=3).map(tuple)
    assumed = draw(st.dictionaries(st.sampled_from(NUMBERS), sequences, max_size=2))
    return Subject(
        book=tuple(draw(phone_books())),
        types=tuple(ItemType(name, draw(st.integers(1, 2))) for name in names[:3]),
        settings=draw(retry_settings()),
        assumed={"": draw(sequences), **assumed},
        start=draw(st.sampled_from([0, 86_400])),
    )


def of_model(subject: Subject, most: int) -> tuple[Timeline, End | None]:
    """Run the decision of the model forward."""
    timeline: Timeline = []
    calls: list[Call] = []
    used: Counter[str] = Counter()
    cycle = 1
    while True:
        decision = next_call(subject.settings, subject.order(), calls, cycle, subject.start)
        if calls and calls[-1].status == "ANSWERED":
            return timeline, ("REACHED", calls[-1].number, len(calls), cycle)
        place = decision.place
        if place is None:
            return timeline, (decision.close or "", calls[-1].number, len(calls), cycle)
        if len(calls) == most:
            return timeline, None
        sequence = place.number if place.number in subject.assumed else ""
        statuses = subject.assumed[sequence]
        status = statuses[min(used[sequence], len(statuses) - 1)]
        used[sequence] += 1
        cycle = decision.cycle
        timeline.append(
            Planned(
                decision.due,
                place.number,
                place.type_name,
                cycle,
                place.position,
                len(calls) + 1,
                status,
                decision.rule,
            )
        )
        calls.append(
            Call(
                key=(0, 0),
                number=place.number,
                type_name=place.type_name,
                status=status,
                counted_as=status,
                cycle=cycle,
                position=place.position,
                attempt_number=len(calls) + 1,
                rule=decision.rule,
                version=1,
                worker_id="",
                scheduled=decision.due,
                begun=decision.due,
                ended=decision.due,
                ring=0,
                talk=0,
                answered=None,
            )
        )


def of_answer(answer: campaigns.PlanCallsResponse) -> tuple[Timeline, End | None]:
    """Read the answer of PlanCalls."""
    timeline = [
        Planned(
            call.call_time.seconds - BEGINNING,
            call.number,
            call.contact_item_type_display_name
            if call.HasField("contact_item_type_display_name")
            else None,
            call.cycle,
            call.position,
            call.attempt_number,
            types_pb2.CallStatus.Name(call.status).removeprefix("CALL_STATUS_"),
            types_pb2.DialRule.Name(call.rule).removeprefix("DIAL_RULE_"),
        )
        for call in answer.calls
    ]
    if not answer.HasField("closed"):
        return timeline, None
    closed = answer.closed
    reason = types_pb2.CloseReason.Name(closed.reason).removeprefix("CLOSE_REASON_")
    assert closed.close_time.seconds - BEGINNING == timeline[-1].at
    return timeline, (reason, closed.last_number, closed.attempt_count, closed.cycle_count)


def assumptions(subject: Subject) -> list[campaigns.AssumedOutcomes]:
    """Say the assumed outcomes in the words of the contract."""
    return [
        campaigns.AssumedOutcomes(
            number=number, outcomes=[f"OUTCOME_{status}" for status in statuses]
        )
        for number, statuses in subject.assumed.items()
    ]


def check(direct: Direct, subject: Subject) -> None:
    """Compare PlanCalls of a draft with the model."""
    direct.start()
    direct.set_clock(0)
    names = [one.name for one in subject.types]
    request = campaigns.PlanCallsRequest(
        draft_contact=campaigns.DraftContact(
            phone=subject.book[0][0],
            additional_phones=[
                campaigns.DraftPhone(
                    number=number,
                    contact_item_type_display_name="" if kind is None else names[kind],
                )
                for number, kind in subject.book[1:]
            ],
            contact_item_types=[
                campaigns.DraftItemType(display_name=one.name, order_by=one.order_by)
                for one in subject.types
            ],
        ),
        retry_settings=settings_message(subject.settings),
        assumed_outcomes=assumptions(subject),
        start_time=moment(subject.start),
        max_calls=MOST,
    )
    answer = direct.call(direct.campaigns.PlanCalls, request)
    assert of_answer(answer) == of_model(subject, MOST), "planned"


def check_dialed(direct: Direct, subject: Subject) -> None:
    """Dial a stored contact as planned, and plan again after every call: nothing may move."""
    machine = HopperMachine(direct)
    machine.set_up(subject.types, subject.settings, list(subject.book))
    [(campaign_id, contact_id)] = machine.model.entries
    timeline, end = of_model(subject, MOST)
    request = campaigns.PlanCallsRequest(
        campaign=f"campaigns/{campaign_id}",
        contact=f"contacts/{contact_id}",
        max_calls=MOST,
    )
    for place, planned in enumerate(timeline):
        request.ClearField("assumed_outcomes")
        request.assumed_outcomes.extend(assumptions(subject))
        request.max_calls = MOST - place
        answer = direct.call(direct.campaigns.PlanCalls, request)
        assert of_answer(answer) == (timeline[place:], end), f"planned again after {place} calls"
        machine.call_as_planned(planned.at, planned.number, planned.status)
    if end is not None:
        [closed] = machine.model.finals
        assert closed.reason == end[0]
    machine.compare()


def check_many(direct: Direct, profile: settings) -> None:
    """Compare plans of many contacts with the model."""

    @settings(profile)
    @given(subjects())
    def planned(subject: Subject) -> None:
        check(direct, subject)

    planned()


def check_many_dialed(direct: Direct, profile: settings) -> None:
    """Compare plans, again and again, with what claims and reports do."""

    @settings(profile)
    @given(subjects())
    def dialed(subject: Subject) -> None:
        steady = {number: statuses[:1] for number, statuses in subject.assumed.items()}
        check_dialed(
            direct,
            Subject(subject.book, subject.types, subject.settings, steady),
        )

    dialed()
