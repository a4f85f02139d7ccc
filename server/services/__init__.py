"""Answer the RPCs of callhopper.v1: one file a service, one method an RPC."""

from collections.abc import Callable
from typing import Any, Final

import grpc

from callhopper.v1.campaign_service_pb2_grpc import add_CampaignServiceServicer_to_server
from callhopper.v1.contact_item_type_service_pb2_grpc import (
    add_ContactItemTypeServiceServicer_to_server,
)
from callhopper.v1.contact_list_service_pb2_grpc import add_ContactListServiceServicer_to_server
from callhopper.v1.contact_service_pb2_grpc import add_ContactServiceServicer_to_server
from callhopper.v1.dialer_service_pb2_grpc import add_DialerServiceServicer_to_server
from callhopper.v1.hopper_service_pb2_grpc import add_HopperServiceServicer_to_server
from server.services.campaign import CampaignService
from server.services.contact import ContactService
from server.services.contact_item_type import ContactItemTypeService
from server.services.contact_list import ContactListService
from server.services.context import Context
from server.services.dialer import DialerService
from server.services.hopper import HopperService

Register = Callable[[Any, grpc.aio.Server], None]

SERVICES: Final[tuple[tuple[Callable[[Context], object], Register], ...]] = (
    (CampaignService, add_CampaignServiceServicer_to_server),
    (ContactItemTypeService, add_ContactItemTypeServiceServicer_to_server),
    (ContactListService, add_ContactListServiceServicer_to_server),
    (ContactService, add_ContactServiceServicer_to_server),
    (DialerService, add_DialerServiceServicer_to_server),
    (HopperService, add_HopperServiceServicer_to_server),
)
"""Every service of the contract, with its generated registration."""
