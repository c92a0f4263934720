"""What the surrogate of curves is told, and what it says of candidates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import uniform

from sktune._types import Observation, Problem, WarmStartObservation
from sktune.space import Space
from sktune.strategy import Bayes
from sktune.strategy import _learning_curves as module
from sktune.strategy._curve_regression import CurveLikelihood
from sktune.strategy._observations import EncodedObservation

SPACE = Space({"x": uniform(0, 1), "z": uniform(0, 1)})
STRATEGY = Bayes(surrogate="curves", n_initial=2)
LEVELS = (1, 3, 9, 27)


def score(params, n_resources):
    """The nearer to the middle the better, and the slower the greater z."""
    final = 1.0 - (params["x"] - 0.5) ** 2
    return final - 0.5 * (0.5 + params["z"]) / n_resources


def told(lengths, problem=None, seed=0, order=None):
    """State in which candidates were trained to so many of the levels."""
    problem = problem or Problem(SPACE, max_resources=27)
    rng = np.random.default_rng(seed)
    state = STRATEGY.init(problem)
    points = [SPACE.decode(row) for row in rng.random((len(lengths), 2))]
    seen = [
        Observation(i, params, {0: score(params, r)}, r)
        for i, params in enumerate(points)
        for r in LEVELS[: lengths[i]]
    ]
    for i in order(len(seen)) if order else range(len(seen)):
        state = STRATEGY.tell(state, seen[i])
    return state, points


MANY = [4] + [3] * 3 + [2] * 9 + [1] * 27


def test_the_candidate_that_will_be_best_is_worth_most():
    state, points = told(MANY)
    paused = list(range(1, len(MANY)))
    values = STRATEGY.expect(state, paused, len(MANY), (), 0)
    finals = [score(points[i], 27) for i in paused]
    assert finals[int(np.argmax(values))] > np.quantile(finals, 0.75)
    assert np.corrcoef(np.argsort(np.argsort(values)), finals)[0, 1] > 0.5


def test_the_new_one_is_the_one_that_ask_names():
    state, _ = told(MANY)
    n = len(MANY)
    value = STRATEGY.expect(state, [3, n], n, (), 7)[1]
    params = STRATEGY.ask(state, n, (), 7)
    acquisition, _ = STRATEGY._acquisition(state, np.empty((0, 2)), 7)
    assert value == acquisition.values(SPACE.encode(params)[None])[0]
    assert STRATEGY.expect(state, [3], n, (), 7) == [
        STRATEGY.expect(state, [3, n], n, (), 7)[0]
    ]


def test_expecting_is_repeatable_and_changes_nothing():
    state, _ = told(MANY)
    first = STRATEGY.expect(state, [1, 2, 40], 40, (), 7)
    module._fitted.cache_clear()
    module._posterior_of.cache_clear()
    assert STRATEGY.expect(told(MANY)[0], [1, 2, 40], 40, (), 7) == first


def test_before_there_are_scores_new_ones_come_first():
    state = STRATEGY.init(Problem(SPACE, max_resources=27))
    assert STRATEGY.expect(state, [0], 0, (), 0) == [math.inf]


def test_a_space_that_is_used_up_has_no_new_one():
    space = Space({"x": [0.1, 0.9], "z": [0.5]})
    state = STRATEGY.init(Problem(space, max_resources=27))
    for i, x in enumerate((0.1, 0.9)):
        params = {"x": x, "z": 0.5}
        state = STRATEGY.tell(state, Observation(i, params, {0: float(i)}, 1))
    values = STRATEGY.expect(state, [0, 1, 2], 2, (), 0)
    assert values[2] == -math.inf and values[1] > values[0]
    assert STRATEGY.expect(state, [0, 3], 3, (), 0)[1] == -math.inf


def test_every_second_candidate_is_spread_evenly():
    state, _ = told(MANY)
    even = STRATEGY.ask(state, 41, (), 7)
    other = Bayes(surrogate="curves", n_initial=100).ask(state, 41, (), 7)
    assert even == other != STRATEGY.ask(state, 40, (), 7)
    assert STRATEGY.expect(state, [3, 41], 41, (), 7)[1] == math.inf
    assert STRATEGY.expect(state, [3, 40], 40, (), 7)[1] < 0.0


def test_who_is_pending_is_no_gain_any_more():
    """Neighbours of a candidate that is on its way are worth less."""
    state, points = told(MANY)
    n = 40
    new = STRATEGY.ask(state, n, (), 0)
    value = STRATEGY.expect(state, [n], n, (), 0)[0]
    other = STRATEGY.ask(state, n + 2, [new], 0)
    assert SPACE.key(other) != SPACE.key(new)
    assert STRATEGY.expect(state, [n + 2], n + 2, [new], 0)[0] < value
    # One that was observed may be on its way, too.
    assert len(STRATEGY.expect(state, [1, 2], n, [points[5]], 0)) == 2


def test_failed_candidates_are_avoided():
    state, points = told([1] * 12)
    for i, params in enumerate(points[:6]):
        state = STRATEGY.tell(state, Observation(i, params, {0: None}, 3))
    values = STRATEGY.expect(state, [*range(6, 12), 12], 12, (), 0)
    assert np.isfinite(values).all()


def test_other_searches_count():
    warm = tuple(
        WarmStartObservation({"x": x, "z": 0.5}, -((x - 0.5) ** 2))
        for x in np.linspace(0, 1, 12)
    )
    problem = Problem(SPACE, max_resources=27, warm_start=warm)
    state = STRATEGY.init(problem)
    assert abs(STRATEGY.ask(state, 0, (), 0)["x"] - 0.5) < 0.1


def test_other_surrogates_expect_nothing():
    strategy = Bayes(n_initial=2)
    state = strategy.init(Problem(SPACE, max_resources=27))
    for i in range(4):
        params = {"x": i / 4, "z": 0.5}
        state = strategy.tell(state, Observation(i, params, {0: float(i)}, 27))
    with pytest.raises(TypeError, match="Use surrogate='curves'"):
        strategy.expect(state, [0], 4, (), 0)


def test_hyperparameters_are_fitted_seldom(monkeypatch):
    fits = []

    class Counting(CurveLikelihood):
        __slots__ = ()

        def maximise(self, max_iter=50):
            fits.append(len(self.curves.y))
            return super().maximise(max_iter)

    monkeypatch.setattr(module, "CurveLikelihood", Counting)
    module._fitted.cache_clear()
    for n in range(2, 40):
        state, _ = told([1] * n)
        STRATEGY.expect(state, [0], n, (), 0)
    assert fits == sorted(fits) and len(fits) <= 17


def observations(lengths):
    return [
        EncodedObservation(i, np.zeros(1), float(i % 50), r)
        for i, length in enumerate(lengths)
        for r in LEVELS[:length]
    ]


def test_of_many_points_enough_are_chosen():
    few = observations([4] * 50)
    assert module._most_telling(few) == few
    many = observations([4] * 400)
    chosen = module._most_telling(many)
    assert len(chosen) <= module.MAX_POINTS
    by_candidate = {}
    for one in chosen:
        by_candidate.setdefault(one.candidate, []).append(one.n_resources)
    assert len(by_candidate) <= module.MAX_CANDIDATES
    assert all(r[-1] == 27 for r in by_candidate.values())
    assert {i for i in range(400) if i % 50 == 49} <= set(by_candidate)
    assert by_candidate[49] == list(LEVELS)


def test_after_a_warm_start_the_first_is_where_most_is_expected():
    """As with every surrogate: there is nothing yet that could be improved on."""
    warm = tuple(
        WarmStartObservation(SPACE.decode(u), score(SPACE.decode(u), 27))
        for u in np.random.default_rng(0).random((12, 2))
    )
    state = STRATEGY.init(Problem(SPACE, max_resources=27, warm_start=warm))
    first = SPACE.encode(STRATEGY.ask(state, 0, (), 0))
    acquisition, _ = STRATEGY._acquisition(state, np.empty((0, 2)), 0)
    U = np.concatenate([first[None], np.random.default_rng(1).random((200, 2))])
    expected, _ = acquisition.posterior.predict(SPACE.features(U))
    assert expected.argmax() == 0
