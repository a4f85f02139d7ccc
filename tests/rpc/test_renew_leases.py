"""RenewLeases: longer leases, and which calls were answered (D3)."""

import pytest

from callhopper.v1 import dialer_service_pb2 as pb
from callhopper.v1 import hopper_service_pb2 as hopper_pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import NOBODY, after_start, answers, foreign, lease_of, seconds, word

dialing = arrangement.dialing

PRIMARY, OFFICE, HOLIDAY = "+12025550100", "+12025550101", "+12025550102"


async def state(dialing, campaign_id):
    return word(hopper_pb.HopperEntry.State, (await dialing.entry(campaign_id)).state)


async def test_a_renewed_lease_lasts_from_now(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.ring()
    dialing.at(50)
    [result] = await dialing.renew(attempt, lease=45)
    assert (answers([result]), result.lease_duration) == (["RENEWED"], seconds(45))
    assert result.attempt_id == attempt.attempt_id
    dialing.at(94)
    await dialing.rescue()
    assert await state(dialing, campaign_id) == "LIVE"
    dialing.at(95)
    await dialing.rescue()
    assert await state(dialing, campaign_id) == "HELD"


async def test_a_lease_lasts_60_seconds_when_not_set_and_is_never_made_shorter(dialing):
    dialing.person(PRIMARY)
    attempt = await dialing.ring(lease=300)
    [result] = await dialing.renew(attempt)
    assert result.lease_duration == seconds(300)
    dialing.at(290)
    [result] = await dialing.renew(attempt)
    assert result.lease_duration == seconds(60)


async def test_a_claim_is_renewed_without_being_begun(dialing):
    dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    dialing.at(50)
    assert answers(await dialing.renew(attempt, answered=True)) == ["RENEWED"]
    dialing.at(100)
    assert answers(await dialing.begin(attempt)) == ["BEGUN"]


@pytest.mark.parametrize("is_rescued", [False, True])
async def test_a_claim_whose_lease_is_over_is_lost(dialing, is_rescued):
    dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    dialing.at(60)
    if is_rescued:
        await dialing.rescue()
    [result] = await dialing.renew(attempt)
    assert answers([result]) == ["LEASE_LOST"]
    assert not result.HasField("lease_duration")


async def test_a_silent_call_is_revived_as_long_as_it_is_held(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.ring()
    dialing.at(209)
    await dialing.rescue()
    assert answers(await dialing.renew(attempt)) == ["RENEWED"]
    assert await state(dialing, campaign_id) == "LIVE"
    assert answers([await dialing.report(attempt)]) == ["ACCEPTED"]
    assert len(await dialing.history(campaign_id)) == 1


async def test_a_call_recorded_as_unknown_is_lost_and_can_still_be_reported(dialing):
    dialing.person(PRIMARY)
    attempt = await dialing.ring()
    dialing.at(210)
    await dialing.rescue()
    assert answers(await dialing.renew(attempt)) == ["LEASE_LOST"]
    assert answers([await dialing.report(attempt, "BUSY")]) == ["LATE"]


async def test_the_first_renewal_that_says_so_is_when_the_call_was_answered(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.ring()
    for at, answered in ((10, False), (20, True), (30, True), (40, False)):
        dialing.at(at)
        await dialing.renew(attempt, answered=answered)
    dialing.at(50)
    await dialing.report(attempt, "ANSWERED", talk=5)
    [call] = await dialing.history(campaign_id)
    assert after_start(call.answer_time) == 20


async def test_an_answer_is_never_later_than_the_end(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.ring()
    dialing.at(20)
    await dialing.renew(attempt, answered=True)
    dialing.at(30)
    await dialing.report(attempt, "ANSWERED", ended_ago=25)
    [call] = await dialing.history(campaign_id)
    assert after_start(call.answer_time) <= after_start(call.end_time)


async def test_what_was_given_back_or_reported_is_lost(dialing):
    dialing.person(PRIMARY)
    dialing.person(OFFICE)
    given_back, reported = await dialing.claim()
    await dialing.release(given_back)
    await dialing.begin(reported)
    await dialing.report(reported)
    assert answers(await dialing.renew(given_back, reported)) == ["LEASE_LOST"] * 2


async def test_items_are_answered_one_by_one_in_the_order_of_the_request(dialing):
    for number in (PRIMARY, OFFICE, HOLIDAY):
        dialing.person(number)
    first, second, third = await dialing.claim()
    await dialing.release(second)
    nonsense = pb.ClaimedAttempt(attempt_id="nonsense", lease_token=NOBODY)
    results = await dialing.renew(foreign(first), second, nonsense, third)
    assert answers(results) == ["NOT_FOUND", "LEASE_LOST", "NOT_FOUND", "RENEWED"]
    assert [result.attempt_id for result in results] == [
        one.attempt_id for one in (first, second, nonsense, third)
    ]


async def test_every_bad_field_is_named_and_nothing_is_renewed(dialing, unchanged):
    dialing.person(PRIMARY)
    attempt = await dialing.ring()
    renewals = [
        pb.Renewal(lease=lease) for lease in (lease_of(attempt), pb.Lease(), lease_of(attempt))
    ]
    request = pb.RenewLeasesRequest(renewals=renewals, lease_duration=seconds(601))
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await dialing.dialer.RenewLeases(request)
    assert refusal.fields == {
        "renewals[1].lease.attempt_id": "must be given",
        "renewals[1].lease.lease_token": "must be given",
        "renewals[2].lease.attempt_id": "is the same as in renewals[0]",
        "lease_duration": "is 601 s, must be from 1 to 600 s",
    }


async def test_a_request_has_1_to_1000_renewals(dialing):
    with refused("INVALID_FIELD") as refusal:
        await dialing.dialer.RenewLeases(pb.RenewLeasesRequest())
    assert refusal.fields == {"renewals": "has 0 items, must have 1 to 1000"}
