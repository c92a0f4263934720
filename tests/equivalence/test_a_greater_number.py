"""A search that goes on with a greater number is one that was given it at once."""

import shutil
from functools import cache

import joblib
import numpy as np
import pytest
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator, ClassifierMixin

from sktune import (
    AnnealingSearchCV,
    BayesSearchCV,
    EvolutionSearchCV,
    FreezeThawSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    LocalSearchCV,
    RandomizedSearchCV,
    ReinforceSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune._errors import JournalError
from sktune.inspection import read_journal
from sktune.persistence import read_records
from sktune.strategy import Bayes
from tests.helpers.journals import assert_same, cut
from tests.helpers.searches import X, y

pytestmark = pytest.mark.filterwarnings("ignore:The last rung")

SPACE = {"a": uniform(0, 1), "b": loguniform(1e-2, 1)}
LISTS = {"a": [k / 30 for k in range(30)], "b": [k / 40 for k in range(40)]}


class Drawn(ClassifierMixin, BaseEstimator):
    """Scores by its parameters, by how long it was trained, and by what it drew."""

    passes = []

    def __init__(self, a=0.0, b=0.0):
        self.a = a
        self.b = b

    def fit(self, X, y):
        return self.partial_fit(X, y)

    def partial_fit(self, X, y, classes=None):
        self.passes.append(self.a)
        self.classes_ = np.unique(y)
        self.drawn_ = getattr(self, "drawn_", 0.0) + np.random.random()
        return self

    def score(self, X, y):
        return 0.02 * self.drawn_ - (self.a - 0.3) ** 2 - (self.b - 0.6) ** 2


class Unoffered(Bayes):
    """A strategy of somebody else, who does not say what depends on the number."""

    begins_alike = None


def flat(search, name, n, space, **kwargs):
    return search(Drawn(), space, cv=2, random_state=0, **{name: n, **kwargs})


def rungs(search, name, n, **kwargs):
    arguments = {"resource": "partial_fit", "max_resources": 4, "factor": 2, **kwargs}
    return search(Drawn(), SPACE, cv=2, random_state=0, **{name: n, **arguments})


def randomized(n, space=SPACE, **kwargs):
    return flat(RandomizedSearchCV, "n_iter", n, space, **kwargs)


def bayes(n, **kwargs):
    return flat(BayesSearchCV, "n_iter", n, SPACE, **kwargs)


def grid(n):
    space = {"a": [0.1, 0.2, 0.3, 0.4][:n], "b": [0.3, 0.6, 0.7]}
    return GridSearchCV(Drawn(), space, cv=2, random_state=0)


def grids(n):
    first, second = {"a": [0.1, 0.2], "b": [0.5]}, {"a": [0.3], "b": [0.5, 0.6, 0.7]}
    space = [first, second, {"a": [0.0], "b": [0.9]}][:n]
    return GridSearchCV(Drawn(), space, cv=2, random_state=0)


def halving(n, **kwargs):
    return rungs(SuccessiveHalvingSearchCV, "n_candidates", n, **kwargs)


def hyperband(n, **kwargs):
    return rungs(HyperbandSearchCV, "n_rounds", n, **kwargs)


def freeze_thaw(n, **kwargs):
    arguments = {"resource": "partial_fit", "max_resources": 4, **kwargs}
    return flat(FreezeThawSearchCV, "n_iter", n, SPACE, **arguments)


# What makes the search, and the numbers that it is given one after the other.
CASES = {
    "distributions": (randomized, (4, 9, 11)),
    "lists": (lambda n: randomized(n, LISTS), (20, 30, 45)),
    "lists, tried first": (
        lambda n: randomized(
            n,
            LISTS,
            initial_points=[{"a": 0.5, "b": 0.5}],
            constraint=lambda params: params["a"] > 0.2,
        ),
        (4, 9, 11),
    ),
    "grid": (grid, (2, 3, 4)),
    "grids": (grids, (1, 2, 3)),
    "gp": (bayes, (8, 10, 11)),
    "gp, its start alone": (bayes, (2, 4, 5)),
    "gp, three pending": (lambda n: bayes(n, n_pending=3), (8, 10, 11)),
    "forest": (lambda n: bayes(n, surrogate="forest"), (8, 10, 11)),
    "tpe": (lambda n: bayes(n, surrogate="tpe", n_pending=2), (8, 10, 11)),
    "annealing": (
        lambda n: flat(AnnealingSearchCV, "n_iter", n, SPACE),
        (8, 10, 16),
    ),
    "evolution": (
        lambda n: flat(EvolutionSearchCV, "n_iter", n, SPACE, n_pending=2),
        (8, 12, 16),
    ),
    "local": (lambda n: flat(LocalSearchCV, "n_iter", n, LISTS), (8, 10, 16)),
    "reinforce": (
        lambda n: flat(ReinforceSearchCV, "n_iter", n, LISTS),
        (8, 10, 16),
    ),
    "halving": (halving, (5, 9, 14)),
    "halving, bayes": (lambda n: halving(n, strategy="bayes"), (8, 11, 14)),
    "hyperband": (hyperband, (1, 2, 3)),
    "hyperband, bayes": (lambda n: hyperband(n, strategy="bayes"), (1, 2, 3)),
    "hyperband, other": (
        lambda n: hyperband(n, strategy=Unoffered(surrogate="tpe"), n_pending=2),
        (1, 2),
    ),
    "asynchronous": (lambda n: halving(n, asynchronous=True), (5, 9, 14)),
    "asynchronous, bayes": (
        lambda n: hyperband(n, asynchronous=True, strategy="bayes"),
        (1, 2),
    ),
    "freeze and thaw": (freeze_thaw, (2, 4, 5)),
    "freeze and thaw, three pending": (lambda n: freeze_thaw(n, n_pending=3), (3, 5)),
}


def fitted(search, n_jobs=1):
    with joblib.parallel_config("threading"):
        return search.set_params(n_jobs=n_jobs).fit(X, y)


@cache
def at_once(case, n):
    """The search that was given the number from the start."""
    return fitted(CASES[case][0](n))


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "search.jsonl"


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_it_is_one_that_was_given_it_at_once(case, n_jobs, journal):
    make, numbers = CASES[case]
    # Else what is decided depends on which fit ends first; it is replayed as it was.
    is_one = not case.startswith("asynchronous") or n_jobs == 1
    expected = [at_once(case, n) for n in numbers]
    for n, one in zip(numbers, expected, strict=True):
        before = len(read_journal(journal)) if journal.exists() else 0
        Drawn.passes.clear()
        continued = fitted(make(n).set_params(journal=journal), n_jobs)
        if is_one:
            assert_same(continued, one)
        places = read_journal(journal)[["candidate", "split", "iter"]]
        assert not places.duplicated().any()
        if continued.get_params().get("resource") is None:
            n_refit = 1
            assert len(Drawn.passes) == len(places) - before + n_refit
        # Once more: no fit is left, and the journal has nothing to be told.
        before = journal.read_bytes()
        assert_same(fitted(make(n).set_params(journal=journal)), continued, times=True)
        assert journal.read_bytes() == before
    # And fewer, which is over sooner.
    if is_one:
        assert_same(fitted(make(numbers[0]).set_params(journal=journal)), expected[0])


@pytest.mark.parametrize("case", CASES)
def test_one_that_was_interrupted_goes_on_too(case, journal):
    make, numbers = CASES[case]
    expected = at_once(case, numbers[1])
    fitted(make(numbers[0]).set_params(journal=journal))
    n_fits = len(read_journal(journal))
    whole = journal.read_bytes()
    for n in (1, n_fits // 2):
        journal.write_bytes(whole)
        cut(journal, n)
        assert_same(fitted(make(numbers[1]).set_params(journal=journal)), expected)
    # And once more in the middle of what came then.
    more = len(read_journal(journal)) - n_fits
    assert more > 1
    cut(journal, n_fits + more // 2)
    grown = [r for r in read_records(journal) if r["record"] == "arguments"]
    assert len(grown) == 1
    copy = shutil.copy(journal, journal.with_name("copy.jsonl"))
    assert_same(fitted(make(numbers[1]).set_params(journal=journal)), expected)
    # The number that it had at first is one too.
    first = at_once(case, numbers[0])
    assert_same(fitted(make(numbers[0]).set_params(journal=copy)), first)


@pytest.mark.parametrize("n_passes", [7, 15, 22])
@pytest.mark.parametrize("case", ["halving", "hyperband", "asynchronous"])
def test_nets_that_paused_go_on(case, n_passes, journal, monkeypatch):
    make, numbers = CASES[case]
    partial_fit = Drawn.partial_fit

    def interrupted(self, *args, **kwargs):
        if len(Drawn.passes) == n_passes:
            raise KeyboardInterrupt
        return partial_fit(self, *args, **kwargs)

    Drawn.passes.clear()
    with monkeypatch.context() as patch:
        patch.setattr(Drawn, "partial_fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fitted(make(numbers[0]).set_params(journal=journal))
    assert any(journal.with_name("search.jsonl.checkpoints").iterdir())
    grown = make(numbers[1]).set_params(journal=journal)
    assert_same(fitted(grown), at_once(case, numbers[1]))
    assert not journal.with_name("search.jsonl.checkpoints").exists()


def test_a_search_that_begins_otherwise_is_refused(journal):
    """Its halving is of nine candidates, and there were three."""
    fitted(freeze_thaw(3, max_resources=9).set_params(journal=journal))
    with pytest.raises(JournalError, match=r"candidate 4\.a"):
        fitted(freeze_thaw(20, max_resources=9).set_params(journal=journal))
