"""Manage contacts: `callhopper contact`."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from google.protobuf.field_mask_pb2 import FieldMask

from callhopper.v1 import contact_service_pb2 as contacts
from server.cli.connection import Stubs, connected
from server.cli.failures import bad_value
from server.cli.options import Json, Limit, ListOption, given, group
from server.cli.output import as_dict, note, print_json, print_table, show
from server.cli.resources import item_type_name, list_name, pages

app = group("Manage contacts and their numbers.")

Name = Annotated[str, typer.Argument(metavar="contacts/ID", help="The contact.")]
Additional = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[TYPE=]NUMBER",
        help="Additional phone, in order of entry; split at the last =. Without TYPE: untyped.",
    ),
]
FirstName = Annotated[str | None, typer.Option(help="First name.")]
LastName = Annotated[str | None, typer.Option(help="Last name.")]
Email = Annotated[str | None, typer.Option(help="Email address.")]
Company = Annotated[str | None, typer.Option(help="Company.")]
Priority = Annotated[int | None, typer.Option(metavar="N", help="Priority; 1 is highest.")]
PersonKey = Annotated[str | None, typer.Option(help="The same human in several lists.")]


@app.command()
def create(
    ctx: typer.Context,
    *,
    contact_list: ListOption,
    phone: Annotated[str, typer.Option(metavar="NUMBER", help="Primary phone.")],
    additional: Additional = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    email: Email = None,
    company: Company = None,
    priority: Priority = None,
    person_key: PersonKey = None,
    validate_only: Annotated[bool, typer.Option(help="Check, and store nothing.")] = False,
    json: Json = False,
) -> None:
    """Add a contact to a list, and so to every campaign that dials it."""
    fields = given(
        first_name=first_name,
        last_name=last_name,
        email=email,
        company=company,
        priority=priority,
        person_key=person_key,
    )
    with connected(ctx, _options(additional)) as stubs:
        made = contacts.Contact(
            contact_list=list_name(stubs, contact_list),
            phone=phone,
            additional_phones=_phones(stubs, additional or ()),
            **fields,
        )
        request = contacts.CreateContactRequest(
            contact=made, request_id=str(uuid.uuid4()), validate_only=validate_only
        )
        response = stubs.contacts.CreateContact(request)
    _show_contact(response.contact, as_json=json)


@app.command()
def get(ctx: typer.Context, *, contact: Name, json: Json = False) -> None:
    """Show a contact with all its numbers in dial order."""
    with connected(ctx) as stubs:
        response = stubs.contacts.GetContact(contacts.GetContactRequest(name=contact))
    _show_contact(response.contact, as_json=json)


@app.command("list")
def list_contacts(
    ctx: typer.Context,
    *,
    contact_list: Annotated[
        str | None, typer.Option("--list", metavar="LIST", help="Only contacts of this list.")
    ] = None,
    name_prefix: Annotated[str, typer.Option(help="Beginning of the first or last name.")] = "",
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List contacts by id."""
    with connected(ctx) as stubs:
        request = contacts.ListContactsRequest(
            contact_list=list_name(stubs, contact_list) if contact_list else "",
            name_prefix=name_prefix,
        )
        found = list(pages(stubs.contacts.ListContacts, request, "contacts", most=limit))
    _show_contacts(found, as_json=json)


@app.command()
def lookup(
    ctx: typer.Context,
    *,
    number: Annotated[str, typer.Argument(help="Any number of the contact.")],
    region: Annotated[
        str, typer.Option(metavar="XX", help="Region of a number without a country code.")
    ] = "",
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """Find the contacts that have a number, primary or additional."""
    with connected(ctx, {"number": "NUMBER", "default_region": "--region"}) as stubs:
        request = contacts.LookupContactsRequest(number=number, default_region=region)
        found = list(pages(stubs.contacts.LookupContacts, request, "contacts", most=limit))
    _show_contacts(found, as_json=json)


@app.command()
def update(
    ctx: typer.Context,
    *,
    contact: Name,
    phone: Annotated[str | None, typer.Option(metavar="NUMBER", help="Primary phone.")] = None,
    additional: Annotated[
        list[str] | None,
        typer.Option(metavar="[TYPE=]NUMBER", help="Additional phones instead of all present."),
    ] = None,
    no_additional: Annotated[
        bool, typer.Option("--no-additional", help="Remove all additional phones.")
    ] = False,
    first_name: FirstName = None,
    last_name: LastName = None,
    email: Email = None,
    company: Company = None,
    priority: Priority = None,
    person_key: PersonKey = None,
    json: Json = False,
) -> None:
    """Change a contact; its open hopper entries follow at once."""
    fields: dict[str, Any] = given(
        phone=phone,
        first_name=first_name,
        last_name=last_name,
        email=email,
        company=company,
        priority=priority,
        person_key=person_key,
    )
    with connected(ctx, _options(additional)) as stubs:
        if additional or no_additional:
            fields["additional_phones"] = _phones(stubs, additional or ())
        response = stubs.contacts.UpdateContact(
            contacts.UpdateContactRequest(
                contact=contacts.Contact(name=contact, **fields),
                update_mask=FieldMask(paths=list(fields)),
            )
        )
    _show_contact(response.contact, as_json=json)


@app.command()
def delete(ctx: typer.Context, *, contact: Name) -> None:
    """Delete a contact; what was dialed stays in history and final."""
    with connected(ctx) as stubs:
        stubs.contacts.DeleteContact(contacts.DeleteContactRequest(name=contact))
    note("deleted")


def _options(additional: Sequence[str] | None) -> dict[str, str]:
    options = {
        f"contact.{field}": f"--{field.replace('_', '-')}"
        for field in (
            *("phone", "first_name", "last_name", "email", "company", "priority", "person_key"),
        )
    }
    options |= {
        f"contact.additional_phones[{place}]": f"--additional {text!r}"
        for place, text in enumerate(additional or ())
    }
    return options | {"contact.additional_phones": "--additional"}


def _phones(stubs: Stubs, texts: Sequence[str]) -> list[contacts.AdditionalPhone]:
    phones = []
    for text in texts:
        name, separator, number = text.rpartition("=")
        if separator and not name.strip():
            raise bad_value("--additional", text, "the item type before = is missing")
        item_type = item_type_name(stubs, name.strip()) if separator else ""
        phones.append(contacts.AdditionalPhone(number=number.strip(), contact_item_type=item_type))
    return phones


def _show_contact(contact: contacts.Contact, *, as_json: bool) -> None:
    if as_json:
        show(contact, as_json=True)
        return
    plain = contacts.Contact()
    plain.CopyFrom(contact)
    plain.ClearField("additional_phones")
    plain.ClearField("warnings")
    show(plain, as_json=False)
    if contact.additional_phones:
        rows = [
            [
                one.dial_position,
                one.number,
                one.contact_item_type_display_name,
                one.order_by or None,
                one.colour,
            ]
            for one in contact.additional_phones
        ]
        print_table(("position", "additional phone", "type", "order", "colour"), rows)
    for warning in contact.warnings:
        note(f"warning: {warning}")


def _show_contacts(found: Sequence[contacts.Contact], *, as_json: bool) -> None:
    if as_json:
        print_json({"contacts": [as_dict(one) for one in found]})
        return
    rows = [
        [
            one.name,
            f"{one.first_name} {one.last_name}".strip(),
            one.phone,
            [_phone(phone) for phone in one.additional_phones],
            one.priority,
        ]
        for one in found
    ]
    print_table(("contact", "person", "primary phone", "additional phones", "priority"), rows)


def _phone(phone: contacts.AdditionalPhone) -> str:
    return f"{phone.contact_item_type_display_name} {phone.number}".strip()
