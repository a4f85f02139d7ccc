"""ClaimAttempts: which entries, in which order, to whom (E3, D1, D2)."""

import asyncio
from collections import Counter
from datetime import timedelta

import grpc
import pytest

from callhopper.v1 import dialer_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import (
    START,
    after_start,
    answers,
    moment,
    rule_word,
    seconds,
    wait_for_claims,
)

dialing = arrangement.dialing

PRIMARY, OFFICE, HOLIDAY = "+12025550100", "+12025550101", "+12025550102"


def numbers(attempts):
    return [attempt.number for attempt in attempts]


def ids(attempts):
    return [attempt.attempt_id for attempt in attempts]


# ---------------------------------------------------------------- what an attempt says


async def test_an_attempt_says_all_that_is_needed_to_dial(dialing, make):
    office = make.item_type("Office")
    list_id = make.contact_list()
    contact_id = make.contact(
        list_id, PRIMARY, [(OFFICE, office)], first_name="Ada", last_name="Lovelace"
    )
    campaign_id = make.campaign(lists=[list_id])
    dialing.set_campaign(campaign_id, caller_id="+12025550199", originate_timeout="25 seconds")
    attempt = await dialing.claim_one(lease=90)
    assert attempt.lease_duration == seconds(90)
    assert attempt.ring_timeout == seconds(25)
    assert (attempt.campaign, attempt.contact) == (
        f"campaigns/{campaign_id}", f"contacts/{contact_id}",
    )  # fmt: skip
    assert attempt.entry == (await dialing.entry(campaign_id)).name
    assert (attempt.number, attempt.position, attempt.cycle, attempt.attempt_number) == (
        PRIMARY,
        0,
        1,
        1,
    )
    assert (attempt.contact_item_type, attempt.contact_item_type_display_name) == ("", "")
    assert (attempt.caller_id, attempt.begun) == ("+12025550199", False)
    assert (attempt.first_name, attempt.last_name) == ("Ada", "Lovelace")
    assert (rule_word(attempt.rule), attempt.scheduled_time) == ("FIRST_CALL", moment(0))
    await dialing.begin(attempt)
    await dialing.report(attempt)
    dialing.clock.advance(60)
    attempt = await dialing.ring()
    assert (attempt.number, attempt.position, attempt.attempt_number) == (OFFICE, 1, 2)
    assert attempt.contact_item_type == f"contactItemTypes/{office}"
    assert attempt.contact_item_type_display_name == "Office"
    assert after_start(attempt.scheduled_time) == 60


async def test_a_lease_lasts_60_seconds_when_not_set(dialing):
    dialing.person(PRIMARY)
    assert (await dialing.claim_one()).lease_duration == seconds(60)


async def test_nothing_set_claims_one(dialing, make):
    make.campaign(
        lists=[dialing.list_of(make.contact(phone=number)) for number in (PRIMARY, OFFICE)]
    )
    answer = await dialing.dialer.ClaimAttempts(pb.ClaimAttemptsRequest(worker_id="w"))
    assert len(answer.attempts) == 1


async def test_a_claim_that_begins_gives_the_permission_to_dial(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    attempt = await dialing.claim_one(begin=True, lease=5)
    assert attempt.begun
    assert attempt.lease_duration == seconds(30)
    assert answers([await dialing.report(attempt)]) == ["ACCEPTED"]
    assert len(await dialing.history(campaign_id)) == 1


async def test_what_is_claimed_is_claimed_by_nobody_else(dialing):
    dialing.person(PRIMARY)
    await dialing.claim_one()
    assert await dialing.claim(worker="other") == []


# ---------------------------------------------------------------- in which order: E3


async def test_entries_go_by_campaign_priority_contact_priority_time_and_id(dialing, make):
    urgent, usual = make.contact_list(), make.contact_list()
    expected = {}
    for list_id in (usual, urgent):
        for priority in (2, 1):
            for at in (-60, -120, -120):
                number = make.number()
                make.contact(
                    list_id, number, priority=priority, earliest_call_at=START + timedelta(days=1)
                )
                expected[number] = (list_id == usual, priority, at)
    campaigns = [make.campaign(lists=[usual]), make.campaign(lists=[urgent])]
    dialing.set_campaign(campaigns[0], priority=5)
    dialing.set_campaign(campaigns[1], priority=3)
    for number, (_, _, at) in expected.items():
        make.rows(
            "update hopper_entry set scheduled_at = %s, ready_at = %s from contact_phone phone"
            " where phone.contact_id = hopper_entry.contact_id and phone.e164 = %s returning 1",
            *[START + timedelta(seconds=at)] * 2, number,
        )  # fmt: skip
    order = sorted(expected, key=lambda number: expected[number])
    assert numbers(await dialing.claim()) == order


async def test_claims_one_by_one_go_in_the_same_order(dialing, make):
    first, second = make.contact_list(), make.contact_list()
    low = make.contact(first, PRIMARY, priority=9)
    high = make.contact(first, OFFICE, priority=1)
    other = make.contact(second, HOLIDAY, priority=2)
    make.campaign(lists=[first])
    make.campaign(lists=[second])
    claimed = [(await dialing.claim(1))[0].contact for _ in range(3)]
    assert claimed == [f"contacts/{one}" for one in (high, other, low)]


async def test_campaigns_of_equal_priority_do_not_starve_each_other(dialing, make):
    lists = [make.contact_list() for _ in range(2)]
    for list_id in lists:
        make.contacts(20, list_id)
    campaigns = [make.campaign(lists=[list_id]) for list_id in lists]
    for campaign_id in campaigns:
        make.rows(
            """
            update hopper_entry entry
            set scheduled_at = due.at, ready_at = due.at
            from (
              select contact_id, %s - interval '1 s' * row_number() over (order by contact_id) as at
              from hopper_entry where campaign_id = %s
            ) due
            where entry.contact_id = due.contact_id
            returning entry.contact_id
            """,
            START,
            campaign_id,
        )
    claimed = await dialing.claim(10)
    assert Counter(attempt.campaign for attempt in claimed) == {
        f"campaigns/{campaign_id}": 5 for campaign_id in campaigns
    }


async def test_the_batch_has_at_most_what_was_asked_for(dialing, make):
    list_id = make.contact_list()
    make.contacts(7, list_id)
    make.campaign(lists=[list_id])
    assert [len(await dialing.claim(3)) for _ in range(4)] == [3, 3, 1, 0]


async def test_only_the_named_campaigns_are_claimed_from(dialing):
    first, _ = dialing.person(PRIMARY)
    second, _ = dialing.person(OFFICE)
    third, _ = dialing.person(HOLIDAY)
    names = [f"campaigns/{one}" for one in (third, first, first)]
    assert sorted(numbers(await dialing.claim(campaigns=names))) == [PRIMARY, HOLIDAY]
    assert numbers(await dialing.claim(campaigns=[f"campaigns/{second}"])) == [OFFICE]


# ---------------------------------------------------------------- whose calls are due


@pytest.mark.parametrize("state", ["DRAFT", "PAUSED", "STOPPED"])
async def test_a_campaign_that_does_not_run_gives_nothing(dialing, make, state):
    list_id = make.contact_list()
    make.contact(list_id)
    make.campaign(lists=[list_id], state=state)
    answer = await dialing.ask()
    assert (list(answer.attempts), answer.HasField("next_due_in")) == ([], False)


async def test_a_campaign_dials_from_its_start_to_its_end(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    dialing.set_campaign(
        campaign_id,
        start_at=START + timedelta(seconds=100),
        end_at=START + timedelta(seconds=200),
    )
    for at, found in ((99, 0), (200, 0), (100, 1)):
        dialing.at(at)
        assert len(await dialing.claim()) == found
    assert await dialing.claim() == []


async def test_the_wait_for_a_campaign_that_starts_later_is_told(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    dialing.set_campaign(campaign_id, start_at=START + timedelta(seconds=100))
    assert (await dialing.ask()).next_due_in == seconds(100)


async def test_a_contact_is_not_called_before_its_earliest_call_time(dialing, make):
    list_id = make.contact_list()
    make.contact(list_id, PRIMARY, earliest_call_at=START + timedelta(hours=1))
    make.campaign(lists=[list_id])
    answer = await dialing.ask()
    assert (list(answer.attempts), answer.next_due_in) == ([], seconds(3600))
    dialing.at(3600)
    assert numbers(await dialing.claim()) == [PRIMARY]


# ---------------------------------------------------------------- one live call (D1)


async def test_a_number_on_a_call_elsewhere_waits_30_seconds_and_no_other_is_taken(dialing):
    dialing.person(PRIMARY)
    attempt = await dialing.ring()
    other, _ = dialing.person(PRIMARY, OFFICE)
    assert await dialing.claim() == []
    entry = await dialing.entry(other)
    assert (after_start(entry.scheduled_time), entry.attempt_count) == (30, 0)
    await dialing.report(attempt, "ANSWERED")
    dialing.at(29)
    assert await dialing.claim() == []
    dialing.at(30)
    assert numbers(await dialing.claim()) == [PRIMARY]


async def test_a_person_on_a_call_elsewhere_waits_and_no_other_number_is_taken(dialing, make):
    first, second = make.contact_list(), make.contact_list()
    make.contact(first, PRIMARY, person_key="ada")
    make.campaign(lists=[first])
    await dialing.ring()
    make.contact(second, OFFICE, [(HOLIDAY, None)], person_key="ada")
    other = make.campaign(lists=[second])
    assert await dialing.claim() == []
    assert after_start((await dialing.entry(other)).scheduled_time) == 30
    assert await dialing.history(other) == []


async def test_two_contacts_with_one_number_are_not_claimed_together(dialing, make):
    list_id = make.contact_list()
    make.contact(list_id, PRIMARY, [(OFFICE, None)])
    make.contact(list_id, PRIMARY, [(HOLIDAY, None)])
    campaign_id = make.campaign(check_duplicate="NEVER")
    dialing.set_campaign(campaign_id, check_duplicate="NEVER")
    make.attach(campaign_id, list_id)
    attempt = await dialing.claim_one(begin=True)
    assert attempt.number == PRIMARY
    await dialing.report(attempt, "ANSWERED")
    dialing.at(29)
    assert await dialing.claim() == []
    dialing.at(30)
    assert numbers(await dialing.claim()) == [PRIMARY]


async def test_two_contacts_of_one_person_are_not_claimed_together(dialing, make):
    list_id = make.contact_list()
    for number in (PRIMARY, OFFICE):
        make.contact(list_id, number, person_key="ada")
    make.campaign(lists=[list_id])
    assert len(await dialing.claim()) == 1


async def test_a_person_key_that_looks_like_a_contact_is_another_person(dialing, make):
    list_id = make.contact_list()
    contact_id = make.contact(list_id, PRIMARY)
    make.contact(list_id, OFFICE, person_key=f"contact:{contact_id}")
    make.contact(list_id, HOLIDAY, person_key=str(contact_id))
    make.campaign(lists=[list_id])
    assert len(await dialing.claim()) == 3


@pytest.mark.parametrize("most", [1, 2])
async def test_of_two_entries_with_one_number_the_more_urgent_is_dialed(dialing, most):
    less, _ = dialing.person(PRIMARY)
    more, _ = dialing.person(PRIMARY)
    dialing.set_campaign(less, priority=9)
    [attempt] = await dialing.claim(most)
    assert attempt.campaign == f"campaigns/{more}"


async def test_two_workers_that_claim_at_once_share_what_is_due(dialing, make):
    list_id = make.contact_list()
    make.contacts(20, list_id)
    make.campaign(lists=[list_id])
    claims = [dialing.claim(5, worker=f"worker {place}", wait=1) for place in range(4)]
    claimed = [attempt for batch in await asyncio.gather(*claims) for attempt in batch]
    while batch := await dialing.claim(5):
        claimed += batch
    assert len(claimed) == len(set(ids(claimed))) == len(set(numbers(claimed))) == 20


# ---------------------------------------------------------------- bad requests


async def test_every_bad_field_is_named_and_nothing_is_claimed(dialing, unchanged):
    dialing.person(PRIMARY)
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await dialing.ask(
            501, worker=" ", lease=601, wait=56, request_id="7", campaigns=["campaigns/x"]
        )
    assert refusal.fields == {
        "worker_id": "must be given",
        "request_id": "is '7', must be a UUID",
        "max_attempts": "is 501, must be from 1 to 500",
        "lease_duration": "is 601 s, must be from 1 to 600 s",
        "campaigns[0]": "is 'campaigns/x', must be campaigns/{id}",
        "wait_duration": "must be a duration from 0 to 55 s",
    }


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("lease_duration", {"lease": 0}),
        ("lease_duration", {"lease": 1.5}),
        ("wait_duration", {"wait": -1}),
        ("worker_id", {"worker": "x" * 129}),
        ("max_attempts", {"most": -1}),
    ],
)
async def test_a_bad_field_is_refused(dialing, unchanged, field, fields):
    dialing.person(PRIMARY)
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await dialing.ask(**fields)
    assert list(refusal.fields) == [field]


async def test_a_campaign_that_does_not_exist_is_not_found(dialing, unchanged):
    campaign_id, _ = dialing.person(PRIMARY)
    with unchanged(), refused("RESOURCE_NOT_FOUND") as refusal:
        await dialing.ask(campaigns=[f"campaigns/{campaign_id}", "campaigns/99"])
    assert refusal.message == "campaigns/99 does not exist"


async def test_a_caller_that_left_keeps_nothing_claimed(dialing, server):
    campaign_id, _ = dialing.person(PRIMARY)
    dialing.clock.advance(-1)
    request = pb.ClaimAttemptsRequest(worker_id="w", wait_duration=seconds(20))
    call = dialing.dialer.ClaimAttempts(request)
    await wait_for_claims(server)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    dialing.clock.advance(1)
    assert numbers(await dialing.claim(wait=1)) == [PRIMARY]
    assert len(await dialing.entries(campaign_id)) == 1
    assert call.done()
    assert await call.code() == grpc.StatusCode.CANCELLED
