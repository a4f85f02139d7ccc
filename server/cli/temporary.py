"""Run a whole callhopper for the while: PostgreSQL in a temporary folder and the server on it."""

import asyncio
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from server import log
from server.app import App
from server.embedded import EmbeddedPostgres
from server.migrate import migrate
from server.settings import Settings

# Nobody needs the data after a power cut.
_FAST: Final = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_GRACE: Final = 2.0  # seconds for calls under way


@contextmanager
def temporary_server(settings: Settings) -> Iterator[str]:
    """Serve from this process until the block ends, and give the address.

    Nothing is left behind: the database goes with its folder. SIGTERM ends the block as Control-C
    does.

    Args:
        settings: Its database and address are not used: the database is new, and the port is
            a free one of the loopback address.
    """
    log.configure(settings)
    with (
        _ended_by_sigterm(),
        tempfile.TemporaryDirectory(prefix="callhopper-") as folder,
        EmbeddedPostgres(Path(folder) / "postgres", settings=_FAST) as postgres,
    ):
        migrate(postgres.dsn, settings.schema)
        with Serving(settings, postgres.dsn) as port:
            yield f"127.0.0.1:{port}"


class Serving:
    """Run an App in a thread with an event loop of its own, and give the port.

    Args:
        settings: All settings.
        dsn: A migrated database.
    """

    def __init__(self, settings: Settings, dsn: str) -> None:
        self._settings = settings
        self._dsn = dsn
        self._loop: asyncio.AbstractEventLoop
        self._ending: asyncio.Event
        self._port = 0
        self._error: BaseException | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="callhopper-server", daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            raise self._error
        return self._port

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - it is raised where the thread was started
            self._error = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        app = App(self._settings, self._dsn)
        self._port = await app.start()
        self._started.set()
        await self._ending.wait()
        await app.drain()
        await app.stop(_GRACE)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears signals
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
