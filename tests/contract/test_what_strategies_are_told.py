"""No strategy has to be told by hand what its search knows.

Not by whoever writes `strategy=Bayes(surrogate="tpe")`: an instance that did not know
of rungs would take scores at different resources for scores of one kind.
"""

from __future__ import annotations

import pytest
from scipy.stats import uniform

from sktune import (
    BayesSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune._types import WarmStartObservation
from sktune.space import Space
from sktune.strategy import SURROGATES, Bayes
from tests.helpers.estimators import Score, blobs

X, y = blobs(90)
SPACE = {"a": uniform(0, 1), "b": uniform(0, 1)}
N_SPLITS = 2
RUNGS = {"min_resources": 9, "max_resources": 81, "factor": 3}
SEARCHES = {"Hyperband": HyperbandSearchCV, "halving": SuccessiveHalvingSearchCV}
# "pairs" refuses numbers, of which the space here is made.
every_surrogate = pytest.mark.parametrize(
    "surrogate", sorted(SURROGATES.keys() - {"pairs"})
)
with_rungs = pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)


class Recording:
    """A strategy that keeps what it is told, and asks another."""

    def __init__(self, strategy):
        self.strategy = strategy
        self.problems, self.states = [], []

    def init(self, problem):
        self.problems.append(problem)
        return self.strategy.init(problem)

    def tell(self, state, observation):
        self.states.append(self.strategy.tell(state, observation))
        return self.states[-1]

    def ask(self, state, candidate, pending, seed):
        return self.strategy.ask(state, candidate, pending, seed)


def searched(search, strategy, **options):
    options = {**RUNGS, "cv": N_SPLITS, "random_state": 0, **options}
    return search(Score(), SPACE, strategy=strategy, **options).fit(X, y)


@with_rungs
@every_surrogate
def test_a_search_with_rungs_tells_all_that_it_knows(search, surrogate):
    strategy = Recording(Bayes(surrogate=surrogate))
    fitted = searched(search, strategy)
    (problem,) = strategy.problems
    assert isinstance(problem.space, Space)
    assert problem.space.names == tuple(SPACE)
    started = {c for c, i in _rows(fitted, "candidate", "iter") if i == 0}
    assert problem.n_candidates == len(started) == fitted.plan(X, y).n_candidates
    assert problem.max_resources == fitted.max_resources_ == 81
    assert problem.n_splits == N_SPLITS
    assert problem.warm_start == ()


def _rows(search, *columns):
    return zip(*(search.cv_results_[name] for name in columns), strict=True)


@with_rungs
@every_surrogate
def test_a_surrogate_tells_the_rungs_apart(search, surrogate):
    strategy = Recording(Bayes(surrogate=surrogate))
    searched(search, strategy)
    observed = strategy.states[-1].observations.values()
    assert {one.n_resources for one in observed} == {9, 27, 81}


@with_rungs
def test_an_instance_proposes_what_its_name_does(search):
    by_name, by_hand = (searched(search, s) for s in ("bayes", Bayes()))
    assert by_hand.cv_results_["params"] == by_name.cv_results_["params"]
    assert by_hand.best_score_ == by_name.best_score_


def test_the_number_of_candidates_decides_when_a_surrogate_is_asked():
    """Of 6 candidates, half are spread evenly; of very many, 4 in two dimensions."""
    short = Recording(Bayes())
    searched(SuccessiveHalvingSearchCV, short, n_candidates=6, max_resources=27)
    assert short.strategy._n_initial(short.problems[0]) == 3
    long = Recording(Bayes())
    searched(SuccessiveHalvingSearchCV, long, n_candidates=9)
    assert long.strategy._n_initial(long.problems[0]) == 4


@pytest.mark.parametrize("surrogate", ["gp", "forest", "tpe"])
def test_a_flat_search_tells_its_own_strategy(surrogate, monkeypatch):
    problems, init = [], Bayes.init
    monkeypatch.setattr(
        Bayes,
        "init",
        lambda self, problem: problems.append(problem) or init(self, problem),
    )
    old = RandomizedSearchCV(Score(), SPACE, n_iter=4, cv=2, random_state=1).fit(X, y)
    options = {"n_iter": 6, "cv": 3, "random_state": 0, "surrogate": surrogate}
    BayesSearchCV(Score(), SPACE, warm_start_from=[old, old], **options).fit(X, y)
    (problem,) = problems
    assert problem.space.names == tuple(SPACE)
    assert (problem.n_candidates, problem.n_splits) == (6, 3)
    assert problem.max_resources is None
    assert [one.source for one in problem.warm_start] == [1] * 4 + [2] * 4
    assert all(isinstance(one, WarmStartObservation) for one in problem.warm_start)
