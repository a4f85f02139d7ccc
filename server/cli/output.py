"""Show answers: tables for people, JSON for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import typer
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.cli.values import duration_text, iso

_WIDE: Final = 200  # columns where there is no terminal that would wrap


def console(*, stderr: bool = False) -> Console:
    """Make a console for standard output or error, wide where it is not a terminal."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made = Console(stderr=stderr, highlight=False, width=_WIDE)
    return made


def note(text: str) -> None:
    """Write a line for people on standard error."""
    typer.echo(text, err=True)


def print_json(value: Any) -> None:
    """Write one JSON document."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any] | None], title: str = ""
) -> None:
    """Write a table; numbers stand to the right, None is blank, a row that is None a rule."""
    written = list(rows)
    table = Table(title=title or None, title_justify="left")
    for place, column in enumerate(columns):
        cells = [row[place] for row in written if row is not None]
        is_number = bool(cells) and all(isinstance(one, int | float) for one in cells)
        table.add_column(column, justify="right" if is_number else "left")
    for row in written:
        if row is None:
            table.add_section()
        else:
            # Text, because a name may hold what rich would read as markup.
            table.add_row(*(Text(cell(value)) for value in row))
    console().print(table)


def cell(value: Any) -> str:
    """Write one value for people."""
    match value:
        case None:
            return ""
        case datetime():
            return iso(value)
        case timedelta():
            return duration_text(value)
        case list() | tuple():
            return ", ".join(map(cell, value))
        case dict():
            return ", ".join(f"{key}={cell(one)}" for key, one in value.items())
        case _:
            return str(value)


def as_dict(message: Message) -> dict[str, Any]:
    """Return a message as JSON with the names of the contract, every field always there.

    Times are ISO 8601 with Z, durations such as `1h30m`, enum values without their prefix; what is
    absent or unspecified is null.
    """
    values: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.is_repeated:
            values[field.name] = [_json(field, one) for one in value]
        elif field.has_presence and not message.HasField(field.name):
            values[field.name] = None
        else:
            values[field.name] = _json(field, value)
    return values


def _json(field: Any, value: Any) -> Any:
    if field.enum_type is not None:
        return enum_word(field.enum_type, value)
    if field.message_type is None:
        return value
    match field.message_type.full_name:
        case "google.protobuf.Timestamp":
            return iso(value.ToDatetime(tzinfo=UTC))
        case "google.protobuf.Duration":
            return duration_text(value.ToTimedelta())
        case _:
            return as_dict(value)


def enum_word(enum: EnumDescriptor, number: int) -> str | None:
    """Return the name of an enum value without its prefix, None for the unspecified one."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    value = enum.values_by_number.get(number)
    if number == 0:
        return None
    return value.name.removeprefix(prefix) if value else str(number)


def show(message: Message, *, as_json: bool) -> None:
    """Write one resource: JSON, or a line for each field that says something."""
    values = as_dict(message)
    if as_json:
        print_json(values)
        return
    table = Table(show_header=False, box=None)
    for name, value in values.items():
        if value not in (None, "", [], False):
            table.add_row(Text(name, style="bold"), Text(cell(value)))
    console().print(table)


def show_all(
    key: str,
    messages: Iterable[Message],
    columns: Mapping[str, str],
    *,
    as_json: bool,
) -> None:
    """Write resources: `{key: [...]}` as JSON, or a table.

    Args:
        key: What they are.
        messages: Of one type.
        columns: Heading of each column and the field it shows.
        as_json: Which of the two.
    """
    found = [as_dict(message) for message in messages]
    if as_json:
        print_json({key: found})
        return
    print_table(list(columns), [[one[field] for field in columns.values()] for one in found])
