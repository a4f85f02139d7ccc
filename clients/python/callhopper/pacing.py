"""How long to wait before asking again, and waiting that can be cut short."""

import asyncio
import random
from contextlib import suppress
from typing import Final

from google.rpc import error_details_pb2
from grpc.aio import AioRpcError
from grpc_status import rpc_status

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 5.0


class Backoff:
    """Pauses that double up to a limit, with jitter, so that workers do not come back as one."""

    def __init__(self) -> None:
        self._pause = _FIRST_PAUSE

    def __next__(self) -> float:
        """Return the next pause in seconds."""
        pause, self._pause = self._pause, min(self._pause * 2, _LONGEST_PAUSE)
        return pause * random.uniform(0.5, 1)  # noqa: S311 - jitter is no secret


def retry_delay(error: AioRpcError) -> float | None:
    """Return the seconds that the server asks to wait (RetryInfo), None if it does not say."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type] # it has what is asked of a call
    for detail in status.details if status else ():
        info = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            return float(info.retry_delay.ToTimedelta().total_seconds())
    return None


async def happened(event: asyncio.Event, *, within: float) -> bool:
    """Wait for an event, some seconds at most, and return whether it happened."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()
