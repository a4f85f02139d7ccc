"""Serve a bare grpc.aio echo, the most that a server in Python can answer here."""

import asyncio
from typing import Any

import grpc

from bench.drivers import ECHO


class _Echo(grpc.GenericRpcHandler):
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if handler_call_details.method != ECHO:
            return None
        return grpc.unary_unary_rpc_method_handler(self._echo)

    @staticmethod
    async def _echo(request: bytes, _context: Any) -> bytes:
        return request


async def _serve() -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Echo(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"echo serves at 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve())
