"""Start servers and drivers, each a process of its own, and measure them in one window."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import IO, Final

from bench.drivers import Job, Result
from bench.figures import Figure
from bench.machine import cores, sample
from server import run_as

PATIENCE: Final = 60.0  # seconds for a process to end
START: Final = 0.1  # seconds until all drivers have heard the word


@dataclass(frozen=True, slots=True)
class Window:
    """How long a run warms up and is then measured, in seconds."""

    warm_up: float
    measured: float


@dataclass(frozen=True, slots=True)
class Server:
    """A server process."""

    address: str
    pid: int


@contextmanager
def callhopper_server(dsn: str) -> Iterator[Server]:
    """Serve a migrated database as `callhopper serve` does, with its usual settings."""
    words = ["-m", "server", "serve", "--listen", "127.0.0.1:0"]
    with _server(words, {"DATABASE_URL": dsn, "CALLHOPPER_DRAIN_DELAY": "0"}) as server:
        yield server


@contextmanager
def echo_server() -> Iterator[Server]:
    """Serve the bare echo."""
    with _server(["-m", "bench.echo"], {}) as server:
        yield server


@contextmanager
def _server(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    ours = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    with tempfile.TemporaryFile() as said:
        process = _start(words, said, {**ours, **environment})
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if "serves at" not in line:
                process.wait(PATIENCE)
                said.seek(0)
                raise RuntimeError(said.read().decode(errors="replace")[-2000:])
            yield Server(line.split()[-1], process.pid)
        finally:
            _end(process)


def drive(
    jobs: Sequence[Job],
    window: Window,
    parts: Mapping[str, int | None],
    *,
    begun: Callable[[], None] | None = None,
) -> tuple[Figure, list[Result]]:
    """Run jobs at the same time and measure them together.

    Args:
        jobs: One process each.
        window: When to count.
        parts: Processes whose CPU is shown, beside that of the drivers.
        begun: Called when the drivers have been told to start.

    Returns:
        The figure, its value being done a second, and what each job did.
    """
    with ExitStack() as stack:
        drivers = [stack.enter_context(_driver(job)) for job in jobs]
        for driver in drivers:
            _answer_of(driver, "ready")
        begin = time.monotonic() + START + window.warm_up
        until = begin + window.measured
        for driver in drivers:
            assert driver.stdin is not None
            driver.stdin.write(json.dumps({"begin": begin, "until": until}) + "\n")
            driver.stdin.flush()
        if begun is not None:
            begun()
        watched = {name: pid for name, pid in parts.items() if pid is not None}
        watched |= {f"driver{place}": driver.pid for place, driver in enumerate(drivers)}
        time.sleep(max(begin - time.monotonic(), 0))
        before, since = sample(watched), time.monotonic()
        time.sleep(max(until - time.monotonic(), 0))
        used = cores(before, sample(watched), time.monotonic() - since)
        results = [Result(**json.loads(_answer_of(driver, "{"))) for driver in drivers]
    clients = sum(used.pop(f"driver{place}") for place in range(len(drivers)))
    foreign = used.popitem()
    return _figure(results, window, {**used, "clients": clients, foreign[0]: foreign[1]}), results


def _figure(results: Sequence[Result], window: Window, used: Mapping[str, float]) -> Figure:
    steps: dict[str, list[float]] = {}
    errors: Counter[str] = Counter()
    for result in results:
        errors.update(result.errors)
        for step, milliseconds in result.milliseconds.items():
            steps.setdefault(step, []).extend(milliseconds)
    rate = sum(result.done for result in results) / window.measured
    return Figure(
        value=rate,
        rate=rate,
        p50={step: statistics.median(found) for step, found in steps.items()},
        p99={step: percentile(found, 0.99) for step, found in steps.items()},
        cores=used,
        errors=errors,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed: 0.99 of 1..200 -> 198."""
    ordered = sorted(values)
    return ordered[max(-int(-len(ordered) * share // 1), 1) - 1]


@contextmanager
def _driver(job: Job) -> Iterator[subprocess.Popen[str]]:
    process = _start(["-m", "bench.drivers", json.dumps(asdict(job))], None, os.environ)
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        _end(process)


def _start(
    words: Sequence[str], stderr: IO[bytes] | None, environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    # Through run_as: what was started must not outlive a benchmark that is killed.
    command = [sys.executable, "-I", "-S", run_as.__file__, "-", str(os.getpid())]
    return subprocess.Popen(  # noqa: S603 - a command of ours
        [*command, sys.executable, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=dict(environment),
        text=True,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _answer_of(driver: subprocess.Popen[str], beginning: str) -> str:
    assert driver.stdout is not None
    line = driver.stdout.readline()
    assert line.startswith(beginning), f"a driver failed: {line!r}"
    return line
