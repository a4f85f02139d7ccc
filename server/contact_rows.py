"""Turn the rows of a CSV file into contacts, and say what is wrong with them (I1, I2, C4, C5).

A row that cannot be loaded is rejected as a whole, with every reason; a number that cannot be used
is left out of its row with a warning.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from callhopper.v1.contact_service_pb2 import ImportProblem
from server.checks import MAX_INTEGER, Checks, quoted
from server.convert.contact import (
    DEFAULT_PRIORITY,
    LINE,
    LINES,
    MAX_ADDITIONAL_PHONES,
    MAX_PERSON_KEY,
    Numbering,
)
from server.csv_import import Record
from server.errors import InvalidArgument
from server.names import name_key
from server.numbers import Number, NumberRefusedError, parse_number
from server.plain_numbers import plain_e164

MAX_COLUMNS: Final = 512
MAX_REFUSED: Final = 50
"""Columns named in one error; a file with the wrong separator may have hundreds."""
MAX_NUMBERS: Final = 4 * MAX_ADDITIONAL_PHONES
"""Numbers read in one row before duplicates and bad ones are left out."""
MAX_VALUE: Final = 200

WARNING: Final = ImportProblem.SEVERITY_WARNING
REJECTED: Final = ImportProblem.SEVERITY_REJECTED

ADDITIONAL: Final = "additional_phone"
FIELDS: Final = (
    "phone", *LINE, *LINES, "priority", "earliest_call_time", "time_zone", "person_key",
)  # fmt: skip

COLUMNS: Final = [
    "contact_import_id", "line", "first_name", "last_name", "first_name_key", "last_name_key",
    "email", "company", "postal_address", "description", "priority", "earliest_call_at",
    "time_zone", "person_key", "e164s", "entered", "contact_item_type_ids",
]  # fmt: skip
"""What `ContactRow.staged` holds, after contact_import_id."""

_NULL: Final = "\\N"
_TYPED: Final = re.compile(r"additional[\s_]+phone\s*:\s*(.*)", re.DOTALL)
_RFC_3339: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
# COPY gives a meaning to these alone.
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


@dataclass(frozen=True, slots=True)
class Column:
    """Say what the cells of one column are.

    Attributes:
        header: The name as it stands in the file, trimmed.
        field: One of FIELDS, or ADDITIONAL: numbers.
        contact_item_type_id: The type of these numbers; None when untyped.
    """

    header: str
    field: str
    contact_item_type_id: int | None = None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """Hold what became of one row.

    Attributes:
        staged: One line of COPY in text format, without the import's id; None when rejected.
        additional_phone_count: Numbers besides the primary.
        problems: Why it was rejected, else its warnings; may be empty.
    """

    staged: str | None
    additional_phone_count: int
    problems: Sequence[ImportProblem]


def type_keys(headers: Sequence[str]) -> set[str]:
    """Return the keys of all item types that headers may name; most of them name none."""
    keys = {name_key(header).strip() for header in headers}
    return keys | {typed[1].strip() for key in keys if (typed := _TYPED.fullmatch(key))}


def read_columns(header: Record, types: Mapping[str, int]) -> list[Column]:
    """Return what each column holds (I1).

    Names are compared regardless of case, and of spaces in the place of underscores. A field's name
    means the field; an item type of that name is reached as `additional_phone:Email`.

    Args:
        header: The first row.
        types: Ids of item types by name_key; see `type_keys`.

    Raises:
        InvalidArgument: A column is unknown, has no name, or names a field again; or no column
            is the phone. All of them are named.
    """
    checks = Checks()
    if header.reason:
        checks.refuse("file", f"{header.reason} in line {header.line}")
    elif len(header.cells) > MAX_COLUMNS:
        checks.refuse("file", f"has {len(header.cells)} columns, must have at most {MAX_COLUMNS}")
    checks.finish()
    columns = [
        _read_column(checks, place, cell.strip(), types)
        for place, cell in enumerate(header.cells, 1)
    ]
    fields = [column.field for column in columns if column.field != ADDITIONAL]
    for field in FIELDS:
        if fields.count(field) > 1:
            checks.refuse("file", f"has the column {field} more than once")
    if "phone" not in fields:
        checks.refuse("file", "has no column phone")
    if checks.violations:
        raise InvalidArgument(checks.violations[:MAX_REFUSED])
    return columns


def _read_column(checks: Checks, place: int, header: str, types: Mapping[str, int]) -> Column:
    key = name_key(header).strip()
    field = re.sub(r"[\s_]+", "_", key)
    if field == ADDITIONAL or field in FIELDS:
        return Column(header, field)
    typed = _TYPED.fullmatch(key)
    type_key = typed[1].strip() if typed else key
    if type_key in types:
        return Column(header, ADDITIONAL, types[type_key])
    if not key:
        checks.refuse("file", f"has no name for column {place}")
    elif typed:
        checks.refuse("file", f"has the column {quoted(header)}, but there is no such item type")
    else:
        checks.refuse("file", f"has the unknown column {quoted(header)}")
    return Column(header, ADDITIONAL)


class RowReader:
    """Read the rows below one header."""

    def __init__(self, columns: Sequence[Column], numbering: Numbering) -> None:
        """Prepare.

        Args:
            columns: What `read_columns` returned.
            numbering: How the list reads numbers.
        """
        self._columns = columns
        self._numbering = numbering
        self._place = {
            column.field: place
            for place, column in enumerate(columns)
            if column.field != ADDITIONAL
        }
        self._phones = [
            (place, column) for place, column in enumerate(columns) if column.field == ADDITIONAL
        ]

    def read(self, record: Record) -> ContactRow:
        """Read one row."""
        row = _Row(record)
        if record.reason:
            row.reject("", "", record.reason)
        elif len(record.cells) != len(self._columns):
            row.reject(
                "", "", f"has {len(record.cells)} cells, the header has {len(self._columns)}"
            )
        else:
            self._read_cells(row, record.cells)
        if row.rejections:
            return ContactRow(None, 0, row.rejections)
        return ContactRow(row.staged(), len(row.numbers) - 1, row.warnings)

    def _read_cells(self, row: "_Row", cells: Sequence[str]) -> None:
        for field, place in self._place.items():
            cell = cells[place]
            header = self._columns[place].header
            if field == "phone":
                self._read_primary(row, header, cell)
            elif not cell or cell.isspace():
                continue
            elif field in LINE:
                row.values[field] = row.text(header, cell, LINE[field])
            elif field in LINES:
                row.values[field] = row.text(header, cell, LINES[field], lines=True)
            elif field == "person_key":
                row.values[field] = row.text(header, cell, MAX_PERSON_KEY)
            elif field == "priority":
                row.values[field] = row.priority(header, cell.strip())
            elif field == "earliest_call_time":
                row.values[field] = row.moment(header, cell.strip())
            else:
                row.values[field] = row.zone(header, cell.strip())
        self._read_additional(row, cells)

    def _read_primary(self, row: "_Row", header: str, cell: str) -> None:
        parts = _numbers(cell)
        if len(parts) > 1:
            row.reject(header, cell, "holds several numbers, must hold the primary phone only")
            return
        text = parts[0] if parts else ""
        try:
            row.add(header, None, self._parse(text))
        except NumberRefusedError as error:
            row.reject(header, text, error.reason)

    def _read_additional(self, row: "_Row", cells: Sequence[str]) -> None:
        found = [
            (column, text)
            for place, column in self._phones
            if cells[place]
            for text in _numbers(cells[place])
        ]
        if len(found) > MAX_NUMBERS:
            row.reject_many(len(found))
        if row.rejections:
            return
        for column, text in found:
            try:
                row.add(column.header, column.contact_item_type_id, self._parse(text))
            except NumberRefusedError as error:
                row.warn(column.header, text, error.reason)
        if len(row.numbers) - 1 > MAX_ADDITIONAL_PHONES:
            row.reject_many(len(row.numbers) - 1)

    def _parse(self, text: str) -> Number:
        numbering = self._numbering
        plain = plain_e164(text, numbering.region)
        if plain:
            return Number(plain, text)
        return parse_number(text, numbering.region, extensions_allowed=numbering.extensions_allowed)


class _Row:
    """Collect what one row holds and what is wrong with it."""

    __slots__ = ("_headers", "_line", "numbers", "rejections", "values", "warnings")

    def __init__(self, record: Record) -> None:
        self._line = record.line
        self._headers: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self.numbers: list[tuple[Number, int | None]] = []
        self.rejections: list[ImportProblem] = []
        self.warnings: list[ImportProblem] = []

    def reject(self, header: str, value: str, reason: str) -> None:
        self.rejections.append(self._problem(REJECTED, header, value, reason))

    def reject_many(self, count: int) -> None:
        reason = f"has {count} additional numbers, must have at most {MAX_ADDITIONAL_PHONES}"
        self.reject("", "", reason)

    def warn(self, header: str, value: str, reason: str) -> None:
        self.warnings.append(self._problem(WARNING, header, value, reason))

    def _problem(
        self, severity: "ImportProblem.Severity", header: str, value: str, reason: str
    ) -> ImportProblem:
        return ImportProblem(
            severity=severity,
            line=self._line,
            column=header[:MAX_VALUE],
            value=value[:MAX_VALUE],
            reason=reason,
        )

    def add(self, header: str, contact_item_type_id: int | None, number: Number) -> None:
        """Add a number unless the row has it already (C5)."""
        earlier = self._headers.setdefault(number.e164, header)
        if len(self._headers) == len(self.numbers):
            self.warn(header, number.entered, f"is the same number as one in column {earlier}")
            return
        self.numbers.append((number, contact_item_type_id))
        if number.warning:
            self.warn(header, number.entered, number.warning)

    def text(self, header: str, cell: str, most: int, *, lines: bool = False) -> str:
        text = cell.strip()
        if len(text) <= most and text.isascii() and text.isprintable():
            return text  # what Checks.text finds too, in a fifth of the time
        checks = Checks()
        checked = checks.text("", cell, most=most, lines=lines)
        self._reject_found(checks, header, cell)
        return checked

    def zone(self, header: str, cell: str) -> str:
        checks = Checks()
        zone = checks.zone("", cell)
        self._reject_found(checks, header, cell)
        return zone or ""

    def priority(self, header: str, cell: str) -> str:
        if re.fullmatch(r"[0-9]{1,10}", cell, re.ASCII) and 1 <= int(cell) <= MAX_INTEGER:
            return cell
        self.reject(header, cell, "must be a whole number, 1 or more")
        return ""

    def moment(self, header: str, cell: str) -> str:
        if _RFC_3339.fullmatch(cell):
            try:
                return datetime.fromisoformat(cell.upper()).astimezone(UTC).isoformat()
            except (ValueError, OverflowError):
                pass
        self.reject(header, cell, "must be a moment such as 2030-01-31T09:00:00+01:00")
        return ""

    def _reject_found(self, checks: Checks, header: str, cell: str) -> None:
        for _, reason in checks.violations:
            self.reject(header, cell, reason)

    def staged(self) -> str:
        """Return the row in COPY's text format, as COLUMNS has it after contact_import_id."""
        get = self.values.get
        first, last = get("first_name", ""), get("last_name", "")
        texts = "\t".join(
            (
                _copied(first),
                _copied(last),
                _copied(_key(first)),
                _copied(_key(last)),
                _copied(get("email", "")),
                _copied(get("company", "")),
                _copied(get("postal_address", "")),
                _copied(get("description", "")),
                get("priority", str(DEFAULT_PRIORITY)),
                get("earliest_call_time", _NULL),
                get("time_zone", _NULL),
                _copied(get("person_key", "")) or _NULL,
            )
        )
        e164s = ",".join([number.e164 for number, _ in self.numbers])
        entered = ",".join([_entered(number) for number, _ in self.numbers])
        types = ",".join([str(type_id or "NULL") for _, type_id in self.numbers])
        return f"{self._line}\t{texts}\t{{{e164s}}}\t{{{entered}}}\t{{{types}}}\n"


def _numbers(cell: str) -> list[str]:
    if ";" not in cell:
        text = cell.strip()
        return [text] if text else []
    return [text for part in cell.split(";") if (text := part.strip())]


def _key(name: str) -> str:
    return name.lower() if name.isascii() else name_key(name)


def _copied(text: str) -> str:
    if text.isprintable() and "\\" not in text:
        return text
    return text.translate(_ESCAPES)


def _entered(number: Number) -> str:
    """Return an element of an array literal; NULL when it is the same as the E.164."""
    if number.entered == number.e164:
        return "NULL"
    text = number.entered.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\\", "\\\\") + '"'
