"""What every strategy must hold. A new strategy joins by one line in STRATEGIES."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sktune._protocols import Strategy
from sktune._random import derive_seed
from sktune._types import Observation, Params, Problem, WarmStartObservation
from sktune.space import Space
from sktune.strategy import (
    Annealing,
    Bayes,
    Evolution,
    Explore,
    Listed,
    LocalSearch,
    OptunaStrategy,
    Reinforce,
)


def listed(space: Space) -> Listed:
    """All candidates of a small space, 100 of a large one."""
    if space.size <= 100:
        return Listed([p for p in space.points() if space.allows(p)])
    rows = np.random.default_rng(0).random((400, space.n_dims))
    found = {space.key(p): p for p in map(space.decode, rows) if space.allows(p)}
    return Listed(list(found.values())[:100])


def warm(space: Space) -> Problem:
    """One of which twelve candidates of two other searches are known."""
    rows = np.random.default_rng(1).random((12, space.n_dims))
    warm_start = [
        WarmStartObservation(
            space.decode(row), None if i % 5 == 0 else np.cos(i), 1 + i // 8
        )
        for i, row in enumerate(rows)
    ]
    return Problem(space, n_splits=N_SPLITS, warm_start=tuple(warm_start))


def flat(space: Space) -> Problem:
    return Problem(space, n_splits=N_SPLITS)


def with_rungs(space: Space) -> Problem:
    return Problem(space, max_resources=27, n_splits=N_SPLITS)


def optuna_strategy(name: str, **options: Any) -> OptunaStrategy:
    """One with a sampler of Optuna, where that is installed."""
    samplers = pytest.importorskip("optuna.samplers")
    if name == "CmaEsSampler":
        pytest.importorskip("cmaes")
    return OptunaStrategy(getattr(samplers, name)(**options))


N_SPLITS = 2
STRATEGIES: dict[str, Callable[[Space], Strategy]] = {
    "listed": listed,
    "explore": lambda space: Explore(listed(space).candidates),
    "bayes": lambda space: Bayes(),
    "bayes-pi": lambda space: Bayes(acquisition="pi"),
    "bayes-rungs": lambda space: Bayes(),
    "bayes-forest": lambda space: Bayes(surrogate="forest"),
    "bayes-tpe": lambda space: Bayes(surrogate="tpe", n_initial=3),
    "bayes-tpe-rungs": lambda space: Bayes(surrogate="tpe"),
    "bayes-curves": lambda space: Bayes(surrogate="curves", n_initial=3),
    "bayes-warm": lambda space: Bayes(),
    "annealing": lambda space: Annealing(),
    "evolution": lambda space: Evolution(),
    "evolution-ageing": lambda space: Evolution(5, 3, ageing=True),
    "local": lambda space: LocalSearch(),
    "reinforce": lambda space: Reinforce(),
    "optuna": lambda space: optuna_strategy("TPESampler", n_startup_trials=3),
    "optuna-cmaes": lambda space: optuna_strategy("CmaEsSampler", n_startup_trials=1),
    "bayes-ucb": lambda space: Bayes(acquisition="ucb", n_initial=2),
}
GIVEN = ("listed", "explore")  # these name what they were given
# What the search knows; where nothing is said, the space and the number of splits.
PROBLEMS: dict[str, Callable[[Space], Problem]] = {
    "bayes-rungs": with_rungs,
    "bayes-tpe-rungs": with_rungs,
    "bayes-curves": with_rungs,
    "bayes-warm": warm,
}


SPACES: dict[str, Any] = {
    "one continuous": {"lr": stats.loguniform(1e-4, 1e0)},
    "one list": {"k": [1, 2, 4, 8, 16]},
    "mixed": {
        "lr": stats.loguniform(1e-4, 1e0),
        "drop": stats.uniform(0, 0.9),
        "width": stats.randint(4, 200),
        "batch": [16, 32, 64],
        "act": ["relu", "tanh", None],
    },
    "categorical": {c: list("vwxyz") for c in "abcdef"},  # 15,625 points
    "objects": {"module": [list, dict], "size": [(1, 2), (3,), [4, 5]]},
    "conditional": [
        {"opt": ["sgd"], "lr": stats.loguniform(1e-4, 1), "m": stats.uniform(0, 1)},
        {"opt": ["adam"], "lr": stats.loguniform(1e-4, 1), "b": [1, 2, 3]},
        {"opt": ["lbfgs"], "h": stats.randint(1, 50), "w": ["a", "b"]},
    ],
    "conditional finite": [{"a": [1, 2], "b": ["x", "y"]}, {"c": [True, False, None]}],
    "unbounded": {"x": stats.norm(0, 1), "n": stats.poisson(3)},
}
FINITE = {"one list": 5, "objects": 6, "conditional finite": 7}

SLOW = {"bayes-forest", "bayes-warm"}

strategies = pytest.mark.parametrize(
    "strategy",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name in STRATEGIES
    ],
)
spaces = pytest.mark.parametrize("space", list(SPACES))


class Search:
    """Asks and tells as the engine does: a seed of its own for every candidate."""

    def __init__(
        self,
        strategy: str,
        space: str | Space,
        seed: int = 0,
        problem: Callable[[Space], Problem] | None = None,
    ) -> None:
        self.space = Space(SPACES[space]) if isinstance(space, str) else space
        self.strategy = STRATEGIES[strategy](self.space)
        problem = problem or PROBLEMS.get(strategy, flat)
        self.state = self.strategy.init(problem(self.space))
        self.seed = seed
        self.asked: list[Params] = []
        self.pending: dict[int, Params] = {}

    def ask(self) -> Params | None:
        number = len(self.asked)
        seed = derive_seed(self.seed, "ask", number)
        params = self.strategy.ask(
            self.state, number, tuple(self.pending.values()), seed
        )
        if params is not None:
            self.pending[number] = params
            self.asked.append(params)
        return params

    def tell(self, number: int, score: float | None) -> None:
        scores = (None, None) if score is None else (score - 0.1, score + 0.1)
        self.tell_splits(number, dict(enumerate(scores)))

    def tell_splits(
        self,
        number: int,
        scores: dict[int, float | None],
        n_resources: int | None = None,
    ) -> None:
        params = self.pending.pop(number)
        observation = Observation(number, params, scores, n_resources)
        self.state = self.strategy.tell(self.state, observation)

    def run(self, n: int, score: Callable[[int], float | None]) -> list[Params]:
        for _ in range(n):
            if self.ask() is None:
                break
            number = len(self.asked) - 1
            self.tell(number, score(number))
        return self.asked

    def keys(self) -> list[Any]:
        return [self.space.key(params) for params in self.asked]


def wavy(number: int) -> float:
    return float(np.sin(3.0 * number))


def check_valid(search: Search) -> None:
    """Every proposal is a candidate of the space, allowed, and named once."""
    for params in search.asked:
        u = search.space.encode(params)
        assert u.shape == (search.space.n_dims,)
        assert search.space.allows(params)
        again = search.space.encode(search.space.decode(u))
        np.testing.assert_allclose(again, u, rtol=1e-6)
    assert len(set(search.keys())) == len(search.asked)


@strategies
@spaces
def test_proposals_are_valid_and_never_repeated(strategy: str, space: str) -> None:
    search = Search(strategy, space)
    search.run(9, wavy)
    assert len(search.asked) == FINITE.get(space, 9)
    check_valid(search)


@strategies
@spaces
def test_asking_changes_nothing(strategy: str, space: str) -> None:
    search = Search(strategy, space)
    search.run(4, wavy)
    search.ask()  # one is pending
    pending = tuple(search.pending.values())
    before = pickle.dumps(search.state)
    first = search.strategy.ask(search.state, 5, pending, 7)
    assert pickle.dumps(search.state) == before
    second = search.strategy.ask(search.state, 5, pending, 7)
    replayed = search.strategy.ask(pickle.loads(before), 5, pending, 7)
    if first is None:
        assert second is None
        assert replayed is None
    else:
        key = search.space.key(first)
        assert search.space.key(second) == key
        assert search.space.key(replayed) == key


@strategies
@spaces
def test_telling_leaves_the_earlier_state_as_it_was(strategy: str, space: str) -> None:
    search = Search(strategy, space)
    search.run(3, wavy)
    before = pickle.dumps(search.state)
    earlier = search.state
    search.run(1, wavy)
    assert pickle.dumps(earlier) == before


@strategies
@pytest.mark.parametrize("space", ["mixed", "conditional"])
def test_the_same_seed_names_the_same_candidates(strategy: str, space: str) -> None:
    one = Search(strategy, space, seed=3).run(9, wavy)
    assert Search(strategy, space, seed=3).run(9, wavy) == one
    if strategy not in GIVEN:
        assert Search(strategy, space, seed=4).run(9, wavy) != one


@strategies
@pytest.mark.parametrize("space", ["mixed", "objects", "conditional"])
def test_global_random_states_are_left_alone(strategy: str, space: str) -> None:
    random.seed(0)
    np.random.seed(0)
    before = random.getstate(), np.random.get_state()[1].copy()
    one = Search(strategy, space).run(7, wavy)
    assert random.getstate() == before[0]
    assert (np.random.get_state()[1] == before[1]).all()
    np.random.seed(1)
    assert Search(strategy, space).run(7, wavy) == one


SCORES: dict[str, Callable[[int], float | None]] = {
    "all failed": lambda i: None,
    "one finite": lambda i: 0.5 if i == 3 else None,
    "half failed": lambda i: None if i % 2 else wavy(i),
    "constant": lambda i: 1.0,
    "constant zero": lambda i: 0.0,
    "two values": lambda i: float(i % 2),
    "outliers": lambda i: -1e300 if i % 3 == 0 else wavy(i),
    "both outliers": lambda i: (-1e308, 1e308, 0.0)[i % 3],
    "tiny": lambda i: 1e-310 * i,
    "huge offset": lambda i: 1e12 + wavy(i),
}


@pytest.mark.slow
@strategies
@pytest.mark.parametrize("scores", list(SCORES))
@pytest.mark.parametrize("space", ["mixed", "conditional finite"])
def test_no_scores_upset_it(strategy: str, scores: str, space: str) -> None:
    search = Search(strategy, space)
    search.run(9, SCORES[scores])
    assert len(search.asked) == FINITE.get(space, 9)
    check_valid(search)


@strategies
def test_failed_scores_are_not_read(strategy: str) -> None:
    """One split that failed makes the others worth nothing."""
    one, other = Search(strategy, "mixed"), Search(strategy, "mixed")
    for search, scores in ((one, (None, None)), (other, (None, 1e9))):
        for number in range(9):
            params = search.ask()
            assert params is not None
            if number % 3 == 1:
                search.tell_splits(number, dict(enumerate(scores)))
            else:
                search.tell(number, wavy(number))
    assert one.asked == other.asked


@strategies
def test_a_split_that_was_not_run_has_not_failed(strategy: str) -> None:
    """The mean over those that were run counts."""
    on_all, on_one = Search(strategy, "mixed"), Search(strategy, "mixed")
    for number in range(9):
        assert on_all.ask() == on_one.ask()
        on_all.tell_splits(number, dict.fromkeys(range(N_SPLITS), wavy(number)))
        on_one.tell_splits(number, {number % N_SPLITS: wavy(number)})
    check_valid(on_one)


@strategies
@spaces
def test_whatever_the_search_knows(strategy: str, space: str) -> None:
    def problem(space: Space) -> Problem:
        return replace(warm(space), n_candidates=9, max_resources=27)

    search = Search(strategy, space, problem=problem)
    for number in range(FINITE.get(space, 9)):
        assert search.ask() is not None
        search.tell_splits(number, {0: wavy(number)}, (1, 27)[number % 2])
    check_valid(search)


@strategies
@spaces
@pytest.mark.parametrize("n_told", [0, pytest.param(5, marks=pytest.mark.slow)])
def test_many_pending(strategy: str, space: str, n_told: int) -> None:
    search = Search(strategy, space)
    search.run(n_told, wavy)
    for _ in range(10):
        search.ask()
    assert len(search.asked) == FINITE.get(space, n_told + 10)
    check_valid(search)


@strategies
@pytest.mark.parametrize("space", ["mixed", "categorical", "conditional"])
def test_answers_that_come_out_of_order(strategy: str, space: str) -> None:
    search = Search(strategy, space)
    for _ in range(4):
        search.ask()
    for number in (2, 0, 3, 1):
        search.tell(number, wavy(number))
        search.ask()
    check_valid(search)


@strategies
@pytest.mark.parametrize("space", list(FINITE))
def test_none_when_a_finite_space_is_used_up(strategy: str, space: str) -> None:
    search = Search(strategy, space)
    search.run(FINITE[space], wavy)
    assert sorted(map(repr, search.keys())) == sorted(
        repr(search.space.key(params)) for params in search.space.points()
    )
    assert search.ask() is None
    assert search.ask() is None  # and it stays so


@strategies
def test_none_while_the_last_candidates_are_pending(strategy: str) -> None:
    search = Search(strategy, "one list")
    search.run(2, wavy)
    for _ in range(3):
        assert search.ask() is not None
    assert search.ask() is None


def narrow(params: Params) -> bool:
    return bool(params["lr"] < 1e-2 and params["width"] % 7 == 0)


def few(params: Params) -> bool:
    return bool(params["a"] + params["b"] == 30)


@strategies
def test_a_constraint_is_never_violated(strategy: str) -> None:
    search = Search(strategy, Space(SPACES["mixed"], narrow))
    search.run(9, wavy)
    assert len(search.asked) == 9
    check_valid(search)


@strategies
def test_a_constraint_that_leaves_few(strategy: str) -> None:
    """31 of 2,500 candidates are allowed; all of them are found."""
    if strategy in GIVEN:
        return
    space = Space({"a": list(range(50)), "b": list(range(50))}, few)
    search = Search(strategy, space)
    search.run(40, wavy)
    assert len(search.asked) == 31
    check_valid(search)


@pytest.fixture(autouse=True)
def _warnings_are_errors(recwarn: pytest.WarningsRecorder) -> Iterator[None]:
    yield
    assert [str(w.message) for w in recwarn.list] == []
