"""Searches that spare candidates their remaining splits."""

import json
import time
import warnings

import joblib
import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.model_selection import StratifiedKFold

from sktune import (
    AnnealingSearchCV,
    BayesSearchCV,
    EvolutionSearchCV,
    GridSearchCV,
    RandomizedSearchCV,
)
from sktune._random import derive_seed
from sktune.schedule import Racing
from sktune.search._flat_search import N_PENDING, STANDARD_ERRORS
from tests.helpers.estimators import blobs, net
from tests.helpers.journals import assert_same, cut
from tests.helpers.racing import CV, N_SPLITS, Noisy, raced
from tests.helpers.results import assert_same_search
from tests.helpers.searches import bayes, grid, randomized

X, y = blobs()
GRID = {"a": np.random.default_rng(0).uniform(0, 1, 24).round(3).tolist()}
WIDE = {"a": uniform(0, 1)}
FLAT = [grid, randomized, bayes]

CLASSES = [
    GridSearchCV,
    RandomizedSearchCV,
    BayesSearchCV,
    AnnealingSearchCV,
    EvolutionSearchCV,
]
every_flat_search = pytest.mark.parametrize("search", FLAT)


def fitted(search, estimator=None, **kwargs):
    estimator = Noisy() if estimator is None else estimator
    space = GRID if search is grid else WIDE
    few = {} if search is grid else {"n_iter": 24}
    given = {"cv": CV, "racing": True, "random_state": 0, **few, **kwargs}
    return search(estimator, space, **given).fit(X, y)


def order_of(search):
    """The splits as candidates were run on them."""
    return (
        Racing(1, seed=derive_seed(search.random_state, "order")).init(N_SPLITS).order
    )


def table(search):
    columns = [search.cv_results_[f"split{k}_test_score"] for k in range(N_SPLITS)]
    return np.column_stack(columns)


# -- the answer ------------------------------------------------------------------------


@pytest.mark.parametrize("search", [grid, randomized])
@pytest.mark.parametrize("racing", [True, 1.0, 3])
def test_who_is_spared_what(search, racing):
    """As brute force says, of the scores that there are without racing."""
    whole, spared = fitted(search, racing=False), fitted(search, racing=racing)
    z = STANDARD_ERRORS if racing is True else racing
    order = order_of(spared)
    n_run = spared.cv_results_["n_splits_run"]
    # Of a grid, where neighbours are alike, in a random order.
    began = np.arange(len(n_run))
    if search is grid:
        began = np.random.default_rng(derive_seed(0, "order")).permutation(began)
    expected = raced(table(whole)[began], order, z, N_PENDING)
    assert n_run[began].tolist() == expected
    assert 2 <= n_run.min() < n_run.max() == N_SPLITS
    # What was run is what it would have been, on the first splits of one order.
    was_run = ~np.isnan(table(spared))
    np.testing.assert_array_equal(
        was_run[:, list(order)], np.arange(N_SPLITS) < n_run[:, None]
    )
    np.testing.assert_array_equal(table(spared)[was_run], table(whole)[was_run])
    if racing != 1.0 or racing is True:  # which loses one
        assert spared.best_params_ == whole.best_params_
        assert spared.best_score_ == whole.best_score_


@pytest.mark.parametrize("search", [grid, randomized])
def test_scores_stand_in_the_columns_of_their_splits(search):
    """Where splits are run in descending order, too."""
    spared = fitted(search, random_state=1)
    first, second, *_ = order_of(spared)
    assert first > second
    whole, was_run = (
        fitted(search, racing=False, random_state=1),
        ~np.isnan(table(spared)),
    )
    np.testing.assert_array_equal(table(spared)[was_run], table(whole)[was_run])


def test_a_boolean_of_numpy_is_no_number():
    for racing in (True, False):
        assert_same_search(
            fitted(randomized, racing=np.bool_(racing)),
            fitted(randomized, racing=racing),
        )


@every_flat_search
def test_without_it_nothing_is_spared(search):
    results = fitted(search, racing=False).cv_results_
    assert "n_splits_run" not in results and "stopped" not in results


@every_flat_search
def test_the_table(search):
    results = fitted(search, return_train_score=True).cv_results_
    n_run = results["n_splits_run"]
    assert n_run.dtype.kind == "i" and len(set(n_run)) > 1
    for part in ("test", "train"):
        columns = [results[f"split{k}_{part}_score"] for k in range(N_SPLITS)]
        scores = np.column_stack(columns)
        for row, n, mean, std in zip(
            scores,
            n_run,
            results[f"mean_{part}_score"],
            results[f"std_{part}_score"],
            strict=True,
        ):
            run = row[np.isfinite(row)]
            assert len(run) == n
            np.testing.assert_allclose([mean, std], [run.mean(), run.std()])
    ranks, means = results["rank_test_score"], results["mean_test_score"]
    order = sorted(range(len(n_run)), key=lambda i: (-n_run[i], -means[i]))
    assert [ranks[i] for i in order] == sorted(ranks)
    assert ranks.tolist().count(1) == 1
    assert np.isfinite(results["mean_fit_time"]).all()


@every_flat_search
def test_the_best_is_complete_though_others_have_better_means(search):
    """The first splits are easy ones."""
    fit = fitted(search, Noisy(noise=0.5), racing=0.3, random_state=3)
    results = fit.cv_results_
    assert results["mean_test_score"].max() > fit.best_score_
    assert results["n_splits_run"][fit.best_index_] == N_SPLITS
    complete = results["n_splits_run"] == N_SPLITS
    assert fit.best_score_ == results["mean_test_score"][complete].max()


@pytest.mark.parametrize(
    ("search", "backend"),
    [
        *((search, "threading") for search in FLAT),
        pytest.param(bayes, "loky", marks=pytest.mark.slow),
    ],
)
def test_any_number_of_jobs_gives_one_answer(search, backend):
    few = {} if search is not bayes else {"n_pending": 3}
    one = fitted(search, **few)
    with joblib.parallel_config(backend, n_jobs=3):
        assert_same_search(one, fitted(search, **few))


def test_fewer_splits_than_are_looked_at_first():
    for cv in (2, 3):
        whole, spared = (fitted(grid, cv=cv, racing=racing) for racing in (False, True))
        assert spared.best_params_ == whole.best_params_
        assert set(spared.cv_results_["n_splits_run"]) <= {2, cv}


def test_several_metrics_are_raced_by_the_one_that_decides():
    def scoring(estimator, X, y):
        score = estimator.score(X, y)
        return {"up": score, "down": -score}

    up, down = (fitted(grid, scoring=scoring, refit=m) for m in ("up", "down"))
    assert up.best_params_["a"] > down.best_params_["a"]
    for search in (up, down):
        results = search.cv_results_
        n_run = results["n_splits_run"]
        assert n_run[search.best_index_] == N_SPLITS > n_run.min()
        for metric in ("up", "down"):
            columns = [results[f"split{k}_test_{metric}"] for k in range(N_SPLITS)]
            n_scores = np.isfinite(columns).sum(axis=0)
            np.testing.assert_array_equal(n_scores, n_run)


# -- what fails ------------------------------------------------------------------------


@every_flat_search
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the t")
@pytest.mark.parametrize("error_score", [np.nan, 100.0])
def test_who_failed_is_spared_the_rest(search, error_score):
    bad = GRID["a"] if search is grid else None
    bad = fitted(search).cv_results_["param_a"] if bad is None else bad
    fit = fitted(search, Noisy(bad=tuple(bad)[:3]), error_score=error_score)
    results = fit.cv_results_
    failed = np.isin(results["param_a"].astype(float), list(bad)[:3])
    assert failed.sum() >= 2
    assert set(results["n_splits_run"][failed]) == {2}
    assert results["rank_test_score"][failed].min() > (~failed).sum()
    assert fit.best_score_ < 10
    first, *_, last = order_of(fit)
    column = results[f"split{first}_test_score"]
    np.testing.assert_array_equal(column[failed], error_score)
    assert np.isnan(results[f"split{last}_test_score"][failed]).all()


def test_all_fail():
    with pytest.raises(ValueError, match="All the 48 fits failed"):
        fitted(grid, Noisy(bad=tuple(GRID["a"])))


# -- crashes, limits, stacks -----------------------------------------------------------


@every_flat_search
@pytest.mark.parametrize("n_fits", [1, 30])
def test_a_search_that_is_cut_short_goes_on(search, n_fits, tmp_path):
    journal = tmp_path / "search.jsonl"
    whole = fitted(search, journal=journal)
    assert_same_search(whole, fitted(search))
    cut(journal, n_fits)
    again = fitted(search, journal=journal)
    assert_same(again, whole)
    n_fits_run = int(whole.cv_results_["n_splits_run"].sum())
    kinds = [json.loads(line)["record"] for line in journal.read_text().splitlines()]
    assert kinds.count("fit") == n_fits_run


@every_flat_search
def test_a_journal_of_a_search_that_could_not_race(search, tmp_path):
    journal = tmp_path / "search.jsonl"
    whole = fitted(search, journal=journal, racing=False)
    first, *rest = journal.read_text().splitlines(keepends=True)
    header = json.loads(first)
    for name in ("racing", "early_stopping"):
        del header["arguments"][name]
    journal.write_text("".join([json.dumps(header) + "\n", *rest]))
    cut(journal, 9)
    assert_same(fitted(search, journal=journal, racing=False), whole)
    with pytest.raises(ValueError, match="racing"):
        fitted(search, journal=journal)


def test_time_that_ends_before_anybody_is_complete():
    class Slow(Noisy):
        def fit(self, X, y):
            time.sleep(0.02)
            return super().fit(X, y)

    with pytest.warns(UserWarning) as warned:
        search = fitted(grid, Slow(), max_time=0.05)
    n_run = search.cv_results_["n_splits_run"][search.best_index_]
    assert n_run == 2 < N_SPLITS
    assert any("2 of 8 splits" in str(w.message) for w in warned)


def test_ctrl_c_leaves_what_there_is():
    class Presses(Noisy):
        n = 0

        def score(self, X, y):
            Presses.n += 1
            if Presses.n == 40:
                raise KeyboardInterrupt
            return super().score(X, y)

    search = GridSearchCV(Presses(), GRID, cv=CV, racing=True)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    results = search.cv_results_
    # Those of the decision that was under way are not among them.
    assert 39 - N_SPLITS < results["n_splits_run"].sum() < 40
    assert results["n_splits_run"][search.best_index_] == results["n_splits_run"].max()


@pytest.mark.parametrize("stacked", [True, False])
def test_nets_are_raced_alike_in_stacks(stacked):
    """In rounds, so that there are fits to stack."""
    space = {"lr": [0.2, 1e-4, 0.1, 1e-5, 0.15, 2e-4, 0.05, 1e-6]}
    cv = StratifiedKFold(N_SPLITS, shuffle=True, random_state=0)
    kwargs = {"cv": cv, "random_state": 0, "scoring": "neg_log_loss"}
    whole = GridSearchCV(net(), space, **kwargs).fit(X, y)
    search = GridSearchCV(net(), space, racing=True, stacked=stacked, **kwargs)
    spared = search.fit(X, y)
    assert spared.cv_results_["n_splits_run"].min() < N_SPLITS
    run = ~np.isnan(table(spared))
    np.testing.assert_allclose(table(spared)[run], table(whole)[run], rtol=1e-4)
    assert spared.best_params_ == whole.best_params_
    sizes = {row["stacked"] for row in spared.paths_}
    assert (max(sizes) >= 16) if stacked else sizes == {1}


def test_progress_counts_candidates(capsys):
    fitted(grid, verbose=1)
    out = capsys.readouterr().out
    assert "racing spares" in out.splitlines()[0]
    assert "of 8 splits" in out or "[24/24]" in out


# -- mistakes --------------------------------------------------------------------------


@pytest.mark.parametrize("racing", [0.0, -1, "yes", None, float("nan")])
@every_flat_search
def test_what_racing_cannot_be(search, racing):
    with pytest.raises(ValueError, match="'racing' parameter of"):
        fitted(search, racing=racing)


@pytest.mark.parametrize("cls", CLASSES)
def test_no_warning_comes_of_what_was_not_run(cls):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        space = GRID if cls is GridSearchCV else WIDE
        cls(Noisy(), space, cv=CV, racing=True).fit(X, y)
