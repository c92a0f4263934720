"""A search before it runs: each real fault has its line, and nothing changes."""

import random
import warnings

import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from skorch import NeuralNetRegressor
from skorch.callbacks import Callback, Checkpoint, EarlyStopping
from torch import nn

from sktune import (
    BayesSearchCV,
    FreezeThawSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune.advice import PreflightError, preflight
from tests.helpers.estimators import blobs, net

X, y = blobs(90)


class Line(nn.Linear):
    def __init__(self, n_in=4, n_out=3):
        super().__init__(n_in, n_out)


def line(**params):
    return net(max_epochs=2).set_params(**{"module": Line, **params})


def grid(estimator, space=None, **params):
    return GridSearchCV(
        estimator, space or {"lr": [0.1]}, **{"cv": 2, "random_state": 0, **params}
    )


def look(search, data=None, **params):
    given = {"n_candidates": 1, "time_limit": 0.5, **params}
    return preflight(search, *(data or (X, y)), **given)


def assert_fails(found, name, *texts, status="fail"):
    assert found[name].status == status, str(found)
    for text in texts:
        assert text in found[name].message, found[name].message


# -- faults ------------------------------------------------------------------------


def test_a_search_that_is_ready_has_nothing_to_mend():
    found = look(grid(line()))
    assert not found.failures, str(found)
    assert {one.name for one in found.checks if one.status != "ok"} == {
        "what continues"  # a flat search pauses nothing
    }
    found.raise_for_failures()


def test_the_width_of_the_input():
    found = look(grid(line(module__n_in=7)))
    assert_fails(found, "input of the net", "4 columns", "takes 7", "module__n_in=4")
    assert found["loss in an epoch"].status == "na"
    with pytest.raises(PreflightError, match="module__n_in=4"):
        found.raise_for_failures()


def test_targets_of_a_dtype_that_the_loss_refuses():
    found = look(grid(line()), (X, y.astype(np.float32)))
    assert_fails(found, "arguments", "y.astype(np.int64)")


def regression(**params):
    return NeuralNetRegressor(
        Line, module__n_out=1, max_epochs=2, train_split=None, verbose=0, **params
    )


def test_integers_for_a_loss_that_takes_numbers_only():
    search = grid(regression(criterion=nn.HuberLoss))
    found = look(search, (X, y.reshape(-1, 1)))
    assert_fails(found, "arguments", "dtype int64", "y.astype(np.float32)")


def test_integers_for_a_loss_that_torch_makes_floats_for():
    search = grid(regression())
    found = look(search, (X, y.reshape(-1, 1)))
    assert found["targets and loss"].status == "ok"
    assert np.isfinite(search.fit(X, y.reshape(-1, 1)).best_score_)


def test_targets_that_would_be_broadcast():
    found = look(grid(regression()), (X, y.astype(np.float32)))
    assert_fails(found, "targets and loss", "trains a wrong model", "reshape(-1, 1)")


def test_labels_that_do_not_begin_at_zero():
    found = look(grid(line()), (X, y + 1))
    assert_fails(found, "targets and loss", "LabelEncoder()")


def test_a_class_with_fewer_rows_than_splits():
    labels = np.where(np.arange(90) < 2, 2, y % 2)
    found = look(grid(line(), cv=3), (X, labels))
    assert_fails(found, "classes in splits", "class 2 has 2 rows", "3 splits")


def test_a_class_that_is_missing_where_it_is_to_be_learnt():
    order = np.argsort(y)
    splits = [(order[:60], order[60:])]
    found = look(grid(SVC(), {"C": [1.0]}, cv=splits))
    assert_fails(found, "classes in splits", "class 2", "training part of split 0")


def test_a_class_of_which_the_smallest_rung_has_one_row():
    labels = (np.arange(90) < 8).astype(int)
    search = SuccessiveHalvingSearchCV(
        SVC(), {"C": [1.0, 2.0, 3.0]}, resource="n_samples", min_resources=12, cv=2,
        random_state=0,
    )  # fmt: skip
    found = look(search, (X, labels))
    message = found["classes in splits"].message
    assert found["classes in splits"].status == "warn"
    assert "at least 1 of each in the smallest rung" in message
    assert "balanced_accuracy" in message


def test_a_learning_rate_at_which_the_loss_explodes():
    found = look(grid(line(), {"lr": [1e30]}))
    assert_fails(found, "learning rates", "1 of 1", "lr=1e+30", "lr_range_test")
    found = look(grid(line(), {"lr": [0.1, 1e30]}))
    assert_fails(found, "learning rates", "1 of 2", status="warn")


class Frozen(Line):
    def __init__(self):
        super().__init__()
        self.requires_grad_(False)


class Empty(nn.Module):
    def forward(self, X):
        return X[:, :3]


class Detached(Line):
    def forward(self, X):
        return super().forward(X).detach()


class HalfUsed(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.left = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, X):
        return self.used(X)


class Softmax(Line):
    def forward(self, X):
        return super().forward(X).softmax(dim=1)


@pytest.mark.parametrize(
    ("module", "point", "status", "text"),
    [
        (Frozen, "what is trained", "fail", "2 of the 2 parameters are frozen"),
        (Empty, "what is trained", "fail", "optimizer is empty"),
        (Detached, "what is trained", "fail", ".detach()"),
        (HalfUsed, "what is trained", "warn", "left.weight"),
        (Softmax, "targets and loss", "warn", "without its softmax"),
    ],
)
def test_modules_that_cannot_learn(module, point, status, text):
    found = look(grid(line(module=module)))
    assert_fails(found, point, text, status=status)


def test_a_last_batch_of_one_row():
    # Half of 90 rows are 45, and 45 = 4 * 11 + 1.
    found = look(grid(net(max_epochs=1), {"batch_size": [44]}))
    assert_fails(found, "last batches", "45 rows", "44", "drop_last=True")
    dropped = net(max_epochs=1, iterator_train__drop_last=True)
    assert look(grid(dropped, {"batch_size": [44]}))["last batches"].status == "ok"


def test_inputs_that_are_not_scaled():
    wild = (X * np.array([1, 1, 1, 1e6])).astype(np.float32)
    found = look(grid(line(lr=0.1)), (wild, y))
    assert_fails(found, "scale of X and y", "StandardScaler", status="warn")
    assert found["loss in an epoch"].status == "warn"
    assert "StandardScaler" in found["loss in an epoch"].message
    scaled = Pipeline([("scale", StandardScaler()), ("net", line())])
    found = look(grid(scaled, {"net__lr": [0.1]}), (wild, y))
    assert found["scale of X and y"].status == "ok", str(found)
    assert found["loss in an epoch"].status == "ok"


def test_labels_that_belong_to_other_rows_are_learnt_by_heart_and_inputs_of_zero_not():
    found = look(grid(line()), (np.zeros_like(X), y))
    assert found["one batch by heart"].status in ("warn", "fail")
    assert "not near zero" in found["one batch by heart"].message


class OnBatches(Callback):
    def on_batch_end(self, net, **kwargs):
        """Looks at every batch."""


def test_a_callback_that_bars_stacking():
    found = look(grid(line(callbacks=[("own", OnBatches())]), stacked=True, cv=2))
    assert_fails(found, "callbacks", "'own' has a method on_batch_end", status="warn")
    assert "by themselves" in found["what stacks"].message


def test_early_stopping_with_rungs():
    stops = line(callbacks=[("stop", EarlyStopping(monitor="train_loss"))])
    search = SuccessiveHalvingSearchCV(
        stops, {"lr": [0.1, 0.2, 0.3]}, max_resources=3, cv=2, random_state=0
    )
    found = look(search)
    assert_fails(found, "callbacks", "'stop' (EarlyStopping)", status="warn")


def test_a_net_that_something_trains_in_one_go():
    search = SuccessiveHalvingSearchCV(
        BaggingRegressor(regression(), 2), {"estimator__lr": [0.1, 0.2, 0.3]},
        resource="estimator__max_epochs", max_resources=3, cv=2, random_state=0,
    )  # fmt: skip
    found = look(search, (X, y.astype(np.float32).reshape(-1, 1)))
    assert_fails(found, "what continues", "trains it from scratch", status="warn")


def test_fits_that_fail_are_told_with_their_error():
    found = look(grid(SVC(), {"C": [-1.0]}))
    assert_fails(found, "trial fits", "C=-1.0", "'C'")
    assert found.seconds is None


@pytest.mark.parametrize("rungs", [False, True])
def test_a_search_in_which_all_failed_names_the_preflight(rungs):
    estimator, space = line(module__n_in=7), {"lr": [0.1, 0.2, 0.3]}
    search = grid(estimator, space)
    if rungs:
        search = SuccessiveHalvingSearchCV(estimator, space, max_resources=3, cv=2)
    with pytest.raises(ValueError, match="mat1 and mat2") as caught:
        search.fit(X, y)
    assert any("preflight(search, X, y)" in note for note in caught.value.__notes__)


# -- nothing changes ---------------------------------------------------------------


def states():
    return (
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.get_rng_state().tolist(),
    )


def test_nothing_of_the_search_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = np.random.RandomState(3)
    estimator = Pipeline(
        [
            ("scale", StandardScaler()),
            ("net", line(callbacks=[Checkpoint(monitor=None)])),
        ]
    )
    search = RandomizedSearchCV(
        estimator, {"net__lr": loguniform(0.01, 1)}, n_iter=2, cv=2,
        random_state=generator, journal=tmp_path / "j.jsonl",
    )  # fmt: skip
    data = X.copy(), y.copy()
    attributes, own = set(vars(search)), dict(vars(estimator[-1]))
    callback = dict(vars(estimator[-1].callbacks[0]))
    before, drawn = states(), generator.get_state()[1].tolist()
    filters = list(warnings.filters)
    look(search, data)
    assert states() == before
    assert generator.get_state()[1].tolist() == drawn
    assert warnings.filters == filters
    assert set(vars(search)) == attributes
    assert not hasattr(estimator[-1], "module_")
    assert vars(estimator[-1].callbacks[0]) == callback
    assert vars(estimator[-1]) == own
    assert not hasattr(estimator[0], "mean_")
    assert list(tmp_path.iterdir()) == []
    np.testing.assert_array_equal(data[0], X)
    np.testing.assert_array_equal(data[1], y)


# -- every kind of search ----------------------------------------------------------

SPACE = {"lr": loguniform(0.01, 1), "batch_size": [16, 32]}
FEW = {"cv": 2, "random_state": 0}


@pytest.mark.parametrize(
    ("search", "n_fits"),
    [
        (grid(line(), {"lr": [0.1, 0.2], "batch_size": [16, 32]}), 8),
        (RandomizedSearchCV(line(), SPACE, n_iter=3, stacked=True, **FEW), 6),
        (RandomizedSearchCV(line(), SPACE, n_iter=3, racing=True, cv=4), 12),
        (BayesSearchCV(line(), SPACE, n_iter=3, **FEW), 6),
        (SuccessiveHalvingSearchCV(line(), SPACE, max_resources=3, **FEW), 8),
        (HyperbandSearchCV(line(), SPACE, max_resources=3, **FEW), 12),
        (
            HyperbandSearchCV(line(), SPACE, max_resources=3, asynchronous=True, **FEW),
            12,
        ),
        (FreezeThawSearchCV(line(), SPACE, n_iter=2, max_resources=3, **FEW), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_all_searches_are_counted(search, n_fits):
    found = look(search)
    assert not found.failures, str(found)
    rungs = found.time.rungs
    if n_fits is not None:
        assert sum(rung.n_fits for rung in rungs) == n_fits
    assert 0 < found.time.low < found.seconds < found.time.high
    assert ("at most" in str(found)) == bool(getattr(search, "racing", False))


def test_the_table_is_that_of_the_plan():
    search = HyperbandSearchCV(
        SGDClassifier(random_state=0), {"alpha": loguniform(1e-5, 1)},
        resource="partial_fit", max_resources=9, cv=3, random_state=0,
    )  # fmt: skip
    found = look(search)
    assert [
        (r.bracket, r.iter, r.n_candidates, r.n_resources) for r in found.time.rungs
    ] == [tuple(rung) for rung in search.plan(X, y).rungs]
    assert found.plan.rungs == search.plan(X, y).rungs
    assert found["input of the net"].status == "na"
    assert "goes on by partial_fit" in found["what continues"].message


def test_what_is_said_is_what_it_takes():
    """Of fits that sleep; a pipeline of real ones is in benchmarks/preflight."""
    search = grid(Sleeper(), {"seconds": [0.05] * 6}, cv=2)
    found = look(search, n_candidates=2, time_limit=1.0)
    # 12 fits, and the refit.
    assert 13 * 0.05 < found.seconds < 13 * 0.05 * 1.5
    assert found.time.rungs[0].n_fits == 12


def test_candidates_that_take_longer_are_counted_as_such():
    search = grid(Sleeper(), {"seconds": [0.02] * 5 + [0.2] * 2}, cv=2, refit=False)
    found = look(search, n_candidates=7, time_limit=4.0)
    assert found.seconds == pytest.approx(2 * (5 * 0.02 + 2 * 0.2), rel=0.4)


class Sleeper(SVC):
    def __init__(self, seconds=0.01):
        super().__init__()
        self.seconds = seconds

    def fit(self, X, y):
        import time

        time.sleep(self.seconds)
        return super().fit(X, y)


# -- what is shown -----------------------------------------------------------------


def test_it_prints_and_shows_itself():
    found = look(grid(line()), cost_per_hour=36.0, currency="EUR")
    text, page = str(found), found._repr_html_()
    assert found.cost == pytest.approx(found.seconds / 100)
    assert "EUR per hour" in text
    assert text.splitlines()[-1] == "Ready."
    assert max(map(len, text.splitlines())) <= 88
    for one in found.checks:
        assert one.name in text
        assert f">{one.name}</td>" in page
    broken = look(grid(line(module__n_in=7)))
    assert str(broken).splitlines()[-1].startswith("Not ready: 2 points to mend")
    with pytest.raises(KeyError, match="input of the net"):
        broken["inputs"]


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ({"cost_per_hour": -1}, ValueError),
        ({"n_candidates": 0}, ValueError),
        ({"time_limit": 0}, ValueError),
    ],
)
def test_arguments_that_are_wrong(argument, error):
    (name,) = argument
    with pytest.raises(error, match=f"{name}="):
        preflight(grid(line()), X, y, **argument)


def test_only_searches_of_sktune():
    with pytest.raises(TypeError, match="search=SVC is no search"):
        preflight(SVC(), X, y)
