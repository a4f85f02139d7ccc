"""Say who is calling."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Principal:
    """Hold who makes a call.

    Attributes:
        name: What the audit trail calls it: `users/{id}`, a worker's name, or `local` for a call
            without a token to a server that only this machine can reach.
    """

    name: str


LOCAL: Final = Principal("local")

principal: ContextVar[Principal] = ContextVar("principal", default=LOCAL)
"""Who makes the call under way."""
