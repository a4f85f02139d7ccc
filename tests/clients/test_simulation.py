"""A simulated worker in a process of its own, which dies where it is told to."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from functools import partial

import pytest

from callhopper import Outcome
from callhopper.exchange import read_log
from callhopper.judge import judge
from callhopper.simulation import EXIT_CODE, Death, simulated_worker

RUN = """
import sys
from pathlib import Path
from callhopper import Outcome
from callhopper.simulation import simulate

address, log, begin_on_claim = sys.argv[1:]
stats = simulate(
    address,
    log=Path(log),
    rules={"0": Outcome.NO_ANSWER},
    time_scale=0.005,
    begin_on_claim=begin_on_claim == "True",
)
print(stats.dialed, stats.reports["ACCEPTED"])
"""


async def start(scripted, log, *, die_at="", begin_on_claim=True):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RUN,
        scripted.address,
        str(log),
        str(begin_on_claim),
        env=os.environ | {"CALLHOPPER_DIE_AT": die_at},
        stdout=subprocess.PIPE,
    )


async def died(scripted, log, die_at, *, begin_on_claim=True):
    """Offer one call to a worker that dies on it, and return its events."""
    worker = await start(scripted, log, die_at=die_at, begin_on_claim=begin_on_claim)
    await scripted.offer("+4930")
    await asyncio.wait_for(worker.communicate(), 30)
    assert worker.returncode == EXIT_CODE
    assert scripted.sent("ReportOutcomes") == []
    return [event["event"] for event in read_log(log)]


async def test_a_worker_that_dies_after_the_claim_has_begun_nothing(scripted, tmp_path):
    events = await died(scripted, tmp_path / "log", "claimed", begin_on_claim=False)
    assert events == []
    assert scripted.states() == {"claimed": 1}
    assert scripted.sent("BeginAttempts") == []


@pytest.mark.parametrize("begin_on_claim", [True, False])
async def test_a_worker_that_dies_after_begin_has_dialed_nothing(
    scripted, tmp_path, begin_on_claim
):
    events = await died(scripted, tmp_path / "log", "begun", begin_on_claim=begin_on_claim)
    assert events == []
    assert scripted.states() == {"begun": 1}


async def test_a_worker_that_dies_during_a_call_leaves_it_without_an_end(scripted, tmp_path):
    events = await died(scripted, tmp_path / "log", "during_call")
    assert events == ["originate"]
    verdict = judge(read_log(tmp_path / "log"))
    assert len(verdict.unended) == 1
    assert verdict.ok


async def test_a_worker_that_dies_before_the_report_has_ended_the_call(scripted, tmp_path):
    events = await died(scripted, tmp_path / "log", "before_report")
    assert events == ["originate", "end"]
    assert scripted.states() == {"begun": 1}


async def test_it_dies_on_the_attempt_that_was_named(scripted, tmp_path):
    worker = await start(scripted, tmp_path / "log", die_at="before_report:3")
    for number in ("+49300", "+49310"):
        await scripted.offer(number)
        await scripted.until(partial(scripted.is_reported, number))
    await scripted.offer("+49320")
    await asyncio.wait_for(worker.communicate(), 30)
    assert worker.returncode == EXIT_CODE
    assert judge(read_log(tmp_path / "log")).calls == 3


async def test_a_signal_ends_the_simulation_when_its_calls_are_reported(scripted, tmp_path):
    worker = await start(scripted, tmp_path / "log")
    await scripted.offer(*(f"+49{index}0" for index in range(20)))
    await scripted.until(lambda: bool(scripted.sent("ReportOutcomes")))
    worker.send_signal(signal.SIGTERM)
    said, _ = await asyncio.wait_for(worker.communicate(), 30)
    assert worker.returncode == 0
    assert said.split() == [b"20", b"20"]
    verdict = judge(read_log(tmp_path / "log"))
    assert verdict.ok
    assert verdict.outcomes == {"NO_ANSWER": 20}


async def test_two_workers_of_one_process_are_judged_together(scripted, tmp_path):
    log = tmp_path / "log"
    workers = [
        simulated_worker(
            scripted.address, log=log, time_scale=1e-4, worker_id=name, wait=timedelta(seconds=5)
        )
        for name in ("w1", "w2")
    ]
    running = [asyncio.create_task(worker.run()) for worker in workers]
    due = [f"+4930{index:03}" for index in range(200)]
    await scripted.offer(*due)
    await scripted.until(lambda: all(map(scripted.is_reported, due)))
    for worker in workers:
        worker.stop()
    await asyncio.gather(*running)
    verdict = judge(read_log(log))
    assert verdict.ok
    assert verdict.calls == 200
    assert {event["worker"] for event in read_log(log)} == {"w1", "w2"}
    stored = {Outcome(reports[0]).name for reports in scripted.reports().values()}
    assert stored == set(verdict.outcomes)


def test_where_to_die_is_read_from_text():
    assert Death.parse("begun") == Death("begun", 1)
    assert Death.parse("during_call:3") == Death("during_call", 3)
    with pytest.raises(ValueError, match="'lunch' is none of claimed, begun"):
        Death.parse("lunch")
