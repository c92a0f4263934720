"""Annealing: where steps begin, and how wide they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import Annealing
from sktune.strategy._annealing import MEAN_RANK, width
from tests.helpers.asked import searched

LINE = {"x": stats.uniform(0, 1)}
MIXED = {**LINE, "n": stats.randint(1, 50), "c": list("abc")}


def told(space, scores, points):
    state = Annealing().init(Problem(Space(space)))
    for number, (score, params) in enumerate(zip(scores, points, strict=True)):
        state = Annealing().tell(state, Observation(number, params, {0: score}))
    return state


def test_steps_are_within_the_width_around_the_best():
    """Of candidates that are far apart, the one that is nearest was stepped from."""
    at = [k / 1000 for k in range(990)]  # all bad, and at one end
    at += [0.995 + k / 1e6 for k in range(10)]
    scores = [*np.linspace(-9, -8, 990), *range(10)]
    state = told(LINE, scores, [{"x": x} for x in at])
    asked = [Annealing().ask(state, 1000, (), seed)["x"] for seed in range(200)]
    assert max(abs(x - 0.995) for x in asked) <= 0.5 * width(1000) + 1e-5


def test_the_width_is_one_over_a_line():
    assert width(0) == 1.0
    assert [1 / width(n) for n in (10, 20, 40)] == pytest.approx([2.0, 3.0, 5.0])


def test_worse_ones_are_begun_from_geometrically():
    """Scores alone say so, by their order: here of categories that hardly change."""
    space = {"c": [f"c{k}" for k in range(6)], "x": stats.uniform(0, 1)}
    points = [{"c": f"c{k % 6}", "x": k / 6000} for k in range(6000)]
    # The best six are of six categories; all others are worse.
    scores = [float(-(k if k < 6 else 100 + k)) for k in range(6000)]
    state = told(space, scores, points)
    asked = [Annealing().ask(state, 6000, (), seed)["c"] for seed in range(60)]
    counts = np.array([asked.count(f"c{k}") for k in range(6)])
    p = 1.0 / MEAN_RANK
    expected = p * (1.0 - p) ** np.arange(6)
    assert stats.binomtest(int(counts[0]), 60, expected[0]).pvalue > 1e-3
    assert counts[0] > counts[1] > counts[3:].sum()


def test_who_failed_is_not_begun_from():
    """Wherever it was."""
    rng = np.random.default_rng(0)
    points = [{"x": float(rng.random())} for _ in range(12)]
    scores = [None if k % 3 == 0 else float(k) for k in range(12)]
    moved = [
        {"x": 1 - p["x"]} if s is None else p
        for p, s in zip(points, scores, strict=True)
    ]
    states = [told(LINE, scores, given) for given in (points, moved)]
    for seed in range(30):
        first, second = (Annealing().ask(state, 12, (), seed) for state in states)
        assert first == second


def test_level_and_scale_of_scores_do_not_count():
    def score(params):
        return -((params["x"] - 0.3) ** 2) - (params["c"] != "b")

    problem = Problem(Space(MIXED))
    asked, _ = searched(Annealing(), problem, 20, score)
    again, _ = searched(Annealing(), problem, 20, lambda p: 1e3 * score(p) + 7.0)
    assert asked == again


def test_small_steps_lead_to_another_integer():
    points = [{"n": n, "x": 0.0, "c": "a"} for n in range(1, 50)] * 6
    state = told(MIXED, [-abs(p["n"] - 20.0) for p in points], points)
    for seed in range(30):
        params = Annealing().ask(state, len(points), (), seed)
        assert params not in points


def test_it_needs_a_space():
    with pytest.raises(ValueError, match=r"Annealing.* needs a space"):
        Annealing().init(Problem(None))
