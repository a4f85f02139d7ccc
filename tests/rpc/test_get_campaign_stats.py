"""GetCampaignStats: counts that add up (D6)."""

from callhopper.v1 import campaign_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import reason_word, seconds, status_word

dialing = arrangement.dialing


def calls_by_status(stats):
    return [(status_word(one.status), one.count) for one in stats.call_statuses]


def finals_by_reason(stats):
    return [(reason_word(one.reason), one.count) for one in stats.close_reasons]


async def test_the_counts_add_up(dialing, make):
    list_id = make.contact_list()
    make.contacts(8, list_id)
    campaign_id = make.campaign(lists=[list_id], busy_max_attempts=1)
    held, *reported = await dialing.claim(6, begin=True)
    for attempt, outcome in zip(
        reported, ("BUSY", "ANSWERED", "ANSWERED", "NO_ANSWER"), strict=False
    ):
        await dialing.report(attempt, outcome)
    dialing.at(10)
    await dialing.renew(reported[-1], lease=600)
    dialing.at(60)
    await dialing.rescue()
    stats = await dialing.stats(campaign_id)
    assert (stats.loaded_count, stats.final_count) == (8, 3)
    assert (stats.ready_count, stats.due_count) == (3, 2)
    assert (stats.live_count, stats.held_count) == (1, 1)
    assert finals_by_reason(stats) == [("REACHED", 2), ("RETRY_LIMIT", 1)]
    assert stats.call_count == 4
    assert calls_by_status(stats) == [("ANSWERED", 2), ("BUSY", 1), ("NO_ANSWER", 1)]
    assert stats.next_due_in == seconds(0)
    assert held.begun


async def test_the_next_due_moment_is_told_to_the_second(dialing, make):
    campaign_id, _ = dialing.person(make.number(), make.number())
    await dialing.report(await dialing.ring())
    stats = await dialing.stats(campaign_id)
    assert (stats.due_count, stats.next_due_in) == (0, seconds(60))


async def test_a_campaign_without_entries_has_nothing_due(dialing, make):
    stats = await dialing.stats(make.campaign())
    assert stats == pb.CampaignStats()
    assert not stats.HasField("next_due_in")


async def test_a_corrected_call_is_counted_once_under_its_new_status(dialing, make):
    campaign_id, _ = dialing.person(make.number())
    attempt = await dialing.ring()
    dialing.at(210)
    await dialing.rescue()
    assert calls_by_status(await dialing.stats(campaign_id)) == [("UNKNOWN", 1)]
    await dialing.report(attempt, "BUSY")
    assert calls_by_status(await dialing.stats(campaign_id)) == [("BUSY", 1)]


async def test_other_campaigns_are_not_counted(dialing, make):
    campaign_id, _ = dialing.person(make.number())
    dialing.person(make.number())
    for attempt in await dialing.claim(begin=True):
        await dialing.report(attempt)
    stats = await dialing.stats(campaign_id)
    assert (stats.loaded_count, stats.call_count) == (1, 1)


async def test_a_campaign_that_does_not_exist_is_not_found(dialing):
    with refused("RESOURCE_NOT_FOUND"):
        await dialing.stats(1)
    with refused("INVALID_FIELD") as refusal:
        await dialing.stats("x")
    assert list(refusal.fields) == ["name"]
