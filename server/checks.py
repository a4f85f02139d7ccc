"""Check what a request says, and collect everything that is wrong with it before refusing it.

    with Checks() as checks:
        contact_id = checks.resource_id("name", request.name, "contacts")
        size = checks.page_size(request.page_size)

Leaving the block raises one InvalidArgument that names every field found wrong. Inside it a refused
value is replaced by a harmless one, so that the checks after it can go on.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID
from zoneinfo import available_timezones

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message

from server.errors import EtagMismatch, InvalidArgument

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

MAX_BIGINT: Final = 2**63 - 1
MAX_INTEGER: Final = 2**31 - 1
DEFAULT_PAGE_SIZE: Final = 100
MAX_PAGE_SIZE: Final = 1000
MAX_SECONDS: Final = 366 * 86_400
MAX_QUOTED: Final = 64

_ID: Final = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what a Timestamp may say.
_FIRST_SECOND: Final = -62_135_596_800
_LAST_SECOND: Final = 253_402_300_799
_ZONES: Final = frozenset(available_timezones()) - {"localtime", "Factory"}


def quoted(value: str) -> str:
    """Return a value as an error shows it: in quotes, cut, nothing unprintable."""
    shown = value if len(value) <= MAX_QUOTED else value[:MAX_QUOTED] + "..."
    return repr(shown)


class Checks:
    """Collect (field path, what is wrong with it) in the order found.

    Attributes:
        violations: What was found wrong so far.
    """

    def __init__(self, violations: Iterable[tuple[str, str]] = ()) -> None:
        """Begin with what was found before, so that work that runs again does not find it twice."""
        self.violations = list(violations)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.finish()

    def finish(self) -> None:
        """Refuse the request if anything was found wrong.

        Raises:
            InvalidArgument: At least one field was refused.
        """
        if self.violations:
            raise InvalidArgument(self.violations)

    def refuse(self, field: str, reason: str) -> None:
        """Remember that a field is wrong; the reason completes the sentence "field ..."."""
        self.violations.append((field, reason))

    # ------------------------------------------------------------ names and ids

    def resource_id(self, field: str, name: str, collection: str) -> int:
        """Return the id of `collection/{id}`; 0 when refused."""
        return self.resource_ids(field, name, collection)[0]

    def resource_ids(self, field: str, name: str, *collections: str) -> tuple[int, ...]:
        """Return the ids of `campaigns/{id}/entries/{id}` and the like, one a collection."""
        shape = "/".join(f"{collection}/{{id}}" for collection in collections)
        parts = name.split("/")
        ids = tuple(int(part) for part in parts[1::2] if _ID.fullmatch(part))
        if not name:
            self.refuse(field, f"must be given as {shape}")
        elif tuple(parts[::2]) != collections or len(ids) != len(collections):
            self.refuse(field, f"is {quoted(name)}, must be {shape}")
        elif max(ids) > MAX_BIGINT:
            self.refuse(field, f"is {quoted(name)}, and there is no such id")
        else:
            return ids
        return (0,) * len(collections)

    def optional_id(self, field: str, name: str, collection: str) -> int | None:
        """Return the id of `collection/{id}`; None when the name is empty."""
        return self.resource_id(field, name, collection) if name else None

    def request_id(self, value: str, field: str = "request_id") -> UUID | None:
        """Return the caller's UUID; None when there is none, or when it was refused."""
        if not value:
            return None
        if not _UUID.fullmatch(value):
            self.refuse(field, f"is {quoted(value)}, must be a UUID")
            return None
        return UUID(value)

    # ------------------------------------------------------------ text and numbers

    def text(
        self, field: str, value: str, *, most: int, required: bool = False, lines: bool = False
    ) -> str:
        """Return a trimmed text; "" when refused.

        Args:
            field: Path of the field.
            value: What was sent.
            most: Most characters, after trimming.
            required: Whether an empty text is refused.
            lines: Whether line feeds and tabs are text. CRLF becomes LF.
        """
        trimmed = (value.replace("\r\n", "\n") if lines else value).strip()
        allowed = "\n\t" if lines else ""
        control = next(
            (letter for letter in trimmed if _is_control(letter) and letter not in allowed), None
        )
        if control is not None:
            self.refuse(field, f"must not contain the control character U+{ord(control):04X}")
        elif len(trimmed) > most:
            self.refuse(field, f"has {len(trimmed)} characters, must have at most {most}")
        elif required and not trimmed:
            self.refuse(field, "must be given")
        else:
            return trimmed
        return ""

    def between(self, field: str, value: int, least: int, most: int = MAX_INTEGER) -> int:
        """Return a whole number of a range, bounds included; the least when refused."""
        if least <= value <= most:
            return value
        span = f"{least} or more" if most == MAX_INTEGER else f"from {least} to {most}"
        self.refuse(field, f"is {value}, must be {span}")
        return least

    def choice(self, field: str, value: int, enum: EnumTypeWrapper, prefix: str) -> str | None:
        """Return the name of an enum value without its prefix.

        Returns:
            None for the unspecified value 0, and for an unknown number, which is refused.
        """
        if value == 0:
            return None
        number = enum.DESCRIPTOR.values_by_number.get(value)
        if number is None:
            self.refuse(field, f"is {value}, which is no {enum.DESCRIPTOR.name}")
            return None
        return str(number.name).removeprefix(prefix)

    def choices(
        self, field: str, values: Iterable[int], enum: EnumTypeWrapper, prefix: str
    ) -> list[str] | None:
        """Return the names of a filter's enum values without prefix; None when there are none.

        The unspecified value is refused: it filters nothing that anybody could mean.
        """
        names = []
        for place, value in enumerate(values):
            name = self.choice(f"{field}[{place}]", value, enum, prefix)
            if value == 0:
                self.refuse(f"{field}[{place}]", "must be given")
            names.append(name or "")
        return names or None

    def zone(self, field: str, value: str) -> str | None:
        """Return a time zone of the tz database; None when empty."""
        if not value:
            return None
        if value not in _ZONES:
            self.refuse(field, f"is {quoted(value)}, must be a time zone such as Europe/Paris")
            return None
        return value

    # ------------------------------------------------------------ times

    def seconds(
        self, field: str, value: Duration, least: int = 0, most: int = MAX_SECONDS
    ) -> timedelta:
        """Return a length of time in whole seconds (R1), at most 366 days unless told.

        A timedelta becomes an interval with days in SQL; see `interval` for one without.
        """
        same_sign = (
            value.seconds == 0 or value.nanos == 0 or (value.seconds < 0) == (value.nanos < 0)
        )
        if not same_sign or abs(value.nanos) > 999_999_999:  # noqa: PLR2004 - the most nanoseconds
            self.refuse(field, "is not a valid duration")
        elif value.nanos:
            self.refuse(field, "must be whole seconds")
        elif not least <= value.seconds <= most:
            self.refuse(field, f"is {value.seconds} s, must be from {least} to {most} s")
        else:
            return timedelta(seconds=value.seconds)
        return timedelta(seconds=least)

    def length(self, field: str, value: Duration, most: int) -> timedelta:
        """Return a length of time from 0 to `most` seconds; parts of a microsecond are cut."""
        if not 0 <= value.nanos <= 999_999_999 or not 0 <= value.seconds <= most:  # noqa: PLR2004
            self.refuse(field, f"must be a duration from 0 to {most} s")
            return timedelta(0)
        return timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)

    def moment(self, field: str, message: Message, name: str) -> datetime | None:
        """Return the Timestamp in a field of a message, in UTC.

        Returns:
            None when the field is not set or was refused. Parts of a microsecond are cut.
        """
        if not message.HasField(name):
            return None
        value: Timestamp = getattr(message, name)
        if not _FIRST_SECOND <= value.seconds <= _LAST_SECOND or not 0 <= value.nanos < 10**9:
            self.refuse(field, "is not a moment from year 1 to year 9999")
            return None
        return _EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)

    # ------------------------------------------------------------ what a List or Update asks for

    def page_size(self, value: int) -> int:
        """Return how many a page may hold: 100 for 0, at most 1000."""
        if value < 0:
            self.refuse("page_size", f"is {value}, must be 0 or more")
        return min(value, MAX_PAGE_SIZE) if value > 0 else DEFAULT_PAGE_SIZE

    def mask(self, mask: FieldMask, resource: Message, writable: Collection[str]) -> frozenset[str]:
        """Return the fields that an Update changes.

        Args:
            mask: `request.update_mask`. Empty: every writable field that is set. `*`: all writable.
            resource: The resource in the request.
            writable: Names of the fields that may be changed.

        Returns:
            Names out of `writable`; may be empty.
        """
        if not mask.paths:
            return frozenset(field.name for field, _ in resource.ListFields()).intersection(
                writable
            )
        if list(mask.paths) == ["*"]:
            return frozenset(writable)
        for path in mask.paths:
            if path not in writable:
                self.refuse("update_mask", _mask_reason(path, resource))
        return frozenset(mask.paths)


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) == "Cc"


def _mask_reason(path: str, resource: Message) -> str:
    if path == "*":
        return "must not name other fields beside *"
    if path in resource.DESCRIPTOR.fields_by_name:
        return f"names {path}, which cannot be changed"
    if path.partition(".")[0] in resource.DESCRIPTOR.fields_by_name:
        return f"names {quoted(path)}: fields are changed as a whole, not parts of them"
    return f"names {quoted(path)}, which is no field of {resource.DESCRIPTOR.name}"


def etag(revision: int) -> str:
    """Return the etag of a revision, quoted as HTTP has it: 3 -> `"3"`."""
    return f'"{revision}"'


def require_etag(sent: str, revision: int) -> None:
    """Refuse a change made from an older copy.

    Args:
        sent: The etag in the request; "" matches any.
        revision: The stored one; the caller holds the row's lock.

    Raises:
        EtagMismatch: It is another.
    """
    if sent not in ("", etag(revision)):
        raise EtagMismatch


def interval(length: timedelta) -> str:
    """Return an interval in seconds for SQL: `timedelta(days=2)` -> "172800 seconds".

    The domain seconds_interval refuses intervals that have days, as psycopg would send them.
    """
    return f"{length.days * 86_400 + length.seconds} seconds"
