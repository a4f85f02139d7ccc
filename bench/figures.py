"""Run what is compared in turns, and print medians, ranges and ratios."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.machine import FOREIGN

PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Figure:
    """What one run gave.

    Attributes:
        value: A rate a second, or milliseconds.
        rate: What was done a second.
        p50: Milliseconds by step, such as claim and report; may be empty.
        p99: The same steps.
        cores: Cores that were busy, by part; FOREIGN are those of others.
        errors: How often something was refused and tried again, by reason.
    """

    value: float
    rate: float
    p50: Mapping[str, float] = field(default_factory=dict)
    p99: Mapping[str, float] = field(default_factory=dict)
    cores: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contestant:
    """One line of the table.

    Attributes:
        name: What is measured.
        unit: Of the value.
        measure: Runs it once.
        beside: The name of the contestant of the same group that the ratio is to; None: no ratio.
        factor: Multiplies the ratio; 2 where one of these is two of those.
        must: What is asked of the ratio or the value, for people.
    """

    name: str
    unit: str
    measure: Callable[[], Figure]
    beside: str | None = None
    factor: float = 1.0
    must: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one contestant, one a round."""

    contestant: Contestant
    figures: Sequence[Figure]


def run_rounds(
    contestants: Sequence[Contestant], rounds: int, tell: Callable[[str], None]
) -> list[Line]:
    """Run all contestants in turns, so that a disturbance hits none of them alone.

    Args:
        contestants: In this order in every round.
        rounds: How often.
        tell: Called before each run with what runs.
    """
    figures: dict[str, list[Figure]] = {one.name: [] for one in contestants}
    for number in range(1, rounds + 1):
        for one in contestants:
            tell(f"round {number} of {rounds}: {one.name}")
            figure = one.measure()
            figures[one.name].append(figure)
    return [Line(one, figures[one.name]) for one in contestants]


def ratios(line: Line, base: Line) -> list[float]:
    """Return the ratio to another contestant in each round."""
    return [
        line.contestant.factor * mine.value / theirs.value
        for mine, theirs in zip(line.figures, base.figures, strict=True)
    ]


def print_lines(console: Console, title: str, lines: Sequence[Line]) -> None:
    """Print one group of contestants as a table; ratios name the other line by its letter."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("what")
    for name in ("median", "range"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("unit", "ratio (range)", "must be", "p50 / p99 ms", "CPU µs each", "foreign"):
        table.add_column(name)
    letters = {
        line.contestant.name: letter for line, letter in zip(lines, ascii_uppercase, strict=False)
    }
    by_name = {line.contestant.name: line for line in lines}
    for line in lines:
        values = [figure.value for figure in line.figures]
        beside = line.contestant.beside
        table.add_row(
            letters[line.contestant.name],
            line.contestant.name,
            _number(statistics.median(values)),
            f"{_number(min(values))}..{_number(max(values))}",
            line.contestant.unit,
            "" if beside is None else f"{_ratio(line, by_name[beside])} x {letters[beside]}",
            line.contestant.must,
            _latency(line.figures),
            _cpu(line.figures),
            f"{max(figure.cores.get(FOREIGN, 0.0) for figure in line.figures):.2f}",
        )
    console.print(table)
    for line in lines:
        refused = [dict(figure.errors) for figure in line.figures if figure.errors]
        if refused:
            console.print(
                f"   {letters[line.contestant.name]} was refused and tried again: {refused}"
            )
    console.print()


def _ratio(line: Line, base: Line) -> str:
    found = ratios(line, base)
    return f"{statistics.median(found):.2f} ({min(found):.2f}..{max(found):.2f})"


def _latency(figures: Sequence[Figure]) -> str:
    return ", ".join(
        f"{step} {statistics.median(figure.p50[step] for figure in figures):.1f} / "
        f"{statistics.median(figure.p99[step] for figure in figures):.1f}"
        for step in figures[0].p50
    )


def _cpu(figures: Sequence[Figure]) -> str:
    """Say how much CPU each part used for one of what was done, which noise hardly changes."""
    return ", ".join(
        f"{part} {statistics.median(one.cores[part] / one.rate * 1e6 for one in figures):,.0f}"
        for part in figures[0].cores
        if part != FOREIGN
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= PERCENT else f"{value:.1f}"
