"""Answer a repeated Create as it was answered first (request_id, kept 24 hours)."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import Message

from server.db import Transaction
from server.errors import RequestIdReused

Answer = TypeVar("Answer", bound=Message)


async def answer_once(
    tx: Transaction,
    request: Message,
    request_id: UUID | None,
    answer_type: type[Answer],
    work: Callable[[Transaction], Awaitable[Answer]],
) -> Answer:
    """Do the work of a request, or repeat the answer that it has had.

    The id is taken first: a concurrent duplicate waits at the primary key until this transaction
    ends, and then finds the answer, or does the work if there is none.

    Args:
        tx: The transaction that the work runs in.
        request: The whole request.
        request_id: The caller's id; None: the work is always done.
        answer_type: What the work returns.
        work: What the request asks for.

    Raises:
        RequestIdReused: The id belongs to another request.
    """
    if request_id is None:
        return await work(tx)
    name = request.DESCRIPTOR.full_name
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    if await tx.execute("take_request_id", request_id=request_id, rpc=name, request_digest=digest):
        answer = await work(tx)
        response = answer.SerializeToString()
        await tx.execute("keep_answer", request_id=request_id, response=response)
        return answer
    [kept] = await tx.many("get_answer", request_id=request_id)
    if (kept["rpc"], bytes(kept["request_digest"])) != (name, digest):
        raise RequestIdReused
    return answer_type.FromString(bytes(kept["response"]))
