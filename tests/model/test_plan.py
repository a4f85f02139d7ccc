import pytest
from hypothesis import settings

from tests.model import plans
from tests.model.direct import Direct


def test_the_model_times_the_worked_example_as_the_rules_do():
    timeline, closed = plans.of_model(plans.WORKED_EXAMPLE, plans.MOST)
    assert [(call.number[-1], call.at) for call in timeline] == [
        (number, minute * 60)
        for number, minute in zip("012" * 3, [0, 1, 2, 4, 5, 6, 8, 9, 10], strict=True)
    ]
    assert closed == ("RETRY_LIMIT", "+12025550102", 9, 3)


def test_the_worked_example_is_planned_as_the_rules_say(direct: Direct):
    plans.check(direct, plans.WORKED_EXAMPLE)


def test_the_worked_example_is_dialed_as_it_is_planned(direct: Direct):
    plans.check_dialed(direct, plans.WORKED_EXAMPLE)


@pytest.mark.timeout(0)
def test_a_plan_is_what_the_rules_say(direct: Direct, profile: settings):
    plans.check_many(direct, profile)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_a_contact_is_dialed_as_it_was_planned(direct: Direct, profile: settings):
    plans.check_many_dialed(direct, settings(profile, max_examples=profile.max_examples // 5))
