"""PostgreSQL is killed under load, and started again."""

import pytest

from tests.faults.site import ENDLESS, LOAD, Site, assert_faultless, seeded

pytestmark = pytest.mark.faults


def test_no_acknowledged_report_is_lost_when_postgres_is_killed(site: Site, postgres):
    chance = seeded()
    site.load(100, **ENDLESS)
    address = site.serve(2)
    for begins in (True, False, True):
        site.work(address, begin_on_claim=begins, **LOAD)
    site.goes_on(100)
    for _ in range(3):
        site.goes_on(chance.randrange(1, 300))
        postgres.kill()
        postgres.start()
        # Nobody starts a server or a worker again: they recover by themselves.
        site.goes_on(100)
    assert all(process.is_running for process in (*site.servers, *site.workers))
    judgement = site.close_down()
    assert_faultless(judgement)
    assert judgement.verdict.unended == ()
    answers = [note for worker in site.workers for note in worker.notes("answer")]
    assert len(answers) == judgement.verdict.calls
