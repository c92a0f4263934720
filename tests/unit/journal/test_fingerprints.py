"""What is compared of a search, to tell whether a journal is its own."""

import json
import subprocess
import sys
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse, stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EarlyStopping
from skorch.dataset import ValidSplit
from skorch.helper import SliceDataset, SliceDict

from sktune.journal._fingerprints import (
    as_json,
    differences,
    fingerprint,
    is_plain,
    params_as_json,
    value_of_json,
)
from tests.helpers.estimators import net

A = np.arange(12.0).reshape(6, 2)

DATA = {
    "array": (lambda: A.copy(), lambda: A + 1e-9),
    "shape": (lambda: A.copy(), lambda: A.reshape(2, 6)),
    "dtype": (lambda: A.copy(), lambda: A.astype(np.float32)),
    "strided": (lambda: A[::-1][::-1], lambda: A[::-1]),
    "objects": (lambda: np.array(["a", None], object), lambda: np.array(["a", 1])),
    "dates": (lambda: np.array(["2020"], "M8[D]"), lambda: np.array(["2021"], "M8[D]")),
    "dates with a zone": (
        lambda: pd.DataFrame({"a": pd.to_datetime(["2020"]).tz_localize("UTC")}),
        lambda: pd.DataFrame({"a": pd.to_datetime(["2021"]).tz_localize("UTC")}),
    ),
    "decimals": (lambda: [Decimal(1)], lambda: [Decimal(2)]),
    "sets": (lambda: {"a", "b"}, lambda: {"a", "c"}),
    "list": (lambda: [[1, 2], [3]], lambda: [[1, 2, 3]]),
    "text": (lambda: ["a", "b"], lambda: ["ab"]),
    "sparse": (lambda: sparse.csr_array(A), lambda: sparse.csr_array(A.T)),
    "tensor": (lambda: torch.ones(3), lambda: torch.zeros(3)),
    "half": (lambda: torch.ones(3).bfloat16(), lambda: torch.zeros(3).bfloat16()),
    "frame": (
        lambda: pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        lambda: pd.DataFrame({"a": [1, 2], "c": ["x", None]}),
    ),
    "categories": (
        lambda: pd.DataFrame({"a": pd.Categorical(["x", "y"])}),
        lambda: pd.DataFrame({"a": pd.Categorical(["y", "x"])}),
    ),
    "series": (lambda: pd.Series([1, 2]), lambda: pd.Series([1, 3])),
    "SliceDict": (lambda: SliceDict(a=A), lambda: SliceDict(b=A)),
    "SliceDataset": (
        lambda: SliceDataset(torch.utils.data.TensorDataset(torch.tensor(A))),
        lambda: SliceDataset(torch.utils.data.TensorDataset(torch.tensor(A + 1))),
    ),
    "splits": (
        lambda: [(np.arange(3), np.arange(3, 6))],
        lambda: [(np.arange(3, 6), np.arange(3))],
    ),
    "nothing": (lambda: None, lambda: []),
}


@pytest.mark.parametrize("name", DATA)
def test_data_are_told_apart(name):
    same, other = DATA[name]
    assert fingerprint(same()) == fingerprint(same())
    assert fingerprint(same()) != fingerprint(other())


def test_where_an_object_lies_says_nothing():
    assert fingerprint([lambda: 1, object()]) == fingerprint([lambda: 1, object()])


def two():
    def first(x):
        return x in {"a", "b"}

    def second(x):
        return x in {"a", "c"}

    return first, second


GIVEN = {
    "net": (lambda: net(callbacks=[EarlyStopping()]), lambda: net(callbacks=[])),
    "callback": (
        lambda: net(callbacks=[EarlyStopping(patience=3)]),
        lambda: net(callbacks=[EarlyStopping(patience=4)]),
    ),
    "inner split": (
        lambda: net(train_split=ValidSplit(3)),
        lambda: net(train_split=ValidSplit(4)),
    ),
    "module": (
        lambda: net(module__hidden=8),
        lambda: net(module__hidden=9),
    ),
    "pipeline": (
        lambda: make_pipeline(StandardScaler(), LogisticRegression()),
        lambda: make_pipeline(StandardScaler(), LogisticRegression(C=2)),
    ),
    "frozen": (lambda: stats.loguniform(1, 2), lambda: stats.loguniform(1, 3)),
    "new style": (
        lambda: stats.Uniform(a=0, b=1),
        lambda: stats.Uniform(a=0, b=2),
    ),
    "whole": (lambda: stats.norm, lambda: stats.logistic),
    "discrete": (
        lambda: stats.rv_discrete(values=([1, 2], [0.5, 0.5])),
        lambda: stats.rv_discrete(values=([1, 2], [0.2, 0.8])),
    ),
    "function": (lambda: np.log1p, lambda: np.exp),
    "own function": (lambda: two()[0], lambda: two()[1]),
    "partial": (lambda: partial(max, key=min), lambda: partial(max, key=max)),
    "scorer": (
        lambda: make_scorer(accuracy_score),
        lambda: make_scorer(accuracy_score, greater_is_better=False),
    ),
    "tuple": (lambda: (1, 2), lambda: [1, 2]),
    "bool": (lambda: True, lambda: 1),
    "nan": (lambda: [float("nan")], lambda: [None]),
    "numpy": (lambda: np.int64(1), lambda: 1),
    "range": (lambda: range(3), lambda: range(4)),
    "generator": (
        lambda: np.random.RandomState(0),
        lambda: np.random.RandomState(1),
    ),
    "new generator": (
        lambda: np.random.default_rng(0),
        lambda: np.random.default_rng(1),
    ),
}


@pytest.mark.parametrize("name", GIVEN)
def test_arguments_are_told_apart(name):
    same, other = GIVEN[name]
    before = json.loads(json.dumps(as_json(same())))
    assert not list(differences(before, as_json(same())))
    assert list(differences(before, as_json(other())))


def test_what_has_been_used_is_the_same():
    uniform = stats.Uniform(a=0, b=1)
    before = as_json(uniform)
    uniform.mean(), uniform.icdf(0.5), uniform.support()
    assert as_json(uniform) == before
    stats.norm.rvs(random_state=0)
    frozen = stats.norm(0, 1)
    before = as_json(frozen)
    frozen.rvs(3)
    assert as_json(frozen) == before


def test_where_it_runs_and_what_it_prints_may_differ():
    assert as_json(net(device="cuda", verbose=1)) == as_json(net(verbose=0))


def test_circles_end():
    circle = {}
    circle["a"] = circle
    assert as_json(circle) == {"a": "..."}


SCRIPT = """
import json
from sktune.journal._fingerprints import as_json
class Net:
    def forward(self, x):
        return {body}
print(json.dumps([as_json(Net), as_json(lambda x: {body} in {{"a", "b", "c"}})]))
"""


@pytest.mark.slow
def test_code_of_a_script_is_the_same_in_every_process_until_it_changes():
    def run(body):
        command = [sys.executable, "-c", SCRIPT.format(body=body)]
        folder = Path(__file__).parents[3]
        return json.loads(subprocess.check_output(command, cwd=folder))

    first, again, other = run("x + 1"), run("x + 1"), run("x + 2")
    assert first == again
    assert first[0] != other[0] and first[1] != other[1]


def test_what_differs_is_said_with_its_place():
    before = {"estimator": {"class": "A", "params": {"lr": 0.1, "X": "fingerprint a"}}}
    now = {"estimator": {"class": "A", "params": {"lr": 0.2, "X": "fingerprint b"}}}
    assert list(differences(before, now)) == [
        "estimator.lr (0.1 in the journal, 0.2 now)",
        "estimator.X",
    ]
    assert list(differences({}, {"a": 1})) == ["a (not in the journal, 1 now)"]
    assert list(differences({"a": 1}, {})) == ["a (1 in the journal, not there now)"]


def test_params_that_come_back_as_they_were():
    plain = {"a": 1, "b": 0.1 + 0.2, "c": None, "d": "ä", "e": [1, [True]], "f": 2**70}
    assert all(map(is_plain, plain.values()))
    assert json.loads(json.dumps(params_as_json(plain))) == plain
    for value in [(1,), float("inf"), np.float64(1), {"a": 1}, [np.int64(1)], len]:
        assert not is_plain(value)
        assert set(params_as_json({"a": value})["a"]) == {"described"}


@pytest.mark.parametrize(
    "value",
    [
        ("conv", "skip"),
        (("relu", 0), ("tanh", 0, 1)),
        ({"width": 8, "skip": True}, {"width": 4, "skip": False}),
        ({"kernels": (3, [5, 7])},),
        (),
        [1, "a", None],
    ],
)
def test_what_is_made_of_tuples_and_dicts_is_read_back(value):
    recorded = json.loads(json.dumps(params_as_json({"cell": value})))
    assert value_of_json(recorded["cell"]) == value
