"""Show the whole product on made-up contacts in half a minute: `callhopper demo`."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from callhopper.v1 import campaign_service_pb2 as campaigns
from callhopper.v1 import contact_item_type_service_pb2 as types
from callhopper.v1 import contact_service_pb2 as contacts
from callhopper.v1 import types_pb2
from server import run_as
from server.cli.connection import Stubs, open_stubs
from server.cli.contact_lists import create_list
from server.cli.demo_report import NEVER_ANSWERING, Sums, Timeline
from server.cli.failures import Failure, failure_of
from server.cli.importing import load
from server.cli.output import console, enum_word, note
from server.cli.retry_options import RetryOptions
from server.convert.calls import STATUSES
from server.settings import Settings

EXAMPLE: Final = Path(__file__).parents[2] / "docs" / "examples" / "contacts.csv"
ITEM_TYPES: Final = (
    ("Office", 1, "#1F77B4"),
    ("Holiday Home", 2, "#2CA02C"),
    ("Mobile", 3, "#FF7F0E"),
)
# Seconds stand for the minutes of the worked example.
RETRY: Final = timedelta(seconds=2)
DELAY: Final = timedelta(seconds=1)
RING: Final = timedelta(seconds=5)  # the shortest a campaign may have
TIME_SCALE: Final = "0.004"  # of the calls themselves: five seconds of ringing take 20 ms
PATIENCE: Final = 80.0  # seconds for all calls
LOOK: Final = 0.25  # seconds between two looks at the counts
PLAIN_EVERY: Final = 5.0  # seconds between two lines where there is no terminal


def demo(
    *,
    file: Annotated[
        Path, typer.Option("--contacts", metavar="FILE", help="Contacts to dial.")
    ] = EXAMPLE,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Worker processes.")] = 2,
    seed: Annotated[int, typer.Option(help="Of what the simulated calls come to.")] = 2026,
) -> None:
    """Dial 200 made-up contacts through a simulated exchange, and check the sums.

    Runs a database, a server and workers of its own and leaves nothing behind. No phone rings.
    """
    # Loaded here: other commands start sooner without the server.
    from server.cli.temporary import temporary_server  # noqa: PLC0415

    if not file.is_file():
        raise Failure(f"{file} does not exist: name a CSV file with --contacts")
    screen = console()
    started = time.monotonic()
    settings = Settings(log_level="error")
    with (
        tempfile.TemporaryDirectory(prefix="callhopper-demo-") as folder,
        temporary_server(settings) as address,
        open_stubs(address) as stubs,
    ):
        log = Path(folder) / "exchange.jsonl"
        try:
            campaign, loaded = _prepare(stubs, file)
            note_seconds(screen, "set up", time.monotonic() - started)
            with _workers(address, Path(folder), log, workers, seed):
                stubs.campaigns.StartCampaign(campaigns.StartCampaignRequest(name=campaign))
                _watch(stubs, campaign, screen)
            timeline = Timeline.read(stubs, campaign, _plan(stubs, campaign), RETRY, DELAY)
            sums = Sums.read(stubs, campaign, log=log, loaded=loaded, retry=RETRY, delay=DELAY)
        except Exception as error:
            raise _explained(error, address) from error
    timeline.show(screen)
    sums.show(screen)
    note_seconds(screen, "all of it", time.monotonic() - started)
    faults = [*timeline.faults, *sums.faults]
    if faults:
        raise Failure("; ".join(faults))


def note_seconds(screen: Console, what: str, seconds: float) -> None:
    """Say how long something took."""
    screen.print(f"{what} took {seconds:.1f} s")


def _explained(error: Exception, address: str) -> Exception:
    import grpc  # noqa: PLC0415 - only for a failure

    return failure_of(error, address) if isinstance(error, grpc.RpcError) else error


def _prepare(stubs: Stubs, file: Path) -> tuple[str, int]:
    """Load the contacts and make the campaign; return its name and the number of contacts."""
    for name, order, colour in ITEM_TYPES:
        stubs.contact_item_types.CreateContactItemType(
            types.CreateContactItemTypeRequest(
                contact_item_type=types.ContactItemType(
                    display_name=name, order_by=order, colour=colour
                )
            )
        )
    made = create_list(stubs, "Demo")
    with file.open("rb") as source:
        summary = load(
            stubs,
            source,
            contacts.ImportHeader(contact_list=made.name),
            on_progress=lambda progress: None,  # noqa: ARG005 - it is over in a moment
            on_problem=_tell_rejected,
        )
    typer.echo(
        f"{summary.loaded_count} contacts with {summary.additional_phone_count} additional phones"
    )
    rules = {status: {"retry_interval": RETRY, "max_attempts": 3} for status in STATUSES}
    settings = RetryOptions(rules, DELAY, 4).over()
    campaign = stubs.campaigns.CreateCampaign(
        campaigns.CreateCampaignRequest(
            campaign=campaigns.Campaign(
                display_name="Demo", retry_settings=settings, originate_timeout=RING
            )
        )
    ).campaign
    added = stubs.campaigns.AddCampaignList(
        campaigns.AddCampaignListRequest(name=campaign.name, contact_list=made.name)
    )
    if added.loaded_entry_count != summary.loaded_count:
        raise Failure(
            f"{summary.loaded_count} contacts, but {added.loaded_entry_count} hopper entries"
        )
    return campaign.name, added.loaded_entry_count


def _tell_rejected(problem: contacts.ImportProblem) -> None:
    # Fictional British numbers are possible but not valid, and 91 warnings say nothing.
    if problem.severity == contacts.ImportProblem.SEVERITY_REJECTED:
        note(f"line {problem.line}: {problem.column} {problem.reason}")


def _plan(stubs: Stubs, campaign: str) -> campaigns.PlanCallsResponse:
    primary, *additional = NEVER_ANSWERING
    names = (name for name, _, _ in ITEM_TYPES)
    draft = campaigns.DraftContact(
        phone=primary,
        additional_phones=[
            campaigns.DraftPhone(number=number, contact_item_type_display_name=name)
            for number, name in zip(additional, names, strict=False)
        ],
    )
    assumed = campaigns.AssumedOutcomes(outcomes=[types_pb2.OUTCOME_NO_ANSWER])
    return stubs.campaigns.PlanCalls(
        campaigns.PlanCallsRequest(
            campaign=campaign, draft_contact=draft, assumed_outcomes=[assumed]
        )
    )


@contextmanager
def _workers(address: str, folder: Path, log: Path, count: int, seed: int) -> Iterator[None]:
    """Run worker processes until the block ends; they drain, and end with this process at last.

    Raises:
        Failure: A worker ended by itself, or not in good order.
    """
    # Through run_as: a worker must not outlive a demo that is killed.
    command = [sys.executable, "-I", "-S", run_as.__file__, "-", str(os.getpid())]
    command += [sys.executable, "-m", "server", "--address", address, "worker", "--simulate"]
    command += ["--seed", str(seed), "--time-scale", TIME_SCALE, "--log", str(log)]
    for number in NEVER_ANSWERING:
        command += ["--outcome", f"{number}=NO_ANSWER"]
    running: list[subprocess.Popen[bytes]] = []
    with (folder / "workers.log").open("wb") as said:
        try:
            running += [
                subprocess.Popen(  # noqa: S603 - a command of ours
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    # Control-C is for the demo, which ends the workers itself.
                    start_new_session=True,
                )
                for _ in range(count)
            ]
            yield
        finally:
            codes = _stop(running)
    if any(codes):
        text = (folder / "workers.log").read_text(errors="replace")
        raise Failure(f"a worker ended with {codes}: {text.strip()[-500:]}")


def _stop(running: list[subprocess.Popen[bytes]]) -> list[int]:
    for worker in running:
        worker.terminate()
    try:
        return [worker.wait(timeout=10) for worker in running]
    finally:
        for worker in running:
            worker.kill()
            worker.wait()


def _watch(stubs: Stubs, campaign: str, screen: Console) -> None:
    """Show the counts until every contact is closed."""
    started = time.monotonic()
    told = -PLAIN_EVERY
    request = campaigns.GetCampaignStatsRequest(name=campaign)
    with Live(console=screen, auto_refresh=False, transient=True) as live:
        while True:
            stats = stubs.campaigns.GetCampaignStats(request).stats
            elapsed = time.monotonic() - started
            is_over = stats.final_count == stats.loaded_count
            if screen.is_terminal:
                live.update(_progress(stats, elapsed), refresh=True)
            elif is_over or elapsed >= told + PLAIN_EVERY:
                told = elapsed
                typer.echo(_counts(stats, elapsed))
            if is_over:
                return
            if elapsed > PATIENCE:
                raise Failure(f"not over after {PATIENCE:.0f} s: {_counts(stats, elapsed)}")
            time.sleep(LOOK)


def _counts(stats: campaigns.CampaignStats, elapsed: float) -> str:
    return (
        f"{elapsed:4.0f} s: {stats.ready_count} waiting, {stats.live_count} on a call, "
        f"{stats.final_count} of {stats.loaded_count} closed, {stats.call_count} calls"
    )


def _progress(stats: campaigns.CampaignStats, elapsed: float) -> Group:
    statuses = types_pb2.CallStatus.DESCRIPTOR
    outcomes = ", ".join(
        f"{enum_word(statuses, one.status)} {one.count}" for one in stats.call_statuses
    )
    return Group(
        Text(_counts(stats, elapsed)),
        ProgressBar(total=stats.loaded_count, completed=stats.final_count, width=60),
        Text(outcomes, style="dim"),
    )
