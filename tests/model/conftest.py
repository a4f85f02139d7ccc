import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.conftest import new_database
from tests.model.direct import Direct, create_schema

# Examples are found, not shrunk, unless a person asks for it: shrinking takes longer than finding.
settings.register_profile(
    "model",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=False,
    max_examples=150,
    stateful_step_count=30,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "long",
    settings.get_profile("model"),
    derandomize=False,
    max_examples=5000,
    stateful_step_count=50,
    phases=[Phase.generate, Phase.shrink],
    print_blob=True,
)


@pytest.fixture(scope="session")
def profile() -> settings:
    """The settings of this run: HYPOTHESIS_PROFILE=long looks for hours and shrinks."""
    return settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "model"))


@pytest.fixture(scope="session")
def model_dsn(cluster: str) -> Iterator[str]:
    """A database in which every machine has a schema of its own."""
    with new_database(cluster, f"model_{os.getpid()}") as dsn:
        yield dsn


@pytest.fixture(scope="session")
def direct(model_dsn: str) -> Iterator[Direct]:
    """The server's code on a database with the schema as it is."""
    create_schema(model_dsn, "model")
    direct = Direct(model_dsn, "model")
    yield direct
    direct.close()
