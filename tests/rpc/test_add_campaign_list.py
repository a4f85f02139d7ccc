"""AddCampaignList: loading, and whom the duplicate check leaves out (E2)."""

import asyncio
from datetime import timedelta

import pytest

from callhopper.v1 import campaign_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import START, moment, rule_word, seconds

dialing = arrangement.dialing


async def add(dialing, campaign_id, list_id):
    """Return how many contacts were loaded, and how many were duplicates."""
    answer = await dialing.campaigns.AddCampaignList(
        pb.AddCampaignListRequest(
            name=f"campaigns/{campaign_id}", contact_list=f"contactLists/{list_id}"
        )
    )
    return answer.loaded_entry_count, answer.duplicate_contact_count


def campaign(dialing, check="ALWAYS", scope="ANY_NUMBER", **more):
    campaign_id = dialing.make.campaign(**more)
    dialing.set_campaign(campaign_id, check_duplicate=check, duplicate_scope=scope)
    return campaign_id


async def loaded(dialing, campaign_id):
    return [
        int(entry.contact.removeprefix("contacts/")) for entry in await dialing.entries(campaign_id)
    ]


# ---------------------------------------------------------------- loading


async def test_every_contact_has_one_entry_that_is_due_at_once(dialing, make):
    list_id = make.contact_list()
    usual = make.contact(list_id)
    later = make.contact(list_id, priority=7, earliest_call_at=START + timedelta(hours=1))
    earlier = make.contact(list_id, earliest_call_at=START - timedelta(hours=1))
    make.contact(list_id, deleted=True)
    campaign_id = campaign(dialing)
    dialing.at(5)
    assert await add(dialing, campaign_id, list_id) == (3, 0)
    entries = await dialing.entries(campaign_id)
    assert [(entry.contact, entry.scheduled_time, entry.priority) for entry in entries] == [
        (f"contacts/{usual}", moment(5), 2),
        (f"contacts/{later}", moment(3600), 7),
        (f"contacts/{earlier}", moment(5), 2),
    ]
    assert {(entry.cycle, rule_word(entry.next_rule)) for entry in entries} == {(1, "FIRST_CALL")}
    assert entries[1].due_in == seconds(3595)
    read = await dialing.campaigns.GetCampaign(
        pb.GetCampaignRequest(name=f"campaigns/{campaign_id}")
    )
    assert list(read.campaign.contact_lists) == [f"contactLists/{list_id}"]


async def test_an_attached_list_is_left_as_it_is(dialing, make, unchanged):
    list_id = make.contact_list()
    make.contact(list_id)
    campaign_id = campaign(dialing)
    await add(dialing, campaign_id, list_id)
    with unchanged():
        assert await add(dialing, campaign_id, list_id) == (0, 0)


async def test_an_empty_list_is_attached(dialing, make):
    campaign_id = campaign(dialing)
    list_id = make.contact_list()
    assert await add(dialing, campaign_id, list_id) == (0, 0)
    assert (await dialing.stats(campaign_id)).loaded_count == 0


@pytest.mark.parametrize("state", ["DRAFT", "PAUSED"])
async def test_a_campaign_that_does_not_run_is_loaded_too(dialing, make, state):
    list_id = make.contact_list()
    make.contact(list_id)
    assert await add(dialing, campaign(dialing, state=state), list_id) == (1, 0)


# ---------------------------------------------------------------- duplicates in hopper and final


async def in_hopper_and_final(dialing, make):
    """Return two numbers: one in the hopper, one in final; and the campaign."""
    list_id = make.contact_list()
    in_final = make.number()
    make.contact(list_id, in_final)
    campaign_id = campaign(dialing)
    await add(dialing, campaign_id, list_id)
    await dialing.report(await dialing.ring(), "ANSWERED")
    other = make.contact_list()
    in_hopper = make.number()
    make.contact(other, in_hopper)
    await add(dialing, campaign_id, other)
    return campaign_id, in_hopper, in_final


@pytest.mark.parametrize(
    ("check", "expected"), [("NEVER", (3, 0)), ("ALWAYS", (1, 2)), ("ONLY_IF_OPEN", (2, 1))]
)
async def test_a_number_that_is_there_already_is_not_loaded_again(dialing, make, check, expected):
    campaign_id, in_hopper, in_final = await in_hopper_and_final(dialing, make)
    dialing.set_campaign(campaign_id, check_duplicate=check)
    list_id = make.contact_list()
    make.contact(list_id)
    make.contact(list_id, additional=[(in_hopper, None)])
    make.contact(list_id, in_final)
    assert await add(dialing, campaign_id, list_id) == expected


@pytest.mark.parametrize(("scope", "expected"), [("ANY_NUMBER", (0, 3)), ("PRIMARY", (2, 1))])
async def test_the_scope_says_which_numbers_are_compared(dialing, make, scope, expected):
    first, second = make.contact_list(), make.contact_list()
    primary, additional = make.numbers(2)
    make.contact(first, primary, [(additional, None)])
    campaign_id = campaign(dialing, scope=scope)
    await add(dialing, campaign_id, first)
    make.contact(second, primary)
    make.contact(second, additional)
    make.contact(second, additional=[(primary, None)])
    assert await add(dialing, campaign_id, second) == expected


async def test_a_list_that_was_removed_is_loaded_again_unless_its_finals_stand_against_it(
    dialing, make
):
    for check, expected in (("ALWAYS", (0, 2)), ("ONLY_IF_OPEN", (2, 0)), ("NEVER", (2, 0))):
        list_id = make.contact_list()
        make.contacts(2, list_id)
        campaign_id = campaign(dialing, check)
        await add(dialing, campaign_id, list_id)
        await dialing.campaigns.RemoveCampaignList(
            pb.RemoveCampaignListRequest(
                name=f"campaigns/{campaign_id}", contact_list=f"contactLists/{list_id}"
            )
        )
        assert await add(dialing, campaign_id, list_id) == expected


async def test_other_campaigns_do_not_matter(dialing, make):
    list_id = make.contact_list()
    make.contact(list_id)
    for _ in range(2):
        assert await add(dialing, campaign(dialing), list_id) == (1, 0)


# ---------------------------------------------------------------- duplicates within one load


async def test_within_one_load_the_lower_contact_id_wins(dialing, make):
    list_id = make.contact_list()
    number = make.number()
    first = make.contact(list_id, number)
    make.contact(list_id, additional=[(number, None)])
    campaign_id = campaign(dialing)
    assert await add(dialing, campaign_id, list_id) == (1, 1)
    assert await loaded(dialing, campaign_id) == [first]


async def test_nobody_is_left_out_for_the_sake_of_one_that_was_left_out_itself(dialing, make):
    list_id = make.contact_list()
    left, right = make.numbers(2)
    first = make.contact(list_id, left)
    make.contact(list_id, left, [(right, None)])
    third = make.contact(list_id, right)
    campaign_id = campaign(dialing)
    assert await add(dialing, campaign_id, list_id) == (2, 1)
    assert await loaded(dialing, campaign_id) == [first, third]


@pytest.mark.parametrize(
    ("check", "scope", "expected"),
    [
        ("NEVER", "ANY_NUMBER", 3),
        ("ALWAYS", "PRIMARY", 2),
        ("ONLY_IF_OPEN", "ANY_NUMBER", 1),
        ("ALWAYS", "ANY_NUMBER", 1),
    ],
)
async def test_the_option_and_the_scope_hold_within_one_load_too(
    dialing, make, check, scope, expected
):
    list_id = make.contact_list()
    primary, additional = make.numbers(2)
    make.contact(list_id, primary, [(additional, None)])
    make.contact(list_id, additional)
    make.contact(list_id, primary)
    campaign_id = campaign(dialing, check, scope)
    assert await add(dialing, campaign_id, list_id) == (expected, 3 - expected)


async def test_two_loads_at_once_do_not_let_a_number_in_twice(dialing, make):
    campaign_id = campaign(dialing)
    number = make.number()
    lists = [make.contact_list() for _ in range(2)]
    for list_id in lists:
        make.contact(list_id, number)
    counts = await asyncio.gather(*(add(dialing, campaign_id, list_id) for list_id in lists))
    assert sorted(counts) == [(0, 1), (1, 0)]


# ---------------------------------------------------------------- errors


async def test_a_stopped_campaign_takes_no_list(dialing, make, unchanged):
    campaign_id = campaign(dialing, state="STOPPED")
    list_id = make.contact_list()
    with unchanged(), refused("WRONG_STATE"):
        await add(dialing, campaign_id, list_id)


async def test_a_campaign_or_list_that_does_not_exist_is_not_found(dialing, make, unchanged):
    campaign_id, list_id, deleted = campaign(dialing), make.contact_list(), make.contact_list()
    make.rows("update contact_list set deleted_at = clock() where contact_list_id = %s returning 1",
              deleted)  # fmt: skip
    for wrong in ((99, list_id), (campaign_id, 99), (campaign_id, deleted)):
        with unchanged(), refused("RESOURCE_NOT_FOUND"):
            await add(dialing, *wrong)


async def test_every_bad_field_is_named(dialing):
    with refused("INVALID_FIELD") as refusal:
        await add(dialing, "x", "")
    assert refusal.fields == {
        "name": "is 'campaigns/x', must be campaigns/{id}",
        "contact_list": "is 'contactLists/', must be contactLists/{id}",
    }
