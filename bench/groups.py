"""What is measured, in groups of contestants that run in turns.

Each group is a context manager: it makes what its contestants share, and gives them.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final

from bench import databases
from bench.databases import SCHEMA, Cluster
from bench.drivers import Job
from bench.figures import Contestant, Figure
from bench.machine import cores, sample
from bench.processes import Window, callhopper_server, drive, echo_server
from server.db import connect
from tests.factories import Factory

MOST: Final = 500
"""The most attempts that one claim may ask for."""
EARLIEST_MS: Final = 0.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything.

    Attributes:
        window: Of each run.
        entries: Open entries of the throughput runs.
        deep: Open entries of the deep hopper; the shallow one has a hundredth.
        contacts: Loaded into a campaign at once.
        clients: Clients with one call at a time.
        readers: Clients that read contacts.
        due_rate: Entries that fall due each second, for dialing on time.
    """

    window: Window
    entries: int
    deep: int
    contacts: int
    clients: int
    readers: int
    due_rate: int


@dataclass(frozen=True, slots=True)
class Bench:
    """What every group needs."""

    cluster: Cluster
    sizes: Sizes

    @property
    def parts(self) -> dict[str, int | None]:
        """The processes whose CPU is shown beside that of servers and drivers."""
        return {"postgres": self.cluster.pid}

    def dial(self, dsn: str, jobs: list[Job], parts: dict[str, int | None]) -> Figure:
        """Drive jobs that end calls, and check the sums afterwards."""
        before = databases.count_history(dsn)
        figure, results = drive(jobs, self.sizes.window, parts)
        databases.check_sums(dsn, before + sum(result.total for result in results))
        assert figure.rate > 0, "nothing was done within the window"
        return figure

    def dial_copy(self, template: str, kind: str, jobs: int, clients: int, batch: int) -> Figure:
        """Drive jobs of one kind on a copy of a database, through a server unless direct."""
        with ExitStack() as stack:
            dsn = stack.enter_context(self.cluster.database(template))
            parts = self.parts
            target = dsn
            if kind != "direct":
                server = stack.enter_context(callhopper_server(dsn))
                parts["server"] = server.pid
                target = server.address
            spread = [
                Job(kind, target, clients // jobs, batch, seed=seed) for seed in range(1, jobs + 1)
            ]
            return self.dial(dsn, spread, parts)


Group = Callable[[Bench], AbstractContextManager[list[Contestant]]]


@contextmanager
def attempts(bench: Bench) -> Iterator[list[Contestant]]:
    """Make full attempts: claim with begin, report; single-flight keys, tallies, history."""
    with ExitStack() as stack:
        templates = {}
        for order in ("load order", "scattered"):
            dsn = stack.enter_context(bench.cluster.database())
            databases.fill(dsn, entries=bench.sizes.entries, scattered=order == "scattered")
            templates[order] = databases.database_name(dsn)

        def direct(order: str, batch: int) -> Callable[[], Figure]:
            return lambda: bench.dial_copy(templates[order], "direct", 2, 2, batch)

        def through_grpc(order: str) -> Callable[[], Figure]:
            return lambda: bench.dial_copy(templates[order], "dialing", 2, 4, 100)

        yield [
            Contestant(
                f"direct, batch {batch}, {order}",
                "attempts/s",
                direct(order, batch),
                beside=None
                if (batch, order) == (MOST, "load order")
                else "direct, batch 500, load order",
            )
            for order in templates
            for batch in (MOST, 100)
        ] + [
            Contestant(
                f"gRPC, batch 100, {order}",
                "attempts/s",
                through_grpc(order),
                beside=f"direct, batch 100, {order}",
                must=">= 0.4",
            )
            for order in templates
        ]


@contextmanager
def floor(bench: Bench) -> Iterator[list[Contestant]]:
    """Update a single row and commit: the floor of this machine."""
    with bench.cluster.database() as dsn:
        with connect(dsn, SCHEMA, "bench") as connection:
            connection.execute(
                "create table public.bench_row (id integer primary key, n bigint not null)"
                " with (fillfactor = 50)"
            )
            connection.execute("insert into public.bench_row select generate_series(1, 64), 0")

        def measure(clients: int) -> Callable[[], Figure]:
            jobs = [Job("commits", dsn, clients)]
            return lambda: drive(jobs, bench.sizes.window, bench.parts)[0]

        first = "single-row updates, 1 connection"
        yield [
            Contestant(first, "commits/s", measure(1)),
            Contestant("the same, 16 connections", "commits/s", measure(16), beside=first),
        ]


@contextmanager
def one_by_one(bench: Bench) -> Iterator[list[Contestant]]:
    """Claim 1 and report 1, one call at a time, by many clients."""
    clients = bench.sizes.clients
    with ExitStack() as stack:
        dsn = stack.enter_context(bench.cluster.database())
        databases.fill(dsn, entries=bench.sizes.entries // 2)
        template = databases.database_name(dsn)
        echo = stack.enter_context(echo_server())

        def echoes() -> Figure:
            parts = bench.parts | {"server": echo.pid}
            return drive([Job("echo", echo.address, clients)], bench.sizes.window, parts)[0]

        name = f"bare echo, {clients} clients"
        yield [
            Contestant(name, "calls/s", echoes),
            Contestant(
                f"claim 1, report 1, {clients} clients",
                "attempts/s",
                lambda: bench.dial_copy(template, "dialing", 1, clients, 1),
                beside=name,
                factor=2,
                must=">= 0.5 (two calls an attempt)",
            ),
        ]


@contextmanager
def depth(bench: Bench) -> Iterator[list[Contestant]]:
    """Claim 100 directly, by how much is open."""
    shallow, deep = bench.sizes.deep // 100, bench.sizes.deep
    with ExitStack() as stack:
        dsns = {}
        for entries, campaigns in ((shallow, 1), (deep, 1), (deep, 100)):
            dsn = stack.enter_context(bench.cluster.database())
            databases.fill(dsn, entries=entries, campaigns=campaigns, scattered=True)
            dsns[f"{entries:,} open, {campaigns} campaign{'s'[: campaigns > 1]}"] = dsn
        first = next(iter(dsns))

        def claims(dsn: str) -> Callable[[], Figure]:
            def measure() -> Figure:
                # Nobody answers, so nothing is closed and the depth stays.
                job = Job("direct", dsn, clients=1, batch=100, answered=0)
                figure = bench.dial(dsn, [job], bench.parts)
                return replace(figure, value=figure.p50["claim"])

            return measure

        yield [
            Contestant(
                f"claim of 100, {name}",
                "ms (p50)",
                claims(dsn),
                beside=None if name == first else f"claim of 100, {first}",
                must="<= 2, p99 <= 50 ms",
            )
            for name, dsn in dsns.items()
        ]


@contextmanager
def loading(bench: Bench) -> Iterator[list[Contestant]]:
    """Load a contact list into a campaign, beside an insert of as many bare rows."""
    contacts = bench.sizes.contacts
    with (
        bench.cluster.database() as dsn,
        connect(dsn, SCHEMA, "bench") as connection,
    ):
        make = Factory(connection)
        make.item_type("Office", 1)
        make.item_type("Holiday Home", 2)
        contact_list = make.contact_list()
        databases.add_contacts(connection, contact_list, contacts)
        connection.execute(
            "create table bare_entry (campaign_id bigint, contact_id bigint,"
            " scheduled_at timestamptz, primary key (campaign_id, contact_id))"
        )
        connection.execute("vacuum (analyze)")

        def timed(work: Callable[[], object]) -> Figure:
            connection.execute("truncate hopper_entry, hopper_load, bare_entry")
            connection.execute("checkpoint")
            watched = {name: pid for name, pid in bench.parts.items() if pid is not None}
            before, began = sample(watched), perf_counter()
            work()
            seconds = perf_counter() - began
            rate = contacts / seconds
            return Figure(rate, rate, cores=cores(before, sample(watched), seconds))

        def bare() -> Figure:
            return timed(
                lambda: connection.execute(
                    "insert into bare_entry select 1, contact_id, clock_timestamp() from contact"
                    " where contact_list_id = %s order by contact_id",
                    (contact_list,),
                )
            )

        def load() -> Figure:
            campaign = make.campaign()
            figure = timed(lambda: make.attach(campaign, contact_list))
            connection.execute("truncate campaign_list")
            loaded = databases.one(connection, "select count(*) as entries from hopper_entry")
            assert loaded["entries"] == contacts
            return figure

        first = f"insert of {contacts:,} bare rows"
        yield [
            Contestant(first, "rows/s", bare),
            Contestant(
                f"load {contacts:,} contacts", "contacts/s", load, beside=first, must=">= 0.3"
            ),
        ]


@contextmanager
def reading(bench: Bench) -> Iterator[list[Contestant]]:
    """Read a contact (GetContact), beside a bare echo."""
    clients, rows = bench.sizes.readers, bench.sizes.contacts
    with ExitStack() as stack:
        dsn = stack.enter_context(bench.cluster.database())
        with connect(dsn, SCHEMA, "bench") as connection:
            make = Factory(connection)
            make.item_type("Office", 1)
            make.item_type("Holiday Home", 2)
            databases.add_contacts(connection, make.contact_list(), rows)
            connection.execute("vacuum (analyze)")
        echo = stack.enter_context(echo_server())
        server = stack.enter_context(callhopper_server(dsn))

        def measure(kind: str, address: str, pid: int) -> Callable[[], Figure]:
            jobs = [Job(kind, address, clients, rows=rows)]
            parts = bench.parts | {"server": pid}
            return lambda: drive(jobs, bench.sizes.window, parts)[0]

        name = f"bare echo, {clients} clients"
        yield [
            Contestant(name, "calls/s", measure("echo", echo.address, echo.pid)),
            Contestant(
                f"GetContact, {clients} clients",
                "calls/s",
                measure("get_contact", server.address, server.pid),
                beside=name,
                must=">= 0.35",
            ),
        ]


@contextmanager
def on_time(bench: Bench) -> Iterator[list[Contestant]]:
    """Wait for entries to be due: from that moment to the moment a worker has the attempt."""
    rate, window = bench.sizes.due_rate, bench.sizes.window

    def measure() -> Figure:
        with bench.cluster.database() as dsn:
            seconds = window.warm_up + window.measured
            entries = round(rate * seconds)
            with connect(dsn, SCHEMA, "bench") as connection:
                make = Factory(connection)
                contact_list = make.contact_list()
                databases.add_contacts(connection, contact_list, entries)
                make.campaign(lists=[contact_list])  # whoever was called is not due again

            def spread() -> None:
                with connect(dsn, SCHEMA, "bench") as connection:
                    connection.execute(
                        """
                        with moment as materialized (
                          select entry_id, clock() + interval '1 second' * (
                            0.5 + row_number() over (order by entry_id) / %s::double precision
                          ) as at
                          from hopper_entry
                        )
                        update hopper_entry entry
                        set ready_at = moment.at, scheduled_at = moment.at, state = 'READY'
                        from moment where moment.entry_id = entry.entry_id
                        """,
                        (rate,),
                    )

            with connect(dsn, SCHEMA, "bench") as connection:
                # Nobody is due before the clients are there.
                connection.execute(
                    "update hopper_entry set ready_at = clock() + interval '1 hour',"
                    " scheduled_at = clock() + interval '1 hour'"
                )
            with callhopper_server(dsn) as server:
                job = Job("on_time", server.address, clients=4, batch=100)
                parts = bench.parts | {"server": server.pid}
                figure, [result] = drive([job], window, parts, begun=spread)
            databases.check_sums(dsn, result.total)
        late = result.milliseconds["late"]
        assert min(late) >= EARLIEST_MS, f"an attempt came {-min(late):.1f} ms early"
        return replace(figure, value=figure.p99["late"])

    yield [Contestant(f"{rate} due a second", "ms (p99)", measure, must="<= 250 ms, never early")]


GROUPS: Final[dict[str, Group]] = {
    "floor": floor,
    "attempts": attempts,
    "one_by_one": one_by_one,
    "depth": depth,
    "loading": loading,
    "reading": reading,
    "on_time": on_time,
}
