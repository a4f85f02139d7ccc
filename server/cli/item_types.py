"""Manage contact item types: `callhopper type`."""

import uuid
from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask

from callhopper.v1 import contact_item_type_service_pb2 as types
from server.cli.connection import connected
from server.cli.options import Force, Json, given, group
from server.cli.output import as_dict, note, print_json, show, show_all
from server.cli.resources import item_type_name, pages

app = group("Manage contact item types: the kinds of additional phones and their dial order.")

OPTIONS = {
    "contact_item_type.display_name": "NAME",
    "contact_item_type.order_by": "--order",
    "contact_item_type.colour": "--colour",
}
Name = Annotated[str, typer.Argument(metavar="TYPE", help="contactItemTypes/ID, or its name.")]
Colour = Annotated[str | None, typer.Option(metavar="#RRGGBB", help="Colour label.")]


@app.command()
def create(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="What people call it, such as Office.")],
    order: Annotated[int, typer.Option(metavar="N", help="Dial order; 1 is dialed first.")],
    colour: Colour = None,
    validate_only: Annotated[bool, typer.Option(help="Check, and store nothing.")] = False,
    json: Json = False,
) -> None:
    """Add an item type."""
    made = types.ContactItemType(display_name=name, order_by=order, colour=colour or "")
    with connected(ctx, OPTIONS) as stubs:
        response = stubs.contact_item_types.CreateContactItemType(
            types.CreateContactItemTypeRequest(
                contact_item_type=made, request_id=str(uuid.uuid4()), validate_only=validate_only
            )
        )
    show(response.contact_item_type, as_json=json)


@app.command("list")
def list_types(ctx: typer.Context, *, json: Json = False) -> None:
    """List item types in dial order."""
    with connected(ctx) as stubs:
        found = list(
            pages(
                stubs.contact_item_types.ListContactItemTypes,
                types.ListContactItemTypesRequest(),
                "contact_item_types",
            )
        )
    columns = {"type": "display_name", "order": "order_by", "colour": "colour", "name": "name"}
    show_all("contact_item_types", found, columns, as_json=json)


@app.command()
def update(
    ctx: typer.Context,
    *,
    item_type: Name,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    order: Annotated[int | None, typer.Option(metavar="N", help="New dial order.")] = None,
    colour: Colour = None,
    validate_only: Annotated[bool, typer.Option(help="Show the effect, change nothing.")] = False,
    json: Json = False,
) -> None:
    """Change an item type; all open hopper entries follow at once."""
    fields = given(display_name=name, order_by=order, colour=colour)
    options = OPTIONS | {"contact_item_type.display_name": "--name"}
    with connected(ctx, options) as stubs:
        changed = types.ContactItemType(name=item_type_name(stubs, item_type), **fields)
        response = stubs.contact_item_types.UpdateContactItemType(
            types.UpdateContactItemTypeRequest(
                contact_item_type=changed,
                update_mask=FieldMask(paths=list(fields)),
                validate_only=validate_only,
            )
        )
    if json:
        print_json(as_dict(response))
        return
    show(response.contact_item_type, as_json=False)
    note(
        f"{response.affected_entry_count} open entries have a phone of this type, "
        f"{response.changed_next_call_count} are called on another number next"
    )


@app.command()
def delete(
    ctx: typer.Context, *, item_type: Name, force: Force = False, json: Json = False
) -> None:
    """Delete an item type; with --force its phones become untyped."""
    with connected(ctx) as stubs:
        response = stubs.contact_item_types.DeleteContactItemType(
            types.DeleteContactItemTypeRequest(name=item_type_name(stubs, item_type), force=force)
        )
    if json:
        print_json(as_dict(response))
    else:
        note(f"deleted; {response.untyped_phone_count} phones became untyped")
