"""Recognise plainly written, valid numbers without the full parser.

`parse_number` takes some 25 us, most of it for what a number in a file seldom has: letters, other
scripts, carrier codes, extensions. Here a number is digits with blanks and ordinary punctuation,
perhaps behind a plus, and its meaning is taken from libphonenumber's own metadata. Whatever is in
any doubt is left to `parse_number`; tests/csv/test_plain_numbers.py compares the two.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_WRITTEN: Final = re.compile(r"\+?\(?[0-9](?:[ ()./-]{0,2}[0-9])+", re.ASCII)
_PUNCTUATION: Final = str.maketrans("", "", " ()./-+")
_MIN_DIGITS: Final = 7
"""More digits than any emergency number has."""
_MAX_DIGITS: Final = 15
_MAX_CODE: Final = 3
_TYPES: Final = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number",
    "voip", "pager", "uan", "voicemail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Plan:
    """Hold what the numbers of one country code are like, those of its main region only.

    Attributes:
        valid: Matches a whole valid national number.
        prefix: Matches the beginning of one that the parser might take for a prefix.
    """

    valid: re.Pattern[str]
    prefix: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class _Region:
    """Hold how numbers are written inside one region.

    Attributes:
        code: Its country code.
        trunk: The prefix of national numbers; empty when there is none.
        prefix: Matches the beginning of a number that the parser might take for a prefix.
        abroad: Matches the beginning of a number in another country.
    """

    code: str
    trunk: str
    prefix: re.Pattern[str] | None
    abroad: re.Pattern[str]


def plain_e164(text: str, region: str) -> str | None:
    """Return the E.164 form of a valid number that is plainly written, as `parse_number` would.

    `plain_e164("030 123456", "DE") == plain_e164("+49-30-123456", "US") == "+4930123456"`

    Args:
        text: What the user typed, trimmed.
        region: Where a number without a country code belongs.

    Returns:
        None for anything that is not certain: ask `parse_number`.
    """
    if not _WRITTEN.fullmatch(text):
        return None
    digits = text.translate(_PUNCTUATION)
    if not _MIN_DIGITS <= len(digits) <= _MAX_DIGITS:
        return None
    if text[0] == "+":
        code = next(
            (digits[:size] for size in range(1, _MAX_CODE + 1) if digits[:size] in _codes()), None
        )
        national = digits[len(code) :] if code else ""
    else:
        code, national = _inside(digits, region)
    plan = _plan(code) if code else None
    if plan is None or not plan.valid.fullmatch(national):
        return None
    if plan.prefix is not None and plan.prefix.match(national):
        return None
    e164 = f"+{code}{national}"
    return e164 if len(e164) <= _MAX_DIGITS + 1 else None


def _inside(digits: str, region: str) -> tuple[str | None, str]:
    """Divide a number without a plus into country code, None if in doubt, and national number."""
    here = _region(region)
    if here is None or digits.startswith(here.code) or here.abroad.match(digits):
        return None, ""
    prefix = here.prefix.match(digits) if here.prefix else None
    if prefix is None:
        return here.code, digits
    if prefix.group() != here.trunk:
        return None, ""
    return here.code, digits[len(here.trunk) :]


@cache
def _codes() -> frozenset[str]:
    return frozenset(map(str, COUNTRY_CODE_TO_REGION_CODE))


@cache
def _region(region: str) -> _Region | None:
    metadata: Any = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or not metadata.international_prefix:
        return None
    code: int = metadata.country_code
    if COUNTRY_CODE_TO_REGION_CODE[code][0] != region or metadata.national_prefix_transform_rule:
        return None
    prefix = metadata.national_prefix_for_parsing
    return _Region(
        str(code),
        metadata.national_prefix or "",
        re.compile(prefix, re.ASCII) if prefix else None,
        re.compile(metadata.international_prefix, re.ASCII),
    )


@cache
def _plan(code: str) -> _Plan | None:
    region = COUNTRY_CODE_TO_REGION_CODE[int(code)][0]
    metadata: Any = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or metadata.leading_digits:
        return None
    kinds = [_whole(getattr(metadata, name)) for name in _TYPES]
    general = _whole(metadata.general_desc)
    of_a_kind = "|".join(kind for kind in kinds if kind)
    if not general or not of_a_kind:
        return None
    # A leading zero that belongs to the number (Italy) is left to the parser.
    valid = re.compile(f"(?!0)(?={general}\\Z)(?:{of_a_kind})", re.ASCII)
    prefix = metadata.national_prefix_for_parsing
    return _Plan(valid, re.compile(prefix, re.ASCII) if prefix else None)


def _whole(kind: Any) -> str:
    """Return a pattern of the whole number, its possible lengths included; empty when none is."""
    if kind is None or not kind.national_number_pattern:
        return ""
    lengths = "|".join(f"[0-9]{{{length}}}" for length in kind.possible_length if length > 0)
    lookahead = f"(?=(?:{lengths})\\Z)" if lengths else ""
    return f"{lookahead}(?:{kind.national_number_pattern})"
