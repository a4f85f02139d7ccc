"""Manage contact lists: `callhopper list`."""

import uuid
from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask

from callhopper.v1 import contact_list_service_pb2 as lists
from server.cli.connection import Stubs, connected
from server.cli.options import Force, Json, given, group
from server.cli.output import as_dict, note, print_json, show, show_all
from server.cli.resources import list_name, pages

app = group("Manage contact lists.")

OPTIONS = {
    "contact_list.display_name": "NAME",
    "contact_list.default_region": "--region",
}
Name = Annotated[str, typer.Argument(metavar="LIST", help="contactLists/ID, or its display name.")]
Region = Annotated[
    str | None, typer.Option(metavar="XX", help="Region of numbers without a country code.")
]
Extensions = Annotated[
    bool | None,
    typer.Option("--extensions/--no-extensions", help="Whether internal extensions are numbers."),
]


def create_list(
    stubs: Stubs, name: str, region: str | None = None, *, extensions: bool = False
) -> lists.ContactList:
    """Add an empty list."""
    made = lists.ContactList(
        display_name=name, default_region=region or "", extensions_allowed=extensions
    )
    request = lists.CreateContactListRequest(contact_list=made, request_id=str(uuid.uuid4()))
    return stubs.contact_lists.CreateContactList(request).contact_list


@app.command()
def create(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    region: Region = None,
    extensions: Extensions = None,
    json: Json = False,
) -> None:
    """Add an empty list."""
    with connected(ctx, OPTIONS) as stubs:
        made = create_list(stubs, name, region, extensions=bool(extensions))
    show(made, as_json=json)


@app.command()
def get(ctx: typer.Context, *, contact_list: Name, json: Json = False) -> None:
    """Show a list and how many contacts it has."""
    with connected(ctx) as stubs:
        request = lists.GetContactListRequest(name=list_name(stubs, contact_list))
        found = stubs.contact_lists.GetContactList(request).contact_list
    show(found, as_json=json)


@app.command("list")
def list_lists(ctx: typer.Context, *, json: Json = False) -> None:
    """List the lists."""
    with connected(ctx) as stubs:
        method = stubs.contact_lists.ListContactLists
        found = list(pages(method, lists.ListContactListsRequest(), "contact_lists"))
    columns = {"list": "display_name", "region": "default_region", "name": "name"}
    show_all("contact_lists", found, columns, as_json=json)


@app.command()
def update(
    ctx: typer.Context,
    *,
    contact_list: Name,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    region: Region = None,
    extensions: Extensions = None,
    json: Json = False,
) -> None:
    """Change a list; numbers already stored stay as they are."""
    fields = given(display_name=name, default_region=region, extensions_allowed=extensions)
    with connected(ctx, OPTIONS | {"contact_list.display_name": "--name"}) as stubs:
        changed = lists.ContactList(name=list_name(stubs, contact_list), **fields)
        response = stubs.contact_lists.UpdateContactList(
            lists.UpdateContactListRequest(
                contact_list=changed, update_mask=FieldMask(paths=list(fields))
            )
        )
    show(response.contact_list, as_json=json)


@app.command()
def delete(
    ctx: typer.Context, *, contact_list: Name, force: Force = False, json: Json = False
) -> None:
    """Delete a list; with --force its contacts too."""
    with connected(ctx) as stubs:
        name = list_name(stubs, contact_list)
        response = stubs.contact_lists.DeleteContactList(
            lists.DeleteContactListRequest(name=name, force=force)
        )
    if json:
        print_json(as_dict(response))
    else:
        note(f"deleted, with {response.deleted_contact_count} contacts")
