"""Manage campaigns: `callhopper campaign`."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from google.protobuf.field_mask_pb2 import FieldMask

from callhopper.v1 import campaign_service_pb2 as campaigns
from server.cli import retry_options, values
from server.cli.connection import Stubs, connected
from server.cli.failures import bad_value
from server.cli.options import CampaignArgument, Force, Json, given, group
from server.cli.output import as_dict, note, print_json, print_table, show, show_all
from server.cli.resources import campaign_name, list_name, pages
from server.cli.retry_options import RetryOptions

app = group("Manage campaigns.")

Lists = Annotated[
    list[str] | None,
    typer.Option("--list", metavar="LIST", help="List to dial, by contactLists/ID or name."),
]
OneList = Annotated[
    str, typer.Argument(metavar="LIST", help="contactLists/ID, or its display name.")
]
Priority = Annotated[int | None, typer.Option(metavar="N", help="1 is highest (default 2).")]
StartTime = Annotated[str | None, typer.Option(metavar="TIME", help="Nothing is dialed before.")]
EndTime = Annotated[str | None, typer.Option(metavar="TIME", help="Nothing is dialed after.")]
Originate = Annotated[
    str | None, typer.Option(metavar="DURATION", help="How long a call may ring (default 30s).")
]
CallerId = Annotated[str | None, typer.Option(metavar="NUMBER", help="Number to show.")]
CheckDuplicate = Annotated[
    str | None, typer.Option(metavar="WHEN", help="NEVER, ALWAYS (default) or ONLY_IF_OPEN.")
]
DuplicateScope = Annotated[
    str | None, typer.Option(metavar="WHICH", help="ANY_NUMBER (default) or PRIMARY.")
]
FIELDS = (
    *("priority", "start_time", "end_time", "originate_timeout"),
    *("caller_id", "check_duplicate", "duplicate_scope"),
)


@app.command()
def create(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    lists: Lists = None,
    maxima: retry_options.Max = None,
    retry: retry_options.Retry = None,
    on_failure: retry_options.OnFailure = None,
    additional_delay: retry_options.AdditionalDelay = None,
    global_max: retry_options.GlobalMax = None,
    priority: Priority = None,
    start_time: StartTime = None,
    end_time: EndTime = None,
    originate_timeout: Originate = None,
    caller_id: CallerId = None,
    check_duplicate: CheckDuplicate = None,
    duplicate_scope: DuplicateScope = None,
    json: Json = False,
) -> None:
    """Add a campaign, in state DRAFT, and attach lists to it."""
    retries = RetryOptions.read(maxima, retry, on_failure, additional_delay, global_max)
    fields = _fields(
        priority=priority,
        start_time=start_time,
        end_time=end_time,
        originate_timeout=originate_timeout,
        caller_id=caller_id,
        check_duplicate=check_duplicate,
        duplicate_scope=duplicate_scope,
    )
    made = campaigns.Campaign(display_name=name, retry_settings=retries.over(), **fields)
    options = _options(made, retries) | {"campaign.display_name": "NAME"}
    with connected(ctx, options) as stubs:
        # Looked up first: a campaign is not made when one of its lists does not exist.
        names = [list_name(stubs, one) for one in lists or ()]
        request = campaigns.CreateCampaignRequest(campaign=made, request_id=str(uuid.uuid4()))
        created = stubs.campaigns.CreateCampaign(request).campaign
        for one in names:
            loaded = stubs.campaigns.AddCampaignList(
                campaigns.AddCampaignListRequest(name=created.name, contact_list=one)
            )
            note(_loaded(one, loaded))
        created = _get(stubs, created.name)
    show(created, as_json=json)


@app.command()
def get(ctx: typer.Context, *, campaign: CampaignArgument, json: Json = False) -> None:
    """Show a campaign."""
    with connected(ctx) as stubs:
        found = _get(stubs, campaign_name(stubs, campaign))
    show(found, as_json=json)


@app.command("list")
def list_campaigns(ctx: typer.Context, *, json: Json = False) -> None:
    """List campaigns."""
    with connected(ctx) as stubs:
        method = stubs.campaigns.ListCampaigns
        found = list(pages(method, campaigns.ListCampaignsRequest(), "campaigns"))
    columns = {
        "campaign": "display_name",
        "state": "state",
        "priority": "priority",
        "lists": "contact_lists",
        "name": "name",
    }
    show_all("campaigns", found, columns, as_json=json)


@app.command()
def update(
    ctx: typer.Context,
    *,
    campaign: CampaignArgument,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    maxima: retry_options.Max = None,
    retry: retry_options.Retry = None,
    on_failure: retry_options.OnFailure = None,
    additional_delay: retry_options.AdditionalDelay = None,
    global_max: retry_options.GlobalMax = None,
    priority: Priority = None,
    start_time: StartTime = None,
    end_time: EndTime = None,
    originate_timeout: Originate = None,
    caller_id: CallerId = None,
    check_duplicate: CheckDuplicate = None,
    duplicate_scope: DuplicateScope = None,
    json: Json = False,
) -> None:
    """Change a campaign; retry settings that no option names stay as they are."""
    retries = RetryOptions.read(maxima, retry, on_failure, additional_delay, global_max)
    fields = _fields(
        display_name=name,
        priority=priority,
        start_time=start_time,
        end_time=end_time,
        originate_timeout=originate_timeout,
        caller_id=caller_id,
        check_duplicate=check_duplicate,
        duplicate_scope=duplicate_scope,
    )
    options = {"campaign.display_name": "--name"}
    with connected(ctx, options) as stubs:
        changed = campaigns.Campaign(name=campaign_name(stubs, campaign), **fields)
        mask = list(fields)
        if retries:
            # The etag refuses the change if somebody else's settings came in between.
            present = _get(stubs, changed.name)
            changed.etag = present.etag
            changed.retry_settings.CopyFrom(retries.over(present.retry_settings))
            mask.append("retry_settings")
        options |= _options(changed, retries)
        request = campaigns.UpdateCampaignRequest(
            campaign=changed, update_mask=FieldMask(paths=mask)
        )
        updated = stubs.campaigns.UpdateCampaign(request).campaign
    show(updated, as_json=json)


@app.command()
def start(ctx: typer.Context, *, campaign: CampaignArgument, json: Json = False) -> None:
    """Let workers dial it."""
    with connected(ctx) as stubs:
        request = campaigns.StartCampaignRequest(name=campaign_name(stubs, campaign))
        started = stubs.campaigns.StartCampaign(request).campaign
    _show_state(started, as_json=json)


@app.command()
def pause(ctx: typer.Context, *, campaign: CampaignArgument, json: Json = False) -> None:
    """Dial nothing new; calls under way end."""
    with connected(ctx) as stubs:
        request = campaigns.PauseCampaignRequest(name=campaign_name(stubs, campaign))
        paused = stubs.campaigns.PauseCampaign(request).campaign
    _show_state(paused, as_json=json)


@app.command()
def stop(ctx: typer.Context, *, campaign: CampaignArgument, json: Json = False) -> None:
    """End it for good: open entries close as STOPPED."""
    with connected(ctx) as stubs:
        request = campaigns.StopCampaignRequest(name=campaign_name(stubs, campaign))
        response = stubs.campaigns.StopCampaign(request)
    if json:
        print_json(as_dict(response))
    else:
        _show_state(response.campaign, as_json=False)
        note(f"{response.closed_entry_count} entries closed, {response.live_entry_count} on a call")


@app.command("add-list")
def add_list(
    ctx: typer.Context, *, campaign: CampaignArgument, contact_list: OneList, json: Json = False
) -> None:
    """Attach a list and load its contacts."""
    with connected(ctx) as stubs:
        request = campaigns.AddCampaignListRequest(
            name=campaign_name(stubs, campaign), contact_list=list_name(stubs, contact_list)
        )
        response = stubs.campaigns.AddCampaignList(request)
    if json:
        print_json(as_dict(response))
    else:
        note(_loaded(contact_list, response))


@app.command("remove-list")
def remove_list(
    ctx: typer.Context, *, campaign: CampaignArgument, contact_list: OneList, json: Json = False
) -> None:
    """Detach a list; its open entries close as REMOVED."""
    with connected(ctx) as stubs:
        request = campaigns.RemoveCampaignListRequest(
            name=campaign_name(stubs, campaign), contact_list=list_name(stubs, contact_list)
        )
        response = stubs.campaigns.RemoveCampaignList(request)
    if json:
        print_json(as_dict(response))
    else:
        note(f"{response.closed_entry_count} entries closed, {response.live_entry_count} on a call")


@app.command()
def stats(ctx: typer.Context, *, campaign: CampaignArgument, json: Json = False) -> None:
    """Count entries and calls."""
    with connected(ctx) as stubs:
        request = campaigns.GetCampaignStatsRequest(name=campaign_name(stubs, campaign))
        counted = as_dict(stubs.campaigns.GetCampaignStats(request).stats)
    if json:
        print_json(counted)
        return
    entries = ("loaded", "ready", "due", "live", "held", "final")
    print_table(
        (*entries, "calls", "next due in"),
        [
            [
                *(counted[f"{one}_count"] for one in entries),
                counted["call_count"],
                counted["next_due_in"],
            ]
        ],
    )
    for heading, field, key in (
        ("calls ended as", "call_statuses", "status"),
        ("contacts closed as", "close_reasons", "reason"),
    ):
        if counted[field]:
            print_table((heading, "count"), [[one[key], one["count"]] for one in counted[field]])


@app.command()
def delete(ctx: typer.Context, *, campaign: CampaignArgument, force: Force = False) -> None:
    """Delete a campaign; with --force its history too."""
    with connected(ctx) as stubs:
        name = campaign_name(stubs, campaign)
        stubs.campaigns.DeleteCampaign(campaigns.DeleteCampaignRequest(name=name, force=force))
    note("deleted")


def _get(stubs: Stubs, name: str) -> campaigns.Campaign:
    return stubs.campaigns.GetCampaign(campaigns.GetCampaignRequest(name=name)).campaign


def _fields(**texts: Any) -> dict[str, Any]:
    fields = given(**texts)
    for name in ("start_time", "end_time"):
        if name in fields:
            fields[name] = values.moment(f"--{name.replace('_', '-')}", fields[name])
    if "originate_timeout" in fields:
        fields["originate_timeout"] = values.duration(
            "--originate-timeout", fields["originate_timeout"]
        )
    for name, choices in (
        ("check_duplicate", ("NEVER", "ALWAYS", "ONLY_IF_OPEN")),
        ("duplicate_scope", ("ANY_NUMBER", "PRIMARY")),
    ):
        if name in fields:
            fields[name] = _choice(name, fields[name], choices)
    return fields


def _choice(name: str, text: str, choices: Sequence[str]) -> str:
    if text.upper() not in choices:
        option = f"--{name.replace('_', '-')}"
        raise bad_value(option, text, "must be one of " + ", ".join(choices))
    return f"{name.upper()}_{text.upper()}"


def _options(campaign: campaigns.Campaign, retries: RetryOptions) -> dict[str, str]:
    options = {f"campaign.{field}": f"--{field.replace('_', '-')}" for field in FIELDS}
    return options | retries.fields(campaign.retry_settings, "campaign.retry_settings")


def _loaded(contact_list: str, response: campaigns.AddCampaignListResponse) -> str:
    return (
        f"{contact_list}: {response.loaded_entry_count} contacts loaded, "
        f"{response.duplicate_contact_count} left out as duplicates"
    )


def _show_state(campaign: campaigns.Campaign, *, as_json: bool) -> None:
    if as_json:
        show(campaign, as_json=True)
    else:
        state = campaigns.Campaign.State.Name(campaign.state).removeprefix("STATE_")
        note(f"{campaign.display_name} ({campaign.name}) is {state}")
