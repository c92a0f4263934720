"""Bad input of every kind, and good input that looks bad.

Each case says what to make of a search, and what to fit it on. What has to happen is
not said here: tests judge.
"""

from __future__ import annotations

import functools
import itertools
import tempfile
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse, stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sktune.strategy import Bayes, Listed
from tests.helpers.hostile import (
    KINDS,
    N_SAMPLES,
    RUNGS,
    WITH_RESOURCES,
    Given,
    Probe,
    data,
    make,
)

NAN, INF = float("nan"), float("inf")
HUGE = 10**400  # no float holds it


@dataclass(frozen=True)
class Case:
    """What is given, made anew for each search.

    Attributes
    ----------
    arguments : callable
        Gives a dict of arguments of the search.
    data : callable
        Gives X, y and a dict of what else `fit` is given.
    kinds : tuple of str
        The searches that have the arguments.
    """

    name: str
    arguments: Callable[[], dict[str, Any]]
    data: Callable[[], tuple[Any, Any, dict[str, Any]]]
    kinds: tuple[str, ...] = KINDS

    def __str__(self) -> str:
        return self.name


def good() -> tuple[Any, Any, dict[str, Any]]:
    return (*data(), {})


# -- arguments -----------------------------------------------------------------------


class Says:
    """A value, and what it is called where its own `repr` would not do."""

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        self.name = name
        self.make = make


def said(name: str, value: Any) -> Says:
    return Says(name, lambda: value)


class Proposes:
    """A strategy that proposes whatever it is told to."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def init(self, problem):
        return None

    def ask(self, state, candidate, pending, seed):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def tell(self, state, observation):
        return None


def refuse_all(params):
    return False


def never_returns(params):
    pass


def raises(*args, **kwargs):
    raise KeyError("of the user")


def no_arguments():
    return True


NUMBERS = [0, -1, 1.5, "3", None, True, NAN, INF, np.int64(2), np.float64(2), [3], 1j]
COUNTS = [*NUMBERS, said("1e30", 10**30)]
SECONDS = [0, -1, NAN, INF, "10", None, True, 1e-9, 1e300, said("HUGE", HUGE), [1]]
DIRECTORY = Says("a folder", lambda: _FOLDER.name)
NOT_THERE = Says("in no folder", lambda: str(_new_path() / "such" / "file"))

_FOLDER = tempfile.TemporaryDirectory(prefix="sktune-hostile-")
_numbers = itertools.count()


def _new_path() -> Path:
    return Path(_FOLDER.name, str(next(_numbers)))


def _some_file(text: str) -> str:
    path = _new_path()
    path.write_text(text)
    return str(path)


def ends_early(n: int) -> Any:
    folds = list(KFold(3).split(np.zeros(N_SAMPLES)))
    return (fold for fold in folds[:n])


class Lies(KFold):
    """Says that it makes more splits than it does."""

    def get_n_splits(self, X=None, y=None, groups=None):
        return 7


class Raises(KFold):
    def split(self, X, y=None, groups=None):
        raise RuntimeError("cannot split")


class NoNumber(KFold):
    def get_n_splits(self, X=None, y=None, groups=None):
        return "three"


def _half(n: int = N_SAMPLES) -> tuple[Any, Any]:
    return np.arange(n // 2), np.arange(n // 2, n)


def _mask(n: int = N_SAMPLES) -> Any:
    return np.arange(n) < n // 2


SPLITTERS: list[Any] = [
    0,
    1,
    -1,
    2,
    100,
    2.5,
    "3",
    None,
    True,
    NAN,
    np.int64(3),
    [],
    [()],
    [(0,)],
    [None],
    [(None, None)],
    [(range(3), range(3, 6), range(6, 9))],
    said("empty generator", ends_early(0)),
    Says("generator that ends early", lambda: ends_early(1)),
    Says("object", object),
    said("KFold the class", KFold),
    Says("overlapping", lambda: [(range(20), range(10, 24))]),
    Says("negative indices", lambda: [(np.arange(12), np.arange(-12, 0))]),
    Says("out of range", lambda: [(np.arange(12), np.arange(12, 30))]),
    Says("train out of range", lambda: [(np.arange(40), np.arange(12))]),
    Says("far below zero", lambda: [(np.arange(12), np.arange(-40, -30))]),
    Says("masks", lambda: [(_mask(), ~_mask())]),
    Says("masks of another length", lambda: [(_mask(40), ~_mask(40))]),
    Says("lists of bools", lambda: [(_mask().tolist(), (~_mask()).tolist())]),
    Says("slices", lambda: [(slice(0, 12), slice(12, 24))]),
    Says("float indices", lambda: [tuple(a.astype(float) for a in _half())]),
    Says("half indices", lambda: [(np.array([0.5, 1.5]), np.array([3.5]))]),
    Says("indices that are text", lambda: [(["a", "b"], ["c"])]),
    Says("indices in two dimensions", lambda: [tuple(a[:, None] for a in _half())]),
    Says("object indices", lambda: [tuple(a.astype(object) for a in _half())]),
    Says("no rows to train on", lambda: [(np.array([], int), np.arange(24))]),
    Says("no rows to test on", lambda: [(np.arange(24), np.array([], int))]),
    Says("empty lists", lambda: [([], [])]),
    Says("one row each", lambda: [([0], [1])]),
    Says("one class to train on", lambda: [(np.arange(0, 24, 2), np.arange(1, 24, 2))]),
    Says("the same row", lambda: [([0] * 24, [1] * 3)]),
    Says("scalars", lambda: [(3, 4)]),
    Says("splitter that lies", lambda: Lies(3)),
    Says("splitter that raises", lambda: Raises(3)),
    Says("splitter without a number", lambda: NoNumber(3)),
    Says("groups missing", lambda: GroupKFold(3)),
    Says("stratified", lambda: StratifiedKFold(3)),
    Says("more folds than rows of a class", lambda: StratifiedKFold(20)),
    Says("time series", lambda: TimeSeriesSplit(3)),
    Says("one row to test", lambda: ShuffleSplit(2, test_size=1, random_state=0)),
    Says("predefined", lambda: PredefinedSplit(np.arange(24) % 3 - 1)),
    Says("shuffled by a generator", lambda: KFold(3, shuffle=True)),
    {"train": [0], "test": [1]},
    {0, 1},
    "abc",
]


def scorer(answer: Any) -> Callable[..., Any]:
    def score(estimator, X, y=None):
        return answer() if callable(answer) else answer

    score.__name__ = f"scorer_of_{type(answer).__name__}"
    return score


def _in_turn(*answers: Any) -> Callable[..., Any]:
    calls = iter(range(10**6))
    return scorer(lambda: answers[next(calls) % len(answers)])


def no_data(estimator):
    return 1.0


def changes_X(estimator, X, y=None):
    X[:] = 0
    return 0.5


SCORINGS: list[Any] = [
    "nope",
    "",
    3,
    True,
    [],
    (),
    {},
    ["accuracy", "accuracy"],
    ["accuracy", "nope"],
    ["accuracy", 3],
    {"a": None},
    {"a": 3},
    {"a": "accuracy"},
    {1: "accuracy"},
    {"accuracy"},
    "roc_auc",
    "neg_log_loss",
    Says("object", object),
    Says("a function that takes nothing", lambda: no_data),
    Says("raising", lambda: raises),
    Says("changes X", lambda: changes_X),
    *(
        Says(f"score {name}", functools.partial(scorer, answer))
        for name, answer in {
            "nan": NAN,
            "inf": INF,
            "-inf": -INF,
            "text": "good",
            "number as text": "0.5",
            "None": None,
            "complex": 1j,
            "bool": True,
            "array": np.array([1.0, 2.0]),
            "array of one": np.array([1.0]),
            "array of none": np.array(0.5),
            "list": [0.5],
            "dict": {"a": 1.0, "b": 2.0},
            "dict of none": {},
            "dict of NaN": {"a": NAN, "b": 0.5},
            "dict of text": {"a": "x"},
            "dict of None": {"a": None},
            "dict of numbers": {1: 0.5},
            "float32": np.float32(0.5),
            "Decimal": Decimal("0.5"),
            "Fraction": Fraction(1, 2),
            "tensor": torch.tensor(0.5),
            "1e308": 1e308,
            "HUGE": HUGE,
            "object": object(),
        }.items()
    ),
    Says("scores that alternate with NaN", lambda: _in_turn(0.5, NAN)),
    Says("scores that alternate with text", lambda: _in_turn(0.5, "x")),
    Says("scores that alternate with dicts", lambda: _in_turn(0.5, {"a": 1.0})),
    Says("dicts of other keys", lambda: _in_turn({"a": 1.0}, {"b": 1.0})),
    Says("1e308 and its opposite", lambda: _in_turn(1e308, -1e308, 1e308)),
]


def returning(value: Any) -> Callable[..., Any]:
    def choose(results):
        return value

    return choose


REFITS: list[Any] = [
    "nope",
    "accuracy",
    "score",
    "",
    3,
    None,
    NAN,
    False,
    ["score"],
    *(
        Says(f"index {name}", functools.partial(returning, value))
        for name, value in {
            "1.0": 1.0,
            "nan": NAN,
            "99": 99,
            "-1": -1,
            "None": None,
            "text": "0",
            "True": True,
            "np.int64(0)": np.int64(0),
            "np.int64(99)": np.int64(99),
            "array": np.array([0]),
            "array of none": np.array(0),
            "HUGE": HUGE,
        }.items()
    ),
    Says("index raising", lambda: raises),
    Says("index of no arguments", lambda: no_arguments),
]


ARGUMENTS: dict[str, tuple[tuple[str, ...], list[Any]]] = {
    "n_iter": (("randomized", "bayes", "freeze_thaw"), NUMBERS),
    "n_candidates": (("halving",), [*NUMBERS, "all", "exhaust"]),
    "factor": (
        RUNGS,
        [
            0,
            1,
            -3,
            NAN,
            INF,
            "3",
            None,
            True,
            1e308,
            said("1e30", 10**30),
            said("HUGE", HUGE),
            1.0000001,
            np.float32(2),
            np.int64(2),
            Fraction(5, 2),
            Decimal("2.5"),
            2j,
            [3],
        ],
    ),
    "resource": (
        WITH_RESOURCES,
        [
            "",
            "nope",
            "b",
            "n",
            "max_epochs",
            "n_samples",
            "n_sample",
            "partial_fit",
            "a__b",
            "__",
            3,
            None,
            ["n"],
        ],
    ),
    "max_resources": (WITH_RESOURCES, [*COUNTS, "max", 24, 25, 1]),
    "population_size": (("population",), NUMBERS),
    "interval": (("population",), [*COUNTS, 24, 25, 1, "auto"]),
    "quantile": (("population",), [0, 0.5, 0.51, 1e-9, NAN, "0.1", None, True]),
    "resample": (("population",), [0, 1, 1.5, -0.1, NAN, "0.1", None, True]),
    "min_resources": (
        (*RUNGS, "freeze_thaw"),
        [*COUNTS, "min", "exhaust", 24, 25, 1, 3],
    ),
    "aggressive_elimination": (("halving",), [1, "yes", None, np.bool_(True), True]),
    "strategy": (
        RUNGS,
        [
            "grid",
            "",
            None,
            3,
            Says("object", object),
            said("Bayes the class", Bayes),
            said("Listed the class", Listed),
            "bayes",
            Says("nothing to propose", lambda: Proposes(None)),
            Says("text", lambda: Proposes("a")),
            Says("list", lambda: Proposes([1])),
            Says("number", lambda: Proposes(0.5)),
            Says("an unknown name", lambda: Proposes({"zz": 1})),
            Says("a name that is no text", lambda: Proposes({1: 1})),
            Says("out of the space", lambda: Proposes({"a": 99.0, "b": 1})),
            Says("no parameters", lambda: Proposes({})),
            Says("an error", lambda: Proposes(KeyError("of the user"))),
        ],
    ),
    "asynchronous": (RUNGS, ["yes", 1, None, np.bool_(True), True]),
    "n_pending": (("bayes", *RUNGS, "freeze_thaw"), COUNTS),
    "n_rounds": (("hyperband",), COUNTS),
    "checkpoints": (WITH_RESOURCES, [3, b"x", True, [], NOT_THERE, DIRECTORY]),
    "max_resources_total": (WITH_RESOURCES, [*COUNTS, 1, 50]),
    "min_splits": (RUNGS, COUNTS),
    "initial_points": (
        ("randomized", "bayes"),
        [
            3,
            "ab",
            {},
            {"a": 0.1, "b": 1},
            [3],
            [None],
            [{}],
            ["ab"],
            [{"zz": 1}],
            [{"a": 0.1}],
            [{"a": 99, "b": 1}],
            [{"a": NAN, "b": 1}],
            [{"a": INF, "b": 1}],
            [{"a": None, "b": 1}],
            [{"a": 1j, "b": 1}],
            [{"a": np.array([0.1]), "b": 1}],
            [{"a": "0.1", "b": 1}],
            [{1: 0.1, "b": 1}],
            [{"a": True, "b": 1}],
            [{"a": 0.1, "b": 1}] * 9,
            said("HUGE", [{"a": HUGE, "b": 1}]),
            ({"a": np.float64(0.1), "b": np.int64(1)},),
            Says("generator", lambda: iter([{"a": 0.1, "b": 1}])),
            Says("frame", lambda: pd.DataFrame({"a": [0.1], "b": [1]})),
            Says("proxies", lambda: [MappingProxyType({"a": 0.1, "b": 1})]),
        ],
    ),
    "warm_start_from": (
        ("bayes",),
        [
            3,
            "results.csv",
            {},
            [],
            [None],
            [[]],
            object,
            Probe,
            {"mean_test_score": [1.0]},
            {"mean_test_score": [1.0], "params": [None]},
            {"mean_test_score": ["good"], "params": [{"a": 0.1}]},
            {"mean_test_score": [1.0, 2.0], "params": [{"a": 0.1, "b": 1}]},
            {"mean_test_score": [NAN, INF], "params": [{"a": 0.1, "b": 1}] * 2},
            {"mean_test_score": [1.0] * 3, "params": [{"a": 0.1, "b": 1}] * 3},
            {"mean_test_score": [1e308, -1e308], "params": [{"a": 0.1, "b": 1}] * 2},
            {"mean_test_score": [1.0] * 3, "params": [{"a": 1j}, {"b": []}, {3: 4}]},
            {"mean_test_score": [1.0] * 2, "params": [{"a": NAN, "b": 1}] * 2},
            {"mean_test_score": [1.0] * 2, "params": [{"a": 0.1, "c": [1]}] * 2},
            {"mean_test_score": 1.0, "params": [{"a": 0.1}]},
            {"mean_test_score": np.eye(2), "params": [{"a": 0.1, "b": 1}] * 2},
            {"mean_test_r2": [1.0], "params": [{"a": 0.1}]},
            said("HUGE", {"mean_test_score": [HUGE], "params": [{"a": HUGE, "b": 1}]}),
            Says("unfitted", lambda: make("bayes")),
            Says("frame", lambda: pd.DataFrame({"mean_test_score": [1], "a": [2]})),
            Says(
                "good frame",
                lambda: pd.DataFrame(
                    {"mean_test_score": [1, 2], "param_a": ["0.1", "0.2"], "param_b": 1}
                ),
            ),
            Says("fitted", lambda: make("randomized").fit(*data())),
        ],
    ),
    "objectives": (("bayes",), [(), ("score",), "score", ["a", "b"], 3, [None, {}]]),
    "acquisition": (("bayes",), ["ei", "", None, 3, "pi", "ucb"]),
    "surrogate": (("bayes",), ["rf", "", None, 3]),
    "pre_dispatch": (
        ("grid", "randomized", "bayes"),
        [0, -1, "", "nope", "2*", "n_jobs", "all", None, 1.5, NAN, [1], "1/0", 10**30],
    ),
    "constraint": (
        KINDS,
        [
            3,
            "x",
            True,
            [],
            said("refuses all", refuse_all),
            said("forgets to return", never_returns),
            said("raises", raises),
            said("takes nothing", no_arguments),
            said("returns 1", lambda params: 1),
            said("returns an array", lambda params: np.array([True])),
            said("returns np.bool_", lambda params: np.bool_(True)),
            said("empties the params", lambda params: bool(params.clear()) or True),
            said("reads what is not there", lambda params: params["zz"] > 0),
        ],
    ),
    "cv": (KINDS, SPLITTERS),
    "scoring": (KINDS, SCORINGS),
    "refit": (KINDS, REFITS),
    "error_score": (
        KINDS,
        ["nan", "", "rais", "raise", None, True, 1j, INF, -INF, 0, np.float32(0), [0]],
    ),
    "random_state": (
        KINDS,
        [
            -1,
            1.5,
            "0",
            None,
            True,
            NAN,
            2**32 - 1,
            2**32,
            10**30,
            np.int64(3),
            [1, 2],
            Says("RandomState", lambda: np.random.RandomState(0)),
            Says("Generator", lambda: np.random.default_rng(0)),
            said("np.random", np.random),
        ],
    ),
    "n_jobs": (KINDS, [0, -100, 1.5, "2", True, None, NAN, np.int64(1), [1]]),
    "verbose": (KINDS, [-1, "x", None, True, 1.5, NAN, 0]),
    "return_train_score": (KINDS, ["yes", 1, None, np.bool_(True), True]),
    "fit_memory": (KINDS, [*SECONDS, 2**40, "", "2GB", "0MB", "2 G", "much", b"2GB"]),
    "fit_timeout": (KINDS, SECONDS),
    "max_time": (KINDS, SECONDS),
    "journal": (
        KINDS,
        [
            3,
            b"x",
            True,
            [],
            Says("object", object),
            DIRECTORY,
            NOT_THERE,
            Says("no journal", lambda: _some_file("Dear diary,\n")),
            Says("JSON, and no journal", lambda: _some_file('{"a": 1}\n[1]\n')),
            Says("empty", lambda: _some_file("")),
        ],
    ),
    "devices": (
        KINDS,
        [
            3,
            -1,
            True,
            1.5,
            "",
            "gpu",
            "cuda:99",
            "cuda:-1",
            "cuda:x",
            [],
            {},
            [3],
            [None],
            ["cpu", "cpu"],
            {"cpu": 0},
            {"cpu": "x"},
            {"cpu": None},
            {3: 1},
            said("torch.device", torch.device("cpu")),
            Says("object", object),
            "cpu",
        ],
    ),
    "fits_per_device": (
        KINDS,
        [0, -1, 1.5, "many", "", None, True, NAN, 2, "auto", [1], np.int64(1), 1j],
    ),
}


# -- spaces --------------------------------------------------------------------------


class Drawn:
    """A distribution of the user's own, which draws what it is told to."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def rvs(self, random_state=None):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class NoMethod:
    rvs = 3


class Bent(Drawn):
    """A distribution whose methods answer nonsense."""

    def support(self):
        return self.answer

    def ppf(self, q):
        return self.answer

    def cdf(self, x):
        return self.answer


ENTRIES: dict[str, Callable[[], Any]] = {
    "[]": list,
    "()": tuple,
    "range(0)": lambda: range(0),
    "empty array": lambda: np.array([]),
    "text": lambda: "abc",
    "bytes": lambda: b"abc",
    "number": lambda: 3,
    "None": lambda: None,
    "set": lambda: {1, 2},
    "dict": lambda: {"x": 1},
    "generator": lambda: (i for i in [1, 2]),
    "map": lambda: map(int, "12"),
    "matrix": lambda: np.ones((2, 2)),
    "array without length": lambda: np.array(3),
    "[nan]": lambda: [NAN],
    "[nan, inf, 1]": lambda: [NAN, INF, 1],
    "[None, None]": lambda: [None, None],
    "[1, 1, 1]": lambda: [1, 1, 1],
    "[1, True, 1.0, '1']": lambda: [1, True, 1.0, "1", None],
    "lists": lambda: [[1], [2], [1]],
    "arrays": lambda: [np.array([1, 2]), np.array([3])],
    "objects": lambda: [object(), object()],
    "lambdas": lambda: [lambda: 1, lambda: 2],
    "estimators": lambda: [Ridge(), LogisticRegression(), Ridge],
    "huge": lambda: [HUGE, -HUGE, 0],
    "complex": lambda: [1j, 2],
    "range": lambda: range(3),
    "deque": lambda: deque([1, 2]),
    "series": lambda: pd.Series([0.1, 0.2], index=[7, 8]),
    "index": lambda: pd.Index([0.1, 0.2]),
    "frame": lambda: pd.DataFrame({"x": [1, 2]}),
    "tensor": lambda: torch.tensor([0.1, 0.2]),
    "dates": lambda: np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]"),
    "structured": lambda: np.array([(1, 2.0)], dtype=[("x", int), ("y", float)]),
    "masked": lambda: np.ma.array([1.0, 2.0], mask=[True, False]),
    "nested sequences": lambda: [(1, [2]), (1, [2]), {"x": [1]}],
    "not frozen": lambda: stats.loguniform,
    "wrong arguments": lambda: stats.loguniform(-1, 1),
    "no width": lambda: stats.uniform(0, 0),
    "negative width": lambda: stats.uniform(0, -1),
    "NaN arguments": lambda: stats.uniform(NAN, 1),
    "infinite width": lambda: stats.uniform(0, INF),
    "arrays of arguments": lambda: stats.uniform([0, 1], [2, 3]),
    "two dimensions": lambda: stats.multivariate_normal([0, 0]),
    "dirichlet": lambda: stats.dirichlet([1, 2]),
    "norm": lambda: stats.norm(),
    "norm, not frozen": lambda: stats.norm,
    "cauchy": lambda: stats.cauchy(),
    "expon": lambda: stats.expon(scale=1e300),
    "pareto": lambda: stats.pareto(0.1),
    "zipf": lambda: stats.zipf(1.5),
    "poisson": lambda: stats.poisson(3),
    "geom": lambda: stats.geom(1e-9),
    "long randint": lambda: stats.randint(0, 2**62),
    "randint of none": lambda: stats.randint(5, 5),
    "loguniform of a point": lambda: stats.loguniform(1, 1),
    "loguniform from zero": lambda: stats.loguniform(0, 1),
    "extreme loguniform": lambda: stats.loguniform(1e-300, 1e300),
    "subnormal": lambda: stats.uniform(0, 5e-324),
    "new style": lambda: stats.Uniform(a=3, b=1),
    "new style, infinite": lambda: stats.Normal(),
    "rvs None": lambda: Drawn(None),
    "rvs NaN": lambda: Drawn(NAN),
    "rvs array": lambda: Drawn(np.array([1.0, 2.0])),
    "rvs text": lambda: Drawn("x"),
    "rvs raises": lambda: Drawn(KeyError("of the user")),
    "rvs a number": lambda: NoMethod(),
    "bent None": lambda: Bent(None),
    "bent NaN": lambda: Bent(NAN),
    "bent text": lambda: Bent("ab"),
    "bent tuple": lambda: Bent((0.0, 1.0)),
    "distribution in a list": lambda: [stats.uniform(0, 1)],
}

SPACES: dict[str, Callable[[], Any]] = {
    "[]": list,
    "()": tuple,
    "{}": dict,
    "[{}]": lambda: [{}],
    "[{}, {}]": lambda: [{}, {}],
    "None": lambda: Given(None),
    "text": lambda: "abc",
    "number": lambda: 3,
    "list of numbers": lambda: [1, 2],
    "list of None": lambda: [None],
    "dict and number": lambda: [{"a": [1, 2]}, 3],
    "tuple of dicts": lambda: ({"a": [1, 2]},),
    "set": lambda: {"a"},
    "generator": lambda: (d for d in [{"a": [1]}]),
    "proxy": lambda: MappingProxyType({"a": [1, 2]}),
    "ordered": lambda: OrderedDict(a=[1, 2]),
    "list of proxies": lambda: [MappingProxyType({"a": [1, 2]})],
    "list of lists": lambda: [[("a", [1])]],
    "name 1": lambda: {1: [1, 2]},
    "name None": lambda: {None: [1, 2]},
    "name ()": lambda: {(): [1, 2]},
    "names of two types": lambda: {1: [1, 2], "a": [1, 2]},
    "name ''": lambda: {"": [1, 2]},
    "name '__'": lambda: {"__": [1, 2]},
    "name 'a__'": lambda: {"a__": [1, 2]},
    "name 'a__b'": lambda: {"a__b": [1, 2]},
    "misspelt": lambda: {"aa": [1, 2]},
    "fit": lambda: {"fit": [1, 2]},
    "name with spaces": lambda: {" a": [1, 2]},
    "wrong in the second": lambda: [{"a": [1, 2]}, {"zz": [1, 2]}],
    "twice": lambda: [{"a": [1, 2]}, {"a": [1, 2]}],
    "overlapping": lambda: [{"a": [1, 2]}, {"a": [2, 3]}],
    "frame": lambda: pd.DataFrame({"a": [1, 2]}),
    "array": lambda: np.array([{"a": [1, 2]}]),
}


# -- data ----------------------------------------------------------------------------


def _x(change: Callable[[Any], Any]) -> Callable[[], tuple[Any, Any, dict[str, Any]]]:
    def changed():
        X, y = data()
        return change(X), y, {}

    return changed


def _y(change: Callable[[Any], Any]) -> Callable[[], tuple[Any, Any, dict[str, Any]]]:
    def changed():
        X, y = data()
        return X, change(y), {}

    return changed


def _both(change: Callable[..., Any]) -> Callable[[], tuple[Any, Any, dict[str, Any]]]:
    return lambda: (*change(*data()), {})


def _fit(**given: Any) -> Callable[[], tuple[Any, Any, dict[str, Any]]]:
    return lambda: (*data(), {k: v() if callable(v) else v for k, v in given.items()})


def _with(values: Any, place: Any, value: Any) -> Any:
    values = np.array(values, dtype=np.result_type(values, type(value)))
    values[place] = value
    return values


def _read_only(values: Any) -> Any:
    values.setflags(write=False)
    return values


def _memmap(values: Any) -> Any:
    mapped = np.memmap(_new_path(), dtype=values.dtype, mode="w+", shape=values.shape)
    mapped[:] = values
    return mapped


def _frame(X: Any, **kwargs: Any) -> Any:
    return pd.DataFrame(X, **kwargs)


DATA: dict[str, Callable[[], tuple[Any, Any, dict[str, Any]]]] = {
    "X longer than y": _both(lambda X, y: (X, y[:-1])),
    "y longer than X": _both(lambda X, y: (X[:-1], y)),
    "no rows": _both(lambda X, y: (X[:0], y[:0])),
    "one row": _both(lambda X, y: (X[:1], y[:1])),
    "two rows": _both(lambda X, y: (X[:2], y[:2])),
    "no columns": _x(lambda X: X[:, :0]),
    "X None": _x(lambda X: None),
    "X and y None": _both(lambda X, y: (None, None)),
    "X a number": _x(lambda X: 3),
    "X text": _x(lambda X: "a" * N_SAMPLES),
    "X a dict": _x(lambda X: {"x": X}),
    "X a set": _x(lambda X: set(range(N_SAMPLES))),
    "X a generator": _x(lambda X: (row for row in X)),
    "X an object": _x(lambda X: object()),
    "X NaN": _x(lambda X: _with(X, (0, 0), NAN)),
    "X all NaN": _x(lambda X: X * NAN),
    "X inf": _x(lambda X: _with(X, (0, 0), INF)),
    "X huge": _x(lambda X: X * 1e300),
    "X objects": _x(lambda X: X.astype(object)),
    "X mixed objects": _x(lambda X: _with(X.astype(object), (0, 0), "a")),
    "X of text": _x(lambda X: X.astype(str)),
    "X of bool": _x(lambda X: X > 0),
    "X complex": _x(lambda X: X + 1j),
    "X float16": _x(lambda X: X.astype(np.float16)),
    "X of dates": _x(lambda X: X.astype("datetime64[s]")),
    "X in one dimension": _x(lambda X: X[:, 0]),
    "X in three dimensions": _x(lambda X: X[:, :, None]),
    "X without dimensions": _x(lambda X: np.array(3.0)),
    "X of lists": _x(lambda X: X.tolist()),
    "X of ragged lists": _x(lambda X: [[1] * (i % 3) for i in range(len(X))]),
    "X of texts": _x(lambda X: [f"text {i}" for i in range(len(X))]),
    "X sparse": _x(sparse.csr_matrix),
    "X sparse, no rows to be had": _x(sparse.coo_matrix),
    "X sparse array": _x(sparse.csc_array),
    "X read-only": _x(_read_only),
    "X memmap": _x(_memmap),
    "X masked": _x(lambda X: np.ma.masked_greater(X, 1)),
    "X structured": _x(lambda X: np.zeros(len(X), dtype=[("x", float)])),
    "X tensor": _x(torch.tensor),
    "X tensor with gradient": _x(lambda X: torch.tensor(X, requires_grad=True)),
    "X reversed": _x(lambda X: X[::-1]),
    "X Fortran": _x(np.asfortranarray),
    "X frame": _x(_frame),
    "X frame with columns of one name": _x(lambda X: _frame(X, columns=list("aab"))),
    "X frame with rows of one name": _x(lambda X: _frame(X, index=[0] * len(X))),
    "X frame with names of two types": _x(lambda X: _frame(X, columns=["a", 1, None])),
    "X frame of objects": _x(lambda X: _frame(X.astype(object))),
    "X series": _x(lambda X: pd.Series(X[:, 0], index=range(7, 7 + len(X)))),
    "y None": _y(lambda y: None),
    "y a number": _y(lambda y: 3),
    "y text": _y(lambda y: "ab" * (N_SAMPLES // 2)),
    "y a dict": _y(lambda y: {"y": y}),
    "y a set": _y(set),
    "y a generator": _y(iter),
    "y NaN": _y(lambda y: _with(y, 0, NAN)),
    "y all NaN": _y(lambda y: y * NAN),
    "y inf": _y(lambda y: _with(y, 0, INF)),
    "y huge": _y(lambda y: y * 1e308),
    "y huge ints": _y(lambda y: [HUGE + int(i) for i in y]),
    "y one class": _y(lambda y: y * 0),
    "y a class with one row": _y(lambda y: (np.arange(len(y)) == 0).astype(int)),
    "y each a class of its own": _y(lambda y: np.arange(len(y))),
    "y objects": _y(lambda y: y.astype(object)),
    "y None among objects": _y(lambda y: [None, *y[1:].tolist()]),
    "y of two types": _y(lambda y: np.array(["a", 1] * (len(y) // 2), dtype=object)),
    "y of texts": _y(lambda y: np.array(["no", "yes"])[y]),
    "y of bool": _y(lambda y: y > 0),
    "y continuous": _y(lambda y: y + 0.5 * np.arange(len(y)) / len(y)),
    "y complex": _y(lambda y: y + 1j),
    "y of dates": _y(lambda y: y.astype("datetime64[s]")),
    "y a column": _y(lambda y: y[:, None]),
    "y in two columns": _y(lambda y: np.c_[y, 1 - y]),
    "y in three dimensions": _y(lambda y: y[:, None, None]),
    "y sparse": _y(lambda y: sparse.csr_matrix(y[:, None])),
    "y frame": _y(lambda y: pd.DataFrame({"y": y})),
    "y series of another index": _y(lambda y: pd.Series(y, index=y)),
    "y categorical": _y(lambda y: pd.Series(pd.Categorical(y))),
    "y tensor": _y(torch.tensor),
    "y ragged": _y(lambda y: [[1] * (i % 3) for i in y]),
    "y float16": _y(lambda y: y.astype(np.float16)),
    "weights too short": _fit(sample_weight=lambda: np.ones(5)),
    "weights too long": _fit(sample_weight=lambda: np.ones(99)),
    "weights negative": _fit(sample_weight=lambda: -np.ones(N_SAMPLES)),
    "weights NaN": _fit(sample_weight=lambda: np.full(N_SAMPLES, NAN)),
    "weights text": _fit(sample_weight="balanced"),
    "weights a number": _fit(sample_weight=2.0),
    "weights None": _fit(sample_weight=None),
    "weights a matrix": _fit(sample_weight=lambda: np.ones((N_SAMPLES, 2))),
    "weights dict": _fit(sample_weight=lambda: {0: 1.0}),
    "groups too short": _fit(groups=lambda: np.arange(5)),
    "groups too long": _fit(groups=lambda: np.arange(99)),
    "groups None": _fit(groups=None),
    "groups NaN": _fit(groups=lambda: np.full(N_SAMPLES, NAN)),
    "groups of two types": _fit(groups=lambda: [1, "a"] * (N_SAMPLES // 2)),
    "groups text": _fit(groups="abc"),
    "groups a number": _fit(groups=3),
    "groups a matrix": _fit(groups=lambda: np.ones((N_SAMPLES, 2))),
    "one group": _fit(groups=lambda: np.zeros(N_SAMPLES)),
    "unknown argument of fit": _fit(sample_weigth=lambda: np.ones(N_SAMPLES)),
    "param_distributions in fit": _fit(param_distributions=dict),
}


# -- estimators ----------------------------------------------------------------------


class NoFit(BaseEstimator):
    def __init__(self, a=0, b=0, n=4):
        self.a = a
        self.b = b
        self.n = n

    def score(self, X, y):
        return 0.0


class NoScore(BaseEstimator):
    def __init__(self, a=0, b=0, n=4):
        self.a = a
        self.b = b
        self.n = n

    def fit(self, X, y):
        return self


class NoParams:
    a = b = 0

    def fit(self, X, y):
        return self

    def score(self, X, y):
        return 0.0


class NoSetParams(NoParams):
    def get_params(self, deep=True):
        return {"a": 0, "b": 0}


class ReturnsNothing(Probe):
    def fit(self, X, y=None):
        super().fit(X, y)


class ChangesItself(Probe):
    """Rewrites its own parameters in `fit`."""

    def fit(self, X, y=None):
        self.a, self.b, self.n = None, "changed", -1
        return super().fit(X, y)


class ChangesParams(Probe):
    """Does not store what it was given."""

    def __init__(self, a=0.0, b=0.0, n=4):
        super().__init__(a, b, n)
        self.a = float(a) + 1


class ForgetsParams(Probe):
    def __init__(self, a=0.0, b=0.0, n=4):
        pass


class TakesAnything(ClassifierMixin, BaseEstimator):
    def __init__(self, *args):
        pass

    def fit(self, X, y):
        return self


class Failing(Probe):
    def fit(self, X, y=None):
        super().fit(X, y)
        raise self.error

    error: Any = ValueError("of the user")


class FailsWithKeyError(Failing):
    error = KeyError("of the user")


class FailsWithStopIteration(Failing):
    error = StopIteration()


class FailsWithGroup(Failing):
    error = ExceptionGroup("of the user", [KeyError(1)])


class FailsWithMemoryError(Failing):
    error = MemoryError()


class FailsWithWarning(Failing):
    error = UserWarning("of the user")


class FailsWithRecursion(Probe):
    def fit(self, X, y=None):
        return self.fit(X, y)


class FailsSometimes(Probe):
    def fit(self, X, y=None):
        super().fit(X, y)
        if X[0, 0] > 0:
            raise ValueError("of the user")
        return self


class ScoreFails(Probe):
    def score(self, X, y=None):
        raise KeyError("of the user")


class ScoreNothing(Probe):
    def score(self, X, y=None):
        pass


class NoPredict(Probe):
    predict = None


class ChangesData(Probe):
    def fit(self, X, y=None):
        X[:] = NAN
        return super().fit(X, y)


class SeedsAll(Probe):
    def fit(self, X, y=None):
        np.random.seed(0)
        torch.manual_seed(0)
        return super().fit(X, y)


class GetParamsFails(Probe):
    def get_params(self, deep=True):
        raise KeyError("of the user")


class SetParamsFails(Probe):
    def set_params(self, **params):
        raise KeyError("of the user")


class Unprintable(Probe):
    def __repr__(self):
        raise KeyError("of the user")


class HasEveryAttribute(Probe):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self


def _local() -> Any:
    class Local(Probe):
        pass

    return Local()


def _itself() -> Any:
    pipe = Pipeline([("a", StandardScaler())])
    pipe.steps.append(("b", pipe))
    return pipe


ESTIMATORS: dict[str, Callable[[], Any]] = {
    "None": lambda: Given(None),
    "text": lambda: "LogisticRegression",
    "number": lambda: 3,
    "object": object,
    "the class": lambda: Probe,
    "a list": lambda: [Probe()],
    "a function": lambda: data,
    "no steps": lambda: Pipeline([]),
    "a pipeline in itself": _itself,
    "a pipeline of steps that are none": lambda: Pipeline([("a", 3), ("b", Probe())]),
    "a pipeline with names of one kind": lambda: Pipeline(
        [("a", StandardScaler()), ("a", Probe())]
    ),
    "a pipeline that ends in a transformer": lambda: Pipeline(
        [("a", StandardScaler())]
    ),
    "local": _local,
    "lambda for a parameter": lambda: Probe(b=lambda: 3),
    "class for a parameter": lambda: Probe(b=Probe),
    "estimator for a parameter": lambda: Probe(b=Probe()),
    **{
        cls.__name__: cls
        for cls in (
            NoFit,
            NoScore,
            NoParams,
            NoSetParams,
            ReturnsNothing,
            ChangesItself,
            ChangesParams,
            ForgetsParams,
            TakesAnything,
            Failing,
            FailsWithKeyError,
            FailsWithStopIteration,
            FailsWithGroup,
            FailsWithMemoryError,
            FailsWithWarning,
            FailsWithRecursion,
            FailsSometimes,
            ScoreFails,
            ScoreNothing,
            NoPredict,
            ChangesData,
            SeedsAll,
            GetParamsFails,
            SetParamsFails,
            Unprintable,
            HasEveryAttribute,
        )
    },
}


# -- all -----------------------------------------------------------------------------


def _argument_cases() -> list[Case]:
    cases = []
    for argument, (kinds, values) in ARGUMENTS.items():
        for value in values:
            is_said = isinstance(value, Says)
            name = value.name if is_said else repr(value)
            make = value.make if is_said else functools.partial(lambda v: v, value)
            cases.append(
                Case(
                    f"{argument}={name}",
                    functools.partial(lambda a, m: {a: m()}, argument, make),
                    good,
                    kinds,
                )
            )
    return cases


def _space_of(entry: Callable[[], Any]) -> dict[str, Any]:
    return {"space": {"a": entry(), "b": [1, 2]}}


def _given(name: str, make: Callable[[], Any]) -> dict[str, Any]:
    return {name: make()}


def _estimator(make: Callable[[], Any]) -> dict[str, Any]:
    estimator = make()
    # A pipeline has no parameter `a`; nor may what is no estimator.
    space = {"space": {}} if isinstance(estimator, Pipeline) else {}
    return {"estimator": estimator, **space}


def _of_rungs(n: str, **given: Any) -> dict[str, Any]:
    return {"resource": n, "max_resources": 4, "factor": 2, **given}


CASES: list[Case] = [
    *_argument_cases(),
    *(
        Case(f"space a: {name}", functools.partial(_space_of, entry), good)
        for name, entry in ENTRIES.items()
    ),
    *(
        Case(f"space {name}", functools.partial(_given, "space", make), good)
        for name, make in SPACES.items()
    ),
    *(Case(name, dict, make) for name, make in DATA.items()),
    *(
        Case(f"estimator {name}", functools.partial(_estimator, make), good)
        for name, make in ESTIMATORS.items()
    ),
    *(
        Case(
            f"{name}, passed on",
            lambda: {"cv": GroupKFold(3)},
            make,
        )
        for name, make in DATA.items()
        if name.startswith(("groups", "one group"))
    ),
    *(
        Case(
            f"refit={refit!r} of two metrics",
            functools.partial(
                lambda refit: {
                    "scoring": {"a": scorer(0.5), "b": scorer(NAN)},
                    "refit": refit,
                },
                refit,
            ),
            good,
        )
        for refit in ("a", "b", "c", True, False, None, 3, "")
    ),
    *(
        Case(
            f"estimator {name}, error_score='raise'",
            functools.partial(
                lambda cls: {"estimator": cls(), "error_score": "raise"}, cls
            ),
            good,
        )
        for name, cls in {
            "Failing": Failing,
            "ScoreFails": ScoreFails,
            "ScoreNothing": ScoreNothing,
        }.items()
    ),
    Case(
        "resource n, not a number",
        lambda: _of_rungs("n", estimator=Probe(n="x")),
        good,
        RUNGS,
    ),
    Case(
        "resource n, from a NaN",
        lambda: {"resource": "n", "factor": 2, "estimator": Probe(n=NAN)},
        good,
        RUNGS,
    ),
    Case("resource n", lambda: _of_rungs("n"), good, RUNGS),
    Case("resource partial_fit", lambda: _of_rungs("partial_fit"), good, RUNGS),
]
