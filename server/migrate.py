"""Bring a database to the newest schema: forward only, one file after the other.

The files are `sql/migrations/NNNN_verb_noun.sql` in the format of dbmate: `-- migrate:up`, then
plain SQL, in one transaction, then an empty `-- migrate:down` (dbmate asks for it; we never go
back). `-- migrate:up transaction:false` is for the one statement that refuses a transaction, such
as `create index concurrently`. dbmate can apply the same folder: its table `schema_migrations` is
ours, and `schema_checksum` beside it notices files that were changed later.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from server.db import DatabaseError, LockTimeout, connect

if TYPE_CHECKING:
    from server.db import PlainConnection

SQL: Final = Path(__file__).parent / "sql"
MIGRATIONS: Final = SQL / "migrations"
SCHEMA: Final = SQL / "schema"
LOCK_TRIES: Final = 5
RUNNER_PATIENCE: Final = 60.0
"""Seconds to wait for another runner."""


class MigrationError(Exception):
    """Say why the database cannot be brought to the newest schema."""


@dataclass(frozen=True, slots=True)
class Migration:
    """Hold one file.

    Attributes:
        version: The digits before the first underscore.
        name: The name of the file.
        sql: What stands below `-- migrate:up`.
        sha256: Of the whole file, hexadecimal.
        transactional: Whether it runs in a transaction.
    """

    version: str
    name: str
    sql: str
    sha256: str
    transactional: bool


@dataclass(frozen=True, slots=True)
class Status:
    """Compare a database with the files.

    Attributes:
        applied: Versions that the database has, in order.
        pending: Files that it has not, in order. `callhopper migrate --check` fails when any.
        ahead: Versions newer than every file: a newer callhopper was here, which is allowed.
        problems: Sentences about files that were edited, removed or added out of order.
    """

    applied: tuple[str, ...]
    pending: tuple[Migration, ...]
    ahead: tuple[str, ...]
    problems: tuple[str, ...]


def load_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Read the files of a folder, in order.

    Raises:
        MigrationError: A name or header is malformed, or two files have one version.
    """
    found: dict[str, Migration] = {}
    for file in sorted(folder.glob("*.sql")):
        if not re.fullmatch(r"\d{4}_[a-z0-9]+(_[a-z0-9]+)+\.sql", file.name):
            raise MigrationError(f"{file.name}: the name must be like 0001_create_schema.sql")
        content = file.read_bytes()
        text = content.decode()
        header = re.match(r"\s*-- migrate:up(| transaction:false)[ \t]*\n", text)
        if not header:
            raise MigrationError(f"{file.name}: the first line must be `-- migrate:up`")
        version = file.name[:4]
        if version in found:
            raise MigrationError(f"{file.name}: {found[version].name} has the same version")
        body = re.split(
            r"^-- migrate:down\b", text[header.end() :], maxsplit=1, flags=re.MULTILINE
        )[0]
        # The blank lines stand for the header: PostgreSQL then counts lines as an editor does.
        found[version] = Migration(
            version=version,
            name=file.name,
            sql="\n" * text[: header.end()].count("\n") + body,
            sha256=hashlib.sha256(content).hexdigest(),
            transactional=not header[1],
        )
    return list(found.values())


def status(dsn: str, schema: str, folder: Path = MIGRATIONS) -> Status:
    """Compare a database with the files, without changing or locking anything.

    Raises:
        Unavailable: The database cannot be reached.
    """
    with connect(dsn, schema, "callhopper migrate") as conn:
        return _compare(conn, schema, load_migrations(folder))


def migrate(
    dsn: str,
    schema: str,
    folder: Path = MIGRATIONS,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Apply what is pending. Several runners may start at once: one works, the others wait.

    Args:
        dsn: A direct connection, not through a transaction pooler: the lock is the session's.
        schema: Made when it does not exist.
        folder: Where the files are.
        tell: Takes a line for people about every step.

    Returns:
        The versions applied now, in order; may be empty.

    Raises:
        MigrationError: Nothing, or not everything, was applied; the sentence says why.
        Unavailable: The database cannot be reached.
    """
    files = load_migrations(folder)
    with connect(dsn, schema, "callhopper migrate") as conn, _only_runner(conn, schema):
        create_schema(conn, schema)
        conn.execute(
            "create table if not exists schema_migrations (version varchar primary key)",
        )
        conn.execute(
            "create table if not exists schema_checksum (version varchar primary key, "
            "sha256 text not null, applied_at timestamptz not null default clock_timestamp())"
        )
        now = _compare(conn, schema, files)
        if now.problems:
            raise MigrationError("; ".join(now.problems))
        _adopt(conn, [file for file in files if file.version in now.applied])
        if now.ahead:
            tell(f"the database is newer than this program: it has {', '.join(now.ahead)}")
        for file in now.pending:
            started = time.monotonic()
            _apply(conn, file, tell)
            tell(f"applied {file.name} in {time.monotonic() - started:.2f} s")
        return [file.version for file in now.pending]


def create_schema(conn: "PlainConnection", schema: str) -> None:
    """Make the schema unless it exists.

    Asked first, because `create schema if not exists` needs the right to create one either way.
    """
    if conn.execute("select 1 where to_regnamespace(%s) is null", [schema]).fetchone():
        # Settings lets only lower-case names through, which need no quotes.
        conn.execute(f"create schema {schema}".encode())


def apply_schema(conn: "PlainConnection", schema: str, folder: Path = SCHEMA) -> None:
    """Apply the readable schema, schema/*.sql in order of file names, in one transaction.

    Only tests and people who edit the schema need it: it equals all migrations together.

    Raises:
        MigrationError: A file is wrong.
    """
    with conn.transaction():
        create_schema(conn, schema)
        for file in sorted(folder.glob("*.sql")):
            text = file.read_text("utf-8")
            with _naming(file.name, text):
                conn.execute(text.encode())


def _compare(conn: "PlainConnection", schema: str, files: Sequence[Migration]) -> Status:
    applied: dict[str, str | None] = {}
    if _has_table(conn, schema, "schema_migrations"):
        for row in conn.execute("select version from schema_migrations order by version"):
            applied[row["version"]] = None
    if _has_table(conn, schema, "schema_checksum"):
        for row in conn.execute("select version, sha256 from schema_checksum"):
            if row["version"] in applied:
                applied[row["version"]] = row["sha256"]
    versions = {file.version: file for file in files}
    newest_file = max(versions, default="")
    newest_applied = max((one for one in applied if one in versions), default="")
    pending = [file for file in files if file.version not in applied]
    problems = [
        f"{file.name} was edited after it was applied: undo that, and add a new file instead"
        for file in files
        if applied.get(file.version) not in (None, file.sha256)
    ]
    problems += [
        f"the database has migration {version}, whose file is missing"
        for version in applied
        if version not in versions and version < newest_file
    ]
    problems += [
        f"{file.name} must come after {newest_applied}, which was applied: give it a higher number"
        for file in pending
        if file.version < newest_applied
    ]
    ahead = tuple(version for version in applied if version > newest_file)
    return Status(tuple(applied), tuple(pending), ahead, tuple(problems))


def _has_table(conn: "PlainConnection", schema: str, table: str) -> bool:
    found = conn.execute("select 1 where to_regclass(%s) is not null", [f"{schema}.{table}"])
    return found.fetchone() is not None


def _adopt(conn: "PlainConnection", files: Sequence[Migration]) -> None:
    for file in files:  # applied by dbmate, which keeps no checksums
        _insert_checksum(conn, file)


def _insert_checksum(conn: "PlainConnection", file: Migration) -> None:
    conn.execute(
        "insert into schema_checksum (version, sha256) values (%s, %s) on conflict do nothing",
        [file.version, file.sha256],
    )


def _apply(conn: "PlainConnection", file: Migration, tell: Callable[[str], None]) -> None:
    for tries_left in reversed(range(LOCK_TRIES)):
        try:
            with _naming(file.name, file.sql):
                if file.transactional:
                    with conn.transaction():
                        conn.execute(file.sql.encode())
                        _insert_version(conn, file)
                else:
                    conn.execute(file.sql.encode())
                    _insert_version(conn, file)
        except _LockBusyError as error:
            if not tries_left or not file.transactional:
                raise MigrationError(f"{file.name}: a lock was not free: try again") from error
            # Waiting longer would make everybody queue behind us: let them through first.
            tell(f"{file.name}: a lock is not free, trying again")
            time.sleep(1)
        else:
            return


def _insert_version(conn: "PlainConnection", file: Migration) -> None:
    conn.execute("insert into schema_migrations (version) values (%s)", [file.version])
    _insert_checksum(conn, file)


class _LockBusyError(Exception):
    pass


@contextmanager
def _naming(name: str, text: str) -> Iterator[None]:
    """Turn what the database says into a sentence that names file and line."""
    try:
        yield
    except LockTimeout as error:
        raise _LockBusyError from error
    except DatabaseError as error:
        position = int(error.diag.statement_position or 0)
        line = f" line {text[:position].count(chr(10)) + 1}" if position else ""
        raise MigrationError(f"{name}{line}: {error.diag.message_primary or error}") from error


@contextmanager
def _only_runner(conn: "PlainConnection", schema: str) -> Iterator[None]:
    # Asked again and again rather than waited for: a waiting statement holds a snapshot, and
    # `create index concurrently` in the other runner would wait for it in turn.
    key = f"callhopper migrate {schema}"
    give_up_at = time.monotonic() + RUNNER_PATIENCE
    statement = "select pg_try_advisory_lock(hashtextextended(%s, 0)) as is_ours"
    while not conn.execute(statement, [key]).fetchone()["is_ours"]:  # type: ignore[index]
        if time.monotonic() > give_up_at:
            raise MigrationError("another migration is running: wait for it, then try again")
        time.sleep(0.1)
    conn.execute("set lock_timeout = '5s'")
    try:
        yield
    finally:
        if not conn.broken:
            conn.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [key])
