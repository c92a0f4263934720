"""Whatever is given: an error that says what is wrong, or results that are sound."""

from __future__ import annotations

from functools import partial

import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold
from skorch import NeuralNet  # noqa: F401  so that nets are looked for

import sktune
from sktune._errors import EstimatorError, EstimatorTypeError, ScoreError, StrategyError
from tests.helpers.hostile import (
    CLASSES,
    FITS,
    KINDS,
    Probe,
    check_fits_again,
    check_outcome,
    check_results,
    data,
    make,
    run,
)
from tests.helpers.hostile_inputs import (
    ARGUMENTS,
    CASES,
    DATA,
    SPACES,
    Case,
    Proposes,
    good,
    scorer,
)

# Spaces and resources are small here, and searches say so.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_there_are_many_of_them_and_no_two_have_one_name():
    assert len({case.name for case in CASES}) == len(CASES) >= 700
    for kind in KINDS:
        assert sum(kind in case.kinds for case in CASES) >= 200


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(CASES)), ids=[c.name for c in CASES])
def test_one_thing_that_is_bad(number, capsys):
    case = CASES[number]
    again = case.kinds[number % len(case.kinds)]
    for kind in case.kinds:
        X, y, fit_params = case.data()
        outcome = run(partial(make, kind, **case.arguments()), X, y, **fit_params)
        check_outcome(outcome)
        if kind == again and outcome.error is not None:
            check_fits_again(outcome, kind)


# -- several at once -----------------------------------------------------------------


# What stands in a file, or starts processes, is not made up.
NOT_WILD = (
    "journal",
    "checkpoints",
    "n_jobs",
    "devices",
    "cv",
    "strategy",
    "constraint",
)

# Where fits fail, and which of them may depend on the machine.
FITS_FAIL = ("estimator FailsWith", "fit_timeout=1e-09", "fit_memory=True")

ONE_OF_EACH = [case for case in CASES if not case.name.startswith(FITS_FAIL)]

wild = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 30),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=2),
    st.lists(st.integers(-3, 3), max_size=2),
    st.integers(-3, 30).map(np.int64),
    st.floats(width=32).map(np.float32),
    st.sampled_from([1j, (), {}, object(), Probe, len, np.nan, np.array([1, 2])]),
)


@st.composite
def bad_input(draw) -> tuple[str, list[Case], dict]:
    """A search, some of the cases that it has, and arguments that are made up."""
    kind = draw(st.sampled_from(KINDS))
    own = [case for case in ONE_OF_EACH if kind in case.kinds]
    cases = draw(st.lists(st.sampled_from(own), max_size=3))
    names = [
        name
        for name, (kinds, _) in ARGUMENTS.items()
        if kind in kinds and name not in NOT_WILD
    ]
    made_up = draw(st.dictionaries(st.sampled_from(names), wild, max_size=2))
    return kind, cases, made_up


@pytest.mark.slow
@pytest.mark.one_end
@settings(
    deadline=None,
    max_examples=250,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(bad_input())
def test_several_things_that_are_bad(capsys, given_input):
    kind, cases, arguments = given_input
    X, y, fit_params = good()
    for case in cases:
        arguments = {**arguments, **case.arguments()}
        if case.data is not good:
            X, y, fit_params = case.data()
    outcome = run(partial(make, kind, **arguments), X, y, **fit_params)
    check_outcome(outcome)
    if outcome.error is not None:
        check_fits_again(outcome, kind)


# -- what has to be refused, and not only be answered somehow ------------------------


REFUSED_DATA = [
    "X longer than y",
    "no rows",
    "X None",
    "X a number",
    "X an object",
    "y NaN",
    "y a number",
    "weights too short",
    "weights too long",
    "groups too short",
]

REFUSED_SPACES = ["[]", "None", "list of numbers", "misspelt", "name 1", "fit"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_no_search_may_answer(kind):
    for name in REFUSED_DATA:
        X, y, fit_params = DATA[name]()
        outcome = run(partial(make, kind), X, y, **fit_params)
        assert outcome.error is not None and not outcome.n_fits, name
    for name in REFUSED_SPACES:
        outcome = run(lambda n=name: make(kind, space=SPACES[n]()), *data())
        assert outcome.error is not None and not outcome.n_fits, name


def indices(n: int):
    return np.arange(n)


BAD_SPLITS = {
    "no rows to train on": (
        [],
        indices(24),
        ValueError,
        "training part of split 0 has",
    ),
    "no rows to test on": (indices(24), [], ValueError, "test part of split 0 has no"),
    "rows that X has not": (
        indices(12),
        indices(30),
        ValueError,
        "row 29, and X has 24",
    ),
    "far below zero": ([-25], indices(3), ValueError, "row -25, and X has 24"),
    "halves": ([0.5], [1.5], ValueError, "shape .1,. and dtype float64"),
    "two dimensions": ([[0], [1]], [2], ValueError, "shape .2, 1. and dtype int64"),
    "a long mask": ([True] * 30, [2], ValueError, "mask of length 30, and X has 24"),
    "an empty mask": ([False] * 24, [2], ValueError, "training part of split 0 has no"),
    "ragged": ([[0], [1, 2]], [3], ValueError, "is no list of indices"),
}


@pytest.mark.parametrize("name", BAD_SPLITS)
@pytest.mark.parametrize("kind", KINDS)
def test_splits(kind, name):
    train, test, error, words = BAD_SPLITS[name]
    FITS.clear()
    with pytest.raises(error, match=words):
        make(kind, cv=[(train, test)]).fit(*data())
    with pytest.raises(error, match=words):
        make(kind, cv=iter([(train, test)])).fit(*data())
    assert not FITS


@pytest.mark.parametrize("kind", KINDS)
def test_splits_that_are_no_pairs(kind):
    with pytest.raises(ValueError, match=r"split 1 is .0,. and not a pair"):
        make(kind, cv=[([0, 1, 2], [3]), (0,)]).fit(*data())
    with pytest.raises(TypeError, match="split 0 is 3 and not a pair"):
        make(kind, cv=[3]).fit(*data())


@pytest.mark.parametrize("kind", KINDS)
def test_refit_that_is_missing_is_said_after_one_candidate(kind):
    FITS.clear()
    with pytest.raises(ValueError, match="refit must be set to a scorer key"):
        make(kind, scoring=scorer({"a": 1.0}), refit="b").fit(*data())
    assert len(FITS) == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("others", [{"b": 1.0}, 0.5])
def test_metrics_that_change(kind, others):
    calls = iter(range(100))
    FITS.clear()

    def scoring(estimator, X, y):
        return {"a": 1.0} if next(calls) < 3 else others

    with pytest.raises(ScoreError, match=r"the metrics \['a'\] for one fit and"):
        make(kind, scoring=scoring, refit="a", return_train_score=False).fit(*data())
    assert len(FITS) <= 6


@pytest.mark.parametrize("answer", ["a", [("a", 1)], {1: 2}])
def test_a_strategy_that_proposes_no_params(answer):
    search = make("halving", strategy=Proposes(answer))
    with pytest.raises(StrategyError, match=r"proposed .*Its ask has to return a dict"):
        search.fit(*data())


class NoParams:
    def fit(self, X, y):
        return self

    def score(self, X, y):
        return 0.0


class StoresNothing(Probe):
    def __init__(self, a=0.0, b=0.0, n=4):
        pass


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_estimator(kind):
    with pytest.raises(EstimatorTypeError, match="has no get_params"):
        make(kind, estimator=NoParams()).fit(*data())
    with pytest.raises(EstimatorTypeError, match=r"StoresNothing fails .*'a'"):
        make(kind, estimator=StoresNothing()).fit(*data())


@pytest.mark.parametrize("kind", ["halving", "hyperband"])
def test_plan_says_the_same(kind):
    for arguments, words in [
        ({"cv": KFold}, "cv=KFold is a class"),
        ({"cv": [(0,)]}, "split 0 is .* not a pair"),
        ({"cv": []}, "No fits were performed"),
        ({"factor": 1.000001}, "makes more than 1000 rungs"),
        ({"estimator": NoParams()}, "has no get_params"),
    ]:
        with pytest.raises((TypeError, ValueError), match=words):
            make(kind, **arguments).plan(*data())


# -- workers -------------------------------------------------------------------------


class CannotBePickled(Probe):
    def __getstate__(self):
        raise TypeError("of the user")


class BadError(Exception):
    """Can be pickled, and not be read again, nor made of its parts."""

    def __new__(cls, a, b):
        return super().__new__(cls, a, b)

    def __init__(self, a, b):
        super().__init__("of the user")


class RaisesBadError(Probe):
    def fit(self, X, y=None):
        raise BadError(1, 2)


@pytest.mark.slow
def test_what_cannot_be_sent_to_workers():
    local = type("Local", (Probe,), {})
    search = make("randomized", estimator=local(b=lambda: 3), n_jobs=2)
    check_results(search.set_params(scoring=lambda e, X, y: 0.5).fit(*data()))
    with pytest.raises(EstimatorError, match=r"cannot be sent .*of the user"):
        make("randomized", estimator=CannotBePickled(), n_jobs=2).fit(*data())
    with joblib.parallel_config("threading"):
        search = make("randomized", estimator=CannotBePickled(), n_jobs=2)
        check_results(search.fit(*data()))


@pytest.mark.slow
def test_an_error_that_cannot_be_sent_back():
    search = make("grid", estimator=RaisesBadError(), n_jobs=2, error_score="raise")
    with pytest.raises(EstimatorError, match="raised BadError, which cannot be sent"):
        search.fit(*data())


@pytest.mark.parametrize("pre_dispatch", ["nope", "2*", "1/0"])
def test_pre_dispatch_of_threads(pre_dispatch):
    with joblib.parallel_config("threading"):
        search = make("grid", n_jobs=2, pre_dispatch=pre_dispatch)
        with pytest.raises(ValueError, match=r"pre_dispatch=.* is not a valid number"):
            search.fit(*data())


# -- the judge -----------------------------------------------------------------------


def test_the_judge_finds_what_is_wrong():
    """A test that cannot fail says nothing."""
    outcome = run(partial(make, "halving"), *data())
    check_outcome(outcome)
    search = outcome.search
    for name, value in [("best_index_", 0), ("best_score_", 7.0), ("n_splits_", 2)]:
        good_value = getattr(search, name)
        setattr(search, name, value)
        with pytest.raises(AssertionError):
            check_outcome(outcome)
        setattr(search, name, good_value)
    results = dict(search.cv_results_)
    for key in ["params", "split1_test_score", "param_a", "rank_test_score"]:
        search.cv_results_ = {**results, key: results[key][:-1]}
        with pytest.raises(AssertionError):
            check_outcome(outcome)
    search.cv_results_ = results
    check_outcome(outcome)
    for error in (KeyError("x"), AttributeError("x"), ZeroDivisionError("x")):
        with pytest.raises(AssertionError):
            check_outcome(type(outcome)(search, error, 0))
    with pytest.raises(AssertionError):
        check_outcome(type(outcome)(search, ValueError("n_iter"), 3))


def test_every_search_is_here():
    public = {getattr(sktune, name) for name in sktune.__all__ if "SearchCV" in name}
    assert set(CLASSES.values()) == public
