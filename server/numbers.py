"""Read phone numbers as people write them, and refuse what must never be dialed (C4).

What libphonenumber calls possible is taken, what it does not call valid is taken with a warning:
its metadata is months behind the numbering plans. Ranges reserved for fiction follow the same rule,
so +1 202 555 0123 passes in silence and +44 7700 900123 is warned about.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, ValidationResult

MAX_ENTERED: Final = 64
MAX_DIGITS: Final = 15
"""E.164 has no more."""

_EXTENSION: Final = re.compile(r"[0-9]{2,8}", re.ASCII)
_EMERGENCY_EVERYWHERE: Final = frozenset({"112", "911"})
_MAX_EMERGENCY_DIGITS: Final = 6
_NORTH_AMERICA: Final = 1
# A parser that looks for a number in prose would also find one behind *67 or "not ".
_BEFORE_NUMBER: Final = re.compile(r"(tel:)?[\s(\[]*(?=[+\uff0b\d])", re.IGNORECASE)
_PARSE_REASONS: Final = {
    NumberParseException.INVALID_COUNTRY_CODE: "the country code does not exist",
    NumberParseException.NOT_A_NUMBER: "it is not a phone number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "it is too short",
    NumberParseException.TOO_SHORT_NSN: "it is too short",
    NumberParseException.TOO_LONG: "it is too long",
}
_LENGTH_REASONS: Final = {
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "the area code is missing",
    ValidationResult.INVALID_COUNTRY_CODE: "the country code does not exist",
    ValidationResult.TOO_SHORT: "it is too short",
    ValidationResult.INVALID_LENGTH: "no number there has this length",
    ValidationResult.TOO_LONG: "it is too long",
}


class NumberRefusedError(Exception):
    """Refuse a number.

    Attributes:
        reason: Why, as the end of the sentence "field is 'value': ...".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Number:
    """Hold a number that may be stored.

    Attributes:
        e164: `+` and at most 15 digits; for an internal extension its 2 to 8 digits.
        entered: What the user typed, trimmed.
        warning: Why it may be wrong all the same; None when nothing speaks against it.
    """

    e164: str
    entered: str
    warning: str | None = None


def is_region(region: str) -> bool:
    """Tell whether numbers can be read for a region (ISO 3166-1, two capital letters)."""
    return region in phonenumbers.SUPPORTED_REGIONS


@lru_cache(maxsize=16_384)
def parse_number(text: str, region: str, *, extensions_allowed: bool = False) -> Number:
    """Read one number.

    Digits that are a possible number of the region are that number, also where extensions are
    allowed; other texts of 2 to 8 digits are then extensions.

    Args:
        text: What the user typed.
        region: Where a number without a country code belongs; see `is_region`.
        extensions_allowed: Whether internal extensions are numbers here.

    Raises:
        NumberRefusedError: It is not a possible number, or an emergency number.
    """
    entered = text.strip()
    if not entered:
        raise NumberRefusedError("must be given")
    if len(entered) > MAX_ENTERED or not entered.isprintable():
        raise NumberRefusedError("it is not a phone number")
    _refuse_short_emergency(entered, region)
    if extensions_allowed and _EXTENSION.fullmatch(entered) and not _is_possible(entered, region):
        return Number(entered, entered)
    if not _BEFORE_NUMBER.match(entered):
        raise NumberRefusedError("it is not a phone number")
    try:
        parsed = phonenumbers.parse(entered, region)
    except NumberParseException as error:
        raise NumberRefusedError(_PARSE_REASONS[error.error_type]) from None
    if parsed.extension:
        raise NumberRefusedError("it has an extension; enter the number without it")
    length = phonenumbers.is_possible_number_with_reason(parsed)
    is_valid = length == ValidationResult.IS_POSSIBLE and phonenumbers.is_valid_number(parsed)
    if not is_valid:
        _refuse_emergency(parsed)
    if length != ValidationResult.IS_POSSIBLE:
        raise NumberRefusedError(_LENGTH_REASONS[length])
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if len(e164) > MAX_DIGITS + 1:
        raise NumberRefusedError("it is too long")
    return Number(
        e164, entered, None if is_valid else f"{e164} is possible, but not a valid number"
    )


def _is_possible(digits: str, region: str) -> bool:
    try:
        return (
            phonenumbers.is_possible_number_with_reason(phonenumbers.parse(digits, region))
            == ValidationResult.IS_POSSIBLE
        )
    except NumberParseException:
        return False


def _refuse_short_emergency(entered: str, region: str) -> None:
    digits = phonenumbers.normalize_digits_only(entered)
    if len(digits) <= _MAX_EMERGENCY_DIGITS and (
        digits in _EMERGENCY_EVERYWHERE or phonenumbers.is_emergency_number(digits, region)
    ):
        raise NumberRefusedError("it is an emergency number")


def _refuse_emergency(parsed: PhoneNumber) -> None:
    # Only what is not valid comes here: valid numbers are too long to be an emergency number, and
    # some begin as one (Colombo: 11 234 5678).
    digits = phonenumbers.national_significant_number(parsed)
    country = parsed.country_code or 0
    regions = phonenumbers.region_codes_for_country_code(country)
    if any(phonenumbers.is_emergency_number(digits, region) for region in regions):
        raise NumberRefusedError("it is an emergency number")
    # North American exchanges put 911 555 0123 through at its third digit, and no area code is so.
    if country == _NORTH_AMERICA and phonenumbers.connects_to_emergency_number(digits, "US"):
        raise NumberRefusedError("it begins as an emergency number does")
