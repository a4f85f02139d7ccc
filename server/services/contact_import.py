"""Load contacts from a CSV file of any size: ImportContacts.

Rows are checked as they arrive and staged in short transactions, so that a slow client holds no
connection. When the file has ended well, one transaction moves them all and loads the hopper: no
half of a file is ever seen, and a call that ends early leaves nothing.

Parsing shares the event loop with every other call, so it stops for them every few milliseconds.
Memory is bounded by one batch being parsed, one being staged, and gRPC's flow control: the file is
read no faster than the client reads the problems found in it.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from contextvars import Context as NoContext
from time import monotonic
from typing import Any, Final
from uuid import UUID

import grpc

from callhopper.v1.contact_service_pb2 import (
    ImportContactsRequest,
    ImportContactsResponse,
    ImportHeader,
    ImportProgress,
    ImportSummary,
)
from server.checks import Checks, quoted
from server.contact_rows import COLUMNS, RowReader, read_columns, type_keys
from server.convert.contact import Numbering
from server.csv_import import CODECS, CsvError, CsvReader, Record
from server.db import ANSWER_RESERVE, Database, Transaction, call_deadline
from server.errors import (
    CallhopperError,
    Conflict,
    InvalidArgument,
    NotFound,
    Overloaded,
    Unavailable,
)
from server.rehearsals import rehearse
from server.request_log import answer_once
from server.services.context import Context

Call = grpc.aio.ServicerContext[Any, Any]

MAX_CHUNK: Final = 262_144
MAX_IMPORTS: Final = 4
"""Imports under way in one server process; each may hold one connection and a few MiB."""
BATCH: Final = 512 * 1024
"""Characters of staged rows that are copied together."""
SLICE: Final = 0.002
"""Seconds of parsing after which other calls get their turn."""
PAUSE: Final = 0.001
"""Seconds of that turn. Without a real pause gRPC's own thread hardly runs: a read beside an import
took 36 ms in 90 of 100 cases and 70 ms in 99; with it 7 and 23 ms. The import takes 10 % longer."""
PROGRESS_INTERVAL: Final = 0.5
"""Seconds."""
DRAIN_PATIENCE: Final = 30.0
"""Seconds."""
MANY: Final = 1000
"""Contacts for which reading a whole table costs less than being wrong about their number."""
EXPIRY: Final = 600.0
"""Seconds after its deadline when an import is certainly no longer under way."""

_under_way: Final[set[object]] = set()
_endings: Final[set[asyncio.Task[None]]] = set()


async def import_contacts(
    context: Context, requests: AsyncIterator[ImportContactsRequest], call: Call
) -> None:
    """Import one file: write problems and progress as it is read, the summary last.

    Answers are written, not yielded to gRPC: a cancelled call would leave a generator at its yield,
    and nobody knows when that is closed.

    Args:
        context: What services share.
        requests: The header, then chunks of the file.
        call: Takes the answers.

    Raises:
        InvalidArgument: The header, the columns or the file as a whole cannot be read.
        RequestIdReused: The id belongs to another header.
        NotFound: There is no such list.
        Overloaded: This server has enough imports under way.
        Conflict: The list or an item type was changed meanwhile.
    """
    try:
        async with aclosing(_import(context, requests, call)) as responses:
            async for response in responses:
                await call.write(response)
    except CallhopperError:
        await _drain(requests)
        raise
    await _drain(requests)


async def _drain(requests: AsyncIterator[ImportContactsRequest]) -> None:
    """Read what the client still sends, for a while.

    A client of grpc.aio that is cut off while it sends tells INTERNAL instead of our status.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_PATIENCE):
            async for _ in requests:
                pass


async def _import(
    context: Context, requests: AsyncIterator[ImportContactsRequest], call: Call
) -> AsyncGenerator[ImportContactsResponse, None]:
    with _a_place():
        header = await _read_header(requests)
        with Checks() as checks:
            list_id = checks.resource_id("header.contact_list", header.contact_list, "contactLists")
            request_id = checks.request_id(header.request_id, "header.request_id")
            reader = _open_reader(checks, header)
        if request_id:
            with suppress(_NotAnsweredError):
                answered = await context.db.run(
                    lambda tx: answer_once(tx, header, request_id, ImportSummary, _not_answered)
                )
                yield ImportContactsResponse(summary=answered)
                return
        async with _begin(context, header, list_id, request_id) as upload:
            async with aclosing(upload.responses(reader, requests)) as responses:
                async for response in responses:
                    yield response
            # Some clients that vanish look as if they had ended the file.
            if call.cancelled():
                raise asyncio.CancelledError
            moving = asyncio.create_task(upload.move())
            try:
                while not (await asyncio.wait({moving}, timeout=PROGRESS_INTERVAL))[0]:
                    yield upload.progress()
                summary = await moving
            finally:
                await _stop(moving)
        yield ImportContactsResponse(summary=summary)


@contextmanager
def _a_place() -> Iterator[None]:
    if len(_under_way) >= MAX_IMPORTS:
        message = f"{MAX_IMPORTS} imports are under way on this server"
        raise Overloaded(message, retry_after=5.0)
    place = object()
    _under_way.add(place)
    try:
        yield
    finally:
        _under_way.discard(place)


async def _read_header(requests: AsyncIterator[ImportContactsRequest]) -> ImportHeader:
    async for request in requests:
        if request.WhichOneof("part") == "header":
            return request.header
        break
    raise InvalidArgument([("header", "must be the first message")])


def _open_reader(checks: Checks, header: ImportHeader) -> CsvReader:
    separator = header.separator or ","
    if len(separator) != 1 or separator.isalnum() or separator in '"\r\n\0 +\ufeff':
        checks.refuse(
            "header.separator",
            f"is {quoted(separator)}, must be one character such as , or ; or a tab",
        )
        separator = ","
    encoding = header.encoding or "utf-8"
    if encoding not in CODECS:
        checks.refuse(
            "header.encoding", f"is {quoted(encoding)}, must be one of {', '.join(CODECS)}"
        )
        encoding = "utf-8"
    return CsvReader(separator, encoding)


@asynccontextmanager
async def _begin(
    context: Context, header: ImportHeader, list_id: int, request_id: UUID | None
) -> AsyncIterator["_Upload"]:
    """Open an import; whatever happens, its staging is empty in the end."""
    deadline = call_deadline.get() or monotonic() + context.settings.stream_deadline
    seconds = max(deadline - monotonic(), 0.0) + EXPIRY

    import_id = secrets.randbits(63)

    async def begin(tx: Transaction) -> Numbering:
        await tx.execute("forget_expired_imports")
        await tx.execute(
            "begin_import", contact_import_id=import_id, contact_list_id=list_id, seconds=seconds
        )
        return await _get_numbering(tx, "get_import_list", list_id)

    try:
        upload = _Upload(
            context.db,
            header,
            list_id=list_id,
            request_id=request_id,
            import_id=import_id,
            numbering=await context.db.run(begin),
            deadline=deadline,
        )
        try:
            yield upload
        finally:
            await upload.stop()
    finally:
        # The call may be cancelled or past its deadline, which is no reason to leave rows behind.
        ending = asyncio.create_task(_forget(context.db, import_id), context=NoContext())
        _endings.add(ending)
        ending.add_done_callback(_endings.discard)
        await asyncio.shield(ending)


async def _forget(db: Database, import_id: int) -> None:
    with suppress(CallhopperError):  # it expires
        await db.run(lambda tx: tx.execute("forget_import", contact_import_id=import_id))


class _NotAnsweredError(Exception):
    """A request_id is new; taking it is taken back."""


async def _not_answered(_: Transaction) -> ImportSummary:
    raise _NotAnsweredError


async def _get_numbering(tx: Transaction, block: str, list_id: int) -> Numbering:
    row = await tx.one(block, contact_list_id=list_id)
    if row is None:
        raise NotFound(f"contactLists/{list_id}")
    return Numbering(row["default_region"], row["extensions_allowed"])


async def _stop(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task unless it is done, and wait until it has ended, however it did."""
    if task:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class _Upload:
    """Read one file into staging, then move it."""

    def __init__(
        self,
        db: Database,
        header: ImportHeader,
        *,
        list_id: int,
        request_id: UUID | None,
        import_id: int,
        numbering: Numbering,
        deadline: float,
    ) -> None:
        self._import_id = import_id
        self._db = db
        self._header = header
        self._list_id = list_id
        self._request_id = request_id
        self._numbering = numbering
        self._deadline = deadline
        self._rows: RowReader | None = None
        self._type_ids: list[int] = []
        self._summary = ImportSummary(dry_run=header.dry_run)
        self._byte_count = 0
        self._batch: list[str] = []
        self._batch_length = 0
        self._staging: asyncio.Task[None] | None = None

    def progress(self) -> ImportContactsResponse:
        """Say where the import stands."""
        return ImportContactsResponse(
            progress=ImportProgress(row_count=self._summary.row_count, byte_count=self._byte_count)
        )

    async def responses(
        self, reader: CsvReader, requests: AsyncIterator[ImportContactsRequest]
    ) -> AsyncGenerator[ImportContactsResponse, None]:
        """Read the file to its end and stage it; give problems and progress."""
        pause_at = monotonic() + SLICE
        progress_at = monotonic() + PROGRESS_INTERVAL
        try:
            async for chunk in _chunks(requests):
                self._byte_count += len(chunk or b"")
                for record in reader.feed(chunk or b"", is_last=chunk is None):
                    for response in await self._take(record):
                        yield response
                    now = monotonic()
                    if now >= pause_at:
                        await asyncio.sleep(PAUSE)
                        pause_at = monotonic() + SLICE
                    if now >= progress_at:
                        yield self.progress()
                        progress_at = monotonic() + PROGRESS_INTERVAL
        except CsvError as error:
            raise InvalidArgument([("file", f"{error.reason} in line {error.line}")]) from error
        if self._rows is None:
            raise InvalidArgument([("file", "is empty; its first line must name the columns")])
        await self._stage()
        await self._staged()
        yield self.progress()

    async def _take(self, record: Record) -> list[ImportContactsResponse]:
        if self._rows is None:
            await self._read_header_row(record)
            return []
        row = self._rows.read(record)
        self._summary.row_count += 1
        if row.staged is None:
            self._summary.rejected_count += 1
        else:
            self._summary.loaded_count += 1
            self._summary.additional_phone_count += row.additional_phone_count
            self._summary.warning_count += len(row.problems)
            self._batch.append(f"{self._import_id}\t{row.staged}")
            self._batch_length += len(row.staged)
            if self._batch_length >= BATCH:
                await self._stage()
        return [ImportContactsResponse(problem=problem) for problem in row.problems]

    async def _read_header_row(self, record: Record) -> None:
        keys = sorted(type_keys(record.cells))
        found = await self._db.run(lambda tx: tx.many("find_import_types", name_keys=keys))
        types = {row["name_key"]: row["contact_item_type_id"] for row in found}
        columns = read_columns(record, types)
        self._type_ids = sorted(
            {column.contact_item_type_id for column in columns if column.contact_item_type_id}
        )
        self._rows = RowReader(columns, self._numbering)

    async def _stage(self) -> None:
        """Copy the batch while the next one is read, but not more than one at a time."""
        await self._staged()
        if not self._batch:
            return
        rows = "".join(self._batch).encode()
        self._batch = []
        self._batch_length = 0

        async def copy(tx: Transaction) -> None:
            async with tx.copy("contact_import_row", COLUMNS) as staging:
                await staging.write(rows)

        self._staging = asyncio.create_task(self._db.run(copy))

    async def _staged(self) -> None:
        if self._staging:
            await self._staging

    async def stop(self) -> None:
        """Let go of the database."""
        await _stop(self._staging)

    async def move(self) -> ImportSummary:
        """Move what was staged into the list, and load the hopper, in one transaction."""
        if self._header.dry_run:
            return await rehearse(self._db, self._move)
        return await self._db.run(
            lambda tx: answer_once(tx, self._header, self._request_id, ImportSummary, self._move)
        )

    async def _move(self, tx: Transaction) -> ImportSummary:
        seconds = max(self._deadline - monotonic() - ANSWER_RESERVE, ANSWER_RESERVE)
        await tx.execute("set_statement_timeout", milliseconds=round(seconds * 1000))
        found = await tx.many("share_contact_item_types", contact_item_type_ids=self._type_ids)
        if len(found) != len(self._type_ids):
            raise Conflict("an item type of the file was deleted meanwhile")
        numbering = await _get_numbering(tx, "share_contact_list", self._list_id)
        if numbering != self._numbering:
            raise Conflict("the list was changed meanwhile, so that numbers may be read otherwise")
        summary = ImportSummary()
        summary.CopyFrom(self._summary)
        # Staging does not outlive a crash of the database.
        is_kept = await tx.one("lock_import", contact_import_id=self._import_id)
        contact_count = await tx.execute(
            "insert_imported_contacts",
            contact_import_id=self._import_id,
            contact_list_id=self._list_id,
        )
        phone_count = await tx.execute("insert_imported_phones", contact_import_id=self._import_id)
        expected = (summary.loaded_count, summary.loaded_count + summary.additional_phone_count)
        if not is_kept or (contact_count, phone_count) != expected:
            raise Unavailable("the database lost what was read; import the file again")
        if contact_count:
            if contact_count >= MANY:
                await tx.execute("avoid_nested_loops")
            [ids] = await tx.many("get_imported_contact_ids", contact_import_id=self._import_id)
            loads = await tx.many(
                "load_contacts", contact_list_id=self._list_id, contact_ids=ids["contact_ids"]
            )
            summary.entry_count = sum(load["loaded_count"] for load in loads)
        return summary


async def _chunks(requests: AsyncIterator[ImportContactsRequest]) -> AsyncIterator[bytes | None]:
    """Give the chunks of the file in order, then None."""
    async for request in requests:
        if request.WhichOneof("part") != "chunk":
            raise InvalidArgument([("chunk", "must be in every message after the first")])
        if len(request.chunk) > MAX_CHUNK:
            raise InvalidArgument(
                [("chunk", f"has {len(request.chunk)} bytes, must have at most {MAX_CHUNK}")]
            )
        yield request.chunk
    yield None
