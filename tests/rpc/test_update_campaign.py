"""UpdateCampaign: masks, etags, and versions of the retry settings (R10)."""

import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from callhopper.v1 import campaign_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import moment, seconds, status_word

dialing = arrangement.dialing

PRIMARY, OFFICE = "+12025550100", "+12025550101"


async def update(dialing, campaign_id, *paths, **fields):
    campaign = pb.Campaign(name=f"campaigns/{campaign_id}", **fields)
    request = pb.UpdateCampaignRequest(campaign=campaign, update_mask=FieldMask(paths=paths))
    return (await dialing.campaigns.UpdateCampaign(request)).campaign


async def test_only_the_named_fields_change(dialing, make):
    campaign_id = make.campaign("Spring")
    dialing.clock.advance(5)
    changed = await update(
        dialing, campaign_id, "priority", "caller_id",
        priority=9, caller_id="123", display_name="Summer",
    )  # fmt: skip
    assert (changed.priority, changed.caller_id, changed.display_name) == (9, "123", "Spring")
    assert (changed.etag, changed.settings_version) == ('"2"', 1)
    assert (changed.create_time, changed.update_time) == (moment(0), moment(5))


async def test_without_a_mask_every_field_that_is_set_changes(dialing, make):
    campaign_id = make.campaign("Spring")
    changed = await update(dialing, campaign_id, display_name="Summer", end_time=moment(99))
    assert (changed.display_name, changed.end_time, changed.priority) == ("Summer", moment(99), 1)


async def test_a_masked_field_that_is_not_set_gets_its_default(dialing, make):
    campaign_id = make.campaign()
    await update(dialing, campaign_id, end_time=moment(99), caller_id="123", priority=9)
    changed = await update(dialing, campaign_id, "end_time", "caller_id", "priority")
    assert not changed.HasField("end_time")
    assert (changed.caller_id, changed.priority) == ("", 2)


async def test_a_star_changes_every_field(dialing, make):
    campaign_id = make.campaign("Spring", no_answer_max_attempts=9)
    changed = await update(dialing, campaign_id, "*", display_name="Summer")
    assert (changed.display_name, changed.priority) == ("Summer", 2)
    assert {rule.max_attempts for rule in changed.retry_settings.rules} == {3}


async def test_retry_settings_are_replaced_as_a_whole_in_a_new_version(dialing, make):
    campaign_id = make.campaign(busy_max_attempts=9, global_max_attempts=8)
    rule = pb.RetryRule(status="CALL_STATUS_DROP", max_attempts=2)
    changed = await update(dialing, campaign_id, retry_settings=pb.RetrySettings(rules=[rule]))
    assert changed.settings_version == 2
    most = {status_word(one.status): one.max_attempts for one in changed.retry_settings.rules}
    assert (most["DROP"], most["BUSY"], changed.retry_settings.global_max_attempts) == (2, 3, 4)
    rows = make.rows("select busy_max_attempts from campaign_settings order by settings_version")
    assert [row["busy_max_attempts"] for row in rows] == [9, 3]


async def test_the_same_settings_again_make_no_new_version(dialing, make):
    campaign_id = make.campaign()
    read = await dialing.campaigns.GetCampaign(
        pb.GetCampaignRequest(name=f"campaigns/{campaign_id}")
    )
    settings = read.campaign.retry_settings
    changed = await update(dialing, campaign_id, "retry_settings", retry_settings=settings)
    assert changed.settings_version == 1


async def test_an_old_etag_is_refused_and_the_present_one_is_not(dialing, make, unchanged):
    campaign_id = make.campaign("Spring")
    changed = await update(dialing, campaign_id, priority=3, etag='"1"')
    with unchanged(), refused("ETAG_MISMATCH"):
        await update(dialing, campaign_id, priority=4, etag='"1"')
    await update(dialing, campaign_id, priority=4, etag=changed.etag)


async def test_of_two_changes_at_once_with_one_etag_one_is_refused(dialing, make):
    campaign_id = make.campaign("Spring")
    answers = await asyncio.gather(
        *(update(dialing, campaign_id, priority=one, etag='"1"') for one in (3, 4)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Exception) for answer in answers) == 1


async def test_a_name_that_is_taken_is_refused(dialing, make, unchanged):
    make.campaign("Spring")
    campaign_id = make.campaign("Summer")
    with unchanged(), refused("RESOURCE_EXISTS"):
        await update(dialing, campaign_id, display_name="SPRING")
    assert (await update(dialing, campaign_id, display_name="SUMMER")).display_name == "SUMMER"


async def test_a_campaign_that_does_not_exist_is_not_found(dialing):
    with refused("RESOURCE_NOT_FOUND"):
        await update(dialing, 99, priority=1)


@pytest.mark.parametrize(
    "path", ["state", "contact_lists", "nonsense", "retry_settings.rules", "name"]
)
async def test_a_mask_names_fields_that_can_be_changed(dialing, make, unchanged, path):
    campaign_id = make.campaign()
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await update(dialing, campaign_id, "priority", path, priority=4)
    assert list(refusal.fields) == ["update_mask"]


async def test_every_bad_field_is_named_and_nothing_is_changed(dialing, make, unchanged):
    campaign_id = make.campaign()
    await update(dialing, campaign_id, start_time=moment(50))
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await update(
            dialing, campaign_id, "display_name", "end_time", "originate_timeout",
            end_time=moment(50), originate_timeout=seconds(301),
        )  # fmt: skip
    assert refusal.fields == {
        "campaign.display_name": "must be given",
        "campaign.end_time": "must be after start_time",
        "campaign.originate_timeout": "is 301 s, must be from 5 to 300 s",
    }
    rule = pb.RetryRule(status="CALL_STATUS_UNKNOWN")
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await update(dialing, campaign_id, retry_settings=pb.RetrySettings(rules=[rule]))
    assert list(refusal.fields) == ["campaign.retry_settings.rules[0].status"]
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await update(dialing, "x")
    assert list(refusal.fields) == ["campaign.name"]


async def test_a_changed_priority_holds_for_the_next_claim(dialing):
    first, _ = dialing.person(PRIMARY)
    second, _ = dialing.person(OFFICE)
    await update(dialing, first, priority=5)
    [attempt] = await dialing.claim(1)
    assert attempt.campaign == f"campaigns/{second}"
