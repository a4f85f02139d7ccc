"""Checks that every request shares."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from callhopper.v1.campaign_service_pb2 import Campaign
from callhopper.v1.contact_item_type_service_pb2 import ContactItemType
from callhopper.v1.contact_service_pb2 import Contact
from callhopper.v1.types_pb2 import Outcome
from server.checks import Checks, etag, interval, quoted, require_etag
from server.errors import EtagMismatch, InvalidArgument
from server.names import name_key, sort_name


def test_leaving_the_block_names_every_field_found_wrong():
    with pytest.raises(InvalidArgument) as raised, Checks() as checks:  # noqa: PT012 - as below
        checks.page_size(-1)
        checks.between("priority", 0, 1)
    assert [field for field, _ in raised.value.violations] == ["page_size", "priority"]


def test_an_error_inside_the_block_is_not_replaced():
    with pytest.raises(KeyError), Checks() as checks:  # noqa: PT012 - the block is what is tested
        checks.page_size(-1)
        raise KeyError


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("campaigns/1/entries/2", (1, 2)),
        ("campaigns/9223372036854775807/entries/1", (9223372036854775807, 1)),
        ("campaigns/1", None),
        ("campaigns/1/entries/", None),
        ("campaigns/1/entries/2/", None),
        ("entries/1/campaigns/2", None),
        ("campaigns/1/entries/0", None),
        ("campaigns/1/entries/9223372036854775808", None),
        ("campaigns/1/entries/99999999999999999999", None),
        ("campaigns/+1/entries/1", None),
        ("campaigns/1\n/entries/1", None),
        ("", None),
    ],
)
def test_resource_names_are_read_whole(name, ids):
    checks = Checks()
    assert checks.resource_ids("name", name, "campaigns", "entries") == (ids or (0, 0))
    assert [field for field, _ in checks.violations] == ([] if ids else ["name"])


@pytest.mark.parametrize(("sent", "size"), [(0, 100), (1, 1), (1000, 1000), (1001, 1000)])
def test_page_sizes(sent, size):
    with Checks() as checks:
        assert checks.page_size(sent) == size


@pytest.mark.parametrize(
    "value",
    ["x", "123", "{8f7b5a0e-0000-4000-8000-000000000000}", "8f7b5a0e000040008000000000000000"],
)
def test_a_request_id_is_a_uuid_in_its_usual_form(value):
    checks = Checks()
    assert checks.request_id(value) is None
    assert len(checks.violations) == 1


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        (Duration(seconds=0), 0),
        (Duration(seconds=366 * 86400), 366 * 86400),
        (Duration(seconds=366 * 86400 + 1), None),
        (Duration(seconds=-1), None),
        (Duration(seconds=1, nanos=1), None),
        (Duration(seconds=1, nanos=-1), None),
        (Duration(nanos=2_000_000_000), None),
    ],
)
def test_a_length_of_time_is_whole_seconds_of_a_range(duration, seconds):
    checks = Checks()
    assert checks.seconds("wait", duration) == timedelta(seconds=seconds or 0)
    assert bool(checks.violations) == (seconds is None)


def test_an_interval_has_no_days():
    assert interval(timedelta(days=2, seconds=1)) == "172801 seconds"


@pytest.mark.parametrize(
    ("seconds", "nanos", "moment"),
    [
        (0, 1999, datetime(1970, 1, 1, microsecond=1, tzinfo=UTC)),
        (-62_135_596_800, 0, datetime(1, 1, 1, tzinfo=UTC)),
        (253_402_300_799, 999_999_999, datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        (253_402_300_800, 0, None),
        (-62_135_596_801, 0, None),
        (0, -1, None),
        (0, 1_000_000_000, None),
    ],
)
def test_a_moment_is_of_year_1_to_9999(seconds, nanos, moment):
    contact = Contact()
    contact.earliest_call_time.seconds, contact.earliest_call_time.nanos = seconds, nanos
    checks = Checks()
    assert checks.moment("at", contact, "earliest_call_time") == moment
    assert bool(checks.violations) == (moment is None)
    assert Checks().moment("at", Contact(), "earliest_call_time") is None


@pytest.mark.parametrize(
    ("text", "kept", "options"),
    [
        (" a b ", "a b", {}),
        ("\u3000x\u00a0", "x", {}),
        ("a\nb", "", {}),
        ("a\r\nb\tc", "a\nb\tc", {"lines": True}),
        ("a\rb", "", {"lines": True}),
        ("\x7f", "", {}),
        ("\x85a\x85b", "", {}),
        ("abcdef", "", {}),
        (" ", "", {"required": True}),
        ("abcde ", "abcde", {}),
    ],
)
def test_text_is_trimmed_and_has_no_control_characters(text, kept, options):
    checks = Checks()
    assert checks.text("note", text, most=5, **options) == kept
    assert bool(checks.violations) == (not kept)


def test_a_choice_is_of_its_enum():
    checks = Checks()
    assert checks.choice("outcome", Outcome.OUTCOME_BUSY, Outcome, "OUTCOME_") == "BUSY"
    assert checks.choice("outcome", 0, Outcome, "OUTCOME_") is None
    assert not checks.violations
    assert checks.choice("outcome", 99, Outcome, "OUTCOME_") is None
    assert checks.violations == [("outcome", "is 99, which is no Outcome")]


def test_a_zone_is_in_the_tz_database():
    checks = Checks()
    assert checks.zone("zone", "Europe/Paris") == "Europe/Paris"
    assert checks.zone("zone", "") is None
    assert not checks.violations
    for wrong in ("Europe/Nowhere", "europe/paris", "../etc/passwd", "localtime"):
        assert checks.zone("zone", wrong) is None
    assert len(checks.violations) == 4


WRITABLE = ("display_name", "order_by", "colour")


@pytest.mark.parametrize(
    ("paths", "fields"),
    [
        ([], {"order_by"}),
        (["colour", "colour"], {"colour"}),
        (["*"], set(WRITABLE)),
    ],
)
def test_a_mask_says_what_changes(paths, fields):
    message = ContactItemType(name="contactItemTypes/1", order_by=2, etag="x")
    with Checks() as checks:
        assert checks.mask(FieldMask(paths=paths), message, WRITABLE) == fields


@pytest.mark.parametrize("paths", [["*", "colour"], ["etag"], ["nothing"], [""], ["colour.x"]])
def test_a_mask_names_writable_fields_only(paths):
    checks = Checks()
    checks.mask(FieldMask(paths=paths), ContactItemType(), WRITABLE)
    assert {field for field, _ in checks.violations} == {"update_mask"}


def test_a_mask_of_an_unset_campaign_changes_nothing():
    assert Checks().mask(FieldMask(), Campaign(), ("display_name",)) == frozenset()


def test_an_etag_matches_its_revision_or_any():
    require_etag("", 3)
    require_etag(etag(3), 3)
    for wrong in ('"4"', "3", "*"):
        with pytest.raises(EtagMismatch):
            require_etag(wrong, 3)


def test_values_in_errors_are_cut_and_printable():
    assert quoted("a" * 65) == "'" + "a" * 64 + "...'"
    assert quoted("a\n\x00") == r"'a\n\x00'"


def test_names_have_a_key_and_a_place():
    assert name_key("STRASSE \ufb01") == name_key("stra\u00dfe FI")
    assert name_key("\u1e9e\u0323\u0307") == name_key(name_key("\u1e9e\u0323\u0307"))
    assert name_key("Eclair") != name_key("\u00c9clair")
    assert sort_name("\u00c9clair") == sort_name("ECLAIR") == "eclair"
