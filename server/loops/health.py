"""Tell load balancers whether this server can answer."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Final

from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio

from server.db import Database
from server.errors import CallhopperError, Unavailable

SERVING: Final = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING
PATIENCE: Final = 2


class HealthLoop:
    """Set every service to NOT_SERVING while the database cannot be reached.

    One failure is no reason, and a busy or slow database is none at all: taking servers away
    makes the others slower.

    Args:
        health: The servicer to tell.
        services: Full names, and "" for the server as a whole.
    """

    name: ClassVar[str] = "health"
    interval: ClassVar[timedelta] = timedelta(seconds=2)

    def __init__(self, health: aio.HealthServicer, services: Sequence[str]) -> None:
        self._health = health
        self._services = services
        self._failures = 0

    async def run_once(self, db: Database, limit: int) -> int:  # noqa: ARG002 - one look does all
        """Look once; answer 0, because nothing is ever left over."""
        try:
            async with db.transaction():
                self._failures = 0
        except Unavailable:
            self._failures += 1
        except CallhopperError:
            self._failures = 0
        if self._failures in {0, PATIENCE}:
            await self.tell(is_serving=not self._failures)
        return 0

    async def tell(self, *, is_serving: bool) -> None:
        """Set all services at once; without effect once the server drains."""
        for service in self._services:
            await self._health.set(service, SERVING if is_serving else NOT_SERVING)
