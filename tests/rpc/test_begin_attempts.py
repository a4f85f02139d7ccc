"""BeginAttempts: the permission to dial, stored before it is given (D2)."""

import asyncio
from datetime import timedelta

import pytest

from callhopper.v1 import contact_service_pb2 as contacts_pb
from callhopper.v1 import dialer_service_pb2 as pb
from callhopper.v1 import hopper_service_pb2 as hopper_pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import NOBODY, START, answers, foreign, lease_of, reason_word, seconds

dialing = arrangement.dialing

PRIMARY, OFFICE, HOLIDAY = "+12025550100", "+12025550101", "+12025550102"


async def test_a_claimed_attempt_may_be_dialed_once_it_is_begun(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    dialing.clock.advance(5)
    [result] = await dialing.begin(attempt, lease=90)
    assert (answers([result]), result.attempt_id) == (["BEGUN"], attempt.attempt_id)
    assert result.lease_duration == seconds(90)
    dialing.clock.advance(1)
    await dialing.report(attempt)
    [call] = await dialing.history(campaign_id)
    assert call.begin_time.ToDatetime(START.tzinfo) == START + timedelta(seconds=5)


async def test_a_lease_lasts_60_seconds_when_not_set_and_never_less_than_the_ringing(dialing):
    dialing.person(PRIMARY)
    dialing.person(OFFICE)
    first, second = await dialing.claim()
    [result] = await dialing.begin(first)
    assert result.lease_duration == seconds(60)
    [result] = await dialing.begin(second, lease=1)
    assert result.lease_duration == seconds(30)


async def test_begin_is_idempotent(dialing, unchanged):
    dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    await dialing.begin(attempt)
    dialing.clock.advance(10)
    with unchanged():
        [again] = await dialing.begin(attempt)
    assert (answers([again]), again.lease_duration) == (["BEGUN"], seconds(50))


async def test_two_begins_at_the_same_moment_are_one(dialing):
    dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    both = await asyncio.gather(dialing.begin(attempt), dialing.begin(attempt))
    assert [answers(one) for one in both] == [["BEGUN"], ["BEGUN"]]
    assert answers([await dialing.report(attempt)]) == ["ACCEPTED"]


async def test_a_begun_attempt_stays_begun_after_a_pause(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.ring()
    await dialing.pause(campaign_id)
    assert answers(await dialing.begin(attempt)) == ["BEGUN"]
    assert answers([await dialing.report(attempt)]) == ["ACCEPTED"]


# ---------------------------------------------------------------- refused and released


async def refused_and_uncounted(dialing, campaign_id, attempt):
    [result] = await dialing.begin(attempt)
    assert answers([result]) == ["REFUSED"]
    assert not result.HasField("lease_duration")
    assert answers(await dialing.begin(attempt)) == ["LEASE_LOST"]
    assert await dialing.history(campaign_id) == []
    assert (await dialing.stats(campaign_id)).live_count == 0
    assert dialing.make.rows("select reason, was_begun from released_attempt") == [
        {"reason": "REFUSED", "was_begun": False}
    ]


async def test_a_paused_campaign_begins_nothing_and_goes_on_where_it_was(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.claim_one()
    await dialing.pause(campaign_id)
    await refused_and_uncounted(dialing, campaign_id, attempt)
    assert (await dialing.entry(campaign_id)).attempt_count == 0
    await dialing.start(campaign_id)
    again = await dialing.ring()
    assert (again.number, again.attempt_number) == (PRIMARY, 1)


async def test_a_stopped_campaign_begins_nothing_and_closes_the_entry(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.claim_one()
    await dialing.stop(campaign_id)
    await refused_and_uncounted(dialing, campaign_id, attempt)
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), final.attempt_count, final.cycle_count) == ("STOPPED", 0, 0)


async def test_a_removed_entry_is_not_begun_and_closes(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.claim_one()
    await dialing.hopper.RemoveEntry(hopper_pb.RemoveEntryRequest(name=attempt.entry))
    await refused_and_uncounted(dialing, campaign_id, attempt)
    assert reason_word((await dialing.final(campaign_id)).reason) == "REMOVED"


async def test_a_removed_number_is_not_begun_and_another_is_dialed(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.claim_one()
    contact = contacts_pb.Contact(name=f"contacts/{contact_id}", phone=HOLIDAY)
    await dialing.contacts.UpdateContact(contacts_pb.UpdateContactRequest(contact=contact))
    await refused_and_uncounted(dialing, campaign_id, attempt)
    assert (await dialing.ring()).number == HOLIDAY


async def test_a_deleted_contact_is_not_begun_and_closes(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.claim_one()
    await dialing.contacts.DeleteContact(
        contacts_pb.DeleteContactRequest(name=f"contacts/{contact_id}")
    )
    await refused_and_uncounted(dialing, campaign_id, attempt)
    assert reason_word((await dialing.final(campaign_id)).reason) == "DELETED"


async def test_a_campaign_that_ended_begins_nothing(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.claim_one()
    dialing.set_campaign(campaign_id, end_at=START + timedelta(seconds=10))
    dialing.at(10)
    await refused_and_uncounted(dialing, campaign_id, attempt)


async def test_a_released_attempt_of_a_new_cycle_gives_no_cycle_away(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    await dialing.report(await dialing.ring())
    dialing.clock.advance(120)
    attempt = await dialing.claim_one()
    assert (attempt.cycle, (await dialing.entry(campaign_id)).cycle) == (2, 1)
    await dialing.pause(campaign_id)
    assert answers(await dialing.begin(attempt)) == ["REFUSED"]
    await dialing.start(campaign_id)
    again = await dialing.ring()
    assert (again.cycle, (await dialing.entry(campaign_id)).cycle) == (2, 2)


# ---------------------------------------------------------------- lost and unknown


async def test_a_lease_that_is_over_is_lost_to_the_second(dialing):
    dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    dialing.at(60)
    assert answers(await dialing.begin(attempt)) == ["LEASE_LOST"]
    dialing.at(59)
    assert answers(await dialing.begin(attempt)) == ["BEGUN"]


@pytest.mark.parametrize("is_rescued", [False, True])
async def test_a_claim_that_came_too_late_is_lost(dialing, is_rescued):
    dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    dialing.at(61)
    if is_rescued:
        await dialing.rescue()
    assert answers(await dialing.begin(attempt)) == ["LEASE_LOST"]


async def test_what_was_given_back_is_lost(dialing):
    dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    await dialing.release(attempt)
    assert answers(await dialing.begin(attempt)) == ["LEASE_LOST"]
    other = await dialing.ring(worker="other")
    assert answers(await dialing.begin(attempt)) == ["LEASE_LOST"]
    assert answers([await dialing.report(other)]) == ["ACCEPTED"]


async def test_what_was_reported_is_lost(dialing):
    dialing.person(PRIMARY)
    attempt = await dialing.ring()
    await dialing.report(attempt)
    assert answers(await dialing.begin(attempt)) == ["LEASE_LOST"]


async def test_a_token_of_somebody_else_begins_nothing(dialing, unchanged):
    dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    with unchanged():
        assert answers(await dialing.begin(foreign(attempt))) == ["NOT_FOUND"]
    assert answers(await dialing.begin(attempt)) == ["BEGUN"]


async def test_items_are_answered_one_by_one_in_the_order_of_the_request(dialing):
    for number in (PRIMARY, OFFICE):
        dialing.person(number)
    paused, _ = dialing.person(HOLIDAY)
    attempts = {attempt.number: attempt for attempt in await dialing.claim()}
    await dialing.pause(paused)
    nonsense = pb.ClaimedAttempt(attempt_id="nonsense", lease_token=NOBODY)
    stranger = foreign(attempts[PRIMARY])
    results = await dialing.begin(attempts[HOLIDAY], nonsense, attempts[OFFICE], stranger)
    assert answers(results) == ["REFUSED", "NOT_FOUND", "BEGUN", "NOT_FOUND"]
    assert [result.attempt_id for result in results] == [
        one.attempt_id for one in (attempts[HOLIDAY], nonsense, attempts[OFFICE], stranger)
    ]


# ---------------------------------------------------------------- bad requests


async def test_every_bad_field_is_named_and_nothing_is_begun(dialing, unchanged):
    dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    leases = [lease_of(attempt), pb.Lease(attempt_id="x"), lease_of(attempt)]
    request = pb.BeginAttemptsRequest(leases=leases, lease_duration=seconds(0))
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await dialing.dialer.BeginAttempts(request)
    assert refusal.fields == {
        "leases[1].lease_token": "must be given",
        "leases[2].attempt_id": "is the same as in leases[0]",
        "lease_duration": "is 0 s, must be from 1 to 600 s",
    }


async def test_a_request_has_1_to_1000_attempts(dialing):
    leases = [pb.Lease(attempt_id=str(place), lease_token=NOBODY) for place in range(1001)]
    for count in (0, 1001):
        with refused("INVALID_FIELD") as refusal:
            await dialing.dialer.BeginAttempts(pb.BeginAttemptsRequest(leases=leases[:count]))
        assert refusal.fields == {"leases": f"has {count} items, must have 1 to 1000"}
    answer = await dialing.dialer.BeginAttempts(pb.BeginAttemptsRequest(leases=leases[:1000]))
    assert set(answers(answer.results)) == {"NOT_FOUND"}
