"""What Bayes makes of a warm start."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy import stats

from sktune._errors import SpaceError
from sktune._types import Params, Problem, WarmStartObservation
from sktune.space import Space
from sktune.strategy import SURROGATES, Bayes
from sktune.strategy._gaussian_process import (
    GaussianProcessAcquisition,
    fitted_to_useful_sources,
    gaussian_process,
)
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._parzen import ParzenAcquisition, parzen_estimator
from sktune.strategy._surrogate import SurrogateInput, SurrogateOutput
from sktune.strategy._transfer import (
    MAX_TRANSFERRED,
    encode_warm_start,
    to_common_scale,
)
from tests.helpers.asked import searched

PLANE = {"x": stats.uniform(0, 1), "y": stats.uniform(0, 1)}
Score = Callable[[Params], float | None]


def peak(params: Params) -> float:
    """Scores are multiples of 2^-20, so that sums of them and of integers are exact."""
    value = -((params["x"] - 0.7) ** 2) - (params["y"] - 0.2) ** 2
    return float(np.round(value * 2**20) / 2**20)


def other_peak(params: Params) -> float:
    return -((params["x"] - 0.1) ** 2) - (params["y"] - 0.9) ** 2


def drawn(
    score: Score,
    n: int = 20,
    seed: int = 0,
    source: int = 1,
    space: Space | None = None,
) -> tuple[WarmStartObservation, ...]:
    """Random candidates of another search."""
    space = Space(PLANE) if space is None else space
    rows = np.random.default_rng(seed).random((n, space.n_dims))
    return tuple(
        WarmStartObservation(p, score(p), source) for p in map(space.decode, rows)
    )


def search(
    n: int,
    score: Score,
    *,
    space: Space | None = None,
    warm_start: Sequence[WarmStartObservation] = (),
    seed: int = 0,
    **options: object,
) -> list[Params]:
    space = Space(PLANE) if space is None else space
    strategy = Bayes(**options)  # type: ignore[arg-type]
    problem = Problem(space, warm_start=warm_start)
    return searched(strategy, problem, n, score, seed)[0]


def far(params: Params) -> float:
    return float(np.hypot(params["x"] - 0.7, params["y"] - 0.2))


GRID = {name: list(np.round(np.linspace(0, 1, 6), 1)) for name in "xy"}


def test_the_first_of_a_forest_is_the_one_that_is_expected_to_be_best() -> None:
    """It has seen all points: none is shunned for that, none tried for its doubt."""
    space = Space(GRID)
    observed = tuple(WarmStartObservation(p, peak(p), 1) for p in space.points())
    for seed in range(3):
        (first,) = search(
            1, peak, space=space, warm_start=observed, surrogate="forest", seed=seed
        )
        assert first == {"x": 0.6, "y": 0.2} or first == {"x": 0.8, "y": 0.2}


def test_what_is_beyond_the_range_is_at_its_end_for_a_parzen_estimator() -> None:
    space = Space({"x": stats.uniform(0, 1)})
    xs = np.linspace(0.01, 1.99, 100)
    observed = tuple(WarmStartObservation({"x": x}, -((x - 0.3) ** 2), 1) for x in xs)
    problem = Problem(space, warm_start=observed)
    state = Bayes(surrogate="tpe").init(problem)
    acquisition, _ = parzen_estimator(
        SurrogateInput(
            space, list(state.warm_start), np.empty((0, 1)), "log_ei", None, 0
        )
    )
    values = acquisition.values(np.linspace(0, 1, 11)[:, None])
    assert np.isfinite(values).all()
    assert values.argmax() in (2, 3, 4)


def test_every_failure_of_another_search_counts_for_a_parzen_estimator() -> None:
    space = Space({"x": stats.uniform(0, 1)})
    observed = [
        WarmStartObservation({"x": i / 10}, float(i) if i < 4 else None, 1)
        for i in range(10)
    ]
    state = Bayes(surrogate="tpe").init(Problem(space, warm_start=observed))
    acquisition, _ = parzen_estimator(
        SurrogateInput(
            space, list(state.warm_start), np.empty((0, 1)), "log_ei", None, 0
        )
    )
    where_all_failed, where_none_did = acquisition.values(np.array([[0.7], [0.3]]))
    assert where_all_failed < where_none_did
    assert isinstance(acquisition, ParzenAcquisition)
    assert len(acquisition.bad.X) == 8


def test_the_first_candidate_is_the_one_that_is_expected_to_be_best() -> None:
    for seed in range(3):
        (first,) = search(1, peak, warm_start=drawn(peak, seed=seed), seed=seed)
        assert far(first) < 0.15


@pytest.mark.parametrize("acquisition", ["log_ei", "pi", "ucb"])
def test_first_comes_what_is_expected_and_not_what_is_unknown(acquisition: str) -> None:
    space = Space(PLANE)
    observed = [
        *encode_warm_start(space, drawn(peak)),
        EncodedObservation(0, np.array([0.5, 0.5]), None),
    ]
    data = SurrogateInput(space, observed, np.empty((0, 2)), acquisition, None, 0)
    function, _ = gaussian_process(data)
    assert isinstance(function, GaussianProcessAcquisition)
    U = np.random.default_rng(3).random((9, 2))
    expected, _ = function.posterior.predict(function.features(U))
    np.testing.assert_array_equal(function.values(U), expected)


def test_what_is_to_beat_is_the_best_of_this_search() -> None:
    space = Space(PLANE)
    others = encode_warm_start(space, drawn(peak, 30))
    best = max(others, key=lambda one: one.score or -9.0)
    corners = np.array([[0.0, 1.0], [0.1, 0.8]])
    own = [
        EncodedObservation(i, u, peak(space.decode(u))) for i, u in enumerate(corners)
    ]
    data = SurrogateInput(space, [*own, *others], np.empty((0, 2)), "log_ei", None, 0)
    acquisition, anchors = gaussian_process(data)
    assert isinstance(acquisition, GaussianProcessAcquisition)
    mean, _ = acquisition.posterior.predict(acquisition.features(best.point[None]))
    assert mean[0] > acquisition.best + 0.5
    assert {tuple(u) for u in anchors} == {tuple(u) for u in corners}


def test_a_warm_start_saves_candidates() -> None:
    warm, cold = [], []
    for seed in range(6):
        warm_start = drawn(peak, 12, seed)
        warm.append(max(map(peak, search(5, peak, warm_start=warm_start, seed=seed))))
        cold.append(max(map(peak, search(5, peak, seed=seed))))
    assert np.mean(warm) > 0.25 * np.mean(cold)  # of what is missing, a quarter


@pytest.mark.parametrize(("level", "scale"), [(64.0, 1.0), (0.0, 0.25), (-8.0, 16.0)])
def test_level_and_scale_of_other_scores_do_not_count(
    level: float, scale: float
) -> None:
    def moved(params: Params) -> float:
        return scale * peak(params) + level

    asked = search(7, peak, warm_start=drawn(peak))
    assert search(7, peak, warm_start=drawn(moved)) == asked


@pytest.mark.parametrize("wrong", [other_peak, lambda p: -peak(p)])
def test_another_search_that_misleads_costs_few_candidates(wrong: Score) -> None:
    for seed in range(3):
        asked = search(14, peak, warm_start=drawn(wrong, 25, seed), seed=seed)
        assert max(map(peak, asked)) > -1e-2
        assert np.mean([far(p) for p in asked[8:]]) < 0.5


def test_what_misleads_is_left_out_and_what_helps_is_kept() -> None:
    space = Space(PLANE)
    others = [
        *drawn(peak, 20, 0, 1),
        *drawn(lambda p: -peak(p), 20, 1, 2),
        *drawn(lambda p: 3.0 + 2.0 * peak(p), 20, 2, 3),
    ]
    own = [
        EncodedObservation(i, space.outline(one.params), one.score)
        for i, one in enumerate(drawn(peak, 6, 5))
    ]
    nothing = np.empty((0, 2))
    observed = [*own, *encode_warm_start(space, others)]
    fitted = fitted_to_useful_sources(
        SurrogateInput(space, observed, nothing, "log_ei", None, 0)
    )
    assert fitted.feature_map.sources == (1, 3)
    observed = [*own[:2], *encode_warm_start(space, others)]
    fitted = fitted_to_useful_sources(
        SurrogateInput(space, observed, nothing, "log_ei", None, 0)
    )
    assert fitted.feature_map.sources == (1, 2, 3), "two scores cannot tell"


def test_a_few_candidates_look_elsewhere_before_it_is_relied_on() -> None:
    asked = search(4, peak, warm_start=drawn(peak))
    spread = [far(p) for p in asked]
    assert max(spread[1:3]) > 0.3
    assert spread[0] < 0.15 and spread[3] < 0.2


@pytest.mark.parametrize("n_observed", [0, 1])
def test_too_few_observations_leave_the_start_as_it_is(n_observed: int) -> None:
    warm_start = drawn(peak, n_observed)
    assert search(4, peak, warm_start=warm_start) == search(4, peak)


def test_few_observations_shorten_the_start_by_as_much() -> None:
    strategy = Bayes(n_initial=8)
    state = strategy.init(Problem(Space(PLANE), warm_start=drawn(peak, 3)))
    assert [n for n in range(9) if strategy._uses_surrogate(state, n)] == [
        0,
        5,
        6,
        7,
        8,
    ]


def test_neighbourhoods_of_failures_elsewhere_are_avoided() -> None:
    """Two fifths of the square fail, the top of the hill among them."""

    def score(params: Params) -> float | None:
        return None if params["x"] > 0.6 else peak(params)

    for seed in range(3):
        asked = search(10, score, warm_start=drawn(score, 25, seed), seed=seed)
        assert asked[0]["x"] < 0.65
        assert sum(score(p) is None for p in asked) < 5


def test_nothing_but_failures_elsewhere_is_no_obstacle() -> None:
    asked = search(12, peak, warm_start=drawn(lambda p: None))
    assert max(map(peak, asked)) > -0.02


def test_candidates_of_another_search_may_be_tried_again() -> None:
    space = Space({"k": [1, 2, 3, 4, 5]})
    warm_start = tuple(
        WarmStartObservation({"k": k}, -abs(k - 3.0)) for k in (1, 2, 3, 4, 5)
    )

    def score(params: Params) -> float:
        return -abs(params["k"] - 3.0)

    asked = search(5, score, space=space, warm_start=warm_start)
    assert asked[0] == {"k": 3}
    assert sorted(p["k"] for p in asked) == [1, 2, 3, 4, 5]


def test_initial_points_come_first_nevertheless() -> None:
    points = ({"x": 0.1, "y": 0.9}, {"x": 0.2, "y": 0.8})
    asked = search(3, peak, warm_start=drawn(peak), initial_points=points)
    assert tuple(asked[:2]) == points


def test_several_pending_candidates_are_spread_out() -> None:
    strategy, problem = Bayes(), Problem(Space(PLANE), warm_start=drawn(peak))
    state, pending = strategy.init(problem), []
    for number in range(6):
        params = strategy.ask(state, number, tuple(pending), number)
        assert params is not None
        pending.append(params)
    points = np.array([[p["x"], p["y"]] for p in pending])
    gaps = np.linalg.norm(points[:, None] - points, axis=2)[np.triu_indices(6, 1)]
    assert gaps.min() > 1e-3


@pytest.mark.parametrize("acquisition", ["log_ei", "pi", "ucb"])
def test_numbers_beyond_the_range_tell_what_is_near_the_end(acquisition: str) -> None:
    """The top lies at the end of what is searched now; all that is known is outside."""
    wide = Space({"x": stats.uniform(0, 2), "y": stats.uniform(0, 1)})
    warm_start = tuple(
        one for one in drawn(peak, 80, space=wide) if 0.5 < one.params["x"] < 1.0
    )
    narrow = Space({"x": stats.uniform(0, 0.5), "y": stats.uniform(0, 1)})
    asked = search(
        4, peak, space=narrow, warm_start=warm_start, acquisition=acquisition
    )
    assert asked[0]["x"] > 0.4 and abs(asked[0]["y"] - 0.2) < 0.15
    assert all(0.0 <= p["x"] <= 0.5 for p in asked)


def test_a_warm_start_that_is_not_in_the_space() -> None:
    warm_start = (WarmStartObservation({"x": 0.1, "y": 9.0}, 0.0),)
    with pytest.raises(SpaceError, match=r"9\.0 of parameter 'y'"):
        Bayes().init(Problem(Space(PLANE), warm_start=warm_start))


def test_of_many_observations_the_best_and_some_of_the_rest_are_kept() -> None:
    space = Space(PLANE)
    warm_start = [*drawn(peak, 300, 0, 1), *drawn(peak, 30, 1, 2)]
    warm_start += drawn(lambda p: None, 300, 2, 2)
    observed = encode_warm_start(space, warm_start)
    scores = {
        k: [o.score for o in observed if o.source == k and o.score] for k in (1, 2)
    }
    assert len(scores[1]) == MAX_TRANSFERRED // 2 and len(scores[2]) == 30
    assert sum(one.failed for one in observed) == MAX_TRANSFERRED // 4
    best_first = sorted((one.score or 0.0 for one in warm_start[:300]), reverse=True)
    assert set(best_first[: MAX_TRANSFERRED // 4]) <= set(scores[1])
    assert best_first[-1] in scores[1]


# -- surrogates that take all scores to be of one function ---------------------------


def test_scores_of_all_sources_on_one_scale() -> None:
    space = Space(PLANE)
    others = drawn(lambda p: 100.0 + 5.0 * peak(p), 400)
    own = [
        EncodedObservation(i, space.outline(one.params), one.score)
        for i, one in enumerate(drawn(peak, 12, 7))
    ]
    own.append(EncodedObservation(99, own[0].point, None))
    observed = to_common_scale(space, [*own, *encode_warm_start(space, others)])
    assert [one.candidate for one in observed[:13]] == [*range(12), 99]
    assert observed[12].score is None
    theirs = np.array([[*one.point, one.score] for one in observed if one.source])
    gaps = []
    for one in observed[:12]:
        nearest = np.linalg.norm(theirs[:, :2] - one.point, axis=1).argmin()
        gaps.append(theirs[nearest, 2] - (one.score or 0.0))
    assert abs(np.median(gaps)) < 1e-9
    assert np.corrcoef([o.score for o in own[:12]], [o.score for o in observed[:12]])[
        0, 1
    ] == pytest.approx(1.0)


def test_such_a_surrogate_is_asked_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs: list[SurrogateInput] = []

    def surrogate(data: SurrogateInput) -> SurrogateOutput:
        inputs.append(data)
        return SURROGATES["gp"](data)

    monkeypatch.setitem(SURROGATES, "trees", surrogate)
    warm_start = drawn(lambda p: 100.0 + 5.0 * peak(p))
    asked = search(8, peak, surrogate="trees", warm_start=warm_start)
    assert far(asked[0]) < 0.15 and max(map(peak, asked)) > -1e-2
    scores = [one.score for one in inputs[0].observations]
    assert np.mean(scores) == pytest.approx(0.0)
    assert np.std(scores) == pytest.approx(1.0)
