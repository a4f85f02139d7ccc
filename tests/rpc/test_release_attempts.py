"""ReleaseAttempts: claimed attempts that are given back (D2)."""

from callhopper.v1 import dialer_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import after_start, answers, foreign, lease_of, reason_word

dialing = arrangement.dialing

PRIMARY, OFFICE, HOLIDAY = "+12025550100", "+12025550101", "+12025550102"


async def test_what_is_given_back_counts_nothing_and_is_due_at_once(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    attempt = await dialing.claim_one()
    dialing.at(20)
    [result] = await dialing.release(attempt)
    assert (answers([result]), result.attempt_id) == (["RELEASED"], attempt.attempt_id)
    entry = await dialing.entry(campaign_id)
    assert (entry.attempt_count, entry.cycle, after_start(entry.scheduled_time)) == (0, 1, 20)
    again = await dialing.claim_one(worker="other")
    assert (again.number, again.attempt_number) == (PRIMARY, 1)
    assert again.attempt_id != attempt.attempt_id


async def test_giving_back_again_answers_the_same(dialing, unchanged):
    dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    await dialing.release(attempt)
    with unchanged():
        assert answers(await dialing.release(attempt)) == ["RELEASED"]


async def test_a_begun_attempt_is_not_given_back(dialing, unchanged):
    dialing.person(PRIMARY)
    attempt = await dialing.ring()
    with unchanged():
        assert answers(await dialing.release(attempt)) == ["BEGUN"]
    dialing.at(60)
    await dialing.rescue()
    assert answers(await dialing.release(attempt)) == ["BEGUN"]


async def test_a_reported_call_was_not_given_back(dialing, unchanged):
    dialing.person(PRIMARY)
    attempt = await dialing.ring()
    await dialing.report(attempt)
    with unchanged():
        assert answers(await dialing.release(attempt)) != ["RELEASED"]


async def test_a_claim_whose_lease_ended_is_given_back_before_or_after_the_rescue(dialing):
    dialing.person(PRIMARY)
    dialing.person(OFFICE)
    first, second = await dialing.claim()
    dialing.at(60)
    assert answers(await dialing.release(first)) == ["RELEASED"]
    await dialing.rescue()
    assert answers(await dialing.release(second)) == ["RELEASED"]


async def test_an_entry_that_was_to_close_closes_when_it_is_given_back(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    assert (await dialing.stop(campaign_id)).live_entry_count == 1
    await dialing.release(attempt)
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), final.attempt_count) == ("STOPPED", 0)


async def test_items_are_answered_one_by_one_in_the_order_of_the_request(dialing):
    for number in (PRIMARY, OFFICE, HOLIDAY):
        dialing.person(number)
    first, second, third = await dialing.claim()
    await dialing.begin(second)
    results = await dialing.release(foreign(first), second, third)
    assert answers(results) == ["NOT_FOUND", "BEGUN", "RELEASED"]
    assert [result.attempt_id for result in results] == [
        one.attempt_id for one in (first, second, third)
    ]


async def test_every_bad_field_is_named_and_nothing_is_given_back(dialing, unchanged):
    dialing.person(PRIMARY)
    attempt = await dialing.claim_one()
    leases = [lease_of(attempt), pb.Lease(attempt_id="x" * 201), lease_of(attempt)]
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await dialing.dialer.ReleaseAttempts(pb.ReleaseAttemptsRequest(leases=leases))
    assert refusal.fields == {
        "leases[1].attempt_id": "has 201 characters, must have at most 200",
        "leases[1].lease_token": "must be given",
        "leases[2].attempt_id": "is the same as in leases[0]",
    }
    with refused("INVALID_FIELD") as refusal:
        await dialing.release()
    assert refusal.fields == {"leases": "has 0 items, must have 1 to 1000"}
