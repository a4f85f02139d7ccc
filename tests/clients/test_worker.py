"""The Python worker: what it promises, and what it does when the server or a call fails."""

import asyncio
import logging
import os
import signal
from datetime import timedelta

import grpc
import pytest

from callhopper import Call, DialRule, NotDialed, Outcome, Result, Worker, clock
from callhopper.v1 import dialer_service_pb2 as pb
from callhopper.v1 import types_pb2 as types
from tests.clients.scripted_server import ScriptedServer, serving

TRANSPORT = [
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
]


class Phones:
    """A dial function: calls are up until the test ends them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.live = 0
        self.peak = 0
        self.over = asyncio.Event()
        self._placed = asyncio.Event()

    async def __call__(self, call: Call) -> Result:
        self.calls.append(call)
        self.live += 1
        self.peak = max(self.peak, self.live)
        self._placed.set()
        try:
            await self.over.wait()
        finally:
            self.live -= 1
        return Result(Outcome.BUSY)

    @property
    def numbers(self) -> list[str]:
        return [call.number for call in self.calls]

    async def placed(self, calls: int) -> None:
        async with asyncio.timeout(20):
            while len(self.calls) < calls:
                self._placed.clear()
                await self._placed.wait()


async def busy(call: Call) -> Outcome:
    return Outcome.BUSY


async def until(true, within=20.0) -> None:
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - counters have no event
            await asyncio.sleep(0.005)


async def all_reported(scripted: ScriptedServer, *numbers: str) -> None:
    await scripted.until(lambda: all(map(scripted.is_reported, numbers)))


def numbers(count: int) -> list[str]:
    return [f"+4930{index:05}" for index in range(count)]


# ---------------------------------------------------------------------- dialing and reporting


@pytest.mark.parametrize("begin_on_claim", [True, False])
async def test_what_is_due_is_dialed_once_and_reported(scripted, start, begin_on_claim):
    phones = Phones()
    phones.over.set()
    worker, _ = await start(phones, begin_on_claim=begin_on_claim)
    due = numbers(20)
    await scripted.offer(*due)
    await all_reported(scripted, *due)
    assert sorted(phones.numbers) == due
    assert scripted.reports() == {number: [types.OUTCOME_BUSY] for number in due}
    await until(lambda: worker.stats.reports == {"ACCEPTED": 20})
    assert (worker.stats.claimed, worker.stats.dialed) == (20, 20)
    assert bool(scripted.sent("BeginAttempts")) is not begin_on_claim


async def test_a_call_shows_what_the_attempt_says(scripted, start):
    phones = Phones()
    await start(phones)
    await scripted.offer("+4930", ring_timeout=timedelta(seconds=25))
    await phones.placed(1)
    [call] = phones.calls
    assert call.number == "+4930"
    assert call.campaign == "campaigns/1"
    assert call.contact == "contacts/+4930"
    assert call.ring_timeout == timedelta(seconds=25)
    assert call.rule is DialRule.FIRST_CALL
    assert call.first_name == "Ada"
    assert call.may_be_dialed
    assert 50 < call.deadline - clock() <= 58


async def test_a_call_in_a_log_shows_neither_number_nor_name(scripted, start):
    phones = Phones()
    await start(phones)
    scripted.offers.append(
        pb.ClaimedAttempt(attempt_id="a", number="+49301", first_name="Ada", last_name="Lovelace")
    )
    await scripted.change()
    await phones.placed(1)
    shown = repr(phones.calls[0])
    assert "attempt_id='a'" in shown
    for secret in ("+49301", "Ada", "Lovelace"):
        assert secret not in shown


async def test_a_report_carries_the_result(scripted, start):
    async def dial(call: Call) -> Result:
        return Result(
            Outcome.ANSWERED,
            ring=timedelta(seconds=7),
            talk=timedelta(minutes=2),
            cause="x" * 300,
            channel_id="PJSIP/1",
        )

    await start(dial)
    await scripted.offer("+4930")
    await all_reported(scripted, "+4930")
    [held] = scripted.held.values()
    [report] = held.reports
    assert report.outcome == types.OUTCOME_ANSWERED
    assert report.ring_duration.ToTimedelta() == timedelta(seconds=7)
    assert report.talk_duration.ToTimedelta() == timedelta(minutes=2)
    assert report.telephony_cause == "x" * 200
    assert report.channel_id == "PJSIP/1"
    assert report.ended_ago.ToTimedelta() < timedelta(seconds=5)


def test_the_outcomes_are_those_of_the_contract():
    ours = {f"OUTCOME_{outcome.name}": outcome.value for outcome in Outcome}
    assert ours | {"OUTCOME_UNSPECIFIED": 0} == dict(types.Outcome.items())
    rules = {f"DIAL_RULE_{rule.name}": rule.value for rule in DialRule}
    assert rules == dict(types.DialRule.items())


def test_a_rule_of_a_newer_server_is_taken_as_unspecified():
    assert DialRule(99) is DialRule.UNSPECIFIED


def test_a_result_refuses_what_the_server_would_refuse():
    with pytest.raises(ValueError, match="at least 0"):
        Result(Outcome.BUSY, ring=timedelta(seconds=-1))
    with pytest.raises(ValueError, match="0 is not a valid Outcome"):
        Result(0)  # type: ignore[arg-type]


async def test_calls_that_end_together_are_reported_together(scripted, start, monkeypatch):
    monkeypatch.setattr("callhopper.reporter.GATHER_SECONDS", 0.5)  # for a busy machine
    phones = Phones()

    async def dial(call: Call) -> Result:
        result = await phones(call)
        for _ in range(phones.live):  # together, but not in one turn of the event loop
            await asyncio.sleep(0)
        return result

    await start(dial)
    due = numbers(50)
    await scripted.offer(*due)
    await phones.placed(50)
    phones.over.set()
    await all_reported(scripted, *due)
    assert [len(request.reports) for request in scripted.sent("ReportOutcomes")] == [50]


async def test_an_answer_of_a_newer_server_is_taken_as_definite(scripted, start):
    scripted.answer_report["+4930"] = 99
    worker, _ = await start(busy)
    await scripted.offer("+4930")
    await until(lambda: worker.stats.reports == {"99": 1})


@pytest.mark.parametrize("answer", ["LATE", "CONFLICT", "LEASE_LOST", "NOT_FOUND"])
async def test_an_answer_that_is_no_acceptance_is_counted_and_logged(
    scripted, start, answer, caplog
):
    scripted.answer_report["+4930"] = pb.ReportResult.Answer.Value(f"ANSWER_{answer}")
    worker, _ = await start(busy)
    await scripted.offer("+4930")
    await until(lambda: worker.stats.reports[answer] == 1)
    assert f"report is {answer}" in caplog.text
    assert "+4930" not in caplog.text


# ---------------------------------------------------------------------- claiming


async def test_no_more_is_claimed_than_there_are_free_slots(scripted, start):
    phones = Phones()
    worker, _ = await start(phones, concurrency=3)
    due = numbers(9)
    await scripted.offer(*due)
    await phones.placed(3)
    await phones.calls[0].answered()
    await scripted.until(lambda: bool(scripted.sent("RenewLeases")))  # time enough to claim again
    assert [request.max_attempts for request in scripted.sent("ClaimAttempts")] == [3]
    phones.over.set()
    await all_reported(scripted, *due)
    assert phones.peak <= 3
    assert max(request.max_attempts for request in scripted.sent("ClaimAttempts")) <= 3
    assert worker.stats.claimed == 9


async def test_a_claim_asks_for_no_more_than_a_batch(scripted, start):
    await start(busy, concurrency=50, batch=4, campaigns=["campaigns/1"], worker_id="w1")
    due = numbers(10)
    await scripted.offer(*due)
    await all_reported(scripted, *due)
    for request in scripted.sent("ClaimAttempts"):
        assert request.max_attempts <= 4
        assert list(request.campaigns) == ["campaigns/1"]
        assert request.worker_id == "w1"
        assert request.wait_duration.ToTimedelta() == timedelta(seconds=5)


async def test_each_claim_has_its_own_request_id(scripted, start):
    await start(busy, wait=timedelta(0))
    await scripted.until(lambda: len(scripted.sent("ClaimAttempts")) >= 3)
    ids = [request.request_id for request in scripted.sent("ClaimAttempts")]
    assert len(set(ids)) == len(ids)


async def test_after_an_empty_answer_it_waits_as_long_as_the_server_says(scripted, start):
    scripted.poll_interval = timedelta(milliseconds=300)
    await start(busy, wait=timedelta(0))
    await scripted.until(lambda: len(scripted.sent("ClaimAttempts")) >= 2)
    first, second = scripted.times("ClaimAttempts")[:2]
    assert second - first >= 0.3


@pytest.mark.parametrize("code", TRANSPORT)
async def test_a_lost_claim_is_asked_for_again_and_dialed_once(scripted, start, code):
    scripted.fail("ClaimAttempts", code, times=6, lose_answer=True)
    phones = Phones()
    phones.over.set()
    await start(phones)
    due = numbers(5)
    await scripted.offer(*due)
    await all_reported(scripted, *due)
    ids = [request.request_id for request in scripted.sent("ClaimAttempts")]
    assert len(set(ids[:7])) == 1
    assert sorted(phones.numbers) == due


async def test_an_attempt_delivered_twice_is_dialed_once(scripted, start):
    phones = Phones()
    worker, _ = await start(phones)
    await scripted.offer("+49301")
    await phones.placed(1)
    [held] = scripted.held.values()
    scripted.deliver_again = [held.attempt]
    await scripted.offer("+49302")
    await phones.placed(2)
    assert phones.numbers == ["+49301", "+49302"]
    assert worker.stats.replayed == 1

    phones.over.set()
    await all_reported(scripted, "+49301", "+49302")
    scripted.deliver_again = [held.attempt]
    await scripted.offer("+49303")
    await phones.placed(3)
    assert phones.numbers == ["+49301", "+49302", "+49303"]


async def test_an_overloaded_server_says_when_to_come_back(scripted, start):
    scripted.fail(
        "ClaimAttempts",
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        retry_delay=timedelta(milliseconds=400),
    )
    await start(busy)
    await scripted.until(lambda: len(scripted.sent("ClaimAttempts")) >= 2)
    first, second = scripted.times("ClaimAttempts")[:2]
    assert 0.4 <= second - first < 5


async def test_a_refused_claim_ends_the_worker_when_its_calls_have_ended(scripted, start):
    phones = Phones()
    _, running = await start(phones, wait=timedelta(0))
    await scripted.offer("+4930")
    await phones.placed(1)
    scripted.fail("ClaimAttempts", grpc.StatusCode.NOT_FOUND)
    await scripted.until(lambda: bool(scripted.sent("StopWorker")))
    assert not running.done()
    phones.over.set()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await asyncio.wait_for(running, 20)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert scripted.reports() == {"+4930": [types.OUTCOME_BUSY]}


# ---------------------------------------------------------------------- the permission to dial


async def test_nothing_is_dialed_before_begin_is_answered(scripted, start):
    scripted.hold["BeginAttempts"] = asyncio.Event()
    phones = Phones()
    await start(phones, begin_on_claim=False)
    await scripted.offer(*numbers(3))
    await scripted.until(lambda: bool(scripted.sent("BeginAttempts")))
    assert phones.calls == []
    scripted.hold["BeginAttempts"].set()
    await phones.placed(3)
    assert scripted.states() == {"begun": 3}


async def test_what_is_not_begun_is_not_dialed(scripted, start):
    scripted.refuse_begin = {"+49302"}
    phones = Phones()
    phones.over.set()
    worker, _ = await start(phones, begin_on_claim=False, concurrency=3)
    await scripted.offer("+49301", "+49302", "+49303")
    await all_reported(scripted, "+49301", "+49303")
    assert sorted(phones.numbers) == ["+49301", "+49303"]
    assert worker.stats.refused == 1
    await scripted.offer(*numbers(3))  # its slot is free again
    await all_reported(scripted, *numbers(3))


@pytest.mark.parametrize("code", TRANSPORT)
async def test_a_lost_begin_is_asked_for_again_and_dialed_once(scripted, start, code):
    scripted.fail("BeginAttempts", code, times=5, lose_answer=True)
    phones = Phones()
    phones.over.set()
    await start(phones, begin_on_claim=False)
    await scripted.offer(*numbers(3))
    await all_reported(scripted, *numbers(3))
    assert sorted(phones.numbers) == numbers(3)


async def test_a_begin_that_is_not_answered_while_the_lease_lasts_is_given_back(scripted, start):
    scripted.fail("BeginAttempts", times=1000)
    phones = Phones()
    worker, _ = await start(phones, begin_on_claim=False, lease=timedelta(seconds=1))
    await scripted.offer("+4930")
    await scripted.until(lambda: scripted.states() == {"released": 1})
    assert phones.calls == []
    await until(lambda: worker.stats.released == 1)
    assert worker.stats.expired == 1


async def test_a_begin_whose_answer_never_came_is_reported_as_not_dialed(scripted, start):
    scripted.fail("BeginAttempts", times=1000, lose_answer=True)
    phones = Phones()
    await start(phones, begin_on_claim=False, lease=timedelta(seconds=1))
    await scripted.offer("+4930")
    await all_reported(scripted, "+4930")
    assert phones.calls == []
    assert scripted.reports() == {"+4930": [types.OUTCOME_NOT_DIALED]}


@pytest.mark.parametrize("begin_on_claim", [True, False])
async def test_nothing_is_dialed_when_the_lease_has_ended(scripted, start, begin_on_claim):
    scripted.lease = timedelta(0)
    phones = Phones()
    worker, _ = await start(phones, begin_on_claim=begin_on_claim)
    await scripted.offer("+4930")
    gone = {"ended": 1} if begin_on_claim else {"released": 1}
    await scripted.until(lambda: scripted.states() == gone)
    assert phones.calls == []
    assert worker.stats.expired == 1
    if begin_on_claim:
        assert scripted.reports() == {"+4930": [types.OUTCOME_NOT_DIALED]}


async def test_a_process_that_stood_still_does_not_trust_an_answer_from_before(
    scripted, start, monkeypatch
):
    stood_still = 0.0
    for module in ("call", "leases", "worker", "reporter"):
        monkeypatch.setattr(f"callhopper.{module}.clock", lambda: clock() + stood_still)
    scripted.hold["ClaimAttempts"] = asyncio.Event()
    phones = Phones()
    worker, _ = await start(phones)
    await scripted.offer("+4930")
    await scripted.until(lambda: bool(scripted.sent("ClaimAttempts")))
    stood_still = 100.0  # as after SIGSTOP: the clock jumps, the lease of the answer is 60 seconds
    scripted.hold["ClaimAttempts"].set()
    await all_reported(scripted, "+4930")
    assert phones.calls == []
    assert scripted.reports() == {"+4930": [types.OUTCOME_NOT_DIALED]}
    assert worker.stats.expired == 1


# ---------------------------------------------------------------------- leases


async def test_all_live_leases_are_renewed_together_at_a_third_of_their_time(scripted, start):
    phones = Phones()
    worker, _ = await start(phones, lease=timedelta(seconds=3))
    began = asyncio.get_running_loop().time()
    await scripted.offer(*numbers(20))
    await scripted.until(lambda: len(scripted.sent("RenewLeases")) >= 3)
    first, second, third = scripted.times("RenewLeases")[:3]
    for length in (first - began, second - first, third - second):
        assert 0.5 < length < 3
    for request in scripted.sent("RenewLeases"):
        assert len(request.renewals) == 20
        assert not any(renewal.answered for renewal in request.renewals)
        assert request.lease_duration.ToTimedelta() == timedelta(seconds=3)
    await until(lambda: worker.stats.renewed >= 60)
    assert all(call.may_be_dialed for call in phones.calls)
    phones.over.set()
    await all_reported(scripted, *numbers(20))


async def test_an_answered_call_is_said_at_once_and_only_that_one(scripted, start):
    phones = Phones()
    await start(phones)
    await scripted.offer("+49301", "+49302")
    await phones.placed(2)
    await phones.calls[1].answered()
    await scripted.until(lambda: bool(scripted.sent("RenewLeases")))
    [request] = scripted.sent("RenewLeases")
    [renewal] = request.renewals
    assert renewal.answered
    assert renewal.lease.attempt_id == phones.calls[1].attempt_id


async def test_answered_calls_do_not_keep_the_others_from_being_renewed(scripted, start):
    phones = Phones()
    await start(phones, lease=timedelta(seconds=1))
    await scripted.offer("+49301", "+49302")
    await phones.placed(2)

    async def answer_all_the_time() -> None:
        while True:
            await phones.calls[0].answered()
            phones.calls[0].lease.told = False
            await asyncio.sleep(0)

    answering = asyncio.create_task(answer_all_the_time())
    await scripted.until(
        lambda: any(len(sent.renewals) == 2 for sent in scripted.sent("RenewLeases"))
    )
    answering.cancel()


async def test_a_renewal_that_fails_is_sent_again_soon(scripted, start):
    scripted.fail("RenewLeases", grpc.StatusCode.INTERNAL, times=3)
    phones = Phones()
    await start(phones)
    await scripted.offer("+4930")
    await phones.placed(1)
    await phones.calls[0].answered()
    await scripted.until(lambda: all(held.answered for held in scripted.held.values()))
    assert len(scripted.sent("RenewLeases")) == 4


async def test_a_call_whose_lease_is_lost_goes_on_and_is_reported(scripted, start, caplog):
    scripted.lose_leases = {"+49301"}
    phones = Phones()
    worker, _ = await start(phones, lease=timedelta(seconds=1))
    await scripted.offer("+49301", "+49302")
    await scripted.until(lambda: len(scripted.sent("RenewLeases")) == 3)
    assert [len(request.renewals) for request in scripted.sent("RenewLeases")] == [2, 1, 1]
    assert worker.stats.lost == 1
    assert "is not renewed: LEASE_LOST" in caplog.text
    assert phones.live == 2
    phones.over.set()
    await all_reported(scripted, "+49301", "+49302")


# ---------------------------------------------------------------------- when calls fail


async def test_a_call_that_was_not_dialed_is_reported_so(scripted, start):
    async def dial(call: Call) -> Outcome:
        raise NotDialed("trunk down")

    await start(dial)
    await scripted.offer("+4930")
    await all_reported(scripted, "+4930")
    [held] = scripted.held.values()
    assert held.reports[0].outcome == types.OUTCOME_NOT_DIALED
    assert held.reports[0].telephony_cause == "trunk down"


@pytest.mark.parametrize("what", ["raises", "says nothing", "says what is no outcome"])
async def test_a_call_of_unknown_outcome_is_neither_reported_nor_renewed(
    scripted, start, what, caplog
):
    caplog.set_level(logging.CRITICAL, "callhopper")

    phones = Phones()

    async def dial(call: Call) -> Result | Outcome:
        if call.number != "+49301":
            return await phones(call)
        if what == "raises":
            raise RuntimeError("the exchange hung up on us")
        return None if what == "says nothing" else 77  # type: ignore[return-value]

    worker, _ = await start(dial, concurrency=1, lease=timedelta(seconds=1))
    await scripted.offer("+49301", "+49302")
    await scripted.until(lambda: len(scripted.sent("RenewLeases")) == 2)
    renewed = {
        renewal.lease.attempt_id
        for request in scripted.sent("RenewLeases")
        for renewal in request.renewals
    }
    assert renewed == {call.attempt_id for call in phones.calls}
    phones.over.set()
    await all_reported(scripted, "+49302")
    assert scripted.reports() == {"+49301": [], "+49302": [types.OUTCOME_BUSY]}
    assert worker.stats.unknown == 1


# ---------------------------------------------------------------------- reports that get lost


@pytest.mark.parametrize("code", TRANSPORT)
async def test_a_lost_report_is_sent_until_it_is_answered(scripted, start, code):
    scripted.fail("ReportOutcomes", code, times=4, lose_answer=True)
    worker, _ = await start(busy)
    await scripted.offer("+4930")
    await until(lambda: worker.stats.reports == {"REPLAYED": 1})
    assert scripted.reports() == {"+4930": [types.OUTCOME_BUSY]}


async def test_how_long_ago_a_call_ended_is_measured_anew_for_each_send(scripted, start):
    scripted.fail("ReportOutcomes", times=4)
    await start(busy)
    await scripted.offer("+4930")
    await all_reported(scripted, "+4930")
    sent = [
        at - request.reports[0].ended_ago.ToTimedelta().total_seconds()
        for at, method, request in scripted.requests
        if method == "ReportOutcomes"
    ]
    assert len(sent) == 5
    spread = scripted.times("ReportOutcomes")
    assert spread[-1] - spread[0] > 0.2
    # Each send names the same moment as the end.
    assert max(sent) - min(sent) < (spread[-1] - spread[0]) / 2


async def test_reports_outlast_a_restart_of_the_server(start):
    scripted = ScriptedServer()
    phones = Phones()
    async with serving(scripted):
        _, running = await start(phones, address=scripted.address)
        await scripted.offer(*numbers(5))
        await phones.placed(5)
    phones.over.set()
    await until(lambda: phones.live == 0)
    port = int(scripted.address.rpartition(":")[2])
    async with serving(scripted, port):
        await all_reported(scripted, *numbers(5))
        assert not running.done()
        await scripted.offer("+49309")
        await all_reported(scripted, "+49309")


async def test_a_report_that_the_server_refuses_does_not_keep_others_from_it(
    scripted, start, caplog
):
    scripted.refuse_report = {"+493000003"}
    phones = Phones()
    worker, _ = await start(phones)
    due = numbers(10)
    await scripted.offer(*due)
    await phones.placed(10)
    phones.over.set()
    await all_reported(scripted, *(number for number in due if number != "+493000003"))
    await until(lambda: worker.stats.reports == {"ACCEPTED": 9, "INVALID": 1})
    assert "report refused" in caplog.text


async def test_a_report_is_given_up_after_its_time(scripted, start, caplog):
    scripted.fail("ReportOutcomes", times=1000)
    worker, _ = await start(busy, give_up_after=timedelta(milliseconds=200))
    await scripted.offer("+4930")
    await until(lambda: worker.stats.reports == {"GIVEN_UP": 1})
    assert "given up" in caplog.text


# ---------------------------------------------------------------------- draining


async def test_a_drain_stops_claims_first_and_lets_calls_end(scripted, start):
    phones = Phones()
    worker, running = await start(phones, wait=timedelta(seconds=50))
    await scripted.offer(*numbers(3))
    await phones.placed(3)
    await scripted.until(lambda: len(scripted.sent("ClaimAttempts")) == 2)  # a poll is open
    worker.stop()
    await scripted.until(lambda: bool(scripted.sent("StopWorker")))
    assert scripted.sent("StopWorker")[0].worker_id == worker.worker_id
    await scripted.offer("+49309")
    assert not running.done()
    phones.over.set()
    await asyncio.wait_for(running, 20)
    assert sum(map(len, scripted.reports().values())) == 3
    assert worker.stats.reports == {"ACCEPTED": 3}
    assert len(scripted.sent("ClaimAttempts")) == 2
    assert "+49309" not in phones.numbers


async def test_leases_are_renewed_while_draining(scripted, start):
    phones = Phones()
    worker, running = await start(phones, lease=timedelta(seconds=1))
    await scripted.offer("+4930")
    await phones.placed(1)
    worker.stop()
    await scripted.until(lambda: bool(scripted.sent("StopWorker")))
    before = len(scripted.sent("RenewLeases"))
    await scripted.until(lambda: len(scripted.sent("RenewLeases")) >= before + 2)
    phones.over.set()
    await asyncio.wait_for(running, 20)


async def test_what_the_open_poll_still_delivers_is_not_lost(scripted, start):
    phones = Phones()
    worker, running = await start(phones)
    await scripted.offer("+49301")
    await phones.placed(1)
    scripted.hold_answer["ClaimAttempts"] = asyncio.Event()
    await scripted.offer("+49302")
    await scripted.until(lambda: scripted.states() == {"begun": 2})  # the second on its way
    worker.stop()
    await scripted.until(lambda: bool(scripted.sent("StopWorker")))
    await phones.calls[0].answered()
    await scripted.until(lambda: bool(scripted.sent("RenewLeases")))  # the stop is answered
    scripted.hold_answer["ClaimAttempts"].set()
    await phones.placed(2)
    phones.over.set()
    await asyncio.wait_for(running, 20)
    assert scripted.reports() == {number: [types.OUTCOME_BUSY] for number in ("+49301", "+49302")}


async def test_what_is_claimed_and_not_begun_is_released_by_a_drain(scripted, start):
    scripted.hold["StopWorker"] = asyncio.Event()
    phones = Phones()
    worker, running = await start(phones, begin_on_claim=False)
    await scripted.until(lambda: bool(scripted.sent("ClaimAttempts")))
    worker.stop()
    await scripted.until(lambda: bool(scripted.sent("StopWorker")))
    await scripted.offer("+4930")
    await scripted.until(lambda: scripted.states() == {"released": 1})
    scripted.hold["StopWorker"].set()
    await asyncio.wait_for(running, 20)
    assert phones.calls == []
    assert scripted.sent("BeginAttempts") == []
    assert worker.stats.released == 1


async def test_a_drain_waits_for_calls_no_longer_than_it_may(scripted, start, caplog):
    phones = Phones()
    worker, running = await start(phones, drain=timedelta(milliseconds=100))
    await scripted.offer("+4930")
    await phones.placed(1)
    worker.stop()
    await asyncio.wait_for(running, 20)
    assert worker.stats.unknown == 1
    assert scripted.reports() == {"+4930": []}
    assert "cut off" in caplog.text


async def test_whoever_hurries_does_not_wait_for_calls(scripted, start):
    phones = Phones()
    worker, running = await start(phones)
    await scripted.offer("+4930")
    await phones.placed(1)
    worker.stop()
    await scripted.until(lambda: bool(scripted.sent("StopWorker")))
    worker.stop(hurry=True)
    await asyncio.wait_for(running, 5)
    assert phones.live == 0
    assert worker.stats.unknown == 1


async def test_whoever_hurries_gives_up_reports_that_are_not_answered(scripted, start):
    scripted.fail("ReportOutcomes", times=1000)
    worker, running = await start(busy)
    await scripted.offer("+4930")
    await scripted.until(lambda: bool(scripted.sent("ReportOutcomes")))
    worker.stop(hurry=True)
    await asyncio.wait_for(running, 15)
    assert worker.stats.reports == {"GIVEN_UP": 1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_and_its_handler_is_taken_away(scripted, start, number):
    before = signal.getsignal(number)
    phones = Phones()
    _, running = await start(phones, handle_signals=True)
    await scripted.offer("+4930")
    await phones.placed(1)
    os.kill(os.getpid(), number)
    await scripted.until(lambda: bool(scripted.sent("StopWorker")))
    assert not running.done()
    os.kill(os.getpid(), number)  # the second does not wait for calls
    await asyncio.wait_for(running, 10)
    assert signal.getsignal(number) in {before, signal.SIG_DFL, signal.default_int_handler}


async def test_a_cancelled_worker_cancels_its_calls(scripted, start):
    phones = Phones()
    _, running = await start(phones)
    await scripted.offer("+4930")
    await phones.placed(1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert phones.live == 0


# ---------------------------------------------------------------------- several servers


async def test_claims_go_to_all_servers_and_on_when_one_stops(start):
    one, other = ScriptedServer(), ScriptedServer()
    async with serving(other):
        async with serving(one):
            target = f"ipv4:{one.address},{other.address}"
            await start(busy, address=target, wait=timedelta(0))
            await one.until(lambda: len(one.sent("ClaimAttempts")) >= 3)
            await other.until(lambda: len(other.sent("ClaimAttempts")) >= 3)
        await other.offer("+4930")
        await all_reported(other, "+4930")


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="concurrency"):
        Worker(dial=busy, concurrency=0)
    with pytest.raises(ValueError, match="batch"):
        Worker(dial=busy, batch=501)
