"""Load contacts from a CSV file: `callhopper import`."""

import csv
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Annotated, Final, Protocol

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from callhopper.v1 import contact_list_service_pb2 as lists
from callhopper.v1 import contact_service_pb2 as contacts
from server.cli.connection import Stubs, connected
from server.cli.contact_lists import create_list
from server.cli.failures import ExitCode, Failure
from server.cli.options import Json, ListOption
from server.cli.output import as_dict, console, enum_word, note, print_json
from server.cli.resources import list_name

CHUNK: Final = 256 * 1024
ROWS_A_LINE: Final = 50_000
"""Rows between two lines of progress where there is no terminal."""


class OnProblem(Protocol):
    """Take a row or a number that was not taken as it stood."""

    def __call__(self, problem: contacts.ImportProblem) -> None:
        """Show or keep it."""


class OnProgress(Protocol):
    """Take where an import stands."""

    def __call__(self, progress: contacts.ImportProgress) -> None:
        """Show it."""


def import_file(
    ctx: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV file with a header line.")],
    contact_list: ListOption,
    create: Annotated[bool, typer.Option("--create", help="Make the list if need be.")] = False,
    region: Annotated[
        str | None, typer.Option(metavar="XX", help="Default region of a list made now.")
    ] = None,
    separator: Annotated[str, typer.Option(help="Column separator (default a comma).")] = "",
    encoding: Annotated[str, typer.Option(help="utf-8 (default) or latin-1.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check, and load nothing.")] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV file for problems; else they go to stderr."),
    ] = None,
    request_id: Annotated[
        str | None, typer.Option(metavar="UUID", help="Of an import to repeat safely.")
    ] = None,
    json: Json = False,
) -> None:
    """Load contacts from a CSV file into a list.

    Columns are named as the fields of a contact (phone, first_name ...), as an item type (Office),
    or additional_phone. Exit code 1 when rows were rejected.
    """
    separators = {"tab": "\t", "\\t": "\t"}
    options = {
        "header.contact_list": "--list",
        "header.separator": "--separator",
        "header.encoding": "--encoding",
        "header.request_id": "--request-id",
    }
    with ExitStack() as stack:
        try:
            source = stack.enter_context(file.open("rb"))
            on_problem = stack.enter_context(_problems(rejects))
        except OSError as error:
            raise Failure(f"{error.filename}: {error.strerror}", ExitCode.USAGE) from None
        stubs = stack.enter_context(connected(ctx, options))
        header = contacts.ImportHeader(
            contact_list=_list(stubs, contact_list, region, create=create),
            request_id=request_id or str(uuid.uuid4()),
            separator=separators.get(separator, separator),
            encoding=encoding,
            dry_run=dry_run,
        )
        show_progress = stack.enter_context(_progress(file.stat().st_size))
        summary = load(stubs, source, header, on_progress=show_progress, on_problem=on_problem)
    if json:
        print_json(as_dict(summary))
    else:
        _print_summary(summary)
    if summary.rejected_count:
        raise typer.Exit(ExitCode.REFUSED)


def load(
    stubs: Stubs,
    source: IO[bytes],
    header: contacts.ImportHeader,
    *,
    on_progress: OnProgress,
    on_problem: OnProblem,
) -> contacts.ImportSummary:
    """Stream a file to the server and return the summary."""

    def messages() -> Iterator[contacts.ImportContactsRequest]:
        yield contacts.ImportContactsRequest(header=header)
        while chunk := source.read(CHUNK):
            yield contacts.ImportContactsRequest(chunk=chunk)

    summary = None
    for response in stubs.contacts.ImportContacts(messages()):
        match response.WhichOneof("part"):
            case "progress":
                on_progress(response.progress)
            case "problem":
                on_problem(response.problem)
            case "summary":
                summary = response.summary
    if summary is None:
        raise Failure("the import ended without a summary: load the same file again")
    return summary


def _list(stubs: Stubs, text: str, region: str | None, *, create: bool) -> str:
    if create and not text.startswith("contactLists/"):
        request = lists.ListContactListsRequest(display_name=text)
        if not stubs.contact_lists.ListContactLists(request).contact_lists:
            return create_list(stubs, text, region).name
    return list_name(stubs, text)


@contextmanager
def _problems(rejects: Path | None) -> Iterator[OnProblem]:
    severities = contacts.ImportProblem.Severity.DESCRIPTOR
    if rejects is None:

        def tell(problem: contacts.ImportProblem) -> None:
            severity = (enum_word(severities, problem.severity) or "problem").lower()
            where = f"{problem.column} {problem.value!r}: " if problem.column else ""
            note(f"line {problem.line}: {severity}: {where}{problem.reason}")

        yield tell
        return
    with rejects.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["severity", "line", "column", "value", "reason"])

        def write(problem: contacts.ImportProblem) -> None:
            severity = enum_word(severities, problem.severity)
            row = [severity, problem.line, problem.column, problem.value, problem.reason]
            writer.writerow([_harmless(value) for value in row])

        yield write


def _harmless(value: object) -> object:
    """Keep a spreadsheet from running a text as a formula."""
    if isinstance(value, str) and value[:1] in {"=", "@", "\t", "\r", "+", "-"}:
        return f"'{value}"
    return value


@contextmanager
def _progress(size: int) -> Iterator[OnProgress]:
    screen = console(stderr=True)
    if not screen.is_terminal:
        told = 0

        def tell(progress: contacts.ImportProgress) -> None:
            nonlocal told
            if progress.row_count >= told + ROWS_A_LINE:
                told = progress.row_count
                note(f"{progress.row_count} rows, {progress.byte_count} of {size} bytes")

        yield tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("loading", total=size)

        def move(progress: contacts.ImportProgress) -> None:
            rows = f"{progress.row_count} rows"
            bar.update(task, completed=progress.byte_count, description=rows)

        yield move


def _print_summary(summary: contacts.ImportSummary) -> None:
    verb = "would be loaded" if summary.dry_run else "loaded"
    typer.echo(
        f"{summary.row_count} rows: {summary.loaded_count} contacts with "
        f"{summary.additional_phone_count} additional phones {verb}, "
        f"{summary.rejected_count} rows rejected, {summary.warning_count} warnings, "
        f"{summary.entry_count} hopper entries made"
    )
