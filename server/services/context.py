"""What every service is made with."""

from dataclasses import dataclass

from server.claims import ClaimLoop
from server.db import Database
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """Hold what services share.

    Attributes:
        db: The database.
        settings: The settings.
        claims: Serves waiting claims.
    """

    db: Database
    settings: Settings
    claims: ClaimLoop
