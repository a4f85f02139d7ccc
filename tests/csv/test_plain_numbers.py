"""The fast path for plain numbers says what the full parser says, or nothing."""

import random

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.numbers import Number, NumberRefusedError, parse_number
from server.plain_numbers import plain_e164

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
SEPARATORS = ["", "", "", " ", "-", ".", "/", "(", ")", " (", ") ", "  "]


def same_as_the_parser(text: str, region: str) -> bool:
    """Tell whether the fast path knew the number; fail when the parser says something else."""
    found = plain_e164(text, region)
    if found is None:
        return False
    for extensions_allowed in (False, True):
        try:
            parsed = parse_number(text, region, extensions_allowed=extensions_allowed)
        except NumberRefusedError as error:
            raise AssertionError((text, region, found, error.reason)) from error
        assert parsed == Number(found, text), (text, region, found)
    return True


def examples(region: str) -> list[phonenumbers.PhoneNumber]:
    kinds = range(11)
    found = [phonenumbers.example_number_for_type(region, kind) for kind in kinds]
    return [one for one in found if one]


@pytest.mark.parametrize("region", REGIONS)
def test_numbers_near_the_examples_of_every_region_are_read_as_the_parser_reads_them(region):
    draw = random.Random(region)
    for number in examples(region):
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        forms = [e164, national, phonenumbers.national_significant_number(number), e164[1:]]
        for form in forms:
            for _ in range(25):
                characters = list(form)
                for _ in range(draw.choice([0, 0, 1, 2, 4])):
                    at = draw.randrange(len(characters))
                    characters[at : at + draw.choice([0, 1])] = draw.choice(
                        [*"0123456789", *SEPARATORS]
                    )
                text = "".join(characters).strip()
                same_as_the_parser(text, region)
                same_as_the_parser(text, draw.choice(REGIONS))


@settings(max_examples=3000, deadline=None)
@given(
    st.sampled_from(REGIONS),
    st.sampled_from(["", "+", "0", "00", "1", "011", "+0", "8"]),
    st.lists(st.tuples(st.sampled_from(SEPARATORS), st.integers(0, 9)), min_size=5, max_size=17),
)
@example("AR", "", [("", 0), ("", 9)] * 5)
def test_any_plain_text_is_read_as_the_parser_reads_it(region, beginning, digits):
    text = beginning + "".join(f"{separator}{digit}" for separator, digit in digits)
    same_as_the_parser(text.strip(), region)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("+4930123456", "US"),
        ("+49 30 123456", "DE"),
        ("030 123456", "DE"),
        ("(030) 123456", "DE"),
        ("202-555-0100", "US"),
        ("(202) 555-0100", "US"),
        ("+1 202 555 0100", "GB"),
        ("0121 234 5678", "GB"),
        ("01 23 45 67 89", "FR"),
    ],
)
def test_the_usual_ways_of_writing_a_number_are_known(text, region):
    assert same_as_the_parser(text, region)


@pytest.mark.parametrize(
    "text",
    ["911", "110", "+49 (0)30 123456", "030 123456x7", "+4930", "\u0663" * 9, "", "+", "tel:1"],
)
def test_what_is_not_plain_is_left_to_the_parser(text):
    assert plain_e164(text, "DE") is None
