"""Start `callhopper`, the command line."""

from typing import Annotated, Final

import typer

from server.cli import (
    campaigns,
    contact_lists,
    contacts,
    demo,
    hopper,
    importing,
    item_types,
    plan,
    serving,
    workers,
)
from server.cli.connection import DEFAULT_ADDRESS, Target
from server.cli.failures import Commands

EXIT_CODES: Final = (
    "Exit codes: 0 done, 1 refused or not found, 2 wrong command line or setting, "
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


app.command()(serving.serve)
app.command()(serving.migrate)
app.command()(serving.doctor)
app.command()(demo.demo)
app.command()(plan.plan)
app.command("import")(importing.import_file)
app.add_typer(campaigns.app, name="campaign")
app.add_typer(contact_lists.app, name="list")
app.add_typer(contacts.app, name="contact")
app.add_typer(item_types.app, name="type")
app.add_typer(hopper.app, name="hopper")
app.command()(hopper.history)
app.command()(hopper.final)
app.command()(workers.worker)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
