import asyncio
import csv
import io
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import grpc
import pytest

from callhopper.v1 import contact_service_pb2 as pb
from server.services import contact_import
from tests.refusals import refused

HEADER = "phone,last_name\n"
GOOD = HEADER + "+12025550100,A\n"

Problem = tuple[str, int, str, str, str]


@dataclass
class Answers:
    """Everything that one import answered, in its order."""

    problems: list[Problem] = field(default_factory=list)
    progress: list[tuple[int, int]] = field(default_factory=list)
    summary: pb.ImportSummary | None = None

    def add(self, response: pb.ImportContactsResponse) -> None:
        assert self.summary is None, "the summary is not the last answer"
        match response.WhichOneof("part"):
            case "problem":
                one = response.problem
                severity = pb.ImportProblem.Severity.Name(one.severity).removeprefix("SEVERITY_")
                self.problems.append((severity, one.line, one.column, one.value, one.reason))
            case "progress":
                self.progress.append((response.progress.row_count, response.progress.byte_count))
            case _:
                self.summary = response.summary

    @property
    def counts(self) -> tuple[int, int, int, int, int, int]:
        """Rows, loaded, rejected, warnings, additional phones, entries."""
        one = self.summary
        assert one is not None
        return (
            one.row_count,
            one.loaded_count,
            one.rejected_count,
            one.warning_count,
            one.additional_phone_count,
            one.entry_count,
        )


def header(list_id: int, **rest: Any) -> pb.ImportContactsRequest:
    name = f"contactLists/{list_id}"
    return pb.ImportContactsRequest(header=pb.ImportHeader(contact_list=name, **rest))


def chunk(piece: bytes) -> pb.ImportContactsRequest:
    return pb.ImportContactsRequest(chunk=piece)


async def upload(contacts: Any, list_id: int, *pieces: bytes | str, **rest: Any) -> Answers:
    """Import pieces of a file."""
    chunks = [chunk(one.encode() if isinstance(one, str) else one) for one in pieces]
    answers = Answers()
    async for response in contacts.ImportContacts([header(list_id, **rest), *chunks], timeout=60):
        answers.add(response)
    assert answers.summary is not None, "the call ended without a summary"
    return answers


def stored(make: Any) -> list[dict[str, Any]]:
    """Read all contacts with their numbers in order of entry."""
    rows: list[dict[str, Any]] = make.rows(
        """
        select
          first_name, last_name, email, company, postal_address, description, priority,
          to_char(earliest_call_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as earliest,
          time_zone, person_key,
          array(
            select e164::text || coalesce(' ' || kind.name, '')
            from contact_phone phone left join contact_item_type kind using (contact_item_type_id)
            where phone.contact_id = contact.contact_id order by entry_position
          ) as numbers,
          array(
            select entered from contact_phone phone
            where phone.contact_id = contact.contact_id order by entry_position
          ) as entered
        from contact order by contact_id
        """
    )
    return rows


def numbers(make: Any) -> list[list[str]]:
    return [row["numbers"] for row in stored(make)]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stage every row at once."""
    monkeypatch.setattr(contact_import, "BATCH", 1)


def nothing_is_staged(make: Any) -> bool:
    rows = make.rows(
        "select (select count(*) from contact_import) + (select count(*) from contact_import_row) n"
    )
    return bool(rows == [{"n": 0}])


# ---------------------------------------------------------------- what is loaded


async def test_a_file_is_loaded_with_every_field_and_a_column_for_each_item_type(contacts, make):
    make.item_type("Office", 1)
    make.item_type("Holiday Home", 2)
    list_id = make.contact_list(region="US")
    answers = await upload(
        contacts,
        list_id,
        "First Name,last_name,Email,COMPANY,Postal Address,description,priority,"
        "earliest_call_time,time zone,Person Key,phone,Office,Holiday Home,additional_phone\n"
        'Ann,Lee,ann@example.org,"Lee, Ltd","1 High St\nLeeds","says ""hi""",1,'
        "2030-01-31T09:00:00+01:00,Europe/Paris,p-1,(202) 555-0100,"
        "202-555-0101;+1 202 555 0102,202-555-0103,202-555-0104\n"
        ",,,,,,,,,,+12125550150,,,\n",
    )
    assert answers.problems == []
    assert answers.counts == (2, 2, 0, 0, 4, 0)
    first, second = stored(make)
    assert first == {
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann@example.org",
        "company": "Lee, Ltd",
        "postal_address": "1 High St\nLeeds",
        "description": 'says "hi"',
        "priority": 1,
        "earliest": "2030-01-31 08:00:00",
        "time_zone": "Europe/Paris",
        "person_key": "p-1",
        "numbers": [
            "+12025550100",
            "+12025550101 Office",
            "+12025550102 Office",
            "+12025550103 Holiday Home",
            "+12025550104",
        ],
        "entered": [
            "(202) 555-0100", "202-555-0101", "+1 202 555 0102", "202-555-0103", "202-555-0104",
        ],
    }  # fmt: skip
    assert second | {"numbers": 0, "entered": 0} == {
        "first_name": "",
        "last_name": "",
        "email": "",
        "company": "",
        "postal_address": "",
        "description": "",
        "priority": 2,
        "earliest": None,
        "time_zone": None,
        "person_key": None,
        "numbers": 0,
        "entered": 0,
    }
    assert second["entered"] == ["+12125550150"]
    assert nothing_is_staged(make)


async def test_imported_contacts_are_read_and_found_as_others_are(contacts, make):
    list_id = make.contact_list()
    await upload(contacts, list_id, "phone,first_name\n+12025550100,\uff2c\u00c9A\n")
    found = await contacts.ListContacts(pb.ListContactsRequest(name_prefix="l\u00e9"))
    assert [one.phone for one in found.contacts] == ["+12025550100"]
    found = await contacts.LookupContacts(pb.LookupContactsRequest(number="+12025550100"))
    assert [one.first_name for one in found.contacts] == ["\uff2c\u00c9A"]


async def test_contacts_are_in_the_order_of_the_file_over_many_batches(contacts, make, monkeypatch):
    monkeypatch.setattr(contact_import, "BATCH", 500)
    list_id = make.contact_list()
    rows = "".join(f"{make.number()},{place}\n" for place in range(500))
    answers = await upload(contacts, list_id, "phone,last_name\n" + rows)
    assert answers.counts == (500, 500, 0, 0, 0, 0)
    names = make.rows("select last_name from contact order by contact_id")
    assert [int(row["last_name"]) for row in names] == list(range(500))


async def test_an_import_into_the_list_of_a_running_campaign_fills_the_view_in_dial_order(
    contacts, make
):
    make.item_type("Office", 2)
    make.item_type("Mobile", 1)
    list_id = make.contact_list()
    make.campaign(lists=[list_id])
    make.campaign(lists=[list_id], state="DRAFT")
    make.campaign(lists=[list_id], state="STOPPED")
    make.campaign()
    answers = await upload(
        contacts,
        list_id,
        "additional_phone,Office,phone,mobile\n"
        "+12025550103,+12025550102,+12025550100,+12025550101\n"
        ",,+12025550110,\n",
    )
    assert answers.counts == (2, 2, 0, 0, 3, 4)
    shown = make.rows(
        "select campaign_id, item_type, e164, dial_position from hopper_additional_phones "
        "order by campaign_id, contact_id, dial_position"
    )
    order = [
        ("Mobile", "+12025550101", 1),
        ("Office", "+12025550102", 2),
        (None, "+12025550103", 3),
    ]
    assert [(row["item_type"], row["e164"], row["dial_position"]) for row in shown] == order * 2


async def test_contacts_that_were_there_before_are_not_loaded_again(contacts, make):
    list_id = make.contact_list()
    campaign = make.campaign(lists=[list_id])
    make.contact(list_id)
    answers = await upload(contacts, list_id, "phone\n+12125550150\n")
    assert answers.counts == (1, 1, 0, 0, 0, 1)
    assert make.rows("select count(*) n from hopper_entry where campaign_id = %s", campaign) == [
        {"n": 1}
    ]


async def test_headers_are_compared_regardless_of_case_spaces_and_width(contacts, make):
    make.item_type("Stra\u00dfe 1")
    make.item_type("Email")
    list_id = make.contact_list()
    answers = await upload(
        contacts,
        list_id,
        " PHONE ,First  Name,STRASSE \u2460,email,Additional Phone: email ,ADDITIONAL_PHONE,"
        "additional_phone,additional_phone:STRASSE 1\n"
        "+12025550100,Ann,+12025550101,a@b,+12025550102,+12025550103,+12025550104,+12025550105\n",
    )
    assert answers.problems == []
    [row] = stored(make)
    assert (row["first_name"], row["email"]) == ("Ann", "a@b")
    assert row["numbers"][1:] == [
        "+12025550101 Stra\u00dfe 1",
        "+12025550102 Email",
        "+12025550103",
        "+12025550104",
        "+12025550105 Stra\u00dfe 1",
    ]


async def test_texts_that_a_spreadsheet_or_copy_would_run_are_kept_literally(contacts, make):
    list_id = make.contact_list()
    texts = ["=1+1", "+x", "-x", "@SUM(A1)", "\\N", "\\.", "a\\tb", "{NULL}", "'; drop", "%s", "\\"]
    rows = "".join(f"{make.number()},{text},{text}\n" for text in texts)
    answers = await upload(contacts, list_id, "phone,last_name,person_key\n" + rows)
    assert answers.problems == []
    assert [row["last_name"] for row in stored(make)] == texts
    assert [row["person_key"] for row in stored(make)] == texts


async def test_what_was_entered_is_kept_literally(contacts, make):
    list_id = make.contact_list()
    entered = ["+12025550100", "tel:+12025550101", "+1 (202) 555/0102", "NULL", '+1"2025550103']
    line = ",".join('"' + one.replace('"', '""') + '"' for one in entered)
    answers = await upload(
        contacts, list_id, "phone" + ",additional_phone" * 4 + "\n", line.encode(), b"\n"
    )
    assert [row["entered"] for row in stored(make)] == [
        [one for one in entered if one not in [problem[3] for problem in answers.problems]]
    ]


# ---------------------------------------------------------------- the file

TRICKY = (
    "\ufeffphone,last_name,additional_phone,description\r\n"
    '+12025550100,"O\u2019Neil \U0001f600 ""x"", y",+12025550101;+12025550102,"a\r\nb\n\nc"\r\n'
    "\r\n"
    "12,\u00e9,,\r\n"
    '"+1 202 555 0103","",,"""\u20ac"""\n'
    '+12025550104,5" pipe,99,"last"'
).encode()


async def test_a_file_may_be_cut_at_every_byte(contacts, make, conn):
    list_id = make.contact_list()
    whole = await upload(contacts, list_id, TRICKY)
    assert whole.counts == (4, 3, 1, 1, 2, 0)
    assert [problem[:4] for problem in whole.problems] == [
        ("REJECTED", 7, "phone", "12"),
        ("WARNING", 9, "additional_phone", "99"),
    ]
    expected = stored(make)
    assert [row["last_name"] for row in expected] == [
        'O\u2019Neil \U0001f600 "x", y', "", '5" pipe',
    ]  # fmt: skip
    assert expected[0]["description"] == "a\nb\n\nc"
    assert expected[1]["description"] == '"\u20ac"'
    cuts = [[TRICKY[:at], TRICKY[at:]] for at in range(len(TRICKY) + 1)]
    cuts.append([bytes([one]) for one in TRICKY])
    for pieces in cuts:
        conn.execute("truncate contact cascade")
        answers = await upload(contacts, list_id, *pieces)
        assert (answers.problems, answers.counts) == (whole.problems, whole.counts)
        assert stored(make) == expected


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
async def test_line_ends_and_byte_order_marks_do_not_matter(contacts, make, line_end, mark):
    list_id = make.contact_list()
    lines = ["phone,last_name", "+12025550100,A", "", "  ", '+12025550101,"B', 'C"', "1,D", ""]
    answers = await upload(contacts, list_id, mark + line_end.join(lines))
    assert [problem[:3] for problem in answers.problems] == [
        ("REJECTED", 5, "last_name"),
        ("REJECTED", 7, "phone"),
    ]
    assert [row["last_name"] for row in stored(make)] == ["A"]


async def test_latin_1_is_read_when_named_and_refused_when_not(contacts, make, unchanged):
    list_id = make.contact_list()
    data = "phone;last_name\n+12025550100;M\u00fcller\n".encode("latin-1")
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await upload(contacts, list_id, data, separator=";")
    assert refusal.fields == {"file": "has the byte 0xfc, which is not UTF-8, in line 2"}
    await upload(contacts, list_id, data, separator=";", encoding="latin-1")
    assert [row["last_name"] for row in stored(make)] == ["M\u00fcller"]


@pytest.mark.parametrize("separator", [";", "\t", "|", "^", "]", "-", "\U0001f600"])
async def test_any_separator_divides_cells(contacts, make, separator):
    list_id = make.contact_list()
    file = 'phone,description,last_name\n12025550100,"a,b",c"d\n'.replace(",", separator)
    await upload(contacts, list_id, file, separator=separator)
    assert [(row["description"], row["last_name"]) for row in stored(make)] == [
        (f"a{separator}b", 'c"d')
    ]


async def test_a_header_alone_loads_nothing_and_is_no_error(contacts, make):
    for file in ("phone,last_name", "\ufeffphone\r\n", "\n\nphone\n\n"):
        assert (await upload(contacts, make.contact_list(), file)).counts == (0,) * 6


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "is empty; its first line must name the columns"),
        (b"\n \n", "is empty; its first line must name the columns"),
        (GOOD + '+12025550101,"x\ny\n', "opens a quote that is never closed in line 3"),
        (GOOD + "\n+12025550101,x\0", "has a NUL character in line 4"),
        (GOOD.encode() + b"\xff", "has the byte 0xff, which is not UTF-8, in line 3"),
        (GOOD.encode() + b"1,\xe2\x82", "has the byte 0xe2, which is not UTF-8, in line 3"),
        (GOOD.encode() + b"1,\xed\xa0\x80", "has the byte 0xed, which is not UTF-8, in line 3"),
        (GOOD + "+1,\r\0", "has a NUL character in line 4"),
        (GOOD.encode("utf-16"), "has the byte 0xff, which is not UTF-8, in line 1"),
        (GOOD + f"1,{'x' * 32_769}\n", "has a cell of more than 32,768 characters in line 3"),
        (GOOD + f'1,"{"x" * 140_000}"\n', "has a cell of more than 32,768 characters in line 3"),
        (
            GOOD + '1,"' + "x\n" * 530_000,
            "has a row of more than 1,048,576 characters (is a closing quote missing?) in line 3",
        ),
        (
            GOOD + "x" * 1_048_577,
            "has a row of more than 1,048,576 characters (is a closing quote missing?) in line 3",
        ),
        ('phone,"a"b\n', "has text after a closing quote in line 1"),
        ("last_name\nA\n", "has no column phone"),
        ("phone,Fax\n", "has the unknown column 'Fax'"),
        ("phone,,last_name\n", "has no name for column 2"),
        ("phone,last name,Last_Name\n", "has the column last_name more than once"),
        (
            "phone,additional_phone:Fax\n",
            "has the column 'additional_phone:Fax', but there is no such item type",
        ),
        ("," * 600 + "\n", "has 601 columns, must have at most 512"),
    ],
)
@pytest.mark.usefixtures("small_batches")
async def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_loaded(
    contacts, make, unchanged, file, reason
):
    list_id = make.contact_list()
    data = file.encode() if isinstance(file, str) else file
    pieces = [data[at : at + 262_144] for at in range(0, len(data), 262_144)]
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await upload(contacts, list_id, *pieces)
    assert refusal.fields == {"file": reason}


async def test_every_wrong_column_is_named(contacts, make):
    with refused("INVALID_FIELD") as refusal:
        await upload(contacts, make.contact_list(), "Fax,\u00dcber,email,EMAIL\n")
    assert refusal.message == (
        "file has the unknown column 'Fax'; file has the unknown column '\u00dcber'; "
        "file has the column email more than once; file has no column phone"
    )


# ---------------------------------------------------------------- rows


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


# ---------------------------------------------------------------- the call


async def test_a_dry_run_counts_the_same_and_stores_nothing(contacts, make, unchanged):
    list_id = make.contact_list()
    make.campaign(lists=[list_id])
    file = "phone,additional_phone\n+12025550100,12\n12,\n+12025550100,+12025550101\n"
    with unchanged():
        dry = await upload(contacts, list_id, file, dry_run=True, request_id=str(uuid4()))
    real = await upload(contacts, list_id, file)
    assert dry.summary is not None
    assert dry.summary.dry_run
    assert real.summary is not None
    assert not real.summary.dry_run
    assert (dry.problems, dry.counts) == (real.problems, real.counts)
    assert real.counts == (3, 2, 1, 1, 1, 1)


async def test_the_same_request_id_answers_the_same_and_loads_once(contacts, make, unchanged):
    list_id, request_id = make.contact_list(), str(uuid4())
    first = await upload(contacts, list_id, GOOD, request_id=request_id)
    with unchanged():
        again = await upload(contacts, list_id, GOOD, request_id=request_id)
    assert again.summary == first.summary
    with unchanged(), refused("REQUEST_ID_REUSED"):
        await upload(contacts, list_id, GOOD, request_id=request_id, separator=",")


async def test_a_request_id_may_be_used_again_after_a_refusal(contacts, make):
    list_id, request_id = make.contact_list(), str(uuid4())
    with refused("INVALID_FIELD"):
        await upload(contacts, list_id, "Fax\n", request_id=request_id)
    assert (await upload(contacts, list_id, GOOD, request_id=request_id)).counts[1] == 1


async def test_every_bad_field_of_the_header_is_named(contacts, make, unchanged):
    with unchanged(), refused("INVALID_FIELD") as refusal:
        await upload(contacts, 0, request_id="1", separator='"', encoding="utf-7")
    assert refusal.fields == {
        "header.contact_list": "is 'contactLists/0', must be contactLists/{id}",
        "header.request_id": "is '1', must be a UUID",
        "header.separator": "is '\"', must be one character such as , or ; or a tab",
        "header.encoding": "is 'utf-7', must be one of utf-8, latin-1",
    }


async def test_a_missing_list_is_not_found(contacts, make):
    with refused("RESOURCE_NOT_FOUND"):
        await upload(contacts, make.contact_list() + 1, GOOD)


async def test_messages_in_another_order_are_refused(contacts, make, unchanged):
    list_id = make.contact_list()
    wrong: list[tuple[list[pb.ImportContactsRequest], str, str]] = [
        ([], "header", "must be the first message"),
        ([chunk(b"phone")], "header", "must be the first message"),
        ([pb.ImportContactsRequest()], "header", "must be the first message"),
        ([header(list_id)] * 2, "chunk", "must be in every message after the first"),
        (
            [header(list_id), pb.ImportContactsRequest()],
            "chunk",
            "must be in every message after the first",
        ),
        (
            [header(list_id), chunk(b"x" * 262_145)],
            "chunk",
            "has 262145 bytes, must have at most 262144",
        ),
    ]
    for requests, name, reason in wrong:
        with unchanged(), refused("INVALID_FIELD") as refusal:
            async for _ in contacts.ImportContacts(requests):
                pass
        assert refusal.fields == {name: reason}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the database sets no event
            await asyncio.sleep(0.01)


def staged_count(make: Any) -> int:
    [row] = make.rows("select count(*)::integer n from contact_import_row")
    count: int = row["n"]
    return count


class Pausing:
    """Send a part of a file, and the rest when told to."""

    def __init__(self, contacts: Any, list_id: int, first: str, rest: Sequence[bytes] = ()) -> None:
        self.go_on = asyncio.Event()
        self.answers = Answers()
        self._list_id = list_id
        self._first = first
        self._rest = rest
        self.call = contacts.ImportContacts(self._requests(), timeout=60)
        self.reading = asyncio.create_task(self._read())

    async def _requests(self) -> AsyncIterator[pb.ImportContactsRequest]:
        yield header(self._list_id)
        yield chunk(self._first.encode())
        await self.go_on.wait()
        for piece in self._rest:
            yield chunk(piece)

    async def _read(self) -> None:
        async for response in self.call:
            self.answers.add(response)


@pytest.mark.usefixtures("small_batches")
async def test_a_cancelled_upload_loads_nothing_and_leaves_nothing(contacts, make, unchanged):
    list_id = make.contact_list()
    rows = "".join(f"{make.number()},x\n" for _ in range(20))
    with unchanged():
        for _ in range(10):
            pausing = Pausing(contacts, list_id, HEADER + rows)
            await until(lambda: staged_count(make) == 20)
            pausing.call.cancel()
            await asyncio.gather(pausing.reading, return_exceptions=True)
            await until(lambda: nothing_is_staged(make))


async def test_a_call_cancelled_at_any_moment_loads_all_or_nothing(contacts, make, conn):
    list_id = make.contact_list()
    make.campaign(lists=[list_id])
    file = HEADER + "".join(f"{make.number()},x\n" for _ in range(50))
    loaded = set()
    for step in range(40):
        conn.execute("truncate contact, hopper_entry cascade")
        pausing = Pausing(contacts, list_id, file)
        pausing.go_on.set()
        await asyncio.sleep(step * 0.001)
        pausing.call.cancel()
        await asyncio.gather(pausing.reading, return_exceptions=True)
        await until(lambda: nothing_is_staged(make))
        [row] = make.rows(
            "select (select count(*) from contact) c, (select count(*) from contact_phone) p, "
            "(select count(*) from hopper_entry) e"
        )
        loaded.add((row["c"], row["p"], row["e"]))
    assert loaded <= {(0, 0, 0), (50, 50, 50)}


async def test_the_deadline_holds_while_the_rows_are_moved(contacts, make, new_connection):
    list_id = make.contact_list()
    holder = new_connection()
    with holder.transaction():
        holder.execute("select from contact_list for update")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            async for _ in contacts.ImportContacts(
                [header(list_id), chunk(GOOD.encode())], timeout=1.5
            ):
                pass
        assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        await until(lambda: nothing_is_staged(make))
    assert numbers(make) == []


async def test_a_statement_of_an_import_may_take_longer_than_others(
    contacts, make, conn, monkeypatch, server
):
    monkeypatch.setitem(server.app.db.settings.__dict__, "statement_timeout", 0.2)
    conn.execute(
        """
        create function slow() returns trigger language plpgsql as
        $$ begin perform pg_sleep(0.4); return null; end $$;
        create trigger slow after insert on contact execute function slow();
        """
    )
    assert (await upload(contacts, make.contact_list(), GOOD)).counts[1] == 1


async def test_only_so_many_imports_run_at_once(contacts, make, monkeypatch):
    monkeypatch.setattr(contact_import, "MAX_IMPORTS", 1)
    list_id = make.contact_list()
    first = Pausing(contacts, list_id, GOOD)
    await until(lambda: not nothing_is_staged(make))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await upload(contacts, list_id, GOOD)
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    first.go_on.set()
    await first.reading
    assert first.answers.counts[1] == 1
    await upload(contacts, list_id, GOOD)


async def test_imports_beside_each_other_do_not_mix(contacts, make):
    list_ids = [make.contact_list() for _ in range(3)]
    make.campaign(lists=list_ids[:2])
    files = [HEADER + "".join(f"{make.number()},{one}\n" for _ in range(200)) for one in list_ids]
    await asyncio.gather(*map(lambda one, file: upload(contacts, one, file), list_ids, files))
    rows = make.rows(
        "select contact_list_id::text as list, last_name, count(*) n from contact group by 1, 2"
    )
    assert {(row["list"], row["last_name"], row["n"]) for row in rows} == {
        (str(one), str(one), 200) for one in list_ids
    }


async def changed_meanwhile(
    contacts: Any, make: Any, list_id: int, change: Callable[[], Awaitable[Any] | Any], file: str
) -> grpc.StatusCode:
    """Import a file that waits for a change before it ends; return how the call ended."""
    pausing = Pausing(contacts, list_id, file)
    await until(lambda: staged_count(make) > 0)
    change()
    pausing.go_on.set()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await pausing.reading
    assert nothing_is_staged(make)
    assert numbers(make) == []
    return raised.value.code()


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("update contact_list set default_region = 'DE'", grpc.StatusCode.ABORTED),
        ("update contact_list set deleted_at = clock()", grpc.StatusCode.NOT_FOUND),
        ("delete from contact_item_type", grpc.StatusCode.ABORTED),
        ("truncate contact_import_row", grpc.StatusCode.UNAVAILABLE),
        ("delete from contact_import", grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_what_changes_before_the_end_of_the_file_is_noticed(
    contacts, make, conn, change, code
):
    make.item_type("Office")
    list_id = make.contact_list()
    file = "phone,Office\n+12025550100,\n+12025550101,+12025550102\n"
    first = "truncate" in change

    def make_change() -> None:
        conn.execute(change)

    assert await changed_meanwhile(contacts, make, list_id, make_change, file) == code, first


async def test_what_a_dead_server_left_is_forgotten_once_it_expires(contacts, make, conn):
    for seconds in (-1, 3600):
        conn.execute(
            """
            with import as (
              insert into contact_import (contact_import_id, contact_list_id, expires_at)
              values (%s, 1, clock() + make_interval(secs => %s)) returning contact_import_id
            )
            insert into contact_import_row
            select contact_import_id, 2, 1, '', '', '', '', '', '', '', '', 2, null, null, null,
              '{}', '{}', '{}'
            from import
            """,
            [abs(seconds), seconds],
        )
    await upload(contacts, make.contact_list(), GOOD)
    assert staged_count(make) == 1
    assert len(make.rows("select from contact_import where expires_at > clock()")) == 1


async def test_a_client_that_still_sends_gets_our_status_and_not_internal(contacts, make):
    list_id = make.contact_list()
    request_id = str(uuid4())
    more = [b"x" * 250_000] * 100
    for _ in range(5):
        with refused("INVALID_FIELD"):
            await upload(contacts, list_id, "Fax\n", *more)
    first = await upload(contacts, list_id, GOOD, request_id=request_id)
    again = await upload(contacts, list_id, GOOD, *more, request_id=request_id)
    assert again.summary == first.summary


async def test_progress_is_told_while_the_file_is_read_and_moved(contacts, make, monkeypatch):
    monkeypatch.setattr(contact_import, "PROGRESS_INTERVAL", 0.0)
    file = HEADER + "".join(f"{make.number()},x\n" for _ in range(300))
    answers = await upload(contacts, make.contact_list(), file)
    assert len(answers.progress) > 300
    assert answers.progress == sorted(answers.progress)
    assert answers.progress[-1] == (300, len(file))


# ---------------------------------------------------------------- limits

MEBIBYTE = 1024 * 1024


async def peak_of(work: Awaitable[Any]) -> int:
    """Return how many bytes Python objects took beyond those that were there before."""
    tracemalloc.start()
    try:
        await work
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def send(contacts: Any, list_id: int, pieces: AsyncIterator[bytes]) -> Answers:
    async def requests() -> AsyncIterator[pb.ImportContactsRequest]:
        yield header(list_id)
        async for piece in pieces:
            yield chunk(piece)

    answers = Answers()
    async for response in contacts.ImportContacts(requests(), timeout=110):
        answers.add(response)
    return answers


@pytest.mark.slow
async def test_memory_stays_small_however_long_the_file_is(contacts, make):
    long = "x" * 3900
    done: list[Answers] = []

    async def pieces() -> AsyncIterator[bytes]:
        yield b"phone,description,last_name\n"
        for batch in range(520):
            rows = (f"+1202555{row:04},{long},{batch}\n" for row in range(100, 150))
            yield "".join(rows).encode()

    async def work() -> None:
        done.append(await send(contacts, make.contact_list(), pieces()))

    assert await peak_of(work()) < 24 * MEBIBYTE
    [answers] = done
    assert answers.counts[:2] == (26_000, 26_000)
    assert answers.progress[-1][1] > 95 * MEBIBYTE


@pytest.mark.slow
async def test_a_line_without_end_is_refused_without_being_held(contacts, make):
    async def pieces() -> AsyncIterator[bytes]:
        yield b"phone\n"
        for _ in range(500):
            yield b"x" * 200_000

    async def work() -> None:
        with refused("INVALID_FIELD") as refusal:
            await send(contacts, make.contact_list(), pieces())
        assert "more than 1,048,576 characters" in refusal.fields["file"]

    assert await peak_of(work()) < 24 * MEBIBYTE


async def test_a_client_that_does_not_read_is_not_read_from(contacts, make):
    sent = 0

    async def requests() -> AsyncIterator[pb.ImportContactsRequest]:
        nonlocal sent
        yield header(list_id)
        yield chunk(b"phone\n")
        for _ in range(2000):
            sent += 1
            yield chunk(b"12\n" * 10_000)

    list_id = make.contact_list()
    call = contacts.ImportContacts(requests())
    counted = -1
    async with asyncio.timeout(60):
        while counted != sent or not sent:
            counted = sent
            await asyncio.sleep(0.5)
    assert sent < 500
    assert await call.read() is not grpc.aio.EOF
    call.cancel()
    await until(lambda: nothing_is_staged(make))


async def test_other_calls_are_answered_while_a_file_is_read(contacts, make, stubs):
    list_id = make.contact_list()
    pausing = Pausing(contacts, list_id, "phone,last_name\n", [b"202-555-0100,x\n" * 10_000] * 3)
    longest = 0.0
    loop = asyncio.get_running_loop()
    pausing.go_on.set()
    while not pausing.reading.done():
        begun = loop.time()
        await asyncio.sleep(0)
        longest = max(longest, loop.time() - begun)
    await pausing.reading
    assert pausing.answers.counts[:3] == (30_000, 30_000, 0)
    assert longest < 0.5
