"""Look into the hopper, its history and its finals."""

from typing import Annotated

import typer

from callhopper.v1 import hopper_service_pb2 as hopper
from callhopper.v1 import types_pb2
from server.cli.connection import connected
from server.cli.failures import bad_value
from server.cli.options import CampaignOption, ContactOption, Json, Limit, group
from server.cli.output import as_dict, note, print_json, show_all
from server.cli.resources import campaign_name, pages

app = group("Look into the hopper: what is dialed next.")


@app.command("list")
def list_entries(
    ctx: typer.Context,
    *,
    campaign: CampaignOption,
    contact: ContactOption = None,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only READY, LIVE or HELD entries."),
    ] = None,
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List the open entries of a campaign and what each calls next."""
    wanted = [_word("--state", one, hopper.HopperEntry.State, "STATE_") for one in states or ()]
    with connected(ctx) as stubs:
        request = hopper.ListHopperEntriesRequest(
            campaign=campaign_name(stubs, campaign), contact=contact or "", states=wanted
        )
        found = list(pages(stubs.hopper.ListHopperEntries, request, "entries", most=limit))
    columns = {
        "entry": "name",
        "state": "state",
        "due in": "due_in",
        "cycle": "cycle",
        "calls": "attempt_count",
        "last number": "last_number",
        "came to": "last_status",
        "next number": "next_number",
        "because": "next_rule",
    }
    show_all("entries", found, columns, as_json=json)


@app.command()
def phones(
    ctx: typer.Context,
    *,
    campaign: CampaignOption,
    contact: ContactOption = None,
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List the additional phones of open entries in dial order, with their tallies."""
    with connected(ctx) as stubs:
        request = hopper.ListAdditionalPhonesRequest(
            campaign=campaign_name(stubs, campaign), contact=contact or ""
        )
        method = stubs.hopper.ListAdditionalPhones
        found = list(pages(method, request, "additional_phones", most=limit))
    columns = {
        "contact": "contact",
        "position": "dial_position",
        "number": "number",
        "type": "contact_item_type_display_name",
        "order": "order_by",
        "colour": "colour",
        "state": "state",
        "failed calls": "total",
        "cycle": "cycle",
    }
    show_all("additional_phones", found, columns, as_json=json)


@app.command()
def remove(
    ctx: typer.Context,
    *,
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="campaigns/ID/entries/ID.")],
    json: Json = False,
) -> None:
    """Take one entry out of the hopper."""
    with connected(ctx) as stubs:
        response = stubs.hopper.RemoveEntry(hopper.RemoveEntryRequest(name=entry))
    if json:
        print_json(as_dict(response))
    else:
        note("removed" if response.closed else "is on a call, and closes when it is reported")


def history(
    ctx: typer.Context,
    *,
    campaign: CampaignOption,
    contact: ContactOption = None,
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List ended calls in the order in which they were recorded."""
    with connected(ctx) as stubs:
        request = hopper.ListHistoryRequest(
            campaign=campaign_name(stubs, campaign), contact=contact or ""
        )
        found = list(pages(stubs.hopper.ListHistory, request, "calls", most=limit))
    columns = {
        "contact": "contact",
        "cycle": "cycle",
        "call": "attempt_number",
        "number": "number",
        "type": "contact_item_type_display_name",
        "came to": "status",
        "because": "rule",
        "due": "scheduled_time",
        "begun": "begin_time",
        "ended": "end_time",
    }
    show_all("calls", found, columns, as_json=json)


def final(
    ctx: typer.Context,
    *,
    campaign: CampaignOption,
    contact: ContactOption = None,
    reasons: Annotated[
        list[str] | None,
        typer.Option("--reason", metavar="REASON", help="Only those closed for this reason."),
    ] = None,
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List closed contacts and why they closed."""
    wanted = [
        _word("--reason", one, types_pb2.CloseReason, "CLOSE_REASON_") for one in reasons or ()
    ]
    with connected(ctx) as stubs:
        request = hopper.ListFinalRequest(
            campaign=campaign_name(stubs, campaign), contact=contact or "", reasons=wanted
        )
        found = list(pages(stubs.hopper.ListFinal, request, "entries", most=limit))
    columns = {
        "contact": "contact",
        "reason": "reason",
        "calls": "attempt_count",
        "cycles": "cycle_count",
        "last number": "last_number",
        "type": "last_contact_item_type_display_name",
        "came to": "last_status",
        "closed": "close_time",
    }
    show_all("entries", found, columns, as_json=json)


def _word(
    option: str,
    text: str,
    enum: "type[types_pb2.CloseReason | hopper.HopperEntry.State]",
    prefix: str,
) -> str:
    names = [name.removeprefix(prefix) for name in enum.keys()[1:]]
    if text.upper() not in names:
        raise bad_value(option, text, "must be one of " + ", ".join(names))
    return f"{prefix}{text.upper()}"
