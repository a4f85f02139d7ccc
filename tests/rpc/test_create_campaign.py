"""CreateCampaign: a campaign in state DRAFT (E1, R1)."""

from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration

from callhopper.v1 import campaign_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import moment, seconds, status_word, word

dialing = arrangement.dialing

STATUSES = [
    "NO_ANSWER", "BUSY", "CONGESTION", "NO_SUCH_NUMBER", "DROP", "ABANDONED", "MACHINE",
    "AGENT_REJECT",
]  # fmt: skip


async def create(dialing, request_id="", display_name="Spring", **fields):
    campaign = pb.Campaign(display_name=display_name, **fields)
    request = pb.CreateCampaignRequest(campaign=campaign, request_id=request_id)
    return (await dialing.campaigns.CreateCampaign(request)).campaign


async def test_what_is_not_set_has_its_default(dialing):
    stored = await create(dialing, display_name=" Spring ")
    assert stored.display_name == "Spring"
    assert stored.name.startswith("campaigns/")
    assert word(pb.Campaign.State, stored.state) == "DRAFT"
    assert (stored.priority, stored.settings_version, stored.etag) == (2, 1, '"1"')
    assert stored.originate_timeout == seconds(30)
    assert stored.quarantine == seconds(150)
    assert stored.max_talk == seconds(7200)
    assert word(pb.Campaign.CheckDuplicate, stored.check_duplicate) == "ALWAYS"
    assert word(pb.Campaign.DuplicateScope, stored.duplicate_scope) == "ANY_NUMBER"
    assert (stored.caller_id, list(stored.contact_lists)) == ("", [])
    assert not stored.HasField("start_time")
    assert not stored.HasField("end_time")
    assert stored.create_time == stored.update_time == moment(0)
    settings = stored.retry_settings
    assert (settings.global_max_attempts, settings.additional_phone_delay) == (4, seconds(60))
    assert sorted(status_word(rule.status) for rule in settings.rules) == sorted(STATUSES)
    for rule in settings.rules:
        assert (rule.max_attempts, rule.retry_interval) == (3, seconds(9000))
        assert rule.on_failure == pb.RetryRule.ON_FAILURE_NEXT_NUMBER


async def test_it_answers_what_it_stored(dialing):
    rule = pb.RetryRule(
        status="CALL_STATUS_DROP", max_attempts=0, retry_interval=seconds(0),
        on_failure="ON_FAILURE_SAME_NUMBER",
    )  # fmt: skip
    stored = await create(
        dialing,
        priority=7, start_time=moment(10), end_time=moment(20), originate_timeout=seconds(45),
        caller_id="+12025550100", check_duplicate="CHECK_DUPLICATE_NEVER",
        duplicate_scope="DUPLICATE_SCOPE_PRIMARY", quarantine=seconds(0), max_talk=seconds(86_400),
        retry_settings=pb.RetrySettings(
            global_max_attempts=0, additional_phone_delay=seconds(0), rules=[rule]
        ),
    )  # fmt: skip
    assert (stored.priority, stored.start_time, stored.end_time) == (7, moment(10), moment(20))
    assert (stored.originate_timeout, stored.caller_id) == (seconds(45), "+12025550100")
    assert stored.check_duplicate == pb.Campaign.CHECK_DUPLICATE_NEVER
    assert stored.duplicate_scope == pb.Campaign.DUPLICATE_SCOPE_PRIMARY
    assert (stored.quarantine, stored.max_talk) == (seconds(0), seconds(86_400))
    assert stored.retry_settings.global_max_attempts == 0
    assert stored.retry_settings.additional_phone_delay == seconds(0)
    rules = {status_word(one.status): one for one in stored.retry_settings.rules}
    assert rules["DROP"] == rule
    assert rules["BUSY"].max_attempts == 3
    read = await dialing.campaigns.GetCampaign(pb.GetCampaignRequest(name=stored.name))
    assert read.campaign == stored


async def test_the_quarantine_is_two_minutes_more_than_the_ringing(dialing):
    stored = await create(dialing, originate_timeout=seconds(60))
    assert stored.quarantine == seconds(180)


async def test_fields_of_the_server_are_not_taken_from_the_caller(dialing):
    stored = await create(
        dialing, name="campaigns/77", state="STATE_RUNNING", settings_version=9,
        contact_lists=["contactLists/1"], etag="x",
    )  # fmt: skip
    assert stored.name != "campaigns/77"
    assert word(pb.Campaign.State, stored.state) == "DRAFT"
    assert (stored.settings_version, list(stored.contact_lists)) == (1, [])


async def test_the_same_request_id_answers_the_same_and_stores_once(dialing):
    request_id = str(uuid4())
    assert await create(dialing, request_id) == await create(dialing, request_id)
    assert dialing.make.rows("select count(*) as n from campaign") == [{"n": 1}]


async def test_a_request_id_is_not_used_for_another_request(dialing, unchanged):
    request_id = str(uuid4())
    await create(dialing, request_id)
    with unchanged(), refused("REQUEST_ID_REUSED"):
        await create(dialing, request_id, "Summer")


async def test_a_name_is_taken_regardless_of_case(dialing, unchanged):
    await create(dialing)
    with unchanged(), refused("RESOURCE_EXISTS"):
        await create(dialing, display_name="SPRING")


async def test_every_bad_field_is_named_and_nothing_is_stored(dialing, unchanged):
    rules = [
        pb.RetryRule(status="CALL_STATUS_ANSWERED"),
        pb.RetryRule(status="CALL_STATUS_BUSY", max_attempts=1001, retry_interval=seconds(-1)),
        pb.RetryRule(status="CALL_STATUS_BUSY"),
    ]
    settings = pb.RetrySettings(
        global_max_attempts=-1, additional_phone_delay=Duration(seconds=1, nanos=5), rules=rules
    )
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await create(
            dialing, "7", " ", priority=-1, originate_timeout=seconds(4), caller_id="1;rm",
            start_time=moment(10), end_time=moment(10), quarantine=seconds(86_401),
            max_talk=seconds(-1), retry_settings=settings,
        )  # fmt: skip
    assert refusal.fields == {
        "request_id": "is '7', must be a UUID",
        "campaign.display_name": "must be given",
        "campaign.priority": "is -1, must be 1 or more",
        "campaign.originate_timeout": "is 4 s, must be from 5 to 300 s",
        "campaign.caller_id": "is '1;rm', must be E.164 or 2 to 15 digits",
        "campaign.end_time": "must be after start_time",
        "campaign.quarantine": "is 86401 s, must be from 0 to 86400 s",
        "campaign.max_talk": "is -1 s, must be from 0 to 86400 s",
        "campaign.retry_settings.global_max_attempts": "is -1, must be from 0 to 1000",
        "campaign.retry_settings.additional_phone_delay": "must be whole seconds",
        "campaign.retry_settings.rules[0].status": "must be one of " + ", ".join(STATUSES),
        "campaign.retry_settings.rules[1].max_attempts": "is 1001, must be from 0 to 1000",
        "campaign.retry_settings.rules[1].retry_interval":
            "is -1 s, must be from 0 to 31622400 s",
        "campaign.retry_settings.rules[2].status": "is BUSY, which has a rule already",
    }  # fmt: skip


@pytest.mark.parametrize("length", [0, 366 * 86_400])
async def test_delays_go_from_nothing_to_366_days(dialing, length):
    rule = pb.RetryRule(status="CALL_STATUS_BUSY", retry_interval=seconds(length))
    settings = pb.RetrySettings(additional_phone_delay=seconds(length), rules=[rule])
    stored = await create(dialing, retry_settings=settings)
    assert stored.retry_settings.additional_phone_delay == seconds(length)
