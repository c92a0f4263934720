"""What every search keeps that has a journal."""

import os

import joblib
import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import KFold, cross_val_score

from sktune import HyperbandSearchCV, SuccessiveHalvingSearchCV
from sktune._errors import JournalError
from sktune.inspection import read_journal
from sktune.persistence import read_records
from tests.helpers.journals import SPACE, assert_same, cut, make
from tests.helpers.searches import (
    X,
    bayes,
    every_search,
    grid,
    halving,
    hyperband,
    randomized,
    y,
)

pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")


@every_search
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_fit_is_run_again(search, journal, fits, n_jobs):
    expected = make(search).fit(X, y)
    first = make(search, str(journal)).fit(X, y)
    assert_same(first, expected)
    n_fits = len(read_journal(journal))
    assert n_fits == 2 * len(first.cv_results_["params"])
    before = journal.read_bytes()
    fits.clear()
    again = make(search, journal).fit(X, y)
    assert len(fits) == 1, "the refit alone"
    assert_same(again, first, times=True)
    assert journal.read_bytes() == before
    for n in (0, n_fits // 2 + 1):
        cut(journal, n)
        with joblib.parallel_config("threading"):
            again = make(search, journal, n_jobs=n_jobs).fit(X, y)
        assert_same(again, expected)
        places = read_journal(journal)[["candidate", "split", "iter"]]
        assert len(places) == n_fits and not places.duplicated().any()


@every_search
def test_without_a_random_state(search, journal):
    space = {"a": [0.0, 0.25, 0.5, 0.75], "b": list(range(20))}
    kwargs = {"space": space, "random_state": None}
    if search is grid:
        kwargs["space"] = SPACE
    first = make(search, journal, **kwargs).fit(X, y)
    cut(journal, 3)
    again = make(search, journal, **kwargs).fit(X, y)
    assert_same(again, first)


OTHERS = {
    "X": lambda s: s.fit(X + 1, y),
    "y": lambda s: s.fit(X, y[::-1]),
    "sample_weight": lambda s: s.fit(X, y, sample_weight=np.ones(len(X))),
    "splits": lambda s: s.set_params(cv=3).fit(X, y),
    "estimator.b": lambda s: s.set_params(estimator__b=0.5).fit(X, y),
    "random_state": lambda s: s.set_params(random_state=1).fit(X, y),
    "scoring": lambda s: s.set_params(scoring="accuracy").fit(X, y),
    "return_train_score": lambda s: s.set_params(return_train_score=True).fit(X, y),
}


@every_search
def test_what_differs_is_named(search, journal, fits):
    make(search, journal).fit(X, y)
    before = journal.read_bytes()
    fits.clear()
    for name, fit_other in OTHERS.items():
        with pytest.raises(JournalError, match=rf"differs in: {name}.*Continue it"):
            fit_other(make(search, journal))
    with pytest.raises(JournalError, match=r"differs in: param_\w+.a"):
        make(search, journal, space={**SPACE, "a": [0.0, 0.2, 0.5, 0.75]}).fit(X, y)
    other = halving if search is not halving else hyperband
    with pytest.raises(JournalError, match="differs in: search"):
        make(other, journal).fit(X, y)
    assert not fits
    assert journal.read_bytes() == before


def test_splits_that_are_drawn_anew(journal):
    cv = KFold(2, shuffle=True)
    np.random.seed(0)  # as another process begins with another state
    make(grid, journal, cv=cv).fit(X, y)
    np.random.seed(1)
    with pytest.raises(JournalError, match="shuffles needs a random_state"):
        make(grid, journal, cv=cv).fit(X, y)


def test_a_generator_that_has_moved_on(journal):
    generator = np.random.RandomState(0)
    first = make(bayes, journal, random_state=generator).fit(X, y)
    with pytest.raises(JournalError, match=r"random_state .a generator"):
        make(bayes, journal, random_state=generator).fit(X, y)
    again = make(bayes, journal, random_state=np.random.RandomState(0)).fit(X, y)
    assert_same(again, first, times=True)


@every_search
def test_what_may_differ(search, journal, fits):
    make(search, journal).fit(X, y)
    fits.clear()
    other = {"n_jobs": 2, "verbose": 0, "error_score": 0.0, "refit": False}
    make(search, journal, max_time=60, **other).fit(X, y)
    assert not fits


def test_another_metric_may_choose_where_it_does_not_steer(journal):
    def fit(search, refit, path):
        scoring = ["accuracy", "f1_macro"]
        return make(search, path, scoring=scoring, refit=refit).fit(X, y)

    for search in (grid, randomized):
        path = journal.with_name(search.__name__)
        first, second = fit(search, "accuracy", path), fit(search, "f1_macro", path)
        assert_same(second, first, times=True)
    fit(bayes, "accuracy", journal)
    with pytest.raises(JournalError, match=r"refit_metric .'accuracy'.*'f1_macro' now"):
        fit(bayes, "f1_macro", journal)


def test_a_constraint_that_changed_is_found(journal):
    first = make(randomized, journal, space={"a": uniform(0, 1)})
    first.set_params(constraint=lambda params: True).fit(X, y)
    first.set_params(constraint=lambda params: params["a"] > 0.6)
    with pytest.raises(JournalError, match="differs in: c"):
        first.fit(X, y)


def test_nested_searches_cannot_share_a_journal(journal):
    with pytest.raises(JournalError, match=r"differs in: X\."):
        cross_val_score(make(grid, journal), X, y, cv=2, error_score="raise")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_asynchronous(journal, fits, n_jobs):
    def make_one(journal=None):
        search = HyperbandSearchCV if n_jobs == 1 else SuccessiveHalvingSearchCV
        return search(
            SGDClassifier(random_state=0),
            {"alpha": [10.0**-k for k in range(20)]},
            resource="partial_fit",
            max_resources=9,
            asynchronous=True,
            cv=2,
            n_jobs=n_jobs,
            random_state=0,
            journal=journal,
        )

    with joblib.parallel_config("threading"):
        first = make_one(journal).fit(X, y)
        whole = read_journal(journal)
        again = make_one(journal).fit(X, y)
    assert_same(again, first, times=True)
    for n in (3, 2 * len(whole) // 3):
        cut(journal, n)
        with joblib.parallel_config("threading"):
            again = make_one(journal).fit(X, y)
        frame = read_journal(journal)
        places = ["candidate", "split", "iter"]
        assert not frame[places].duplicated().any()
        assert (frame[places][:n] == whole[places][:n]).all(axis=None)
        whole = frame
        if n_jobs == 1:
            assert_same(again, first)
        # Another number of workers replays what was decided with the former one.
        with joblib.parallel_config("threading"):
            replayed = make_one(journal).set_params(n_jobs=3 - n_jobs).fit(X, y)
        assert_same(replayed, again, times=True)


def test_checkpoints_live_beside_the_journal(journal, monkeypatch):
    folder = journal.with_name("search.jsonl.checkpoints")
    search = SuccessiveHalvingSearchCV(
        SGDClassifier(random_state=0),
        {"alpha": [10.0**-k for k in range(9)]},
        resource="partial_fit",
        max_resources=9,
        cv=2,
        random_state=0,
        journal=journal,
    )
    expected = search.fit(X, y).cv_results_
    assert not folder.exists()
    calls = []
    partial_fit = SGDClassifier.partial_fit

    def counted(self, *args, **kwargs):
        calls.append(0)
        if len(calls) == 25:
            raise KeyboardInterrupt
        return partial_fit(self, *args, **kwargs)

    monkeypatch.setattr(SGDClassifier, "partial_fit", counted)
    n_all = search.plan().total_resources
    journal.unlink()
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    (own,) = folder.iterdir()
    assert read_records(journal)[0]["id"] in own.name
    search.fit(X, y)
    # All but the interrupted call are made once; the refit makes 9.
    assert len(calls) == n_all + 1 + 9
    for key in ("mean_test_score", "alpha"):
        np.testing.assert_array_equal(search.cv_results_.get(key), expected.get(key))
    assert not folder.exists()


def test_checkpoints_of_another_search_are_never_read(journal, tmp_path, monkeypatch):
    kwargs = {"resource": "partial_fit", "max_resources": 9, "cv": 2}
    search = SuccessiveHalvingSearchCV(
        SGDClassifier(random_state=0),
        {"alpha": [1e-3, 1e-2, 1e-1, 1.0, 10.0, 1e-4, 1e-5, 1e-6, 1e-7]},
        random_state=0,
        journal=journal,
        checkpoints=tmp_path / "states",
        **kwargs,
    )
    stop = iter(range(30))
    partial_fit = SGDClassifier.partial_fit

    def interrupted(self, *args, **kw):
        if next(stop, None) is None:
            raise KeyboardInterrupt
        return partial_fit(self, *args, **kw)

    with monkeypatch.context() as patch:
        patch.setattr(SGDClassifier, "partial_fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            search.fit(X, y)
    (stale,) = (tmp_path / "states").iterdir()
    journal.unlink()
    other = search.set_params(estimator__loss="modified_huber").fit(X, y)
    expected = search.set_params(journal=None).fit(X, y)
    assert_same(other, expected)
    assert list((tmp_path / "states").iterdir()) == [stale]


@every_search
def test_a_full_disk_ends_the_search_and_it_continues(search, journal, monkeypatch):
    expected = make(search).fit(X, y)
    real, n = os.write, []

    def full(number, data):
        n.append(0)
        if len(n) == 5:
            real(number, data[:20])
            raise OSError(28, "No space left on device")
        return real(number, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        broken = make(search, journal)
        with pytest.raises(JournalError, match=r"No space left on device.*Make room"):
            broken.fit(X, y)
    assert len(read_journal(journal)) == 3
    assert len(broken.cv_results_["params"]) == 1
    assert_same(broken.fit(X, y), expected)


@every_search
@pytest.mark.parametrize("place", ["", "missing/search.jsonl"])
def test_no_fit_is_run_where_nothing_can_be_written(search, tmp_path, fits, place):
    with pytest.raises(JournalError, match="cannot be written"):
        make(search, tmp_path / place).fit(X, y)
    assert not fits
