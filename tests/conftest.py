"""A PostgreSQL per session, a database per test, a clock that stands still, a server in process.

`CALLHOPPER_TEST_PG_BIN` names the binaries of another PostgreSQL to start; `DATABASE_URL` names a
running one instead, in which the tests make and drop databases of their own.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
import structlog
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from callhopper.v1.campaign_service_pb2_grpc import CampaignServiceStub
from callhopper.v1.contact_item_type_service_pb2_grpc import ContactItemTypeServiceStub
from callhopper.v1.contact_list_service_pb2_grpc import ContactListServiceStub
from callhopper.v1.contact_service_pb2_grpc import ContactServiceStub
from callhopper.v1.dialer_service_pb2_grpc import DialerServiceStub
from callhopper.v1.hopper_service_pb2_grpc import HopperServiceStub
from server.app import App
from server.db import Database, PlainConnection, connect
from server.embedded import EmbeddedPostgres
from server.migrate import migrate
from server.settings import Settings

SCHEMA = "callhopper"
FAST = {
    # Nothing in a test cluster is worth a disk's time; tests/faults starts one of its own.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "autovacuum": "off",
}


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """Give the DSN of a superuser."""
    running = os.environ.get("DATABASE_URL")
    if running:
        yield running
        return
    binaries = os.environ.get("CALLHOPPER_TEST_PG_BIN")
    with tempfile.TemporaryDirectory(prefix="callhopper-tests-") as folder:
        bin_dir = Path(binaries) if binaries else None
        with EmbeddedPostgres(Path(folder) / "pg", bin_dir=bin_dir, settings=FAST) as postgres:
            yield postgres.dsn


@contextmanager
def new_database(cluster: str, name: str, template: str | None = None) -> Iterator[str]:
    """Make a database, give its DSN, drop it."""
    with psycopg.connect(cluster, autocommit=True) as admin:
        copy = SQL("create database {} template {}")
        admin.execute(copy.format(Identifier(name), Identifier(template or "template0")))
        try:
            yield make_conninfo(cluster, dbname=name)
        finally:
            admin.execute(SQL("drop database {} with (force)").format(Identifier(name)))


_numbers = iter(range(1_000_000_000))


@pytest.fixture
def empty_database(cluster: str) -> Iterator[str]:
    """Give the DSN of a database without any schema of ours."""
    with new_database(cluster, f"empty_{os.getpid()}_{next(_numbers)}") as dsn:
        yield dsn


@pytest.fixture(scope="session")
def template(cluster: str) -> Iterator[str]:
    """Give the name of a migrated database that is only ever copied."""
    name = f"template_{os.getpid()}"
    with new_database(cluster, name) as dsn:
        migrate(dsn, SCHEMA)
        yield name


@pytest.fixture
def database(cluster: str, template: str) -> Iterator[str]:
    """Give the DSN of a fresh, migrated database."""
    with new_database(cluster, f"test_{os.getpid()}_{next(_numbers)}", template) as dsn:
        yield dsn


@pytest.fixture
def new_connection(database: str) -> Iterator[Callable[[], PlainConnection]]:
    """Give a function that opens one more connection, for tests with several."""
    opened: list[PlainConnection] = []

    def open_one() -> PlainConnection:
        opened.append(connect(database, SCHEMA, "test"))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


@pytest.fixture
def conn(new_connection: Callable[[], PlainConnection]) -> PlainConnection:
    """Give a connection in autocommit, with rows as dictionaries and our search_path."""
    return new_connection()


class Clock:
    """Set the time that `clock()` gives to all connections of one database.

    A session that sets `callhopper.now` for itself, as plan does, keeps its own.
    """

    def __init__(self, conn: PlainConnection) -> None:
        self._conn = conn
        conn.execute(
            """
            create table test_clock (moment timestamptz);
            insert into test_clock values (clock_timestamp());
            create or replace function clock() returns timestamptz
            language sql volatile parallel restricted
            return coalesce(
              nullif(current_setting('callhopper.now', true), '')::timestamptz,
              (select moment from test_clock),
              clock_timestamp()
            )
            """
        )

    def set(self, moment: datetime | None) -> None:
        """Stand still at a moment; None runs with the real time again."""
        self._conn.execute("update test_clock set moment = %s", [moment])

    def advance(self, by: timedelta | float) -> datetime:
        """Move on by a length of time or by seconds; return the new time."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self._conn.execute("update test_clock set moment = clock() + %s", [step])
        return self.now()

    def now(self) -> datetime:
        row = self._conn.execute("select clock() as now").fetchone()
        assert row is not None
        now: datetime = row["now"]
        return now.astimezone(UTC)


@pytest.fixture
def clock(new_connection: Callable[[], PlainConnection]) -> Clock:
    """Stand the clock of the test's database still, at the present."""
    return Clock(new_connection())


@pytest.fixture
def settings() -> Settings:
    """Give the settings of `server` and `db`; a test file may override this fixture."""
    return Settings(
        listen="127.0.0.1:0",
        schema=SCHEMA,
        pool_size=4,
        report_pool_size=1,
        poll_interval=0.05,
        drain_delay=0.0,
        drain_grace=1.0,
    )


@pytest.fixture
async def db(database: str, settings: Settings) -> AsyncIterator[Database]:
    """Give an open Database."""
    db = Database(settings, database)
    await db.open(wait=10)
    yield db
    await db.close()


class Server:
    """A real server in this process, on a port of its own."""

    def __init__(self, app: App, port: int) -> None:
        self.app = app
        self.address = f"127.0.0.1:{port}"


@pytest.fixture
async def server(database: str, settings: Settings) -> AsyncIterator[Server]:
    """Start a server without its background loops: tests call their run_once."""
    app = App(settings, database, loops=[])
    yield Server(app, await app.start())
    await app.drain()
    await app.stop()


@pytest.fixture
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


class Stubs:
    """One stub a service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.campaigns = CampaignServiceStub(channel)
        self.contact_item_types = ContactItemTypeServiceStub(channel)
        self.contact_lists = ContactListServiceStub(channel)
        self.contacts = ContactServiceStub(channel)
        self.dialer = DialerServiceStub(channel)
        self.hopper = HopperServiceStub(channel)


@pytest.fixture
def stubs(channel: grpc.aio.Channel) -> Stubs:
    return Stubs(channel)


@pytest.fixture
def events() -> Iterator[list[Any]]:
    """Collect what is logged, as dictionaries."""
    with structlog.testing.capture_logs() as captured:
        yield captured
