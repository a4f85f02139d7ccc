"""Put the server together: database, services, interceptor, health, reflection, loops."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Final

import grpc
import structlog
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection

from server import log
from server.claims import ClaimLoop
from server.db import Database
from server.embedded import EmbeddedPostgres
from server.interceptors import CallInterceptor
from server.loops.forget import ForgetLoop
from server.loops.health import HealthLoop
from server.loops.partitions import PartitionLoop
from server.loops.rescue import RescueLoop
from server.loops.runner import Loop, run_loop
from server.migrate import MigrationError, migrate, status
from server.services import SERVICES
from server.services.context import Context
from server.settings import Settings

events = structlog.get_logger("server.app")

PACKAGE: Final = "callhopper.v1"
SERVICE_NAMES: Final = tuple(f"{PACKAGE}.{service.__name__}" for service, _ in SERVICES)
START_PATIENCE: Final = 30.0
LOOP_PATIENCE: Final = 10.0


class App:
    """Own everything that one server process runs.

    `await app.start()`, then `await app.drain()` and `await app.stop()`, in this order.

    Args:
        settings: All settings.
        dsn: Where the database is.
        loops: The background loops besides the waiting claims; None for those of a real server.
    """

    def __init__(self, settings: Settings, dsn: str, loops: Sequence[Loop] | None = None) -> None:
        self.settings = settings
        self.db = Database(settings, dsn)
        self.claims = ClaimLoop(
            self.db,
            poll_interval=timedelta(seconds=settings.poll_interval),
            max_waiting=settings.waiting_claims,
        )
        self.health = health_aio.HealthServicer()
        self.server = grpc.aio.server(
            interceptors=[CallInterceptor(settings)],
            options=_options(settings),
            maximum_concurrent_rpcs=settings.concurrent_calls,
        )
        self._health_loop = HealthLoop(self.health, ["", *SERVICE_NAMES])
        self._loops = self._usual_loops() if loops is None else loops
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> int:
        """Connect, listen and serve; return the port.

        Raises:
            Unavailable: The database did not answer.
            OSError: The port is taken.
        """
        await self.db.open(wait=START_PATIENCE)
        try:
            context = Context(db=self.db, settings=self.settings, claims=self.claims)
            for service, register in SERVICES:
                register(service(context), self.server)
            health_pb2_grpc.add_HealthServicer_to_server(self.health, self.server)
            names = [*SERVICE_NAMES, "grpc.health.v1.Health", reflection.SERVICE_NAME]
            reflection.enable_server_reflection(names, self.server)
            port = _bind(self.server, self.settings.listen)
            await self.server.start()
        except BaseException:
            await self.db.close()
            raise
        await self._health_loop.tell(is_serving=True)
        self._spawn(self.claims.run(), "claims")
        for loop in self._loops:
            self._spawn(run_loop(loop, self.db, self._stopping), loop.name)
        return port

    async def drain(self) -> None:
        """Send new calls elsewhere: NOT_SERVING, and every waiting claim is answered empty."""
        await self.health.enter_graceful_shutdown()
        self.claims.drain()

    async def stop(self, grace: float | None = None) -> None:
        """Close the port, let calls under way end, then the loops, then the connections.

        Args:
            grace: Seconds for the calls; those that take longer are cancelled. None: none.
        """
        await self.server.stop(grace)
        self._stopping.set()
        self.claims.drain()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=LOOP_PATIENCE)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.db.close()

    async def failed(self) -> None:
        """Return when a loop has ended that never should: the server is then of no use."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            error = None if task.cancelled() else task.exception()
            events.error("loop ended", loop=task.get_name(), exc_info=error)

    def _usual_loops(self) -> list[Loop]:
        rescue = RescueLoop(timedelta(seconds=self.settings.rescue_interval))
        return [rescue, ForgetLoop(), PartitionLoop(), self._health_loop]

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))


async def serve(settings: Settings, *, ready: Callable[[int], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal ends the process at once.

    An embedded PostgreSQL is brought to the newest schema; any other must be there already, because
    the server's own role need not be allowed to change it.

    Args:
        settings: All settings.
        ready: Called with the port when calls are answered.

    Raises:
        MigrationError: The database is not at the newest schema.
        Unavailable: The database cannot be reached.
        EmbeddedPostgresError: The embedded PostgreSQL does not start.
        OSError: The port is taken.
    """
    log.configure(settings)
    async with AsyncExitStack() as stack:
        dsn = settings.database_url
        if dsn is None:
            dsn = stack.enter_context(EmbeddedPostgres(settings.data_dir)).dsn
            migrate(dsn, settings.schema, tell=events.info)
        else:
            _check_schema(dsn, settings.schema)
        signalled = _catch_signals()
        app = App(settings, dsn)
        port = await app.start()
        events.info("serving", port=port)
        if ready:
            ready(port)
        try:
            await _first(signalled.wait(), app.failed())
            events.info("draining", delay=settings.drain_delay, grace=settings.drain_grace)
            await app.drain()
            await asyncio.sleep(settings.drain_delay)
        finally:
            await app.stop(settings.drain_grace)
        events.info("stopped")


def _options(settings: Settings) -> list[tuple[str, int]]:
    milliseconds = 1000
    # Polls and imports must outlive the age of their connection.
    longest_call = max(settings.longest_poll, settings.stream_deadline) + 5
    return [
        ("grpc.so_reuseport", int(settings.reuse_port)),
        ("grpc.max_receive_message_length", settings.message_bytes),
        ("grpc.max_send_message_length", settings.message_bytes),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        # Clients ping each minute; gRPC's own limit of five minutes would throw them out.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
        ("grpc.max_connection_idle_ms", 300_000),
        # Clients look for new servers only when a connection ends; polls must outlive that end.
        ("grpc.max_connection_age_ms", 300_000),
        ("grpc.max_connection_age_grace_ms", round(longest_call * milliseconds)),
    ]


def _bind(server: grpc.aio.Server, address: str) -> int:
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: is the port taken?") from error
    if not port:
        raise OSError(f"cannot listen on {address}")
    return port


def _check_schema(dsn: str, schema: str) -> None:
    now = status(dsn, schema)
    if now.problems:
        raise MigrationError("; ".join(now.problems))
    if now.pending:
        raise MigrationError(f"the database lacks {now.pending[0].name}: run `callhopper migrate`")


def _catch_signals() -> asyncio.Event:
    caught = asyncio.Event()
    loop = asyncio.get_running_loop()

    def catch() -> None:
        caught.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, catch)
    return caught


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Return when the first of them ends; cancel the others."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
