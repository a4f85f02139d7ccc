"""Expect a call to be refused, and look at how."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

CODES: Final = {
    "INVALID_FIELD": grpc.StatusCode.INVALID_ARGUMENT,
    "REQUEST_ID_REUSED": grpc.StatusCode.INVALID_ARGUMENT,
    "INVALID_PAGE_TOKEN": grpc.StatusCode.INVALID_ARGUMENT,
    "RESOURCE_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "RESOURCE_EXISTS": grpc.StatusCode.ALREADY_EXISTS,
    "RESOURCE_IN_USE": grpc.StatusCode.FAILED_PRECONDITION,
    "ETAG_MISMATCH": grpc.StatusCode.ABORTED,
}


@dataclass
class Refusal:
    """What a refused call answered; filled when the `with` block ends."""

    message: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@contextmanager
def refused(reason: str) -> Iterator[Refusal]:
    """Fail unless the block ends in an RpcError of this reason, with its code."""
    refusal = Refusal()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        yield refusal
    refusal.message = raised.value.details() or ""
    trailers = dict(raised.value.trailing_metadata() or ())
    status = status_pb2.Status.FromString(bytes(trailers["grpc-status-details-bin"]))
    described, wrong = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(described)
        if detail.Unpack(wrong):
            refusal.fields = {one.field: one.description for one in wrong.field_violations}
    assert (described.reason, raised.value.code()) == (reason, CODES[reason]), refusal.message
