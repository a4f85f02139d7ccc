"""Import files in tests, and see what became of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from callhopper.v1 import contact_service_pb2 as pb

HEADER = "phone,last_name\n"
GOOD = HEADER + "+12025550100,A\n"

Problem = tuple[str, int, str, str, str]


@dataclass
class Answers:
    """Everything that one import answered, in its order."""

    problems: list[Problem] = field(default_factory=list)
    progress: list[tuple[int, int]] = field(default_factory=list)
    summary: pb.ImportSummary | None = None

    def add(self, response: pb.ImportContactsResponse) -> None:
        assert self.summary is None, "the summary is not the last answer"
        match response.WhichOneof("part"):
            case "problem":
                one = response.problem
                severity = pb.ImportProblem.Severity.Name(one.severity).removeprefix("SEVERITY_")
                self.problems.append((severity, one.line, one.column, one.value, one.reason))
            case "progress":
                self.progress.append((response.progress.row_count, response.progress.byte_count))
            case _:
                self.summary = response.summary

    @property
    def counts(self) -> tuple[int, int, int, int, int, int]:
        """Rows, loaded, rejected, warnings, additional phones, entries."""
        one = self.summary
        assert one is not None
        return (
            one.row_count,
            one.loaded_count,
            one.rejected_count,
            one.warning_count,
            one.additional_phone_count,
            one.entry_count,
        )


def header(list_id: int, **rest: Any) -> pb.ImportContactsRequest:
    name = f"contactLists/{list_id}"
    return pb.ImportContactsRequest(header=pb.ImportHeader(contact_list=name, **rest))


def chunk(piece: bytes) -> pb.ImportContactsRequest:
    return pb.ImportContactsRequest(chunk=piece)


async def upload(contacts: Any, list_id: int, *pieces: bytes | str, **rest: Any) -> Answers:
    """Import pieces of a file."""
    chunks = [chunk(one.encode() if isinstance(one, str) else one) for one in pieces]
    answers = Answers()
    async for response in contacts.ImportContacts([header(list_id, **rest), *chunks], timeout=60):
        answers.add(response)
    assert answers.summary is not None, "the call ended without a summary"
    return answers


def stored(make: Any) -> list[dict[str, Any]]:
    """Read all contacts with their numbers in order of entry."""
    rows: list[dict[str, Any]] = make.rows(
        """
        select
          first_name, last_name, email, company, postal_address, description, priority,
          to_char(earliest_call_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as earliest,
          time_zone, person_key,
          array(
            select e164::text || coalesce(' ' || kind.name, '')
            from contact_phone phone left join contact_item_type kind using (contact_item_type_id)
            where phone.contact_id = contact.contact_id order by entry_position
          ) as numbers,
          array(
            select entered from contact_phone phone
            where phone.contact_id = contact.contact_id order by entry_position
          ) as entered
        from contact order by contact_id
        """
    )
    return rows


def numbers(make: Any) -> list[list[str]]:
    return [row["numbers"] for row in stored(make)]


def nothing_is_staged(make: Any) -> bool:
    rows = make.rows(
        "select (select count(*) from contact_import) + (select count(*) from contact_import_row) n"
    )
    return bool(rows == [{"n": 0}])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the database sets no event
            await asyncio.sleep(0.01)


def staged_count(make: Any) -> int:
    [row] = make.rows("select count(*)::integer n from contact_import_row")
    count: int = row["n"]
    return count


class Pausing:
    """Send a part of a file, and the rest when told to."""

    def __init__(self, contacts: Any, list_id: int, first: str, rest: Sequence[bytes] = ()) -> None:
        self.go_on = asyncio.Event()
        self.answers = Answers()
        self._list_id = list_id
        self._first = first
        self._rest = rest
        self.call = contacts.ImportContacts(self._requests(), timeout=60)
        self.reading = asyncio.create_task(self._read())

    async def _requests(self) -> AsyncIterator[pb.ImportContactsRequest]:
        yield header(self._list_id)
        yield chunk(self._first.encode())
        await self.go_on.wait()
        for piece in self._rest:
            yield chunk(piece)

    async def _read(self) -> None:
        async for response in self.call:
            self.answers.add(response)
