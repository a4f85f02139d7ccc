"""ReportOutcomes: the worked example, every answer, durations, batches."""

import asyncio
from itertools import pairwise
from time import monotonic

import pytest

from callhopper.v1 import dialer_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import (
    NOBODY,
    QUICK,
    after_start,
    answers,
    foreign,
    outcome_report,
    reason_word,
    rule_word,
    status_word,
)

dialing = arrangement.dialing

PRIMARY, OFFICE, HOLIDAY = "+12025550100", "+12025550101", "+12025550102"


# ---------------------------------------------------------------- the worked example: R8


async def test_the_worked_example_holds_to_the_second(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE, HOLIDAY)
    calls = await dialing.dial()
    assert [(call.at / 60, call.number, call.cycle, call.position) for call in calls] == [
        (0, PRIMARY, 1, 0), (1, OFFICE, 1, 1), (2, HOLIDAY, 1, 2),
        (4, PRIMARY, 2, 0), (5, OFFICE, 2, 1), (6, HOLIDAY, 2, 2),
        (8, PRIMARY, 3, 0), (9, OFFICE, 3, 1), (10, HOLIDAY, 3, 2),
    ]  # fmt: skip
    assert [call.rule for call in calls] == [
        "FIRST_CALL", "NEXT_NUMBER", "NEXT_NUMBER",
        "NEXT_CYCLE", "NEXT_NUMBER", "NEXT_NUMBER",
        "NEXT_CYCLE", "NEXT_NUMBER", "NEXT_NUMBER",
    ]  # fmt: skip
    history = await dialing.history(campaign_id)
    assert [call.number for call in history] == [PRIMARY, OFFICE, HOLIDAY] * 3
    assert [call.attempt_number for call in history] == list(range(1, 10))
    assert {status_word(call.status) for call in history} == {"NO_ANSWER"}
    final = await dialing.final(campaign_id)
    assert final.contact == f"contacts/{contact_id}"
    assert (final.last_number, final.last_contact_item_type_display_name) == (HOLIDAY, "Holiday")
    assert (final.attempt_count, final.cycle_count) == (9, 3)
    assert reason_word(final.reason) == "RETRY_LIMIT"
    assert status_word(final.last_status) == "NO_ANSWER"
    assert {tally.number: tally.total for tally in final.tallies} == {
        PRIMARY: 3,
        OFFICE: 3,
        HOLIDAY: 3,
    }
    assert after_start(final.first_begin_time) == 0
    assert after_start(final.last_end_time) == after_start(final.close_time) == 600


@pytest.mark.slow
async def test_the_worked_example_holds_in_real_seconds(dialing):
    dialing.clock.set(None)
    campaign_id, _ = dialing.person(
        PRIMARY,
        OFFICE,
        HOLIDAY,
        no_answer_retry_interval="2 seconds",
        additional_phone_delay="1 seconds",
    )
    begun: list[tuple[float, str]] = []
    while not begun or await dialing.entries(campaign_id):
        attempt = await dialing.ring(wait=10)
        begun.append((monotonic(), attempt.number))
        await dialing.report(attempt)
    assert [number for _, number in begun] == [PRIMARY, OFFICE, HOLIDAY] * 3
    history = await dialing.history(campaign_id)
    for (earlier, later), wanted in zip(pairwise(history), [1, 1, 2, 1, 1, 2, 1, 1], strict=True):
        gap = after_start(later.begin_time) - after_start(earlier.end_time)
        assert wanted <= gap < wanted + 0.5
    assert (await dialing.final(campaign_id)).attempt_count == 9


# ---------------------------------------------------------------- what is answered


async def test_an_accepted_report_says_what_is_next(dialing):
    dialing.person(PRIMARY, OFFICE)
    result = await dialing.report(await dialing.ring())
    assert answers([result]) == ["ACCEPTED"]
    decision = result.decision
    assert (decision.next_number, decision.next_contact_item_type_display_name) == (
        OFFICE,
        "Office",
    )
    assert rule_word(decision.rule) == "NEXT_NUMBER"
    assert after_start(decision.next_call_time) == decision.next_call_in.seconds == 60
    assert reason_word(decision.closed_reason) == "UNSPECIFIED"


async def test_a_report_that_closes_says_why_and_nothing_about_a_next_call(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    result = await dialing.report(await dialing.ring(), "ANSWERED", talk=12)
    assert result.decision == pb.Decision(closed_reason="CLOSE_REASON_REACHED")
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), final.last_number) == ("REACHED", PRIMARY)
    [tally] = final.tallies
    assert (tally.total, tally.statuses[0].count) == (0, 1)
    assert await dialing.entries(campaign_id) == []


async def test_the_same_report_again_is_replayed(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    first = await dialing.report(attempt, "BUSY")
    again = await dialing.report(attempt, "BUSY")
    assert answers([first, again]) == ["ACCEPTED", "REPLAYED"]
    assert not again.HasField("decision")
    assert len(await dialing.history(campaign_id)) == 1
    assert dialing.make.rows("select * from late_report") == []


async def test_another_outcome_is_a_conflict_and_kept_as_evidence(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    await dialing.report(attempt, "BUSY")
    assert answers([await dialing.report(attempt, "ANSWERED", channel_id="SIP/7")]) == ["CONFLICT"]
    [call] = await dialing.history(campaign_id)
    assert status_word(call.status) == "BUSY"
    assert len(await dialing.entries(campaign_id)) == 1
    evidence = dialing.make.rows("select outcome, answer, channel_id from late_report")
    assert evidence == [{"outcome": "ANSWERED", "answer": "CONFLICT", "channel_id": "SIP/7"}]


async def test_a_report_of_a_released_attempt_is_kept_and_changes_nothing(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.claim_one()
    await dialing.release(attempt)
    assert answers([await dialing.report(attempt, "ANSWERED")]) == ["LEASE_LOST"]
    assert (await dialing.entry(campaign_id)).attempt_count == 0
    assert dialing.make.rows("select outcome, answer from late_report") == [
        {"outcome": "ANSWERED", "answer": "LEASE_LOST"}
    ]


async def test_a_token_of_somebody_else_reports_nothing(dialing, unchanged):
    dialing.person(PRIMARY)
    attempt = await dialing.ring()
    with unchanged():
        assert answers([await dialing.report(foreign(attempt))]) == ["NOT_FOUND"]
    await dialing.report(attempt)
    with unchanged():
        assert answers([await dialing.report(foreign(attempt))]) == ["NOT_FOUND"]


async def test_an_attempt_that_never_was_is_not_found(dialing, unchanged):
    dialing.person(PRIMARY)
    attempt = await dialing.ring()
    for attempt_id in ("1", "1.2.3", "1.1." + "0" * 32, "9.9." + attempt.attempt_id[4:]):
        attempt.attempt_id = attempt_id
        with unchanged():
            assert answers([await dialing.report(attempt)]) == ["NOT_FOUND"]


async def test_a_claimed_attempt_that_was_not_begun_is_not_ended_by_a_report(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    result = await dialing.report(attempt, "NO_ANSWER")
    assert answers([result]) != ["ACCEPTED"]
    assert await dialing.history(campaign_id) == []
    assert answers(await dialing.begin(attempt)) == ["BEGUN"]


async def test_each_report_of_a_batch_has_its_own_answer(dialing):
    for number in (PRIMARY, OFFICE, HOLIDAY, "+12025550103", "+12025550104"):
        dialing.person(number)
    fresh, replayed, conflict, unknown, released = await dialing.claim()
    await dialing.begin(fresh, replayed, conflict, unknown)
    await dialing.release(released)
    await dialing.report(replayed)
    await dialing.report(conflict)
    results = await dialing.report_all(
        outcome_report(released),
        outcome_report(foreign(unknown)),
        outcome_report(conflict, "BUSY"),
        outcome_report(fresh),
        outcome_report(replayed),
    )
    assert answers(results) == ["LEASE_LOST", "NOT_FOUND", "CONFLICT", "ACCEPTED", "REPLAYED"]
    assert [result.attempt_id for result in results] == [
        one.attempt_id for one in (released, unknown, conflict, fresh, replayed)
    ]
    assert [result.HasField("decision") for result in results] == [False] * 3 + [True, False]


async def test_two_reports_at_the_same_moment_count_once(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    both = await asyncio.gather(dialing.report(attempt), dialing.report(attempt))
    assert sorted(answers(both)) == ["ACCEPTED", "REPLAYED"]
    assert (await dialing.entry(campaign_id)).attempt_count == 1


# ---------------------------------------------------------------- nothing was dialed: D5


async def test_not_dialed_counts_nothing_and_is_due_in_ten_seconds(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    assert answers([await dialing.report(attempt, "NOT_DIALED")]) == ["ACCEPTED"]
    entry = await dialing.entry(campaign_id)
    assert (entry.attempt_count, entry.cycle, entry.due_in.seconds) == (0, 1, 10)
    assert await dialing.history(campaign_id) == []
    dialing.clock.advance(9)
    assert await dialing.claim() == []
    dialing.clock.advance(1)
    again = await dialing.ring()
    assert (again.number, again.attempt_number, rule_word(again.rule)) == (PRIMARY, 1, "FIRST_CALL")


async def test_not_dialed_gives_a_new_cycle_back(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    for _ in range(2):
        await dialing.report(await dialing.ring())
        dialing.clock.advance(60)
    dialing.clock.advance(60)
    attempt = await dialing.ring()
    assert (attempt.number, attempt.cycle, (await dialing.entry(campaign_id)).cycle) == (
        PRIMARY,
        2,
        2,
    )
    await dialing.report(attempt, "NOT_DIALED")
    assert (await dialing.entry(campaign_id)).cycle == 1
    dialing.clock.advance(10)
    again = await dialing.ring()
    assert (again.number, again.cycle, again.attempt_number) == (PRIMARY, 2, 3)


async def test_not_dialed_again_is_replayed_and_any_other_outcome_has_lost_its_lease(dialing):
    dialing.person(PRIMARY)
    attempt = await dialing.ring()
    await dialing.report(attempt, "NOT_DIALED")
    assert answers([await dialing.report(attempt, "NOT_DIALED")]) == ["REPLAYED"]
    assert answers([await dialing.report(attempt, "ANSWERED")]) == ["LEASE_LOST"]


async def test_an_accepted_not_dialed_says_what_is_next(dialing):
    dialing.person(PRIMARY, OFFICE)
    result = await dialing.report(await dialing.ring(), "NOT_DIALED")
    assert (result.decision.next_number, result.decision.next_call_in.seconds) == (PRIMARY, 10)
    assert after_start(result.decision.next_call_time) == 10


async def test_a_call_that_was_not_dialed_is_not_the_first_call(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    await dialing.report(await dialing.ring(), "NOT_DIALED")
    await dialing.stop(campaign_id)
    final = await dialing.final(campaign_id)
    assert (final.attempt_count, final.HasField("first_begin_time")) == (0, False)


# ---------------------------------------------------------------- durations: D4


async def test_history_tells_how_long_it_rang_and_they_talked(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.ring()
    dialing.clock.advance(50)
    await dialing.report(
        attempt, "ANSWERED", ring=8, talk=30, ended_ago=5, telephony_cause="16", channel_id="SIP/1"
    )
    [call] = await dialing.history(campaign_id)
    assert (call.ring_duration.seconds, call.talk_duration.seconds) == (8, 30)
    assert [after_start(at) for at in (call.begin_time, call.answer_time, call.end_time)] == [
        0, 15, 45,
    ]  # fmt: skip
    assert (call.telephony_cause, call.channel_id, call.worker_id) == ("16", "SIP/1", "worker")
    assert (call.attempt_id, call.settings_version, call.corrected) == (
        attempt.attempt_id,
        1,
        False,
    )


async def test_a_call_ends_neither_before_its_begin_nor_rings_longer_than_it_lasted(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    dialing.clock.advance(20)
    result = await dialing.report(attempt, ring=500, talk=600, ended_ago=7000)
    [call] = await dialing.history(campaign_id)
    assert after_start(call.end_time) == 0
    assert (call.ring_duration.seconds, call.talk_duration.seconds) == (0, 0)
    assert after_start(result.decision.next_call_time) == 60


async def test_the_delay_counts_from_the_end_of_the_call(dialing):
    dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    dialing.clock.advance(30)
    result = await dialing.report(attempt, ring=20, ended_ago=10)
    assert after_start(result.decision.next_call_time) == 80
    assert result.decision.next_call_in.seconds == 50


async def test_an_unanswered_call_has_no_answer_time(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring(), ring=3)
    [call] = await dialing.history(campaign_id)
    assert not call.HasField("answer_time")


# ---------------------------------------------------------------- bad requests


async def test_every_bad_field_is_named_and_nothing_is_recorded(dialing, unchanged):
    dialing.person(PRIMARY, **QUICK)
    attempt = await dialing.ring()
    good, bad = outcome_report(attempt), outcome_report(attempt, telephony_cause="x" * 201)
    bad.lease.attempt_id = ""
    bad.outcome = 99  # type: ignore[assignment]
    bad.ring_duration.seconds = -1
    bad.ended_ago.seconds = 7 * 86_400 + 1
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await dialing.report_all(good, bad, outcome_report(attempt, "UNSPECIFIED"))
    assert refusal.fields == {
        "reports[1].lease.attempt_id": "must be given",
        "reports[1].outcome": "is 99, which is no Outcome",
        "reports[1].ring_duration": "must be a duration from 0 to 604800 s",
        "reports[1].ended_ago": "must be a duration from 0 to 604800 s",
        "reports[1].telephony_cause": "has 201 characters, must have at most 200",
        "reports[2].lease.attempt_id": "is the same as in reports[0]",
        "reports[2].outcome": "must be given",
    }


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_request_has_1_to_1000_reports(dialing, count):
    report = pb.OutcomeReport(lease=pb.Lease(lease_token=NOBODY), outcome="OUTCOME_BUSY")
    reports = []
    for place in range(count):
        report.lease.attempt_id = str(place)
        reports.append(pb.OutcomeReport.FromString(report.SerializeToString()))
    with refused("INVALID_FIELD") as refusal:
        await dialing.report_all(*reports)
    assert refusal.fields == {"reports": f"has {count} items, must have 1 to 1000"}
