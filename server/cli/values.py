"""Read what people write in options: durations, times, outcomes, pairs."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from callhopper.v1 import types_pb2
from server.cli.failures import bad_value
from server.convert.calls import STATUSES

_DURATION: Final = re.compile(
    r"(?:(?P<days>\d{1,9})d)?(?:(?P<hours>\d{1,9})h)?"
    r"(?:(?P<minutes>\d{1,9})m)?(?:(?P<seconds>\d{1,9})s)?",
    re.ASCII,
)
_WHOLE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_LONGEST: Final = timedelta(days=366)


def duration(option: str, text: str) -> timedelta:
    """Read `0s`, `90s`, `2m`, `1h30m`, `1d`: whole numbers with units, the largest unit first."""
    found = _DURATION.fullmatch(text)
    if not text or not found:
        raise bad_value(option, text, "a duration is written like 0s, 90s, 2m or 1h30m")
    length = timedelta(**{unit: int(count) for unit, count in found.groupdict("0").items()})
    if length > _LONGEST:
        raise bad_value(option, text, "must be 0s to 366d")
    return length


def duration_text(length: timedelta) -> str:
    """Write a duration as `duration` reads it: `1h30m`, `0s`; parts of a second as `0.5s`."""
    left = length.total_seconds()
    sign = "-" if left < 0 else ""
    left = abs(left)
    parts = []
    for unit, seconds in (("d", 86_400), ("h", 3600), ("m", 60)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count:.0f}{unit}")
    if left or not parts:
        parts.append(f"{round(left, 3):g}s")
    return sign + "".join(parts)


def moment(option: str, text: str) -> datetime:
    """Read an ISO 8601 time with a zone, such as `2026-01-05T09:00:00Z`."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise bad_value(option, text, "a time is written like 2026-01-05T09:00:00Z") from None
    if read.tzinfo is None:
        raise bad_value(option, text, "must say its zone, such as Z or +01:00")
    try:
        return read.astimezone(UTC)
    except OverflowError:
        raise bad_value(option, text, "is out of range") from None


def iso(moment: datetime) -> str:
    """Write a time as ISO 8601 in UTC with Z, without parts of a second that are zero."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def whole(option: str, text: str) -> int:
    """Read a whole number of at most nine digits."""
    if not _WHOLE.fullmatch(text):
        raise bad_value(option, text, "must be a whole number")
    return int(text)


def pair(option: str, text: str, separator: str, form: str) -> tuple[str, str]:
    """Split at the last separator: `A=B=C` is `A=B` and `C`."""
    left, found, right = text.rpartition(separator)
    if not found or not left.strip() or not right.strip():
        raise bad_value(option, text, f"is written as {form}")
    return left.strip(), right.strip()


def failed_status(option: str, text: str) -> str:
    """Read the name of a status that has retry settings, in any case."""
    name = text.strip().upper()
    if name not in STATUSES:
        raise bad_value(option, text, "must be one of " + ", ".join(STATUSES))
    return name


def outcomes(option: str, text: str) -> list[str]:
    """Read outcomes separated by commas, in any case, as names of the enum; not NOT_DIALED."""
    known = [name.removeprefix("OUTCOME_") for name in types_pb2.Outcome.keys()]  # noqa: SIM118
    known = [name for name in known if name not in {"UNSPECIFIED", "NOT_DIALED"}]
    read: list[str] = []
    for part in text.split(","):
        name = part.strip().upper()
        if name == "NOT_DIALED":
            raise bad_value(option, text, "NOT_DIALED is no call, so it cannot be assumed")
        if name not in known:
            raise bad_value(option, text, f"{part.strip()!r} is none of " + ", ".join(known))
        read.append(f"OUTCOME_{name}")
    return read
