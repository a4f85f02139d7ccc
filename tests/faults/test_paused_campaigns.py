"""A campaign is paused under load (E4)."""

import time
from datetime import datetime
from typing import Any

import pytest

from callhopper.v1 import campaign_service_pb2 as pb
from callhopper.v1.campaign_service_pb2_grpc import CampaignServiceStub
from tests.faults.processes import until
from tests.faults.site import ENDLESS, LOAD, Site, assert_faultless

pytestmark = pytest.mark.faults

PAUSES = 3
BUSY_MACHINE = 1_000_000_000
"""Nanoseconds that a worker may need from a permission, given before the pause, to its call."""


def now(site: Site) -> datetime:
    [row] = site.rows("select clock() as now")
    moment: datetime = row["now"]
    return moment


def stay_quiet(site: Site, since: int) -> None:
    """Wait until live calls have ended, and see that no call is placed from a while after."""
    until(lambda: not site.count("attempt"), "the live calls have ended")
    until(lambda: time.monotonic_ns() > since + 2 * BUSY_MACHINE, "two seconds")
    placed = [event["at"] for event in site.events() if event["event"] == "originate"]
    assert max(placed) < since + BUSY_MACHINE


def test_after_a_pause_has_answered_no_begin_is_granted(site: Site):
    campaign = f"campaigns/{site.load(100, **ENDLESS)}"
    address = site.serve(2)
    for begins in (True, False, True, False):
        site.work(address, begin_on_claim=begins, **LOAD)
    boss: Any = CampaignServiceStub(site.channel(address))
    pauses: list[tuple[datetime, datetime]] = []
    for _ in range(PAUSES):
        site.goes_on(100)
        boss.PauseCampaign(pb.PauseCampaignRequest(name=campaign), timeout=10)
        answered, paused = time.monotonic_ns(), now(site)
        stay_quiet(site, answered)
        pauses.append((paused, now(site)))
        boss.StartCampaign(pb.StartCampaignRequest(name=campaign), timeout=10)
    site.goes_on(100)
    assert_faultless(site.close_down())
    for begin, end in pauses:
        assert not site.rows("select 1 from history where begun_at between %s and %s", begin, end)
        assert not site.rows(
            "select 1 from released_attempt where was_begun and released_at between %s and %s",
            begin,
            end,
        )
