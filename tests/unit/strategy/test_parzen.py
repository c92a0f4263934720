"""The tree-structured Parzen estimator: densities, and what is made of them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from sktune._types import Observation, Params, Problem
from sktune.space import Space
from sktune.strategy import Bayes
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._parzen import (
    NARROWEST,
    Density,
    bandwidths,
    parzen_estimator,
    scores_of_one_rung,
)
from sktune.strategy._surrogate import SurrogateInput
from sktune.strategy._told import observed as known
from tests.helpers.asked import least_gap, searched

PLANE = {"x": stats.uniform(0, 1), "y": stats.uniform(0, 1)}
KINDS: dict[str, Any] = {
    "continuous": {"x": stats.loguniform(1e-3, 1)},
    "integer": {"n": stats.randint(3, 20)},
    "poisson": {"n": stats.poisson(2)},
    "a list": {"k": [1, 10, 100]},
    "categories": {"c": list("abc")},
    "one value": {"c": ["a"], "k": [3]},
    "mixed": {"x": stats.uniform(0, 1), "n": stats.randint(0, 3), "c": ["a", "b"]},
    "conditional": [
        {"x": stats.uniform(0, 1), "n": stats.randint(0, 3)},
        {"x": stats.uniform(0, 1), "c": list("abc")},
        {},
    ],
}
kinds = pytest.mark.parametrize("kind", list(KINDS))


def seen(space: Space, n: int, seed: int = 0) -> Any:
    """Points that crowd near 0.7, as good ones do."""
    rng = np.random.default_rng(seed)
    return space.snap(np.where(rng.random((n, space.n_dims)) < 0.6, 0.7, 0.05))


def midpoints(space: Space, n: int = 200) -> Any:
    """An even grid over the cube, finer where a coordinate is continuous."""
    axes = [
        (np.arange(m) + 0.5) / m
        for m in (n if continuous else 6 for continuous in space.is_continuous)
    ]
    return np.array(list(itertools.product(*axes)))


@kinds
@pytest.mark.parametrize("n", [0, 1, 7])
def test_densities_integrate_to_one(kind: str, n: int) -> None:
    """Against what random search draws, which is even in the cube."""
    space = Space(KINDS[kind])
    density = Density.of(space, seen(space, n))
    if kind in ("integer", "poisson"):  # cells that no even grid meets
        U = space.snap([space.encode(p) for p in _values(space)])
        low, high = space.cells(U)
        total = (np.exp(density.log_values(U)) * (high - low)[:, 0]).sum()
    else:
        total = np.exp(density.log_values(space.snap(midpoints(space)))).mean()
    assert total == pytest.approx(1.0, abs=2e-4)


def _values(space: Space) -> list[Params]:
    return list(space.points())


@kinds
def test_draws_follow_the_density(kind: str) -> None:
    """Every part of the space gets its share: chi squared."""
    space = Space(KINDS[kind])
    density = Density.of(space, seen(space, 7))
    n = 4000
    drawn = density.draw(n, np.random.default_rng(0))
    np.testing.assert_array_equal(space.snap(drawn), drawn)
    even = space.snap(np.random.default_rng(1).random((40_000, space.n_dims)))
    weights = np.exp(density.log_values(even))

    def part(U: Any) -> list[tuple[float, ...]]:
        """Thirds of continuous coordinates, values of others; nan is one too."""
        coarse = np.where(space.is_continuous, np.floor(3 * U), np.round(U, 9))
        return [tuple(row) for row in np.nan_to_num(coarse, nan=-1.0)]

    expected: dict[Any, float] = {}
    for key, weight in zip(part(even), weights, strict=True):
        expected[key] = expected.get(key, 0.0) + n * float(weight) / len(even)
    counts = dict.fromkeys(expected, 0)
    for key in part(drawn):
        counts[key] = counts.get(key, 0) + 1
    large = [key for key, value in expected.items() if value > 20]
    chi2 = sum((counts[k] - expected[k]) ** 2 / expected[k] for k in large)
    # The expectation is sampled, too: a little more than its share is allowed.
    assert chi2 < 1.5 * stats.chi2.ppf(0.999, max(len(large) - 1, 1))


def test_a_kernel_is_a_truncated_normal() -> None:
    space = Space({"x": stats.uniform(0, 1)})
    density = Density.of(space, np.array([[0.9]]))
    u = np.linspace(0, 1, 11)
    kernel = stats.truncnorm(-1, 0.1 / 0.9, loc=0.9, scale=0.9).pdf(u)
    np.testing.assert_allclose(
        np.exp(density.log_values(u[:, None])), (1 + kernel) / 2, rtol=1e-12
    )


def test_integers_have_the_mean_of_the_kernel_over_their_cells() -> None:
    space = Space({"n": stats.randint(0, 4)})
    density = Density.of(space, space.snap([[0.1]]))
    at = stats.truncnorm(-0.125 / 0.875, 1.0, loc=0.125, scale=0.875)
    U = space.snap((np.arange(4)[:, None] + 0.5) / 4)
    expected = (1 + 4 * np.diff(at.cdf(np.arange(5) / 4))) / 2
    np.testing.assert_allclose(np.exp(density.log_values(U)), expected, rtol=1e-12)


@pytest.mark.parametrize("n_values", [10**6, 10**13])
def test_narrow_cells_are_continuous(n_values: int) -> None:
    countable = Space({"x": stats.randint(0, n_values)})
    continuous = Space({"x": stats.uniform(0, 1)})
    U = countable.snap(np.linspace(0.01, 0.99, 20)[:, None])
    X = U[[3, 7, 8]]
    np.testing.assert_allclose(
        Density.of(countable, X).log_values(U),
        Density.of(continuous, X).log_values(U),
        atol=1e-6,
    )


def test_branches_learn_from_each_other_what_they_share() -> None:
    space = Space(KINDS["conditional"])
    density = Density.of(space, np.array([space.encode({"x": 0.3, "n": 1})]))

    def value(**params: Any) -> float:
        return float(density.log_values(space.encode(params)[None])[0])

    assert value(x=0.3, c="a") == value(x=0.3, c="b")
    assert value(x=0.3, c="a") > value(x=0.95, c="a")
    assert value(x=0.3, n=1) > value(x=0.3, n=2) > value(x=0.3, c="a")


def test_bandwidths_are_distances_to_neighbours() -> None:
    x = np.array([0.9, 0.1, 0.5, 0.45])
    np.testing.assert_allclose(bandwidths(x), [0.4, 0.35, 0.4, 0.35])
    np.testing.assert_allclose(bandwidths(np.array([0.3])), [0.7])
    np.testing.assert_allclose(bandwidths(np.full(3, 0.5)), 1 / 5)
    assert bandwidths(np.full(1000, 0.5)).max() == 1 / NARROWEST
    assert bandwidths(np.empty(0)).shape == (0,)


# -- what is good, and what is bad -------------------------------------------------


def observed(
    points: Any, scores: Any, n_resources: Any = None, first: int = 0
) -> list[EncodedObservation]:
    rungs = (
        n_resources if isinstance(n_resources, list) else [n_resources] * len(points)
    )
    return [
        EncodedObservation(first + i, np.asarray(u, dtype=float), score, rung)
        for i, (u, score, rung) in enumerate(zip(points, scores, rungs, strict=True))
    ]


def data_of(
    space: Space, seen: list[EncodedObservation], pending: Any = (), **kwargs: Any
) -> Any:
    options = {"acquisition": "log_ei", "max_resources": None, "seed": 0, **kwargs}
    at = np.array(pending, dtype=float).reshape(-1, space.n_dims)
    return SurrogateInput(space, seen, at, **options)


def rows(density: Density) -> list[Any]:
    return sorted(map(tuple, density.X.tolist()))


def test_the_best_are_good_and_the_rest_are_bad() -> None:
    space = Space(PLANE)
    U = np.random.default_rng(0).random((16, 2))
    scores = [float(-abs(u[0] - 0.3)) for u in U]
    acquisition, anchors = parzen_estimator(data_of(space, observed(U, scores)))
    best = U[np.argsort(scores)[::-1]]
    n_good = len(acquisition.good.X)
    assert 1 <= n_good < 8
    assert rows(acquisition.good) == sorted(map(tuple, best[:n_good].tolist()))
    assert rows(acquisition.bad) == sorted(map(tuple, best[n_good:].tolist()))
    np.testing.assert_array_equal(anchors, best[:4])


def test_failures_and_pending_candidates_are_bad() -> None:
    space = Space(PLANE)
    points = [[0.1, 0.1], [0.2, 0.2], [0.8, 0.8], [0.9, 0.9]]
    seen = observed(points, [1.0, 0.0, None, None])
    acquisition, _ = parzen_estimator(data_of(space, seen, [[0.5, 0.6]]))
    assert rows(acquisition.good) == [(0.1, 0.1)]
    assert rows(acquisition.bad) == [(0.2, 0.2), (0.5, 0.6), (0.8, 0.8), (0.9, 0.9)]


def test_a_pending_candidate_that_was_judged_is_not_bad_for_going_on() -> None:
    space = Space(PLANE)
    seen = observed([[0.1, 0.1], [0.2, 0.2]], [1.0, 0.0], 27)
    acquisition, _ = parzen_estimator(
        data_of(space, seen, [[0.1, 0.1]], max_resources=27)
    )
    assert rows(acquisition.bad) == [(0.2, 0.2)]


def test_only_failures_beside_one_score() -> None:
    """Nothing is bad for sure, then, but what failed."""
    space = Space(PLANE)
    seen = observed([[0.1, 0.1], [0.8, 0.8]], [1.0, None])
    acquisition, _ = parzen_estimator(data_of(space, seen))
    assert rows(acquisition.good) == [(0.1, 0.1)]
    assert rows(acquisition.bad) == [(0.8, 0.8)]


def test_the_highest_rung_with_enough_scores_is_the_judge() -> None:
    U = np.random.default_rng(0).random((20, 2))
    low = observed(U, [0.0] * 20, 1)
    for n_high, rung in ((4, 1), (5, 9), (9, 9)):
        high = observed(U[:n_high], [1.0] * n_high, 9)
        assert {one.n_resources for one in scores_of_one_rung(low + high, 27, 2)} == {
            rung
        }
    few = observed(U[:3], [0.0] * 3, 1) + observed(U[:3], [0.0] * 3, 3)
    assert {one.n_resources for one in scores_of_one_rung(few, 27, 2)} == {3}


def test_a_failure_counts_once_however_many_rungs_it_passed() -> None:
    strategy = Bayes(surrogate="tpe")
    state = strategy.init(Problem(Space(PLANE), max_resources=9))
    points = [{"x": 0.1 * i, "y": 0.5} for i in range(1, 6)]
    for number, params in enumerate(points):
        for r in (1, 9):
            score = None if (number, r) == (4, 9) else float(number)
            state = strategy.tell(state, Observation(number, params, {0: score}, r))
    acquisition, _ = parzen_estimator(
        data_of(state.space, known(state, 9), max_resources=9)
    )
    failed = tuple(state.space.encode(points[4]))
    assert rows(acquisition.bad).count(failed) == 1
    assert len(acquisition.good.X) + len(acquisition.bad.X) == 5


def test_the_acquisition_is_the_ratio_of_the_densities() -> None:
    space = Space(KINDS["mixed"])
    U = space.snap(np.random.default_rng(0).random((12, space.n_dims)))
    acquisition, _ = parzen_estimator(data_of(space, observed(U, list(range(12)))))
    good, bad = acquisition.good.log_values(U), acquisition.bad.log_values(U)
    np.testing.assert_array_equal(acquisition.values(U), good - bad)
    best_first = acquisition.values(U)
    assert best_first[-1] > best_first[0]


def test_improvement_grows_with_the_ratio() -> None:
    """Equations 1 and 2, by integration over a made-up distribution of scores."""
    rng = np.random.default_rng(0)
    gamma, ratio = 0.2, np.exp(rng.standard_normal(50))
    y = np.linspace(-4, 4, 4001)
    weights = stats.norm.pdf(y)
    weights /= weights.sum()
    threshold = special.ndtri(1 - gamma)
    above = y > threshold
    likelihood = np.where(above, ratio[:, None], 1.0)  # l and g, both over g
    posterior = likelihood * weights
    posterior /= posterior.sum(axis=1, keepdims=True)
    improvement = (posterior * np.maximum(y - threshold, 0)).sum(axis=1)
    probability = (posterior * above).sum(axis=1)
    np.testing.assert_allclose(
        probability, gamma * ratio / (gamma * ratio + 1 - gamma), rtol=1e-2
    )
    order = np.argsort(ratio)
    np.testing.assert_array_equal(np.argsort(improvement), order)
    np.testing.assert_array_equal(np.argsort(probability), order)


# -- as a strategy -----------------------------------------------------------------


def search(
    strategy: Bayes, space: Space, n: int, score: Any, seed: int = 0
) -> list[Params]:
    return searched(strategy, Problem(space), n, score, seed)[0]


def peak(params: Params) -> float:
    return -((params["x"] - 0.7) ** 2) - (params["y"] - 0.2) ** 2


def test_it_climbs_a_hill() -> None:
    """Half of the square is farther from the top than 0.4; of what it asks, little."""
    asked = search(Bayes(surrogate="tpe"), Space(PLANE), 40, peak)
    scores = [peak(params) for params in asked]
    assert max(scores) > -5e-3
    assert np.median(scores[20:]) > -0.08


def test_it_stays_in_the_best_branch_and_category() -> None:
    space = Space(
        [
            {"a": stats.uniform(0, 1)},
            {"b": stats.uniform(0, 1), "c": list("xyz")},
        ]
    )

    def score(p: Params) -> float:
        return -1.0 if "a" in p else -((p["b"] - 0.3) ** 2) - 0.5 * (p["c"] != "y")

    late = search(Bayes(surrogate="tpe"), space, 40, score)[20:]
    assert sum("b" in p for p in late) > 14
    assert sum(p.get("c") == "y" for p in late) > 10


def test_failures_keep_it_away() -> None:
    """Where they were, the acquisition is less than if nothing had been there."""
    space = Space(PLANE)
    scored = observed(
        [[0.1, 0.1], [0.2, 0.7], [0.3, 0.2], [0.6, 0.8]], [3.0, 2.0, 1.0, 0]
    )
    failed = observed([[0.8, 0.3], [0.9, 0.2]], [None, None], first=4)
    here = np.array([[0.85, 0.25]])
    without, _ = parzen_estimator(data_of(space, scored))
    acquisition, _ = parzen_estimator(data_of(space, scored + failed))
    assert acquisition.values(here) < without.values(here) - 0.5


def test_pending_candidates_are_kept_away_from() -> None:
    """Asked again with the same seed, and what it said last pending, it moves."""
    space, strategy = Space(PLANE), Bayes(surrogate="tpe")
    _, state = searched(strategy, Problem(space), 12, peak)
    assert least_gap(strategy, state, 12) > 0.01


def test_a_small_space_is_searched_whole() -> None:
    """Where the density of the good has drawn nothing new, the rest is looked at."""
    space = Space({"k": list(range(12)), "c": ["a", "b"]})
    asked = search(Bayes(surrogate="tpe"), space, 24, lambda p: -abs(p["k"] - 3))
    assert len({space.key(p) for p in asked}) == 24


@pytest.mark.parametrize("n", [5, 12])
def test_the_order_of_the_scores_does_not_matter(n: int) -> None:
    space, strategy = Space(KINDS["conditional"]), Bayes(surrogate="tpe")

    def score(p: Params) -> float | None:
        return round(float(p["x"]), 1) if p else None  # with ties

    asked = list(enumerate(search(strategy, space, n, score)))
    answers = []
    for order in (asked, asked[::-1]):
        state = strategy.init(Problem(space))
        for number, params in order:
            state = strategy.tell(
                state, Observation(number, params, {0: score(params)})
            )
        answers.append([strategy.ask(state, n, (), seed) for seed in range(5)])
    assert answers[0] == answers[1]
    assert any(answers[0][0] != other for other in answers[0])


def test_both_improvements_are_one() -> None:
    space = Space(PLANE)
    log_ei = search(Bayes(surrogate="tpe"), space, 15, peak)
    assert search(Bayes(surrogate="tpe", acquisition="pi"), space, 15, peak) == log_ei


def test_a_bound_is_refused() -> None:
    with pytest.raises(ValueError, match=r"acquisition='ucb'.*Choose 'log_ei' or 'pi'"):
        Bayes(surrogate="tpe", acquisition="ucb").init(Problem(Space(PLANE)))
