"""Stand between gRPC and the services: deadlines, errors as statuses, one log line a call.

`CallInterceptor` does all three, because the log line needs the status and the status needs the
deadline, and every layer around a call costs time. It wraps all four kinds of methods.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn
from uuid import uuid4

import grpc
import structlog
from grpc_status import rpc_status

from server.db import call_deadline
from server.errors import CallhopperError, Internal, StatementTimeout, to_status
from server.log import masked_traceback
from server.settings import Settings

log = structlog.get_logger("server.calls")

Context = grpc.aio.ServicerContext[Any, Any]
if TYPE_CHECKING:  # the class takes arguments in its stubs only
    Handler = grpc.RpcMethodHandler[Any, Any]

REQUEST_ID: Final = "x-request-id"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET: Final = ("/grpc.health.v1.", "/grpc.reflection.")
"""Methods that probes call all the time."""


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Give every call a deadline, a status from the catalogue, and a line in the log.

    Errors of `server.errors` become their status with details in the trailers. Any other exception
    becomes INTERNAL with an id; without that, gRPC would send its text to the client. A cancelled
    call stays cancelled.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Wrap the handler of one call."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        # An unknown method has no handler; health checks watch for ever and need no deadline.
        if handler is None or method.startswith(_QUIET):
            return handler
        settings = self._settings
        streams = handler.request_streaming or handler.response_streaming
        limit = settings.stream_deadline if streams else settings.default_deadline
        request_id = _request_id(handler_call_details)
        if handler.response_streaming:
            return _streaming(handler, lambda context: _Call(method, request_id, limit, context))
        return _unary(handler, lambda context: _Call(method, request_id, limit, context))


def _unary(handler: "Handler", begin: Callable[[Context], "_Call"]) -> "Handler":
    """Wrap a method that answers once."""
    behaviour: Any = handler.stream_unary if handler.request_streaming else handler.unary_unary

    async def call(request: Any, context: Context) -> Any:
        async with begin(context):
            return await behaviour(request, context)

    make: Any = (
        grpc.stream_unary_rpc_method_handler
        if handler.request_streaming
        else grpc.unary_unary_rpc_method_handler
    )
    wrapped: Handler = make(call, handler.request_deserializer, handler.response_serializer)
    return wrapped


def _streaming(handler: "Handler", begin: Callable[[Context], "_Call"]) -> "Handler":
    """Wrap a method that answers with a stream: an async generator, or one that calls write()."""
    behaviour: Any = handler.stream_stream if handler.request_streaming else handler.unary_stream

    async def call(request: Any, context: Context) -> AsyncIterator[Any]:
        async with begin(context):
            answers = behaviour(request, context)
            if hasattr(answers, "__aiter__"):
                async for answer in answers:
                    yield answer
            else:
                await answers

    make: Any = (
        grpc.stream_stream_rpc_method_handler
        if handler.request_streaming
        else grpc.unary_stream_rpc_method_handler
    )
    wrapped: Handler = make(call, handler.request_deserializer, handler.response_serializer)
    return wrapped


class _Call:
    """Carry one call from its start to its line in the log."""

    def __init__(self, method: str, request_id: str, limit: float, context: Context) -> None:
        self._context = context
        self._method = method
        self._request_id = request_id
        # Not when the call ends: gRPC may have freed a cancelled one by then.
        self._peer = context.peer()
        self._started = monotonic()
        remaining = context.time_remaining()
        # gRPC itself enforces the deadline of a client; ours is needed where there is none.
        self._timeout = asyncio.timeout(limit if remaining is None else None)
        call_deadline.set(self._started + (limit if remaining is None else remaining))

    async def __aenter__(self) -> None:
        structlog.contextvars.bind_contextvars(request_id=self._request_id)
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            error = StatementTimeout("the call took longer than a call without a deadline may")
        if error is None:
            code = self._context.code()
            self._log(code.name if isinstance(code, grpc.StatusCode) else "OK")
        elif isinstance(error, asyncio.CancelledError | GeneratorExit):
            self._log("CANCELLED")
        elif isinstance(error, grpc.aio.AbortError):
            self._log("ABORTED_BY_SERVICE")
        elif isinstance(error, Exception):
            await self._refuse(error)

    async def _refuse(self, error: Exception) -> NoReturn:
        answer = error if isinstance(error, CallhopperError) else Internal()
        facts = {"reason": answer.reason}
        if isinstance(answer, Internal):
            facts |= {"error_id": answer.error_id, "traceback": masked_traceback(error)}
        self._log(answer.code.name, **facts)
        # Not abort_with_status: OpenTelemetry overrides abort only, and would record OK.
        trailers = rpc_status.to_status(to_status(answer)).trailing_metadata
        await self._context.abort(answer.code, answer.message, trailing_metadata=trailers)

    def _log(self, code: str, **facts: str) -> None:
        write = log.error if "error_id" in facts else log.info
        milliseconds = round((monotonic() - self._started) * 1000, 1)
        write(
            "call",
            method=self._method,
            code=code,
            ms=milliseconds,
            peer=self._peer,
            **facts,
        )


def _request_id(details: grpc.HandlerCallDetails) -> str:
    """Return the caller's id of this call, or a new one when it has none that is safe to log."""
    for key, value in details.invocation_metadata or ():
        if key == REQUEST_ID and isinstance(value, str) and _REQUEST_ID.fullmatch(value):
            return value
    return uuid4().hex
