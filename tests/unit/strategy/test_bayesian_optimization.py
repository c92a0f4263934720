"""What Bayes itself holds, beyond the contract of every strategy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sktune._errors import SpaceError
from sktune._types import Observation, Params, Problem
from sktune.space import Space
from sktune.strategy import Bayes
from sktune.strategy._acquisition import log_ei
from sktune.strategy._gaussian_process import (
    GaussianProcessAcquisition,
    gaussian_process,
)
from sktune.strategy._observations import MAX_OBSERVATIONS, EncodedObservation
from sktune.strategy._surrogate import SurrogateInput
from sktune.strategy._told import observed
from tests.helpers.asked import least_gap, searched

PLANE = {"x": stats.uniform(0, 1), "y": stats.uniform(0, 1)}


def peak(params: Params) -> float:
    return -((params["x"] - 0.7) ** 2) - (params["y"] - 0.2) ** 2


def search(
    strategy: Bayes, space: Space, n: int, score: Any, seed: int = 0
) -> list[Params]:
    return searched(strategy, Problem(space), n, score, seed)[0]


@pytest.mark.slow
@pytest.mark.parametrize("acquisition", ["log_ei", "pi", "ucb"])
def test_it_finds_the_top_of_a_hill(acquisition: str) -> None:
    asked = search(Bayes(acquisition=acquisition), Space(PLANE), 20, peak)
    assert max(map(peak, asked)) > -2e-3


def test_it_finds_the_top_of_a_hill_of_integers_and_categories() -> None:
    space = Space(
        {"n": stats.randint(0, 1000), "c": list("abcd"), "k": [1, 10, 100, 1000]}
    )

    def score(p: Params) -> float:
        return -abs(p["n"] - 300) / 1000 - (p["c"] != "c") - (p["k"] != 100)

    asked = search(Bayes(), space, 30, score)
    assert max(map(score, asked)) > -0.05


def test_it_searches_every_branch_and_stays_in_the_best() -> None:
    space = Space([{"a": stats.uniform(0, 1)}, {"b": stats.uniform(0, 1)}])

    def score(p: Params) -> float:
        return -1.0 if "a" in p else -((p["b"] - 0.3) ** 2)

    asked = search(Bayes(), space, 20, score)
    assert any("a" in p for p in asked)
    assert max(map(score, asked)) > -1e-3
    assert sum("b" in p for p in asked) > 12


def test_initial_points_come_first() -> None:
    points = ({"x": 0.9, "y": 0.1}, {"x": 0.5, "y": 0.5})
    strategy = Bayes(initial_points=points)
    assert tuple(search(strategy, Space(PLANE), 4, peak)[:2]) == points


def test_initial_points_that_are_repeated_are_tried_once() -> None:
    point = {"x": 0.9, "y": 0.1}
    asked = search(Bayes(initial_points=(point, dict(point))), Space(PLANE), 3, peak)
    assert asked.count(point) == 1


def test_initial_points_outside_the_space() -> None:
    with pytest.raises(SpaceError, match="z"):
        Bayes(initial_points=({"x": 0.9, "z": 0.1},)).init(Problem(Space(PLANE)))


def test_initial_points_that_the_constraint_refuses() -> None:
    space = Space(PLANE, constraint=lambda p: p["x"] < 0.5)
    with pytest.raises(SpaceError, match=r"initial_points holds .* refuses"):
        Bayes(initial_points=({"x": 0.9, "y": 0.1},)).init(Problem(space))


def test_a_constraint_that_refuses_everything() -> None:
    strategy = Bayes()
    state = strategy.init(Problem(Space(PLANE, constraint=lambda p: False)))
    with pytest.raises(SpaceError, match="constraint refused every candidate"):
        strategy.ask(state, 0, (), 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"acquisition": "log_eI"}, r"acquisition='log_eI'.*Did you mean 'log_ei'\?"),
        ({"surrogate": "tree"}, "surrogate='tree' is not known. Choose one of 'gp'"),
        ({"n_initial": 0}, "n_initial=0 must be at least 1"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Bayes(**options).init(Problem(Space(PLANE)))


def test_the_design_is_even() -> None:
    """Eight points, each with a seed of its own, and one in each eighth of each axis
    but for one or two: chance fills about five."""
    filled = []
    for seed in range(10):
        asked = search(Bayes(n_initial=8), Space(PLANE), 8, peak, seed)
        for name in "xy":
            filled.append(len({int(8 * p[name]) for p in asked}))
    assert np.mean(filled) > 6.3


def test_failures_keep_it_away() -> None:
    """Two fifths of the square fail, the top of the hill among them."""

    def score(p: Params) -> float | None:
        return None if p["x"] > 0.6 else peak(p)

    asked = search(Bayes(), Space(PLANE), 25, score)
    assert sum(score(p) is None for p in asked) < 8
    assert max(peak(p) for p in asked if score(p) is not None) > -0.05


@pytest.mark.parametrize("max_resources", [None, 9])
def test_where_much_was_tried_noise_hides_what_there_is_to_gain(
    max_resources: int | None,
) -> None:
    """Less so elsewhere, and not with rungs, whose noise is that of the low ones."""
    rng, space = np.random.default_rng(0), Space(PLANE)
    points = np.concatenate([rng.random((8, 2)), 0.5 + 0.02 * rng.random((20, 2))])
    seen = [
        EncodedObservation(
            i, u, peak(space.decode(u)) + 0.1 * rng.standard_normal(), max_resources
        )
        for i, u in enumerate(points)
    ]
    nothing = np.empty((0, 2))
    data = SurrogateInput(space, seen, nothing, "log_ei", max_resources, 0)
    acquisition, _ = gaussian_process(data)
    assert isinstance(acquisition, GaussianProcessAcquisition)
    U = np.array([[0.51, 0.51], [0.02, 0.98]])
    lost = replace(acquisition, formula=log_ei).values(U) - acquisition.values(U)
    if max_resources is None:
        assert lost[0] > 1.5 > 0.8 > lost[1] > 0.0
    else:
        assert not lost.any()


def test_one_catastrophe_does_not_hide_the_rest() -> None:
    def score(p: Params) -> float:
        return -1e30 if p["x"] < 0.1 else peak(p)

    asked = search(Bayes(), Space(PLANE), 25, score)
    assert max(map(score, asked)) > -3e-3


def test_pending_candidates_are_kept_away_from() -> None:
    """Four at once are four places; asked without the others, four times one."""
    space, strategy = Space(PLANE), Bayes()

    def waves(params: Params) -> float:
        return float(np.sin(9 * params["x"]) + np.cos(7 * params["y"]))

    _, state = searched(strategy, Problem(space), 6, waves)
    assert least_gap(strategy, state, 6) > 0.01


def test_told_again_the_last_score_counts() -> None:
    space, strategy = Space(PLANE), Bayes()
    state = strategy.init(Problem(space))
    point = {"x": 0.2, "y": 0.2}
    for score in (1.0, 2.0):
        state = strategy.tell(state, Observation(0, point, {0: score}))
    assert [r.score for r in state.observations.values()] == [2.0]


def test_what_the_surrogate_bears_is_bounded() -> None:
    """The best half of that number, and the latest; others are still not repeated."""
    strategy, rng = Bayes(), np.random.default_rng(0)
    state = strategy.init(Problem(Space(PLANE)))
    n = MAX_OBSERVATIONS + 100
    scores = rng.permutation(n).astype(float)
    for number, (x, y) in enumerate(rng.random((n, 2)).tolist()):
        seen = Observation(number, {"x": x, "y": y}, {0: scores[number]})
        state = strategy.tell(state, seen)
    kept = observed(state, None)
    assert len(kept) == MAX_OBSERVATIONS
    assert {n - 1, n - 2} <= {one.candidate for one in kept}
    best = sorted(scores)[-MAX_OBSERVATIONS // 2 :]
    assert set(best) <= {one.score for one in kept}
    assert len(state.observations) == n


def test_coordinates_that_are_one_number_are_one_candidate() -> None:
    """Between 1 and 1 + 1e-15 there are six numbers, and a continuum of coordinates."""
    space = Space({"x": stats.uniform(1, 1e-15)})
    asked = search(Bayes(n_initial=2), space, 6, lambda p: float(p["x"] - 1))
    assert len({p["x"] for p in asked}) == 6


@pytest.mark.parametrize("n", [3, 10])
def test_the_order_of_the_scores_does_not_matter(n: int) -> None:
    space, strategy = Space(PLANE), Bayes()
    asked = list(enumerate(search(strategy, space, n, peak)))
    answers = []
    for order in (asked, asked[::-1]):
        state = strategy.init(Problem(space))
        for number, params in order:
            state = strategy.tell(state, Observation(number, params, {0: peak(params)}))
        answers.append(strategy.ask(state, n, (), 0))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(("n_candidates", "expected"), [(None, 8), (100, 8), (10, 5)])
def test_the_start_leaves_half_of_a_short_search(
    n_candidates: int | None, expected: int
) -> None:
    space = Space({f"x{i}": stats.uniform(0, 1) for i in range(9)})
    assert Bayes()._n_initial(Problem(space, n_candidates)) == expected
