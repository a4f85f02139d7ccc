"""A worker stands still past its lease (SIGSTOP), and goes on when others have gone on (D3)."""

import signal

import pytest

from callhopper.v1 import dialer_service_pb2 as pb
from callhopper.v1.dialer_service_pb2_grpc import DialerServiceStub
from tests.faults.processes import WorkerProcess, until
from tests.faults.proxy import Proxy
from tests.faults.site import AT_ONCE, Site, assert_faultless

pytestmark = pytest.mark.faults

ONE = {"lease": 1, "concurrency": 1, "batch": 1}


def test_a_worker_that_stood_still_before_its_begin_is_refused_and_does_not_dial(site: Site):
    site.load(1, **AT_ONCE)
    address = site.serve()
    stopped = site.work(address, freeze_at="claimed", begin_on_claim=False, **ONE)
    until(lambda: stopped.is_stopped, "the worker stands still")
    [held] = site.rows("select campaign_id, contact_id, attempt_id, lease_token from attempt")
    until(lambda: site.count("released_attempt"), "the lease is over")
    assert site.count("released_attempt", "reason = 'LEASE_ENDED' and not was_begun") == 1

    site.work(address, chances={"ANSWERED": 1}, lease=10, time_scale=0.001)
    until(lambda: site.count("final", "reason = 'REACHED'"), "another worker reaches the contact")

    # What the worker would ask if it did not look at its own clock.
    begin = pb.BeginAttemptsRequest(
        leases=[
            pb.Lease(
                attempt_id="{campaign_id}.{contact_id}.{attempt_id}".format(**held),
                lease_token=held["lease_token"].hex,
            )
        ]
    )
    dialer = DialerServiceStub(site.channel(address))
    [answer] = dialer.BeginAttempts(begin, timeout=10).results
    assert answer.answer == pb.BeginResult.ANSWER_LEASE_LOST

    stopped.send(signal.SIGCONT)
    judgement = site.close_down()
    assert_faultless(judgement)
    assert stopped.stats["dialed"] == 0
    assert judgement.verdict.calls == 1


@pytest.mark.parametrize("begin_on_claim", [True, False])
def test_a_permission_that_lay_unread_past_its_lease_is_not_used(site: Site, begin_on_claim):
    site.load(1, numbers=2, **AT_ONCE)
    address = site.serve()
    with Proxy(("127.0.0.1", site.servers[0].port)) as proxy:
        stopped = site.work(
            f"127.0.0.1:{proxy.port}", begin_on_claim=begin_on_claim, freeze_at="claimed", **ONE
        )
        if begin_on_claim:
            until(lambda: stopped.is_stopped, "the worker has its permission and stands still")
        else:
            stop_with_an_unread_begin(site, stopped, proxy)
        assert site.count("attempt", "state in ('DIALING', 'UNKNOWN')") == 1
        until(lambda: site.count("history", "status = 'UNKNOWN'"), "the hold is over")

        site.work(address, chances={"ANSWERED": 1}, lease=10, time_scale=0.01)
        until(lambda: site.count("final"), "another worker goes on")
        stopped.send(signal.SIGCONT)
        until(lambda: stopped.notes("answer"), "the report that nothing was dialed is answered")
        judgement = site.close_down()
    assert_faultless(judgement)
    assert stopped.stats["dialed"] == 0
    assert stopped.stats["expired"] == 1
    [note] = stopped.notes("answer")
    assert (note["outcome"], note["answer"]) == ("NOT_DIALED", "CONFLICT")


def stop_with_an_unread_begin(site: Site, worker: WorkerProcess, proxy: Proxy) -> None:
    """Stop a worker while the answer to its BeginAttempts waits for it."""
    until(lambda: worker.is_stopped, "the worker has claimed")
    with proxy.holding_answers():
        worker.send(signal.SIGCONT)
        until(lambda: site.count("attempt", "state = 'DIALING'"), "the begin is stored")
        worker.send(signal.SIGSTOP)
        until(lambda: worker.is_stopped, "the worker stands still again")


@pytest.mark.parametrize(("moment", "answer"), [("held", "ACCEPTED"), ("given up", "LATE")])
def test_a_call_that_outlived_its_lease_is_reported_and_kept(site: Site, moment, answer):
    quarantine = "60 s" if moment == "held" else "1 s"
    site.load(1, quarantine=quarantine, **AT_ONCE | {"global_max_attempts": 1})
    address = site.serve()
    stopped = site.work(
        address, freeze_at="before_report", chances={"BUSY": 1}, time_scale=0.001, **ONE
    )
    until(lambda: stopped.is_stopped, "the call has ended and the worker stands still")
    if moment == "held":
        until(lambda: site.count("attempt", "state = 'UNKNOWN'"), "the outcome is unknown")
    else:
        until(lambda: site.count("history", "status = 'UNKNOWN'"), "the hold is over")
    other = site.work(address, chances={"ANSWERED": 1}, lease=10, time_scale=0.001)
    stopped.send(signal.SIGCONT)
    [note] = until(lambda: stopped.notes("answer"), "the report is answered")
    assert (note["outcome"], note["answer"]) == ("BUSY", answer)
    judgement = site.close_down()
    assert_faultless(judgement)
    assert other.stats["dialed"] == 0
    [row] = site.rows("select status, is_corrected from history")
    assert row == {"status": "BUSY", "is_corrected": moment != "held"}


def test_a_stopped_worker_that_goes_on_in_time_loses_nothing(site: Site):
    site.load(20, **AT_ONCE)
    address = site.serve()
    worker = site.work(address, lease=10, chances={"ANSWERED": 1}, time_scale=0.005)
    site.goes_on(3)
    worker.send(signal.SIGSTOP)
    until(lambda: worker.is_stopped, "the worker stands still")
    until(lambda: not site.count("attempt", "claimed_at > clock() - interval '1 s'"), "a second")
    worker.send(signal.SIGCONT)
    until(lambda: site.count("final") == 20, "all are reached")
    judgement = site.close_down()
    assert_faultless(judgement)
    assert judgement.verdict.calls == 20
