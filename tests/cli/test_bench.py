"""`python -m bench` at tiny sizes: every group runs, its sums hold, and its table is printed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.figures import Contestant, Figure, Line, ratios, run_rounds
from bench.groups import GROUPS
from bench.machine import FOREIGN, cores, sample
from bench.processes import percentile

ROOT = Path(__file__).parents[2]
TINY = {
    "--rounds": 1,
    "--seconds": 1.5,
    "--warm-up": 0.3,
    "--entries": 6_000,
    "--deep": 10_000,
    "--contacts": 300,
    "--clients": 20,
    "--readers": 4,
    "--due-rate": 50,
}


def bench(*words: str, timeout: float = 110) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_a_group_measures_and_prints_its_table(group, monkeypatch):
    # The cluster of the tests does not keep what it commits, and the benchmark refuses that.
    monkeypatch.delenv("DATABASE_URL", raising=False)
    sizes = [str(word) for pair in TINY.items() for word in pair]

    ended = bench("--only", group, *sizes)

    assert ended.returncode == 0, ended.stderr[-3000:]
    assert str(GROUPS[group].__doc__) in ended.stdout
    header = next(line for line in ended.stdout.splitlines() if "median" in line)
    assert header.split()[:2] == ["what", "median"]
    assert "foreign" in header
    assert any(line.startswith("A ") for line in ended.stdout.splitlines())
    assert f"{group}: round 1 of 1: " in ended.stderr


def test_an_unknown_group_is_refused():
    ended = bench("--only", "nothing")

    assert ended.returncode == 2
    assert "nothing" in ended.stderr


def test_contestants_run_in_turns_and_ratios_are_of_one_round():
    ran: list[str] = []
    rates = {"A": iter([100.0, 50.0]), "B": iter([50.0, 50.0])}

    def contestant(name: str, beside: str | None, factor: float) -> Contestant:
        def measure() -> Figure:
            ran.append(name)
            rate = next(rates[name])
            return Figure(rate, rate)

        return Contestant(name, "calls/s", measure, beside, factor)

    lines = run_rounds([contestant("A", None, 1), contestant("B", "A", 2)], 2, ran.append)

    assert ran == [
        "round 1 of 2: A", "A", "round 1 of 2: B", "B",
        "round 2 of 2: A", "A", "round 2 of 2: B", "B",
    ]  # fmt: skip
    assert [type(line) for line in lines] == [Line, Line]
    assert ratios(lines[1], lines[0]) == [1.0, 2.0]


def test_a_percentile_is_the_value_that_so_many_do_not_exceed():
    assert percentile([float(n) for n in range(200, 0, -1)], 0.99) == 198
    assert percentile([7.0], 0.99) == 7
    assert percentile([1.0, 2.0], 0.5) == 1


def test_the_cpu_of_this_process_is_not_foreign():
    before = sample({"ours": os.getpid()})
    while sample({"ours": os.getpid()}).parts["ours"] - before.parts["ours"] < 0.2:
        pass

    used = cores(before, sample({"ours": os.getpid()}), 1)

    assert used["ours"] >= 0.2
    assert set(used) == {"ours", FOREIGN}
