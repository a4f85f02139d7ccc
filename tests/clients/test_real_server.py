"""The Python worker and the simulated exchange against the real server and PostgreSQL."""

import asyncio
import sys
from collections import Counter
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import pytest

from callhopper import Call, NotDialed, Outcome, Result, Worker
from callhopper.exchange import read_log
from callhopper.judge import judge
from callhopper.simulation import EXIT_CODE, simulated_worker
from tests.factories import Factory

FAILURES = ["no_answer", "busy", "congestion", "no_such_number", "drop", "abandoned", "machine"]
AT_ONCE = {
    "additional_phone_delay": "0 seconds",
    **{f"{status}_retry_interval": "0 seconds" for status in FAILURES},
}


@pytest.fixture
def make(conn) -> Factory:
    return Factory(conn)


def count(make: Factory, table: str, condition: str = "true") -> int:
    [row] = make.rows(f"select count(*)::int as many from {table} where {condition}")
    return int(row["many"])


def load(make: Factory, contacts: int, additional: int = 0, **settings) -> int:
    """Make a campaign with contacts that are due; return its list."""
    contact_list = make.contact_list()
    for _ in range(contacts):
        make.contact(contact_list, additional=[(None, None)] * additional)
    make.campaign(lists=[contact_list], **settings)
    return contact_list


async def until(true, within=60.0) -> None:
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - the database has no event for this
            await asyncio.sleep(0.02)


@asynccontextmanager
async def at_work(*workers: Worker):
    running = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        await asyncio.wait_for(asyncio.gather(*running), 30)


def all_conserved(make: Factory) -> bool:
    return all(row["holds"] for row in make.rows("select holds from conservation"))


@pytest.mark.parametrize("begin_on_claim", [True, False])
async def test_every_contact_is_dialed_once_and_reached(server, make, tmp_path, begin_on_claim):
    load(make, 60)
    worker = simulated_worker(
        server.address,
        log=tmp_path / "log",
        rules={str(digit): Outcome.ANSWERED for digit in range(10)},
        time_scale=0,
        begin_on_claim=begin_on_claim,
    )
    async with at_work(worker):
        await until(lambda: count(make, "final", "reason = 'REACHED'") == 60)
    verdict = judge(read_log(tmp_path / "log"))
    assert verdict.ok
    assert verdict.outcomes == {"ANSWERED": 60}
    assert worker.stats.reports == {"ACCEPTED": 60}
    assert count(make, "history") == 60
    assert all_conserved(make)


async def test_two_workers_ring_nobody_of_two_campaigns_twice_at_once(
    server, make, clock, tmp_path
):
    contact_list = load(make, 30, additional=2, **AT_ONCE)
    make.campaign(lists=[contact_list], **AT_ONCE)
    log = tmp_path / "log"
    workers = [
        simulated_worker(
            server.address,
            log=log,
            seed=11,
            time_scale=0.0003,
            worker_id=name,
            lease=timedelta(minutes=10),
            begin_on_claim=name == "w1",
        )
        for name in ("w1", "w2")
    ]

    def all_final() -> bool:
        clock.advance(1)  # whoever is on a call elsewhere waits 30 seconds (D1)
        return count(make, "final") == 60

    async with at_work(*workers):
        await until(all_final)
    verdict = judge(read_log(log))
    assert verdict.ok, str(verdict)
    assert verdict.peak > 1
    assert verdict.unended == ()
    stored = Counter(row["status"] for row in make.rows("select status from history"))
    assert stored == verdict.outcomes
    assert {event["worker"] for event in read_log(log)} == {"w1", "w2"}
    assert all_conserved(make)


async def test_what_was_not_dialed_counts_nothing_and_waits(server, make, clock):
    load(make, 1)

    async def dial(call: Call) -> Outcome:
        raise NotDialed("trunk down")

    worker = Worker(dial=dial, address=server.address, wait=timedelta(seconds=1))
    async with at_work(worker):
        await until(lambda: worker.stats.reports["ACCEPTED"] == 1)
        assert count(make, "hopper_entry", "state = 'READY' and scheduled_at > clock()") == 1
        clock.advance(11)
        await until(lambda: worker.stats.reports["ACCEPTED"] == 2)
    assert count(make, "history") == 0
    assert all_conserved(make)


async def test_a_drain_lets_the_live_call_end_and_claims_no_more(server, make):
    load(make, 5)
    over = asyncio.Event()

    async def dial(call: Call) -> Result:
        await call.answered()
        await over.wait()
        return Result(Outcome.ANSWERED)

    worker = Worker(dial=dial, address=server.address, concurrency=3, lease=timedelta(seconds=3))
    async with at_work(worker):
        await until(lambda: count(make, "attempt", "answered_at is not null") == 3)
        worker.stop()
        await until(lambda: count(make, "stopped_worker") == 1)
        assert count(make, "attempt", "state = 'DIALING'") == 3
        over.set()
    assert worker.stats.reports == {"ACCEPTED": 3}
    assert count(make, "final", "reason = 'REACHED'") == 3
    assert count(make, "hopper_entry", "state = 'READY'") == 2
    assert all_conserved(make)


async def test_an_idle_worker_stops_at_once_although_its_claim_waits(server, make):
    async def dial(call: Call) -> Outcome:
        return Outcome.BUSY

    worker = Worker(dial=dial, address=server.address)
    running = asyncio.create_task(worker.run())
    await until(partial(waits, server))
    worker.stop()
    await asyncio.wait_for(running, 10)
    assert worker.stats.claims == 1


def waits(server) -> bool:
    return bool(server.app.claims._waiting)


DIE = """
import sys
from pathlib import Path
from callhopper.simulation import Death, simulate

address, log, point = sys.argv[1:]
simulate(address, log=Path(log), time_scale=0.001, concurrency=1, batch=1,
         begin_on_claim=False, die_at=Death.parse(point))
"""


@pytest.mark.faults
@pytest.mark.parametrize("point", ["claimed", "begun", "during_call", "before_report"])
async def test_a_killed_worker_leaves_a_person_that_nobody_else_rings(
    server, make, tmp_path, point
):
    load(make, 10)
    log = tmp_path / "log"
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIE, server.address, str(log), point
    )
    assert await asyncio.wait_for(killed.wait(), 30) == EXIT_CODE
    [held] = make.rows("select attempt_id::text, e164, state from attempt")
    assert held["state"] == ("CLAIMED" if point == "claimed" else "DIALING")

    survivor = simulated_worker(server.address, log=log, time_scale=0.001)
    async with at_work(survivor):
        await until(lambda: count(make, "history") == 9)
    events = read_log(log)
    rung = Counter(event["number"] for event in events if event["event"] == "originate")
    assert rung[held["e164"]] == (point in {"during_call", "before_report"})
    assert judge(events).ok
    assert all_conserved(make)
