"""Types that strategies, schedules and workers share."""

from sktune._types import Observation


def test_score_of_an_observation():
    assert Observation(0, {}, {0: 1.0, 1: 2.0, 2: 6.0}).score == 3.0
    assert Observation(0, {}, {0: 1.0, 1: None, 2: 6.0}).failed
