"""Bayes that learns from every rung: one surrogate over params and resource."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sktune._random import derive_seed
from sktune._types import Observation, Params, Problem
from sktune.space import Space
from sktune.strategy import Bayes
from sktune.strategy import _multi_fidelity as rungs
from sktune.strategy._bayesian_optimization import SURROGATES
from sktune.strategy._observations import (
    MAX_OBSERVATIONS,
    MAX_RUNG_OBSERVATIONS,
    EncodedObservation,
    most_informative,
)
from sktune.strategy._surrogate import SurrogateInput, SurrogateOutput

PLANE = {"x": stats.uniform(0, 1), "y": stats.uniform(0, 1)}
RESOURCES = (1, 3, 9, 27)


def score(params: Params, n_resources: int) -> float:
    """A curve that rises to its end, which is best at (0.7, 0.2)."""
    end = (params["x"] - 0.7) ** 2 + (params["y"] - 0.2) ** 2
    return -end - 0.5 / n_resources


def at(n: int, params: Params, n_resources: int, *scores: float | None) -> Observation:
    return Observation(n, params, dict(enumerate(scores)), n_resources)


def told(
    strategy: Bayes,
    observations: Sequence[Observation],
    max_resources: int | None = 27,
) -> Any:
    state = strategy.init(Problem(Space(PLANE), max_resources=max_resources))
    for observation in observations:
        state = strategy.tell(state, observation)
    return state


def drawn(n: int, seed: int = 0) -> list[dict[str, float]]:
    return [
        {"x": x, "y": y} for x, y in np.random.default_rng(seed).random((n, 2)).tolist()
    ]


def test_a_later_rung_does_not_replace_the_earlier() -> None:
    params = {"x": 0.5, "y": 0.5}
    seen = [at(0, params, r, float(r)) for r in (1, 3)]
    state = told(Bayes(), seen)
    assert sorted(one.score for one in state.observations.values()) == [1.0, 3.0]


def test_flat_search_sees_no_rungs() -> None:
    params = {"x": 0.5, "y": 0.5}
    state = told(Bayes(), [at(0, params, r, float(r)) for r in (1, 3)], None)
    assert [one.score for one in state.observations.values()] == [3.0]


def test_it_learns_from_cheap_scores() -> None:
    """All but two candidates were seen at one epoch only."""
    strategy = Bayes()
    some = drawn(25)
    seen = [at(i, p, 1, score(p, 1)) for i, p in enumerate(some)]
    seen += [at(i, some[i], r, score(some[i], r)) for i in (0, 1) for r in (3, 9, 27)]
    params = strategy.ask(told(strategy, seen), 25, (), 0)
    assert params is not None
    assert np.hypot(params["x"] - 0.7, params["y"] - 0.2) < 0.15


def test_what_holds_at_the_largest_resource_counts() -> None:
    """One epoch says the contrary of 27."""
    strategy = Bayes()
    seen = []
    for i, p in enumerate(drawn(25)):
        seen.append(at(i, p, 1, p["x"]))
        seen.append(at(i, p, 27, -p["x"] - (p["y"] - 0.5) ** 2))
    params = strategy.ask(told(strategy, seen), 25, (), 0)
    assert params is not None
    assert params["x"] < 0.15


def test_order_of_telling_plays_no_part() -> None:
    strategy = Bayes()
    some = drawn(12)
    seen = [at(i, p, r, score(p, r)) for i, p in enumerate(some) for r in (1, 3)]
    one, other = told(strategy, seen), told(strategy, seen[::-1])
    assert strategy.ask(one, 12, (), 3) == strategy.ask(other, 12, (), 3)


def test_who_failed_once_has_failed_everywhere() -> None:
    point = np.array([0.1, 0.2])
    observations = {
        ("a", 1): EncodedObservation(0, point, 5.0, 1),
        ("a", 3): EncodedObservation(0, point, None, 3),
        ("b", 1): EncodedObservation(1, point, 1.0, 1),
    }
    seen = rungs.failed_at_every_rung(observations, 27)
    assert [(one.candidate, one.score, one.n_resources) for one in seen] == [
        (0, None, 1),
        (0, None, 3),
        (1, 1.0, 1),
        (0, None, 27),
    ]


def test_a_failure_at_a_later_rung_keeps_away() -> None:
    """The best corner after one epoch breaks down at three."""
    strategy = Bayes()
    seen = []
    for i, p in enumerate(drawn(30)):
        seen.append(at(i, p, 1, p["x"] + p["y"]))
        seen.append(at(i, p, 3, None if p["x"] > 0.5 else p["x"] + p["y"]))
    state = told(strategy, seen)
    asked = [strategy.ask(state, 30, (), seed) for seed in range(3)]
    assert all(params is not None and params["x"] < 0.6 for params in asked)


def test_the_resource_as_a_coordinate() -> None:
    point = np.zeros(2)
    observations = [EncodedObservation(0, point, 0.0, r) for r in (1, 3, 9, 27, None)]
    t = rungs.resource_coordinates(observations, 27).ravel()
    np.testing.assert_allclose(t / rungs.RESOURCE_SCALE, [0, 1 / 3, 2 / 3, 1, 1])
    assert rungs.resource_coordinates(
        [EncodedObservation(0, point, 0.0, 1)], 1
    ).tolist() == [[0.0]]


def test_what_the_surrogate_bears_is_bounded() -> None:
    n = MAX_OBSERVATIONS
    observations = [
        EncodedObservation(i, np.zeros(1), float(i % 7), RESOURCES[i % 4])
        for i in range(2 * n)
    ]
    kept = most_informative(observations)
    assert len(kept) == n
    assert len({(one.candidate, one.n_resources) for one in kept}) == n
    assert set(range(2 * n - 3, 2 * n)) <= {one.candidate for one in kept}
    highest = sorted(one.candidate for one in observations if one.n_resources == 27)
    of_those = [one for one in kept if one.n_resources == 27]
    assert len(of_those) >= min(len(highest), n // 2)
    assert most_informative(observations[:n]) == observations[:n]


def test_a_process_over_rungs_bears_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    surrogate = SURROGATES["gp"]

    def counting(data: SurrogateInput) -> SurrogateOutput:
        seen.append(len(data.observations))
        return surrogate(data)

    monkeypatch.setitem(SURROGATES, "gp", counting)
    for max_resources in (None, 27):
        strategy, rng = Bayes(), np.random.default_rng(0)
        state = strategy.init(Problem(Space(PLANE), max_resources=max_resources))
        for i, (x, y) in enumerate(rng.random((MAX_RUNG_OBSERVATIONS + 5, 2)).tolist()):
            told = Observation(i, {"x": x, "y": y}, {0: x}, RESOURCES[i % 4])
            state = strategy.tell(state, told)
        assert strategy.ask(state, i + 1, (), 0) is not None
    assert seen == [MAX_RUNG_OBSERVATIONS + 5, MAX_RUNG_OBSERVATIONS]


def test_max_resources_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="max_resources=0"):
        Bayes().init(Problem(Space(PLANE), max_resources=0))


def bracket(
    ask: Callable[[int], Params], seed: int, tell: Callable[[Observation], None]
) -> float:
    """Final score of the best of 9 candidates by halving from 1 to 9 of 9 epochs."""
    rng = np.random.default_rng(seed)
    members: list[tuple[int, Params]] = []
    for n_resources, n in ((1, 9), (3, 3), (9, 1)):
        scored = []
        for i in range(n):
            number, params = (i, ask(i)) if n_resources == 1 else members[i]
            noise = 0.02 * rng.standard_normal() / n_resources
            value = score(params, n_resources) + noise
            tell(at(number, params, n_resources, value))
            scored.append((-value, number, params))
        members = [(number, params) for _, number, params in sorted(scored)]
    return score(members[0][1], 9)


def later_brackets(seed: int, n_brackets: int = 3) -> tuple[float, float]:
    """Mean final score of brackets after the first: with Bayes, and at random."""
    space = Space(PLANE)
    strategy = Bayes()
    state = strategy.init(Problem(space, max_resources=9))
    offset = 0
    found = []

    def ask(i: int) -> Params:
        number = offset + i
        params = strategy.ask(state, number, (), derive_seed(seed, "ask", number))
        assert params is not None
        return params

    def tell(seen: Observation) -> None:
        nonlocal state
        scores = seen.scores.values()
        seen = at(offset + seen.candidate, seen.params, seen.n_resources, *scores)
        state = strategy.tell(state, seen)

    for b in range(n_brackets):
        found.append(bracket(ask, seed + b, tell))
        offset += 9
    chance = drawn(9 * n_brackets, seed + 1000)
    at_random = [
        bracket(chance[9 * b : 9 * b + 9].__getitem__, seed + b, lambda _: None)
        for b in range(1, n_brackets)
    ]
    return float(np.mean(found[1:])), float(np.mean(at_random))


@pytest.mark.slow
@pytest.mark.one_end
def test_later_brackets_are_better_than_random_ones() -> None:
    """Behaviour 21: at equal cost, on a fixed model of curves, 20 seeds."""
    pairs = np.array([later_brackets(seed) for seed in range(20)])
    test = stats.wilcoxon(pairs[:, 0], pairs[:, 1], alternative="greater")
    assert test.pvalue < 0.01
