"""Distributions of the new style are drawn from as scikit-learn draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sktune.space import as_sampled


def test_new_style_is_drawn_as_sklearn_draws():
    sampled = as_sampled(stats.Uniform(a=1, b=3))
    draws = [sampled.rvs(random_state=np.random.RandomState(i)) for i in range(20)]
    expected = [1 + 2 * np.random.RandomState(i).uniform() for i in range(20)]
    assert draws == pytest.approx(expected)
    assert {type(x) for x in draws} == {float}
    assert sampled.rvs(random_state=7) == sampled.rvs(random_state=7)
    assert repr(sampled) == repr(stats.Uniform(a=1, b=3))


def test_new_style_discrete_is_drawn_as_integers():
    sampled = as_sampled(stats.Binomial(n=10, p=0.3))
    rng = np.random.RandomState(0)
    draws = [sampled.rvs(random_state=rng) for _ in range(2000)]
    assert {type(x) for x in draws} == {int}
    assert np.mean(draws) == pytest.approx(3, abs=0.15)


@pytest.mark.parametrize("given", [stats.norm(), [1, 2], stats.poisson(3)])
def test_all_else_is_drawn_as_it_is(given):
    assert as_sampled(given) is given
