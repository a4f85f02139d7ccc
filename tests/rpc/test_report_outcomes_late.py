"""ReportOutcomes after a worker went silent: holds, late reports, renewals (D3)."""

import pytest

from callhopper.v1 import hopper_service_pb2 as hopper_pb
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import after_start, answers, reason_word, rule_word, status_word, word

dialing = arrangement.dialing

PRIMARY, OFFICE, HOLIDAY = "+12025550100", "+12025550101", "+12025550102"
LEASE = 60
QUARANTINE = 150
TALK = 7200


def state(entry):
    return word(hopper_pb.HopperEntry.State, entry.state)


async def hold(dialing, *numbers, **settings):
    """Begin a call and go silent until it is held."""
    campaign_id, _ = dialing.person(*numbers, **settings)
    attempt = await dialing.ring()
    dialing.at(LEASE)
    await dialing.rescue()
    assert state(await dialing.entry(campaign_id)) == "HELD"
    return campaign_id, attempt


async def lose(dialing, *numbers, **settings):
    """Begin a call and go silent until it is UNKNOWN."""
    campaign_id, attempt = await hold(dialing, *numbers, **settings)
    dialing.at(LEASE + QUARANTINE)
    await dialing.rescue()
    return campaign_id, attempt


# ---------------------------------------------------------------- the hold


async def test_a_silent_call_is_held_from_the_second_its_lease_ends(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    await dialing.ring()
    dialing.at(LEASE - 1)
    await dialing.rescue()
    assert state(await dialing.entry(campaign_id)) == "LIVE"
    dialing.at(LEASE)
    await dialing.rescue()
    assert state(await dialing.entry(campaign_id)) == "HELD"
    assert (await dialing.stats(campaign_id)).held_count == 1
    assert await dialing.claim() == []


async def test_a_hold_keeps_person_and_number_from_other_campaigns(dialing):
    await hold(dialing, PRIMARY, OFFICE)
    other, _ = dialing.person(PRIMARY)
    assert await dialing.claim() == []
    assert (await dialing.entry(other)).due_in.seconds == 30


async def test_a_report_within_the_hold_is_accepted(dialing):
    campaign_id, attempt = await hold(dialing, PRIMARY, OFFICE)
    dialing.at(LEASE + QUARANTINE)
    result = await dialing.report(attempt, "BUSY", ended_ago=200)
    assert answers([result]) == ["ACCEPTED"]
    assert after_start(result.decision.next_call_time) == 10 + 60
    [call] = await dialing.history(campaign_id)
    assert (status_word(call.status), call.corrected) == ("BUSY", False)
    assert (await dialing.ring()).number == OFFICE


async def test_not_dialed_within_the_hold_counts_nothing(dialing):
    campaign_id, attempt = await hold(dialing, PRIMARY, OFFICE)
    assert answers([await dialing.report(attempt, "NOT_DIALED")]) == ["ACCEPTED"]
    entry = await dialing.entry(campaign_id)
    assert (state(entry), entry.attempt_count, entry.due_in.seconds) == ("READY", 0, 10)


async def test_the_hold_ends_as_unknown_to_the_second(dialing):
    campaign_id, _ = await hold(dialing, PRIMARY, OFFICE)
    dialing.at(LEASE + QUARANTINE - 1)
    await dialing.rescue()
    assert state(await dialing.entry(campaign_id)) == "HELD"
    dialing.at(LEASE + QUARANTINE)
    await dialing.rescue()
    entry = await dialing.entry(campaign_id)
    assert (state(entry), entry.next_number, status_word(entry.last_status)) == (
        "READY", OFFICE, "UNKNOWN",
    )  # fmt: skip
    assert after_start(entry.scheduled_time) == LEASE + QUARANTINE + 60
    [call] = await dialing.history(campaign_id)
    assert (status_word(call.status), after_start(call.end_time)) == ("UNKNOWN", LEASE + QUARANTINE)
    assert not call.HasField("answer_time")


async def test_a_loop_that_comes_late_still_ends_the_hold_at_its_end(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    await dialing.ring()
    dialing.at(LEASE + QUARANTINE + 1000)
    await dialing.rescue()
    [call] = await dialing.history(campaign_id)
    assert after_start(call.end_time) == LEASE + QUARANTINE
    entry = await dialing.entry(campaign_id)
    assert after_start(entry.scheduled_time) == LEASE + QUARANTINE + 60


async def test_unknown_counts_one_in_the_total_and_waits_as_no_answer_does(dialing):
    campaign_id, _ = await lose(dialing, PRIMARY, global_max_attempts=2)
    entry = await dialing.entry(campaign_id)
    assert rule_word(entry.next_rule) == "NEXT_CYCLE"
    assert after_start(entry.scheduled_time) == LEASE + QUARANTINE + 120
    dialing.clock.advance(120)
    await dialing.report(await dialing.ring())
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), final.tallies[0].total) == ("RETRY_LIMIT", 2)


async def test_the_quarantine_is_the_campaigns(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    dialing.set_campaign(campaign_id, quarantine="0 seconds")
    await dialing.ring()
    dialing.at(LEASE)
    await dialing.rescue()
    [call] = await dialing.history(campaign_id)
    assert (status_word(call.status), after_start(call.end_time)) == ("UNKNOWN", LEASE)


async def test_a_lease_lasts_at_least_as_long_as_the_call_may_ring(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring(lease=1)
    assert attempt.lease_duration.seconds == attempt.ring_timeout.seconds == 30
    dialing.at(29)
    await dialing.rescue()
    assert state(await dialing.entry(campaign_id)) == "LIVE"


async def test_a_claim_whose_lease_ends_never_rang(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.claim_one()
    dialing.at(LEASE - 1)
    await dialing.rescue()
    assert state(await dialing.entry(campaign_id)) == "LIVE"
    dialing.at(LEASE)
    await dialing.rescue()
    entry = await dialing.entry(campaign_id)
    assert (state(entry), entry.attempt_count) == ("READY", 0)
    assert answers([await dialing.report(attempt, "BUSY")]) == ["LEASE_LOST"]
    assert await dialing.history(campaign_id) == []
    assert (await dialing.ring()).number == PRIMARY


# ---------------------------------------------------------------- renewals


async def test_a_renewal_revives_a_held_call(dialing):
    campaign_id, attempt = await hold(dialing, PRIMARY, OFFICE)
    assert answers(await dialing.renew(attempt)) == ["RENEWED"]
    assert state(await dialing.entry(campaign_id)) == "LIVE"
    dialing.at(LEASE + 59)
    await dialing.rescue()
    assert state(await dialing.entry(campaign_id)) == "LIVE"
    dialing.at(LEASE + 60)
    await dialing.rescue()
    assert state(await dialing.entry(campaign_id)) == "HELD"
    dialing.at(LEASE + 60 + QUARANTINE - 1)
    await dialing.rescue()
    assert await dialing.history(campaign_id) == []
    dialing.at(LEASE + 60 + QUARANTINE)
    await dialing.rescue()
    assert len(await dialing.history(campaign_id)) == 1


async def test_an_answered_call_that_goes_silent_is_held_max_talk_and_closes_as_reached(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.ring()
    dialing.at(10)
    await dialing.renew(attempt, answered=True)
    end = 10 + LEASE + TALK
    dialing.at(end - 1)
    await dialing.rescue()
    assert state(await dialing.entry(campaign_id)) == "HELD"
    dialing.at(end)
    await dialing.rescue()
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), status_word(final.last_status)) == ("REACHED", "ANSWERED")
    [call] = await dialing.history(campaign_id)
    assert (after_start(call.answer_time), after_start(call.end_time)) == (10, end)
    assert answers([await dialing.report(attempt, "ANSWERED")]) == ["REPLAYED"]
    assert answers([await dialing.report(attempt, "BUSY")]) == ["CONFLICT"]


# ---------------------------------------------------------------- late reports


@pytest.mark.parametrize("outcome", ["NO_ANSWER", "BUSY", "NO_SUCH_NUMBER"])
async def test_a_late_failure_corrects_history_and_no_decision(dialing, outcome):
    campaign_id, attempt = await lose(dialing, PRIMARY, OFFICE)
    before = await dialing.entry(campaign_id)
    result = await dialing.report(attempt, outcome, ring=20, telephony_cause="17", channel_id="c")
    assert answers([result]) == ["LATE"]
    assert not result.HasField("decision")
    assert await dialing.entry(campaign_id) == before
    [call] = await dialing.history(campaign_id)
    assert (status_word(call.status), call.corrected) == (outcome, True)
    assert (call.ring_duration.seconds, call.telephony_cause, call.channel_id) == (20, "17", "c")
    assert after_start(call.end_time) == LEASE + QUARANTINE
    assert dialing.make.rows("select outcome, answer from late_report") == [
        {"outcome": outcome, "answer": "LATE"}
    ]


async def test_a_late_report_again_is_replayed_and_another_outcome_a_conflict(dialing):
    campaign_id, attempt = await lose(dialing, PRIMARY, OFFICE)
    for outcome, answer in (("BUSY", "LATE"), ("BUSY", "REPLAYED"), ("ANSWERED", "CONFLICT")):
        assert answers([await dialing.report(attempt, outcome)]) == [answer]
    assert len(await dialing.entries(campaign_id)) == 1


async def test_a_late_answer_closes_the_open_entry(dialing):
    campaign_id, attempt = await lose(dialing, PRIMARY, OFFICE)
    assert answers([await dialing.report(attempt, "ANSWERED", talk=90)]) == ["LATE"]
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), status_word(final.last_status)) == ("REACHED", "ANSWERED")
    assert final.attempt_count == 1
    [call] = await dialing.history(campaign_id)
    assert (status_word(call.status), call.corrected, call.talk_duration.seconds) == (
        "ANSWERED", True, 90,
    )  # fmt: skip
    dialing.clock.advance(3600)
    assert await dialing.claim() == []


@pytest.mark.parametrize("outcome", ["NO_ANSWER", "ANSWERED"])
async def test_a_late_answer_lets_a_later_call_end_and_then_closes(dialing, outcome):
    campaign_id, attempt = await lose(dialing, PRIMARY, OFFICE)
    dialing.clock.advance(60)
    later = await dialing.ring()
    assert later.number == OFFICE
    assert answers([await dialing.report(attempt, "ANSWERED")]) == ["LATE"]
    assert state(await dialing.entry(campaign_id)) == "LIVE"
    result = await dialing.report(later, outcome)
    assert reason_word(result.decision.closed_reason) == "REACHED"
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), final.attempt_count) == ("REACHED", 2)
    assert (final.last_number, status_word(final.last_status)) == (OFFICE, outcome)


async def test_a_late_answer_refuses_the_begin_of_a_later_claim(dialing):
    campaign_id, attempt = await lose(dialing, PRIMARY, OFFICE)
    dialing.clock.advance(60)
    later = await dialing.claim_one()
    await dialing.report(attempt, "ANSWERED")
    assert answers(await dialing.begin(later)) == ["REFUSED"]
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), final.attempt_count) == ("REACHED", 1)


async def test_a_late_answer_of_a_closed_entry_corrects_history_only(dialing):
    campaign_id, attempt = await lose(dialing, PRIMARY, global_max_attempts=1)
    before = await dialing.final(campaign_id)
    assert reason_word(before.reason) == "RETRY_LIMIT"
    assert answers([await dialing.report(attempt, "ANSWERED")]) == ["LATE"]
    assert await dialing.final(campaign_id) == before
    [call] = await dialing.history(campaign_id)
    assert (status_word(call.status), call.corrected) == ("ANSWERED", True)


async def test_not_dialed_comes_too_late_to_be_uncounted(dialing):
    campaign_id, attempt = await lose(dialing, PRIMARY, OFFICE)
    assert answers([await dialing.report(attempt, "NOT_DIALED")]) == ["CONFLICT"]
    [call] = await dialing.history(campaign_id)
    assert (status_word(call.status), call.corrected) == ("UNKNOWN", False)
    assert dialing.make.rows("select outcome from late_report") == [{"outcome": "NOT_DIALED"}]


async def test_a_late_answer_has_an_answer_time_within_the_call(dialing):
    campaign_id, attempt = await lose(dialing, PRIMARY, OFFICE)
    await dialing.report(attempt, "ANSWERED", ring=5, talk=90)
    [call] = await dialing.history(campaign_id)
    assert call.HasField("answer_time")
    assert 0 <= after_start(call.answer_time) <= after_start(call.end_time)


async def test_durations_of_a_late_report_are_clamped_to_the_call(dialing):
    campaign_id, attempt = await lose(dialing, PRIMARY, OFFICE)
    await dialing.report(attempt, "MACHINE", ring=100_000, talk=100_000)
    [call] = await dialing.history(campaign_id)
    lasted = LEASE + QUARANTINE
    assert call.ring_duration.seconds <= lasted
    assert call.talk_duration.seconds <= lasted


# ---------------------------------------------------------------- live entries that close (E4)


@pytest.mark.parametrize(("outcome", "reason"), [("BUSY", "STOPPED"), ("ANSWERED", "REACHED")])
async def test_a_held_entry_of_a_stopped_campaign_closes_when_it_is_reported(
    dialing, outcome, reason
):
    campaign_id, attempt = await hold(dialing, PRIMARY, OFFICE)
    await dialing.stop(campaign_id)
    assert state(await dialing.entry(campaign_id)) == "HELD"
    result = await dialing.report(attempt, outcome)
    assert reason_word(result.decision.closed_reason) == reason
    assert reason_word((await dialing.final(campaign_id)).reason) == reason


async def test_a_held_entry_of_a_stopped_campaign_closes_when_the_hold_ends(dialing):
    campaign_id, _ = await hold(dialing, PRIMARY, OFFICE)
    await dialing.stop(campaign_id)
    dialing.at(LEASE + QUARANTINE)
    await dialing.rescue()
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), status_word(final.last_status)) == ("STOPPED", "UNKNOWN")
