"""A PostgreSQL that tests may kill, with fsync on, and a site on a database of its own."""

import os
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from server.embedded import EmbeddedPostgres
from server.migrate import migrate
from tests.conftest import SCHEMA
from tests.faults.site import Site

TEMPLATE = "faults_template"
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """Start an embedded PostgreSQL, whatever DATABASE_URL says: that one may not be killed."""
    binaries = os.environ.get("CALLHOPPER_TEST_PG_BIN")
    with tempfile.TemporaryDirectory(prefix="callhopper-faults-") as folder:
        bin_dir = Path(binaries) if binaries else None
        with EmbeddedPostgres(Path(folder) / "pg", bin_dir=bin_dir, settings=DURABLE) as postgres:
            with psycopg.connect(postgres.dsn, autocommit=True) as admin:
                admin.execute(SQL("create database {}").format(Identifier(TEMPLATE)))
            migrate(make_conninfo(postgres.dsn, dbname=TEMPLATE), SCHEMA)
            yield postgres


@pytest.fixture
def site(postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Site]:
    """Give an installation without processes; whatever still runs at the end is killed."""
    name = Identifier(f"faults_{next(_numbers)}")
    template = Identifier(TEMPLATE)
    with psycopg.connect(postgres.dsn, autocommit=True) as admin:
        admin.execute(SQL("create database {} template {}").format(name, template))
    site = Site(make_conninfo(postgres.dsn, dbname=name.as_string().strip('"')), tmp_path)
    try:
        yield site
    finally:
        site.clear()
        # Not the connection of before: the test may have killed PostgreSQL.
        with psycopg.connect(postgres.dsn, autocommit=True) as admin:
            admin.execute(SQL("drop database {} with (force)").format(name))
