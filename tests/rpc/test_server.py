"""The server as a whole: what it serves, how it says so, how it goes."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor_pool import Default
from grpc_health.v1 import health_pb2, health_pb2_grpc

import callhopper.v1 as contract
from server.app import SERVICE_NAMES, serve
from server.services import SERVICES
from server.settings import Settings


def test_every_method_of_the_contract_is_written():
    for service, _ in SERVICES:
        descriptor = Default().FindServiceByName(f"callhopper.v1.{service.__name__}")
        missing = [m.name for m in descriptor.methods if m.name not in vars(service)]
        assert not missing, f"{service.__name__} does not override {missing}"


def test_every_service_of_the_contract_is_served():
    files = Path(contract.__path__[0]).glob("*_service_pb2.py")
    words = {file.name.removesuffix("_pb2.py").title().replace("_", "") for file in files}
    assert {f"callhopper.v1.{word}" for word in words} == set(SERVICE_NAMES)


async def test_health_names_every_service(channel):
    stub: Any = health_pb2_grpc.HealthStub(channel)
    for service in ["", *SERVICE_NAMES]:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_draining_server_says_so_before_it_closes_its_port(server, channel):
    stub: Any = health_pb2_grpc.HealthStub(channel)
    await server.app.drain()
    answer = await stub.Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_sigterm_ends_a_real_server_in_peace(database):
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    settings = Settings(
        database_url=database, listen="127.0.0.1:0", drain_delay=0, drain_grace=1, pool_size=2
    )
    serving = asyncio.create_task(serve(settings, ready=port.set_result))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(serving, 20)
