"""ImportContacts: what is loaded, and files that cannot be read."""

import pytest

from callhopper.v1 import contact_service_pb2 as pb
from server.services import contact_import
from tests.refusals import refused
from tests.rpc.importing import GOOD, nothing_is_staged, stored, upload


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stage every row at once."""
    monkeypatch.setattr(contact_import, "BATCH", 1)


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
