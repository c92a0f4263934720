"""What `warm_start_from` may hold, and what is read of it."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.model_selection as sk
from scipy.stats import loguniform, randint, uniform
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression

from sktune import GridSearchCV, HyperbandSearchCV, RandomizedSearchCV
from sktune._errors import WarmStartError
from sktune.run import refit_metric_names
from sktune.search.inputs._warm_start_from import (
    params_in_space,
    read_source,
    read_warm_start,
)
from sktune.space import Space
from sktune.strategy._transfer import encode_warm_start
from tests.helpers.estimators import Score, blobs, net
from tests.helpers.racing import CV, Noisy

X, y = blobs(30)
SPACE = {"a": uniform(0, 1), "b": uniform(0, 1)}


def results(params, scores, **columns):
    """`cv_results_` as a search writes them."""
    names = dict.fromkeys(name for one in params for name in one)
    table = {}
    for name in names:
        column = np.ma.MaskedArray(np.empty(len(params)), mask=True, dtype=object)
        for i, one in enumerate(params):
            if name in one:
                column[i] = one[name]
        table[f"param_{name}"] = column
    return {**table, "params": params, "mean_test_score": np.array(scores), **columns}


def read(given, space, estimator=None, metrics=("score",), **kwargs):
    space = space if isinstance(space, Space) else Space(space)
    return read_warm_start(given, space, estimator, metrics, **kwargs)


def written_and_read(table):
    return pd.read_csv(io.StringIO(pd.DataFrame(table).to_csv()))


def in_all_forms(table):
    frame = pd.DataFrame(table)
    no_params = frame.drop(columns="params")
    return [table, frame, no_params, written_and_read(table)]


# -- forms ---------------------------------------------------------------------------


class Block:
    """A class, as nets are given some."""


MIXED = {
    "lr": loguniform(1e-4, 1.0),
    "n": randint(1, 1000),
    "size": [8, 16, 32],
    "drop": [None, 0.5, 0.9],
    "flag": [True, False],
    "act": ["relu", "tanh"],
    "shape": [(8,), (16, 8)],
    "block": [Block, dict],
    "cap": [np.nan, 3],
}


def mixed_candidates(n=12):
    space = Space(MIXED)
    rows = np.random.default_rng(0).random((n, space.n_dims))
    return [space.decode(row) for row in rows]


def test_all_forms_say_the_same_of_all_kinds_of_values():
    params = mixed_candidates()
    table = results(params, np.linspace(0.1, 0.7, 12) / 3)
    found = [read(form, MIXED) for form in in_all_forms(table)]
    space = Space(MIXED)
    expected = [space.encode(one) for one in params]
    for one in found:
        np.testing.assert_allclose([space.encode(e.params) for e in one], expected)
        assert [e.score for e in one] == [e.score for e in found[0]]
        for a, b in zip(one, found[0], strict=True):
            np.testing.assert_array_equal(
                space.encode(a.params), space.encode(b.params), "the same to a bit"
            )


@pytest.mark.parametrize("value", [0.1234567890123, 1.0, 2.0 / 3.0])
def test_the_last_digit_of_a_number_does_not_count(value):
    table = results([{"a": value}], [1.0 / 3.0])
    other = results([{"a": np.nextafter(value, 0.4)}], [np.nextafter(1.0 / 3.0, 1.0)])
    assert read(table, {"a": uniform(0, 1)}) == read(other, {"a": uniform(0, 1)})


def test_all_forms_of_conditional_spaces():
    spaces = [
        {"opt": ["sgd"], "lr": uniform(0, 1), "momentum": uniform(0, 1)},
        {"opt": ["adam"], "lr": uniform(0, 1), "decay": [None, 0.1]},
    ]
    space = Space(spaces)
    rows = np.random.default_rng(0).random((9, space.n_dims))
    params = [space.decode(row) for row in rows]
    assert {one["opt"] for one in params} == {"sgd", "adam"}
    for form in in_all_forms(results(params, np.arange(9.0))):
        found = read(form, space)
        np.testing.assert_allclose(
            [space.encode(e.params) for e in found], [space.encode(p) for p in params]
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: RandomizedSearchCV(Score(), SPACE, n_iter=6, random_state=0, **k),
        lambda **k: GridSearchCV(Score(), {"a": [0.1, 0.9], "b": [0.2, 0.3]}, **k),
        lambda **k: sk.RandomizedSearchCV(
            Score(), SPACE, n_iter=6, random_state=0, **k
        ),
        lambda **k: sk.GridSearchCV(Score(), {"a": [0.1, 0.9], "b": [0.2, 0.3]}, **k),
    ],
)
def test_searches_of_sktune_and_of_scikit_learn(make):
    search = make(cv=2).fit(X, y)
    found = read(search, SPACE)
    assert [e.params for e in found] == [
        pytest.approx(one) for one in search.cv_results_["params"]
    ]
    means = search.cv_results_["mean_test_score"]
    assert [e.score for e in found] == pytest.approx(list(means))
    assert read(search.cv_results_, SPACE) == found
    assert {e.source for e in read([search, search], SPACE)} == {1, 2}


# -- scores --------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_rows_that_failed_have_no_score(odd):
    params = [{"a": 0.1}, {"a": 0.2}, {"a": 0.3}]
    table = results(
        params,
        [0.5, odd, 0.1],
        split0_test_score=np.array([0.5, odd, np.nan]),
        split1_test_score=np.array([0.5, 0.2, 0.1]),
    )
    for form in in_all_forms(table):
        found = read(form, {"a": uniform(0, 1)})
        assert [e.score for e in found] == [0.5, None, None]


@pytest.mark.parametrize(
    ("scoring", "refit", "names"),
    [
        (None, True, ("score",)),
        ("accuracy", True, ("score", "accuracy")),
        (["f1", "accuracy"], "accuracy", ("accuracy",)),
        (["f1", "accuracy"], False, ("f1",)),
        (("f1", "accuracy"), len, ("f1",)),
        ({"mine": len, "yours": len}, False, ("mine",)),
        (len, True, ("score",)),
        (len, "auc", ("auc",)),
    ],
)
def test_the_metric_is_the_refit_metric(scoring, refit, names):
    assert refit_metric_names(scoring, refit) == names


def test_a_metric_of_several():
    params = [{"a": 0.1}, {"a": 0.2}]
    table = results(params, [1.0, 2.0])
    table["mean_test_f1"] = table.pop("mean_test_score")
    table["split0_test_f1_macro"] = np.array([np.nan, np.nan])
    table["mean_test_f1_macro"] = np.array([np.nan, 5.0])
    assert [e.score for e in read(table, SPACE | {"b": [0]}, Score(), ("f1",))] == [
        1,
        2,
    ]
    with pytest.raises(
        WarmStartError, match=r"no column 'mean_test_auc'.*'mean_test_f1'"
    ):
        read(table, SPACE, None, ("auc",))


# -- rungs ---------------------------------------------------------------------------


def test_of_rungs_the_highest_that_tells_enough():
    params = [{"a": i / 20} for i in range(9)]
    rungs = [*params, *params[:6], *params[:2]]
    scores = [*range(9), *range(10, 16), 20, 21]
    n_resources = [1] * 9 + [3] * 6 + [9] * 2
    scores[8] = np.nan
    table = results(rungs, scores, n_resources=np.array(n_resources))
    found = read(table, {"a": uniform(0, 1)})
    assert [e.score for e in found] == [None, 10, 11, 12, 13, 14, 15]
    assert found[0].params == {"a": 0.4}, "known to have failed, in whatever rung"
    few = results(rungs[:4], scores[:4], n_resources=np.array([1, 1, 1, 3]))
    assert [e.score for e in read(few, {"a": uniform(0, 1)})] == [0, 1, 2]
    failed = results(rungs[:2], [np.nan] * 2, n_resources=np.array([1, 3]))
    assert [e.score for e in read(failed, {"a": uniform(0, 1)})] == [None, None]


@pytest.mark.parametrize("cls", [HyperbandSearchCV, sk.HalvingRandomSearchCV])
def test_searches_with_rungs(cls):
    search = cls(
        Score(),
        SPACE,
        factor=3,
        max_resources=54,
        min_resources=6,
        cv=2,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(*blobs(60))
    found = read(search, SPACE)
    reached, counts = np.unique(search.cv_results_["n_resources"], return_counts=True)
    enough = np.flatnonzero(counts >= 5)
    at = reached[enough[-1]]
    rows = search.cv_results_["n_resources"] == at
    means = search.cv_results_["mean_test_score"][rows]
    assert [e.score for e in found] == pytest.approx(list(means))


# -- other spaces --------------------------------------------------------------------


def test_values_out_of_the_space_are_left_out_and_said():
    params = [{"a": 0.5, "k": k} for k in ("x", "y", "z", "x")]
    table = results(params, [1.0, 2.0, 3.0, 4.0])
    found = read(table, {"a": uniform(0, 1), "k": ["x", "y"]})
    assert [e.score for e in found] == [1.0, 2.0, 4.0]
    with pytest.warns(UserWarning, match="1 of the 4 .*; 3 are not .*'k'.*from 1 only"):
        assert len(read(table, {"a": uniform(0, 1), "k": ["z"]})) == 1
    with pytest.warns(UserWarning, match="0 of the 4 .*'k'.*learns nothing from it"):
        assert read(table, {"a": uniform(0, 1), "k": ["none of them"]}) == ()


def test_how_much_was_read_is_printed_if_asked_for(capsys):
    table = results([{"a": 0.5}, {"a": 9.0}], [1.0, 2.0])
    read(table, {"a": uniform(0, 1)})
    assert capsys.readouterr().out == ""
    read(table, {"a": uniform(0, 1)}, verbose=1)
    assert (
        "1 of the 2 candidates of warm_start_from are in the" in capsys.readouterr().out
    )


def test_numbers_a_little_beyond_the_range_are_kept():
    table = results([{"a": v} for v in (0.5, 1.9, 2.1, -0.5)], [1.0, 2.0, 3.0, 4.0])
    found = read(table, {"a": uniform(0, 1)})
    assert [e.params["a"] for e in found] == [0.5, 1.9, -0.5]


def test_a_parameter_that_was_not_searched_has_the_value_of_the_estimator():
    table = results([{"a": 0.1}, {"a": 0.2}], [1.0, 2.0])
    found = read(table, SPACE, Score(b=0.25))
    assert [e.params for e in found] == [{"a": 0.1, "b": 0.25}, {"a": 0.2, "b": 0.25}]
    for estimator in (Score(b=7.0), None):
        with pytest.warns(UserWarning, match="2 are not because of parameter 'b'"):
            assert read(table, SPACE, estimator) == ()


def test_parameters_that_are_not_searched_any_more():
    same = results([{"a": 0.1, "c": 3}, {"a": 0.2, "c": 3}], [1.0, 2.0])
    assert [e.params for e in read(same, {"a": uniform(0, 1)})] == [
        {"a": 0.1},
        {"a": 0.2},
    ]
    varied = results([{"a": 0.1, "c": [3]}, {"a": 0.2, "c": [4]}], [1.0, 2.0])
    with pytest.warns(UserWarning, match="also varied 'c', which this search does not"):
        assert len(read(varied, {"a": uniform(0, 1)})) == 2


def test_a_row_goes_to_the_dict_that_it_fits_best():
    space = Space([{"a": uniform(0, 1)}, {"b": uniform(0, 1)}, SPACE])
    fixed = Score(a=0.5, b=0.5).get_params()
    assert params_in_space({"b": 0.1}, space, fixed) == ({"b": 0.1}, "")
    assert params_in_space({"a": 0.1, "b": 0.2}, space, fixed) == (
        {"a": 0.1, "b": 0.2},
        "",
    )
    assert params_in_space({"a": "x"}, space, {})[0] is None


# -- what it is not ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (sk.GridSearchCV(Score(), {}), "GridSearchCV.* is not fitted.*Fit it first"),
        (Score(), r"Score\(\) is not fitted, or is no search"),
        (sk.GridSearchCV, "GridSearchCV.* is a class"),
        ("old.csv", "warm_start_from='old.csv' is no earlier search. Give a fitted"),
        (3, "warm_start_from=3 is no earlier search"),
        ([None], "warm_start_from=None is no earlier search"),
        (np.zeros((2, 2)), "is no earlier search"),
        ({}, "no column 'mean_test_score'.*it has no mean_test_ column"),
        ({"a": 0.1}, "holds 0.1 as 'a', which is no list of values"),
        ({"mean_test_score": "abc"}, "holds 'abc' as 'mean_test_score'"),
        ({"mean_test_score": [1.0]}, "neither dicts in a column 'params' nor"),
        ({"mean_test_score": [1.0], "params": ["{'a': 1}"]}, "neither dicts"),
        ({"mean_test_score": ["x"], "params": [{}]}, "'x' in column 'mean_test_score'"),
        (
            {"mean_test_score": [1, 2], "params": [{}]},
            "1 rows in column 'params' and 2",
        ),
        (pd.DataFrame({"C": [1.0]}), "no column 'mean_test_score'"),
        (
            {"mean_test_score": [1.0], "params": [{}], "n_resources": ["many"]},
            "'many' in column 'n_resources'",
        ),
    ],
)
def test_what_cannot_be_learnt_from(given, message):
    with pytest.raises(WarmStartError, match=message):
        read(given, SPACE)


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        (),
        {"mean_test_score": [], "params": []},
        pd.DataFrame({"mean_test_score": [], "param_a": []}),
    ],
)
def test_nothing_is_learnt_from_nothing(given):
    assert read(given, SPACE) == ()


def test_scores_that_were_masked():
    table = {
        "params": [{"a": 0.1}, {"a": 0.2}],
        "mean_test_score": np.ma.MaskedArray([1.0, 2.0], mask=[False, True]),
    }
    assert read_source(table, ("score",)).scores == [1.0, None]


def test_an_estimator_of_scikit_learn_by_its_own_values():
    table = results([{"C": 1.0}, {"C": 2.0}], [0.5, 0.6])
    space = {"C": uniform(0, 5), "fit_intercept": [True, False]}
    found = read(table, space, LogisticRegression())
    assert [e.params["fit_intercept"] for e in found] == [True, True]


def test_a_wide_range_of_integers_is_not_looked_through():
    params = [{"a": value} for value in (1, 2, 0.5, np.inf, 10**9, 3.0000000001)]
    given = results(params, [0.1] * 6)
    found = read(given, {"a": randint(1, 10**9)})
    assert [one.params["a"] for one in found] == [1, 2, 3]


def test_estimators_are_known_by_what_they_say():
    """A pickled search has others than the space, which are the same nonetheless."""
    space = {"model": [LogisticRegression(C=2), LogisticRegression(C=3)]}
    params = [{"model": LogisticRegression(C=3)}, {"model": LogisticRegression(C=2)}]
    found = read(results(params, [0.1, 0.2]), space)
    assert [one.params["model"].C for one in found] == [3, 2]
    assert all(one.params["model"] in space["model"] for one in found)


def test_failures_with_a_numeric_error_score():
    """The search itself ranks them last; they are no scores here either."""
    values = [0.1, 0.2, 0.3, 0.4]
    space = {"a": values, "b": uniform(0, 1), "bad": [(), tuple(values)]}
    search = RandomizedSearchCV(
        Score(), space, n_iter=8, cv=2, random_state=0, error_score=7.0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    failed = [bool(p["bad"]) for p in search.cv_results_["params"]]
    assert 0 < sum(failed) < 8
    for form in in_all_forms(search.cv_results_)[:3]:
        found = read(form, space)
        assert [one.score is None for one in found] == failed


def test_a_hundred_searches_and_more():
    one = results([{"a": 0.1}, {"a": 0.2}], [0.1, 0.2])
    space = Space({"a": uniform(0, 1)})
    observed = encode_warm_start(space, read([one] * 120, space))
    assert {k.source for k in observed} == set(range(1, 121))


def test_a_column_that_is_there_twice():
    frame = pd.DataFrame({"param_a": [0.1, 0.2], "mean_test_score": [0.1, 0.2]})
    frame = pd.concat([frame, frame[["mean_test_score"]]], axis=1)
    with pytest.raises(WarmStartError, match="more than one column 'mean_test_score'"):
        read(frame, {"a": uniform(0, 1)})


def test_candidates_that_were_spared_some_splits_have_not_failed(tmp_path):
    """What their means over all splits are expected to be, from any form."""
    path = tmp_path / "search.jsonl"
    raced, whole = (
        RandomizedSearchCV(
            Noisy(), {"a": uniform(0, 1)}, n_iter=20, cv=CV, random_state=0, **given
        ).fit(*blobs())
        for given in ({"racing": True, "journal": path}, {})
    )
    n_run = raced.cv_results_["n_splits_run"]
    assert n_run.min() == 2
    expected = np.array([one.score for one in read(whole, {"a": uniform(0, 1)})])
    for form in [raced, path, *in_all_forms(raced.cv_results_)]:
        seen = read(form, {"a": uniform(0, 1)})
        scores = np.array([one.score for one in seen])
        assert len(scores) == 20
        complete = n_run == n_run.max()
        np.testing.assert_allclose(scores[complete], expected[complete])
        # Splits differ by 0.5, and candidates by little more than 0.05 on each.
        assert np.abs(scores - expected).max() < 0.1
    means = raced.cv_results_["mean_test_score"]
    assert np.abs(means - expected).max() > 0.1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
def test_failures_in_a_race_with_a_numeric_error_score():
    """They rank last, though they seem to be ahead of the best on the same splits."""
    values = np.linspace(0, 1, 20).round(3).tolist()
    raced = GridSearchCV(
        Noisy(bad=values[4:6]), {"a": values}, cv=CV, racing=True, error_score=7.0
    ).fit(*blobs())
    failed = [a in values[4:6] for a in values]
    for form in [raced, *in_all_forms(raced.cv_results_)]:
        found = read(form, {"a": uniform(0, 1)})
        assert [one.score is None for one in found] == failed
    unranked = {k: v for k, v in raced.cv_results_.items() if k != "rank_test_score"}
    assert len(read(unranked, {"a": uniform(0, 1)})) == 20


def test_candidates_that_were_stopped_say_nothing():
    """As those of a journal, which are left out."""
    params = [{"a": 0.1}, {"a": 0.2}, {"a": 0.3}]
    columns = {
        "split0_test_score": np.array([0.1, 0.5, 0.6]),
        "split1_test_score": np.array([np.nan, 0.5, 0.6]),
        "rank_test_score": np.array([3, 2, 1]),
        "n_splits_run": np.array([1, 2, 2]),
        "stopped": np.array([True, False, False]),
    }
    table = results(params, [0.1, 0.5, 0.6], **columns)
    for form in in_all_forms(table):
        found = read(form, {"a": uniform(0, 1)})
        assert [one.score for one in found] == [0.5, 0.6]


def test_a_journal_leaves_out_who_was_stopped_as_the_table_does(tmp_path):
    """Raced, too, so that candidates of some splits are read."""
    path = tmp_path / "search.jsonl"
    search = GridSearchCV(
        net(max_epochs=3, verbose=0),
        {"lr": [0.1, 1e-5, 0.2, 1e-4]},
        cv=3,
        random_state=0,
        racing=True,
        early_stopping=lambda curve: len(curve) == 2 and curve[-1] < 0.4,
        journal=path,
    ).fit(*blobs())
    stopped = search.cv_results_["stopped"]
    assert 0 < stopped.sum() < 4
    found = [read(form, {"lr": loguniform(1e-6, 1)}) for form in (search, path)]
    assert found[0] == found[1] and len(found[0]) == 4 - stopped.sum()
