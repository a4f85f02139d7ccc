"""Show the hopper, history and final: HopperService."""

import re
from typing import Any, Final
from uuid import UUID

import grpc

from callhopper.v1 import hopper_service_pb2 as hopper
from callhopper.v1 import types_pb2
from callhopper.v1.hopper_service_pb2_grpc import HopperServiceServicer
from server import attempts
from server.checks import Checks, quoted
from server.convert import hopper as convert
from server.db import Transaction
from server.errors import InvalidArgument, NotFound
from server.pages import open_page
from server.services.context import Context

Call = grpc.aio.ServicerContext[Any, Any]
_ENTRY: Final = re.compile(
    r"campaigns/([1-9][0-9]{0,17})/entries/([1-9][0-9]{0,17})-([1-9][0-9]{0,17})", re.ASCII
)


class HopperService(HopperServiceServicer):
    """Serve whoever wants to know what is dialed next and what was dialed."""

    def __init__(self, context: Context) -> None:
        self._db = context.db

    async def ListHopperEntries(
        self, request: hopper.ListHopperEntriesRequest, context: Call
    ) -> hopper.ListHopperEntriesResponse:
        """List open entries with their next call."""
        with Checks() as checks:
            campaign_id = checks.resource_id("campaign", request.campaign, "campaigns")
            contact_id = checks.optional_id("contact", request.contact, "contacts")
            size = checks.page_size(request.page_size)
            states = checks.choices("states", request.states, hopper.HopperEntry.State, "STATE_")

        async def work(tx: Transaction) -> hopper.ListHopperEntriesResponse:
            await _require_campaign(tx, campaign_id)
            page = await open_page(tx, request, size, (0,))
            found = await tx.many(
                "list_hopper_entries",
                campaign_id=campaign_id,
                after_contact_id=page.after[0],
                contact_id=contact_id,
                states=states,
                page_size=page.limit,
            )
            return hopper.ListHopperEntriesResponse(
                entries=[convert.hopper_entry(dict(row)) for row in page.rows(found)],
                next_page_token=page.next_token(found, "contact_id"),
            )

        return await self._db.run(work)

    async def ListAdditionalPhones(
        self, request: hopper.ListAdditionalPhonesRequest, context: Call
    ) -> hopper.ListAdditionalPhonesResponse:
        """List the view hopper_additional_phones, as it is (O2)."""
        with Checks() as checks:
            campaign_id = checks.resource_id("campaign", request.campaign, "campaigns")
            contact_id = checks.optional_id("contact", request.contact, "contacts")
            size = checks.page_size(request.page_size)

        async def work(tx: Transaction) -> hopper.ListAdditionalPhonesResponse:
            await _require_campaign(tx, campaign_id)
            page = await open_page(tx, request, size, (0, 0))
            found = await tx.many(
                "list_additional_phones",
                campaign_id=campaign_id,
                after_contact_id=page.after[0],
                after_position=page.after[1],
                contact_id=contact_id,
                page_size=page.limit,
            )
            return hopper.ListAdditionalPhonesResponse(
                additional_phones=[convert.additional_phone(dict(row)) for row in page.rows(found)],
                next_page_token=page.next_token(found, "contact_id", "dial_position"),
            )

        return await self._db.run(work)

    async def ListHistory(
        self, request: hopper.ListHistoryRequest, context: Call
    ) -> hopper.ListHistoryResponse:
        """List ended calls in the order in which they were recorded, or feed them (R6)."""
        with Checks() as checks:
            campaign_id = checks.resource_id("campaign", request.campaign, "campaigns")
            contact_id = checks.optional_id("contact", request.contact, "contacts")
            size = checks.page_size(request.page_size)

        async def work(tx: Transaction) -> hopper.ListHistoryResponse:
            await _require_campaign(tx, campaign_id)
            page = await open_page(tx, request, size, ("0", str(UUID(int=0))))
            found = [
                row | {"attempt": str(row["attempt_id"])}
                for row in await tx.many(
                    "list_history",
                    campaign_id=campaign_id,
                    after_recorded_in=page.after[0],
                    after_attempt_id=page.after[1],
                    contact_id=contact_id,
                    is_feed=request.feed,
                    page_size=page.limit,
                )
            ]
            token = page.next_token(found, "recorded_in", "attempt")
            if request.feed and not token:
                token = page.resume_token(found, "recorded_in", "attempt")
            return hopper.ListHistoryResponse(
                calls=[convert.history_call(row) for row in found[: page.size]],
                next_page_token=token,
            )

        return await self._db.run(work)

    async def ListFinal(
        self, request: hopper.ListFinalRequest, context: Call
    ) -> hopper.ListFinalResponse:
        """List closed entries (R6)."""
        with Checks() as checks:
            campaign_id = checks.resource_id("campaign", request.campaign, "campaigns")
            contact_id = checks.optional_id("contact", request.contact, "contacts")
            size = checks.page_size(request.page_size)
            reasons = checks.choices(
                "reasons", request.reasons, types_pb2.CloseReason, "CLOSE_REASON_"
            )

        async def work(tx: Transaction) -> hopper.ListFinalResponse:
            await _require_campaign(tx, campaign_id)
            page = await open_page(tx, request, size, (0, 0))
            found = await tx.many(
                "list_final",
                campaign_id=campaign_id,
                after_contact_id=page.after[0],
                after_entry_id=page.after[1],
                contact_id=contact_id,
                reasons=reasons,
                page_size=page.limit,
            )
            return hopper.ListFinalResponse(
                entries=[convert.final_entry(dict(row)) for row in page.rows(found)],
                next_page_token=page.next_token(found, "contact_id", "entry_id"),
            )

        return await self._db.run(work)

    async def RemoveEntry(
        self, request: hopper.RemoveEntryRequest, context: Call
    ) -> hopper.RemoveEntryResponse:
        """Take one entry out of the hopper (E4)."""
        match = _ENTRY.fullmatch(request.name)
        if match is None:
            shape = "must be campaigns/{id}/entries/{id}"
            raise InvalidArgument([("name", f"is {quoted(request.name)}, {shape}")])
        campaign_id, contact_id, entry_id = map(int, match.groups())

        async def work(tx: Transaction) -> hopper.RemoveEntryResponse:
            await tx.execute("lock_entries", campaign_ids=[campaign_id], contact_ids=[contact_id])
            keys = {"campaign_id": campaign_id, "contact_id": contact_id}
            entry = await tx.one("find_entry", entry_id=entry_id, **keys)
            if entry is None:
                raise NotFound(request.name)
            if entry["state"] == "READY":
                await attempts.close(tx, [keys | {"close_reason": "REMOVED"}])
                return hopper.RemoveEntryResponse(closed=True)
            await tx.execute("close_entry_later", reason="REMOVED", **keys)
            return hopper.RemoveEntryResponse(closed=False)

        return await self._db.run(work)


async def _require_campaign(tx: Transaction, campaign_id: int) -> None:
    if not await tx.many("find_campaigns", campaign_ids=[campaign_id]):
        raise NotFound(f"campaigns/{campaign_id}")
