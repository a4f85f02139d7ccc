"""Hold the options that several commands share."""

from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Force = Annotated[bool, typer.Option(help="Also when others refer to it.")]
Limit = Annotated[int, typer.Option(min=0, help="Most to show; 0 for all.")]
CampaignArgument = Annotated[
    str, typer.Argument(metavar="CAMPAIGN", help="campaigns/ID, or its display name.")
]
CampaignOption = Annotated[
    str, typer.Option(metavar="CAMPAIGN", help="campaigns/ID, or its display name.")
]
ContactOption = Annotated[
    str | None, typer.Option(metavar="contacts/ID", help="Only those of this contact.")
]
ListOption = Annotated[
    str, typer.Option("--list", metavar="LIST", help="contactLists/ID, or its display name.")
]


def group(text: str) -> typer.Typer:
    """Make a group of commands that shows its help when none is named."""
    return typer.Typer(help=text, no_args_is_help=True)


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}
