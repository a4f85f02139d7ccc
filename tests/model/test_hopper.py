import pytest
from hypothesis import settings

from tests.model import machine
from tests.model.direct import Direct


@pytest.mark.slow
@pytest.mark.timeout(0)  # the long profile takes as long as it takes
def test_the_database_does_what_the_rules_say(direct: Direct, profile: settings):
    machine.run(direct, profile)
