"""Dial into a simulated telephone exchange: `callhopper worker --simulate`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from callhopper.call import Outcome
from server.cli import values
from server.cli.connection import connected
from server.cli.failures import ExitCode, Failure, bad_value
from server.cli.options import Json
from server.cli.output import note, print_json
from server.cli.resources import campaign_name


def worker(
    ctx: typer.Context,
    *,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Dial into a simulated exchange; no phone rings.")
    ] = False,
    campaigns: Annotated[
        list[str] | None,
        typer.Option("--campaign", metavar="CAMPAIGN", help="Only these; all that run if none."),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=100_000, help="Most calls at once.")] = 50,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--outcome",
            metavar="NUMBER=OUTCOMES",
            help="What calls to numbers with this end come to; the last repeats.",
        ),
    ] = None,
    chances: Annotated[
        list[str] | None,
        typer.Option("--chance", metavar="OUTCOME=WEIGHT", help="For all other numbers."),
    ] = None,
    time_scale: Annotated[
        float, typer.Option(min=0, help="Real seconds for a second of a call; 0: instantaneous.")
    ] = 1.0,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Log of the exchange, shared by workers.")
    ] = None,
    json: Json = False,
) -> None:
    """Dial what is due into a simulated exchange, until SIGTERM or Control-C.

    For real calls, write a worker with the client library; clients/ has examples.
    """
    # Loaded here: no other command needs the worker.
    from callhopper.simulation import simulate as run  # noqa: PLC0415

    if not simulate:
        raise Failure(
            "only simulated workers can be started here: add --simulate, "
            "or write a worker with the client library",
            ExitCode.USAGE,
        )
    settings: dict[str, Any] = {
        "rules": dict(_rule(text) for text in rules or ()) or None,
        "chances": dict(_chance(text) for text in chances or ()) or None,
    }
    if not ctx.obj.answers():
        note(f"no server answers at {ctx.obj.address} yet: trying until one does")
    with connected(ctx) as stubs:
        named = [campaign_name(stubs, one) for one in campaigns or ()]
    stats = run(
        ctx.obj.address,
        campaigns=named,
        concurrency=concurrency,
        seed=seed,
        time_scale=time_scale,
        log=log,
        **settings,
    )
    counts = {name: getattr(stats, name) for name in type(stats).__dataclass_fields__}
    if json:
        print_json(counts)
    else:
        note(", ".join(f"{name} {count}" for name, count in counts.items()))


def _rule(text: str) -> tuple[str, list[Outcome]]:
    number, sequence = values.pair("--outcome", text, "=", "NUMBER=OUTCOMES")
    words = values.outcomes("--outcome", sequence)
    return number, [Outcome[word.removeprefix("OUTCOME_")] for word in words]


def _chance(text: str) -> tuple[Outcome, float]:
    name, weight = values.pair("--chance", text, "=", "OUTCOME=WEIGHT")
    [word] = values.outcomes("--chance", name.replace(",", " "))
    try:
        weighed = float(weight)
    except ValueError:
        weighed = -1
    if not 0 <= weighed < float("inf"):
        raise bad_value("--chance", text, "the weight must be a number from 0")
    return Outcome[word.removeprefix("OUTCOME_")], weighed
