"""List every error that a caller can receive: one class a reason.

A reason is a value of the enum `callhopper.v1.ErrorReason` without its prefix; a program decides
by it, a person reads the message. Services raise these classes and the interceptor turns them into
statuses, so no service touches a gRPC context.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final
from uuid import uuid4

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

if TYPE_CHECKING:
    from google.protobuf.message import Message

DOMAIN: Final = "callhopper"


class CallhopperError(Exception):
    """Refuse a call for one documented reason.

    Attributes:
        code: The gRPC status code; it tells a client whether to try again.
        reason: The value of `ErrorReason` without its prefix.
        message: One sentence for people, which may quote what the caller itself sent. Nothing from
            the database, no SQL and no address of it. It is never logged.
        violations: (field path as in the request, what is wrong with it), in the order found.
        retry_after: Seconds to wait before the next try; None when waiting does not help.
        metadata: Further facts for programs (`ErrorInfo.metadata`); may be empty.
    """

    code: ClassVar[grpc.StatusCode]
    reason: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        violations: Iterable[tuple[str, str]] = (),
        retry_after: float | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.violations = tuple(violations)
        self.retry_after = retry_after
        self.metadata = dict(metadata or {})


class InvalidArgument(CallhopperError):
    """Refuse fields that can never be right, all of them at once.

    `InvalidArgument([("contact.phone", "must be given")])`
    """

    code = grpc.StatusCode.INVALID_ARGUMENT
    reason = "INVALID_FIELD"

    def __init__(self, violations: Iterable[tuple[str, str]], message: str | None = None) -> None:
        found = tuple(violations)
        text = message or "; ".join(f"{path} {description}" for path, description in found)
        super().__init__(text, violations=found)


class RequestIdReused(CallhopperError):
    """Refuse a request_id that an earlier, different request has used."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    reason = "REQUEST_ID_REUSED"

    def __init__(
        self, message: str = "request_id was used by another request; choose a new one"
    ) -> None:
        super().__init__(message, violations=[("request_id", "was used by another request")])


class InvalidPageToken(CallhopperError):
    """Refuse a page token that this server did not make for this query."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    reason = "INVALID_PAGE_TOKEN"

    def __init__(
        self, message: str = "page_token does not belong to this query; start without one"
    ) -> None:
        super().__init__(message, violations=[("page_token", "does not belong to this query")])


class NotFound(CallhopperError):
    """Say that a named resource does not exist, or that the caller may not see it."""

    code = grpc.StatusCode.NOT_FOUND
    reason = "RESOURCE_NOT_FOUND"

    def __init__(self, resource: str, message: str | None = None) -> None:
        super().__init__(message or f"{resource} does not exist", metadata={"resource": resource})


class AlreadyExists(CallhopperError):
    """Say that a resource with this key exists already."""

    code = grpc.StatusCode.ALREADY_EXISTS
    reason = "RESOURCE_EXISTS"


class WrongState(CallhopperError):
    """Refuse what the state of the resource does not allow."""

    code = grpc.StatusCode.FAILED_PRECONDITION
    reason = "WRONG_STATE"


class InUse(CallhopperError):
    """Refuse to delete what others refer to."""

    code = grpc.StatusCode.FAILED_PRECONDITION
    reason = "RESOURCE_IN_USE"


class EtagMismatch(CallhopperError):
    """Refuse a change made from an older copy of the resource."""

    code = grpc.StatusCode.ABORTED
    reason = "ETAG_MISMATCH"

    def __init__(self, message: str = "etag is not the current one; read again") -> None:
        super().__init__(message)


class Conflict(CallhopperError):
    """Say that a concurrent change got in the way and that the same call may succeed now."""

    code = grpc.StatusCode.ABORTED
    reason = "CONFLICT"

    def __init__(
        self, message: str = "a concurrent change got in the way", *, retry_after: float = 0.1
    ) -> None:
        super().__init__(message, retry_after=retry_after)


class Unavailable(CallhopperError):
    """Say that the database cannot be reached, or left before it answered.

    In the second case the outcome is unknown: the caller asks again with the same request_id.
    """

    code = grpc.StatusCode.UNAVAILABLE
    reason = "DATABASE_UNAVAILABLE"

    def __init__(
        self, message: str = "the database is not available", *, retry_after: float = 1.0
    ) -> None:
        super().__init__(message, retry_after=retry_after)


class Overloaded(CallhopperError):
    """Say that the server has no room for this call now."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    reason = "OVERLOADED"

    def __init__(self, message: str = "the server is busy", *, retry_after: float = 0.5) -> None:
        super().__init__(message, retry_after=retry_after)


class StatementTimeout(CallhopperError):
    """Say that the time of the call was over before the database answered; nothing was changed."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED
    reason = "STATEMENT_TIMEOUT"

    def __init__(self, message: str = "the deadline is too short for this call") -> None:
        super().__init__(message)


class Draining(CallhopperError):
    """Say that this server is going down and that another one should be asked."""

    code = grpc.StatusCode.UNAVAILABLE
    reason = "DRAINING"

    def __init__(
        self, message: str = "this server is going down", *, retry_after: float = 0.1
    ) -> None:
        super().__init__(message, retry_after=retry_after)


class Internal(CallhopperError):
    """Hide an unexpected failure behind an id; the log has the rest under the same id.

    Attributes:
        error_id: 32 hexadecimal digits, also in `ErrorInfo.metadata["error_id"]`.
    """

    code = grpc.StatusCode.INTERNAL
    reason = "INTERNAL"

    def __init__(self) -> None:
        self.error_id = uuid4().hex
        super().__init__(f"unexpected error {self.error_id}", metadata={"error_id": self.error_id})


def to_status(error: CallhopperError) -> status_pb2.Status:
    """Convert an error to the message that travels in `grpc-status-details-bin`.

    Returns:
        ErrorInfo always comes first; BadRequest and RetryInfo follow where the error has
        violations or a time to wait.
    """
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)
    ]
    if error.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(field=path, description=description)
                    for path, description in error.violations
                ]
            )
        )
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(error.retry_after * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=error.code.value[0], message=error.message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status
