"""Find resources by what people call them, and read lists page by page."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from callhopper.v1 import campaign_service_pb2 as campaigns
from callhopper.v1 import contact_item_type_service_pb2 as types
from callhopper.v1 import contact_list_service_pb2 as lists
from server.cli.connection import Stubs
from server.cli.failures import Failure

PAGE = 1000


def pages(
    method: Callable[[Any], Any], request: Any, field: str, *, most: int = 0
) -> Iterator[Any]:
    """Give the resources of a List method, page by page.

    Args:
        method: Of a stub.
        request: Its page size and token are set here.
        field: Where the answer has the resources.
        most: How many at most; 0 for all.
    """
    given = 0
    while True:
        request.page_size = min(PAGE, most - given) if most else PAGE
        response = method(request)
        found = getattr(response, field)
        yield from found
        given += len(found)
        request.page_token = response.next_page_token
        if not response.next_page_token or (most and given >= most):
            return


def campaign_name(stubs: Stubs, text: str) -> str:
    """Return the resource name of a campaign given by it or by its display name."""
    if _is_name("campaigns", text):
        return text
    found = stubs.campaigns.ListCampaigns(campaigns.ListCampaignsRequest(display_name=text))
    return _only(found.campaigns, "campaign", text)


def list_name(stubs: Stubs, text: str) -> str:
    """Return the resource name of a contact list given by it or by its display name.

    Raises:
        Failure: There is none.
    """
    if _is_name("contactLists", text):
        return text
    request = lists.ListContactListsRequest(display_name=text)
    found = stubs.contact_lists.ListContactLists(request)
    return _only(found.contact_lists, "list", text)


def item_type_name(stubs: Stubs, text: str) -> str:
    """Return the resource name of an item type given by it or by its display name."""
    if _is_name("contactItemTypes", text):
        return text
    found = pages(
        stubs.contact_item_types.ListContactItemTypes,
        types.ListContactItemTypesRequest(),
        "contact_item_types",
    )
    wanted = text.casefold()
    same = [one for one in found if one.display_name.casefold() == wanted]
    return _only(same, "item type", text)


def _is_name(collection: str, text: str) -> bool:
    return re.fullmatch(rf"{collection}/[^/]+", text) is not None


def _only(found: Any, kind: str, text: str) -> str:
    for one in found:
        name: str = one.name
        return name
    raise Failure(f"there is no {kind} {text!r}")
