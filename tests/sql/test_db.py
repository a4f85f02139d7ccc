"""Transactions, retries, timeouts and errors of server/db.py, on a real database."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from server.db import Database, Transaction, call_deadline
from server.errors import (
    AlreadyExists,
    CallhopperError,
    Conflict,
    Internal,
    Overloaded,
    StatementTimeout,
    Unavailable,
)
from server.settings import Settings

BLOCKS = """
-- name: add_word :exec
-- Adds a word.
insert into word (word) values (%(word)s::text);

-- name: list_words :many
select word from word order by word;

-- name: find_word :one
select word, 100 %% 7 as remainder from word where word = %(word)s::text;

-- name: touch_word :exec
update word set touched = touched + 1 where word = %(word)s::text;

-- name: sleep :one
select pg_sleep(%(seconds)s::float8)::text as slept;

-- name: fail :one
select fail(%(state)s::text)::text as failed;

-- name: show_session :one
select
  current_setting('search_path') as search_path,
  current_setting('timezone') as timezone,
  current_setting('application_name') as application,
  current_setting('statement_timeout') as statement_timeout,
  pg_backend_pid() as pid;
"""

TABLES = """
create table word (
  word text primary key,
  touched int not null default 0,
  constraint word_is_short check (length(word) < 10)
);
create function fail(state text) returns void language plpgsql as
  $$ begin raise exception 'secret 12345678' using errcode = state; end $$;
create function end_session() returns trigger language plpgsql as
  $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
create table fatal (fatal int);
create constraint trigger fatal_at_commit after insert on fatal deferrable initially deferred
  for each row execute function end_session();
"""


@pytest.fixture
def admin(empty_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(empty_database, autocommit=True) as conn:
        conn.execute("create schema callhopper; set search_path = callhopper")
        conn.execute(TABLES.encode())
        yield conn


@pytest.fixture
def settings() -> Settings:
    return Settings(pool_size=2, report_pool_size=1, pool_timeout=0.3, lock_timeout=0.1)


@pytest.fixture
async def db(
    admin: psycopg.Connection, empty_database: str, settings: Settings, tmp_path: Path
) -> AsyncIterator[Database]:
    (tmp_path / "word.sql").write_text(BLOCKS)
    # Deadlocks are looked for at once, so that tests need not wait.
    db = Database(settings, f"{empty_database} options='-c deadlock_timeout=10ms'", tmp_path)
    await db.open(wait=10)
    yield db
    await db.close()


@pytest.fixture(autouse=True)
def no_deadline() -> Iterator[None]:
    token = call_deadline.set(None)
    yield
    call_deadline.reset(token)


def words(admin: psycopg.Connection) -> list[str]:
    return [row[0] for row in admin.execute("select word from word order by word")]


def terminate_all(admin: psycopg.Connection) -> None:
    admin.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid() "
        "and backend_type = 'client backend'"
    )


async def test_a_session_is_ours(db):
    row = await db.run(lambda tx: tx.one("show_session"))
    assert row["search_path"] == "callhopper"
    assert row["timezone"] == "UTC"
    assert row["application"] == "callhopper main"
    assert row["statement_timeout"] == "30s"


async def test_a_transaction_is_committed_at_its_end(db, admin):
    async def work(tx: Transaction) -> int:
        await tx.execute("add_word", word="one")
        return await tx.execute("add_word", word="two")

    assert await db.run(work) == 1
    assert words(admin) == ["one", "two"]


async def test_an_exception_takes_everything_back(db, admin):
    async def work(tx: Transaction) -> None:
        await tx.execute("add_word", word="one")
        raise LookupError

    with pytest.raises(LookupError):
        await db.run(work)
    assert words(admin) == []


async def test_rows_come_as_the_kind_of_the_block_says(db):
    async with db.transaction() as tx:
        assert await tx.many("list_words") == []
        assert await tx.one("find_word", word="one") is None
        assert await tx.execute("touch_word", word="one") == 0
        await tx.execute("add_word", word="one")
        assert await tx.one("find_word", word="one") == {"word": "one", "remainder": 2}


@pytest.mark.parametrize("params", [{}, {"word": "one", "more": 1}, {"wrod": "one"}])
async def test_wrong_parameters_are_a_mistake_of_ours(db, params):
    with pytest.raises(TypeError, match="find_word is :one with"):
        await db.run(lambda tx: tx.one("find_word", **params))


async def test_a_wrong_kind_is_a_mistake_of_ours(db):
    with pytest.raises(TypeError, match="list_words is :many"):
        await db.run(lambda tx: tx.one("list_words"))


async def test_copy_writes_rows(db, admin):
    async with db.transaction() as tx, tx.copy("word", ["word", "touched"]) as copy:
        await copy.write_row(("one", 1))
        await copy.write_row(("two", 2))
    assert words(admin) == ["one", "two"]


async def test_a_deadlock_is_run_again(db, admin, settings):
    admin.execute("insert into word values ('a'), ('b')")
    arrived = asyncio.Barrier(2)
    runs = 0

    async def touch(tx: Transaction, first: str, second: str) -> None:
        nonlocal runs
        runs += 1
        await tx.connection.execute("set local lock_timeout = 0")
        await tx.execute("touch_word", word=first)
        if runs <= 2:
            await arrived.wait()
        await tx.execute("touch_word", word=second)

    await asyncio.gather(
        db.run(lambda tx: touch(tx, "a", "b")), db.run(lambda tx: touch(tx, "b", "a"))
    )
    assert runs == 3
    touched = admin.execute("select touched from word").fetchall()
    assert touched == [(2,), (2,)]


class Failing:
    """Work that fails with a SQLSTATE and counts its runs."""

    def __init__(self, state: str, times: int = 1000) -> None:
        self.state, self.times, self.runs = state, times, 0

    async def __call__(self, tx: Transaction) -> str:
        self.runs += 1
        await tx.execute("add_word", word=f"run {self.runs}")
        if self.runs <= self.times:
            await tx.one("fail", state=self.state)
        return "done"


async def test_a_serialization_failure_is_run_again_from_the_start(db, admin):
    work = Failing("40001", times=2)
    assert await db.run(work) == "done"
    assert words(admin) == ["run 3"]


async def test_four_failures_are_a_conflict(db):
    work = Failing("40001")
    with pytest.raises(Conflict):
        await db.run(work)
    assert work.runs == 4


async def test_nothing_is_run_again_when_the_deadline_leaves_no_time(db):
    work = Failing("40001")
    call_deadline.set(time.monotonic() + 0.055)
    with pytest.raises((Conflict, StatementTimeout)):
        await db.run(work)
    assert work.runs < 4


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("57014", StatementTimeout),
        ("55P03", Conflict),
        ("53100", Unavailable),
        ("53200", Overloaded),
        ("53300", Overloaded),
        ("57P01", Unavailable),
        ("57P03", Unavailable),
        ("08006", Unavailable),
        ("25006", Unavailable),
        ("22012", Internal),
        ("42P01", Internal),
        ("P0001", Internal),
        ("XX000", Internal),
    ],
)
async def test_other_failures_run_once_and_keep_their_text(db, state, error):
    work = Failing(state)
    with pytest.raises(error) as caught:
        await db.run(work)
    assert work.runs == 1
    assert "secret" not in str(caught.value)
    if error in {Conflict, Unavailable, Overloaded}:
        assert caught.value.retry_after > 0


async def test_a_statement_is_stopped_before_the_deadline_and_not_run_again(db, admin):
    runs = 0

    async def work(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await tx.one("sleep", seconds=30)

    deadline = time.monotonic() + 0.3
    call_deadline.set(deadline)
    with pytest.raises(StatementTimeout):
        await db.run(work)
    assert time.monotonic() < deadline
    assert runs == 1
    assert sleepers(admin) == 0


async def test_without_time_nothing_is_sent(db):
    call_deadline.set(time.monotonic() + 0.04)
    with pytest.raises(StatementTimeout):
        await db.run(lambda tx: tx.many("list_words"))


async def test_a_lock_that_is_not_free_is_a_conflict_and_not_run_again(db, admin):
    admin.execute("insert into word values ('a')")
    runs = 0

    async def work(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await tx.execute("touch_word", word="a")

    with admin.transaction():
        admin.execute("select from word for update")
        with pytest.raises(Conflict) as caught:
            await db.run(work)
    assert runs == 1
    assert caught.value.retry_after == 0.5


async def test_a_connection_killed_in_a_transaction_is_unavailable_and_not_run_again(db, admin):
    runs = 0

    async def work(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await tx.execute("add_word", word="one")
        terminate_all(admin)
        await tx.execute("add_word", word="two")

    with pytest.raises(Unavailable) as caught:
        await db.run(work)
    assert caught.value.retry_after == 1.0
    assert runs == 1
    assert words(admin) == []
    assert await db.run(lambda tx: tx.execute("add_word", word="three")) == 1


async def test_a_connection_lost_at_the_commit_is_never_run_again(db):
    runs = 0

    async def work(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await tx.connection.execute("insert into fatal values (1)")

    with pytest.raises(Unavailable):
        await db.run(work)
    assert runs == 1


async def test_connections_that_died_while_idle_go_unnoticed(db, admin):
    for _ in range(3):
        terminate_all(admin)
        assert await db.run(lambda tx: tx.many("list_words")) == []


async def test_a_violated_constraint_means_what_the_service_says(db):
    await db.run(lambda tx: tx.execute("add_word", word="one"))
    error = AlreadyExists("the word exists")
    with pytest.raises(AlreadyExists) as caught:
        await db.run(
            lambda tx: tx.execute("add_word", word="one"), constraints={"word_pkey": error}
        )
    assert caught.value is error


async def test_any_other_violation_is_internal_and_quotes_no_row(db):
    with pytest.raises(Internal) as caught:
        await db.run(
            lambda tx: tx.execute("add_word", word="geheim 12345"),
            constraints={"word_pkey": AlreadyExists("the word exists")},
        )
    assert "geheim" not in str(caught.value)


async def test_our_own_sqlstate_may_stand_among_the_constraints(db):
    with pytest.raises(AlreadyExists):
        await db.run(Failing("C0001"), constraints={"C0001": AlreadyExists("no")})


async def test_a_cancelled_call_cancels_its_query_and_returns_the_connection(db, admin):
    task = asyncio.create_task(db.run(lambda tx: tx.one("sleep", seconds=30)))
    await until(lambda: sleepers(admin) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sleepers(admin) == 0
    assert db.pool_stats()["main"]["lent"] == 0
    assert await db.run(lambda tx: tx.many("list_words")) == []


async def test_a_busy_pool_refuses_and_reports_still_get_through(db, admin):
    busy = [asyncio.create_task(db.run(lambda tx: tx.one("sleep", seconds=30))) for _ in range(2)]
    await until(lambda: sleepers(admin) == 2)
    with pytest.raises(Overloaded) as caught:
        await db.run(lambda tx: tx.many("list_words"))
    assert caught.value.retry_after == 0.5
    assert await db.run(lambda tx: tx.many("list_words"), pool="report") == []
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_database_that_is_not_there_is_unavailable(settings, tmp_path):
    db = Database(settings, f"host={tmp_path} dbname=none", tmp_path)
    await db.open()
    try:
        with pytest.raises(Unavailable) as caught:
            await db.run(lambda tx: tx.many("list_words"))
        assert str(tmp_path) not in str(caught.value)
    finally:
        await db.close()


async def test_a_swallowed_error_cannot_be_committed(db, admin):
    async def work(tx: Transaction) -> None:
        await tx.execute("add_word", word="one")
        with suppress(psycopg.Error):
            await tx.one("fail", state="P0001")

    with pytest.raises(RuntimeError, match="swallowed"):
        await db.run(work)
    assert words(admin) == []


async def test_an_error_of_the_service_passes_unchanged(db):
    error = CallhopperError.__new__(Conflict)
    with pytest.raises(Conflict) as caught:
        async with db.transaction():
            raise error
    assert caught.value is error


def sleepers(admin: psycopg.Connection) -> int:
    found = admin.execute(
        "select count(*) from pg_stat_activity where state = 'active' "
        "and datname = current_database() and query like '%pg_sleep%' and pid <> pg_backend_pid()"
    ).fetchone()
    assert found
    return int(found[0])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - another process sets it
            await asyncio.sleep(0.01)
