"""PlanCalls: the same decision, run forward; nothing is stored."""

from datetime import timedelta
from typing import Any

import pytest

from callhopper.v1 import campaign_service_pb2 as pb
from callhopper.v1 import types_pb2
from tests.refusals import refused
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import (
    START,
    after_start,
    moment,
    outcome_value,
    reason_word,
    rule_word,
    seconds,
    status_word,
)

dialing = arrangement.dialing

PRIMARY, OFFICE, HOLIDAY = "+12025550100", "+12025550101", "+12025550102"


async def plan(dialing, **fields):
    return await dialing.campaigns.PlanCalls(pb.PlanCallsRequest(**fields))


def assumed(*outcomes, number=""):
    return pb.AssumedOutcomes(number=number, outcomes=map(outcome_value, outcomes))


def no_answer(most=3, interval=120, delay=60, **fields):
    rule = pb.RetryRule(
        status="CALL_STATUS_NO_ANSWER", max_attempts=most, retry_interval=seconds(interval)
    )
    return pb.RetrySettings(additional_phone_delay=seconds(delay), rules=[rule], **fields)


def shown(answer):
    """Return (seconds, number, cycle, position, rule) of each planned call."""
    return [
        (after_start(call.call_time), call.number, call.cycle, call.position, rule_word(call.rule))
        for call in answer.calls
    ]


def dialed(calls):
    """Return the same of calls that were made."""
    return [(call.at, call.number, call.cycle, call.position, call.rule) for call in calls]


# ---------------------------------------------------------------- drafts


def draft(**fields):
    return pb.DraftContact(
        phone="(202) 555-0100",
        additional_phones=[
            pb.DraftPhone(number=HOLIDAY, contact_item_type_display_name="holiday"),
            pb.DraftPhone(number=OFFICE, contact_item_type_display_name="Office"),
        ],
        contact_item_types=[
            pb.DraftItemType(display_name="Office", order_by=1),
            pb.DraftItemType(display_name="Holiday", order_by=2),
        ],
        **fields,
    )


async def test_a_draft_follows_the_worked_example_and_nothing_is_stored(dialing, unchanged):
    with unchanged():
        answer = await plan(dialing, draft_contact=draft(), retry_settings=no_answer())
    assert [(after_start(call.call_time) / 60, call.number) for call in answer.calls] == [
        (0, PRIMARY), (1, OFFICE), (2, HOLIDAY),
        (4, PRIMARY), (5, OFFICE), (6, HOLIDAY),
        (8, PRIMARY), (9, OFFICE), (10, HOLIDAY),
    ]  # fmt: skip
    assert [call.attempt_number for call in answer.calls] == list(range(1, 10))
    assert {status_word(call.status) for call in answer.calls} == {"NO_ANSWER"}
    assert [call.contact_item_type_display_name for call in answer.calls[:3]] == [
        "", "Office", "Holiday",
    ]  # fmt: skip
    assert not answer.calls[0].HasField("contact_item_type_display_name")
    closed = answer.closed
    assert (after_start(closed.close_time), reason_word(closed.reason)) == (600, "RETRY_LIMIT")
    assert (closed.last_number, closed.last_contact_item_type_display_name) == (HOLIDAY, "Holiday")
    assert (closed.attempt_count, closed.cycle_count) == (9, 3)


async def test_a_draft_may_name_item_types_of_the_installation(dialing, make, unchanged):
    make.item_type("Office", 2)
    make.item_type("Holiday", 1)
    contact = draft()
    del contact.contact_item_types[:]
    with unchanged():
        answer = await plan(dialing, draft_contact=contact, max_calls=3)
    assert [call.number for call in answer.calls] == [PRIMARY, HOLIDAY, OFFICE]


async def test_types_of_the_draft_win_over_those_of_the_installation(dialing, make):
    make.item_type("Office", 9)
    answer = await plan(dialing, draft_contact=draft(), max_calls=3)
    assert [call.number for call in answer.calls] == [PRIMARY, OFFICE, HOLIDAY]


async def test_a_draft_is_planned_with_the_settings_of_a_campaign(dialing, make, unchanged):
    campaign_id = make.campaign(no_answer_max_attempts=1, additional_phone_delay="7 seconds")
    with unchanged():
        answer = await plan(dialing, campaign=f"campaigns/{campaign_id}", draft_contact=draft())
    assert [after_start(call.call_time) for call in answer.calls] == [0, 7, 14]


async def test_defaults_hold_where_nothing_is_given(dialing):
    answer = await plan(dialing, draft_contact=pb.DraftContact(phone=PRIMARY))
    assert [after_start(call.call_time) for call in answer.calls] == [0, 9000, 18000]
    assert answer.closed.attempt_count == 3


# ---------------------------------------------------------------- assumed outcomes


async def test_each_number_has_its_sequence_and_the_last_outcome_repeats(dialing):
    answer = await plan(
        dialing,
        draft_contact=draft(),
        retry_settings=no_answer(),
        assumed_outcomes=[
            assumed("BUSY", "NO_ANSWER"),
            assumed("NO_SUCH_NUMBER", "ANSWERED", number="202-555-0101"),
        ],
    )
    assert [(call.number, status_word(call.status)) for call in answer.calls] == [
        (PRIMARY, "BUSY"), (OFFICE, "NO_SUCH_NUMBER"), (HOLIDAY, "NO_ANSWER"),
        (PRIMARY, "NO_ANSWER"), (OFFICE, "ANSWERED"),
    ]  # fmt: skip
    assert reason_word(answer.closed.reason) == "REACHED"
    assert answer.closed.last_number == OFFICE


async def test_a_plan_that_is_too_long_is_cut_and_does_not_close(dialing):
    answer = await plan(dialing, draft_contact=draft(), max_calls=2)
    assert len(answer.calls) == 2
    assert not answer.HasField("closed")
    exact = await plan(
        dialing, draft_contact=draft(), retry_settings=no_answer(most=1), max_calls=3
    )
    assert (len(exact.calls), exact.HasField("closed")) == (3, True)


async def test_a_plan_begins_when_it_is_told(dialing):
    answer = await plan(dialing, draft_contact=draft(), start_time=moment(500), max_calls=2)
    assert [after_start(call.call_time) for call in answer.calls] == [500, 560]


# ---------------------------------------------------------------- stored contacts


async def test_a_stored_contact_is_planned_as_it_is_then_dialed(dialing, unchanged):
    campaign_id, contact_id = dialing.person(
        PRIMARY, OFFICE, HOLIDAY, drop_on_failure="SAME_NUMBER", drop_retry_interval="20 seconds"
    )
    table = {PRIMARY: "DROP", OFFICE: "NO_ANSWER", HOLIDAY: "BUSY"}
    with unchanged():
        answer = await plan(
            dialing,
            campaign=f"campaigns/{campaign_id}",
            contact=f"contacts/{contact_id}",
            assumed_outcomes=[assumed(outcome, number=number) for number, outcome in table.items()],
        )
    assert shown(answer) == dialed(await dialing.dial(table.__getitem__))
    final = await dialing.final(campaign_id)
    assert (answer.closed.attempt_count, answer.closed.cycle_count) == (
        final.attempt_count, final.cycle_count,
    )  # fmt: skip
    assert answer.closed.reason == final.reason
    assert answer.closed.close_time == final.close_time


async def test_an_entry_in_mid_cycle_is_planned_from_where_it_stands(dialing, unchanged):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE, HOLIDAY)
    await dialing.report(await dialing.ring(), "BUSY")
    dialing.at(60)
    await dialing.report(await dialing.ring())
    dialing.at(70)
    with unchanged():
        answer = await plan(
            dialing, campaign=f"campaigns/{campaign_id}", contact=f"contacts/{contact_id}"
        )
    assert shown(answer)[0] == (120, HOLIDAY, 1, 2, "NEXT_NUMBER")
    assert answer.calls[0].attempt_number == 3
    assert shown(answer) == dialed(await dialing.dial())


async def test_a_live_call_comes_first_as_if_it_ended_at_once(dialing, unchanged):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring())
    dialing.at(60)
    await dialing.ring()
    dialing.at(65)
    with unchanged():
        answer = await plan(
            dialing, campaign=f"campaigns/{campaign_id}", contact=f"contacts/{contact_id}"
        )
    assert shown(answer)[:2] == [
        (65, OFFICE, 1, 1, "NEXT_NUMBER"), (185, PRIMARY, 2, 0, "NEXT_CYCLE"),
    ]  # fmt: skip
    assert (answer.calls[0].attempt_number, answer.closed.attempt_count) == (2, 6)


async def test_other_settings_are_tried_out_without_being_stored(dialing, unchanged):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring())
    with unchanged():
        answer = await plan(
            dialing,
            campaign=f"campaigns/{campaign_id}",
            contact=f"contacts/{contact_id}",
            retry_settings=no_answer(most=1, delay=5),
        )
    assert shown(answer) == [(5, OFFICE, 1, 1, "NEXT_NUMBER")]
    assert answer.closed.attempt_count == 2
    assert (await dialing.entry(campaign_id)).next_number == OFFICE


async def test_a_contact_that_is_in_no_hopper_is_planned_as_a_fresh_one(dialing, make, unchanged):
    contact_id = make.contact(phone=PRIMARY, additional=[(OFFICE, None)])
    with unchanged():
        answer = await plan(dialing, contact=f"contacts/{contact_id}", max_calls=2)
    assert [call.number for call in answer.calls] == [PRIMARY, OFFICE]


async def test_the_earliest_call_time_of_a_contact_is_kept(dialing, make):
    contact_id = make.contact(phone=PRIMARY, earliest_call_at=START + timedelta(seconds=900))
    answer = await plan(dialing, contact=f"contacts/{contact_id}", max_calls=1)
    assert after_start(answer.calls[0].call_time) == 900


# ---------------------------------------------------------------- errors


async def test_what_does_not_exist_is_not_found(dialing, make):
    deleted = make.contact(deleted=True)
    for fields in (
        {"contact": "contacts/99"},
        {"contact": f"contacts/{deleted}"},
        {"campaign": "campaigns/99", "draft_contact": draft()},
    ):
        with refused("RESOURCE_NOT_FOUND"):
            await plan(dialing, **fields)


async def test_an_item_type_nobody_knows_is_named(dialing, unchanged):
    contact = draft()
    contact.additional_phones[1].contact_item_type_display_name = "Offce"
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await plan(dialing, draft_contact=contact)
    assert refusal.fields == {
        "draft_contact.additional_phones[1].contact_item_type_display_name":
            "names no item type of the draft or of the installation"
    }  # fmt: skip


async def test_a_plan_needs_a_contact(dialing):
    with refused("INVALID_FIELD") as refusal:
        await plan(dialing)
    assert refusal.fields == {"contact": "must be given, or a draft_contact"}


async def test_every_bad_field_is_named(dialing, unchanged):
    contact = pb.DraftContact(
        phone="911",
        additional_phones=[pb.DraftPhone(number=OFFICE), pb.DraftPhone(number="202 555 0101")],
        contact_item_types=[
            pb.DraftItemType(display_name="Office", order_by=0),
            pb.DraftItemType(display_name="OFFICE", order_by=1),
        ],
    )
    outcomes = [assumed(), assumed("NOT_DIALED"), assumed("BUSY", number="x")]
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await plan(
            dialing, campaign="x", draft_contact=contact, assumed_outcomes=outcomes,
            max_calls=10_001, retry_settings=no_answer(most=-1),
        )  # fmt: skip
    assert set(refusal.fields) == {
        "campaign",
        "draft_contact.phone",
        "draft_contact.additional_phones[1].number",
        "draft_contact.contact_item_types[0].order_by",
        "draft_contact.contact_item_types[1].display_name",
        "assumed_outcomes[0].outcomes",
        "assumed_outcomes[1].number",
        "assumed_outcomes[1].outcomes[0]",
        "assumed_outcomes[2].number",
        "max_calls",
        "retry_settings.rules[0].max_attempts",
    }


@pytest.mark.parametrize("outcome", [0, types_pb2.OUTCOME_NOT_DIALED, 99])
async def test_only_an_outcome_of_a_dialed_call_is_assumed(dialing, outcome: Any):
    outcomes = [pb.AssumedOutcomes(outcomes=[outcome])]
    with refused("INVALID_FIELD") as refusal:
        await plan(dialing, draft_contact=draft(), assumed_outcomes=outcomes)
    assert list(refusal.fields) == ["assumed_outcomes[0].outcomes[0]"]
