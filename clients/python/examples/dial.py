"""Dial what a server has due, until Ctrl-C; put your telephone exchange into `dial`.

Run it beside `make serve`: .venv/bin/python clients/python/examples/dial.py
"""

import asyncio
import logging
import os
from datetime import timedelta

from callhopper import Call, NotDialed, Outcome, Result, Worker

TRUNK_IS_UP = True


async def dial(call: Call) -> Result:
    """Place one call, and say what it came to."""
    if not TRUNK_IS_UP:
        raise NotDialed("trunk down")
    print(f"{call.contact}: {call.number} (cycle {call.cycle}, call {call.attempt_number})")
    await asyncio.sleep(1)  # it rings
    await call.answered()
    await asyncio.sleep(2)  # they talk
    return Result(Outcome.ANSWERED, ring=timedelta(seconds=1), talk=timedelta(seconds=2))


async def main() -> None:
    """Work until a signal comes."""
    logging.basicConfig(level=logging.INFO)
    worker = Worker(
        dial=dial,
        address=os.environ.get("CALLHOPPER_ADDRESS", "localhost:50051"),
        concurrency=10,
        handle_signals=True,
    )
    await worker.run()
    print(worker.stats)


asyncio.run(main())
