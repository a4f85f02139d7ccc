"""One installation under test: a database, servers, workers, and the log of the exchange."""

import os
import random
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import grpc
import psycopg

from callhopper.exchange import Event, read_log
from server.db import PlainConnection, connect
from tests.conftest import SCHEMA
from tests.factories import Factory
from tests.faults.judgement import Books, Judgement, Row, compare
from tests.faults.processes import PATIENCE, ServerProcess, WorkerProcess, until

STATUSES: Final = (
    *("no_answer", "busy", "congestion", "no_such_number", "drop", "abandoned", "machine"),
    "agent_reject",
)
AT_ONCE: Final[dict[str, Any]] = {
    "additional_phone_delay": "0 seconds",
    **{f"{status}_retry_interval": "0 seconds" for status in STATUSES},
}
"""Retry settings without any waiting."""
ENDLESS: Final[dict[str, Any]] = {
    **AT_ONCE,
    "global_max_attempts": 1000,
    **{f"{status}_max_attempts": 1000 for status in STATUSES},
}
"""Retry settings under which work does not run out, as long as nobody answers."""
NOBODY: Final = {"NO_ANSWER": 3, "BUSY": 2, "MACHINE": 1}
"""Chances of an exchange in which nobody answers."""
LOAD: Final[dict[str, Any]] = {
    "chances": NOBODY,
    "time_scale": 0.005,
    "concurrency": 8,
    "lease": 10,
}
"""A worker that places many short calls."""


def seeded() -> random.Random:
    """Return the chance of a run, and print its seed; CALLHOPPER_TEST_SEED repeats it."""
    seed = int(os.environ.get("CALLHOPPER_TEST_SEED") or random.SystemRandom().randrange(10**6))
    print(f"CALLHOPPER_TEST_SEED={seed}")  # noqa: T201 - pytest shows it beside a failure
    return random.Random(seed)


class Site:
    """Start processes on one database, and judge at the end what they did."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn = dsn
        self.folder = folder
        self.log = folder / "exchange.jsonl"
        self.log.touch()
        self.servers: list[ServerProcess] = []
        self.workers: list[WorkerProcess] = []
        self._names = count(1)
        self._connection: PlainConnection | None = None
        self._channels: list[grpc.Channel] = []

    # ------------------------------------------------------------------------------ database

    @property
    def connection(self) -> PlainConnection:
        """The test's own connection, a new one when the last was lost."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self.dsn, SCHEMA, "test")
        return self._connection

    def rows(self, query: str, *parameters: Any) -> list[Row]:
        """Read rows, once more when PostgreSQL was killed since the last time."""
        with suppress(psycopg.OperationalError):
            return [*self.connection.execute(query.encode(), parameters or None)]
        return [*self.connection.execute(query.encode(), parameters or None)]

    def count(self, table: str, condition: str = "true") -> int:
        [row] = self.rows(f"select count(*)::int as many from {table} where {condition}")
        return int(row["many"])

    def load(
        self,
        contacts: int,
        *,
        numbers: int = 1,
        originate_timeout: str = "1 s",
        quarantine: str = "1 s",
        **settings: Any,
    ) -> int:
        """Make a campaign whose contacts are due; return its id."""
        make = Factory(self.connection)
        with self.connection.transaction():
            contact_list = make.contact_list()
            for _ in range(contacts):
                make.contact(contact_list, additional=[(None, None)] * (numbers - 1))
            campaign = make.campaign(lists=[contact_list], **settings)
            self.time(campaign, originate_timeout, quarantine)
        return campaign

    def time(self, campaign: int, originate_timeout: str, quarantine: str) -> None:
        """Shorten how long a campaign's calls ring, and how long silent ones are held."""
        self.connection.execute(
            "update campaign set originate_timeout = %s, quarantine = %s where campaign_id = %s",
            [originate_timeout, quarantine, campaign],
        )

    # ------------------------------------------------------------------------------ processes

    def launch(self, dsn: str | None = None, environment: Mapping[str, str] = {}) -> ServerProcess:
        """Start a server without waiting for it."""
        output = self.folder / f"server-{next(self._names)}.out"
        self.servers.append(ServerProcess(dsn or self.dsn, output, environment=environment))
        return self.servers[-1]

    def serve(
        self, how_many: int = 1, dsn: str | None = None, environment: Mapping[str, str] = {}
    ) -> str:
        """Start servers, wait until all serve, and return the address for workers."""
        servers = [self.launch(dsn, environment) for _ in range(how_many)]
        return target(server.ready().port for server in servers)

    def restart(self, server: ServerProcess) -> ServerProcess:
        """Start a server again that has ended, on its port, without waiting for it."""
        self.servers[self.servers.index(server)] = again = server.again()
        return again

    def work(self, address: str, **settings: Any) -> WorkerProcess:
        name = f"worker-{next(self._names)}"
        self.workers.append(WorkerProcess(self.folder, name, address, self.log, **settings))
        return self.workers[-1]

    def channel(self, address: str) -> grpc.Channel:
        """Open a channel that tries everything once."""
        self._channels.append(grpc.insecure_channel(address, [("grpc.enable_retries", 0)]))
        return self._channels[-1]

    # ------------------------------------------------------------------------------ progress

    def events(self) -> list[Event]:
        return read_log(self.log)

    def originated(self) -> int:
        """Count the calls that were placed."""
        return self.log.read_bytes().count(b'{"event":"originate"')

    def goes_on(self, calls: int, within: float = PATIENCE) -> None:
        """Wait until so many further calls were placed."""
        goal = self.originated() + calls
        until(lambda: self.originated() >= goal, f"{calls} further calls", within)

    # ------------------------------------------------------------------------------ the end

    def close_down(self) -> Judgement:
        """Drain the workers, wait until every lease is settled, drain the servers, and judge."""
        alive = [worker for worker in self.workers if worker.is_running]
        for worker in alive:
            worker.terminate()
        codes = {worker.worker_id: worker.wait() for worker in alive}
        assert set(codes.values()) <= {0}, codes
        until(lambda: not self.count("attempt"), "every lease is settled")
        self.stop_servers()
        return self.judge()

    def stop_servers(self) -> None:
        serving = [server for server in self.servers if server.is_running]
        for server in serving:
            server.terminate()
        codes = [server.wait() for server in serving]
        assert set(codes) <= {0}, [server.last_words() for server in serving]
        until(lambda: not self._connected(), "the servers' connections are gone")
        complaints = [line for server in self.servers for line in server.complaints()]
        assert not complaints, complaints

    def _connected(self) -> list[Row]:
        return self.rows(
            "select pid from pg_stat_activity"
            " where datname = current_database() and application_name like 'callhopper %%'"
            " and %s",
            True,
        )

    def judge(self) -> Judgement:
        """Judge what happened so far; nothing may be under way."""
        books = Books(
            history=self.rows("select *, attempt_id::text as attempt_id from history"),
            released=self.rows("select *, attempt_id::text as attempt_id from released_attempt"),
            late=self.rows("select *, attempt_id::text as attempt_id from late_report"),
            broken_laws=self.rows("select * from conservation where not holds"),
            unsettled=self.rows("select * from attempt"),
            persons=self.persons(),
        )
        answers = [note for worker in self.workers for note in worker.notes("answer")]
        survivors = {worker.worker_id for worker in self.workers if worker.notes("stats")}
        return compare(self.events(), answers, survivors, books)

    def persons(self) -> dict[str, str]:
        """Return the person of each contact, by the contact's name (C1)."""
        rows = self.rows(
            "select 'contacts/' || contact_id as name,"
            " coalesce('key:' || person_key, 'contact:' || contact_id) as person"
            " from contact"
        )
        return {row["name"]: row["person"] for row in rows}

    def clear(self) -> None:
        """End whatever still runs, and close what the test opened."""
        for process in (*self.workers, *self.servers):
            process.kill()
        for channel in self._channels:
            channel.close()
        with suppress(psycopg.Error):
            self.connection.close()


def target(ports: Iterable[int]) -> str:
    """Return the gRPC target that stands for several servers of this machine."""
    return "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)


def assert_faultless(judgement: Judgement) -> None:
    assert not judgement.faults, f"\n{judgement}"
