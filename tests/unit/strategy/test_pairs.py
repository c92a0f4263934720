"""The process on pairs of categories, against its own closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sktune import BayesSearchCV
from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import Bayes
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._pairs import (
    Effects,
    categories,
    covariance,
    likeliest,
    pairs_of_categories,
)
from sktune.strategy._surrogate import SurrogateInput
from tests.helpers.asked import searched
from tests.helpers.estimators import Score
from tests.helpers.searches import X, y

CELL = {name: list("vwx") for name in "abc"}
CONDITIONAL = [{"c": ["u", "v"], "d": ["x", "y", "z"]}, {"e": [True, False, None]}]


def points_of(space):
    return np.array([space.encode(params) for params in space.points()])


@pytest.mark.parametrize("given", [CELL, CONDITIONAL])
def test_the_covariance_is_that_of_draws_from_the_prior(given):
    space = Space(given)
    X = categories(space, points_of(space))
    rng = np.random.default_rng(0)
    drawn = np.array(
        [Effects.drawn(space.n_categories, 0.4, rng).values(X) for _ in range(4000)]
    )
    expected = covariance(X, X, 0.4)
    np.testing.assert_allclose(drawn.T @ drawn / len(drawn), expected, atol=0.12)
    if given is CELL:
        assert np.diag(expected) == pytest.approx(1.0)


def test_draws_are_of_the_posterior():
    """Mean and covariance of many, beside Rasmussen and Williams, 2.23 and 2.24."""
    space = Space(CELL)
    rng = np.random.default_rng(0)
    every = points_of(space)
    scores = rng.standard_normal(8)
    told = [EncodedObservation(i, every[3 * i], scores[i]) for i in range(8)]
    none = np.empty((0, 3))
    drawn = np.array(
        [
            pairs_of_categories(
                SurrogateInput(space, told, none, "log_ei", None, seed)
            )[0].values(every)
            for seed in range(800)
        ]
    )
    at = categories(space, every)
    normal = stats.norm.ppf((stats.rankdata(scores) - 0.5) / 8)
    normal /= normal.std()
    share, noise = likeliest(at[:24:3], normal)
    k = covariance(at, at[:24:3], share)
    K = covariance(at[:24:3], at[:24:3], share) + noise * np.eye(8)
    mean = k @ np.linalg.solve(K, normal)
    spread = covariance(at, at, share) - k @ np.linalg.solve(K, k.T)
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.12)
    np.testing.assert_allclose(np.cov(drawn.T), spread, atol=0.2)


def test_it_finds_what_only_pairs_tell():
    """The 9 best of 81 cells, which no single category points to."""
    space = Space({name: list("vwx") for name in "abcd"})

    def score(params):
        a, b, c, d = ("vwx".index(value) for value in params.values())
        return float((a + b) % 3 == 2) + float((c + 2 * d) % 3 == 1)

    strategy, found = Bayes(surrogate="pairs"), []
    for seed in range(3):
        asked, _ = searched(strategy, Problem(space), 40, score, seed)
        found.append([*map(score, asked)].count(2.0))
    assert np.mean(found) > 7.0  # by chance 4.4


def test_all_candidates_of_a_small_space_are_named_once():
    """Failures and pending ones among them, and coordinates that some lack."""
    space = Space(CONDITIONAL)
    strategy = Bayes(surrogate="pairs")
    state, asked = strategy.init(Problem(space)), []
    for number in range(9):
        params = strategy.ask(state, number, asked[-1:], number)
        for told in asked[-1:]:
            score = None if number % 3 == 1 else float(number)
            state = strategy.tell(state, Observation(number - 1, told, {0: score}))
        asked.append(params)
    assert len({space.key(params) for params in asked}) == 9
    assert strategy.ask(state, 9, asked[-1:], 9) is None


def test_a_draw_is_the_same_for_the_same_seed():
    space = Space({name: list("vwxyz") for name in "abcdef"})
    runs = [
        searched(
            Bayes(surrogate="pairs"),
            Problem(space),
            14,
            lambda params: float(list(params.values()).count("z")),
            seed,
        )[0]
        for seed in (0, 0, 1)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_what_has_an_order_is_refused_before_the_first_fit():
    space = {"bad": [(), (0.1,)], "a": [0.1, 0.2]}
    with pytest.raises(ValueError, match=r"'pairs' is for spaces of categories.*'a'"):
        BayesSearchCV(Score(), space, surrogate="pairs").fit(X, y)
    with pytest.raises(ValueError, match="acquisition='ucb' is not looked at"):
        Bayes(surrogate="pairs", acquisition="ucb").init(Problem(Space(CELL)))
