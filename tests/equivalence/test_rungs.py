"""Searches with rungs against other paths: scikit-learn, full trainings, plans."""

from __future__ import annotations

import warnings
from collections import Counter

import joblib
import numpy as np
import pytest
from scipy.stats import loguniform, randint, uniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import (
    GroupKFold,
    HalvingRandomSearchCV,
    KFold,
    LeaveOneGroupOut,
    ShuffleSplit,
)
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sktune import GridSearchCV, HyperbandSearchCV, SuccessiveHalvingSearchCV
from sktune.strategy import Listed
from tests.helpers.estimators import blobs, net
from tests.helpers.results import assert_same_search

pytestmark = pytest.mark.filterwarnings("ignore:The last rung trains to")

X, y = blobs()
NET_SPACE = {"lr": loguniform(1e-3, 1.0), "module__dropout": uniform(0, 0.5)}


def halving(estimator, space, **kwargs):
    defaults = {"cv": 3, "random_state": 0, "return_train_score": False}
    return SuccessiveHalvingSearchCV(estimator, space, **{**defaults, **kwargs})


def hyperband(estimator, space, **kwargs):
    defaults = {"cv": 3, "random_state": 0, "return_train_score": False}
    return HyperbandSearchCV(estimator, space, **{**defaults, **kwargs})


# -- scikit-learn's own halving ----------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"n_candidates": 9, "max_resources": 9},
        {"n_candidates": 7, "max_resources": 20, "factor": 2},
        {"n_candidates": 12, "max_resources": 8, "min_resources": 4},
        {"n_candidates": 10, "max_resources": 30, "min_resources": "exhaust"},
        {"n_candidates": 20, "max_resources": 6, "aggressive_elimination": True},
        {"max_resources": 9},
    ],
)
@pytest.mark.parametrize("resource", ["n_estimators", "max_depth"])
def test_same_as_scikit_learn(resource, options):
    """Which trains from scratch in every rung, be it continued here or not."""
    boosting = GradientBoostingRegressor(random_state=0, n_estimators=3)
    space = {"learning_rate": uniform(0.05, 1.0), "min_samples_leaf": randint(1, 9)}
    theirs, ours = (
        search(boosting, space, resource=resource, cv=3, random_state=5, **options).fit(
            X, X[:, 0] * X[:, 1]
        )
        for search in (HalvingRandomSearchCV, SuccessiveHalvingSearchCV)
    )
    rows = []
    for results in (theirs.cv_results_, ours.cv_results_):
        for params in results["params"]:
            params.pop(resource, None)
        keys = [key for key in results if key.endswith(("_test_score", "_train_score"))]
        keys = ["iter", "n_resources", *sorted(keys)]
        keys.remove("rank_test_score")
        # Of a rung scikit-learn lists the worst first.
        table = zip(
            *(results[key].tolist() for key in keys), results["params"], strict=True
        )
        rows.append(sorted(table, key=lambda row: (row[0], *row[-1].values())))
    assert rows[0] == rows[1]
    for name in vars(theirs):
        if name.startswith(("n_", "m")) and name.endswith("_"):
            assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.best_score_ == theirs.best_score_
    expected = {"n_estimators": "warm_start", "max_depth": "from_scratch"}
    assert ours.continuation_ == expected[resource]


# -- continuing --------------------------------------------------------------------


@pytest.mark.parametrize("search", [halving, hyperband])
def test_scores_of_every_rung_are_those_of_training_in_one_go(search):
    fitted = search(net(max_epochs=9), NET_SPACE, refit=False).fit(X, y)
    assert fitted.continuation_ == "epochs"
    results = fitted.cv_results_
    params = dict(zip(results["candidate"], results["params"], strict=True))
    same = Listed([params[candidate] for candidate in sorted(params)])
    for n_resources in (1, 3, 9):
        at_once = halving(
            net(),
            NET_SPACE,
            strategy=same,
            n_candidates=len(params),
            min_resources=n_resources,
            max_resources=n_resources,
            refit=False,
        ).fit(X, y)
        rows = np.flatnonzero(results["n_resources"] == n_resources)
        for split in range(3):
            scores = f"split{split}_test_score"
            np.testing.assert_array_equal(
                results[scores][rows],
                at_once.cv_results_[scores][results["candidate"][rows]],
            )


def test_one_rung_is_a_grid_search():
    space = {"lr": [0.01, 0.1, 0.3]}
    rung = halving(net(max_epochs=4), space, n_candidates=3, min_resources=4)
    rung.set_params(return_train_score=True).fit(X, y)
    order = [p["lr"] for p in rung.cv_results_["params"]]
    grid = GridSearchCV(
        net(max_epochs=4),
        {"lr": order},
        cv=3,
        random_state=0,
        return_train_score=True,
    ).fit(X, y)
    for key in ("mean_test_score", "mean_train_score", "std_test_score"):
        np.testing.assert_array_equal(rung.cv_results_[key], grid.cv_results_[key])


class CountsPasses(ClassifierMixin, BaseEstimator):
    """Counts its own passes in a file, over all processes."""

    def __init__(self, a=0.0, file=None):
        self.a = a
        self.file = file

    def partial_fit(self, X, y, classes=None):
        self.classes_ = classes
        self.n_passes_ = getattr(self, "n_passes_", 0) + 1
        with open(self.file, "a") as file:
            file.write("x")
        return self

    def fit(self, X, y):
        raise AssertionError("passes are calls of partial_fit")

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        assert len(self.classes_) == 3, "classes are those of all y"
        return self.a * self.n_passes_


@pytest.mark.parametrize("search", [halving, hyperband])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_run_spends_exactly_what_was_planned(search, n_jobs, tmp_path):
    counting = CountsPasses(file=str(tmp_path / "passes"))
    unfitted = search(
        counting,
        {"a": uniform(0, 1)},
        resource="partial_fit",
        max_resources=9,
        n_jobs=n_jobs,
        refit=False,
    )
    plan = unfitted.plan()
    fitted = unfitted.fit(X, y)
    assert (tmp_path / "passes").stat().st_size == plan.total_resources
    assert len(fitted.cv_results_["params"]) == plan.n_evaluations
    assert plan.n_fits == 3 * plan.n_evaluations
    assert str(plan.total_resources) in str(plan)
    refitted = unfitted.set_params(refit=True).fit(X, y).best_estimator_
    assert refitted.n_passes_ == 9


def test_the_refitted_net_has_the_largest_resource_and_all_data():
    fitted = halving(net(max_epochs=9), NET_SPACE).fit(X, y)
    assert len(fitted.best_estimator_.history) == 9
    batches = fitted.best_estimator_.history[-1]["batches"]
    assert sum(batch["train_batch_size"] for batch in batches) == len(X)
    assert fitted.best_estimator_.max_epochs == 9
    assert set(fitted.best_params_) == set(NET_SPACE)


# -- no leakage --------------------------------------------------------------------


class Remembers(ClassifierMixin, BaseEstimator):
    """Knows every row that it was ever trained on, and is scored by a row it has."""

    def __init__(self, a=0.0):
        self.a = a

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self.classes_ = np.unique(y) if classes is None else classes
        self.seen_ = getattr(self, "seen_", set()) | set(X[:, 0].tolist())
        if sample_weight is not None:
            np.testing.assert_array_equal(sample_weight, X[:, 0])
        return self

    fit = partial_fit

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y, sample_weight=None):
        assert not self.seen_ & set(X[:, 0].tolist()), "scored on what it has seen"
        assert len(X) + len(self.seen_) <= 60
        return self.a


NUMBERED = np.arange(60.0)[:, None]
LABELS = np.arange(60) % 3


@pytest.mark.parametrize("search", [halving, hyperband])
@pytest.mark.parametrize("resource", ["partial_fit", "n_samples"])
@pytest.mark.parametrize(
    "cv",
    [
        KFold(3, shuffle=True, random_state=np.random.RandomState(0)),
        KFold(3, shuffle=True),
        ShuffleSplit(3, test_size=0.3),
    ],
)
def test_no_net_is_scored_on_a_row_that_it_was_trained_on(search, resource, cv):
    most = 9 if resource == "partial_fit" else "auto"
    fitted = search(
        Remembers(),
        {"a": uniform(0, 1)},
        cv=cv,
        resource=resource,
        max_resources=most,
        error_score="raise",
        refit=False,
    ).fit(NUMBERED, LABELS)
    assert np.isfinite(fitted.cv_results_["mean_test_score"]).all()


class Groups(Remembers):
    def fit(self, X, y):
        groups = Counter((X[:, 0] // 5).astype(int).tolist())
        assert set(groups.values()) == {5}, "a group is whole or not there"
        return super().fit(X, y)


def test_groups_are_whole_in_every_rung():
    groups = np.arange(60) // 5
    fitted = halving(
        Groups(),
        {"a": uniform(0, 1)},
        cv=GroupKFold(3),
        resource="n_samples",
        error_score="raise",
        refit=False,
    ).fit(NUMBERED, LABELS, groups=groups)
    assert len(set(fitted.cv_results_["n_resources"])) == 2


@pytest.mark.parametrize("resource", ["partial_fit", "n_samples"])
def test_weights_are_cut_like_the_rows(resource):
    most = 4 if resource == "partial_fit" else "auto"
    fitted = halving(
        Remembers(),
        {"a": uniform(0, 1)},
        factor=2,
        resource=resource,
        max_resources=most,
        error_score="raise",
    ).fit(NUMBERED, LABELS, sample_weight=NUMBERED[:, 0])
    assert fitted.best_estimator_.seen_ == set(range(60))


def test_the_test_part_is_whole_in_every_rung():
    sizes = Counter()

    def scorer(estimator, X, y):
        sizes[len(X)] += 1
        return estimator.a

    space = {"a": uniform(0, 1)}
    halving(Remembers(), space, resource="n_samples", scoring=scorer).fit(
        NUMBERED, LABELS
    )
    assert list(sizes) == [20]


# -- one answer --------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["random", "bayes"])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_any_number_of_jobs(strategy, backend):
    pipeline = Pipeline([("scale", StandardScaler()), ("net", net(max_epochs=4))])
    space = {f"net__{name}": values for name, values in NET_SPACE.items()}
    searches = []
    for n_jobs in (1, 3):
        with joblib.parallel_config(backend, n_jobs=n_jobs):
            unfitted = hyperband(pipeline, space, factor=2, strategy=strategy)
            searches.append(unfitted.fit(X, y))
    assert_same_search(*searches)


# -- results -----------------------------------------------------------------------


class Crossing(ClassifierMixin, BaseEstimator):
    """Better when little trained the worse it gets; fails where it is told to."""

    def __init__(self, a=0.0, depth=1, fails_from=100, raises=False):
        self.a = a
        self.depth = depth
        self.fails_from = fails_from
        self.raises = raises

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if self.depth >= self.fails_from and self.raises:
            raise RuntimeError(f"no depth of {self.depth}")
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        if self.depth >= self.fails_from:
            return np.nan
        return self.a - self.depth


DEPTH = {"resource": "depth", "max_resources": 9}


@pytest.mark.parametrize("search", [halving, hyperband])
def test_the_best_is_among_those_with_most(search):
    fitted = search(Crossing(), {"a": uniform(0, 1)}, **DEPTH).fit(X, y)
    results = fitted.cv_results_
    top = np.flatnonzero(results["n_resources"] == 9)
    # Scores fall with depth, so any row of a lower rung beats those of the top.
    scores = results["mean_test_score"]
    assert scores[results["n_resources"] == 1].max(initial=1) > scores[top].max()
    assert fitted.best_index_ == top[scores[top].argmax()]
    assert results["rank_test_score"][fitted.best_index_] == 1
    assert fitted.best_score_ == scores[top].max()
    assert fitted.best_estimator_.depth == 9
    order = np.lexsort((-scores, -results["n_resources"]))
    ranks = results["rank_test_score"][order]
    np.testing.assert_array_equal(ranks, range(1, len(ranks) + 1))
    pairs = list(zip(results["candidate"], results["n_resources"], strict=True))
    assert len(set(pairs)) == len(pairs)


def test_rows_are_read_bracket_by_bracket():
    fitted = hyperband(Crossing(), {"a": uniform(0, 1)}, **DEPTH).fit(X, y)
    results = fitted.cv_results_
    places = list(
        zip(*(results[k] for k in ("bracket", "iter", "candidate")), strict=True)
    )
    assert places == sorted(places)
    counts = Counter((int(b), int(i)) for b, i, _ in places)
    assert counts == {
        (0, 0): 9, (0, 1): 3, (0, 2): 1, (1, 0): 5, (1, 1): 1, (2, 0): 3
    }  # fmt: skip


def test_several_metrics_and_a_callable_refit():
    metrics = {
        "up": lambda estimator, X, y: estimator.a,
        "down": lambda estimator, X, y: -estimator.a,
    }
    best = {}
    for steer in metrics:
        fitted = halving(
            Crossing(), {"a": uniform(0, 1)}, scoring=metrics, refit=steer, **DEPTH
        ).fit(X, y)
        best[steer] = fitted.best_params_["a"]
        started = [p["a"] for p in fitted.cv_results_["params"][:9]]
        assert best[steer] == (max if steer == "up" else min)(started)
    assert best["up"] > best["down"]
    chosen = halving(
        Crossing(), {"a": uniform(0, 1)}, refit=lambda results: 2, **DEPTH
    ).fit(X, y)
    assert chosen.best_index_ == 2
    assert chosen.best_params_ == chosen.cv_results_["params"][2]


# -- failure -----------------------------------------------------------------------


@pytest.mark.parametrize("raises", [False, True])
def test_who_fails_never_goes_on_while_one_is_finite(raises):
    space = {"a": uniform(0, 1), "fails_from": [1, 1, 100], "raises": [raises]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(fits failed|non-finite)")
        fitted = halving(Crossing(), space, n_candidates=12, **DEPTH).fit(X, y)
    results = fitted.cv_results_
    assert fitted.best_params_["fails_from"] == 100
    assert all(
        params["fails_from"] == 100
        for params, i in zip(results["params"], results["iter"], strict=True)
        if i > 0
    )


def test_a_last_rung_that_is_far_from_the_largest_resource():
    search = halving(Crossing(), {"a": uniform(0, 1)}, n_candidates=4, **DEPTH)
    with pytest.warns(UserWarning, match=r"depth=3.*max_resources_=9.*exhaust"):
        search.plan()
    # A space with few candidates only: they begin with more.
    few = halving(Crossing(), {"a": [1, 2, 3, 4]}, **DEPTH)
    with pytest.warns(UserWarning, match="only 4 candidates") as caught:
        plan = few.plan()
    assert len(caught) == 1
    assert plan.rungs[-1].n_resources == 9


def test_hyperband_plans_for_the_space_that_there_is():
    search = hyperband(Crossing(), {"a": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}, **DEPTH)
    with pytest.warns(UserWarning, match="plans 17 candidates.*no more than 10"):
        plan = search.plan()
    assert [tuple(rung) for rung in plan.rungs] == [
        (0, 0, 9, 1), (0, 1, 3, 3), (0, 2, 1, 9), (1, 0, 1, 3), (1, 1, 1, 9)
    ]  # fmt: skip
    with pytest.warns(UserWarning, match="plans 17 candidates") as caught:
        search.fit(X, y)
    assert len(caught) == 1
    assert len(search.cv_results_["params"]) == plan.n_evaluations


def test_what_was_computed_is_kept_where_nobody_can_go_on():
    search = halving(Crossing(fails_from=9), {"a": uniform(0, 1)}, **DEPTH)
    with (
        pytest.raises(ValueError, match="its only one failed"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        search.fit(X, y)
    assert len(search.cv_results_["params"]) == 13


def test_a_bracket_that_fails_late_does_not_end_the_others():
    """The leader of the first bracket fails at the top."""

    class Late(Crossing):
        def score(self, X, y):
            return np.nan if self.depth == 9 and self.a > 0.9 else self.a

    with (
        pytest.warns(UserWarning, match="its only one failed"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        fitted = hyperband(Late(), {"a": uniform(0, 1)}, **DEPTH).fit(X, y)
    assert fitted.best_params_["a"] <= 0.9
    assert fitted.cv_results_["n_resources"][fitted.best_index_] == 9


def test_a_refit_that_is_interrupted_keeps_the_results():
    class Interrupted(Crossing):
        def fit(self, X, y):
            if len(X) == 90:  # all data
                raise KeyboardInterrupt
            return super().fit(X, y)

    search = halving(Interrupted(), {"a": uniform(0, 1)}, **DEPTH)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert len(search.cv_results_["params"]) == 13
    assert not hasattr(search, "best_estimator_")


@pytest.mark.parametrize("search", [halving, hyperband])
@pytest.mark.parametrize("fails_from", [1, 3, 9])
@pytest.mark.parametrize("raises", [False, True])
def test_a_rung_without_any_finite_score_raises(search, fails_from, raises):
    crossing = Crossing(fails_from=fails_from, raises=raises)
    reason = r"RuntimeError: no depth of" if raises else "NaN or infinite"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(fits failed|non-finite)")
        with pytest.raises(ValueError, match=rf"(?s)depth={fails_from} .*{reason}"):
            search(crossing, {"a": uniform(0, 1)}, **DEPTH).fit(X, y)


def test_a_bracket_that_fails_is_a_warning_once_there_is_an_answer():
    """The first bracket has an answer; in the last nobody has a finite score."""

    class Odd(Crossing):
        def score(self, X, y):
            return np.nan if self.depth == 9 and self.a < 0.5 else self.a

    space = {"a": uniform(0, 1)}
    unfitted = hyperband(Odd(), space, **DEPTH)
    for seed in range(50):
        unfitted.set_params(random_state=seed)
        draws = unfitted.set_params(max_resources=9)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted = draws.fit(X, y)
        messages = [str(w.message) for w in caught if "can go on" in str(w.message)]
        if messages:
            break
    assert "bracket 2, iter 0" in messages[0]
    assert np.isfinite(fitted.best_score_)


# -- what else is trained on -------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "options", "expected"),
    [
        (RandomForestClassifier(), {"resource": "n_estimators"}, "warm_start"),
        (SGDClassifier(random_state=0), {"resource": "partial_fit"}, "partial_fit"),
        (net(), {"resource": "max_epochs"}, "epochs"),
        (net(), {}, "epochs"),
        (DecisionTreeClassifier(), {"max_resources": "auto"}, "n_samples"),
        (DecisionTreeClassifier(), {"resource": "max_depth"}, "from_scratch"),
    ],
)
def test_one_attribute_says_how_candidates_continued(estimator, options, expected):
    space = {"random_state": [0, 1, 2]} if expected != "epochs" else {"lr": [0.1, 0.2]}
    options = {"max_resources": 6, **options}
    fitted = halving(estimator, space, n_candidates=2, **options).fit(X, y)
    assert fitted.continuation_ == expected


def test_checkpoints_go_when_the_search_ends(tmp_path):
    (tmp_path / "mine").write_text("stays")
    fitted = halving(net(max_epochs=3), NET_SPACE, checkpoints=tmp_path).fit(X, y)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert fitted.best_index_ == 3


@pytest.mark.parametrize("search", [halving, hyperband])
def test_asynchronous(search):
    unfitted = search(
        CountingNothing(), {"a": uniform(0, 1)}, asynchronous=True, **DEPTH, n_jobs=2
    )
    fitted = unfitted.fit(X, y)
    results = fitted.cv_results_
    n_started = unfitted.plan().n_candidates
    assert len(set(results["candidate"])) == n_started
    assert results["n_resources"].max() == 9
    assert fitted.best_params_["a"] > 0.5


class CountingNothing(Crossing):
    """Its score does not fall with depth."""

    def score(self, X, y):
        return self.a


# -- what is said of a search ------------------------------------------------------


def test_counts_are_those_of_the_run():
    """A space with two candidates, and failures, leave less than was planned."""
    few = halving(
        Crossing(), {"a": [1, 2, 3]}, n_candidates=3, constraint=lambda p: p["a"] > 1,
        **DEPTH
    )  # fmt: skip
    with pytest.warns(UserWarning, match="Only 2 candidates"):
        few.fit(X, y)
    assert few.n_candidates_ == [2, 1]
    assert few.n_resources_ == [1, 3]
    space = {"a": uniform(0, 1), "fails_from": [1, 1, 1, 100]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*non-finite")
        failing = hyperband(Crossing(), space, **DEPTH).fit(X, y)
    results = failing.cv_results_
    for bracket, counts in enumerate(failing.n_candidates_):
        for i, count in enumerate(counts):
            place = (results["bracket"] == bracket) & (results["iter"] == i)
            assert place.sum() == count


def test_an_iterator_of_splits_is_not_used_up():
    search = halving(net(max_epochs=3), NET_SPACE, cv=KFold(3).split(X))
    with pytest.raises(ValueError, match=r"cv=list\(cv\)"):
        search.plan(X, y)
    search.fit(X, y)


def test_a_plan_with_groups():
    search = halving(Groups(), {"a": uniform(0, 1)}, cv=LeaveOneGroupOut())
    with pytest.raises(ValueError, match=r"plan\(X, y, groups\)"):
        search.plan(NUMBERED, LABELS)
    groups = np.arange(60) // 15
    assert search.plan(NUMBERED, LABELS, groups).n_splits == 4


def test_scikit_learns_fit_is_refused():
    search = halving(Crossing(), {"a": uniform(0, 1)}, **DEPTH)
    with pytest.raises(NotImplementedError, match="the search's own fit"):
        BaseSearchCV.fit(search, X, y)


def test_what_a_fitted_search_keeps(tmp_path):
    fitted = halving(net(max_epochs=3), NET_SPACE).fit(X, y)
    left = set(vars(fitted)) - set(fitted.get_params(deep=False)) - {"pre_dispatch"}
    assert all(name.endswith("_") and not name.startswith("_") for name in left), left


@pytest.mark.parametrize("strategy", ["random", "bayes"])
def test_a_generator_moves_on(strategy):
    generator = np.random.RandomState(0)
    search = halving(
        Crossing(), {"a": uniform(0, 1)}, strategy=strategy, random_state=generator,
        **DEPTH
    )  # fmt: skip
    first = search.fit(X, y).cv_results_["params"]
    assert search.fit(X, y).cv_results_["params"] != first


def test_no_more_states_are_kept_than_may_go_on(tmp_path):
    """Of 9 candidates 3 may go on: 3 states for each split, and the one just made."""
    most = []

    class Watching(CountsPasses):
        def partial_fit(self, X, y, classes=None):
            most.append(len(list(tmp_path.rglob("*state*"))))
            return super().partial_fit(X, y, classes)

    halving(
        Watching(file=str(tmp_path / "passes")),
        {"a": uniform(0, 1)},
        resource="partial_fit",
        max_resources=9,
        checkpoints=tmp_path / "states",
        refit=False,
    ).fit(X, y)
    assert 9 <= max(most) <= 12
