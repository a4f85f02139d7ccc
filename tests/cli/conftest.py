"""The command line in this process, against a server in a thread of it, and as a process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import structlog
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from typer.testing import CliRunner

from server.__main__ import app
from server.cli.temporary import Serving
from server.settings import Settings

OURS = ("DATABASE_URL", "CALLHOPPER_ADDRESS", "CALLHOPPER_DATA")


@contextmanager
def serving(settings: Settings, dsn: str) -> Iterator[str]:
    # The server's log would otherwise stand in the standard output of the commands.
    with structlog.testing.capture_logs(), Serving(settings, dsn) as port:
        yield f"127.0.0.1:{port}"


@pytest.fixture
def address(database: str, settings: Settings) -> Iterator[str]:
    """Give the address of a server with a database of the test's own."""
    with serving(settings, database) as address:
        yield address


@pytest.fixture(scope="module")
def shared_address(cluster: str, template: str) -> Iterator[str]:
    """Give the address of a server for tests that change nothing."""
    with psycopg.connect(cluster, autocommit=True) as admin:
        name = Identifier(f"shared_{os.getpid()}")
        admin.execute(SQL("create database {} template {}").format(name, Identifier(template)))
        try:
            dsn = make_conninfo(cluster, dbname=f"shared_{os.getpid()}")
            with serving(Settings(listen="127.0.0.1:0", pool_size=2), dsn) as address:
                yield address
        finally:
            admin.execute(SQL("drop database {} with (force)").format(name))


class Ended:
    """What a command wrote, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


Run = Callable[..., Ended]


def runner(address: str) -> Run:
    def run(*words: object) -> Ended:
        result = CliRunner().invoke(
            app, [str(word) for word in words], env={"CALLHOPPER_ADDRESS": address}
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def run(address: str) -> Run:
    """Give a function that runs a command in this process, on a database of the test's own."""
    return runner(address)


@pytest.fixture
def ask(shared_address: str) -> Run:
    """Give a function that runs a command that changes nothing, on a shared database."""
    return runner(shared_address)


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process, without what would lead it to another database."""
    bare = {name: value for name, value in os.environ.items() if name not in OURS}
    return bare | {"CALLHOPPER_DRAIN_DELAY": "0"} | more


@pytest.fixture
def start(tmp_path: Any) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Give a function that starts the command as a process; those still running are killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: object, **more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", *map(str, words)],
            cwd=tmp_path,
            env=environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
