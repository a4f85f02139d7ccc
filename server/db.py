"""Run named SQL in transactions; the only module that knows the database driver.

A unit of work is one transaction: `await db.run(work)`, where `work` takes a `Transaction`. It runs
again from the start after a serialization failure, a deadlock, or when the connection failed before
anything was sent, so `work` must change nothing but the database. Everything else reaches the
caller as an error of `server.errors`; texts of the database, which quote row values, never do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import psycopg
import psycopg.conninfo
import psycopg_pool
import tenacity
from psycopg import errors as sqlstate
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from server.errors import (
    CallhopperError,
    Conflict,
    Internal,
    Overloaded,
    StatementTimeout,
    Unavailable,
)
from server.queries import QUERIES, Query, load_queries
from server.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
Row = dict[str, Any]
Connection = psycopg.AsyncConnection[Row]
PlainConnection = psycopg.Connection[Row]
Pool = Literal["main", "report"]
Constraints = Mapping[str, CallhopperError]
"""What the violation of a named constraint means to the caller."""

ANSWER_RESERVE: Final = 0.05
"""Seconds kept back, so that the client gets our error and not its own deadline."""
TRIES: Final = 4

call_deadline: ContextVar[float | None] = ContextVar("call_deadline", default=None)
"""When the call under way must be answered (time.monotonic()); None outside calls."""


class Transaction:
    """Run named blocks inside one transaction.

    Attributes:
        connection: The driver's connection, for what no block can say.
    """

    __slots__ = ("_queries", "connection")

    def __init__(self, connection: Connection, queries: Mapping[str, Query]) -> None:
        self.connection = connection
        self._queries = queries

    async def many(self, name: str, /, **params: Any) -> list[Row]:
        """Return all rows of a `:many` block, in its order; may be empty."""
        return await (await self._execute(name, "many", params)).fetchall()

    async def one(self, name: str, /, **params: Any) -> Row | None:
        """Return the row of a `:one` block, or None when there is none.

        Raises:
            RuntimeError: The block returned several rows.
        """
        rows = await (await self._execute(name, "one", params)).fetchmany(2)
        if len(rows) > 1:
            raise RuntimeError(f"{name} returned several rows")
        return rows[0] if rows else None

    async def execute(self, name: str, /, **params: Any) -> int:
        """Run an `:exec` block and return how many rows it touched."""
        return (await self._execute(name, "exec", params)).rowcount

    @asynccontextmanager
    async def copy(self, table: str, columns: list[str]) -> AsyncIterator[psycopg.AsyncCopy]:
        """Stream rows into a table; the block writes with `write` or `write_row`.

        Args:
            table: A table of our schema.
            columns: Its columns, in the order of the rows that follow.
        """
        statement = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        async with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy

    async def _execute(
        self, name: str, kind: str, params: dict[str, Any]
    ) -> psycopg.AsyncCursor[Row]:
        query = self._queries[name]
        if query.kind != kind or query.parameters != params.keys():
            raise TypeError(
                f"{name} is :{query.kind} with {sorted(query.parameters)}, "
                f"not :{kind} with {sorted(params)}"
            )
        return await self.connection.execute(query.sql.encode(), params)


DatabaseError = psycopg.Error
"""What a program for administrators catches, to show them what the database said."""
LockTimeout = sqlstate.LockNotAvailable


class Database:
    """Own the connections: a main pool, and a small one that only reports of outcomes use."""

    def __init__(
        self, settings: Settings, dsn: str | None = None, queries: "Path" = QUERIES
    ) -> None:
        """Prepare, without connecting.

        Args:
            settings: Sizes, timeouts and the name of the schema.
            dsn: Where the database is; settings.database_url when None.
            queries: The folder of named blocks.
        """
        address = dsn or settings.database_url
        if not address:
            raise ValueError("a database needs a DSN")
        self.settings = settings
        self.queries = load_queries(queries)
        self._dsn = address
        self._lent: dict[Pool, int] = {"main": 0, "report": 0}
        self._forgotten_at: dict[Pool, float] = {"main": 0.0, "report": 0.0}
        self._pools: dict[Pool, psycopg_pool.AsyncConnectionPool[Connection]] = {
            "main": self._new_pool("main", settings.pool_size),
            "report": self._new_pool("report", settings.report_pool_size),
        }

    async def open(self, *, wait: float | None = None) -> None:
        """Start connecting; with `wait`, be connected within that many seconds.

        Raises:
            Unavailable: The database did not answer in time.
        """
        for pool in self._pools.values():
            await pool.open()
        if wait is not None:
            try:
                for pool in self._pools.values():
                    await pool.wait(wait)
            except psycopg_pool.PoolTimeout as error:
                await self.close()
                raise Unavailable("the database did not answer in time") from error

    async def close(self) -> None:
        """Close all connections; calls that still wait for one are refused."""
        for pool in self._pools.values():
            await pool.close()

    def pool_stats(self) -> dict[str, dict[str, int]]:
        """Return the driver's counters by pool, and `lent`: connections in use now."""
        return {
            name: {**pool.get_stats(), "lent": self._lent[name]}
            for name, pool in self._pools.items()
        }

    @asynccontextmanager
    async def transaction(
        self, *, pool: Pool = "main", constraints: Constraints | None = None
    ) -> AsyncIterator[Transaction]:
        """Open one transaction: committed at the end of the block, rolled back on any exception.

        Nothing is retried; prefer `run`. For the arguments and errors see there.
        """
        try:
            async with self._transaction(pool) as tx:
                yield tx
        except (psycopg.Error, _NothingSentError) as error:
            raise translate(error, constraints or {}) from error

    async def run(
        self,
        work: Callable[[Transaction], Awaitable[T]],
        *,
        pool: Pool = "main",
        constraints: Constraints | None = None,
    ) -> T:
        """Run `work` in one transaction and return its result, after the commit.

        Args:
            work: May run several times, each time in a new transaction.
            pool: `report` takes the reserved connections.
            constraints: The error for the violation of each named constraint; others are Internal.

        Raises:
            Conflict: Serialization failures or deadlocks in all tries, or a lock was not free.
            StatementTimeout: The deadline of the call or the longest statement time was over.
            Unavailable: No connection, or it was lost. Lost at the commit, the outcome is unknown.
            Overloaded: All connections stayed busy, or the database has no room left.
            Internal: Any other refusal of the database.
            CallhopperError: Whatever `work` or `constraints` say.
        """
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_may_run_again),
            stop=_stop_at(TRIES, call_deadline.get()),
            wait=tenacity.wait_random_exponential(multiplier=0.02, max=0.5),
            sleep=asyncio.sleep,
            reraise=True,
        )

        async def attempt() -> T:
            async with self._transaction(pool) as tx:
                return await work(tx)

        try:
            return await retrying(attempt)
        except (psycopg.Error, _NothingSentError) as error:
            raise translate(error, constraints or {}) from error

    @asynccontextmanager
    async def _transaction(self, name: Pool) -> AsyncIterator[Transaction]:
        pool = self._pools[name]
        async with AsyncExitStack() as stack:
            wait = min(self.settings.pool_timeout, self._budget())
            try:
                connection = await stack.enter_async_context(pool.connection(timeout=wait))
            except (psycopg_pool.PoolTimeout, psycopg_pool.TooManyRequests) as error:
                if self._lent[name] >= pool.max_size:
                    raise Overloaded from error
                raise Unavailable from error
            self._lent[name] += 1
            stack.callback(self._count_return, name)
            # The simple protocol takes all of it in one round trip.
            limits = (self._budget() * 1000, self.settings.lock_timeout * 1000)
            begin = b"begin; set local statement_timeout = %d; set local lock_timeout = %d" % limits
            try:
                await connection.execute(begin, prepare=False)
            except psycopg.OperationalError as error:
                if connection.broken:
                    await self._forget_connections(name)
                    raise _NothingSentError from error
                raise
            yield Transaction(connection, self.queries)
            if connection.pgconn.transaction_status == TransactionStatus.INERROR:
                # COMMIT would be answered by ROLLBACK, without an error.
                raise RuntimeError("the error of a statement was swallowed inside its transaction")
            await connection.commit()

    def _budget(self) -> float:
        """Return the seconds that the database may still use.

        Four seconds before the deadline, with a statement timeout of 30 s: 3.95.

        Raises:
            StatementTimeout: There are none left.
        """
        limit = self.settings.statement_timeout
        deadline = call_deadline.get()
        if deadline is not None:
            limit = min(limit, deadline - monotonic() - ANSWER_RESERVE)
        if limit < 0.001:  # noqa: PLR2004 - to PostgreSQL 0 ms means: no limit
            raise StatementTimeout
        return limit

    async def _forget_connections(self, name: Pool) -> None:
        # One dead connection suggests a restarted server and a pool full of dead ones: without
        # this, each try would take the next of them. At most once a second, so that calls which
        # fail together do not throw away the fresh ones.
        if monotonic() - self._forgotten_at[name] > 1:
            self._forgotten_at[name] = monotonic()
            await self._pools[name].drain()

    def _count_return(self, name: Pool) -> None:
        self._lent[name] -= 1

    def _new_pool(self, name: Pool, size: int) -> psycopg_pool.AsyncConnectionPool[Connection]:
        settings = self.settings
        return psycopg_pool.AsyncConnectionPool(
            connection_info(self._dsn, settings.schema, f"callhopper {name}", settings),
            connection_class=psycopg.AsyncConnection[Row],
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                "prepare_threshold": settings.prepare_threshold or None,
            },
            configure=_insist_on_durable_commits,
            min_size=min(2, size),
            max_size=size,
            max_waiting=settings.pool_waiting,
            name=name,
            open=False,
            timeout=settings.pool_timeout,
        )


async def _insist_on_durable_commits(connection: Connection) -> None:
    # A begin that a crash of the database forgets would let a ringing phone be dialed again (D2).
    # Stricter settings, such as remote_apply, stay.
    await connection.execute(
        "select set_config('synchronous_commit', 'on', false)"
        " where current_setting('synchronous_commit') in ('off', 'local')"
    )


class _NothingSentError(Exception):
    """The connection failed before the transaction had begun: running again is safe."""


def translate(error: Exception, constraints: Constraints) -> CallhopperError:
    """Say what an error of the database means to the caller, without a word of its text.

    Args:
        error: What the driver raised.
        constraints: What the violation of a constraint means, by its name; our own SQLSTATEs,
            raised by functions, may stand among the names.
    """
    diagnosis = error.diag if isinstance(error, psycopg.Error) else None
    for name in (diagnosis.constraint_name, diagnosis.sqlstate) if diagnosis else ():
        if name is not None and name in constraints:
            return constraints[name]
    for kinds, meaning in _MEANINGS:
        if isinstance(error, kinds):
            return meaning()
    if isinstance(error, psycopg.OperationalError) and _is_lost(error.sqlstate):
        return Unavailable()
    return Internal()


_MEANINGS: Final[tuple[tuple[tuple[type[Exception], ...], Callable[[], CallhopperError]], ...]] = (
    ((sqlstate.QueryCanceled,), StatementTimeout),
    ((sqlstate.LockNotAvailable,), lambda: Conflict("a lock was not free", retry_after=0.5)),
    ((sqlstate.SerializationFailure, sqlstate.DeadlockDetected), Conflict),
    ((sqlstate.TooManyConnections, sqlstate.OutOfMemory), Overloaded),
    ((sqlstate.DiskFull,), lambda: Unavailable("the database has no room", retry_after=5.0)),
    # After a failover the old primary's address may lead to a standby for a while.
    ((sqlstate.ReadOnlySqlTransaction, _NothingSentError), Unavailable),
)


def _is_lost(state: str | None) -> bool:
    return state is None or state.startswith(("08", "57P"))


def _may_run_again(error: BaseException) -> bool:
    # Not OperationalError: statement and lock timeouts are among its subclasses.
    again = (sqlstate.SerializationFailure, sqlstate.DeadlockDetected, _NothingSentError)
    return isinstance(error, again)


def _stop_at(tries: int, deadline: float | None) -> Callable[[tenacity.RetryCallState], bool]:
    def stop(state: tenacity.RetryCallState) -> bool:
        if state.attempt_number >= tries:
            return True
        begins = monotonic() + state.upcoming_sleep
        return deadline is not None and begins >= deadline - ANSWER_RESERVE

    return stop


def connection_info(
    dsn: str, schema: str, application: str, settings: Settings | None = None
) -> str:
    """Add to a DSN what every connection of ours has: search_path, time zone, name, keepalives.

    Args:
        dsn: Any form that libpq takes; its own `options` are kept and come first.
        schema: The only schema in the search path.
        application: Shown in pg_stat_activity.
        settings: Adds the plan cache mode.
    """
    given = psycopg.conninfo.conninfo_to_dict(dsn)
    options = [
        f"-c search_path={schema}",
        "-c timezone=UTC",
        "-c jit=off",
        "-c idle_in_transaction_session_timeout=60s",
    ]
    if settings:
        options.append(f"-c plan_cache_mode={settings.plan_cache_mode}")
    defaults = {"connect_timeout": 5, "keepalives_idle": 30, "tcp_user_timeout": 30_000}
    ours = {"options": " ".join([str(given.get("options") or ""), *options]).strip()}
    merged: dict[str, Any] = {**defaults, **given, **ours, "application_name": application}
    return psycopg.conninfo.make_conninfo(**merged)


def connect(dsn: str, schema: str, application: str) -> PlainConnection:
    """Open one plain connection, for programs that do nothing else meanwhile (migrations, tests).

    Autocommit is on.

    Raises:
        Unavailable: The database cannot be reached; the cause has the driver's words.
    """
    try:
        return psycopg.connect(
            connection_info(dsn, schema, application), autocommit=True, row_factory=dict_row
        )
    except psycopg.OperationalError as error:
        raise Unavailable from error
