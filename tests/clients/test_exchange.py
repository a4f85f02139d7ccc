"""The simulated exchange and the judge of its log."""

import asyncio
import fcntl
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhopper import Call, DialRule, NotDialed, Outcome, clock
from callhopper.call import Lease
from callhopper.exchange import CallLog, Event, Exchange, read_log
from callhopper.judge import judge


def a_call(attempt="a1", number="+493012345", contact="contacts/1", ring_timeout=20.0) -> Call:
    return Call(
        attempt_id=attempt,
        campaign="campaigns/1",
        entry="campaigns/1/entries/1",
        contact=contact,
        number=number,
        contact_item_type="",
        contact_item_type_display_name="",
        position=0,
        cycle=1,
        attempt_number=1,
        ring_timeout=timedelta(seconds=ring_timeout),
        caller_id="",
        rule=DialRule.FIRST_CALL,
        scheduled_time=datetime.now(UTC),
        first_name="",
        last_name="",
        lease=Lease(token="", deadline=clock() + 60, tell=lambda: None),
    )


def event(what, at, attempt="a", *, number="1", contact="c", worker="w", until=None) -> Event:
    found = {
        "event": what,
        "at": at,
        "attempt": attempt,
        "number": number,
        "contact": contact,
        "worker": worker,
        "campaign": "campaigns/1",
        "outcome": "BUSY",
    }
    return found | ({"until": until} if until is not None else {})


def up(start, end, attempt, **more) -> list[Event]:
    return [
        event("originate", start, attempt, until=end, **more),
        event("end", end, attempt, **more),
    ]


# ---------------------------------------------------------------------- the judge


def test_a_number_rung_twice_at_once_is_found():
    verdict = judge([*up(0, 10, "a", contact="c1"), *up(9, 12, "b", contact="c2")])
    assert not verdict.ok
    [overlap] = verdict.twice_at_once_by_number
    assert (overlap.first, overlap.second, overlap.by) == ("a", "b", "1")
    assert overlap.seconds == pytest.approx(1e-9)
    assert verdict.twice_at_once_by_person == ()


def test_a_contact_rung_twice_at_once_on_two_numbers_is_found():
    verdict = judge([*up(0, 10, "a", number="1"), *up(5, 6, "b", number="2")])
    assert not verdict.ok
    assert verdict.twice_at_once_by_number == ()
    assert [overlap.by for overlap in verdict.twice_at_once_by_person] == ["c"]


def test_two_contacts_that_are_one_person_are_found_when_the_judge_is_told():
    log = [
        *up(0, 10, "a", number="1", contact="c1"),
        *up(5, 6, "b", number="2", contact="c2"),
    ]
    assert judge(log).ok
    verdict = judge(log, persons={"c1": "Ada", "c2": "Ada"})
    assert [overlap.by for overlap in verdict.twice_at_once_by_person] == ["Ada"]


def test_a_call_that_begins_when_another_ends_does_not_overlap_it():
    verdict = judge([*up(0, 10, "a"), *up(10, 12, "b")])
    assert verdict.ok
    assert verdict.peak == 1


def test_a_call_inside_a_long_one_does_not_hide_the_next():
    verdict = judge([*up(0, 100, "a"), *up(10, 20, "b"), *up(50, 60, "c")])
    assert [overlap.second for overlap in verdict.twice_at_once_by_number] == ["b", "c"]


def test_a_call_without_an_end_lasts_until_the_exchange_ends_it():
    log = [event("originate", 0, "a", until=10), *up(9, 12, "b"), *up(20, 21, "c")]
    verdict = judge(log)
    assert verdict.unended == ("a",)
    assert [overlap.second for overlap in verdict.twice_at_once_by_number] == ["b"]
    assert judge([event("originate", 0, "a", until=10), *up(10, 12, "b")]).ok


def test_an_attempt_dialed_by_two_workers_is_found_though_the_calls_do_not_overlap():
    verdict = judge([*up(0, 1, "a", worker="w1"), *up(5, 6, "a", worker="w2")])
    assert not verdict.ok
    assert verdict.dialed_again == ("a",)


def test_the_verdict_counts_calls_outcomes_and_the_most_at_once():
    log = [
        *up(0, 10, "a", number="1", contact="c1"),
        *up(2, 4, "b", number="2", contact="c2"),
        *up(4, 9, "c", number="3", contact="c3"),
    ]
    verdict = judge(log)
    assert (verdict.calls, verdict.numbers, verdict.peak) == (3, 3, 2)
    assert verdict.outcomes == {"BUSY": 3}
    assert "3 calls to 3 numbers, at most 2 at once" in str(verdict)


def test_an_empty_log_is_judged():
    assert judge([]).ok


def test_a_log_that_is_not_whole_is_refused():
    with pytest.raises(ValueError, match="ends without an originate"):
        judge([event("end", 1)])


@pytest.mark.parametrize(("second", "exit_code"), [(5, 1), (10, 0)])
def test_the_command_line_says_by_its_exit_code_whether_the_log_is_good(
    tmp_path, second, exit_code
):
    path = tmp_path / "calls"
    log = [*up(0, 10, "a"), *up(second, 12, "b")]
    path.write_text("".join(json.dumps(one) + "\n" for one in log))
    command = [sys.executable, "-m", "callhopper.judge", path]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == exit_code
    assert f"numbers rung twice at once: {exit_code}" in said.stdout
    assert said.stderr == ""


spans = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 10), st.sampled_from("12")), max_size=12
)


@given(spans)
def test_the_judge_agrees_with_looking_at_every_pair(spans):
    log = [
        one
        for index, (start, length, number) in enumerate(spans)
        for one in up(start, start + length, str(index), number=number, contact=number)
    ]
    overlapping = any(
        one[2] == other[2] and one[0] < other[0] + other[1] and other[0] < one[0] + one[1]
        for index, one in enumerate(spans)
        for other in spans[:index]
    )
    assert judge(log).ok is not overlapping


# ---------------------------------------------------------------------- the exchange


async def outcomes(exchange, number, times) -> list[Outcome]:
    return [
        (await exchange.call(a_call(f"{number}/{nth}", number))).outcome for nth in range(times)
    ]


async def test_calls_come_out_the_same_however_they_are_mixed():
    numbers = [f"+4930{index:04}" for index in range(40)]
    one_by_one = {
        number: await outcomes(Exchange(seed=7, time_scale=0), number, 5) for number in numbers
    }
    exchange = Exchange(seed=7, time_scale=0)
    mixed = await asyncio.gather(*(outcomes(exchange, number, 5) for number in reversed(numbers)))
    assert dict(zip(reversed(numbers), mixed, strict=True)) == one_by_one
    assert len({outcome for drawn in mixed for outcome in drawn}) > 3
    other = Exchange(seed=8, time_scale=0)
    assert await asyncio.gather(*(outcomes(other, number, 5) for number in numbers)) != mixed


async def test_the_longest_rule_that_fits_the_number_decides():
    rules = {"5": Outcome.BUSY, "345": Outcome.NO_ANSWER, "9": Outcome.CONGESTION}
    exchange = Exchange(rules=rules, time_scale=0)
    assert await outcomes(exchange, "+493012345", 2) == [Outcome.NO_ANSWER] * 2
    assert await outcomes(exchange, "+493012355", 1) == [Outcome.BUSY]


async def test_a_rule_gives_an_outcome_for_each_call_and_the_last_for_all_further_ones():
    exchange = Exchange(rules={"5": [Outcome.BUSY, Outcome.ANSWERED]}, time_scale=0)
    assert await outcomes(exchange, "+495", 3) == [
        Outcome.BUSY,
        Outcome.ANSWERED,
        Outcome.ANSWERED,
    ]


async def test_a_call_that_nobody_answers_rings_for_the_whole_ring_timeout():
    exchange = Exchange(rules={"5": Outcome.NO_ANSWER}, time_scale=0.001)
    result = await exchange.call(a_call(number="+495", ring_timeout=20))
    assert result.ring == timedelta(milliseconds=20)
    assert result.talk == timedelta(0)


async def test_nobody_lets_it_ring_longer_than_the_ring_timeout():
    exchange = Exchange(rules={"5": Outcome.ANSWERED}, time_scale=1e-3, ring=(30, 40))
    result = await exchange.call(a_call(number="+495", ring_timeout=2))
    assert result.ring == timedelta(milliseconds=2)


async def test_an_answered_call_says_so():
    exchange = Exchange(rules={"5": Outcome.ANSWERED}, time_scale=0)
    call = a_call(number="+495")
    result = await exchange.call(call)
    assert result.outcome is Outcome.ANSWERED
    assert call.lease.answered


async def test_a_call_is_in_the_log_before_it_counts_as_placed(tmp_path):
    path = tmp_path / "calls"
    seen: list[str] = []
    exchange = Exchange(
        rules={"5": Outcome.BUSY},
        time_scale=0,
        log=CallLog(path),
        worker_id="w1",
        placed=lambda _: seen.extend(line["event"] for line in read_log(path)),
    )
    await exchange.call(a_call(number="+495"))
    assert seen == ["originate"]
    first, last = read_log(path)
    assert first["event"] == "originate"
    assert last["event"] == "end"
    assert first["at"] < last["at"]
    for one in (first, last):
        assert one["worker"] == "w1"
        assert one["attempt"] == "a1"
        assert one["number"] == "+495"
        assert one["contact"] == "contacts/1"
        assert one["campaign"] == "campaigns/1"
        assert one["nth"] == 1
        assert one["outcome"] == "BUSY"
        assert datetime.fromisoformat(one["wall"]).tzinfo is not None
    exchange.log.close()


async def test_a_cancelled_call_is_hung_up():
    placed = asyncio.Event()
    exchange = Exchange(rules={"5": Outcome.NO_ANSWER}, placed=lambda _: placed.set())
    ringing = asyncio.create_task(exchange.call(a_call(number="+495")))
    await placed.wait()
    ringing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ringing
    assert [one["outcome"] for one in exchange.log.events()] == ["NO_ANSWER", "HUNG_UP"]


async def test_a_trunk_that_is_down_dials_nothing():
    exchange = Exchange(rules={"5": Outcome.NOT_DIALED}, time_scale=0)
    with pytest.raises(NotDialed):
        await exchange.call(a_call(number="+495"))
    assert exchange.log.events() == []


async def two_at_once(exchange):
    calls = [a_call("a1", "+495"), a_call("a2", "+495", contact="contacts/2")]
    return await asyncio.gather(*(exchange.call(call) for call in calls), return_exceptions=True)


async def test_without_a_fence_a_second_call_to_a_number_is_placed_and_judged():
    exchange = Exchange(rules={"5": Outcome.NO_ANSWER}, time_scale=0.001)
    await two_at_once(exchange)
    verdict = judge(exchange.log.events())
    assert not verdict.ok
    assert len(verdict.twice_at_once_by_number) == 1


async def test_the_fence_refuses_a_second_call_to_a_number_that_is_on_one():
    exchange = Exchange(rules={"5": Outcome.NO_ANSWER}, time_scale=0.001, fence=True)
    _, refused = await two_at_once(exchange)
    assert isinstance(refused, NotDialed)
    verdict = judge(exchange.log.events())
    assert verdict.ok
    assert (verdict.calls, verdict.refused) == (1, 1)
    assert (await exchange.call(a_call("a3", "+495"))).outcome is Outcome.NO_ANSWER


async def test_instantaneous_calls_that_overlap_are_caught_too():
    exchange = Exchange(rules={"5": Outcome.NO_ANSWER}, time_scale=0)
    await two_at_once(exchange)
    assert not judge(exchange.log.events()).ok


PLACE = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_exchange import a_call
from callhopper import Outcome
from callhopper.exchange import CallLog, Exchange

async def main(worker, path):
    exchange = Exchange(seed=3, time_scale=0, log=CallLog(Path(path)), worker_id=worker)
    for nth in range(100):
        await exchange.call(a_call(f"{worker}/{nth}", f"+493{nth % 10}"))

asyncio.run(main(*sys.argv[2:]))
"""


@pytest.mark.slow
def test_processes_share_one_log_line_by_line(tmp_path, request):
    path = tmp_path / "calls"
    here = str(request.path.parent)
    workers = [
        subprocess.Popen([sys.executable, "-c", PLACE, here, name, path]) for name in ("w1", "w2")
    ]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    events = read_log(path)
    assert len(events) == 400
    calls = [(one["number"], one["nth"]) for one in events if one["event"] == "originate"]
    assert sorted(calls) == sorted((f"+493{end}", nth) for end in range(10) for nth in range(1, 21))


def test_a_call_is_placed_under_a_lock_that_other_processes_respect(tmp_path):
    log = CallLog(tmp_path / "calls")
    with (tmp_path / "calls").open() as other:
        with log.locked(), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    log.close()


def test_a_last_line_that_is_not_whole_is_left_out(tmp_path):
    path = tmp_path / "calls"
    path.write_text(json.dumps(event("originate", 1, until=2)) + "\n" + '{"event": "en')
    assert [one["event"] for one in read_log(path)] == ["originate"]
