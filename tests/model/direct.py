"""Run the server's own code on one plain connection, without an event loop.

Nothing in a unit of work waits for anything but the database, so a coroutine whose every query is
answered before it returns runs from its first line to its last in one `send`. A whole run is one
transaction, which is rolled back at the end: each unit of work is a savepoint in it.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import psycopg

from server.db import (
    Connection,
    Constraints,
    Database,
    PlainConnection,
    Pool,
    Row,
    Transaction,
    connect,
    translate,
)
from server.loops.rescue import RescueLoop
from server.migrate import SCHEMA
from server.queries import QUERIES, load_queries
from server.services.campaign import CampaignService
from server.services.contact import ContactService
from server.services.contact_item_type import ContactItemTypeService
from server.services.context import Context
from server.services.dialer import DialerService
from server.services.hopper import HopperService
from server.settings import Settings

T = TypeVar("T")
BEGINNING = 1_767_607_200
"""The moment 0 of every run, as seconds since 1970: 2026-01-05 10:00 UTC."""


def drive(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing, and return its result."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the work waited for something else than the database")


class _Cursor:
    def __init__(self, cursor: psycopg.Cursor[Row]) -> None:
        self._cursor = cursor
        self.rowcount = cursor.rowcount

    async def fetchall(self) -> list[Row]:
        return self._cursor.fetchall()

    async def fetchmany(self, size: int) -> list[Row]:
        return self._cursor.fetchmany(size)


class _Connection:
    def __init__(self, connection: PlainConnection) -> None:
        self._connection = connection

    async def execute(self, query: bytes, params: Mapping[str, Any]) -> _Cursor:
        return _Cursor(self._connection.execute(query, params))


class Direct:
    """Stand in for server.db.Database, and give the services that work on it.

    Args:
        dsn: The database.
        schema: A schema made by `create_schema`.
        queries: The folder of named blocks.
    """

    def __init__(self, dsn: str, schema: str, queries: Path = QUERIES) -> None:
        self.settings = Settings()
        self.connection = connect(dsn, schema, "callhopper model test")
        self.connection.prepare_threshold = 0
        self._say("set plan_cache_mode = force_generic_plan; set synchronous_commit = off")
        self._queries = load_queries(queries)
        self._wrapped = cast("Connection", _Connection(self.connection))
        nobody_waits: Any = None
        context = Context(cast("Database", self), self.settings, nobody_waits)
        self.database = context.db
        self.campaigns = CampaignService(context)
        self.contacts = ContactService(context)
        self.item_types = ContactItemTypeService(context)
        self.dialer = DialerService(context)
        self.hopper = HopperService(context)

    def start(self) -> None:
        """Begin a run on empty tables."""
        self._say("rollback")
        self._say("begin")

    def close(self) -> None:
        """End the session."""
        self.connection.close()

    def set_clock(self, now: int) -> None:
        """Set the time of the database, in seconds since the beginning."""
        self.connection.execute(
            "select set_config('callhopper.now', to_timestamp(%s)::text, false)",
            [BEGINNING + now],
        )

    def row(self, query: str, params: Mapping[str, Any] | None = None) -> Row:
        """Return the only row of a query."""
        [row] = self.connection.execute(query.encode(), params).fetchall()
        return row

    def call(self, method: Callable[[Any, Any], Coroutine[Any, Any, T]], request: Any) -> T:
        """Call one method of a service."""
        return drive(method(request, None))

    def do(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run one unit of work."""
        return drive(self.run(work))

    def rescue(self) -> None:
        """Run the rescue loop once."""
        drive(RescueLoop(timedelta(seconds=1)).run_once(self.database, 100))

    async def run(
        self,
        work: Callable[[Transaction], Awaitable[T]],
        *,
        pool: Pool = "main",
        constraints: Constraints | None = None,
    ) -> T:
        """Do what Database.run does, once, in a savepoint."""
        self._say("savepoint work")
        try:
            result = await work(Transaction(self._wrapped, self._queries))
            self._say("set constraints all immediate")
        except psycopg.Error as error:
            self._say("rollback to savepoint work")
            meaning = (constraints or {}).get(error.diag.constraint_name or "")
            if meaning is None:
                raise
            raise translate(error, constraints or {}) from error
        except BaseException:
            self._say("rollback to savepoint work")
            raise
        self._say("release savepoint work; set constraints all deferred")
        return result

    def _say(self, statements: str) -> None:
        self.connection.execute(statements.encode(), prepare=False)


def create_schema(dsn: str, schema: str, folder: Path = SCHEMA) -> None:
    """Make a schema of the files of `folder`, in their order."""
    with connect(dsn, schema, "callhopper model test") as connection:
        connection.execute(f"create schema {schema}".encode())
        for file in sorted(folder.glob("*.sql")):
            connection.execute(file.read_bytes(), prepare=False)
