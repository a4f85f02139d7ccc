"""Answers are lost after the commit: between worker and server, and between server and database."""

import asyncio
import math
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from callhopper.call import Call, Lease, Outcome
from callhopper.exchange import CallLog, Exchange
from callhopper.v1 import dialer_service_pb2 as pb
from callhopper.v1 import types_pb2
from callhopper.v1.dialer_service_pb2_grpc import DialerServiceStub
from tests.faults.processes import until
from tests.faults.proxy import Proxy
from tests.faults.site import ENDLESS, LOAD, Site, assert_faultless, seeded, target

T = TypeVar("T")

pytestmark = pytest.mark.faults

BYTES = (0, 1, 9, 40)
"""Of an answer that still arrive: none, part of a frame's head, a head, part of a message."""
COMMITS = (None, 0, 9, 17)
"""COMMIT itself is lost; all of its answer, half of it, its last byte."""
CLAIM = b"insert into claim_request"
BEGIN = b" pg_advisory_xact_lock_shared("
REPORT = b"insert into history"
"""What only these transactions send."""
CUTS = 15
NEVER_PREPARED = {"CALLHOPPER_PREPARE_THRESHOLD": "0"}
"""So that the proxy sees the statements of a transaction."""


@pytest.fixture
def database_proxy(site: Site) -> Iterator[tuple[Proxy, str]]:
    """Give a proxy in front of PostgreSQL, and the DSN that leads through it."""
    known = conninfo_to_dict(site.dsn)
    socket_name = f".s.PGSQL.{known['port']}"
    # Not tmp_path: the path of a socket may have 107 bytes at most.
    with (
        tempfile.TemporaryDirectory(prefix="callhopper-") as folder,
        Proxy(Path(str(known["host"])) / socket_name, Path(folder) / socket_name) as proxy,
    ):
        yield proxy, make_conninfo(site.dsn, host=folder)


class Hand:
    """A worker by hand: every RPC once, with a deadline, so that each answer is seen."""

    def __init__(self, site: Site, address: str) -> None:
        self.site = site
        self.stub: Any = DialerServiceStub(site.channel(address))
        self.request = pb.ClaimAttemptsRequest(
            worker_id="hand",
            request_id=str(uuid.uuid4()),
            max_attempts=3,
            lease_duration=Duration(seconds=60),
            begin=False,
            # PostgreSQL may still hold the locks of a transaction whose connection was cut.
            wait_duration=Duration(seconds=5),
        )
        # Connect: what is lost shall be an answer, not the beginning of a connection.
        self.stub.StopWorker(
            pb.StopWorkerRequest(worker_id="nobody"), timeout=10, wait_for_ready=True
        )

    def claim(self, within: float = 10) -> list[pb.ClaimedAttempt]:
        return list(
            self.stub.ClaimAttempts(self.request, timeout=within, wait_for_ready=True).attempts
        )

    def begin(self, attempts: list[pb.ClaimedAttempt], within: float = 10) -> list[str]:
        request = pb.BeginAttemptsRequest(
            leases=map(lease, attempts), lease_duration=Duration(seconds=60)
        )
        results = self.stub.BeginAttempts(request, timeout=within, wait_for_ready=True).results
        return [pb.BeginResult.Answer.Name(result.answer) for result in results]

    def report(self, attempts: list[pb.ClaimedAttempt], within: float = 10) -> list[str]:
        request = pb.ReportOutcomesRequest(
            reports=[
                pb.OutcomeReport(lease=lease(attempt), outcome=types_pb2.OUTCOME_BUSY)
                for attempt in attempts
            ]
        )
        results = self.stub.ReportOutcomes(request, timeout=within, wait_for_ready=True).results
        return [pb.ReportResult.Answer.Name(result.answer) for result in results]

    def dial(self, attempts: list[pb.ClaimedAttempt]) -> None:
        """Place the calls; they end at once."""
        exchange = Exchange(
            chances={Outcome.BUSY: 1}, time_scale=0, log=CallLog(self.site.log), worker_id="hand"
        )
        for attempt in attempts:
            held = Lease(attempt.lease_token, deadline=math.inf, tell=lambda: None)
            asyncio.run(exchange.call(Call.from_claim(attempt, held)))


def lease(attempt: pb.ClaimedAttempt) -> pb.Lease:
    return pb.Lease(attempt_id=attempt.attempt_id, lease_token=attempt.lease_token)


def stored(site: Site) -> set[tuple[str, str]]:
    """Return the attempts of the database, named as the contract names them."""
    rows = site.rows("select campaign_id, contact_id, attempt_id, lease_token from attempt")
    return {
        (f"{row['campaign_id']}.{row['contact_id']}.{row['attempt_id']}", row["lease_token"].hex)
        for row in rows
    }


def until_answered(ask: Callable[[], T]) -> T:
    """Ask again until there is an answer: the client may not have noticed the cut yet."""
    answers: list[T] = []

    def is_answered() -> bool:
        with suppress(grpc.RpcError):
            answers.append(ask())
        return bool(answers)

    until(is_answered, "an answer")
    return answers[0]


def lose(proxy: Proxy, length: int, ask: Callable[[], object], is_done: Callable[[], bool]) -> None:
    """Ask, and cut the connection once it is done and so much of the answer has been passed."""
    with ThreadPoolExecutor(1) as pool, proxy.holding_answers():
        asked = pool.submit(ask)
        until(is_done, "the server has done it")
        proxy.cut_after(length)
        # What was held back is passed when the block ends, up to the cut.
    lost(asked.result)


def lost(stub_call: Any) -> None:
    """Expect that an RPC fails with the outcome unknown."""
    with pytest.raises(grpc.RpcError) as refusal:
        stub_call()
    assert refusal.value.code() == grpc.StatusCode.UNAVAILABLE, refusal.value


def named(attempts: list[pb.ClaimedAttempt]) -> set[tuple[str, str]]:
    return {(attempt.attempt_id, attempt.lease_token) for attempt in attempts}


def test_what_a_worker_was_not_told_it_is_told_when_it_asks_again(site: Site):
    site.load(3, **ENDLESS)
    site.serve()
    with Proxy(("127.0.0.1", site.servers[0].port)) as proxy:
        for length in BYTES:
            lose_three_answers(site, Hand(site, f"127.0.0.1:{proxy.port}"), proxy, length)
    judgement = site.close_down()
    assert_faultless(judgement)
    assert judgement.verdict.calls == site.count("history") == 3 * len(BYTES)


def lose_three_answers(site: Site, hand: Hand, proxy: Proxy, length: int) -> None:
    """Lose the answers to a claim, its begins and their reports, but for their first bytes."""
    lose(proxy, length, hand.claim, lambda: site.count("attempt") == 3)
    attempts = until_answered(hand.claim)
    assert named(attempts) == stored(site)
    assert named(hand.claim()) == named(attempts)

    lose(
        proxy,
        length,
        lambda: hand.begin(attempts),
        lambda: site.count("attempt", "state = 'DIALING'") == 3,
    )
    assert until_answered(lambda: hand.begin(attempts)) == ["ANSWER_BEGUN"] * 3
    hand.dial(attempts)

    lose(proxy, length, lambda: hand.report(attempts), lambda: not site.count("attempt"))
    assert until_answered(lambda: hand.report(attempts)) == ["ANSWER_REPLAYED"] * 3


def test_a_cut_at_the_commit_is_never_taken_for_success_or_failure(site: Site, database_proxy):
    proxy, dsn = database_proxy
    site.load(3, **ENDLESS)
    address = site.serve(dsn=dsn, environment=NEVER_PREPARED)
    for answer_bytes in COMMITS:
        lose_three_commits(site, Hand(site, address), proxy, answer_bytes)
    judgement = site.close_down()
    assert_faultless(judgement)
    assert judgement.verdict.calls == site.count("history") == 3 * len(COMMITS)


def lose_three_commits(site: Site, hand: Hand, proxy: Proxy, answer_bytes: int | None) -> None:
    """Cut the server from PostgreSQL at the commit of a claim, its begins and their reports."""
    is_stored = answer_bytes is not None

    with proxy.cutting_commit(CLAIM, answer_bytes):
        lost(hand.claim)
    before = stored(site)
    assert len(before) == (3 if is_stored else 0)
    attempts = hand.claim()
    assert len(attempts) == 3
    assert named(attempts) == stored(site)
    assert is_stored == (before == stored(site))

    with proxy.cutting_commit(BEGIN, answer_bytes):
        lost(lambda: hand.begin(attempts))
    assert site.count("attempt", "state = 'DIALING'") == (3 if is_stored else 0)
    assert hand.begin(attempts) == ["ANSWER_BEGUN"] * 3
    hand.dial(attempts)

    with proxy.cutting_commit(REPORT, answer_bytes):
        lost(lambda: hand.report(attempts))
    assert site.count("attempt") == (0 if is_stored else 3)
    answer = "ANSWER_REPLAYED" if is_stored else "ANSWER_ACCEPTED"
    assert hand.report(attempts) == [answer] * 3


def test_connections_cut_at_random_bytes_lose_and_double_nothing(site: Site, database_proxy):
    chance = seeded()
    database, dsn = database_proxy
    site.load(100, **ENDLESS)
    site.serve(2, dsn=dsn)
    with (
        Proxy(("127.0.0.1", site.servers[0].port)) as first,
        Proxy(("127.0.0.1", site.servers[1].port)) as second,
    ):
        both = target([first.port, second.port])
        for begins in (True, False, True):
            site.work(both, begin_on_claim=begins, **LOAD)
        site.goes_on(50)
        for _ in range(CUTS):
            cut_somewhere(chance.choice([first, second, database]), chance.randrange(3000))
            site.goes_on(chance.randrange(1, 50))
        site.goes_on(100)
        judgement = site.close_down()
    assert_faultless(judgement)
    assert judgement.verdict.unended == ()


def cut_somewhere(proxy: Proxy, answer_bytes: int) -> None:
    cuts = proxy.cuts
    proxy.cut_after(answer_bytes)
    until(lambda: proxy.cuts > cuts, "the cut")
