"""The state machine: one command after another, to the server's own code and to the model."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from callhopper.v1 import campaign_service_pb2 as campaigns
from callhopper.v1 import contact_item_type_service_pb2 as item_types
from callhopper.v1 import contact_service_pb2 as contacts
from callhopper.v1 import dialer_service_pb2 as dialer
from callhopper.v1 import hopper_service_pb2 as hopper_rpc
from callhopper.v1 import types_pb2
from server import attempts
from server.attempts import Caller, Lease
from server.convert.calls import attempt_name
from server.errors import InvalidArgument
from tests.model import snapshot
from tests.model.direct import BEGINNING, Direct
from tests.model.model import (
    FAILURES,
    Attempt,
    Campaign,
    Contact,
    Hopper,
    ItemType,
    Phone,
    Rule,
    Settings,
)

NUMBERS: Final = [f"+1202555010{digit}" for digit in range(7)]
# Two have one sort name, and the code points of all do not follow the alphabet (O1).
TYPE_NAMES: Final = ["Office", "Óffice", "holiday", "Zürich", "ähre", "Mobile"]
OUTCOMES: Final = (*FAILURES[:1] * 4, *FAILURES, "ANSWERED")
WORKERS: Final = ("one", "two")

small = st.integers(0, 5)
"""Picks one of whatever there is."""
leases = st.sampled_from([60, 1, 20, 600])
lengths = st.sampled_from([0, 5, 20, 100_000])
limits = st.integers(0, 3)
intervals = st.sampled_from([120, 0, 60, 61, 90])
rules = st.builds(Rule, limits, intervals, st.sampled_from([False, False, True]))
outcomes = st.sampled_from(OUTCOMES)
reported = st.sampled_from([*OUTCOMES, *["NOT_DIALED"] * 2])


@st.composite
def retry_settings(draw: st.DrawFn) -> Settings:
    """Draw settings in which every limit is met soon; all rules are written out."""
    others = draw(rules)
    drawn = {status: draw(rules) for status in ("NO_ANSWER", "BUSY", "NO_SUCH_NUMBER")}
    return Settings(
        global_max_attempts=draw(st.integers(0, 5)),
        additional_phone_delay=draw(st.sampled_from([60, 0, 30])),
        rules={status: drawn.get(status, others) for status in FAILURES},
    )


@st.composite
def phone_books(draw: st.DrawFn) -> list[tuple[str, int | None]]:
    """Draw the numbers of a contact, each with the place of a type among the types."""
    numbers = draw(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=4, unique=True))
    kinds = st.sampled_from([0, 1, 2, None])
    return [(number, draw(kinds) if place else None) for place, number in enumerate(numbers)]


@dataclass
class Ring:
    """A call as the telephone exchange sees it."""

    attempt: Attempt
    since: int
    longest: int
    is_over: bool = False

    def is_ringing(self, now: int) -> bool:
        """Tell whether it may ring or talk: unanswered calls end by themselves."""
        talks = self.attempt.answered is not None and self.attempt.past is None
        return not self.is_over and (talks or now < self.since + self.longest)


@dataclass
class Exchange:
    """What really rings, whatever database and model believe."""

    rings: list[Ring] = field(default_factory=list)

    def ring(self, attempt: Attempt, now: int, longest: int) -> None:
        """Dial; nobody may be rung twice at once (D1)."""
        for other in self.rings:
            if other.is_ringing(now):
                assert other.attempt.person != attempt.person, "one person is rung twice at once"
                assert other.attempt.place.number != attempt.place.number, "one number, two calls"
        self.rings.append(Ring(attempt, now, longest))

    def hang_up(self, attempt: Attempt) -> None:
        """End the call."""
        for one in self.rings:
            one.is_over = one.is_over or one.attempt is attempt


@dataclass(frozen=True)
class Held:
    """An attempt as its worker knows it."""

    attempt: Attempt
    lease: Lease

    @property
    def reference(self) -> dialer.Lease:
        """Say it in the words of the contract."""
        name = attempt_name(*self.attempt.key, self.lease.attempt_id)
        return dialer.Lease(attempt_id=name, lease_token=self.lease.lease_token.hex)


def moment(seconds: int) -> Timestamp:
    """Return a moment of the run."""
    return Timestamp(seconds=BEGINNING + seconds)


def settings_message(settings: Settings) -> campaigns.RetrySettings:
    """Say settings in the words of the contract."""
    failures = campaigns.RetryRule.OnFailure
    return campaigns.RetrySettings(
        global_max_attempts=settings.global_max_attempts,
        additional_phone_delay=Duration(seconds=settings.additional_phone_delay),
        rules=[
            campaigns.RetryRule(
                status=f"CALL_STATUS_{status}",
                max_attempts=one.max_attempts,
                retry_interval=Duration(seconds=one.retry_interval),
                on_failure=(
                    failures.ON_FAILURE_SAME_NUMBER
                    if one.same_number
                    else failures.ON_FAILURE_NEXT_NUMBER
                ),
            )
            for status, one in settings.rules.items()
        ],
    )


def _id(name: str) -> int:
    return int(name.rpartition("/")[2])


class HopperMachine(RuleBasedStateMachine):
    """Drive both sides and compare them after every step.

    Args:
        direct: The server's code on a database.
        hidden: Parts of the snapshots that are not compared.
    """

    def __init__(self, direct: Direct, hidden: Collection[str] = ()) -> None:
        super().__init__()
        self.direct = direct
        self.hidden = hidden
        self.model = Hopper()
        self.exchange = Exchange()
        self.held: list[Held] = []
        self.lists: list[int] = []

    # ---------------------------------------------------------------- the beginning

    @initialize(
        data=st.data(),
        orders=st.lists(st.integers(1, 2), min_size=3, max_size=3),
        names=st.permutations(TYPE_NAMES),
        priorities=st.permutations([1, 2]),
    )
    def begin_run(
        self, data: st.DataObject, orders: list[int], names: list[str], priorities: list[int]
    ) -> None:
        self.direct.start()
        self._set_clock(0)
        for place in range(2):
            self._create_list(f"list {place}")
        for order_by, name in zip(orders, names, strict=False):
            self._create_type(name, order_by)
        for place in range(2):
            check, scope = data.draw(
                st.sampled_from(
                    [
                        ("NEVER", "ANY_NUMBER"),
                        ("ALWAYS", "ANY_NUMBER"),
                        ("ALWAYS", "PRIMARY"),
                        ("ONLY_IF_OPEN", "ANY_NUMBER"),
                        ("ONLY_IF_OPEN", "PRIMARY"),
                    ]
                )
            )
            self._create_campaign(
                f"campaign {place}", priorities[place], data.draw(retry_settings()), check, scope
            )
        campaign_ids = list(self.model.campaigns)
        self._attach(campaign_ids[0], self.lists[0])
        for place in range(4):
            self._create_contact(self.lists[place // 3], data.draw(phone_books()))
        self._attach(campaign_ids[1], self.lists[0])
        self._attach(campaign_ids[1], self.lists[1])
        for campaign_id in campaign_ids:
            self._start(campaign_id)

    def _create_list(self, name: str) -> None:
        row = self.direct.row(
            "insert into contact_list (name, name_key, default_region, extensions_allowed, "
            "created_at, updated_at) values (%(name)s, %(name)s, 'US', true, clock(), clock()) "
            "returning contact_list_id",
            {"name": name},
        )
        self.lists.append(row["contact_list_id"])

    def _create_type(self, name: str, order_by: int) -> None:
        answer = self.direct.call(
            self.direct.item_types.CreateContactItemType,
            item_types.CreateContactItemTypeRequest(
                contact_item_type=item_types.ContactItemType(display_name=name, order_by=order_by)
            ),
        )
        self.model.types[_id(answer.contact_item_type.name)] = ItemType(name, order_by)

    def _create_campaign(
        self, name: str, priority: int, settings: Settings, check: str, scope: str
    ) -> None:
        answer = self.direct.call(
            self.direct.campaigns.CreateCampaign,
            campaigns.CreateCampaignRequest(
                campaign=campaigns.Campaign(
                    display_name=name,
                    priority=priority,
                    retry_settings=settings_message(settings),
                    check_duplicate=f"CHECK_DUPLICATE_{check}",
                    duplicate_scope=f"DUPLICATE_SCOPE_{scope}",
                )
            ),
        )
        key = _id(answer.campaign.name)
        self.model.campaigns[key] = Campaign(
            key, priority, settings, check_duplicate=check, duplicate_scope=scope
        )

    def _create_contact(self, list_id: int, book: list[tuple[str, int | None]]) -> None:
        types = list(self.model.types)
        phones = [
            Phone(number, None if kind is None or not types else types[kind % len(types)])
            for number, kind in book
        ]
        message = self._contact_message(phones)
        message.contact_list = f"contactLists/{list_id}"
        answer = self.direct.call(
            self.direct.contacts.CreateContact, contacts.CreateContactRequest(contact=message)
        )
        contact = Contact(_id(answer.contact.name), list_id, phones)
        self.model.contacts[contact.contact_id] = contact
        self.model.load_contact(contact)

    @staticmethod
    def _contact_message(phones: list[Phone]) -> contacts.Contact:
        return contacts.Contact(
            phone=phones[0].number,
            additional_phones=[
                contacts.AdditionalPhone(
                    number=one.number,
                    contact_item_type=f"contactItemTypes/{one.type_id}" if one.type_id else "",
                )
                for one in phones[1:]
            ],
        )

    def set_up(
        self, types: Sequence[ItemType], settings: Settings, book: list[tuple[str, int | None]]
    ) -> None:
        """Begin a run with one running campaign and one contact in it, and no random parts."""
        self.direct.start()
        self._set_clock(0)
        self._create_list("list")
        for one in types:
            self._create_type(one.name, one.order_by)
        self._create_campaign("campaign", 1, settings, "NEVER", "ANY_NUMBER")
        [campaign_id] = self.model.campaigns
        self._attach(campaign_id, self.lists[0])
        self._create_contact(self.lists[0], book)
        self._start(campaign_id)

    def call_as_planned(self, at: int, number: str, status: str) -> None:
        """Call at a moment, and not a second earlier, a number that the claim must give."""
        if at > self.model.now:
            self._set_clock(at - 1)
            assert not self._claim(1, 60, "one", begins=True)
            self._set_clock(at)
        [held] = self._claim(1, 60, "one", begins=True)
        assert held.attempt.place.number == number
        self._report(held, status)

    # ---------------------------------------------------------------- time

    def _set_clock(self, now: int) -> None:
        self.model.now = now
        self.direct.set_clock(now)

    def _moments(self) -> list[int]:
        """List when something is due or over, after now."""
        moments = {one.due for one in self.model.entries.values() if one.attempt is None}
        for attempt in self.model.attempts():
            moments |= {attempt.lease_ends, attempt.held_until or 0}
        return sorted(one for one in moments if one > self.model.now)

    def _wait_for_due(self) -> None:
        dues = [one.due for one in self.model.entries.values() if one.attempt is None]
        if dues and min(dues) > self.model.now:
            self._set_clock(min(dues))

    @rule(pick=small, offset=st.sampled_from([0, 0, -1, 1]))
    def wait_for_a_moment(self, pick: int, offset: int) -> None:
        moments = self._moments()
        if moments:
            self._set_clock(max(moments[pick % len(moments)] + offset, self.model.now))

    @rule(length=st.sampled_from([1, 30, 59, 60, 3600]))
    def let_time_pass(self, length: int) -> None:
        self._set_clock(self.model.now + length)

    @rule()
    def rescue(self) -> None:
        self.direct.rescue()
        self.model.rescue()

    # ---------------------------------------------------------------- workers

    def _claim(self, most: int, lease: int, worker_id: str, *, begins: bool) -> list[Held]:
        request_id = uuid4()
        caller = Caller(worker_id, request_id, most, timedelta(seconds=lease), begins)
        [rows] = self.direct.do(lambda tx: attempts.claim(tx, [caller], None))
        expected = self.model.claim(most, lease, begins=begins, worker_id=worker_id)
        self._check_claimed(rows, expected)
        claimed = [
            Held(attempt, attempts.lease_of(row))
            for attempt, row in zip(expected, rows, strict=True)
        ]
        again = self.direct.do(
            lambda tx: tx.many("find_claimed_attempts", request_ids=[request_id])
        )
        assert {row["attempt_id"] for row in again} == {one.lease.attempt_id for one in claimed}
        self.held += claimed
        for one in claimed:
            if begins:
                self._ring(one)
        return claimed

    def _check_claimed(self, rows: list[dict[str, Any]], expected: list[Attempt]) -> None:
        assert [
            (
                row["campaign_id"],
                row["contact_id"],
                row["e164"],
                row["contact_item_type_id"],
                row["dial_position"],
                row["cycle"],
                row["rule"],
                row["attempt_number"],
                row["lease"].total_seconds(),
                row["state"],
            )
            for row in rows
        ] == [
            (
                *one.key,
                one.place.number,
                one.place.type_id,
                one.place.position,
                one.cycle,
                one.rule,
                one.attempt_number,
                one.lease_ends - self.model.now,
                one.state,
            )
            for one in expected
        ], "claimed, most urgent first (E3)"

    def _ring(self, held: Held) -> None:
        campaign = self.model.campaigns[held.attempt.key[0]]
        self.exchange.ring(held.attempt, self.model.now, campaign.originate_timeout)

    def _begin(self, held: Held, lease: int) -> bool:
        is_new = held.attempt.begun is None
        answer = self.direct.call(
            self.direct.dialer.BeginAttempts,
            dialer.BeginAttemptsRequest(
                leases=[held.reference], lease_duration=Duration(seconds=lease)
            ),
        )
        [result] = answer.results
        word = dialer.BeginResult.Answer.Name(result.answer).removeprefix("ANSWER_")
        assert word == self.model.begin(held.attempt, lease), "answer of begin"
        if word != "BEGUN":
            return False
        assert result.lease_duration.seconds == held.attempt.lease_ends - self.model.now
        if is_new:
            self._ring(held)
            self.compare()  # a report would hide what only the begin shows
        return True

    def _renew(self, held: Held, lease: int, *, answered: bool) -> None:
        answer = self.direct.call(
            self.direct.dialer.RenewLeases,
            dialer.RenewLeasesRequest(
                renewals=[dialer.Renewal(lease=held.reference, answered=answered)],
                lease_duration=Duration(seconds=lease),
            ),
        )
        [result] = answer.results
        word = dialer.RenewResult.Answer.Name(result.answer).removeprefix("ANSWER_")
        assert word == self.model.renew(held.attempt, lease, answered=answered), "answer of renew"

    def _report(
        self, held: Held, outcome: str, *, ended_ago: int = 0, ring: int = 0, talk: int = 0
    ) -> str:
        answer = self.direct.call(
            self.direct.dialer.ReportOutcomes,
            dialer.ReportOutcomesRequest(
                reports=[
                    dialer.OutcomeReport(
                        lease=held.reference,
                        outcome=f"OUTCOME_{outcome}",
                        ended_ago=Duration(seconds=ended_ago),
                        ring_duration=Duration(seconds=ring),
                        talk_duration=Duration(seconds=talk),
                    )
                ]
            ),
        )
        [result] = answer.results
        word = dialer.ReportResult.Answer.Name(result.answer).removeprefix("ANSWER_")
        expected = self.model.report(
            held.attempt, outcome, ended_ago=ended_ago, ring=ring, talk=talk
        )
        assert word == expected, f"answer of report of {outcome}"
        if word == "ACCEPTED":
            self._check_decision(held.attempt, result.decision)
        if word != "NOT_FOUND":
            self.exchange.hang_up(held.attempt)
        return word

    def _check_decision(self, attempt: Attempt, decision: dialer.Decision) -> None:
        reason = types_pb2.CloseReason.Name(decision.closed_reason).removeprefix("CLOSE_REASON_")
        entry = self.model.entries.get(attempt.key)
        if entry is None:
            assert reason == self.model.finals[-1].reason
            return
        expected = self.model.decide(entry)
        if expected.place is None:
            return  # not dialed, and by now without a number: the next claim closes it (R11)
        assert reason == "UNSPECIFIED"
        assert (
            decision.next_number,
            decision.next_call_time.seconds - BEGINNING,
            types_pb2.DialRule.Name(decision.rule).removeprefix("DIAL_RULE_"),
        ) == (expected.place.number, entry.due, expected.rule)

    def _pick(self, pick: int) -> Held | None:
        """Choose an attempt, live or past, the newest first."""
        return self.held[-1 - pick % len(self.held)] if self.held else None

    @rule(
        most=st.integers(1, 3),
        lease=leases,
        begins=st.booleans(),
        ring=lengths,
        said=st.lists(outcomes, min_size=3, max_size=3),
    )
    def call_when_due(
        self, most: int, lease: int, ring: int, said: list[str], *, begins: bool
    ) -> None:
        self._wait_for_due()
        for held, outcome in zip(
            self._claim(most, lease, "one", begins=begins), said, strict=False
        ):
            if begins or self._begin(held, lease):
                self._set_clock(self.model.now + min(ring, 5))
                self._report(held, outcome, ring=ring)

    @rule(said=st.lists(reported, min_size=2, max_size=6), ring=lengths, is_uniform=st.booleans())
    def call_again_and_again(self, said: list[str], ring: int, *, is_uniform: bool) -> None:
        """Call everybody round after round: what reaches limits and new cycles."""
        for status in said:
            statuses = [said[0] if is_uniform else status] * 4
            self.call_when_due(most=4, lease=60, ring=ring, said=statuses, begins=True)
            self.compare()

    @rule(pick=small, said=outcomes)
    def postpone_between_two_calls(self, pick: int, said: str) -> None:
        self.call_when_due(most=3, lease=60, ring=0, said=[said] * 3, begins=True)
        self.set_earliest_call_time(pick=pick, wait=3600)
        self.compare()
        self.call_when_due(most=3, lease=60, ring=0, said=[said] * 3, begins=True)

    @rule(most=st.integers(1, 5), lease=leases, begins=st.booleans(), who=st.sampled_from(WORKERS))
    def claim(self, most: int, lease: int, who: str, *, begins: bool) -> None:
        self._claim(most, lease, who, begins=begins)

    @rule(pick=small, lease=leases)
    def begin(self, pick: int, lease: int) -> None:
        if held := self._pick(pick):
            self._begin(held, lease)

    @rule(pick=small, lease=leases, answered=st.booleans())
    def renew(self, pick: int, lease: int, *, answered: bool) -> None:
        if held := self._pick(pick):
            self._renew(held, lease, answered=answered)

    @rule(pick=small, outcome=reported, ended_ago=lengths, ring=lengths, talk=lengths)
    def report(self, pick: int, outcome: str, ended_ago: int, ring: int, talk: int) -> None:
        if held := self._pick(pick):
            self._report(held, outcome, ended_ago=ended_ago, ring=ring, talk=talk)

    @rule(pick=small, outcome=outcomes, other=reported)
    def report_twice(self, pick: int, outcome: str, other: str) -> None:
        if held := self._pick(pick):
            self._report(held, outcome)
            self._report(held, outcome)
            self._report(held, other)

    @rule(pick=small)
    def give_back(self, pick: int) -> None:
        held = self._pick(pick)
        if held is None:
            return
        answer = self.direct.call(
            self.direct.dialer.ReleaseAttempts,
            dialer.ReleaseAttemptsRequest(leases=[held.reference]),
        )
        word = dialer.ReleaseResult.Answer.Name(answer.results[0].answer)
        assert word.removeprefix("ANSWER_") == self.model.give_back(held.attempt), "give back"

    @rule(who=st.sampled_from(WORKERS))
    def stop_worker(self, who: str) -> None:
        answer = self.direct.call(
            self.direct.dialer.StopWorker, dialer.StopWorkerRequest(worker_id=who)
        )
        words = [self.model.give_back(one) for one in self.model.attempts() if one.worker_id == who]
        assert answer.released_attempt_count == words.count("RELEASED")
        assert answer.begun_attempt_count == words.count("BEGUN")

    @rule(lease=leases, late=st.integers(0, 1))
    def claim_and_vanish(self, lease: int, late: int) -> None:
        self._wait_for_due()
        for held in self._claim(1, lease, "two", begins=False):
            self._set_clock(held.attempt.lease_ends + late)
            self._begin(held, lease)
            self.rescue()
            self._begin(held, lease)
            self._report(held, "NO_ANSWER")

    @rule(
        lease=leases,
        answered=st.sampled_from([False, False, True]),
        held_for=st.sampled_from([0, 0, -1, 1, 30, 7200]),
        goes_on=st.booleans(),
        outcome=st.sampled_from(["ANSWERED", "ANSWERED", "NO_ANSWER", "BUSY", "NOT_DIALED"]),
        other=reported,
        talk=lengths,
    )
    def go_silent(
        self,
        lease: int,
        held_for: int,
        outcome: str,
        other: str,
        talk: int,
        *,
        answered: bool,
        goes_on: bool,
    ) -> None:
        """Begin, fall silent until the lease is over, and report `held_for` s from its end.

        0 and -1 are the end of the hold and the second before it. The entry may `go on` to its
        next call before the report comes.
        """
        self._wait_for_due()
        for held in self._claim(1, lease, "one", begins=True):
            if answered:
                self._renew(held, lease, answered=True)
            self._set_clock(held.attempt.lease_ends)
            self.rescue()
            self.compare()
            if held.attempt.past is None and held.attempt.held_until is not None:
                over = held.attempt.held_until + held_for
                after = self.model.now + held_for
                self._set_clock(max(over if held_for in (0, -1) else after, self.model.now))
            self._claim(2, 20, "two", begins=False)
            self.rescue()
            self.compare()
            if goes_on:
                self._wait_for_due()
                self._claim(3, 60, "two", begins=True)
            self._report(held, outcome, ring=talk, talk=talk)
            self.compare()
            self._report(held, other)

    # ---------------------------------------------------------------- contacts

    def _contact(self, pick: int) -> Contact | None:
        living = [one for one in self.model.contacts.values() if not one.is_deleted]
        return living[pick % len(living)] if living else None

    def _update(self, contact: Contact, message: contacts.Contact, *mask: str) -> None:
        message.name = f"contacts/{contact.contact_id}"
        self.direct.call(
            self.direct.contacts.UpdateContact,
            contacts.UpdateContactRequest(contact=message, update_mask={"paths": list(mask)}),
        )

    def _set_phones(self, contact: Contact, phones: list[Phone]) -> None:
        contact.phones = phones
        self._update(contact, self._contact_message(phones), "phone", "additional_phones")
        self.model.reconcile(contact)

    def _type(self, pick: int | None) -> int | None:
        types = list(self.model.types)
        return None if pick is None or not types else types[pick % len(types)]

    @rule(
        pick=small,
        number=st.sampled_from(NUMBERS),
        place=small,
        kind=st.sampled_from([None, 0, 1, 2]),
    )
    def add_number(self, pick: int, number: str, place: int, kind: int | None) -> None:
        contact = self._contact(pick)
        if contact is None:
            return
        phones = list(contact.phones)
        if number not in [one.number for one in phones]:
            phones.insert(place % len(phones) + 1, Phone(number, self._type(kind)))
            self._set_phones(contact, phones)
            return
        repeated = self._contact_message([*phones, Phone(number)])
        try:
            self._update(contact, repeated, "phone", "additional_phones")
        except InvalidArgument:
            return
        raise AssertionError("a number was stored twice (C5)")

    @rule(pick=small, place=small)
    def remove_number(self, pick: int, place: int) -> None:
        contact = self._contact(pick)
        if contact is not None and len(contact.phones) > 1:
            phones = list(contact.phones)
            del phones[place % len(phones)]
            self._set_phones(contact, [Phone(phones[0].number), *phones[1:]])

    @rule(pick=small, place=small, kind=st.sampled_from([None, 0, 1, 2]))
    def retype_number(self, pick: int, place: int, kind: int | None) -> None:
        contact = self._contact(pick)
        if contact is not None and len(contact.phones) > 1:
            phones = list(contact.phones)
            place = place % (len(phones) - 1) + 1
            phones[place] = Phone(phones[place].number, self._type(kind))
            self._set_phones(contact, phones)

    @rule(pick=small, place=small)
    def make_primary(self, pick: int, place: int) -> None:
        contact = self._contact(pick)
        if contact is not None:
            phones = list(contact.phones)
            first = phones.pop(place % len(phones))
            self._set_phones(contact, [Phone(first.number), *phones])

    @rule(pick=small, key=st.sampled_from(["", "k"]))
    def set_person_key(self, pick: int, key: str) -> None:
        if contact := self._contact(pick):
            contact.person_key = key
            self._update(contact, contacts.Contact(person_key=key), "person_key")

    @rule(pick=small, priority=st.integers(1, 3))
    def set_priority(self, pick: int, priority: int) -> None:
        if contact := self._contact(pick):
            contact.priority = priority
            self._update(contact, contacts.Contact(priority=priority), "priority")
            self.model.reconcile(contact)

    @rule(pick=small, wait=st.sampled_from([None, 60, 3600]))
    def set_earliest_call_time(self, pick: int, wait: int | None) -> None:
        if contact := self._contact(pick):
            contact.earliest = None if wait is None else self.model.now + wait
            message = contacts.Contact()
            if contact.earliest is not None:
                message.earliest_call_time.CopyFrom(moment(contact.earliest))
            self._update(contact, message, "earliest_call_time")
            self.model.reconcile(contact)

    @rule(pick=st.integers(0, 1), book=phone_books())
    def create_contact(self, pick: int, book: list[tuple[str, int | None]]) -> None:
        if len(self.model.contacts) < 6:
            self._create_contact(self.lists[pick], book)

    @rule(pick=small)
    def delete_contact(self, pick: int) -> None:
        if contact := self._contact(pick):
            self.direct.call(
                self.direct.contacts.DeleteContact,
                contacts.DeleteContactRequest(name=f"contacts/{contact.contact_id}"),
            )
            contact.is_deleted = True
            keys = [key for key in self.model.entries if key[1] == contact.contact_id]
            self.model.close_all(keys, "DELETED")

    # ---------------------------------------------------------------- item types

    def _change_type(self, type_id: int, name: str, order_by: int) -> None:
        self.direct.call(
            self.direct.item_types.UpdateContactItemType,
            item_types.UpdateContactItemTypeRequest(
                contact_item_type=item_types.ContactItemType(
                    name=f"contactItemTypes/{type_id}", display_name=name, order_by=order_by
                ),
                update_mask={"paths": ["display_name", "order_by"]},
            ),
        )
        self.model.types[type_id] = ItemType(name, order_by)

    @rule(pick=small, order_by=st.integers(1, 3), name=st.sampled_from([None, *TYPE_NAMES]))
    def change_type(self, pick: int, order_by: int, name: str | None) -> None:
        type_id = self._type(pick)
        if type_id is not None:
            taken = {one.name for one in self.model.types.values()}
            kept = self.model.types[type_id].name
            self._change_type(type_id, kept if name in taken else name or kept, order_by)

    @rule(pick=small, order_by=st.integers(1, 3), said=outcomes, also=outcomes)
    def change_type_between_report_and_claim(
        self, pick: int, order_by: int, said: str, also: str
    ) -> None:
        self.call_when_due(most=3, lease=60, ring=0, said=[said] * 3, begins=True)
        self.compare()
        self.change_type(pick=pick, order_by=order_by, name=None)
        self.compare()
        self.call_when_due(most=3, lease=60, ring=0, said=[also] * 3, begins=True)

    @rule(pick=small)
    def delete_type(self, pick: int) -> None:
        type_id = self._type(pick)
        if type_id is not None:
            self.direct.call(
                self.direct.item_types.DeleteContactItemType,
                item_types.DeleteContactItemTypeRequest(
                    name=f"contactItemTypes/{type_id}", force=True
                ),
            )
            self.model.untype(type_id)

    @rule(name=st.sampled_from(TYPE_NAMES), order_by=st.integers(1, 3))
    def create_type(self, name: str, order_by: int) -> None:
        if name not in {one.name for one in self.model.types.values()}:
            self._create_type(name, order_by)

    # ---------------------------------------------------------------- campaigns

    def _campaign(self, pick: int) -> Campaign:
        return list(self.model.campaigns.values())[pick % 2]

    def _start(self, campaign_id: int) -> None:
        self.direct.call(
            self.direct.campaigns.StartCampaign,
            campaigns.StartCampaignRequest(name=f"campaigns/{campaign_id}"),
        )
        self.model.campaigns[campaign_id].state = "RUNNING"

    def _attach(self, campaign_id: int, list_id: int) -> None:
        answer = self.direct.call(
            self.direct.campaigns.AddCampaignList,
            campaigns.AddCampaignListRequest(
                name=f"campaigns/{campaign_id}", contact_list=f"contactLists/{list_id}"
            ),
        )
        campaign = self.model.campaigns[campaign_id]
        expected = (0, 0)
        if list_id not in campaign.lists:
            campaign.lists.add(list_id)
            expected = self.model.load(campaign, list_id)
        assert (answer.loaded_entry_count, answer.duplicate_contact_count) == expected, "loaded"

    @rule(pick=small)
    def start_or_pause(self, pick: int) -> None:
        campaign = self._campaign(pick)
        if campaign.state == "PAUSED":
            self._start(campaign.campaign_id)
        elif campaign.state == "RUNNING":
            self._pause(campaign)

    def _pause(self, campaign: Campaign) -> None:
        self.direct.call(
            self.direct.campaigns.PauseCampaign,
            campaigns.PauseCampaignRequest(name=f"campaigns/{campaign.campaign_id}"),
        )
        campaign.state = "PAUSED"

    @rule(lease=leases)
    def pause_between_claim_and_begin(self, lease: int) -> None:
        self._wait_for_due()
        for held in self._claim(1, lease, "one", begins=False):
            campaign = self.model.campaigns[held.attempt.key[0]]
            self._pause(campaign)
            self._begin(held, lease)
            self._claim(2, lease, "two", begins=True)
            self._start(campaign.campaign_id)

    @rule(place=small, lease=leases)
    def edit_between_claim_and_begin(self, place: int, lease: int) -> None:
        self._wait_for_due()
        for held in self._claim(1, lease, "one", begins=False):
            contact = self.model.contacts[held.attempt.key[1]]
            numbers = [one.number for one in contact.phones]
            if not contact.is_deleted and len(numbers) > 1:
                phones = list(contact.phones)
                # Often the very number that was claimed.
                del phones[
                    numbers.index(held.attempt.place.number)
                    if place < 3 and held.attempt.place.number in numbers
                    else place % len(phones)
                ]
                self._set_phones(contact, [Phone(phones[0].number), *phones[1:]])
            self._begin(held, lease)

    @rule(pick=st.integers(0, 9))
    def stop_campaign(self, pick: int) -> None:
        if pick < 9:  # there is little to see afterwards
            return
        campaign = self._campaign(pick)
        self.direct.call(
            self.direct.campaigns.StopCampaign,
            campaigns.StopCampaignRequest(name=f"campaigns/{campaign.campaign_id}"),
        )
        campaign.state = "STOPPED"
        self.model.close_all(
            [key for key in self.model.entries if key[0] == campaign.campaign_id], "STOPPED"
        )

    @rule(pick=small, list_pick=st.integers(0, 1))
    def attach_or_detach_list(self, pick: int, list_pick: int) -> None:
        campaign, list_id = self._campaign(pick), self.lists[list_pick]
        if list_id not in campaign.lists:
            if campaign.state != "STOPPED":
                self._attach(campaign.campaign_id, list_id)
            return
        self.direct.call(
            self.direct.campaigns.RemoveCampaignList,
            campaigns.RemoveCampaignListRequest(
                name=f"campaigns/{campaign.campaign_id}", contact_list=f"contactLists/{list_id}"
            ),
        )
        campaign.lists.remove(list_id)
        self.model.close_all(
            [
                key
                for key in self.model.entries
                if key[0] == campaign.campaign_id and self.model.contacts[key[1]].list_id == list_id
            ],
            "REMOVED",
        )

    @rule(pick=small)
    def remove_entry(self, pick: int) -> None:
        keys = list(self.model.entries)
        if not keys:
            return
        key = keys[pick % len(keys)]
        row = self.direct.row(
            "select entry_id from hopper_entry "
            "where campaign_id = %(campaign_id)s and contact_id = %(contact_id)s",
            {"campaign_id": key[0], "contact_id": key[1]},
        )
        answer = self.direct.call(
            self.direct.hopper.RemoveEntry,
            hopper_rpc.RemoveEntryRequest(
                name=f"campaigns/{key[0]}/entries/{key[1]}-{row['entry_id']}"
            ),
        )
        assert answer.closed == (self.model.entries[key].attempt is None)
        self.model.close_all([key], "REMOVED")

    def _update_campaign(self, campaign: Campaign, message: campaigns.Campaign, *mask: str) -> None:
        message.name = f"campaigns/{campaign.campaign_id}"
        self.direct.call(
            self.direct.campaigns.UpdateCampaign,
            campaigns.UpdateCampaignRequest(campaign=message, update_mask={"paths": list(mask)}),
        )

    @rule(pick=small, settings=retry_settings())
    def change_settings(self, pick: int, settings: Settings) -> None:
        campaign = self._campaign(pick)
        message = campaigns.Campaign(retry_settings=settings_message(settings))
        self._update_campaign(campaign, message, "retry_settings")
        campaign.version += settings != campaign.settings
        campaign.settings = settings

    @rule(settings=retry_settings(), pick=small, said=outcomes)
    def change_settings_between_report_and_claim(
        self, settings: Settings, pick: int, said: str
    ) -> None:
        self.call_when_due(most=3, lease=60, ring=0, said=[said] * 3, begins=True)
        self.change_settings(pick=pick, settings=settings)
        self.compare()
        self._wait_for_due()
        self._claim(3, 60, "one", begins=False)

    @rule(
        pick=small,
        originate_timeout=st.sampled_from([5, 30]),
        quarantine=st.sampled_from([0, 60, 150]),
        max_talk=st.sampled_from([0, 600, 7200]),
    )
    def change_lengths(
        self, pick: int, originate_timeout: int, quarantine: int, max_talk: int
    ) -> None:
        campaign = self._campaign(pick)
        message = campaigns.Campaign(
            originate_timeout=Duration(seconds=originate_timeout),
            quarantine=Duration(seconds=quarantine),
            max_talk=Duration(seconds=max_talk),
        )
        self._update_campaign(campaign, message, "originate_timeout", "quarantine", "max_talk")
        campaign.originate_timeout = originate_timeout
        campaign.quarantine = quarantine
        campaign.max_talk = max_talk

    @rule(pick=small, length=st.sampled_from([None, None, 60, 3600]))
    def set_end(self, pick: int, length: int | None) -> None:
        campaign = self._campaign(pick)
        campaign.end = None if length is None else self.model.now + length
        message = campaigns.Campaign()
        if campaign.end is not None:
            message.end_time.CopyFrom(moment(campaign.end))
        self._update_campaign(campaign, message, "end_time")

    # ---------------------------------------------------------------- what must hold

    @invariant()
    def compare(self) -> None:
        expected = snapshot.of_model(self.model)
        found = snapshot.of_database(self.direct)
        for name, rows in expected.items():
            assert name in self.hidden or found[name] == rows, (
                f"{name} at {self.model.now} s: the database has "
                f"{[row for row in found[name] if row not in rows]} and the rules say "
                f"{[row for row in rows if row not in found[name]]}"
            )


def run(direct: Direct, profile: settings, hidden: Collection[str] = ()) -> None:
    """Run the machine on one database, again and again, as the profile says."""
    machine: Any = lambda: HopperMachine(direct, hidden)  # noqa: E731 - a class is wanted
    run_state_machine_as_test(machine, settings=profile)
