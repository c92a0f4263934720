"""Searches that end the training of nets by their learning curves."""

import json
from dataclasses import dataclass

import joblib
import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from skorch import NeuralNetClassifier
from skorch.dataset import ValidSplit

from sktune.inspection import learning_curves, read_journal
from sktune.schedule import Growth
from tests.helpers.estimators import blobs, net
from tests.helpers.journals import assert_same, cut
from tests.helpers.results import assert_same_search
from tests.helpers.searches import bayes, evolution, grid, halving, randomized

# Training and scoring are the same on the oldest versions, see `unit/`.
pytestmark = pytest.mark.one_end

X, y = blobs()
N_SPLITS = 3
CV = StratifiedKFold(N_SPLITS, shuffle=True, random_state=0)
# Good and bad ones; the first four are in flight at once.
RATES = [0.1, 1e-4, 0.05, 0.03, 1e-5, 0.2, 2e-4, 1e-3, 0.15, 5e-5]
SPACE = {"lr": RATES}
FLAT = [grid, randomized, bayes, evolution]

every_flat_search = pytest.mark.parametrize("search", FLAT)
WITHOUT = {"train_split": None}
WITH = {"train_split": ValidSplit(4)}


@dataclass(frozen=True)
class BelowHalf:
    """Stops, after some points, what is below a score."""

    n: int = 2
    score: float = 0.55

    def __call__(self, curve):
        return len(curve) == self.n and curve[-1] < self.score


def fitted(search, estimator=None, **kwargs):
    if estimator is None:
        estimator = net(max_epochs=8, verbose=0)
    few = {} if search is grid else {"n_iter": len(RATES)}
    given = {"cv": CV, "early_stopping": "growth", "random_state": 0, **few, **kwargs}
    return search(estimator, SPACE, **given).fit(X, y)


def epochs_of(search):
    """Of each candidate, the epochs that its fits were trained."""
    epochs = {}
    for row in search.curves_:
        epochs.setdefault(row["candidate"], []).append(row["epochs"][-1])
    return [epochs[c] for c in sorted(epochs)]


@pytest.mark.parametrize("search", [randomized, bayes])
@pytest.mark.parametrize("part", [WITH, WITHOUT], ids=["validation", "test"])
def test_who_is_stopped_is_spared_the_other_splits(search, part):
    """On the first split; and what is trained is what it is without a rule."""
    estimator = net(max_epochs=8, verbose=0, **part)
    spared = fitted(search, estimator, early_stopping=BelowHalf())
    results = spared.cv_results_
    stopped, n_run = results["stopped"], results["n_splits_run"]
    assert stopped.any() and not stopped.all()
    np.testing.assert_array_equal(n_run, np.where(stopped, 1, N_SPLITS))
    # With the test part, the second point of the grid is the second epoch, too.
    for was_stopped, epochs in zip(stopped, epochs_of(spared), strict=True):
        assert epochs == ([2] if was_stopped else [8] * N_SPLITS)
    assert results["rank_test_score"][stopped].min() > (~stopped).sum()
    assert not stopped[spared.best_index_]
    on = {row["on"] for row in spared.curves_}
    assert on == {"train_split" if part is WITH else "test"}
    if search is bayes:
        return
    whole = fitted(search, estimator, early_stopping=None).cv_results_
    for k in range(N_SPLITS):
        column = results[f"split{k}_test_score"]
        finished = ~stopped
        expected = whole[f"split{k}_test_score"]
        np.testing.assert_array_equal(column[finished], expected[finished])


@pytest.mark.parametrize("search", [grid, bayes])
def test_a_rule_that_never_stops_changes_nothing(search):
    """Scoring the test part on the way draws no number and trains nothing."""
    plain = fitted(search, early_stopping=None).cv_results_
    watched = fitted(search, early_stopping=lambda curve: False).cv_results_
    assert not watched.pop("stopped").any()
    assert set(watched.pop("n_splits_run")) == {N_SPLITS}
    for key, column in plain.items():
        if not key.endswith("_time"):
            np.testing.assert_array_equal(column, watched[key], err_msg=key)


@pytest.mark.parametrize("rule", ["growth", "median", Growth(keep=0.2)])
@pytest.mark.parametrize("search", [grid, bayes])
def test_rules_spare_epochs_and_keep_the_best(search, rule):
    spared = fitted(search, early_stopping=rule)
    n_epochs = sum(map(sum, epochs_of(spared)))
    assert n_epochs < len(spared.cv_results_["params"]) * N_SPLITS * 8
    assert spared.best_params_["lr"] >= 0.03
    assert spared.best_estimator_.history[-1]["epoch"] == 8


@pytest.mark.parametrize(
    ("search", "backend"),
    [
        *((search, "threading") for search in FLAT),
        pytest.param(bayes, "loky", marks=pytest.mark.slow),
    ],
)
def test_any_number_of_jobs_gives_one_answer(search, backend):
    one = fitted(search, racing=True)
    with joblib.parallel_config(backend, n_jobs=3):
        several = fitted(search, racing=True)
    assert_same_search(one, several)
    assert one.curves_ == several.curves_


def test_with_racing_the_race_begins_after_the_first_split():
    both = fitted(grid, racing=0.1, early_stopping=BelowHalf())
    results = both.cv_results_
    stopped, n_run = results["stopped"], results["n_splits_run"]
    assert set(n_run[stopped]) == {1}
    assert set(n_run[~stopped]) <= {2, N_SPLITS}


def test_in_stacks():
    alone = fitted(grid, early_stopping=BelowHalf())
    stacked = fitted(grid, early_stopping=BelowHalf(), stacked=True)
    assert max(row["stacked"] for row in stacked.paths_) >= 10
    for key in ("stopped", "n_splits_run"):
        np.testing.assert_array_equal(
            alone.cv_results_[key], stacked.cv_results_[key], err_msg=key
        )
    np.testing.assert_allclose(
        alone.cv_results_["mean_test_score"],
        stacked.cv_results_["mean_test_score"],
        rtol=1e-4,
    )


def test_the_last_step_of_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), net(max_epochs=8, verbose=0))
    search = grid(
        pipeline,
        {"neuralnetclassifier__lr": RATES},
        cv=CV,
        random_state=0,
        early_stopping=BelowHalf(),
    ).fit(X, y)
    assert 0 < search.cv_results_["stopped"].sum() < len(RATES)


def test_no_fit_sees_its_test_part_in_training():
    """Only scores are taken there: training rows alone reach `fit`."""
    seen = []

    class Watching(type(net())):
        def fit(self, X, y=None, **kwargs):
            seen.append(len(X))
            return super().fit(X, y, **kwargs)

    estimator = Watching(**net(max_epochs=8, verbose=0).get_params(deep=False))
    fitted(grid, estimator, early_stopping=BelowHalf(), refit=False)
    assert set(seen) == {len(X) - len(X) // N_SPLITS}


@pytest.mark.parametrize("search", [randomized, bayes])
@pytest.mark.parametrize("n_fits", [1, 9])
def test_a_search_that_is_cut_short_goes_on(search, n_fits, tmp_path):
    journal = tmp_path / "search.jsonl"
    whole = fitted(search, journal=journal, early_stopping="growth")
    cut(journal, n_fits)
    again = fitted(search, journal=journal, early_stopping="growth")
    assert_same(again, whole)
    assert again.curves_ == whole.curves_
    with pytest.raises(ValueError, match="early_stopping"):
        fitted(search, journal=journal, early_stopping="median")


def test_curves_are_in_the_journal_and_in_inspection(tmp_path):
    journal = tmp_path / "search.jsonl"
    search = fitted(grid, journal=journal, early_stopping=BelowHalf())
    table = learning_curves(search)

    def place(row):
        return row["candidate"], row["split"], row["epoch"]

    assert sorted(table, key=place) == sorted(learning_curves(journal), key=place)
    assert {row["epoch"] for row in table} == {1, 2, 3, 4, 6, 7, 8}
    frame = read_journal(journal)
    assert frame["stopped"].eq(True).sum() == search.cv_results_["stopped"].sum()
    ends = {(row["candidate"], row["split"]): row["score"] for row in table}
    for row in frame.itertuples():
        assert ends[row.candidate, row.split] == row.test_score
    lines = journal.read_text().splitlines()
    assert "curve_epochs" in json.loads(lines[-1]) or "refit" in lines[-1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the t")
@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.filterwarnings("ignore:Scoring failed")
def test_a_net_that_diverges_harms_no_rule():
    rates = [1e30, 0.1, 1e30, 0.05, 1e-4, 0.2, 1e-5, 1e30, 1e-3, 1e-4]
    search = grid(
        net(max_epochs=8, verbose=0),
        {"lr": rates},
        cv=CV,
        random_state=0,
        scoring="neg_log_loss",
        early_stopping="growth",
    ).fit(X, y)
    assert 0.05 <= search.best_params_["lr"] <= 0.2


def test_a_fit_that_trains_in_several_goes_begins_none_once_it_is_stopped():
    class Twice(NeuralNetClassifier):
        def fit(self, X, y, **fit_params):
            return self.initialize().partial_fit(X, y).partial_fit(X, y)

    own = net(max_epochs=4, verbose=0, **WITH)
    own = Twice(**own.get_params(deep=False))
    search = fitted(randomized, own, early_stopping=BelowHalf())
    assert search.cv_results_["stopped"].any()
    for was_stopped, epochs in zip(
        search.cv_results_["stopped"], epochs_of(search), strict=True
    ):
        assert epochs == ([2] if was_stopped else [8] * N_SPLITS)


@every_flat_search
def test_it_is_said_where_everybody_was_stopped(search):
    with pytest.warns(UserWarning, match="stopped early on 1 of 3 splits"):
        fitted(search, early_stopping=BelowHalf(1, score=2.0))


def test_what_is_said_of_it(capsys):
    fitted(grid, verbose=1)
    assert "the test part of each split" in capsys.readouterr().out.splitlines()[0]
    fitted(grid, net(max_epochs=2, verbose=0, **WITH), verbose=1)
    assert "own validation part" in capsys.readouterr().out.splitlines()[0]


def test_a_rule_that_raises_ends_the_search():
    """And does not pass for a candidate that fails."""

    def rule(curve):
        raise ZeroDivisionError("oh")

    with pytest.raises(ValueError, match=r"early_stopping: the rule .* raised ZeroDiv"):
        fitted(grid, early_stopping=rule)
    with pytest.raises(ValueError, match="It takes one argument"):
        fitted(grid, early_stopping=lambda: True)


# -- mistakes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("grwth", "Did you mean 'growth'"),
        (3, "early_stopping=3 is no rule"),
        (True, "early_stopping=True is no rule"),
        (Growth, "is no rule"),
    ],
)
@every_flat_search
def test_what_is_no_rule(search, given, message):
    with pytest.raises(ValueError, match=message):
        fitted(search, early_stopping=given)


@every_flat_search
def test_what_has_no_learning_curve(search):
    with pytest.raises(ValueError, match=r"SVC has none.*racing=True"):
        search(SVC(), {"C": [1, 2, 3, 4]}, early_stopping="growth").fit(X, y)


def test_searches_with_rungs_have_no_such_argument():
    with pytest.raises(TypeError, match="early_stopping"):
        halving(net(), SPACE, early_stopping="growth")
