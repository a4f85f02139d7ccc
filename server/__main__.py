"""Start `callhopper`, the command line."""

from typing import Annotated

import typer

from server.cli import plan
from server.cli.connection import DEFAULT_ADDRESS, Target
from server.cli.failures import Commands

EXIT_CODES = (
    "Exit codes: 0 done, 1 refused or not found, 2 wrong command line, "
    "3 server or database not reachable, 130 interrupted."
)

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES,
)


@app.callback()
def callhopper(
    ctx: typer.Context,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            envvar="CALLHOPPER_ADDRESS",
            help=f"Server that the commands talk to (default {DEFAULT_ADDRESS}).",
        ),
    ] = None,
) -> None:
    """Dial contacts with many numbers: a gRPC server, and the commands that talk to it."""
    ctx.obj = Target(address or DEFAULT_ADDRESS, is_given=bool(address))


app.command()(plan.plan)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
