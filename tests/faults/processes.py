"""Start servers and workers as processes of their own, and end them in every way there is."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from server import run_as

T = TypeVar("T")

ROOT: Final = Path(__file__).parents[2]
WORKER: Final = Path(__file__).with_name("worker_process.py")
PATIENCE: Final = 30.0
LOOK: Final = 0.02
_UNEXCUSED: Final = re.compile(r'INTERNAL|Traceback|"level": "(error|critical)"')
QUICK: Final = {
    "CALLHOPPER_POLL_INTERVAL": "0.05",
    "CALLHOPPER_RESCUE_INTERVAL": "0.1",
    "CALLHOPPER_DRAIN_DELAY": "0.5",
    "CALLHOPPER_DRAIN_GRACE": "10",
    "CALLHOPPER_LOG_FORMAT": "json",
}


def until(condition: Callable[[], T], what: str, within: float = PATIENCE) -> T:
    """Wait for a condition and return what it says; fail when it stays false."""
    end = time.monotonic() + within
    while not (said := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(LOOK)
    return said


class Process:
    """A program that ends with this process, if nobody ends it sooner."""

    def __init__(
        self, command: Sequence[str], output: Path, environment: Mapping[str, str] = {}
    ) -> None:
        self.output = output
        kept = {name: text for name, text in os.environ.items() if not _is_ours(name)}
        with output.open("ab") as file:
            self._popen = subprocess.Popen(
                [sys.executable, "-I", "-S", run_as.__file__, "-", str(os.getpid()), *command],
                cwd=ROOT,
                env={**kept, **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.was_killed = False

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    @property
    def is_stopped(self) -> bool:
        """Whether SIGSTOP holds it: state T."""
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def send(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.was_killed = True
        self._popen.kill()
        self._popen.wait()

    def wait(self, within: float = PATIENCE) -> int:
        """Wait for its end; return the exit code."""
        with suppress(subprocess.TimeoutExpired):
            return self._popen.wait(within)
        raise AssertionError(f"still runs after {within:g} s:\n{self.last_words()}")

    def terminate(self) -> None:
        """Ask it to end, once it listens to that."""
        until(lambda: not self.is_running or self._catches(signal.SIGTERM), "it listens")
        self.send(signal.SIGTERM)

    def end(self, within: float = PATIENCE) -> int:
        """Ask it to end, and return the exit code."""
        self.terminate()
        return self.wait(within)

    def _catches(self, number: signal.Signals) -> bool:
        status = Path(f"/proc/{self.pid}/status").read_text()
        [mask] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
        return bool(int(mask, 16) >> (number - 1) & 1)

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def last_words(self) -> str:
        return "\n".join(self.text().splitlines()[-15:])


def _is_ours(name: str) -> bool:
    return name.startswith("CALLHOPPER_") or name == "DATABASE_URL"


class ServerProcess(Process):
    """`callhopper serve`; `port` 0 takes a free one."""

    def __init__(
        self, dsn: str, output: Path, port: int = 0, environment: Mapping[str, str] = {}
    ) -> None:
        self._said_before = output.stat().st_size if output.exists() else 0
        super().__init__(
            [sys.executable, "-m", "server", "serve", "--listen", f"127.0.0.1:{port}"],
            output,
            {"DATABASE_URL": dsn, **QUICK, **environment},
        )
        self.port = port
        self.dsn = dsn
        self.environment = environment

    def ready(self) -> "ServerProcess":
        """Wait until it serves."""
        self.port = until(self._said_port, "the server serves")
        return self

    def _said_port(self) -> int:
        assert self.is_running, self.last_words()
        _, found, rest = self._said().partition("callhopper serves at ")
        line, is_whole, _ = rest.partition("\n")
        return int(line.rpartition(":")[2]) if found and is_whole else 0

    def _said(self) -> str:
        return self.output.read_bytes()[self._said_before :].decode(errors="replace")

    def calls(self, method: str) -> list[dict[str, Any]]:
        """Return the log lines of the calls of a method that this process answered."""
        lines = self._said().splitlines(keepends=True)
        said = [json.loads(line) for line in lines if line[0] == "{" and line[-1] == "\n"]
        return [line for line in said if str(line.get("method")).endswith(f"/{method}")]

    def complaints(self) -> list[str]:
        """Return what it said that no fault outside excuses."""
        return [line for line in self.text().splitlines() if _UNEXCUSED.search(line)]

    def again(self) -> "ServerProcess":
        """Start a new process on the same port, once this one has ended."""
        assert not self.is_running
        return ServerProcess(self.dsn, self.output, self.port, self.environment)


class WorkerProcess(Process):
    """`worker_process.py`, with a log that all workers share."""

    def __init__(self, folder: Path, name: str, address: str, log: Path, **settings: Any) -> None:
        self.worker_id = name
        self._notes = folder / f"{name}.notes"
        given = {
            "address": address,
            "log": str(log),
            "notes": str(self._notes),
            "worker_id": name,
            "wait": 5,
            **settings,
        }
        super().__init__([sys.executable, str(WORKER), json.dumps(given)], folder / f"{name}.out")

    def notes(self, kind: str) -> list[dict[str, Any]]:
        """Return what it noted; a last line that it died over is left out."""
        if not self._notes.exists():
            return []
        lines = self._notes.read_bytes().split(b"\n")[:-1]
        return [note for note in map(json.loads, lines) if note["note"] == kind]

    @property
    def stats(self) -> dict[str, Any]:
        """Return its stats, which it writes at its end."""
        [stats] = self.notes("stats")
        return stats
