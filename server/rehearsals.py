"""Do a change and take it back, so that `validate_only` answers exactly what would happen."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from server.db import Constraints, Database, Transaction

Answer = TypeVar("Answer")


class _TakenBack(Exception, Generic[Answer]):  # noqa: N818 - not an error: it ends a transaction
    def __init__(self, answer: Answer) -> None:
        self.answer = answer


async def rehearse(
    db: Database,
    work: Callable[[Transaction], Awaitable[Answer]],
    *,
    constraints: Constraints | None = None,
) -> Answer:
    """Run `work` in one transaction, roll it back, and return its result.

    Deferred constraints are not checked. Sequences advance: ids in the result are taken by nobody.
    """

    async def take_back(tx: Transaction) -> None:
        raise _TakenBack(await work(tx))

    try:
        await db.run(take_back, constraints=constraints)
    except _TakenBack as taken_back:
        answer: Answer = taken_back.answer
        return answer
    raise AssertionError("a rehearsal cannot be committed")
