"""Evolution: who becomes a parent, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import Evolution
from tests.helpers.asked import searched

MIXED = {
    "x": stats.uniform(0, 1),
    "y": stats.loguniform(1e-4, 1),
    "n": stats.randint(1, 50),
    "c": list("abc"),
}


def score(params):
    distance = (params["x"] - 0.7) ** 2 + ((np.log10(params["y"]) + 3) / 4) ** 2
    return -distance - ((params["n"] - 20) / 50) ** 2 - (params["c"] != "b")


def best_of(strategy, seed, n=60):
    asked, _ = searched(strategy, Problem(Space(MIXED), n), n, score, seed)
    return max(map(score, asked))


def test_it_comes_nearer_than_chance():
    """The median of ten searches, against what random draws come to."""
    found = [best_of(Evolution(), seed) for seed in range(10)]
    space, rng = Space(MIXED), np.random.default_rng(0)
    drawn = [
        max(score(space.decode(u)) for u in rng.random((60, space.n_dims)))
        for _ in range(10)
    ]
    assert np.median(found) > 0.7 * np.median(drawn)  # both are below 0


@pytest.mark.parametrize("size", [1, 2, 5, 10])
def test_the_best_of_a_tournament_wins(size):
    """As often as when all tournaments are counted."""
    strategy, rng = Evolution(tournament_size=size), np.random.default_rng(0)
    population = [np.array([float(i)]) for i in range(6)]  # the best is first
    n_in = min(size, 6)
    winners = [min(members) for members in combinations(range(6), n_in)]
    expected = np.bincount(winners, minlength=6) / len(winners)
    won = [int(strategy._winner(population, rng)[0]) for _ in range(1000)]
    got = np.bincount(won, minlength=6)
    assert (got[expected == 0] == 0).all()
    possible = expected > 0
    if possible.sum() > 1:
        p = stats.chisquare(got[possible], 1000 * expected[possible]).pvalue
        assert p > 1e-3


def test_nothing_depends_on_the_params_of_who_failed():
    """It is no parent, wherever it was."""
    strategy = Evolution()
    rng = np.random.default_rng(0)
    children = []
    for shift in (0.0, 0.3):
        state = strategy.init(Problem(Space(MIXED)))
        rng = np.random.default_rng(0)
        for number in range(20):
            params = state.space.decode(rng.random(4))
            failed = number % 2 == 1
            if failed:
                params = {**params, "x": 0.1 + shift}
            scores = {0: None if failed else float(number % 7)}
            state = strategy.tell(state, Observation(number, params, scores))
        children.append([strategy.ask(state, 20, (), seed) for seed in range(20)])
    assert children[0] == children[1]


def test_parents_are_of_the_population():
    """Children of one change some of its values and keep the others."""
    names = "cdefgh"
    space = Space({name: list("abcdefgh") for name in names})
    strategy = Evolution(population_size=1)
    state = strategy.init(Problem(space))
    for number, c in enumerate("abcdefgh"):
        one = Observation(number, dict.fromkeys(names, c), {0: float(number)})
        state = strategy.tell(state, one)
    kept = [
        list(strategy.ask(state, 8, (), seed).values()).count("h") for seed in range(50)
    ]
    assert max(kept) == 5  # one is changed at least
    assert 3.0 < np.mean(kept) < 5.0


def test_the_order_of_telling_plays_no_part():
    strategy, space = Evolution(), Space(MIXED)
    rng = np.random.default_rng(0)
    told = [
        Observation(i, space.decode(rng.random(4)), {0: float(rng.random())})
        for i in range(12)
    ]
    answers = []
    for order in (range(12), rng.permutation(12)):
        state = strategy.init(Problem(space))
        for i in order:
            state = strategy.tell(state, told[i])
        answers.append(strategy.ask(state, 12, (), 0))
    assert answers[0] == answers[1]


def test_initial_points_come_first_and_must_be_of_the_space():
    first = {"x": 0.5, "y": 0.1, "n": 3, "c": "a"}
    strategy = Evolution(initial_points=(first,))
    asked, _ = searched(strategy, Problem(Space(MIXED), 9), 9, score)
    assert asked[0] == first
    with pytest.raises(ValueError, match="'n'"):
        replace(strategy, initial_points=({**first, "n": 99},)).init(
            Problem(Space(MIXED))
        )


@pytest.mark.parametrize("name", ["population_size", "tournament_size"])
def test_sizes_are_checked(name):
    with pytest.raises(ValueError, match=f"{name}=0 must be at least 1"):
        Evolution(**{name: 0}).init(Problem(Space(MIXED)))


def test_it_needs_a_space():
    with pytest.raises(ValueError, match=r"Evolution.* needs a space"):
        Evolution().init(Problem(None))


def test_a_greater_number_begins_alike_where_the_start_is_as_long():
    space = Space(MIXED)
    of = [Problem(space, n) for n in (4, 12, 40)]
    assert Evolution().begins_alike(of[1], of[2])
    assert not Evolution().begins_alike(of[0], of[1])


def test_with_ageing_the_newest_are_parents():
    """However good the old were: children of the last two, of which one is better."""
    names = "cdefgh"
    space = Space({name: list("abcdefgh") for name in names})
    strategy = Evolution(population_size=2, tournament_size=2, ageing=True)
    state = strategy.init(Problem(space))
    for number, c in enumerate("abcdefgh"):
        score = {"g": 0.2, "h": 0.1}.get(c, 9.0)
        one = Observation(number, dict.fromkeys(names, c), {0: score})
        state = strategy.tell(state, one)
    kept = [
        list(strategy.ask(state, 8, (), seed).values()).count("g") for seed in range(50)
    ]
    assert max(kept) == 5  # one is changed at least
    assert 3.0 < np.mean(kept) < 5.0
