"""Run the benchmark: `python -m bench --help`."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench import machine
from bench.databases import open_cluster
from bench.figures import Line, print_lines, run_rounds
from bench.groups import GROUPS, Bench, Sizes
from bench.processes import Window

PLAIN_WIDTH = 200  # columns where no terminal says otherwise


def main(
    *,
    only: Annotated[
        list[str] | None, typer.Option(help=f"Groups: {', '.join(GROUPS)}. All when not given.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each contestant.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.1, help="Measured in each run.")] = 3.0,
    warm_up: Annotated[float, typer.Option(min=0, help="Seconds before that.")] = 1.5,
    entries: Annotated[int, typer.Option(min=600, help="Open entries.")] = 200_000,
    deep: Annotated[
        int, typer.Option(min=10_000, help="Open entries of a deep hopper.")
    ] = 1_000_000,
    contacts: Annotated[int, typer.Option(min=100, help="Contacts loaded at once.")] = 200_000,
    clients: Annotated[int, typer.Option(min=1, help="Clients with one call at a time.")] = 500,
    readers: Annotated[int, typer.Option(min=1, help="Clients that read contacts.")] = 32,
    due_rate: Annotated[int, typer.Option(min=1, help="Entries due a second, on time.")] = 200,
    data: Annotated[
        Path | None, typer.Option(help="Where the database's folder is made; on a real disk.")
    ] = None,
) -> None:
    """Measure what the README claims, side by side, and print tables.

    Starts an embedded PostgreSQL that keeps what it commits, or uses the one that DATABASE_URL
    names. Read ratios, not absolute figures, and look at the foreign CPU.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # leave nothing behind
    chosen = only or list(GROUPS)
    unknown = set(chosen) - GROUPS.keys()
    if unknown:
        raise typer.BadParameter(f"no such groups: {', '.join(sorted(unknown))}")
    sizes = Sizes(
        window=Window(warm_up, seconds),
        entries=entries,
        deep=deep,
        contacts=contacts,
        clients=clients,
        readers=readers,
        due_rate=due_rate,
    )
    screen = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH, no_color=True)
    with open_cluster(data) as cluster:
        screen.print(f"{machine.describe()}, PostgreSQL {cluster.version}, fsync on")
        screen.print(
            f"{rounds} rounds of {warm_up:g} s warm-up and {seconds:g} s measured, in turns\n"
        )
        bench = Bench(cluster, sizes)
        for name in chosen:
            title = str(GROUPS[name].__doc__)
            print_lines(screen, title, _run(bench, name, rounds, screen))


def _run(bench: Bench, name: str, rounds: int, screen: Console) -> list[Line]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=screen, transient=True, disable=not screen.is_terminal
    ) as progress:
        task = progress.add_task(f"{name}: preparing", total=None)
        begun = -1

        def tell(text: str) -> None:
            nonlocal begun
            begun += 1
            progress.update(task, description=f"{name}: {text}", completed=begun)
            if not screen.is_terminal:
                print(f"{name}: {text}", file=sys.stderr, flush=True)

        with GROUPS[name](bench) as contestants:
            progress.update(task, total=rounds * len(contestants))
            return run_rounds(contestants, rounds, tell)


if __name__ == "__main__":
    typer.run(main)
