"""`serve`, `migrate` and `doctor`, as processes."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import grpc
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of PostgreSQL processes that work below a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str((entry / "cwd").readlink()).startswith(str(folder)):
                    found.append((entry / "cmdline").read_text())
            except OSError:
                continue
    return [line for line in found if line.startswith(("postgres", "/"))]


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("callhopper serves at 127.0.0.1:"), process.communicate()
    return line.split()[-1]


def url(dsn: str, password: str = "geheim") -> str:  # noqa: S107 - nobody checks it
    """Write a DSN with a password in it; the socket of the tests asks for none."""
    parts = conninfo_to_dict(dsn)
    user = parts.get("user", "postgres")
    return (
        f"postgresql://{user}:{password}@/{parts['dbname']}"
        f"?host={parts['host']}&port={parts.get('port', 5432)}"
    )


def test_serve_starts_a_database_answers_and_ends_on_sigterm_without_a_trace(start, tmp_path):
    data = tmp_path / "data"
    server = start("serve", "--listen", "127.0.0.1:0", CALLHOPPER_DATA=str(data))
    address = address_of(server)
    with grpc.insecure_channel(address) as channel:
        grpc.channel_ready_future(channel).result(timeout=10)
    listed = start("type", "list", "--json", CALLHOPPER_ADDRESS=address)
    assert json.loads(listed.communicate(timeout=30)[0]) == {"contact_item_types": []}
    assert processes_of(data)
    # The database of a running server can be checked beside it.
    checked = start("migrate", "--check", CALLHOPPER_DATA=str(data))
    assert checked.communicate(timeout=30)[0] == "up to date\n"

    server.send_signal(signal.SIGTERM)
    _, err = server.communicate(timeout=30)
    assert server.returncode == 0, err
    assert not processes_of(data)
    host, _, port = address.rpartition(":")
    with pytest.raises(ConnectionRefusedError), socket.create_connection((host, int(port))):
        pass


def test_serve_refuses_a_database_that_is_not_migrated(start, empty_database):
    server = start("serve", "--listen", "127.0.0.1:0", DATABASE_URL=empty_database)
    out, err = server.communicate(timeout=30)
    assert (server.returncode, out) == (1, "")
    assert "callhopper migrate" in err.splitlines()[-1]


@pytest.mark.parametrize("listen", ["nowhere", "127.0.0.1:99999", "0.0.0.0:1"])
def test_serve_refuses_an_address_in_one_line(start, listen):
    server = start("serve", "--listen", listen)
    out, err = server.communicate(timeout=30)
    assert (server.returncode, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert listen in err


def test_migrate_check_fails_until_migrate_has_run(start, empty_database):
    for words, code, said in (
        (("migrate", "--check"), 1, "lacks 0001"),
        (("migrate",), 0, "up to date: 1 migrations"),
        (("migrate", "--check"), 0, "up to date"),
        (("migrate",), 0, "up to date: 0 migrations"),
    ):
        process = start(*words, DATABASE_URL=empty_database)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, said in out + err) == (code, True), out + err
    with psycopg.connect(empty_database) as conn:
        assert conn.execute("select count(*) from callhopper.schema_migrations").fetchone() == (1,)


def test_migrate_check_makes_no_database(start, tmp_path):
    process = start("migrate", "--check", CALLHOPPER_DATA=str(tmp_path / "data"))
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert "no database" in err
    assert not (tmp_path / "data").exists()


@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="needs the socket of the embedded one")
def test_doctor_shows_settings_without_passwords_and_checks_the_database(start, database):
    words = {"DATABASE_URL": url(database), "CALLHOPPER_POOL_SIZE": "3"}
    process = start("doctor", **words)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1  # the database of the tests is fast, not durable
    assert "geheim" not in out + err
    assert ":***@" in out
    assert "a crash may lose reported calls" in out
    assert "PostgreSQL" in out
    assert "up to date" in out

    process = start("doctor", "--json", **words)
    out, err = process.communicate(timeout=30)
    assert "geheim" not in out + err
    told = json.loads(out)
    size = next(one for one in told["settings"] if one["variable"] == "CALLHOPPER_POOL_SIZE")
    assert (size["value"], size["source"]) == ("3", "environment")
    checks = {one["check"]: one["is_good"] for one in told["checks"]}
    assert set(checks) == {"database", "version", "durability", "time", "schema"}
    assert [name for name, is_good in checks.items() if is_good is False] == ["durability"]


def test_doctor_says_what_is_wrong(start, empty_database):
    process = start("doctor", DATABASE_URL=empty_database)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "callhopper migrate" in out
    process = start("doctor", DATABASE_URL="postgresql://me:geheim@127.0.0.1:1/db")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "cannot be reached" in out
    assert "geheim" not in out + err
