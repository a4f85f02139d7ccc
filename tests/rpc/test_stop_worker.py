"""StopWorker: a draining worker gets nothing more."""

import asyncio

from callhopper.v1 import dialer_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import answers, other_server, seconds, wait_for_claims

dialing = arrangement.dialing

PRIMARY, OFFICE, HOLIDAY = "+12025550100", "+12025550101", "+12025550102"


async def stop(dialing, worker_id="worker"):
    return await dialing.dialer.StopWorker(pb.StopWorkerRequest(worker_id=worker_id))


async def test_what_was_not_begun_is_released_and_what_was_goes_on(dialing):
    for number in (PRIMARY, OFFICE, HOLIDAY):
        dialing.person(number)
    first, second, third = await dialing.claim()
    await dialing.begin(second)
    answer = await stop(dialing)
    assert (answer.released_attempt_count, answer.begun_attempt_count) == (2, 1)
    assert answers(await dialing.begin(first, third)) == ["LEASE_LOST"] * 2
    assert answers(await dialing.renew(second)) == ["RENEWED"]
    assert answers([await dialing.report(second)]) == ["ACCEPTED"]
    assert len(await dialing.claim(worker="other")) == 2


async def test_later_claims_are_answered_empty_and_say_so(dialing):
    dialing.person(PRIMARY)
    await stop(dialing)
    answer = await asyncio.wait_for(dialing.ask(wait=20), 5)
    assert (list(answer.attempts), answer.draining) == ([], True)
    other = await dialing.ask(worker="other")
    assert (len(other.attempts), other.draining) == (1, False)


async def test_a_waiting_claim_is_answered_empty_and_says_so(dialing, server):
    claim = asyncio.create_task(dialing.ask(wait=20))
    await wait_for_claims(server)
    await stop(dialing)
    answer = await asyncio.wait_for(claim, 5)
    assert (list(answer.attempts), answer.draining) == ([], True)


async def test_a_claim_that_waits_at_another_server_is_answered_empty_too(
    dialing, settings, database
):
    request = pb.ClaimAttemptsRequest(worker_id="worker", wait_duration=seconds(20))
    async with other_server(settings, database) as other:
        claim = asyncio.ensure_future(other.ClaimAttempts(request))
        await stop(dialing)
        answer = await asyncio.wait_for(claim, 5)
    assert (list(answer.attempts), answer.draining) == ([], True)


async def test_stopping_again_changes_nothing(dialing, unchanged):
    dialing.person(PRIMARY)
    await dialing.ring()
    first = await stop(dialing)
    with unchanged():
        again = await stop(dialing)
    assert first == again == pb.StopWorkerResponse(begun_attempt_count=1)


async def test_a_worker_nobody_knows_may_be_stopped(dialing):
    assert await stop(dialing, "nobody") == pb.StopWorkerResponse()


async def test_a_bad_worker_id_is_refused(dialing, unchanged):
    for worker_id, reason in (
        (" ", "must be given"),
        ("x" * 129, "has 129 characters, must have at most 128"),
    ):
        with unchanged(), refused("INVALID_FIELD") as refusal:
            await stop(dialing, worker_id)
        assert refusal.fields == {"worker_id": reason}
