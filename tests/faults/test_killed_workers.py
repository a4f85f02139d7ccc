"""A worker is killed at each point of an attempt (D3)."""

from datetime import UTC, datetime

import pytest

from callhopper.simulation import EXIT_CODE
from tests.faults.processes import until
from tests.faults.site import AT_ONCE, Site, assert_faultless

pytestmark = pytest.mark.faults

DOOMED = {"lease": 1, "concurrency": 1, "batch": 1, "begin_on_claim": False}
HEIR = {"lease": 10, "time_scale": 0.01}


def placed(site: Site, number: str) -> list[datetime]:
    """Return when the exchange was asked to call a number, in order."""
    return [
        datetime.fromisoformat(event["wall"])
        for event in site.events()
        if event["event"] == "originate" and event["number"] == number
    ]


def load(site: Site) -> tuple[str, str, dict[str, list[str]]]:
    """Make a contact with two numbers; return them, and rules by which the second answers."""
    site.load(1, numbers=2, **AT_ONCE)
    first, second = (
        row["e164"] for row in site.rows("select e164 from contact_phone order by entry_position")
    )
    return first, second, {first: ["NO_ANSWER"], second: ["ANSWERED"]}


def test_what_a_killed_worker_had_claimed_is_dialed_once_and_later(site):
    first, second, rules = load(site)
    address = site.serve()
    doomed = site.work(address, die_at="claimed", rules=rules, **DOOMED)
    assert doomed.wait() == EXIT_CODE
    [held] = site.rows("select attempt_id::text, state, lease_expires_at from attempt")
    assert held["state"] == "CLAIMED"

    site.work(address, rules=rules, **HEIR)
    until(lambda: site.count("final"), "the contact is reached")
    judgement = site.close_down()

    assert_faultless(judgement)
    [released] = judgement.books.released
    assert released["attempt_id"] == held["attempt_id"]
    assert (released["reason"], released["was_begun"]) == ("LEASE_ENDED", False)
    history = site.rows("select e164, status, attempt_number from history order by begun_at")
    assert [(*row.values(),) for row in history] == [
        (first, "NO_ANSWER", 1),
        (second, "ANSWERED", 2),
    ]
    [call] = placed(site, first)
    assert call >= held["lease_expires_at"]


@pytest.mark.parametrize("point", ["begun", "during_call", "before_report"])
def test_what_a_killed_worker_had_begun_is_held_and_counted_as_unknown(site, point):
    first, second, rules = load(site)
    address = site.serve()
    doomed = site.work(address, die_at=point, rules=rules, **DOOMED)
    assert doomed.wait() == EXIT_CODE
    [begun] = site.rows("select attempt_id::text, state, lease_expires_at from attempt")
    assert begun["state"] in {"DIALING", "UNKNOWN"}

    site.work(address, rules=rules, **HEIR)
    until(lambda: site.count("final"), "the contact is reached")
    judgement = site.close_down()

    assert_faultless(judgement)
    unknown, answered = site.rows("select * from history order by begun_at")
    assert str(unknown["attempt_id"]) == begun["attempt_id"]
    assert (unknown["e164"], unknown["status"]) == (first, "UNKNOWN")
    assert (answered["e164"], answered["status"]) == (second, "ANSWERED")
    hold = unknown["ended_at"] - begun["lease_expires_at"]
    assert hold.total_seconds() == 1, "the quarantine runs from the end of the lease"
    [final] = site.rows("select * from final")
    assert (final["reason"], final["attempts"]) == ("REACHED", 2)
    assert final["tallies"][first]["total"] == 1
    assert final["tallies"][first]["UNKNOWN"] == 1
    # The phone that may have rung is left alone, and the next one until the hold is over.
    assert len(placed(site, first)) == (0 if point == "begun" else 1)
    [next_call] = placed(site, second)
    assert next_call >= unknown["ended_at"].astimezone(UTC)


def test_calls_of_others_go_on_while_the_killed_workers_are_held(site):
    site.load(40, quarantine="30 s", **AT_ONCE)
    address = site.serve()
    doomed = site.work(
        address,
        die_at="during_call:3",
        lease=30,
        concurrency=3,
        batch=3,
        chances={"NO_ANSWER": 1},
        time_scale=0.01,
    )
    assert doomed.wait() == EXIT_CODE
    held = {row["e164"] for row in site.rows("select e164 from attempt")}
    assert len(held) == 3

    site.work(address, chances={"ANSWERED": 1}, lease=10, time_scale=0.001)
    until(lambda: site.count("final") == 37, "all others are reached")
    assert {row["e164"] for row in site.rows("select e164 from attempt")} == held

    # A minute later, as it were: those calls, of 10 ms, are over long since.
    site.connection.execute("update attempt set lease_expires_at = clock()")
    site.connection.execute("update campaign set quarantine = '0 s'")
    until(lambda: site.count("final") == 40, "the held ones are reached in the end")
    assert_faultless(site.close_down())
    assert site.count("history", "status = 'UNKNOWN'") == 3
