"""Two campaigns with the same persons and shared numbers, dialed by many workers at once (D1)."""

import time

import pytest

from tests.faults.crowd import load_crowd, start_crowd
from tests.faults.processes import until
from tests.faults.site import Site, assert_faultless

pytestmark = [pytest.mark.faults, pytest.mark.slow]

CONTACTS = 5_000
ENTRIES = 2 * CONTACTS
WORKERS = 8
BOUND = 30.0
"""Seconds after which the run is judged, however far it got."""
LEAST_CALLS = 3_000


def test_eight_workers_ring_nobody_of_ten_thousand_entries_twice_at_once(site: Site, capsys):
    load_crowd(site, CONTACTS, sharing=20)
    start_crowd(site, WORKERS)
    site.goes_on(1)
    started = time.monotonic()

    def is_over() -> bool:
        # What is left waits: its person or number was on a call elsewhere.
        is_idle = not site.count("hopper_entry", "state <> 'READY' or scheduled_at <= clock()")
        return is_idle or time.monotonic() - started > BOUND

    until(is_over, "the run is over", BOUND + 5)
    seconds = time.monotonic() - started
    judgement = site.close_down()
    assert_faultless(judgement)

    closed = site.count("final")
    with capsys.disabled():
        print(  # noqa: T201 - a speed to look at, not to assert
            f"\n{judgement.verdict.calls} attempts in {seconds:.1f} s, "
            f"{judgement.verdict.calls / seconds:.0f}/s, {closed} of {ENTRIES} entries closed"
        )
    assert judgement.verdict.calls >= LEAST_CALLS
    assert judgement.verdict.peak > WORKERS
    assert judgement.verdict.unended == ()
    assert closed + site.count("hopper_entry", "state = 'READY'") == ENTRIES
    assert not site.count("hopper_entry", "scheduled_at > clock() + interval '30 s'")
