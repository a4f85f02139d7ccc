"""A scripted server for each test that asks for one, and workers that are always drained."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from callhopper import Dial, Worker
from tests.clients.scripted_server import ScriptedServer, serving

StartWorker = Callable[..., Awaitable[tuple[Worker, "asyncio.Task[None]"]]]


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedServer]:
    async with serving(ScriptedServer()) as server:
        yield server


@pytest.fixture
async def start(scripted: ScriptedServer) -> AsyncIterator[StartWorker]:
    """Start workers of the scripted server; they are stopped when the test ends."""

    async def stop(worker: Worker, running: "asyncio.Task[None]") -> None:
        worker.stop(hurry=True)
        for event in [*scripted.hold.values(), *scripted.hold_answer.values()]:
            event.set()
        if not running.done():
            await asyncio.wait_for(running, 20)

    async with AsyncExitStack() as stack:

        async def start(dial: Dial, **settings: Any) -> tuple[Worker, "asyncio.Task[None]"]:
            settings.setdefault("wait", timedelta(seconds=5))
            settings.setdefault("address", scripted.address)
            worker = Worker(dial=dial, **settings)
            running = asyncio.create_task(worker.run())
            stack.push_async_callback(stop, worker, running)
            return worker, running

        yield start
