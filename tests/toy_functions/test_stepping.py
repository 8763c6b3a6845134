"""How long a rule's steps are is what its race multiplies its learning rate by."""

import pytest

from fop_core.optim.rules import OSGMH, SGD
from toy_functions import Race, surfaces
from toy_functions.schedules import rate_factor
from toy_functions.stepping import stepping

RACE = Race(surfaces.BOOTH, (0.0, -4.0), {}, max_steps=10, schedule="cosine", warmup=2)


def test_the_rate_of_a_step_is_the_schedules_and_at_the_end_the_last_steps():
    how = stepping(SGD(0.1), RACE)
    assert [how.at(step) for step in range(10)] == pytest.approx(
        [0.1 * rate_factor("cosine", 2, 10, step) for step in range(10)]
    )
    assert how.at(10) == how.at(9) != how.at(2)


def test_without_a_schedule_it_is_the_rules_own_and_1_where_a_rule_has_none():
    constant = Race(surfaces.BOOTH, (0.0, -4.0), {}, max_steps=10)
    assert [stepping(SGD(0.1), constant).at(step) for step in (0, 10)] == [0.1, 0.1]
    assert stepping(OSGMH(), RACE).at(5) == 1.0
