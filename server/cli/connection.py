"""Reach the server that the commands are clients of."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import grpc
import typer

from callhopper.v1.campaign_service_pb2_grpc import CampaignServiceStub
from callhopper.v1.contact_item_type_service_pb2_grpc import ContactItemTypeServiceStub
from callhopper.v1.contact_list_service_pb2_grpc import ContactListServiceStub
from callhopper.v1.contact_service_pb2_grpc import ContactServiceStub
from callhopper.v1.hopper_service_pb2_grpc import HopperServiceStub
from server.cli.failures import failure_of

DEFAULT_ADDRESS: Final = "localhost:50051"

_SERVICE_CONFIG: Final = {
    "methodConfig": [
        # A frozen server must not freeze its clients; an import may take its time.
        {"name": [{}], "timeout": "60s"},
        {"name": [{"service": "callhopper.v1.ContactService", "method": "ImportContacts"}]},
    ]
}
_OPTIONS: Final = (
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # Servers listen on loopback only, where no web proxy leads.
    ("grpc.enable_http_proxy", 0),
)


@dataclass(frozen=True, slots=True)
class Target:
    """Say which server a command talks to.

    Attributes:
        address: HOST:PORT.
        is_given: Somebody named it; False for the default.
    """

    address: str
    is_given: bool

    def answers(self) -> bool:
        """Return whether anything listens there."""
        host, _, port = self.address.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=1):
                return True
        except OSError:
            return False


class Stubs:
    """One stub a service."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.campaigns = CampaignServiceStub(channel)
        self.contact_item_types = ContactItemTypeServiceStub(channel)
        self.contact_lists = ContactListServiceStub(channel)
        self.contacts = ContactServiceStub(channel)
        self.hopper = HopperServiceStub(channel)


@contextmanager
def open_stubs(address: str) -> Iterator[Stubs]:
    """Open a channel to an address; nothing is sent before the first call."""
    with grpc.insecure_channel(address, options=_OPTIONS) as channel:
        yield Stubs(channel)


@contextmanager
def connected(ctx: typer.Context, options: Mapping[str, str] | None = None) -> Iterator[Stubs]:
    """Give the stubs of the server that the command line names.

    Args:
        ctx: Of the command.
        options: The option that each field of a request came from, for the texts of refusals.

    Raises:
        Failure: A call inside the block failed.
    """
    target: Target = ctx.obj
    try:
        with open_stubs(target.address) as stubs:
            yield stubs
    except grpc.RpcError as error:
        raise failure_of(error, target.address, options) from error
