"""The random forest: its posterior, and what it finds."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sktune._types import Observation, Params, Problem
from sktune.space import Space
from sktune.strategy import Bayes
from sktune.strategy import _forest as forest
from sktune.strategy._forest import ABSENT, N_TREES, Forest, TreeFeatures
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._surrogate import SurrogateInput
from tests.helpers.asked import least_gap, searched

PLANE = {"x": stats.uniform(0, 1), "y": stats.uniform(0, 1)}
LETTERS = {name: list("vwxyz") for name in "abcdef"}  # 15,625 candidates
MIXED = {"lr": stats.loguniform(1e-4, 1), "n": stats.randint(1, 30), "c": list("abcd")}
BRANCHES = [
    {"o": ["sgd"], "lr": stats.loguniform(1e-4, 1), "m": stats.uniform(0, 1)},
    {"o": ["adam"], "lr": stats.loguniform(1e-4, 1), "b": ["x", "y", "z"]},
]
SPACES: dict[str, Any] = {"mixed": MIXED, "branches": BRANCHES, "letters": LETTERS}

spaces = pytest.mark.parametrize("space", list(SPACES))


def peak(params: Params) -> float:
    return -((params["x"] - 0.7) ** 2) - (params["y"] - 0.2) ** 2


def matches(params: Params) -> float:
    """Each letter has a best, and two neighbours that are best gain once more."""
    right = [
        params[name] == best for name, best in zip("abcdef", "xzvyxw", strict=True)
    ]
    return sum(right) + 0.5 * sum(a and b for a, b in itertools.pairwise(right))


def search(space: Space, n: int, score: Any, seed: int = 0, **options: Any) -> Any:
    """Params that were asked for, and the last state."""
    strategy = Bayes(surrogate="forest", **options)
    return searched(strategy, Problem(space), n, score, seed)


def drawn(space: Space, n: int, seed: int = 0) -> np.ndarray:
    return space.snap(np.random.default_rng(seed).random((n, space.n_dims)))


def data_of(space: Space, U: np.ndarray, scores: Any, **options: Any) -> SurrogateInput:
    pairs = enumerate(zip(U, scores, strict=True))
    observations = [EncodedObservation(i, u, s) for i, (u, s) in pairs]
    pending = np.empty((0, space.n_dims))
    fields = {"pending": pending, "acquisition": "log_ei", "max_resources": None}
    return SurrogateInput(space, observations, **{**fields, "seed": 0, **options})


# -- its posterior -----------------------------------------------------------------


@spaces
def test_law_of_total_variance(space: str) -> None:
    """By brute force: the moments of all that the leaves hold, one tree one share.

    Every point is there twice, with different scores, so that leaves have a variance.
    """
    a_space = Space(SPACES[space])
    U, rng = np.repeat(drawn(a_space, 15), 2, axis=0), np.random.default_rng(1)
    y = rng.standard_normal(30)
    further = np.repeat(rng.random((15, 1)), 2, axis=0)
    grown = Forest.of(a_space, U, further, y, seed=3)
    query, at = drawn(a_space, 40, seed=2), np.full((40, 1), 0.5)
    mu, variance = grown.predict(query, at)

    leaves = [
        (tree.apply(old), tree.apply(new))
        for tree, old, new in zip(
            grown.trees,
            grown.tree_features.features(U, further),
            grown.tree_features.features(query, at),
            strict=True,
        )
    ]
    for k in range(40):
        held = [y[old == new[k]] for old, new in leaves]
        first = np.mean([np.mean(scores) for scores in held])
        second = np.mean([np.mean(scores**2) for scores in held])
        assert mu[k] == pytest.approx(first)
        assert variance[k] == pytest.approx(second - first**2, abs=1e-12)
    assert len({len(scores) for scores in held} - {0, 1}) > 0


def test_what_was_seen_once_is_known() -> None:
    space = Space(MIXED)
    U = drawn(space, 20)
    y = np.random.default_rng(0).standard_normal(20)
    mu, variance = Forest.of(space, U, np.empty((20, 0)), y, 0).predict(
        U, np.empty((20, 0))
    )
    np.testing.assert_allclose(mu, y)
    np.testing.assert_allclose(variance, 0.0, atol=1e-12)


@pytest.mark.parametrize("acquisition", ["log_ei", "pi", "ucb"])
@pytest.mark.parametrize("scores", ["constant", "different"])
def test_acquisitions_are_finite(acquisition: str, scores: str) -> None:
    """Also where all trees agree, as they do of equal scores."""
    space = Space(MIXED)
    U = drawn(space, 12)
    y = np.zeros(12) if scores == "constant" else np.arange(12.0)
    data = data_of(space, U, y, acquisition=acquisition)
    found, anchors = forest.random_forest(data)
    values = found.values(np.concatenate([U, drawn(space, 200, seed=1)]))
    assert np.isfinite(values).all()
    if scores == "different":
        assert np.ptp(values) > 0
        np.testing.assert_array_equal(anchors[0], U[-1])


def test_each_tree_has_an_order_of_its_own() -> None:
    """What scored well is behind what did not; what was never seen, anywhere."""
    space = Space({"c": ["bad", "good", "new", "fair"]})
    U = np.array([space.encode({"c": c}) for c in ["bad", "good"] * 9 + ["fair"]])
    y = np.array([-1.0, 1.0] * 9 + [0.0])
    tree_features = TreeFeatures.of(space, U, y, np.random.default_rng(0))
    (positions,) = tree_features.category_positions
    assert positions.shape == (N_TREES, 5)
    assert (positions[:, 0] == ABSENT).all()
    np.testing.assert_allclose(
        np.sort(positions[:, 1:], axis=1),
        np.tile([0.125, 0.375, 0.625, 0.875], (N_TREES, 1)),
    )
    codes = {c: 1 + i for i, c in enumerate(["bad", "good", "new", "fair"])}
    is_behind = positions[:, codes["good"]] > positions[:, codes["bad"]]
    assert is_behind.mean() > 0.95
    assert len(set(positions[:, codes["new"]].tolist())) == 4
    X = tree_features.features(U[:2], np.empty((2, 0)))
    np.testing.assert_array_equal(
        X[:, :, 0], positions[:, [codes["bad"], codes["good"]]]
    )


def test_what_is_not_active_lies_below() -> None:
    space = Space(BRANCHES)
    U = drawn(space, 30)
    y = np.random.default_rng(0).standard_normal(30)
    tree_features = TreeFeatures.of(space, U, y, np.random.default_rng(0))
    X = tree_features.features(U, np.empty((30, 0)))
    is_absent = np.isnan(U)
    assert is_absent.any()
    assert (X[:, is_absent] == ABSENT).all()
    assert (X[:, ~is_absent] >= 0.0).all()


def test_values_that_are_listed_twice_are_one_category() -> None:
    space = Space({"c": ["u", "u", "u", "v"]})
    U = np.array([space.encode({"c": c}) for c in "uvuv"])
    tree_features = TreeFeatures.of(
        space, U, np.array([1.0, -1.0, 1.0, -1.0]), np.random.default_rng(0)
    )
    X = tree_features.features(U, np.empty((4, 0)))
    assert set(X[:, :, 0].ravel().tolist()) == {0.25, 0.75}
    assert (X[:, 0, 0] != X[:, 1, 0]).all()


def test_failures_count_with_the_worst_score() -> None:
    space = Space(PLANE)
    U = drawn(space, 20)
    scores = [None if u[0] > 0.6 else float(u[0]) for u in U]
    acquisition, _ = forest.random_forest(data_of(space, U, scores))
    lost = np.array([u for u, s in zip(U, scores, strict=True) if s is None])
    worst = min((s, tuple(u)) for u, s in zip(U, scores, strict=True) if s is not None)
    np.testing.assert_allclose(
        acquisition.values(lost), acquisition.values(np.array([worst[1]]))[0]
    )


def test_what_is_pending_is_worth_no_more() -> None:
    space = Space(PLANE)
    U = drawn(space, 12)
    y = [peak({"x": u[0], "y": u[1]}) for u in U]
    acquisition, _ = forest.random_forest(data_of(space, U, y))
    pool = drawn(space, 300, seed=1)
    best = pool[np.argmax(acquisition.values(pool))]
    after, _ = forest.random_forest(data_of(space, U, y, pending=best[None]))
    assert after.values(best[None])[0] < acquisition.values(best[None])[0] - 1.0
    assert not np.array_equal(pool[np.argmax(after.values(pool))], best)


def test_the_seed_decides_and_nothing_else() -> None:
    space = Space(MIXED)
    U, pool = drawn(space, 12), drawn(space, 50, seed=1)
    values = []
    for seed in (5, 5, 6):
        data = data_of(space, U, np.arange(12.0), seed=seed)
        values.append(forest.random_forest(data)[0].values(pool))
    np.testing.assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).any()


@pytest.mark.parametrize("max_resources", [None, 27])
def test_the_order_of_the_scores_does_not_matter(max_resources: int | None) -> None:
    space = Space(MIXED)
    strategy = Bayes(surrogate="forest")
    asked = [space.decode(u) for u in drawn(space, 10)]
    seen = [Observation(i, p, {0: np.sin(3.0 * i)}, 27) for i, p in enumerate(asked)]
    answers = []
    for order in (seen, seen[::-1]):
        state = strategy.init(Problem(space, max_resources=max_resources))
        for one in order:
            state = strategy.tell(state, one)
        answers.append(strategy.ask(state, 10, asked[:1], 0))
    assert answers[0] == answers[1]


# -- what it finds -----------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("acquisition", ["log_ei", "pi", "ucb"])
def test_it_finds_the_top_of_a_hill(acquisition: str) -> None:
    asked, _ = search(Space(PLANE), 30, peak, acquisition=acquisition)
    assert max(map(peak, asked)) > -0.01


@pytest.mark.slow
def test_it_finds_the_best_of_many_categories() -> None:
    """60 of 15,625; the best 60 that are drawn come to 4 of 8.5 in the mean."""
    asked, _ = search(Space(LETTERS), 60, matches)
    assert max(map(matches, asked)) > 6.5


def test_it_searches_every_branch_and_stays_in_the_best() -> None:
    space = Space([{"a": stats.uniform(0, 1)}, {"b": stats.uniform(0, 1)}])

    def score(p: Params) -> float:
        return -1.0 if "a" in p else -((p["b"] - 0.3) ** 2)

    asked, _ = search(space, 25, score)
    assert any("a" in p for p in asked)
    assert max(map(score, asked)) > -1e-3
    assert sum("b" in p for p in asked) > 15


def test_failures_keep_it_away() -> None:
    """Two fifths of the square fail, the top of the hill among them."""

    def score(p: Params) -> float | None:
        return None if p["x"] > 0.6 else peak(p)

    n_failed, best = [], []
    for seed in range(3):
        asked, _ = search(Space(PLANE), 25, score, seed)
        n_failed.append(sum(score(p) is None for p in asked))
        best.append(max(peak(p) for p in asked if score(p) is not None))
    assert np.mean(n_failed) < 8
    assert np.median(best) > -0.05


def test_pending_candidates_are_kept_away_from() -> None:
    """Four at once are four places; asked without the others, four times one."""
    space, strategy = Space(PLANE), Bayes(surrogate="forest")

    def waves(params: Params) -> float:
        return float(np.sin(9 * params["x"]) + np.cos(7 * params["y"]))

    _, state = search(space, 8, waves)
    assert least_gap(strategy, state, 8) > 2e-3


def test_it_learns_from_cheap_scores() -> None:
    """All but two candidates were seen at one epoch only."""
    space = Space(PLANE)
    strategy = Bayes(surrogate="forest")
    state = strategy.init(Problem(space, max_resources=27))
    for i, u in enumerate(drawn(space, 30)):
        params = space.decode(u)
        for r in (1, 3, 9, 27) if i < 2 else (1,):
            seen = Observation(i, params, {0: peak(params) - 0.5 / r}, r)
            state = strategy.tell(state, seen)
    asked = [strategy.ask(state, 30, (), seed) for seed in range(5)]
    away = [np.hypot(p["x"] - 0.7, p["y"] - 0.2) for p in asked if p is not None]
    assert np.median(away) < 0.25


def test_what_holds_at_the_largest_resource_counts() -> None:
    """One epoch says the contrary of 27."""
    space = Space(PLANE)
    strategy = Bayes(surrogate="forest")
    state = strategy.init(Problem(space, max_resources=27))
    for i, u in enumerate(drawn(space, 25)):
        p = space.decode(u)
        for r, score in ((1, p["x"]), (27, -p["x"] - (p["y"] - 0.5) ** 2)):
            state = strategy.tell(state, Observation(i, p, {0: score}, r))
    asked = [strategy.ask(state, 25, (), seed) for seed in range(5)]
    assert np.median([p["x"] for p in asked if p is not None]) < 0.2
