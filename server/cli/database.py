"""Reach the database of the settings, running or not, and examine it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from server import migrate as migrations
from server.cli.failures import ExitCode, Failure
from server.db import PlainConnection, connect
from server.embedded import PORT, DataDirInUseError, EmbeddedPostgres
from server.errors import Unavailable
from server.settings import Settings, mask_secrets

OLDEST: Final = 150_000
"""As in server_version_num."""
CLOCKS_APART: Final = 5.0
"""Seconds between two clocks that are worth a word."""


@dataclass(frozen=True, slots=True)
class Check:
    """Say what `doctor` found; `is_good` is None for a remark."""

    check: str
    is_good: bool | None
    found: str


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a database can refuse into failures of a command."""
    try:
        yield
    except migrations.MigrationError as error:
        raise Failure(str(error)) from error
    except Unavailable as error:
        raise Failure(_cause(error), ExitCode.UNREACHABLE) from error


def _cause(error: Unavailable) -> str:
    said = mask_secrets(str(error.__cause__ or error)).strip().splitlines()
    return f"the database cannot be reached: {said[0] if said else error}"


@contextmanager
def database(settings: Settings, *, only_existing: bool = False) -> Iterator[str]:
    """Give the DSN of the database, starting the embedded one unless it runs."""
    if settings.database_url:
        yield settings.database_url
        return
    postgres = EmbeddedPostgres(settings.data_dir)
    if only_existing and not postgres.cluster.exists():
        raise Failure(
            f"there is no database in {postgres.data_dir} yet: `callhopper serve` makes one"
        )
    try:
        postgres.start()
    except DataDirInUseError:
        yield _running_dsn(postgres.cluster)
        return
    try:
        yield postgres.dsn
    finally:
        postgres.stop()


def _running_dsn(cluster: Path) -> str:
    """Return the DSN of a server that another process runs: line 5 is its socket's folder."""
    lines = (cluster / "postmaster.pid").read_text().splitlines()
    return f"host={lines[4]} port={PORT} user=postgres dbname=postgres"


def schema_problem(status: migrations.Status) -> str:
    """Say why a schema is not up to date; empty when it is."""
    if status.problems:
        return "; ".join(status.problems)
    if status.pending:
        names = ", ".join(one.name for one in status.pending)
        return f"the database lacks {names}: run `callhopper migrate`"
    return ""


def examine(settings: Settings) -> list[Check]:
    """Check the database; stops at the first thing without which the rest makes no sense."""
    try:
        with database(settings, only_existing=True) as dsn:
            with connect(dsn, settings.schema, "callhopper doctor") as connection:
                checks = [Check("database", is_good=True, found="reachable"), *_server(connection)]
            status = migrations.status(dsn, settings.schema)
            problem = schema_problem(status)
            found = problem or f"up to date ({status.applied[-1]})"
            return [*checks, Check("schema", not problem, found)]
    except Unavailable as error:
        return [Check("database", is_good=False, found=_cause(error))]
    except Failure as failure:
        return [Check("database", is_good=None, found=str(failure))]


def _server(connection: PlainConnection) -> list[Check]:
    asked = datetime.now(UTC)
    row: Any = connection.execute(
        "select current_setting('server_version') as version,"
        " current_setting('server_version_num')::int as number,"
        " current_setting('synchronous_commit') as commits,"
        " current_setting('fsync') as syncs,"
        " clock_timestamp() as moment"
    ).fetchone()
    is_safe = row["commits"] != "off" and row["syncs"] == "on"
    durability = f"synchronous_commit {row['commits']}, fsync {row['syncs']}"
    apart = (row["moment"] - asked).total_seconds()
    time = f"{row['moment'].astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if abs(apart) > CLOCKS_APART:
        time += f", {apart:+.0f} s from this machine's; the database's decides"
    return [
        Check("version", row["number"] >= OLDEST, f"PostgreSQL {row['version']} (15 or newer)"),
        Check(
            "durability",
            is_good=is_safe,
            found=durability if is_safe else f"{durability}: a crash may lose reported calls",
        ),
        Check("time", is_good=True if abs(apart) <= CLOCKS_APART else None, found=time),
    ]
