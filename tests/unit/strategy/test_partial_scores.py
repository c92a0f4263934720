"""Scores of some splits, made comparable with those of all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import uniform

from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import Bayes
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._partial_scores import as_of_all_splits, comparable

PLANE = {"x": uniform(0, 1), "y": uniform(0, 1)}


def observation(number: int, scores: dict[int, float]) -> EncodedObservation:
    mean = float(np.mean(list(scores.values())))
    return EncodedObservation(number, np.array([0.5]), mean, scores=scores)


def test_what_splits_add_is_taken_off() -> None:
    """Without noise, the mean of any splits tells that of all."""
    effects = np.array([0.3, -0.5, 0.1, 0.1])
    worth = np.array([0.2, 0.7, 0.4])
    table = worth[:, None] + effects
    whole = table.mean(axis=1)
    table[2, 1:] = np.nan
    means, variances = as_of_all_splits(table)
    np.testing.assert_allclose(means, whole)
    np.testing.assert_allclose(variances, 0.0, atol=1e-30)


@given(n_splits=st.integers(2, 8), n=st.integers(3, 9), seed=st.integers(0, 99))
def test_the_mean_is_unbiased_and_the_variance_is_its_own(
    n_splits: int, n: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(n, n_splits)) + rng.normal(size=n_splits)
    complete, zeros = as_of_all_splits(table)
    np.testing.assert_allclose(complete, table.mean(axis=1))
    assert not zeros.any()
    run = rng.integers(1, n_splits + 1)
    table[0, run:] = np.nan
    _, variances = as_of_all_splits(table)
    assert not variances[1:].any()
    assert (variances[0] > 0) == (run < n_splits)


def test_fewer_splits_leave_more_in_doubt() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(400, 10))
    whole = table.mean(axis=1)
    for m in (2, 5, 9):
        partial = table.copy()
        partial[200:, m:] = np.nan
        means, variances = as_of_all_splits(partial)
        error = np.square(means - whole)[200:].mean()
        assert variances[-1] == pytest.approx(error, rel=0.25)


def test_observations_without_scores_of_splits_stay_as_they_are() -> None:
    whole = observation(0, {0: 1.0, 1: 2.0})
    partial = observation(1, {1: 2.5})
    bare = EncodedObservation(2, np.array([0.1]), 3.0)
    failed = EncodedObservation(3, np.array([0.2]), None)
    seen = comparable([whole, partial, bare, failed], 2)
    assert seen[0] is whole and seen[2] is bare and seen[3] is failed
    assert seen[1].score == pytest.approx(2.0)
    # With nothing to compare with, and with nothing to be compared.
    assert comparable([partial, bare], 2) == [partial, bare]
    assert comparable([whole, bare], 2) == [whole, bare]


@pytest.mark.parametrize("surrogate", ["gp", "forest", "tpe"])
def test_the_split_of_a_candidate_does_not_lead_astray(surrogate: str) -> None:
    """An easy first split makes nobody who is spared the rest look good."""
    space, strategy = Space(PLANE), Bayes(surrogate=surrogate)
    effects = {0: 5.0, 1: 0.0, 2: -5.0}

    def asked(partial: bool) -> dict[str, float]:
        state = strategy.init(Problem(space, 40, None, 3))
        for number in range(16):
            params = space.decode(np.random.default_rng(number).random(space.n_dims))
            worth = -sum((float(v) - 0.3) ** 2 for v in params.values())
            splits = [0] if partial and number % 2 and worth < -0.1 else [0, 1, 2]
            scores: dict[int, float | None] = {k: worth + effects[k] for k in splits}
            state = strategy.tell(state, Observation(number, params, scores))
        return dict(strategy.ask(state, 16, (), 0) or {})

    near = asked(partial=True)
    whole = asked(partial=False)
    for name, value in whole.items():
        assert abs(near[name] - value) < 0.35
