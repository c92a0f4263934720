"""What can be said of a search with rungs before anything is trained."""

import re

import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.model_selection import LeaveOneOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sktune import HyperbandSearchCV, SuccessiveHalvingSearchCV
from tests.helpers.estimators import blobs, net

X, y = blobs()
SPACE = {"lr": uniform(0, 1)}
TREE = {"ccp_alpha": uniform(0, 1)}
both = pytest.mark.parametrize("search", [SuccessiveHalvingSearchCV, HyperbandSearchCV])


def test_the_published_brackets_of_a_net():
    plan = HyperbandSearchCV(net(max_epochs=81), SPACE).plan()
    first = [rung for rung in plan.rungs if rung.iter == 0]
    assert [rung.n_candidates for rung in first] == [81, 34, 15, 8, 5]
    assert [rung.n_resources for rung in first] == [1, 3, 9, 27, 81]
    assert (plan.n_candidates, plan.n_splits) == (143, 5)
    assert plan.resource == "max_epochs"
    assert plan.continues


def test_two_rounds_are_the_same_twice():
    once = HyperbandSearchCV(net(max_epochs=9), SPACE).plan()
    twice = HyperbandSearchCV(net(max_epochs=9), SPACE, n_rounds=2).plan()
    assert twice.total_resources == 2 * once.total_resources
    assert len({rung.bracket for rung in twice.rungs}) == 6


def test_it_prints_as_a_table():
    pipeline = make_pipeline(StandardScaler(), net(max_epochs=3))
    search = SuccessiveHalvingSearchCV(pipeline, {"neuralnetclassifier__lr": [1, 2, 3]})
    assert str(search.plan()).splitlines() == [
        "bracket  iter  candidates  neuralnetclassifier__max_epochs",
        "      0     0           3                                1",
        "      0     1           1                                3",
        "3 candidates x 5 splits, continued from rung to rung: 20 fits, 25 "
        "neuralnetclassifier__max_epochs",
    ]


def test_it_is_shown_as_it_is_printed():
    plan = HyperbandSearchCV(net(max_epochs=9), SPACE).plan()
    assert repr(plan) == str(plan)
    page = plan._repr_html_()
    assert page.count("<tr>") == 1 + len(plan.rungs)
    assert plan.summary in page


def test_very_many_rungs_are_no_wall():
    plan = HyperbandSearchCV(net(max_epochs=81), SPACE, n_rounds=50).plan()
    lines = repr(plan).splitlines()
    assert len(plan.rungs) == 750
    assert len(lines) < 30
    assert "    ... 726 more rungs ..." in lines
    assert lines[-2].split() == ["249", "0", "5", "81"]
    assert plan._repr_html_().count("<tr>") == len(lines) - 1


@both
def test_planning_leaves_the_search_as_it_was(search):
    planned = search(net(max_epochs=9), SPACE)
    before = dict(vars(planned))
    planned.plan(X, y)
    assert vars(planned) == before


@both
def test_where_the_data_are_needed(search):
    with pytest.raises(ValueError, match=r"Call plan\(X, y\)"):
        search(DecisionTreeClassifier(), TREE).plan()
    with pytest.raises(ValueError, match=r"depends on the classes.*plan\(X, y\)"):
        search(DecisionTreeClassifier(), TREE).plan(X)
    with pytest.raises(ValueError, match=r"cv=LeaveOneOut.*plan\(X, y\)"):
        search(net(), SPACE, cv=LeaveOneOut()).plan()
    plan = search(DecisionTreeClassifier(), TREE).plan(X, y)
    assert plan.rungs[0].n_resources == 30  # 2 rows for each of 5 splits and 3 classes
    assert plan.rungs[0].n_candidates == 3
    assert not plan.continues


@both
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resource": "max_epoch"}, r"max_epoch.*[Dd]id you mean.*max_epochs"),
        ({"resource": "lr", "max_resources": 9}, "lr.*searched"),
        ({"max_resources": 3, "min_resources": 4}, r"min_resources_=4 is greater"),
        ({"max_resources": 0}, "max_resources"),
        ({"factor": 1}, "factor"),
        ({"strategy": "bayse"}, "strategy"),
        ({"n_pending": 0}, "n_pending"),
    ],
)
def test_bad_arguments(search, options, message):
    for attempt in (lambda s: s.plan(), lambda s: s.fit(X, y)):
        with pytest.raises(ValueError, match=message):
            attempt(search(net(max_epochs=9), SPACE, **options))


def test_both_cannot_exhaust():
    search = SuccessiveHalvingSearchCV(
        net(), SPACE, n_candidates="exhaust", min_resources="exhaust"
    )
    with pytest.raises(ValueError, match="cannot be both set to 'exhaust'"):
        search.fit(X, y)


@both
def test_a_search_says_what_it_is_going_to_do(search, capsys):
    search(net(max_epochs=3), SPACE, cv=2, verbose=1, random_state=0).fit(X, y)
    out = capsys.readouterr().out
    n = sum(rung.n_candidates for rung in search(net(max_epochs=3), SPACE).plan().rungs)
    assert re.match(r"\d candidates x 2 splits.*`print\(search.plan\(X, y\)\)`", out)
    assert "iter  candidates" not in out  # who wants the table, prints it
    assert f"[1/{n}]" in out
    assert " at max_epochs=1 (bracket 0, iter 0), best " in out
    assert " at max_epochs=3 (bracket 0, iter 1), best " in out


def test_rows_of_a_subset():
    """The smallest subset that keeps all classes, or an error that names it."""
    labels = np.arange(90) % 30
    search = SuccessiveHalvingSearchCV(
        DecisionTreeClassifier(), TREE, cv=3, min_resources=30
    )
    with pytest.raises(ValueError, match=r"(?s)min_resources=30 .*min_resources=45"):
        search.fit(X, labels)


@both
@pytest.mark.parametrize("min_splits", [1, 2, 5])
@pytest.mark.parametrize("continues", [True, False])
def test_fits_and_resources_on_fewer_splits(search, min_splits, continues):
    """Counted split by split, as far as each candidate comes."""
    estimator, space = (net(max_epochs=9), SPACE)
    if not continues:
        estimator, space = DecisionTreeClassifier(), TREE
    resource = {} if continues else {"resource": "max_depth", "max_resources": 9}
    plan = search(estimator, space, min_splits=min_splits, **resource).plan()
    n_fits = spent = 0
    for bracket in {rung.bracket for rung in plan.rungs}:
        rungs = [rung for rung in plan.rungs if rung.bracket == bracket]
        for candidate in range(rungs[0].n_candidates):
            reached = [0] * 5
            for rung in rungs:
                n = 5 if rung is rungs[-1] else min(5, min_splits * rung.n_resources)
                for split in range(n if candidate < rung.n_candidates else 0):
                    n_fits += 1
                    spent += rung.n_resources - (reached[split] if continues else 0)
                    reached[split] = rung.n_resources
    assert (plan.n_fits, plan.total_resources) == (n_fits, spent)


def test_splits_are_a_column_where_they_differ():
    search = SuccessiveHalvingSearchCV(net(max_epochs=9), SPACE, min_splits=2)
    plan = search.plan()
    assert str(plan).splitlines() == [
        "bracket  iter  candidates  max_epochs  splits",
        "      0     0           9           1       2",
        "      0     1           3           3       5",
        "      0     2           1           9       5",
        "9 candidates x 2 to 5 splits, continued from rung to rung: 38 fits, 87 "
        "max_epochs",
    ]
    assert plan._repr_html_().count("<td>") == 5 * 3


@both
def test_more_splits_than_there_are(search):
    with pytest.raises(ValueError, match=r"min_splits=4 is more than the 3 splits of"):
        search(net(), SPACE, cv=3, min_splits=4).plan()
