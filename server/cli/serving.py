"""Run the server and look after its database: `serve`, `migrate`, `doctor`."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from server.cli.failures import ExitCode, Failure
from server.cli.options import Json
from server.cli.output import print_json, print_table
from server.settings import Settings


def serve(
    *,
    listen: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where to listen (default 127.0.0.1:50051)."),
    ] = None,
) -> None:
    """Serve until SIGTERM or Control-C, then let calls under way end.

    Uses the database in DATABASE_URL, which `callhopper migrate` brings up to date; without one an
    embedded PostgreSQL under CALLHOPPER_DATA, brought up to date at start.
    """
    # Loaded here: other commands need neither server nor database, and start sooner without.
    from server.app import serve as run_server  # noqa: PLC0415
    from server.cli.database import explained  # noqa: PLC0415

    settings = Settings.from_environment(listen=listen)
    host = settings.listen.rpartition(":")[0]
    with explained():
        try:
            asyncio.run(run_server(settings, ready=lambda port: _tell_ready(f"{host}:{port}")))
        except OSError as error:
            raise Failure(str(error)) from error


def migrate(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 when it is not up to date.")
    ] = False,
) -> None:
    """Bring the database to the newest schema."""
    from server import migrate as migrations  # noqa: PLC0415 - as in serve
    from server.cli.database import database, explained, schema_problem  # noqa: PLC0415

    settings = Settings.from_environment()
    with explained(), database(settings, only_existing=check) as dsn:
        if not check:
            applied = migrations.migrate(dsn, settings.schema, tell=typer.echo)
            typer.echo(f"up to date: {len(applied)} migrations applied now")
            return
        problem = schema_problem(migrations.status(dsn, settings.schema))
    if problem:
        raise Failure(problem)
    typer.echo("up to date")


def doctor(
    *,
    json: Json = False,
) -> None:
    """Show all settings and where they come from, and check the database."""
    from server.cli.database import examine  # noqa: PLC0415 - as in serve

    settings = Settings.from_environment()
    checks = examine(settings)
    rows = settings.describe()
    if json:
        print_json(
            {
                "settings": [row._asdict() for row in rows],
                "checks": [asdict(check) for check in checks],
            }
        )
    else:
        print_table(("setting", "value", "from", "what it is"), rows)
        words = {True: "good", False: "BAD", None: "note"}
        found = [[check.check, words[check.is_good], check.found] for check in checks]
        print_table(("check", "", "found"), found)
    if any(check.is_good is False for check in checks):
        reachable = any(check.check == "database" and check.is_good for check in checks)
        raise typer.Exit(ExitCode.REFUSED if reachable else ExitCode.UNREACHABLE)


def _tell_ready(address: str) -> None:
    typer.echo(f"callhopper serves at {address}")
