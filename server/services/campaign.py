"""Manage campaigns and plan their calls: CampaignService."""

from typing import Any, Final

import grpc

from callhopper.v1 import campaign_service_pb2 as campaigns
from callhopper.v1.campaign_service_pb2_grpc import CampaignServiceServicer
from server import campaign_requests as requests
from server.checks import Checks, require_etag
from server.convert import campaign as convert
from server.db import Row, Transaction
from server.errors import AlreadyExists, InUse, InvalidArgument, NotFound, WrongState
from server.names import name_key
from server.pages import open_page
from server.rehearsals import rehearse
from server.request_log import answer_once
from server.services.context import Context

Call = grpc.aio.ServicerContext[Any, Any]
DEFAULT_PLAN: Final = 1000
MAX_PLAN: Final = 10_000
NAME_TAKEN: Final = {
    "campaign_name_is_taken": AlreadyExists("a campaign of this display_name exists")
}


class CampaignService(CampaignServiceServicer):
    """Serve administrators."""

    def __init__(self, context: Context) -> None:
        self._db = context.db

    async def CreateCampaign(
        self, request: campaigns.CreateCampaignRequest, context: Call
    ) -> campaigns.CreateCampaignResponse:
        """Add a campaign in state DRAFT (E1)."""
        with Checks() as checks:
            fields = requests.fields(checks, request.campaign)
            settings = requests.settings(
                checks, "campaign.retry_settings", request.campaign.retry_settings
            )
            request_id = checks.request_id(request.request_id)

        async def work(tx: Transaction) -> campaigns.CreateCampaignResponse:
            [created] = await tx.many("insert_campaign", **fields, settings=settings)
            return campaigns.CreateCampaignResponse(
                campaign=convert.campaign(await _get(tx, created["campaign_id"]))
            )

        return await self._db.run(
            lambda tx: answer_once(tx, request, request_id, campaigns.CreateCampaignResponse, work),
            constraints=NAME_TAKEN,
        )

    async def GetCampaign(
        self, request: campaigns.GetCampaignRequest, context: Call
    ) -> campaigns.GetCampaignResponse:
        """Read one campaign."""
        campaign_id = _campaign_id(request.name)
        row = await self._db.run(lambda tx: _get(tx, campaign_id))
        return campaigns.GetCampaignResponse(campaign=convert.campaign(row))

    async def ListCampaigns(
        self, request: campaigns.ListCampaignsRequest, context: Call
    ) -> campaigns.ListCampaignsResponse:
        """List campaigns by id."""
        with Checks() as checks:
            size = checks.page_size(request.page_size)
            states = checks.choices("states", request.states, campaigns.Campaign.State, "STATE_")
            name = checks.text("display_name", request.display_name, most=128)

        async def work(tx: Transaction) -> campaigns.ListCampaignsResponse:
            page = await open_page(tx, request, size, (0,))
            found = await tx.many(
                "list_campaigns",
                after_campaign_id=page.after[0],
                states=states,
                name_key=name_key(name) if name else None,
                page_size=page.limit,
            )
            return campaigns.ListCampaignsResponse(
                campaigns=[convert.campaign(dict(row)) for row in page.rows(found)],
                next_page_token=page.next_token(found, "campaign_id"),
            )

        return await self._db.run(work)

    async def UpdateCampaign(
        self, request: campaigns.UpdateCampaignRequest, context: Call
    ) -> campaigns.UpdateCampaignResponse:
        """Change fields of a campaign; changed retry settings make a new version (R10)."""
        with Checks() as checks:
            campaign_id = checks.resource_id("campaign.name", request.campaign.name, "campaigns")
            mask = checks.mask(request.update_mask, request.campaign, requests.WRITABLE)
        if "retry_settings" in mask:
            with Checks() as checks:
                requests.settings(
                    checks, "campaign.retry_settings", request.campaign.retry_settings
                )

        async def work(tx: Transaction) -> campaigns.UpdateCampaignResponse:
            await _lock(tx, campaign_id, request.campaign.etag)
            row = await _get(tx, campaign_id)
            merged = convert.campaign(row)
            _merge(merged, request.campaign, mask)
            with Checks() as checks:
                fields = requests.fields(checks, merged)
                settings = requests.settings(
                    checks, "campaign.retry_settings", merged.retry_settings
                )
            await tx.execute("update_campaign", campaign_id=campaign_id, **fields)
            present = requests.settings(Checks(), "", convert.retry_settings(row))
            if settings != present:
                await tx.execute(
                    "insert_settings_version", campaign_id=campaign_id, settings=settings
                )
            return campaigns.UpdateCampaignResponse(
                campaign=convert.campaign(await _get(tx, campaign_id))
            )

        return await self._db.run(work, constraints=NAME_TAKEN)

    async def DeleteCampaign(
        self, request: campaigns.DeleteCampaignRequest, context: Call
    ) -> campaigns.DeleteCampaignResponse:
        """Delete a campaign that nobody is calling for."""
        campaign_id = _campaign_id(request.name)

        async def work(tx: Transaction) -> campaigns.DeleteCampaignResponse:
            await tx.execute("exclude_dialers", campaign_id=campaign_id)
            campaign = await _lock(tx, campaign_id, request.etag)
            [counted] = await tx.many("count_campaign_work", campaign_id=campaign_id)
            if campaign["state"] == "RUNNING":
                raise WrongState(f"{request.name} is RUNNING; pause or stop it first")
            if counted["live_count"]:
                raise WrongState(f"{request.name} has live calls; wait until they are reported")
            if counted["has_history"] and not request.force:
                raise InUse(f"{request.name} has calls in its history; force deletes them too")
            await tx.many("delete_campaign", campaign_id=campaign_id)
            await tx.execute("delete_campaign_row", campaign_id=campaign_id)
            return campaigns.DeleteCampaignResponse()

        return await self._db.run(work)

    async def StartCampaign(
        self, request: campaigns.StartCampaignRequest, context: Call
    ) -> campaigns.StartCampaignResponse:
        """Let workers claim."""
        row = await self._set_state(request.name, "RUNNING", {"DRAFT", "PAUSED", "RUNNING"})
        return campaigns.StartCampaignResponse(campaign=convert.campaign(row))

    async def PauseCampaign(
        self, request: campaigns.PauseCampaignRequest, context: Call
    ) -> campaigns.PauseCampaignResponse:
        """Stop claims and begins; when this answers, none is under way (E4)."""
        row = await self._set_state(request.name, "PAUSED", {"RUNNING", "PAUSED"})
        return campaigns.PauseCampaignResponse(campaign=convert.campaign(row))

    async def _set_state(self, name: str, state: str, allowed: set[str]) -> Row:
        campaign_id = _campaign_id(name)

        async def work(tx: Transaction) -> Row:
            await tx.execute("exclude_dialers", campaign_id=campaign_id)
            campaign = await _lock(tx, campaign_id)
            if campaign["state"] not in allowed:
                raise WrongState(f"{name} is {campaign['state']}")
            await tx.execute("set_campaign_state", campaign_id=campaign_id, state=state)
            return await _get(tx, campaign_id)

        return await self._db.run(work)

    async def StopCampaign(
        self, request: campaigns.StopCampaignRequest, context: Call
    ) -> campaigns.StopCampaignResponse:
        """End a campaign: ready entries close now, live ones when they are reported (E4)."""
        campaign_id = _campaign_id(request.name)

        async def work(tx: Transaction) -> campaigns.StopCampaignResponse:
            await tx.execute("exclude_dialers", campaign_id=campaign_id)
            await _lock(tx, campaign_id)
            await tx.execute("set_campaign_state", campaign_id=campaign_id, state="STOPPED")
            closed = await _close_entries(tx, campaign_id, None, "STOPPED")
            return campaigns.StopCampaignResponse(
                campaign=convert.campaign(await _get(tx, campaign_id)),
                closed_entry_count=closed["closed_count"],
                live_entry_count=closed["live_count"],
            )

        return await self._db.run(work)

    async def AddCampaignList(
        self, request: campaigns.AddCampaignListRequest, context: Call
    ) -> campaigns.AddCampaignListResponse:
        """Attach a list and load its contacts (E2)."""
        campaign_id, list_id = _campaign_and_list(request)

        async def work(tx: Transaction) -> campaigns.AddCampaignListResponse:
            if await tx.one("lock_list_for_loading", contact_list_id=list_id) is None:
                raise NotFound(request.contact_list)
            campaign = await _lock(tx, campaign_id)
            if campaign["state"] == "STOPPED":
                raise WrongState(f"{request.name} is STOPPED")
            keys = {"campaign_id": campaign_id, "contact_list_id": list_id}
            if not await tx.execute("insert_campaign_list", **keys):
                return campaigns.AddCampaignListResponse()
            [loaded] = await tx.many("load_list", **keys)
            return campaigns.AddCampaignListResponse(
                loaded_entry_count=loaded["loaded_count"],
                duplicate_contact_count=loaded["duplicate_count"],
            )

        return await self._db.run(work)

    async def RemoveCampaignList(
        self, request: campaigns.RemoveCampaignListRequest, context: Call
    ) -> campaigns.RemoveCampaignListResponse:
        """Detach a list and close its entries (E4)."""
        campaign_id, list_id = _campaign_and_list(request)

        async def work(tx: Transaction) -> campaigns.RemoveCampaignListResponse:
            await tx.execute("exclude_dialers", campaign_id=campaign_id)
            # A contact added at the same moment waits for the list, and then finds it detached.
            await tx.one("lock_list_for_loading", contact_list_id=list_id)
            await _lock(tx, campaign_id)
            keys = {"campaign_id": campaign_id, "contact_list_id": list_id}
            if not await tx.execute("delete_campaign_list", **keys):
                raise NotFound(
                    request.contact_list,
                    f"{request.contact_list} is not attached to {request.name}",
                )
            closed = await _close_entries(tx, campaign_id, list_id, "REMOVED")
            return campaigns.RemoveCampaignListResponse(
                closed_entry_count=closed["closed_count"], live_entry_count=closed["live_count"]
            )

        return await self._db.run(work)

    async def GetCampaignStats(
        self, request: campaigns.GetCampaignStatsRequest, context: Call
    ) -> campaigns.GetCampaignStatsResponse:
        """Count entries and calls at one moment (D6)."""
        campaign_id = _campaign_id(request.name)
        row = await self._db.run(lambda tx: tx.one("get_campaign_stats", campaign_id=campaign_id))
        if row is None:
            raise NotFound(request.name)
        return campaigns.GetCampaignStatsResponse(stats=convert.campaign_stats(row))

    async def PlanCalls(
        self, request: campaigns.PlanCallsRequest, context: Call
    ) -> campaigns.PlanCallsResponse:
        """Run the SQL decision forward over assumed outcomes; changes nothing."""
        with Checks() as checks:
            campaign_id = checks.optional_id("campaign", request.campaign, "campaigns")
            contact_id = checks.optional_id("contact", request.contact, "contacts")
            draft = None
            region = requests.draft_region(checks, request.draft_contact)
            if request.HasField("draft_contact"):
                draft = requests.draft(checks, request.draft_contact, region)
            elif not request.contact:
                checks.refuse("contact", "must be given, or a draft_contact")
            settings: str | None = requests.settings(
                checks, "retry_settings", request.retry_settings
            )
            if campaign_id is not None and not request.HasField("retry_settings"):
                settings = None
            arguments = {
                "campaign_id": campaign_id,
                "settings": settings,
                "starts_at": checks.moment("start_time", request, "start_time"),
                "outcomes": requests.outcomes(checks, request.assumed_outcomes, region),
                "max_calls": checks.between(
                    "max_calls", request.max_calls or DEFAULT_PLAN, 1, MAX_PLAN
                ),
            }

        async def work(tx: Transaction) -> campaigns.PlanCallsResponse:
            if campaign_id is not None:
                await _get(tx, campaign_id)
            planned = contact_id
            if draft is not None:
                planned = await _store_draft(tx, draft)
            elif await tx.one("find_contact", contact_id=contact_id) is None:
                raise NotFound(request.contact)
            rows = await tx.many("plan_calls", contact_id=planned, **arguments)
            return convert.plan(rows)

        # A draft is stored, planned and taken back: a plan reads the same relation as a claim.
        return await (self._db.run(work) if draft is None else rehearse(self._db, work))


async def _store_draft(tx: Transaction, draft: requests.Draft) -> int:
    installed = {
        row["name_key"]
        for row in await tx.many("find_item_type_keys", name_keys=draft.number_type_keys)
    }
    known = installed | set(draft.type_keys)
    unknown = [
        (
            f"draft_contact.additional_phones[{place - 1}].contact_item_type_display_name",
            "names no item type of the draft or of the installation",
        )
        for place, key in enumerate(draft.number_type_keys)
        if key and key not in known
    ]
    if unknown:
        raise InvalidArgument(unknown)
    [row] = await tx.many(
        "insert_draft_contact",
        type_names=draft.type_names,
        type_keys=draft.type_keys,
        type_sort_names=draft.type_sort_names,
        type_orders=draft.type_orders,
        numbers=draft.numbers,
        number_type_keys=draft.number_type_keys,
    )
    contact_id: int = row["contact_id"]
    return contact_id


def _campaign_id(name: str) -> int:
    with Checks() as checks:
        return checks.resource_id("name", name, "campaigns")


def _campaign_and_list(
    request: campaigns.AddCampaignListRequest | campaigns.RemoveCampaignListRequest,
) -> tuple[int, int]:
    with Checks() as checks:
        return (
            checks.resource_id("name", request.name, "campaigns"),
            checks.resource_id("contact_list", request.contact_list, "contactLists"),
        )


async def _get(tx: Transaction, campaign_id: int) -> Row:
    row = await tx.one("get_campaign", campaign_id=campaign_id)
    if row is None:
        raise NotFound(f"campaigns/{campaign_id}")
    return row


async def _lock(tx: Transaction, campaign_id: int, etag: str = "") -> Row:
    row = await tx.one("lock_campaign", campaign_id=campaign_id)
    if row is None:
        raise NotFound(f"campaigns/{campaign_id}")
    require_etag(etag, row["revision"])
    return row


async def _close_entries(
    tx: Transaction, campaign_id: int, contact_list_id: int | None, reason: str
) -> Row:
    [row] = await tx.many(
        "close_campaign_entries",
        campaign_id=campaign_id,
        contact_list_id=contact_list_id,
        reason=reason,
    )
    return row


def _merge(present: campaigns.Campaign, given: campaigns.Campaign, mask: frozenset[str]) -> None:
    """Replace the masked fields of the present campaign; one that is not set gets its default."""
    for name in mask:
        present.ClearField(name)
    copy = campaigns.Campaign()
    copy.CopyFrom(given)
    for field in campaigns.Campaign.DESCRIPTOR.fields:
        if field.name not in mask:
            copy.ClearField(field.name)
    present.MergeFrom(copy)
