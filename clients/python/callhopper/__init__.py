"""Python client of callhopper: a worker; `callhopper.v1` holds messages and stubs."""

from callhopper.call import Call, DialRule, NotDialed, Outcome, Result, clock
from callhopper.channel import CHANNEL_OPTIONS, SERVICE_CONFIG, open_channel
from callhopper.reporter import Stats
from callhopper.worker import Dial, Worker

__all__ = [
    "CHANNEL_OPTIONS",
    "SERVICE_CONFIG",
    "Call",
    "Dial",
    "DialRule",
    "NotDialed",
    "Outcome",
    "Result",
    "Stats",
    "Worker",
    "clock",
    "open_channel",
]
