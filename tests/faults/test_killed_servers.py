"""One of two servers is killed, or drained, under load; the workers' channel has both."""

import pytest

from tests.faults.processes import ServerProcess, until
from tests.faults.site import ENDLESS, LOAD, Site, assert_faultless, seeded

pytestmark = pytest.mark.faults

SERVERS = 2
WORKERS = 3


def start_load(site: Site, begin_on_claim: tuple[bool, ...] = (True, False, True)) -> None:
    site.load(100, **ENDLESS)
    address = site.serve(SERVERS)
    for begins in begin_on_claim[:WORKERS]:
        site.work(address, begin_on_claim=begins, **LOAD)
    site.goes_on(100)


def test_servers_killed_at_random_moments_lose_and_double_nothing(site):
    chance = seeded()
    start_load(site)
    for _ in range(4):
        site.goes_on(chance.randrange(1, 200))
        victim = chance.choice(site.servers)
        victim.kill()
        site.goes_on(chance.randrange(1, 200))
        site.restart(victim).ready()
    site.goes_on(100)
    judgement = site.close_down()
    assert_faultless(judgement)
    # Nobody but the servers died, so every outcome was reported in the end.
    assert judgement.verdict.unended == ()
    assert {note["answer"] for worker in site.workers for note in worker.notes("answer")} <= {
        "ACCEPTED",
        "REPLAYED",
        "LATE",
    }


def test_both_servers_killed_at_once_are_waited_for(site):
    start_load(site)
    for server in site.servers:
        server.kill()
    for server in tuple(site.servers):
        site.restart(server)
    for server in site.servers:
        server.ready()
    site.goes_on(200)
    judgement = site.close_down()
    assert_faultless(judgement)
    assert judgement.verdict.unended == ()


def all_report_to(server: ServerProcess) -> None:
    """Wait until every worker has reported to a server since it was started."""
    until(
        lambda: len({call["peer"] for call in server.calls("ReportOutcomes")}) >= WORKERS,
        "all workers report to the server",
    )


def test_servers_drained_one_after_the_other_fail_no_report(site):
    start_load(site)
    for server in tuple(site.servers):
        all_report_to(server)
        before = site.originated()
        assert server.end() == 0
        assert site.originated() > before
        site.goes_on(100)
        all_report_to(site.restart(server).ready())
    judgement = site.close_down()
    assert_faultless(judgement)
    assert judgement.verdict.unended == ()
    assert [worker.notes("unanswered") for worker in site.workers] == [[]] * WORKERS
    for worker in site.workers:
        assert set(worker.stats["reports"]) == {"ACCEPTED"}, worker.stats
    lost = site.rows("select worker_id, begun_at from history where status = 'UNKNOWN'")
    assert lost == [], "begun by a claim whose answer did not reach the worker"
