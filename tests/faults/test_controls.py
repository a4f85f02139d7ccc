"""Take one guard away, and see that the tests notice: without this they might show nothing."""

import pytest

from callhopper.exchange import read_log
from callhopper.judge import Verdict, judge
from callhopper.simulation import EXIT_CODE
from tests.faults.crowd import load_crowd, start_crowd
from tests.faults.processes import until
from tests.faults.site import AT_ONCE, Site, assert_faultless

pytestmark = pytest.mark.faults

CALLS = 800
NUMBERS = "numbers rung twice at once"
PERSONS = "persons rung twice at once"


def crowd_without(site: Site, *constraints: str) -> Verdict:
    """Run a small crowd; end it at the first double dial, or after many calls."""
    load_crowd(site, 400, sharing=2)
    for constraint in constraints:
        site.connection.execute(f"alter table attempt drop constraint {constraint}".encode())
    start_crowd(site, 4)
    persons = site.persons()

    def is_over() -> bool:
        verdict = judge(read_log(site.log), persons=persons)
        return not verdict.ok or verdict.calls >= CALLS

    until(is_over, "a double dial, or enough calls")
    return judge(read_log(site.log), persons=persons)


def test_with_its_guards_the_small_crowd_is_rung_once_at_a_time(site):
    assert crowd_without(site).calls >= CALLS
    assert_faultless(site.close_down())


def test_without_the_key_on_the_number_the_judge_finds_double_dials(site):
    assert crowd_without(site, "one_live_attempt_a_number").twice_at_once_by_number
    assert NUMBERS in site.close_down().faults


def test_without_the_key_on_the_person_the_judge_finds_double_dials(site):
    assert crowd_without(site, "one_live_attempt_a_person").twice_at_once_by_person
    assert PERSONS in site.close_down().faults


REQUEUE = """
create function requeue() returns trigger language plpgsql as $$
begin
  new.state := 'CLAIMED';
  new.begun_at := null;
  new.held_until := null;
  return new;
end
$$;
create trigger requeue before update on attempt for each row when (new.state = 'UNKNOWN')
execute function requeue();
"""
"""A begun attempt whose lease is over counts as one that never rang."""


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_rescue_that_requeues_begun_attempts_rings_a_phone_that_rings(site, is_guarded):
    # The call of the worker that dies lasts 4 seconds, its lease one, its hold 4 more.
    site.load(1, quarantine="4 s", **AT_ONCE)
    if not is_guarded:
        site.connection.execute(REQUEUE)
    address = site.serve()
    doomed = site.work(
        address, die_at="during_call", chances={"NO_ANSWER": 1}, time_scale=4, lease=1
    )
    assert doomed.wait() == EXIT_CODE
    site.work(address, chances={"ANSWERED": 1}, time_scale=0.001, lease=10)
    until(lambda: site.count("final"), "the contact is reached")
    faults = site.close_down().faults
    if is_guarded:
        assert not faults
    else:
        assert {NUMBERS, PERSONS} <= set(faults)


def test_a_report_that_is_lost_after_its_answer_is_missed(site):
    site.load(5, **AT_ONCE)
    site.work(site.serve(), chances={"ANSWERED": 1}, time_scale=0.001, lease=10)
    until(lambda: site.count("final") == 5, "all are reached")
    assert_faultless(site.close_down())

    [row] = site.rows("select attempt_id from history limit 1")
    site.connection.execute(
        "update history set status = 'BUSY' where attempt_id = %s", [row["attempt_id"]]
    )
    assert set(site.judge().faults) == {"acknowledged and lost", "reported and not in history"}
    site.connection.execute("delete from history where attempt_id = %s", [row["attempt_id"]])
    assert set(site.judge().faults) == {
        "acknowledged and lost",
        "reported and not in history",
        "dialed without permission",
        "conservation does not hold",
    }
