"""Statuses, deadlines and log lines of all four kinds of calls, over a real channel."""

import asyncio
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
import structlog
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from callhopper.v1 import errors_pb2
from server import errors, log
from server.app import SERVICE_NAMES
from server.db import Database, call_deadline
from server.interceptors import CallInterceptor
from server.settings import Settings

KINDS = ["unary_unary", "stream_unary", "unary_stream", "written_stream", "stream_stream"]
DSN = "postgresql://dialer:S3cret@10.0.0.5/db"
CANARY = f"could not connect: {DSN} phone +15550142333 of 'Anna Smith'"
DETAIL = "DETAIL:  Key (name)=(Anna Smith) already exists."
LEAKS = re.compile(r"S3cret|dialer|10\.0\.0\.5|5550142333|Anna|postgresql:|\d{7,}(?![0-9a-f]*\b)")

Body = Callable[[Any], Awaitable[bytes]]


class Scripted(grpc.GenericRpcHandler):
    """Run `body` for every call; a stream sends one message before its answer."""

    def __init__(self) -> None:
        self.body: Body = self._answer

    async def _answer(self, _context: Any) -> bytes:
        return b"answer"

    def service(self, details: Any) -> Any:
        kind = details.method.rpartition("/")[2]

        async def unary(_request: Any, context: Any) -> bytes:
            return await self.body(context)

        async def stream(_request: Any, context: Any) -> AsyncIterator[bytes]:
            yield b"first"
            yield await self.body(context)

        async def written(_request: Any, context: Any) -> None:
            await context.write(b"first")
            await context.write(await self.body(context))

        return {
            "unary_unary": grpc.unary_unary_rpc_method_handler(unary),
            "stream_unary": grpc.stream_unary_rpc_method_handler(unary),
            "unary_stream": grpc.unary_stream_rpc_method_handler(stream),
            "written_stream": grpc.unary_stream_rpc_method_handler(written),
            "stream_stream": grpc.stream_stream_rpc_method_handler(stream),
        }.get(kind)


@pytest.fixture
def settings() -> Settings:
    return Settings(default_deadline=0.2, stream_deadline=1.0, pool_timeout=0.3)


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
async def channel(scripted: Scripted, settings: Settings) -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server(interceptors=[CallInterceptor(settings)])
    server.add_generic_rpc_handlers((scripted,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


@pytest.fixture
def written_log() -> Iterator[io.StringIO]:
    """Configure the log as a server does, and give what it writes."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    output = io.StringIO()
    log.configure(Settings(log_level="debug", log_format="json"), output)
    yield output
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def call(channel: Any, kind: str, **options: Any) -> list[bytes]:
    path = f"/test/{kind}"

    async def requests() -> AsyncIterator[bytes]:
        yield b"request"

    if kind == "unary_unary":
        return [await channel.unary_unary(path)(b"request", **options)]
    if kind == "stream_unary":
        return [await channel.stream_unary(path)(requests(), **options)]
    if kind == "stream_stream":
        return [answer async for answer in channel.stream_stream(path)(requests(), **options)]
    return [answer async for answer in channel.unary_stream(path)(b"request", **options)]


async def refused(channel: grpc.aio.Channel, kind: str, **options: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, kind, **options)
    return caught.value


def details(error: Any) -> tuple[error_details_pb2.ErrorInfo, dict[str, Any]]:
    """Return ErrorInfo, and all details by the name of their type."""
    status = rpc_status.from_call(error)
    assert status is not None
    found: dict[str, Any] = {}
    for packed in status.details:
        message = getattr(error_details_pb2, packed.TypeName().rpartition(".")[2])()
        packed.Unpack(message)
        found[type(message).__name__] = message
    return found["ErrorInfo"], found


def raising(error: Exception) -> Body:
    async def body(_context: Any) -> bytes:
        raise error

    return body


@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_passes(channel, kind, events):
    assert (await call(channel, kind))[-1] == b"answer"
    assert [(event["method"], event["code"]) for event in events] == [(f"/test/{kind}", "OK")]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_error_of_ours_travels_with_its_details(channel, scripted, kind, events):
    scripted.body = raising(errors.InvalidArgument([("contact.name", "is too long")]))
    error = await refused(channel, kind)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "contact.name is too long"
    reason, found = details(error)
    assert (reason.reason, reason.domain) == ("INVALID_FIELD", "callhopper")
    (violation,) = found["BadRequest"].field_violations
    assert (violation.field, violation.description) == ("contact.name", "is too long")
    assert events[0]["reason"] == "INVALID_FIELD"


async def test_a_time_to_wait_travels(channel, scripted):
    scripted.body = raising(errors.Overloaded(retry_after=1.25))
    error = await refused(channel, "unary_unary")
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details(error)[1]["RetryInfo"].retry_delay.ToMilliseconds() == 1250


def catalogue() -> list[errors.CallhopperError]:
    return [
        errors.InvalidArgument([("a", "b")]),
        errors.RequestIdReused(),
        errors.InvalidPageToken(),
        errors.NotFound("contacts/1"),
        errors.AlreadyExists("exists"),
        errors.WrongState("state"),
        errors.InUse("in use"),
        errors.EtagMismatch(),
        errors.Conflict(),
        errors.Unavailable(),
        errors.Overloaded(),
        errors.StatementTimeout(),
        errors.Draining(),
        errors.Internal(),
    ]


def test_every_reason_of_the_contract_has_one_class():
    reasons = [f"ERROR_REASON_{error.reason}" for error in catalogue()]
    assert ["ERROR_REASON_UNSPECIFIED", *sorted(reasons)] == [
        "ERROR_REASON_UNSPECIFIED",
        *sorted(set(errors_pb2.ErrorReason.keys()) - {"ERROR_REASON_UNSPECIFIED"}),
    ]
    assert {type(error) for error in catalogue()} == set(errors.CallhopperError.__subclasses__())


@pytest.mark.parametrize("error", catalogue(), ids=lambda error: error.reason)
async def test_every_error_arrives_as_itself(channel, scripted, error):
    scripted.body = raising(error)
    arrived = await refused(channel, "unary_unary")
    assert (arrived.code(), arrived.details()) == (error.code, error.message)
    assert details(arrived)[0].reason == error.reason


@pytest.mark.parametrize("kind", KINDS)
async def test_the_text_of_an_exception_reaches_neither_client_nor_log(
    channel, scripted, kind, written_log
):
    async def body(_context: Any) -> bytes:
        try:
            raise psycopg.OperationalError(f"{CANARY}\n{DETAIL}")
        except psycopg.Error as cause:
            raise RuntimeError(CANARY) from cause

    scripted.body = body
    error = await refused(channel, kind)
    assert error.code() == grpc.StatusCode.INTERNAL
    reason, _ = details(error)
    error_id = reason.metadata["error_id"]
    assert error.details() == f"unexpected error {error_id}"
    assert not LEAKS.search(repr(error.trailing_metadata()).replace(error_id, ""))
    written = written_log.getvalue()
    assert not LEAKS.search(written.replace(error_id, ""))
    (line,) = [json.loads(one) for one in written.splitlines() if error_id in one]
    assert line["level"] == "error"
    assert "raise RuntimeError(CANARY) from cause" in line["traceback"]
    assert "OperationalError" in line["traceback"]


def test_texts_of_libraries_are_masked(written_log):
    logging.getLogger("some.library").warning("%s", CANARY)
    try:
        int(CANARY)
    except ValueError:
        logging.getLogger("some.library").exception("failed for %s", "+15550142333")
    written = written_log.getvalue()
    assert "failed for" in written
    assert "ValueError" in written
    assert not LEAKS.search(written)


async def test_the_request_id_of_the_caller_is_in_the_log(channel, written_log, scripted):
    async def body(_context: Any) -> bytes:
        structlog.get_logger().info("inside")
        return b""

    scripted.body = body
    await call(channel, "unary_unary", metadata=[("x-request-id", "order-7")])
    lines = [json.loads(one) for one in written_log.getvalue().splitlines()]
    ours = [line for line in lines if line["event"] in {"inside", "call"}]
    assert [line["request_id"] for line in ours] == ["order-7", "order-7"]


@pytest.mark.parametrize("unsafe", ["a b", "x" * 65, "a;b", "(+15550142333)"])
async def test_an_unsafe_request_id_is_replaced(channel, written_log, unsafe):
    await call(channel, "unary_unary", metadata=[("x-request-id", unsafe)])
    assert unsafe not in written_log.getvalue()
    assert re.search(r'"request_id": "[0-9a-f]{32}"', written_log.getvalue())


@pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])
async def test_a_call_without_deadline_gets_one(channel, scripted, kind, settings):
    seen: list[float | None] = []

    async def body(_context: Any) -> bytes:
        seen.append(call_deadline.get())
        await asyncio.sleep(30)
        return b""

    scripted.body = body
    error = await refused(channel, kind)
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert details(error)[0].reason == "STATEMENT_TIMEOUT"
    assert seen[0] is not None


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_that_the_client_leaves_is_cancelled(channel, scripted, kind, events):
    cancelled = asyncio.Event()

    async def body(_context: Any) -> bytes:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return b""

    scripted.body = body
    error = await refused(channel, kind, timeout=0.1)
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(cancelled.wait(), 5)
    await asyncio.sleep(0)
    assert [event["code"] for event in events] == ["CANCELLED"]


@pytest.fixture
async def idle_db(database: str, settings: Settings, tmp_path: Path) -> AsyncIterator[Database]:
    """Give a Database whose only block sleeps for long."""
    (tmp_path / "a.sql").write_text("-- name: nap :one\nselect pg_sleep(30)::text as nap;\n")
    db = Database(settings, database, tmp_path)
    await db.open(wait=10)
    yield db
    await db.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_deadline_of_a_call_stops_its_statement(channel, scripted, kind, conn, idle_db):
    async def body(_context: Any) -> bytes:
        await idle_db.run(lambda tx: tx.one("nap"))
        return b""

    scripted.body = body
    error = await refused(channel, kind, timeout=0.4)
    # Our own status, not the client's: it came before the deadline.
    assert details(error)[0].reason == "STATEMENT_TIMEOUT"
    row = conn.execute(
        "select count(*) as sleepers from pg_stat_activity "
        "where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()"
    ).fetchone()
    assert row == {"sleepers": 0}
    assert idle_db.pool_stats()["main"]["lent"] == 0


async def test_an_unknown_method_is_unimplemented(channel):
    error = await refused_path(channel, "/test/none")
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED


async def refused_path(channel: Any, path: str) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(path)(b"")
    return caught.value


async def test_without_a_database_every_rpc_says_so_and_nothing_else(
    server, database, cluster, written_log
):
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    with psycopg.connect(cluster, autocommit=True) as admin:
        admin.execute(f'alter database "{name}" with allow_connections false')
        admin.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s",
            [name],
        )
    codes: set[str] = set()
    async with grpc.aio.insecure_channel(server.address) as channel:
        for path, method in sorted(unary_methods().items()):
            request = GetMessageClass(method.input_type)()
            rpc: Any = channel.unary_unary(path, request_serializer=type(request).SerializeToString)
            try:
                await rpc(request, timeout=5)
                codes.add("OK")
            except grpc.aio.AioRpcError as error:
                codes.add(error.code().name)
                shown = f"{error.details()} {error.trailing_metadata()!r}"
                assert not re.search(r"select |callhopper-|/tmp|connection to|FATAL", shown), path
    assert "UNAVAILABLE" in codes
    assert codes <= {"OK", "UNAVAILABLE", "INVALID_ARGUMENT", "NOT_FOUND"}, codes
    assert not re.search(r"select |/tmp/callhopper|password", written_log.getvalue())


def unary_methods() -> dict[str, Any]:
    services: list[Any] = [Default().FindServiceByName(name) for name in SERVICE_NAMES]
    return {
        f"/{service.full_name}/{method.name}": method
        for service in services
        for method in service.methods
        if not method.client_streaming and not method.server_streaming
    }
