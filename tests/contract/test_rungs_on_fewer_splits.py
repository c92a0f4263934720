"""Rungs of which the lowest run on few splits, and what is the same as on all."""

import joblib
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktune import HyperbandSearchCV, RandomizedSearchCV
from sktune._errors import JournalError
from sktune.inspection import read_journal
from sktune.search.inputs._warm_start_from import read_source
from tests.helpers.estimators import net
from tests.helpers.journals import assert_same, cut
from tests.helpers.with_rungs import DEPTH, NET_SPACE, Crossing, X, halving, y

pytestmark = pytest.mark.one_end

SPACE = {f"neuralnetclassifier__{name}": values for name, values in NET_SPACE.items()}
MANY = {"a": [float(k) for k in range(27)]}


def of_nets(**kwargs):
    pipeline = make_pipeline(StandardScaler(), net(max_epochs=4))
    return halving(pipeline, SPACE, n_candidates=8, factor=2, **kwargs).fit(X, y)


def scores_of(search, key="test_score"):
    """By candidate, resource and split; NaN where it was not run."""
    results, n_splits = search.cv_results_, search.n_splits_
    columns = [results[f"split{k}_{key}"] for k in range(n_splits)]
    rows = zip(results["candidate"], results["n_resources"], *columns, strict=True)
    return {
        (candidate, n_resources, k): score
        for candidate, n_resources, *scores in rows
        for k, score in enumerate(scores)
    }


@pytest.fixture(scope="module")
def on_all():
    return of_nets()


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_what_is_run_scores_as_in_a_search_on_all(on_all, stacked, asynchronous):
    """Splits that go on and splits that begin later come to the same nets."""
    few = of_nets(min_splits=1, stacked=stacked, asynchronous=asynchronous)
    expected, found = scores_of(on_all), scores_of(few)
    run = {place: score for place, score in found.items() if np.isfinite(score)}
    both = run.keys() & expected.keys()
    assert {n_resources for _, n_resources, _ in both} >= {1, 2}
    for place in both:
        assert run[place] == pytest.approx(expected[place], abs=1e-6), place


def test_who_goes_on_is_who_is_best_on_the_splits_that_were_run(on_all):
    few, everywhere = of_nets(min_splits=1), scores_of(on_all)
    first = [k for k in range(3) if np.isfinite(scores_of(few)[0, 1, k])]
    assert len(first) == 1
    ranked = sorted(range(8), key=lambda c: (-everywhere[c, 1, first[0]], c))
    second = {c for c, n_resources, _ in scores_of(few) if n_resources == 2}
    assert second == set(ranked[:4])


def test_rows_say_on_how_many_splits_they_are():
    results = of_nets(min_splits=1).cv_results_
    n_run = results["n_splits_run"]
    assert dict(zip(results["n_resources"], n_run, strict=True)) == {1: 1, 2: 2, 4: 3}
    table = np.column_stack([results[f"split{k}_test_score"] for k in range(3)])
    assert (np.isfinite(table).sum(axis=1) == n_run).all()
    np.testing.assert_allclose(results["mean_test_score"], np.nanmean(table, axis=1))
    np.testing.assert_allclose(results["std_test_score"], np.nanstd(table, axis=1))
    assert results["n_resources"][results["rank_test_score"].argmin()] == 4


def test_the_order_of_the_splits_is_random():
    """And the same for all candidates of a search."""
    first = set()
    for seed in range(8):
        search = halving(
            Crossing(), MANY, n_candidates=9, min_splits=1, random_state=seed, **DEPTH
        ).fit(X, y)
        found = scores_of(search)
        run = {k for c, r, k in found if r == 1 and np.isfinite(found[c, r, k])}
        assert len(run) == 1
        first |= run
    assert len(first) == 3


def test_as_many_as_there_are_is_all_of_them():
    arguments = {"n_candidates": 9, "random_state": 3, **DEPTH}
    whole = halving(Crossing(), MANY, **arguments).fit(X, y)
    same = halving(Crossing(), MANY, min_splits=3, **arguments).fit(X, y)
    np.testing.assert_array_equal(
        whole.cv_results_["mean_test_score"], same.cv_results_["mean_test_score"]
    )
    assert set(same.cv_results_["n_splits_run"]) == {3}


def test_who_fails_on_a_split_that_comes_later_is_never_best():
    """All but the worst two fail at a depth of 3, where there is a second split."""
    search = halving(
        Crossing(fails_from=9),
        {"a": [0.0, 1.0, 2.0], "fails_from": [3, 100]},
        n_candidates=6,
        min_splits=1,
        **DEPTH,
    )
    with pytest.warns(UserWarning):
        search.fit(X, y)
    assert search.best_params_["fails_from"] == 100


def test_another_search_learns_from_one_rung_of_it(tmp_path):
    few = halving(
        Crossing(),
        MANY,
        n_candidates=9,
        min_splits=1,
        journal=tmp_path / "search.jsonl",
        **DEPTH,
    ).fit(X, y)
    table = read_source(few.cv_results_, ("score",))
    journal = read_source(tmp_path / "search.jsonl", ("score",))
    assert table.scores == journal.scores
    assert None not in table.scores
    assert len(table.scores) == 9


def test_a_surrogate_learns_from_all_rungs():
    search = HyperbandSearchCV(
        net(max_epochs=9),
        NET_SPACE,
        min_splits=1,
        strategy="bayes",
        cv=3,
        random_state=0,
        return_train_score=False,
    ).fit(X, y)
    results = search.cv_results_
    whole = results["n_resources"] == 9
    assert set(results["n_splits_run"][whole]) == {3}
    assert set(results["n_splits_run"][~whole]) == {1, 3}
    assert search.best_score_ == results["mean_test_score"][whole].max()


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("n_fits", [1, 9, 14])
def test_a_search_that_is_cut_short_goes_on(n_fits, stacked, tmp_path):
    journal = tmp_path / "search.jsonl"
    expected = of_nets(min_splits=1, stacked=stacked, journal=journal)
    cut(journal, n_fits)
    with joblib.parallel_config("threading"):
        again = of_nets(min_splits=1, stacked=stacked, journal=journal, n_jobs=2)
    assert_same(again, expected)
    places = read_journal(journal)[["candidate", "split", "iter"]].drop_duplicates()
    assert len(places) == 8 + 4 * 2 + 2 * 3
    with pytest.raises(JournalError, match="differs in: min_splits"):
        of_nets(min_splits=2, stacked=stacked, journal=journal)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_progress_and_limits_count_what_is_planned(asynchronous, capsys):
    search = halving(
        net(max_epochs=4),
        NET_SPACE,
        n_candidates=8,
        factor=2,
        min_splits=1,
        asynchronous=asynchronous,
        verbose=1,
    )
    plan = search.plan()
    assert (plan.n_fits, plan.total_resources) == (22, 8 + 4 * 3 + 2 * 8)
    search.set_params(max_resources_total=plan.total_resources).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    (last,) = (line for line in lines if line.startswith("[14/14]"))
    assert " 0 s left" in last
    search.set_params(max_resources_total=plan.total_resources - 1)
    with pytest.warns(UserWarning, match="35 was spent after 13 of 14 evaluations"):
        search.fit(X, y)


def test_flat_searches_have_no_such_argument():
    with pytest.raises(TypeError, match="min_splits"):
        RandomizedSearchCV(net(), NET_SPACE, min_splits=1)
