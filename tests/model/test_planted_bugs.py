from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import Phase, settings

from tests.model import machine, plans
from tests.model.direct import Direct, create_schema
from tests.model.planted_bugs import ORDER_REVERSED, PLANTED_BUGS, PlantedBug, plant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def hunt(profile: settings) -> settings:
    """Enough examples to find every planted bug; none of them is shrunk."""
    return settings(profile, max_examples=300, phases=[Phase.generate], report_multiple_bugs=False)


@contextmanager
def planted(dsn: str, bug: PlantedBug, folder: Path) -> Iterator[Direct]:
    sql = plant(bug, folder)
    schema = f"bug_{uuid4().hex}"
    create_schema(dsn, schema, sql / "schema")
    direct = Direct(dsn, schema, sql / "queries")
    try:
        yield direct
    finally:
        direct.close()


def is_caught(check: Callable[..., None], direct: Direct, *args: object) -> bool:
    """Tell whether a check notices; an error of the database would be no discovery."""
    try:
        check(direct, *args)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("bug", PLANTED_BUGS, ids=lambda bug: f"{bug.broken_rule} {bug.name}")
def test_a_planted_bug_is_caught(model_dsn: str, hunt: settings, tmp_path: Path, bug: PlantedBug):
    with planted(model_dsn, bug, tmp_path) as direct:
        # A plan shows a wrong rule soonest; all else shows in the steps of real calls only.
        is_planned = bug.shows_in_plans and is_caught(plans.check_many, direct, hunt)
        assert is_planned or is_caught(machine.run, direct, hunt)


@pytest.mark.parametrize("check", ["claim", "plan"])
def test_a_wrong_order_in_the_view_breaks_the_claim_and_the_plan(
    model_dsn: str, hunt: settings, tmp_path: Path, check: str
):
    views: Collection[str] = {"numbers", "next_calls"}
    with planted(model_dsn, ORDER_REVERSED, tmp_path) as direct:
        if check == "claim":
            assert is_caught(machine.run, direct, hunt, views)
        else:
            assert is_caught(plans.check_many, direct, hunt)
