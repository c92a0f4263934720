"""Greedy selection of the members of an ensemble."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktune.ensemble._selection import select


def negative_mse(y):
    return lambda mean: -float(((mean - y) ** 2).mean())


def test_two_whose_errors_cancel():
    y = np.zeros(2)
    best, above, below = np.full(2, 0.5), np.ones(2), np.array([-1.0, -1.0])
    weights = select([best, above, below], negative_mse(y), 3)
    # The best first; with the one below it is at -0.25, and with it twice at 0.
    np.testing.assert_allclose(weights, [2 / 3, 0, 1 / 3])


def test_of_equals_the_earlier_one_and_the_smallest_bag():
    same = [np.ones(3)] * 3
    np.testing.assert_array_equal(select(same, lambda mean: 1.0, 10), [1, 0, 0])


@given(st.integers(0, 1000), st.integers(1, 4))
@settings(deadline=None, max_examples=50)
def test_each_round_is_the_best_one_more(seed, n_rounds):
    """By brute force; and never worse than the best member."""
    rng = np.random.default_rng(seed)
    y, members = rng.normal(size=8), list(rng.normal(size=(4, 8)))
    score = negative_mse(y)
    bag, bags = [], []
    for _ in range(n_rounds):
        means = [np.mean([*bag, one], axis=0) for one in members]
        bag = [*bag, members[int(np.argmax([score(mean) for mean in means]))]]
        bags.append(score(np.mean(bag, axis=0)))
    weights = select(members, score, n_rounds)
    found = score(np.tensordot(weights, np.array(members), axes=1))
    assert weights.sum() == pytest.approx(1)
    assert found == pytest.approx(max(bags))
    assert found >= max(map(score, members)) - 1e-12
    all_bags = combinations_with_replacement(members, n_rounds)
    assert found <= max(score(np.mean(b, axis=0)) for b in all_bags) + 1e-12 or (
        n_rounds > 1
    )
