"""The runner of background loops: when it runs again, when it rests, how it stops."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from server.errors import Unavailable
from server.loops import runner
from server.loops.runner import run_loop

NO_DATABASE: Any = None


class Scripted:
    """Answer from a list; stop when it is used up."""

    name = "scripted"
    interval = timedelta(seconds=2)

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.stop = asyncio.Event()

    async def run_once(self, _db: Any, _limit: int) -> int:
        answer = self.answers.pop(0)
        if not self.answers:
            self.stop.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def rests(monkeypatch):
    """Collect the pauses instead of making them."""
    seconds: list[float] = []

    async def rest(_stop: asyncio.Event, pause: float) -> None:
        seconds.append(pause)

    monkeypatch.setattr(runner, "_rest", rest)
    return seconds


async def test_a_full_run_is_followed_at_once_any_other_by_a_rest(rests):
    loop = Scripted(10, 10, 9, 0)
    await run_loop(loop, NO_DATABASE, loop.stop, limit=10)
    assert rests[:2] == [0, 0]
    assert all(1.8 <= pause <= 2 for pause in rests[2:])


async def test_errors_make_it_rest_longer_and_never_end_it(rests, events):
    loop = Scripted(*[Unavailable()] * 7, 0, RuntimeError("secret"), 0)
    await run_loop(loop, NO_DATABASE, loop.stop)
    for pause, most in zip(rests, [2, 4, 8, 16, 32, 60, 60, 2, 2, 2], strict=True):
        assert most * 0.8 <= pause <= most
    assert [event["log_level"] for event in events] == ["warning"] * 7 + ["error"]
    assert events[0]["reason"] == "DATABASE_UNAVAILABLE"
    assert "RuntimeError" in events[7]["traceback"]


async def test_stopping_ends_a_rest():
    loop = Scripted(0, 0)
    running = asyncio.create_task(run_loop(loop, NO_DATABASE, loop.stop))
    await asyncio.sleep(0)
    loop.stop.set()
    await asyncio.wait_for(running, 1)
    assert len(loop.answers) == 1


async def test_a_run_under_way_is_finished_before_it_stops():
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Slow:
        name = "slow"
        interval = timedelta(seconds=2)

        async def run_once(self, _db: Any, _limit: int) -> int:
            begun.set()
            await may_end.wait()
            ended.set()
            return 0

    stop = asyncio.Event()
    running = asyncio.create_task(run_loop(Slow(), NO_DATABASE, stop))
    await begun.wait()
    stop.set()
    may_end.set()
    await asyncio.wait_for(running, 1)
    assert ended.is_set()
