"""ClaimAttempts asked again with the same request_id (D2)."""

import asyncio
from uuid import uuid4

from callhopper.v1 import dialer_service_pb2 as pb
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import lease_of, other_server, outcome_report, seconds

dialing = arrangement.dialing

PRIMARY = "+12025550100"


def numbers(attempts):
    return [attempt.number for attempt in attempts]


def ids(attempts):
    return [attempt.attempt_id for attempt in attempts]


async def many(dialing, make, how_many=3):
    list_id = make.contact_list()
    make.contacts(how_many, list_id)
    make.campaign(lists=[list_id])
    return str(uuid4())


async def test_the_same_request_id_gets_the_same_attempts(dialing, make):
    request_id = await many(dialing, make)
    first = await dialing.claim(2, request_id=request_id)
    dialing.clock.advance(10)
    again = await dialing.claim(2, request_id=request_id)
    assert [lease_of(one) for one in again] == [lease_of(one) for one in first]
    assert [one.lease_duration for one in again] == [seconds(50)] * 2
    assert numbers(again) == numbers(first)


async def test_another_request_id_gets_others(dialing, make):
    request_id = await many(dialing, make)
    first = await dialing.claim(2, request_id=request_id)
    second = await dialing.claim(2, request_id=str(uuid4()))
    assert len(second) == 1
    assert not set(ids(first)) & set(ids(second))


async def test_no_request_id_gets_others(dialing, make):
    await many(dialing, make)
    assert len({attempt for _ in range(3) for attempt in ids(await dialing.claim(1))}) == 3


async def test_the_same_request_after_begin_tells_that_they_are_begun(dialing, make):
    request_id = await many(dialing, make)
    first = await dialing.claim(2, request_id=request_id)
    await dialing.begin(first[0])
    again = await dialing.claim(2, request_id=request_id)
    assert {one.attempt_id: one.begun for one in again} == {
        first[0].attempt_id: True, first[1].attempt_id: False,
    }  # fmt: skip


async def test_the_same_request_after_some_were_reported_gets_the_rest(dialing, make):
    request_id = await many(dialing, make)
    first = await dialing.claim(3, request_id=request_id, begin=True)
    await dialing.report(first[1])
    again = await dialing.claim(3, request_id=request_id, begin=True)
    assert sorted(ids(again)) == sorted(ids([first[0], first[2]]))


async def test_the_same_request_after_all_were_reported_gets_nothing(dialing, make):
    request_id = await many(dialing, make)
    first = await dialing.claim(2, request_id=request_id, begin=True)
    await dialing.report_all(*map(outcome_report, first))
    assert await dialing.claim(2, request_id=request_id, begin=True) == []


async def test_a_request_that_got_nothing_may_get_something_later(dialing):
    request_id = str(uuid4())
    assert await dialing.claim(request_id=request_id) == []
    dialing.person(PRIMARY)
    assert numbers(await dialing.claim(request_id=request_id)) == [PRIMARY]


async def test_the_same_request_twice_at_once_gets_the_same(dialing, make):
    request_id = await many(dialing, make, 10)
    both = await asyncio.gather(
        *(dialing.claim(2, request_id=request_id, wait=2) for _ in range(2))
    )
    assert ids(both[0]) == ids(both[1])
    assert len(both[0]) == 2


async def test_the_same_request_answers_in_the_same_order(dialing, make):
    list_id = make.contact_list()
    for priority in (3, 1, 2):
        make.contact(list_id, priority=priority)
    make.campaign(lists=[list_id])
    request_id = str(uuid4())
    first = await dialing.claim(request_id=request_id)
    assert ids(await dialing.claim(request_id=request_id)) == ids(first)


async def test_the_same_request_to_two_servers_gets_the_same(dialing, make, settings, database):
    async with other_server(settings, database) as other:
        for _ in range(5):
            request = pb.ClaimAttemptsRequest(
                worker_id="worker",
                request_id=await many(dialing, make, 4),
                max_attempts=2,
                wait_duration=seconds(5),
            )
            both = await asyncio.gather(
                dialing.dialer.ClaimAttempts(request), other.ClaimAttempts(request)
            )
            assert ids(both[0].attempts) == ids(both[1].attempts)
            assert len(both[0].attempts) == 2
