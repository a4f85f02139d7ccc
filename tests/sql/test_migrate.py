"""The migration runner, and the promise that the readable schema equals all migrations."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from server.db import PlainConnection, connect
from server.migrate import (
    MIGRATIONS,
    MigrationError,
    apply_schema,
    load_migrations,
    migrate,
    status,
)

SCHEMA = "callhopper"

CATALOG = (Path(__file__).parent / "catalog.sql").read_bytes()
OURS = re.compile(r"\bschema_(migrations|checksum)(_pkey)?\b")


@pytest.fixture
def dsn(empty_database: str) -> str:
    return empty_database


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(**files: str) -> Path:
        for name, body in files.items():
            text = body if body.startswith("-- migrate:up") else f"-- migrate:up\n{body}\n"
            (tmp_path / f"{name.removeprefix('v')}.sql").write_text(text)
        return tmp_path

    return write


def tables(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("select tablename from pg_tables where schemaname = 'callhopper'")
        return {row[0] for row in rows} - {"schema_migrations", "schema_checksum"}


def catalog(conn: PlainConnection) -> list[str]:
    lines = [row["line"] for row in conn.execute(CATALOG)]
    return sorted(line for line in lines if not OURS.search(line))


def test_the_readable_schema_equals_all_migrations(dsn, conn):
    with connect(dsn, SCHEMA, "test") as fresh:
        apply_schema(fresh, SCHEMA)
        readable, migrated = catalog(fresh), catalog(conn)
    assert len(readable) > 100
    assert [line for line in readable if line not in migrated] == []
    assert [line for line in migrated if line not in readable] == []


def test_the_comparison_notices_every_kind_of_change(dsn):
    changes = [
        "alter table contact add column extra int",
        "alter table contact alter column created_at set default now()",
        "create index extra on contact (created_at)",
        "alter table contact add constraint extra check (true)",
        "create view extra_view as select 1 as one",
        "create function extra_function() returns int language sql return 1",
        "create domain extra_domain as int",
        "alter table contact set (fillfactor = 77)",
    ]
    with connect(dsn, SCHEMA, "test") as conn:
        apply_schema(conn, SCHEMA)
        for change in changes:
            before = catalog(conn)
            conn.execute(change.encode())
            assert catalog(conn) != before, change


def test_our_migrations_are_well_formed_for_dbmate():
    for file in load_migrations():
        text = (MIGRATIONS / file.name).read_text()
        assert text.rstrip().endswith("-- migrate:down"), file.name


def test_files_are_applied_in_order_once(dsn, write):
    folder = write(v0001_add_a="create table a (a int);", v0002_add_b="create table b (b int);")
    told: list[str] = []
    assert migrate(dsn, SCHEMA, folder, tell=told.append) == ["0001", "0002"]
    assert [line.split(" in ")[0] for line in told] == [
        "applied 0001_add_a.sql",
        "applied 0002_add_b.sql",
    ]
    assert migrate(dsn, SCHEMA, folder) == []
    write(v0003_drop_a="drop table a;")
    assert migrate(dsn, SCHEMA, folder) == ["0003"]
    assert tables(dsn) == {"b"}


def test_status_changes_nothing(dsn, write):
    folder = write(v0001_add_a="create table a (a int);")
    before = status(dsn, SCHEMA, folder)
    assert [file.version for file in before.pending] == ["0001"]
    with psycopg.connect(dsn) as conn:
        found = conn.execute("select to_regnamespace('callhopper')").fetchone()
    assert found == (None,)
    migrate(dsn, SCHEMA, folder)
    after = status(dsn, SCHEMA, folder)
    assert (after.applied, after.pending, after.problems) == (("0001",), (), ())


def test_an_edited_file_is_refused(dsn, write):
    folder = write(v0001_add_a="create table a (a int);")
    migrate(dsn, SCHEMA, folder)
    write(v0001_add_a="create table a (a bigint);", v0002_add_b="create table b (b int);")
    with pytest.raises(MigrationError, match=r"0001_add_a\.sql was edited after it was applied"):
        migrate(dsn, SCHEMA, folder)
    assert tables(dsn) == {"a"}


def test_a_missing_file_is_refused(dsn, write):
    folder = write(v0001_add_a="create table a (a int);", v0002_add_b="create table b (b int);")
    migrate(dsn, SCHEMA, folder)
    (folder / "0001_add_a.sql").unlink()
    with pytest.raises(MigrationError, match="migration 0001, whose file is missing"):
        migrate(dsn, SCHEMA, folder)


def test_a_file_out_of_order_is_refused(dsn, write):
    folder = write(v0002_add_b="create table b (b int);")
    migrate(dsn, SCHEMA, folder)
    write(v0001_add_a="create table a (a int);")
    with pytest.raises(MigrationError, match=r"0001_add_a\.sql must come after 0002"):
        migrate(dsn, SCHEMA, folder)


def test_an_older_program_leaves_a_newer_database_alone(dsn, write):
    folder = write(v0001_add_a="create table a (a int);", v0002_add_b="create table b (b int);")
    migrate(dsn, SCHEMA, folder)
    (folder / "0002_add_b.sql").unlink()
    assert migrate(dsn, SCHEMA, folder) == []
    assert status(dsn, SCHEMA, folder).ahead == ("0002",)


def test_a_wrong_file_names_its_line_and_leaves_nothing(dsn, write):
    folder = write(v0001_add_a="create table a (a int);\nselect missing\n  from nowhere;")
    with pytest.raises(MigrationError, match=r"0001_add_a\.sql line 4: .*nowhere"):
        migrate(dsn, SCHEMA, folder)
    assert tables(dsn) == set()
    assert status(dsn, SCHEMA, folder).applied == ()


def test_a_file_without_transaction_may_build_an_index_concurrently(dsn, write):
    folder = write(
        v0001_add_a="create table a (a int);",
        v0002_add_index="-- migrate:up transaction:false\ncreate index concurrently on a (a);\n",
    )
    assert migrate(dsn, SCHEMA, folder) == ["0001", "0002"]


def test_nothing_below_migrate_down_is_run(dsn, write):
    folder = write(v0001_add_a="create table a (a int);\n-- migrate:down\ndrop table a;")
    migrate(dsn, SCHEMA, folder)
    assert tables(dsn) == {"a"}


def test_many_runners_at_once_apply_each_file_once(dsn, write):
    folder = write(
        v0001_add_a="select pg_sleep(0.2); create table a (a int);",
        v0002_add_index="-- migrate:up transaction:false\ncreate index concurrently on a (a);\n",
    )
    applied: list[str] = []
    runners = [
        threading.Thread(target=lambda: applied.extend(migrate(dsn, SCHEMA, folder)))
        for _ in range(5)
    ]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert applied == ["0001", "0002"]


def test_a_lock_that_is_not_free_is_tried_again(dsn, write, monkeypatch):
    folder = write(v0001_add_a="create table a (a int);")
    migrate(dsn, SCHEMA, folder)
    write(v0002_change_a="set local lock_timeout = '50ms'; alter table a add column b int;")
    with psycopg.connect(dsn) as blocker:
        blocker.execute("lock table callhopper.a")

        def let_go(_seconds: float) -> None:
            blocker.rollback()

        monkeypatch.setattr("server.migrate.time.sleep", let_go)
        told: list[str] = []
        assert migrate(dsn, SCHEMA, folder, tell=told.append) == ["0002"]
    assert told[0] == "0002_change_a.sql: a lock is not free, trying again"


def test_what_dbmate_applied_is_adopted(dsn, write):
    folder = write(v0001_add_a="create table a (a int);")
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "create schema callhopper; set search_path = callhopper; create table a (a int);"
            "create table schema_migrations (version varchar(128) primary key);"
            "insert into schema_migrations values ('0001')"
        )
    assert migrate(dsn, SCHEMA, folder) == []
    write(v0001_add_a="create table a (a bigint);")
    assert status(dsn, SCHEMA, folder).problems


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("1_add_a", "-- migrate:up\n", "the name must be like"),
        ("0001_Add_a", "-- migrate:up\n", "the name must be like"),
        ("0001_add_a", "create table a (a int);", "the first line must be"),
        ("0001_add_a", "-- migrate:up transaction:maybe\n", "the first line must be"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path, name, text, message):
    (tmp_path / f"{name}.sql").write_text(text)
    with pytest.raises(MigrationError, match=message):
        load_migrations(tmp_path)


def test_two_files_with_one_number_are_refused(write):
    folder = write(v0001_add_a="select 1;", v0001_add_b="select 1;")
    with pytest.raises(MigrationError, match="has the same version"):
        load_migrations(folder)
