"""One worker process: dials into the simulated exchange, and notes every answer to its reports.

    python worker_process.py '{"address": ..., "log": ..., "notes": ...}'

The other settings are those of `simulated_worker`, durations in seconds. Notes are JSON lines:
`answer` for each report that was answered, `unanswered` for each ReportOutcomes that failed,
`stats` at the end.
"""

import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from callhopper.call import Outcome
from callhopper.reporter import Reporter, _Report, answer_name
from callhopper.simulation import Death, DeathPoint, simulate
from callhopper.v1 import dialer_service_pb2 as pb


class Notes:
    """A file of JSON lines, each written at once, so that it outlives the process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, **note: Any) -> None:
        os.write(self._file, json.dumps(note).encode() + b"\n")


class Freeze(Death):
    """Stops the process at a point, as SIGSTOP does; SIGCONT lets it go on there."""

    def reach(self, point: DeathPoint) -> None:
        if point == self.point:
            self.nth -= 1
            if self.nth == 0:
                os.kill(os.getpid(), signal.SIGSTOP)


def noting(notes: Notes) -> type[Reporter]:
    """Return a Reporter that reports as usual and notes what it was told."""

    class NotingReporter(Reporter):
        async def _send(self, reports: Sequence[_Report]) -> list[_Report]:
            unanswered = await super()._send(reports)
            if unanswered:
                notes.write(note="unanswered", reports=len(unanswered))
            return unanswered

        def _note(self, report: _Report, answers: dict[str, "pb.ReportResult.Answer"]) -> bool:
            is_answered = super()._note(report, answers)
            if is_answered:
                attempt = report.call.attempt_id
                notes.write(
                    note="answer",
                    attempt=attempt,
                    outcome=report.result.outcome.name,
                    answer=answer_name(pb.ReportResult.Answer, answers[attempt]),
                )
            return is_answered

    return NotingReporter


def main(settings: dict[str, Any]) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    notes = Notes(Path(settings.pop("notes")))
    for name in ("lease", "wait", "drain", "guard"):
        if name in settings:
            settings[name] = timedelta(seconds=settings[name])
    if "rules" in settings:
        settings["rules"] = {
            end: [Outcome[name] for name in names] for end, names in settings["rules"].items()
        }
    if "chances" in settings:
        settings["chances"] = {
            Outcome[name]: weight for name, weight in settings["chances"].items()
        }
    if point := settings.pop("die_at", None):
        settings["die_at"] = Death.parse(point)
    if point := settings.pop("freeze_at", None):
        settings["die_at"] = Freeze.parse(point)
    settings["log"] = Path(settings["log"])
    with patch("callhopper.worker.Reporter", noting(notes)):
        stats = simulate(**settings)
    counts = {name: getattr(stats, name) for name in type(stats).__dataclass_fields__}
    notes.write(note="stats", **counts)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
