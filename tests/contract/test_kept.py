"""Estimators that are kept for each split, and what they predict out of fold."""

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import ShuffleSplit, StratifiedKFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sktune import GridSearchCV, RandomizedSearchCV
from tests.helpers.estimators import blobs, net
from tests.helpers.searches import SEARCHES, X, y
from tests.helpers.with_rungs import NET_SPACE

pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

X_NET, Y_NET = blobs()
TREES = {"max_depth": [1, 2, 3, 4], "max_features": [1, 2, 3, 4]}
NETS = {f"neuralnetclassifier__{name}": v for name, v in NET_SPACE.items()}

every_search = pytest.mark.parametrize("search", SEARCHES)


def of_trees(search, keep=3, **kwargs):
    trees = DecisionTreeClassifier(random_state=0)
    few = {k: v for k, v in TREES.items() if k == "max_depth"}
    return search(trees, few, cv=3, keep=keep, **kwargs).fit(X, y)


def of_nets(**kwargs):
    nets = make_pipeline(StandardScaler(), net(max_epochs=3))
    kwargs = {"n_iter": 5, "cv": 3, "random_state": 0, "keep": 2, **kwargs}
    return RandomizedSearchCV(nets, NETS, **kwargs).fit(X_NET, Y_NET)


def assert_scored_as_kept(search, X, y):
    """The estimators of each split score there as the table says."""
    results = search.cv_results_
    numbers = results.get("candidate", np.arange(len(results["params"])))
    for one in search.kept_:
        row = np.flatnonzero(numbers == one.candidate)[-1]
        assert one.params == results["params"][row]
        assert one.score == results["mean_test_score"][row]
        for k, (estimator, (train, test)) in enumerate(
            zip(one.estimators, one.splits, strict=True)
        ):
            assert not set(train) & set(test)
            expected = results[f"split{k}_test_score"][row]
            assert estimator.score(X[test], y[test]) == pytest.approx(expected)
        right = np.concatenate(
            [(one.out_of_fold(X) == y)[test] for _, test in one.splits]
        )
        assert right.mean() == pytest.approx(one.score)


@every_search
@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_they_are_those_that_were_scored(search, n_jobs):
    fitted = of_trees(search, n_jobs=n_jobs)
    assert_scored_as_kept(fitted, X, y)
    ranks = [one.score for one in fitted.kept_]
    assert 1 <= len(ranks) <= 3
    assert fitted.kept_[0].params == fitted.best_params_


@pytest.mark.parametrize("how", [{}, {"stacked": True}, {"racing": True}])
def test_nets(how):
    fitted = of_nets(**how)
    assert_scored_as_kept(fitted, X_NET, Y_NET)
    assert len(fitted.kept_) == 2
    assert all(len(one[-1].history_) == 3 for one in fitted.kept_[0].estimators)


def test_nets_that_went_on_are_not_trained_again(tmp_path):
    from tests.helpers.with_rungs import halving

    epochs = []

    class Counting(type(net())):
        def on_epoch_begin(self, *args, **kwargs):
            epochs.append(1)
            super().on_epoch_begin(*args, **kwargs)

    one = net(max_epochs=9)
    counting = Counting(**{k: v for k, v in one.get_params(deep=False).items()})
    counting.set_params(module__dropout=0.0)
    search = halving(counting, NET_SPACE, n_candidates=9, keep=1, refit=False)
    n = search.plan().total_resources
    search.fit(X_NET, Y_NET)
    assert len(epochs) == n
    assert_scored_as_kept(search, X_NET, Y_NET)


def test_what_a_journal_knows_is_fitted_again(tmp_path):
    journal = tmp_path / "search.jsonl"
    first = of_nets(journal=journal)
    with joblib.parallel_config("threading"):
        again = of_nets(journal=journal, n_jobs=2)
    for one, other in zip(first.kept_, again.kept_, strict=True):
        assert one.candidate == other.candidate
        np.testing.assert_allclose(
            one.out_of_fold(X_NET, "predict_proba"),
            other.out_of_fold(X_NET, "predict_proba"),
            atol=1e-6,
        )
    assert_scored_as_kept(again, X_NET, Y_NET)
    # Nothing that was recorded depends on it.
    assert not hasattr(of_nets(journal=journal, keep=None), "kept_")


def test_the_one_that_a_callable_has_chosen():
    worst = GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3]},
        refit=lambda results: int(np.argmin(results["mean_test_score"])),
        keep="best",
    ).fit(X, y)
    assert [one.params for one in worst.kept_] == [{"max_depth": 1}]
    assert_scored_as_kept(worst, X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_who_failed_is_not_kept():
    fitted = GridSearchCV(
        DecisionTreeClassifier(), {"max_depth": [0, 1]}, keep=2, error_score=9.0
    ).fit(X, y)
    assert [one.params for one in fitted.kept_] == [{"max_depth": 1}]


def test_several_metrics():
    fitted = of_trees(SEARCHES[0], scoring=["accuracy", "neg_log_loss"], refit=False)
    best = fitted.cv_results_["mean_test_accuracy"].max()
    assert fitted.kept_[0].score == best


# -- out of fold -----------------------------------------------------------------------


def regression(cv):
    trees = DecisionTreeRegressor(random_state=0)
    return GridSearchCV(trees, {"max_depth": [2]}, cv=cv, keep="best").fit(X, y)


def test_rows_that_are_tested_twice_have_means():
    (one,) = regression(ShuffleSplit(30, test_size=0.05, random_state=0)).kept_
    expected = np.full((30, len(X)), np.nan)
    for k, (_, test) in enumerate(one.splits):
        expected[k, test] = one.estimators[k].predict(X[test])
    was_tested = np.isfinite(expected).any(axis=0)
    assert np.isfinite(expected).sum(axis=0).max() > 1 and not was_tested.all()
    found = one.out_of_fold(X)
    np.testing.assert_array_equal(np.isfinite(found), was_tested)
    means = np.nanmean(expected[:, was_tested], axis=0)
    np.testing.assert_allclose(found[was_tested], means)


def test_rows_that_are_never_tested_are_nan():
    (one,) = regression(TimeSeriesSplit(3)).kept_
    first = one.splits[0][1][0]
    found = one.out_of_fold(X)
    assert np.isnan(found[:first]).all() and np.isfinite(found[first:]).all()


def test_labels_have_no_mean():
    trees = DecisionTreeClassifier(random_state=0)
    cv = ShuffleSplit(3, random_state=0)
    search = GridSearchCV(trees, {"max_depth": [2]}, cv=cv, keep="best").fit(X, y)
    with pytest.raises(ValueError, match="method='predict_proba'"):
        search.kept_[0].out_of_fold(X)
    assert search.kept_[0].out_of_fold(X, "predict_proba").shape == (len(X), 3)


def test_classes_that_a_split_has_not_seen():
    labels = y.copy()
    labels[0] = 7
    cv = [(np.arange(1, 150, 2), np.arange(0, 150, 2))]
    cv += [(test, train) for train, test in cv]
    search = GridSearchCV(
        DecisionTreeClassifier(random_state=0), {"max_depth": [2]}, cv=cv, keep="best"
    ).fit(X, labels)
    found = search.kept_[0].out_of_fold(X, "predict_proba")
    assert found.shape == (150, 4)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_other_rows_than_those_of_the_search():
    with pytest.raises(ValueError, match=r"X has 3 rows.*fitted on 150"):
        regression(2).kept_[0].out_of_fold(X[:3])


@pytest.mark.parametrize("keep", [0, "all", 1.5])
def test_what_cannot_be_kept(keep):
    with pytest.raises(ValueError, match="'keep' parameter"):
        of_trees(SEARCHES[0], keep=keep)


def test_no_more_is_kept_than_is_asked_for(monkeypatch):
    """While the search goes on, too."""
    from sktune.persistence import Checkpoints

    kept, most = set(), []
    save, drop = Checkpoints.save, Checkpoints.drop

    def counted(self, candidate, split, write, what="state"):
        kept.add(candidate)
        most.append(len(kept))
        save(self, candidate, split, write, what)

    def dropped(self, candidate, split=None):
        kept.discard(candidate)
        drop(self, candidate, split)

    monkeypatch.setattr(Checkpoints, "save", counted)
    monkeypatch.setattr(Checkpoints, "drop", dropped)
    digits, labels = load_digits(return_X_y=True)
    GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [*range(1, 9)], "max_features": [1, 2, 4]},
        cv=StratifiedKFold(2),
        keep=2,
    ).fit(digits[:300], labels[:300])
    assert len(most) == 48
    assert max(most) <= 6  # two, the one that is fitted, and equals
