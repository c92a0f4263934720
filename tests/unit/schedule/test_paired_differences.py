"""Who is clearly behind the best, from a few paired scores."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sktune.schedule._paired_differences import Difference, PairedDifferences

BEST = {k: float(k) for k in range(6)}


def scores(*differences):
    return {k: BEST[k] + d for k, d in enumerate(differences)}


def test_mean_and_squares():
    mean, squares, n = Difference.of(scores(-1.0, -3.0), BEST)
    assert (mean, squares, n) == (-2.0, 2.0, 2)
    assert not Difference.of(scores(0.0, 0.0), BEST).is_spread
    assert Difference.of(scores(1.0, 1.0), BEST).is_spread
    assert not Difference.of(scores(1.0), BEST).is_spread


@pytest.mark.parametrize("z", [1.0, 2.33, 3.0])
def test_against_the_formula(z):
    """One other candidate of three splits, and one of two in question."""
    others = {0: scores(-0.1, 0.1, 0.0), 1: scores(-0.5, -0.7)}
    differences = PairedDifferences.to(BEST, others)
    pooled = 0.02 / 2
    variance = (2 * pooled + 0.02) / (2 + 1)
    t = stats.t.ppf(stats.norm.cdf(z), 3)
    is_behind = -0.6 + t * math.sqrt(variance * (6 - 2) / (6 * 2)) < 0
    assert differences.behind([1], z) == ([1] if is_behind else [])
    assert is_behind == (z < 3.0)


def test_without_anybody_to_compare_with_nobody_is_behind():
    alone = PairedDifferences.to(BEST, {0: scores(-9.0, -9.1)})
    assert alone.behind([0], 2.33) == []
    # Equals say nothing of how differences spread.
    equal = PairedDifferences.to(BEST, {0: scores(-9.0, -9.1), 1: scores(0.0, 0.0)})
    assert equal.behind([0], 2.33) == []


def test_who_is_not_behind_on_average_is_not_behind():
    differences = PairedDifferences.to(
        BEST, {0: scores(0.0, 0.0), 1: scores(5.0, 5.0), 2: scores(-1.0, 1.0)}
    )
    assert differences.behind([0, 1, 2], 1e-6) == []


def test_a_candidate_that_diverges_spares_nobody_the_race():
    """Its spread is not that of those who are near."""
    near = {c: scores(-0.01 * c, -0.01 * c + 0.01) for c in range(6)}
    behind = PairedDifferences.to(BEST, near).behind(near, 2.33)
    wild = {**near, 9: scores(-1e9, -1.0)}
    assert PairedDifferences.to(BEST, wild).behind(near, 2.33) == behind != []


def test_squares_that_overflow_end_no_race():
    """Such as squared errors of a linear model whose learning rate is too great."""
    near = {c: scores(-0.01 * c, -0.01 * c + 0.01) for c in range(6)}
    behind = PairedDifferences.to(BEST, near).behind(near, 2.33)
    wild = PairedDifferences.to(BEST, {**near, 9: scores(-1e200, -1e300)})
    assert wild.behind(near, 2.33) == behind
    wild.with_scores(10, scores(-1.7e308, -1.7e308)).behind([*near, 9, 10], 2.33)


@given(
    table=st.lists(
        st.lists(st.integers(-9, 9).map(float), min_size=2, max_size=5),
        min_size=2,
        max_size=8,
    ),
    shift=st.integers(-99, 99).map(float),
    scale=st.integers(1, 64).map(float),
)
def test_scale_and_level_of_the_scores_play_no_part(table, shift, scale):
    others = {c: scores(*row) for c, row in enumerate(table)}
    behind = PairedDifferences.to(BEST, others).behind(others, 2.33)

    def moved(of):
        return {k: scale * s + shift for k, s in of.items()}

    both = PairedDifferences.to(moved(BEST), {c: moved(s) for c, s in others.items()})
    assert both.behind(others, 2.33) == behind


def test_of_candidates_that_are_as_good_one_in_a_hundred_is_lost():
    """In the end, over all splits, no better and no worse than the best."""
    lost = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=(20, 6))
        noise -= noise.mean(axis=1, keepdims=True)
        others = {c: scores(*row[:3]) for c, row in enumerate(noise)}
        differences = PairedDifferences.to(BEST, others)
        lost.append(len(differences.behind(others, 2.33)) / 20)
    assert 0.003 < np.mean(lost) < 0.02


def test_one_more_and_one_less():
    differences = PairedDifferences.to(BEST, {0: scores(1.0, 2.0)})
    more = differences.with_scores(1, scores(-1.0, 0.0)).with_scores(0, scores(3.0))
    assert more == PairedDifferences.to(BEST, {0: scores(3.0), 1: scores(-1.0, 0.0)})
    assert more.without(0) == PairedDifferences.to(BEST, {1: scores(-1.0, 0.0)})
    assert more.nearest([0, 1]) == 0
    assert more.with_scores(1, scores(3.0)).nearest([1, 0]) == 0
