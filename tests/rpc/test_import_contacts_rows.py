"""ImportContacts: rows and numbers that are not taken as they stand."""

import csv
import io

import pytest

from tests.rpc.importing import numbers, upload

LONG = "x" * 201
MOMENT = "must be a moment such as 2030-01-31T09:00:00+01:00"
BAD_CELLS = [
    ("phone", "", "must be given"),
    ("phone", "12", "it is too short"),
    ("phone", "911", "it is an emergency number"),
    ("phone", "+999 1234567", "the country code does not exist"),
    ("phone", "+12025550101;2", "holds several numbers, must hold the primary phone only"),
    ("last_name", LONG, "has 201 characters, must have at most 200"),
    ("last_name", "a\x07", "must not contain the control character U+0007"),
    ("last_name", "two\nlines", "must not contain the control character U+000A"),
    ("email", "x" * 321, "has 321 characters, must have at most 320"),
    ("description", "x" * 4001, "has 4001 characters, must have at most 4000"),
    ("person_key", LONG, "has 201 characters, must have at most 200"),
    ("Priority", "0", "must be a whole number, 1 or more"),
    ("Priority", "2147483648", "must be a whole number, 1 or more"),
    ("Priority", "\u0661", "must be a whole number, 1 or more"),
    ("time_zone", "Mars", "is 'Mars', must be a time zone such as Europe/Paris"),
    ("earliest_call_time", "tomorrow", MOMENT),
    ("earliest_call_time", "2030-01-31", MOMENT),
    ("earliest_call_time", "2030-01-31T09:00:00", MOMENT),
    ("earliest_call_time", "2030-02-30T09:00:00Z", MOMENT),
    ("earliest_call_time", "0001-01-01T00:00:00+01:00", MOMENT),
    ("earliest_call_time", "20300131T090000Z", MOMENT),
]


@pytest.mark.parametrize(("column", "value", "reason"), BAD_CELLS)
async def test_a_bad_cell_rejects_its_row(contacts, make, column, value, reason):
    columns = sorted({one for one, _, _ in BAD_CELLS})
    cells = {"phone": "+12025550100", "description": "two\nlines"}
    written = io.StringIO()
    rows = csv.DictWriter(written, columns)
    rows.writeheader()
    rows.writerows([cells, cells | {column: value}, cells])
    answers = await upload(contacts, make.contact_list(), written.getvalue())
    assert answers.problems == [("REJECTED", 4, column, value[:200], reason)]
    assert answers.counts == (3, 2, 1, 0, 0, 0)
    assert numbers(make) == [["+12025550100"]] * 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("+12025550100,a", "has 2 cells, the header has 3"),
        ("+12025550100,a,b,c", "has 4 cells, the header has 3"),
        ('+12025550100,"a"b,c', "has text after a closing quote"),
        ('+12025550100,"a"b "c\nd",""', "has text after a closing quote"),
    ],
)
async def test_a_row_of_another_shape_is_rejected(contacts, make, row, reason):
    file = f"phone,first_name,last_name\n\n{row}\n+12025550101,,\n"
    answers = await upload(contacts, make.contact_list(), file)
    assert answers.problems[0] == ("REJECTED", 3, "", "", reason)
    assert numbers(make) == [["+12025550101"]]


async def test_all_that_is_wrong_with_a_row_is_said_and_it_counts_once(contacts, make):
    file = f"phone,last_name,priority,additional_phone\n12,{LONG},x,12\n"
    answers = await upload(contacts, make.contact_list(), file)
    assert [problem[2] for problem in answers.problems] == ["phone", "last_name", "priority"]
    assert answers.counts == (1, 0, 1, 0, 0, 0)


async def test_a_bad_additional_number_is_left_out_with_a_warning(contacts, make):
    make.item_type("Office")
    file = "phone,Office,additional_phone\n+12025550100,12;+12025550101; ;,911\n"
    answers = await upload(contacts, make.contact_list(), file)
    assert answers.problems == [
        ("WARNING", 2, "Office", "12", "it is too short"),
        ("WARNING", 2, "additional_phone", "911", "it is an emergency number"),
    ]
    assert answers.counts == (1, 1, 0, 2, 1, 0)
    assert numbers(make) == [["+12025550100", "+12025550101 Office"]]


async def test_a_number_that_a_row_has_twice_is_kept_once_the_primary_first(contacts, make):
    make.item_type("Office")
    file = (
        "additional_phone,Office,phone\n"
        "202-555-0101;202-555-0100,+12025550101;+12025550102,+1 202 555 0100\n"
    )
    answers = await upload(contacts, make.contact_list(), file)
    same = "is the same number as one in column "
    assert answers.problems == [
        ("WARNING", 2, "additional_phone", "202-555-0100", same + "phone"),
        ("WARNING", 2, "Office", "+12025550101", same + "additional_phone"),
    ]
    assert numbers(make) == [["+12025550100", "+12025550101", "+12025550102 Office"]]


async def test_a_number_that_may_not_exist_is_taken_with_a_warning(contacts, make):
    file = "phone,additional_phone\n+447700900123,07700 900124\n"
    answers = await upload(contacts, make.contact_list(region="GB"), file)
    assert [problem[:4] for problem in answers.problems] == [
        ("WARNING", 2, "phone", "+447700900123"),
        ("WARNING", 2, "additional_phone", "07700 900124"),
    ]
    assert numbers(make) == [["+447700900123", "+447700900124"]]


async def test_extensions_are_numbers_where_the_list_allows_them(contacts, make):
    file = "phone\n1234\n"
    assert (await upload(contacts, make.contact_list(), file)).counts[1] == 0
    list_id = make.contact_list(extensions_allowed=True)
    assert (await upload(contacts, list_id, file)).counts[1] == 1
    assert numbers(make) == [["1234"]]


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (33, "has 33 additional numbers, must have at most 32"),
        (2000, "has 2000 additional numbers, must have at most 32"),
    ],
)
async def test_a_row_with_too_many_numbers_is_rejected(contacts, make, count, reason):
    file = f"phone,additional_phone\n+12125550150,{';'.join(make.numbers(count))}\n"
    answers = await upload(contacts, make.contact_list(), file)
    assert answers.problems == [("REJECTED", 2, "", "", reason)]
    assert numbers(make) == []


async def test_a_row_may_have_32_numbers_and_more_that_are_the_same(contacts, make):
    many = make.numbers(32)
    file = f"phone,additional_phone\n+12125550150,{';'.join([*many, *many])}\n"
    answers = await upload(contacts, make.contact_list(), file)
    assert answers.counts == (1, 1, 0, 32, 32, 0)
    assert numbers(make) == [["+12125550150", *many]]
