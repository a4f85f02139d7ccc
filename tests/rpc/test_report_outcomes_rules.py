"""ReportOutcomes: which number is next, and when (R1-R11)."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from callhopper.v1 import campaign_service_pb2 as campaigns_pb
from callhopper.v1 import contact_item_type_service_pb2 as types_pb
from callhopper.v1 import contact_service_pb2 as contacts_pb
from tests.rpc import dialing as arrangement
from tests.rpc.dialing import after_start, reason_word, rule_word, seconds, status_word

dialing = arrangement.dialing

PRIMARY, OFFICE, HOLIDAY, MOBILE = "+12025550100", "+12025550101", "+12025550102", "+12025550103"


def by_number(**outcomes):
    """Let PRIMARY, OFFICE, HOLIDAY, MOBILE come to these outcomes."""
    numbers = {"PRIMARY": PRIMARY, "OFFICE": OFFICE, "HOLIDAY": HOLIDAY, "MOBILE": MOBILE}
    table = {numbers[name]: outcome for name, outcome in outcomes.items()}
    return table.__getitem__


def in_turn(*outcomes):
    """Let the first call come to the first outcome, and so on; the last one repeats."""
    left = list(outcomes)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def shown(calls):
    """Return (seconds, number) of each call."""
    return [(call.at, call.number) for call in calls]


# ---------------------------------------------------------------- limits: R1, R2


async def test_a_contact_without_additional_phones_has_cycles_of_one_call(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    calls = await dialing.dial()
    assert [(call.at, call.cycle) for call in calls] == [(0, 1), (120, 2), (240, 3)]
    final = await dialing.final(campaign_id)
    assert (final.attempt_count, final.cycle_count, final.last_number) == (3, 3, PRIMARY)
    assert final.last_contact_item_type_display_name == ""


@pytest.mark.parametrize("most", [0, 1])
async def test_a_maximum_of_0_or_1_means_never_again_after_one_failure(dialing, most):
    dialing.person(PRIMARY, OFFICE, no_answer_max_attempts=most)
    assert shown(await dialing.dial()) == [(0, PRIMARY), (60, OFFICE)]


@pytest.mark.parametrize("most", [0, 1])
async def test_a_global_maximum_of_0_or_1_means_one_call_a_number(dialing, most):
    dialing.person(PRIMARY, OFFICE, global_max_attempts=most)
    assert shown(await dialing.dial()) == [(0, PRIMARY), (60, OFFICE)]


async def test_no_such_number_retires_only_its_number(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE, HOLIDAY, no_such_number_max_attempts=1)
    calls = await dialing.dial(
        by_number(PRIMARY="NO_ANSWER", OFFICE="NO_SUCH_NUMBER", HOLIDAY="NO_ANSWER")
    )
    assert [call.number for call in calls] == [
        PRIMARY,
        OFFICE,
        HOLIDAY,
        PRIMARY,
        HOLIDAY,
        PRIMARY,
        HOLIDAY,
    ]
    assert reason_word((await dialing.final(campaign_id)).reason) == "RETRY_LIMIT"


async def test_no_such_number_on_the_last_number_does_not_close_the_others(dialing):
    dialing.person(
        PRIMARY, OFFICE, no_such_number_max_attempts=1, no_such_number_retry_interval="300 seconds"
    )
    calls = await dialing.dial(by_number(PRIMARY="NO_ANSWER", OFFICE="NO_SUCH_NUMBER"))
    assert shown(calls) == [(0, PRIMARY), (60, OFFICE), (360, PRIMARY), (480, PRIMARY)]


async def test_the_global_maximum_counts_all_statuses_of_one_number(dialing):
    campaign_id, _ = dialing.person(
        PRIMARY,
        global_max_attempts=4,
        busy_retry_interval="30 seconds",
        drop_retry_interval="0 seconds",
    )
    calls = await dialing.dial(in_turn("NO_ANSWER", "BUSY", "DROP", "BUSY"))
    assert [call.at for call in calls] == [0, 120, 150, 150]
    [tally] = (await dialing.final(campaign_id)).tallies
    counted = {status_word(one.status): one.count for one in tally.statuses}
    assert (tally.total, counted) == (4, {"NO_ANSWER": 1, "BUSY": 2, "DROP": 1})


async def test_limits_of_one_number_are_not_limits_of_another(dialing):
    dialing.person(PRIMARY, OFFICE, busy_max_attempts=1)
    calls = await dialing.dial(by_number(PRIMARY="BUSY", OFFICE="NO_ANSWER"))
    assert [call.number for call in calls] == [PRIMARY, OFFICE, OFFICE, OFFICE]


async def test_the_wait_for_a_cycle_follows_the_status_of_its_last_call(dialing):
    dialing.person(
        PRIMARY, OFFICE, HOLIDAY,
        busy_retry_interval="10 seconds", congestion_retry_interval="1000 seconds",
        global_max_attempts=2,
    )  # fmt: skip
    calls = await dialing.dial(by_number(PRIMARY="CONGESTION", OFFICE="NO_ANSWER", HOLIDAY="BUSY"))
    assert shown(calls) == [
        (0, PRIMARY),
        (60, OFFICE),
        (120, HOLIDAY),
        (130, PRIMARY),
        (190, OFFICE),
        (250, HOLIDAY),
    ]


@pytest.mark.parametrize(
    "status",
    ["NO_ANSWER", "BUSY", "CONGESTION", "NO_SUCH_NUMBER", "DROP", "ABANDONED", "MACHINE",
     "AGENT_REJECT"],
)  # fmt: skip
async def test_every_status_has_a_maximum_and_an_interval_of_its_own(dialing, status):
    stem = status.lower()
    campaign_id, _ = dialing.person(
        PRIMARY, **{f"{stem}_max_attempts": 2, f"{stem}_retry_interval": "77 seconds"}
    )
    assert shown(await dialing.dial(status)) == [(0, PRIMARY), (77, PRIMARY)]
    final = await dialing.final(campaign_id)
    assert (status_word(final.last_status), reason_word(final.reason)) == (status, "RETRY_LIMIT")


async def test_an_answer_closes_at_once_whatever_is_left(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE, HOLIDAY)
    assert shown(await dialing.dial(by_number(PRIMARY="BUSY", OFFICE="ANSWERED"))) == [
        (0, PRIMARY),
        (60, OFFICE),
    ]
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), final.attempt_count, final.cycle_count) == ("REACHED", 2, 1)
    assert (final.last_number, final.last_contact_item_type_display_name) == (OFFICE, "Office")


async def test_delays_of_0_make_the_next_call_due_at_once(dialing):
    dialing.person(
        PRIMARY, OFFICE, additional_phone_delay="0 seconds", no_answer_retry_interval="0 seconds",
        no_answer_max_attempts=2,
    )  # fmt: skip
    assert shown(await dialing.dial()) == [(0, PRIMARY), (0, OFFICE), (0, PRIMARY), (0, OFFICE)]


# ---------------------------------------------------------------- the same number: R7


async def test_the_same_number_is_called_after_the_status_says_so(dialing):
    dialing.person(
        PRIMARY,
        OFFICE,
        drop_on_failure="SAME_NUMBER",
        drop_retry_interval="20 seconds",
        drop_max_attempts=4,
    )
    calls = await dialing.dial(in_turn("DROP", "DROP", "NO_ANSWER", "ANSWERED"))
    assert shown(calls) == [(0, PRIMARY), (20, PRIMARY), (40, PRIMARY), (100, OFFICE)]
    assert [call.rule for call in calls] == [
        "FIRST_CALL", "SAME_NUMBER", "SAME_NUMBER", "NEXT_NUMBER",
    ]  # fmt: skip
    assert {call.cycle for call in calls} == {1}


async def test_the_same_number_once_used_up_gives_way_to_the_next(dialing):
    dialing.person(
        PRIMARY, OFFICE, drop_on_failure="SAME_NUMBER", drop_retry_interval="20 seconds",
        drop_max_attempts=2, no_answer_max_attempts=1,
    )  # fmt: skip
    calls = await dialing.dial(by_number(PRIMARY="DROP", OFFICE="NO_ANSWER"))
    assert shown(calls) == [(0, PRIMARY), (20, PRIMARY), (80, OFFICE)]


async def test_the_same_number_that_is_gone_gives_way_to_the_next(dialing):
    campaign_id, contact_id = dialing.person(
        PRIMARY, OFFICE, HOLIDAY, drop_on_failure="SAME_NUMBER", drop_retry_interval="20 seconds"
    )
    await dialing.report(await dialing.ring())
    dialing.clock.advance(60)
    assert (await dialing.report(await dialing.ring(), "DROP")).decision.next_number == OFFICE
    await set_numbers(dialing, contact_id, HOLIDAY)
    entry = await dialing.entry(campaign_id)
    assert (entry.next_number, after_start(entry.scheduled_time)) == (HOLIDAY, 120)


# ---------------------------------------------------------------- changed settings: R10


async def test_changed_settings_hold_for_the_next_decision_and_history_names_the_version(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring())
    campaign = await change_settings(dialing, campaign_id, delay=10, interval=30)
    assert campaign.settings_version == 2
    assert after_start((await dialing.entry(campaign_id)).scheduled_time) == 60
    dialing.at(59)
    assert await dialing.claim() == []
    dialing.at(60)
    second = await dialing.ring()
    result = await dialing.report(second)
    assert (second.number, after_start(result.decision.next_call_time)) == (OFFICE, 90)
    assert [call.settings_version for call in await dialing.history(campaign_id)] == [1, 2]


async def test_longer_delays_are_seen_when_the_stored_time_comes(dialing):
    campaign_id, _ = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring())
    await change_settings(dialing, campaign_id, delay=100, interval=30)
    dialing.at(60)
    assert await dialing.claim() == []
    assert after_start((await dialing.entry(campaign_id)).scheduled_time) == 100
    dialing.at(100)
    assert (await dialing.ring()).number == OFFICE


async def test_lower_limits_are_tested_again_by_the_claim(dialing):
    campaign_id, _ = dialing.person(PRIMARY)
    await dialing.report(await dialing.ring())
    await change_settings(dialing, campaign_id, delay=60, interval=120, most=1)
    assert len(await dialing.entries(campaign_id)) == 1
    dialing.at(120)
    assert await dialing.claim() == []
    final = await dialing.final(campaign_id)
    assert (reason_word(final.reason), final.attempt_count) == ("RETRY_LIMIT", 1)


async def change_settings(dialing, campaign_id, delay, interval, most=3):
    rule = campaigns_pb.RetryRule(
        status="CALL_STATUS_NO_ANSWER", max_attempts=most, retry_interval=seconds(interval)
    )
    settings = campaigns_pb.RetrySettings(additional_phone_delay=seconds(delay), rules=[rule])
    return await dialing.change(campaign_id, retry_settings=settings)


# ---------------------------------------------------------------- changed numbers: O3, R3, R11


async def set_numbers(dialing, contact_id, *additional, primary=PRIMARY, item_type=None):
    """Replace the additional phones of a contact."""
    phones = [
        contacts_pb.AdditionalPhone(number=number, contact_item_type=item_type or "")
        for number in additional
    ]
    contact = contacts_pb.Contact(
        name=f"contacts/{contact_id}", phone=primary, additional_phones=phones
    )
    await dialing.contacts.UpdateContact(
        contacts_pb.UpdateContactRequest(
            contact=contact, update_mask=FieldMask(paths=["phone", "additional_phones"])
        )
    )


async def test_a_number_that_vanishes_after_the_report_never_brings_the_next_cycle_forward(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE)
    assert (await dialing.report(await dialing.ring())).decision.next_number == OFFICE
    dialing.at(30)
    await set_numbers(dialing, contact_id)
    entry = await dialing.entry(campaign_id)
    assert (entry.next_number, after_start(entry.scheduled_time)) == (PRIMARY, 120)
    dialing.at(119)
    assert await dialing.claim() == []
    dialing.at(120)
    attempt = await dialing.ring()
    assert (attempt.number, attempt.cycle, rule_word(attempt.rule)) == (PRIMARY, 2, "NEXT_CYCLE")


async def test_the_claim_itself_decides_again_from_the_end_of_the_last_call(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring())
    dialing.make.rows(
        "delete from contact_phone where contact_id = %s and e164 = %s returning 1",
        contact_id,
        OFFICE,
    )
    dialing.at(60)
    assert await dialing.claim() == []
    assert after_start((await dialing.entry(campaign_id)).scheduled_time) == 120
    dialing.at(120)
    assert (await dialing.ring()).number == PRIMARY


async def test_a_number_that_vanishes_with_all_others_used_up_closes_the_entry(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE, no_answer_max_attempts=1)
    await dialing.report(await dialing.ring())
    await set_numbers(dialing, contact_id)
    assert reason_word((await dialing.final(campaign_id)).reason) == "RETRY_LIMIT"


async def test_an_added_number_is_dialed_in_the_running_cycle_in_its_place(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY)
    await dialing.report(await dialing.ring())
    assert after_start((await dialing.entry(campaign_id)).scheduled_time) == 120
    dialing.at(10)
    await set_numbers(dialing, contact_id, MOBILE)
    entry = await dialing.entry(campaign_id)
    assert (entry.next_number, after_start(entry.scheduled_time)) == (MOBILE, 60)
    dialing.at(60)
    attempt = await dialing.ring()
    assert (attempt.number, attempt.cycle, rule_word(attempt.rule)) == (MOBILE, 1, "NEXT_NUMBER")


async def test_an_edit_brings_no_call_forward_that_could_not_be_dialed(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY)
    await dialing.report(await dialing.ring(), "NOT_DIALED")
    dialing.at(1)
    await set_numbers(dialing, contact_id, MOBILE)
    assert after_start((await dialing.entry(campaign_id)).scheduled_time) == 10
    assert await dialing.claim() == []


async def test_tallies_outlive_removal_and_re_adding(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE, no_answer_max_attempts=1)
    await dialing.report(await dialing.ring())
    dialing.at(60)
    attempt = await dialing.ring()
    await set_numbers(dialing, contact_id, HOLIDAY)
    await dialing.report(attempt)
    await set_numbers(dialing, contact_id, OFFICE, HOLIDAY)
    phones = {one.number: one for one in await dialing.phones(campaign_id)}
    assert phones[OFFICE].total == 1
    assert (await dialing.entry(campaign_id)).next_number == HOLIDAY


async def test_a_primary_that_was_swapped_is_dialed_although_it_now_stands_before(dialing):
    campaign_id, contact_id = dialing.person(PRIMARY, OFFICE)
    await dialing.report(await dialing.ring())
    await set_numbers(dialing, contact_id, PRIMARY, OFFICE, primary=HOLIDAY)
    entry = await dialing.entry(campaign_id)
    assert (entry.next_number, after_start(entry.scheduled_time)) == (HOLIDAY, 60)
    calls = await dialing.dial()
    assert [call.number for call in calls][:2] == [HOLIDAY, OFFICE]


# ---------------------------------------------------------------- changed item types: O3


def item_type(dialing, name):
    [row] = dialing.make.rows(
        "select contact_item_type_id as id from contact_item_type where name = %s", name
    )
    return f"contactItemTypes/{row['id']}"


async def change_type(dialing, name, **fields):
    changed = types_pb.ContactItemType(name=item_type(dialing, name), **fields)
    await dialing.item_types.UpdateContactItemType(
        types_pb.UpdateContactItemTypeRequest(contact_item_type=changed)
    )


async def test_a_type_of_a_new_order_re_orders_the_numbers_left_in_the_cycle(dialing):
    dialing.person(PRIMARY, OFFICE, HOLIDAY, MOBILE)
    await dialing.report(await dialing.ring())
    dialing.at(60)
    assert (await dialing.report(await dialing.ring())).decision.next_number == HOLIDAY
    await change_type(dialing, "Office", order_by=9)
    await change_type(dialing, "Mobile", order_by=1)
    calls = await dialing.dial(in_turn("NO_ANSWER", "NO_ANSWER", "ANSWERED"))
    assert shown(calls)[:3] == [(120, MOBILE), (180, HOLIDAY), (300, PRIMARY)]


async def test_no_number_loses_its_turn_or_has_two_however_the_order_changes(dialing):
    dialing.person(PRIMARY, OFFICE, HOLIDAY, MOBILE)
    seen = []
    for order in ((9, 1, 5), (1, 9, 5), (5, 1, 9)):
        attempt = await dialing.ring()
        seen.append(attempt.number)
        await dialing.report(attempt)
        for name, order_by in zip(("Office", "Holiday", "Mobile"), order, strict=True):
            await change_type(dialing, name, order_by=order_by)
        dialing.clock.advance(60)
    seen.append((await dialing.ring()).number)
    assert sorted(seen) == [PRIMARY, OFFICE, HOLIDAY, MOBILE]


async def test_a_renamed_type_of_equal_order_goes_by_its_name(dialing):
    dialing.person(PRIMARY, OFFICE, HOLIDAY)
    await change_type(dialing, "Holiday", order_by=1)
    assert (await dialing.report(await dialing.ring())).decision.next_number == HOLIDAY
    await change_type(dialing, "Office", display_name="\u00e1lmost")
    dialing.at(60)
    attempt = await dialing.ring()
    assert (attempt.number, attempt.contact_item_type_display_name) == (OFFICE, "\u00e1lmost")


async def test_numbers_of_a_deleted_type_go_last_and_keep_their_turn(dialing):
    dialing.person(PRIMARY, OFFICE, HOLIDAY)
    await dialing.report(await dialing.ring())
    await dialing.item_types.DeleteContactItemType(
        types_pb.DeleteContactItemTypeRequest(name=item_type(dialing, "Office"), force=True)
    )
    calls = await dialing.dial(in_turn("NO_ANSWER", "ANSWERED"))
    assert shown(calls) == [(60, HOLIDAY), (120, OFFICE)]
