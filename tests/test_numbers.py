"""Numbers as people write them (C4)."""

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.numbers import NumberRefusedError, is_region, parse_number
from tests.factories import BRITISH, fictional_number

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def reason(text, region="US", **options):
    with pytest.raises(NumberRefusedError) as refused:
        parse_number(text, region, **options)
    return refused.value.reason


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("+12025550123", "GB"),
        ("(202) 555-0123", "US"),
        (" 1.202.555.0123\t", "US"),
        ("001 202 555 0123", "GB"),
        ("tel:+1-202-555-0123", "US"),
        ("\uff0b1 202 \uff15\uff15\uff15 0123", "US"),
    ],
)
def test_every_way_of_writing_gives_the_same_number(text, region):
    number = parse_number(text, region)
    assert (number.e164, number.entered) == ("+12025550123", text.strip())
    assert number.warning is None


def test_fictional_american_numbers_pass_in_silence_and_british_ones_with_a_warning():
    assert parse_number(fictional_number(44_900), "US").warning is None
    assert parse_number(BRITISH.format(7), "US").warning == (
        "+447700900007 is possible, but not a valid number"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "must be given"),
        ("  ", "must be given"),
        ("12", "it is too short"),
        ("5550123", "the area code is missing"),
        ("+1 202 555 01234", "it is too long"),
        ("+999 1234567", "the country code does not exist"),
        ("+49 1234567890123456", "it is too long"),
        ("nobody", "it is not a phone number"),
        ("not 202 555 0123", "it is not a phone number"),
        ("*67 202 555 0123", "it is not a phone number"),
        ("202 555\n0123", "it is not a phone number"),
        ("1" * 65, "it is not a phone number"),
        ("202 555 0123 x45", "it has an extension; enter the number without it"),
        ("+1 202 555 0123;ext=45", "it has an extension; enter the number without it"),
        ("202 555 0123,,45#", "it has an extension; enter the number without it"),
    ],
)
def test_what_is_not_a_possible_number_is_refused_with_its_reason(text, expected):
    assert reason(text) == expected


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("911", "US"), ("9-1-1", "US"), ("9 1 1", "US"), ("\uff19\uff11\uff11", "US"),
        ("+1911", "US"), ("+1 911", "GB"), ("112", "US"), ("112", "JP"), ("911", "DE"),
        ("999", "GB"), ("+44 999", "US"), ("110", "DE"), ("+49 110", "US"), ("119", "JP"),
        ("000", "AU"), ("190", "BR"),
    ],
)  # fmt: skip
def test_emergency_numbers_are_refused_also_where_extensions_are_allowed(text, region):
    for extensions_allowed in (False, True):
        refusal = reason(text, region, extensions_allowed=extensions_allowed)
        assert refusal == "it is an emergency number"


@pytest.mark.parametrize("text", ["911 555 0123", "+1 911-555-0123", "112 555 0123"])
def test_what_would_be_put_through_to_an_emergency_call_is_refused(text):
    assert reason(text) == "it begins as an emergency number does"


@pytest.mark.parametrize(
    ("text", "region", "is_valid"),
    [("+94 11 234 5678", "LK", True), ("+49 110 1234567", "DE", False)],
)
def test_a_number_elsewhere_may_begin_as_an_emergency_number_does(text, region, is_valid):
    national = text.partition(" ")[2]
    assert phonenumbers.connects_to_emergency_number(national, region)
    assert (parse_number(text, "US").warning is None) == is_valid


@pytest.mark.parametrize("region", REGIONS)
def test_no_region_has_its_own_emergency_numbers_dialed(region):
    # Every two and three digits: what the region calls an emergency number, under any writing.
    short = [f"{digits:0{length}}" for length in (2, 3) for digits in range(10**length)]
    emergency = [text for text in short if phonenumbers.is_emergency_number(text, region)]
    for text in emergency:
        assert "emergency" in reason(text, region, extensions_allowed=True)
        code = phonenumbers.country_code_for_region(region)
        reason(f"+{code}{text}", region, extensions_allowed=True)


@pytest.mark.parametrize("text", ["12", "4711", "0815", "12345678"])
def test_extensions_are_numbers_only_where_they_are_allowed(text):
    reason(text)
    assert parse_number(text, "US", extensions_allowed=True).e164 == text


@pytest.mark.parametrize("text", ["1", "123456789", "47 11", "+4711", "#11", "12a"])
def test_an_extension_is_2_to_8_digits_and_nothing_else(text):
    reason(text, extensions_allowed=True)


def test_digits_that_are_a_number_of_the_region_are_that_number():
    assert parse_number("91234567", "SG", extensions_allowed=True).e164 == "+6591234567"


def test_a_region_is_two_capital_letters_that_the_library_knows():
    assert is_region("US")
    assert not any(map(is_region, ("us", "XX", "", "001", "USA")))


@given(
    st.text(st.sampled_from("0123456789+-() .;,ext#*/\uff11aZ\x00\u0661"), max_size=24),
    st.sampled_from(REGIONS),
    st.booleans(),
)
def test_what_is_taken_can_be_stored_and_is_read_back_as_itself(text, region, extensions_allowed):
    try:
        number = parse_number(text, region, extensions_allowed=extensions_allowed)
    except NumberRefusedError:
        return
    assert re.fullmatch(r"\+[0-9]{2,15}|[0-9]{2,8}", number.e164, re.ASCII)
    again = parse_number(number.e164, region, extensions_allowed=extensions_allowed)
    assert again.e164 == number.e164
    assert again.warning == number.warning
