"""Show which calls would be made, and why: `callhopper plan`."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import grpc
import typer

from callhopper.v1 import campaign_service_pb2 as campaigns
from callhopper.v1 import types_pb2
from server.cli import retry_options, values
from server.cli.connection import Stubs, Target, open_stubs
from server.cli.failures import ExitCode, Failure, bad_value, failure_of
from server.cli.output import enum_word, note, print_json, print_table
from server.cli.resources import campaign_name
from server.cli.retry_options import RetryOptions
from server.settings import Settings


def plan(
    ctx: typer.Context,
    *,
    phone: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Primary phone of a contact made up here.")
    ] = None,
    additional: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TYPE=]NUMBER",
            help="Additional phone, in order of entry; split at the last =. Without TYPE: untyped.",
        ),
    ] = None,
    item_type: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="NAME:ORDER",
            help="Item type and its dial order; split at the last colon.",
        ),
    ] = None,
    maxima: retry_options.Max = None,
    retry: retry_options.Retry = None,
    on_failure: retry_options.OnFailure = None,
    additional_delay: retry_options.AdditionalDelay = None,
    global_max: retry_options.GlobalMax = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NUMBER=]OUTCOMES",
            help="What calls come to, separated by commas; the last repeats. With NUMBER: the"
            " calls to it; without: to all others (default NO_ANSWER).",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When the first call may be made (default now)."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(metavar="XX", help="Region of numbers without a country code (default US)."),
    ] = None,
    contact: Annotated[
        str | None,
        typer.Option(metavar="contacts/ID", help="A stored contact, instead of --phone."),
    ] = None,
    campaign: Annotated[
        str | None,
        typer.Option(metavar="CAMPAIGN", help="Start from the settings of this campaign."),
    ] = None,
    max_calls: Annotated[
        str | None, typer.Option(metavar="N", help="Most calls to plan (default 1000).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Show which calls would be made, when and why, for assumed outcomes.

    Asks the server, which decides with the same SQL as the dialer and changes nothing. Where no
    server runs and none was named, one is run on a temporary database for the while.

    callhopper plan --phone +12025550100 --additional "Office=+12025550101" --type Office:1
    --retry NO_ANSWER=2m --additional-delay 1m --assume NO_ANSWER
    """
    if (phone is None) == (contact is None):
        raise Failure("give either --phone or --contact", ExitCode.USAGE)
    if contact is not None and (additional or item_type or region):
        raise Failure("--additional, --type and --region go with --phone", ExitCode.USAGE)
    retries = RetryOptions.read(maxima, retry, on_failure, additional_delay, global_max)
    options: dict[str, str] = {
        "contact": "--contact",
        "campaign": "--campaign",
        "start_time": "--start",
        "max_calls": "--max-calls",
    }
    request = campaigns.PlanCallsRequest(contact=contact)
    if phone is not None:
        request.draft_contact.CopyFrom(
            _draft(phone, additional or (), item_type or (), region, options)
        )
    _assume(request, assume or (), options)
    if start is not None:
        request.start_time.FromDatetime(values.moment("--start", start))
    if max_calls is not None:
        request.max_calls = values.whole("--max-calls", max_calls)
        if request.max_calls == 0:
            raise bad_value("--max-calls", max_calls, "must be at least 1")
    with _server(ctx.obj, is_draft=contact is None and campaign is None) as (address, stubs):
        try:
            response = _ask(stubs, request, retries, campaign, options)
        except grpc.RpcError as error:
            raise failure_of(error, address, options) from error
    if json:
        print_json(_as_json(response))
    else:
        _print_timeline(response)


def _ask(
    stubs: Stubs,
    request: campaigns.PlanCallsRequest,
    retries: RetryOptions,
    campaign: str | None,
    options: dict[str, str],
) -> campaigns.PlanCallsResponse:
    base = None
    if campaign is not None:
        request.campaign = campaign_name(stubs, campaign)
    if retries:
        if campaign is not None:
            got = stubs.campaigns.GetCampaign(campaigns.GetCampaignRequest(name=request.campaign))
            base = got.campaign.retry_settings
        request.retry_settings.CopyFrom(retries.over(base))
        options |= retries.fields(request.retry_settings, "retry_settings")
    return stubs.campaigns.PlanCalls(request)


@contextlib.contextmanager
def _server(target: Target, *, is_draft: bool) -> Iterator[tuple[str, Stubs]]:
    """Give the address and stubs of the server, of a temporary one where there is none.

    A plan of stored contacts or campaigns needs the server that has them.
    """
    with contextlib.ExitStack() as stack:
        address = target.address
        if is_draft and not target.is_given and not target.answers():
            # Here, because the server's modules take a while to load.
            from server.cli.temporary import temporary_server  # noqa: PLC0415

            note(f"no server at {address}: planning on a temporary one")
            settings = Settings(
                listen="127.0.0.1:0", pool_size=2, report_pool_size=1, log_level="error"
            )
            address = stack.enter_context(temporary_server(settings))
        yield address, stack.enter_context(open_stubs(address))


def _draft(
    phone: str,
    additional: Sequence[str],
    item_types: Sequence[str],
    region: str | None,
    options: dict[str, str],
) -> campaigns.DraftContact:
    draft = campaigns.DraftContact(phone=phone, default_region=region or "")
    path = "draft_contact"
    options |= {f"{path}.phone": "--phone", f"{path}.default_region": "--region"}
    options[f"{path}.additional_phones"] = "--additional"
    for place, text in enumerate(additional):
        name, separator, number = text.rpartition("=")
        if separator and not name.strip():
            raise bad_value("--additional", text, "the item type before = is missing")
        draft.additional_phones.add(
            number=number.strip(), contact_item_type_display_name=name.strip()
        )
        options[f"{path}.additional_phones[{place}]"] = f"--additional {text!r}"
    for place, text in enumerate(item_types):
        name, order = values.pair("--type", text, ":", "NAME:ORDER, such as Office:1")
        draft.contact_item_types.add(display_name=name, order_by=values.whole("--type", order))
        options[f"{path}.contact_item_types[{place}]"] = f"--type {text!r}"
    return draft


def _assume(
    request: campaigns.PlanCallsRequest, assumed: Sequence[str], options: dict[str, str]
) -> None:
    for place, text in enumerate(assumed):
        number, separator, sequence = text.rpartition("=")
        if separator and not number.strip():
            raise bad_value("--assume", text, "the number before = is missing")
        if not separator and any(not one.number for one in request.assumed_outcomes):
            raise bad_value("--assume", text, "a sequence for all other numbers was given already")
        request.assumed_outcomes.add(
            number=number.strip(), outcomes=values.outcomes("--assume", sequence)
        )
        options[f"assumed_outcomes[{place}]"] = f"--assume {text!r}"


def _as_json(response: campaigns.PlanCallsResponse) -> dict[str, Any]:
    closed = response.closed
    return {
        "calls": [
            {
                "at": values.iso(call.call_time.ToDatetime(tzinfo=UTC)),
                "number": call.number,
                "item_type": _item_type(call),
                "cycle": call.cycle,
                "position": call.position,
                "attempt": call.attempt_number,
                "status": _status(call.status),
                "rule": _rule(call.rule),
            }
            for call in response.calls
        ],
        "closed": {
            "at": values.iso(closed.close_time.ToDatetime(tzinfo=UTC)),
            "reason": _reason(closed.reason),
            "last_number": closed.last_number or None,
            "last_item_type": (
                closed.last_contact_item_type_display_name
                if closed.HasField("last_contact_item_type_display_name")
                else None
            ),
            "attempts": closed.attempt_count,
            "cycles": closed.cycle_count,
        }
        if response.HasField("closed")
        else None,
    }


def _print_timeline(response: campaigns.PlanCallsResponse) -> None:
    times = [call.call_time.ToDatetime(tzinfo=UTC) for call in response.calls]
    rows: list[Sequence[Any] | None] = []
    cycle = 1
    for at, call in zip(times, response.calls, strict=True):
        if call.cycle != cycle:
            rows.append(None)
        cycle = call.cycle
        rows.append(
            [
                call.cycle,
                call.attempt_number,
                offset(at, times[0]),
                at,
                call.number,
                _item_type(call) or ("primary" if call.position == 0 else "untyped"),
                _status(call.status),
                _rule(call.rule),
            ]
        )
    columns = ("cycle", "call", "after", "time", "number", "phone", "comes to", "because")
    print_table(columns, rows)
    if not response.HasField("closed"):
        typer.echo(f"cut off after {len(times)} calls: the contact is still open")
        return
    closed = response.closed
    at = closed.close_time.ToDatetime(tzinfo=UTC)
    after = f" after {offset(at, times[0])}" if times else ""
    typer.echo(
        f"closed{after}, at {values.iso(at)}: {_reason(closed.reason)} "
        f"({closed.attempt_count} calls, {closed.cycle_count} cycles, "
        f"last {closed.last_number or 'none'})"
    )


def offset(at: datetime, start: datetime) -> str:
    """Write the time since a start as minutes and seconds: `0:00`, `10:00`, `150:00`."""
    minutes, seconds = divmod((at - start).total_seconds(), 60)
    shown = f"{seconds:02.0f}" if seconds == int(seconds) else f"{seconds:06.3f}"
    return f"{minutes:.0f}:{shown}"


def _item_type(call: campaigns.PlannedCall) -> str | None:
    if call.HasField("contact_item_type_display_name"):
        return call.contact_item_type_display_name
    return None


def _status(status: int) -> str | None:
    return enum_word(types_pb2.CallStatus.DESCRIPTOR, status)


def _reason(reason: int) -> str | None:
    return enum_word(types_pb2.CloseReason.DESCRIPTOR, reason)


def _rule(rule: int) -> str | None:
    return enum_word(types_pb2.DialRule.DESCRIPTOR, rule)
