"""What every search keeps that has a journal."""

import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.stats import uniform
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sktune import GridSearchCV, HyperbandSearchCV, SuccessiveHalvingSearchCV
from sktune._errors import JournalError
from sktune.inspection import read_journal
from sktune.persistence import read_records
from tests.contract.test_searches import (
    X,
    bayes,
    every_search,
    grid,
    halving,
    hyperband,
    randomized,
    y,
)
from tests.helpers.estimators import Score

pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

SPACE = {"a": [0.0, 0.25, 0.5, 0.75], "b": [0.5]}


class Counted(Score):
    """Counts its fits, in a list of the test's."""

    fits = []

    def fit(self, X, y, sample_weight=None):
        self.fits.append(self.a)
        return super().fit(X, y)


@pytest.fixture
def fits():
    Counted.fits.clear()
    return Counted.fits


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "search.jsonl"


def make(search, journal=None, estimator=None, space=SPACE, **kwargs):
    estimator = Counted() if estimator is None else estimator
    return search(estimator, space, **{"cv": 2, "journal": journal, **kwargs})


def cut(journal, n_fits):
    """Leave so many fits in the journal, as if the search had been killed then."""
    lines = journal.read_text().splitlines(keepends=True)
    kinds = [json.loads(line)["record"] for line in lines]
    last = [k for k, kind in enumerate(kinds) if kind == "fit"][n_fits]
    journal.write_text("".join(lines[:last]))


def assert_same(fitted, expected, times=False):
    a, b = fitted.cv_results_, expected.cv_results_
    assert list(a) == list(b)
    for key in a:
        if times or "_time" not in key:
            np.testing.assert_equal(list(a[key]), list(b[key]), err_msg=key)
    assert fitted.best_params_ == expected.best_params_
    assert fitted.best_index_ == expected.best_index_


@every_search
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_fit_is_run_again(search, journal, fits, n_jobs):
    expected = make(search).fit(X, y)
    first = make(search, str(journal)).fit(X, y)
    assert_same(first, expected)
    n_fits = len(read_journal(journal))
    assert n_fits == 2 * len(first.cv_results_["params"])
    before = journal.read_bytes()
    fits.clear()
    again = make(search, journal).fit(X, y)
    assert len(fits) == 1, "the refit alone"
    assert_same(again, first, times=True)
    assert journal.read_bytes() == before
    for n in (0, n_fits // 2 + 1):
        cut(journal, n)
        with joblib.parallel_config("threading"):
            again = make(search, journal, n_jobs=n_jobs).fit(X, y)
        assert_same(again, expected)
        places = read_journal(journal)[["candidate", "split", "iter"]]
        assert len(places) == n_fits and not places.duplicated().any()


@every_search
def test_without_a_random_state(search, journal):
    space = {"a": [0.0, 0.25, 0.5, 0.75], "b": list(range(20))}
    kwargs = {"space": space, "random_state": None}
    if search is grid:
        kwargs["space"] = SPACE
    first = make(search, journal, **kwargs).fit(X, y)
    cut(journal, 3)
    again = make(search, journal, **kwargs).fit(X, y)
    assert_same(again, first)


@every_search
def test_it_is_data_that_persons_can_read(search, journal):
    make(search, journal, random_state=3).fit(X, y)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    header, session, fit = lines[:3]
    assert header["record"] == "search" and header["protocol"] == 2
    assert header["search"] == type(make(search)).__name__.join(["sktune.", ""])
    assert header["root"] == header["random_state"] == 3
    assert header["arguments"]["estimator"]["params"]["a"] == 0.0
    assert set(header["versions"]) >= {"python", "sktune", "sklearn", "torch", "numpy"}
    assert set(header["data"]) == {"X", "y", "splits"}
    assert header["hardware"]["processors"] == os.cpu_count()
    assert session["record"] == "session" and session["n_workers"] == 1
    assert fit["record"] == "fit" and fit["status"] == "ok"
    assert fit["params"].items() <= {"a": fit["params"]["a"], "b": 0.5}.items()
    assert {"candidate", "split", "bracket", "iter", "n_resources", "seed"} < set(fit)
    assert {"test_scores", "fit_time", "score_time", "n_test_samples"} < set(fit)


OTHERS = {
    "X": lambda s: s.fit(X + 1, y),
    "y": lambda s: s.fit(X, y[::-1]),
    "sample_weight": lambda s: s.fit(X, y, sample_weight=np.ones(len(X))),
    "splits": lambda s: s.set_params(cv=3).fit(X, y),
    "estimator.b": lambda s: s.set_params(estimator__b=0.5).fit(X, y),
    "random_state": lambda s: s.set_params(random_state=1).fit(X, y),
    "scoring": lambda s: s.set_params(scoring="accuracy").fit(X, y),
    "return_train_score": lambda s: s.set_params(return_train_score=True).fit(X, y),
}


@every_search
def test_what_differs_is_named(search, journal, fits):
    make(search, journal).fit(X, y)
    before = journal.read_bytes()
    fits.clear()
    for name, fit_other in OTHERS.items():
        with pytest.raises(JournalError, match=rf"differs in: {name}.*Continue it"):
            fit_other(make(search, journal))
    with pytest.raises(JournalError, match=r"differs in: param_\w+.a"):
        make(search, journal, space={**SPACE, "a": [0.0, 0.2, 0.5, 0.75]}).fit(X, y)
    other = halving if search is not halving else hyperband
    with pytest.raises(JournalError, match="differs in: search"):
        make(other, journal).fit(X, y)
    assert not fits
    assert journal.read_bytes() == before


def test_splits_that_are_drawn_anew(journal):
    cv = KFold(2, shuffle=True)
    np.random.seed(0)  # as another process begins with another state
    make(grid, journal, cv=cv).fit(X, y)
    np.random.seed(1)
    with pytest.raises(JournalError, match="shuffles needs a random_state"):
        make(grid, journal, cv=cv).fit(X, y)


def test_a_generator_that_has_moved_on(journal):
    generator = np.random.RandomState(0)
    make(bayes, journal, random_state=generator).fit(X, y)
    with pytest.raises(JournalError, match=r"random_state .a generator"):
        make(bayes, journal, random_state=generator).fit(X, y)
    make(bayes, journal, random_state=np.random.RandomState(0)).fit(X, y)


@every_search
def test_what_may_differ(search, journal, fits):
    make(search, journal).fit(X, y)
    fits.clear()
    other = {"n_jobs": 2, "verbose": 0, "error_score": 0.0, "refit": False}
    make(search, journal, max_time=60, **other).fit(X, y)
    assert not fits


def test_another_metric_may_choose_where_it_does_not_steer(journal):
    def fit(search, refit, path):
        scoring = ["accuracy", "f1_macro"]
        return make(search, path, scoring=scoring, refit=refit).fit(X, y)

    for search in (grid, randomized):
        path = journal.with_name(search.__name__)
        first, second = fit(search, "accuracy", path), fit(search, "f1_macro", path)
        assert_same(second, first, times=True)
    fit(bayes, "accuracy", journal)
    with pytest.raises(JournalError, match=r"refit_metric .'accuracy'.*'f1_macro' now"):
        fit(bayes, "f1_macro", journal)


@every_search
def test_failures_and_scores_that_are_not_finite(search, journal, fits):
    bad = Counted(bad=(0.25,), odd_at=(0.5,), odd=-np.inf)
    kwargs = {"estimator": bad, "return_train_score": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = make(search, **kwargs).fit(X, y)
        make(search, journal, **kwargs).fit(X, y)
        fits.clear()
        again = make(search, journal, **kwargs).fit(X, y)
        assert len(fits) == 1
        other = make(search, journal, error_score=-9.0, **kwargs).fit(X, y)
    assert_same(again, expected)
    frame = read_journal(journal)
    raised = frame[frame.param_a == 0.25]
    assert set(raised.status) == {"failed"}
    assert raised.fit_error.str.contains("a=0.25 is bad").all()
    assert raised.test_score.isna().all()
    assert set(frame[frame.param_a == 0.5].test_score) == {-np.inf}
    row = [p["a"] for p in other.cv_results_["params"]].index(0.25)
    assert other.cv_results_["mean_test_score"][row] == -9.0
    with pytest.raises(ValueError, match=r"a=0.25 is bad"):
        make(search, journal, error_score="raise", **kwargs).fit(X, y)


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf, 10**400, True, 0.1 + 0.2])
def test_scores_come_back_as_they_were(journal, score):
    kwargs = {"estimator": Score(odd=score, odd_at=(0.0,)), "error_score": np.nan}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = make(grid, journal, **kwargs).fit(X, y)
        again = make(grid, journal, **kwargs).fit(X, y)
    assert_same(again, first, times=True)


def test_metrics_of_a_callable(journal, fits):
    def scoring(estimator, X, y):
        if estimator.a == 0.25:
            raise ValueError("none")
        return {"m": estimator.a, "k": np.float32(1) if estimator.a else np.nan}

    kwargs = {"scoring": scoring, "refit": "m"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = make(grid, journal, **kwargs).fit(X, y)
        fits.clear()
        again = make(grid, journal, **kwargs).fit(X, y)
    assert len(fits) == 1
    assert_same(again, first, times=True)
    assert {"test_m", "test_k"} < set(read_journal(journal))


def double(X):
    return 2 * X


VALUES = {
    "estimators": ("scale", [StandardScaler(), StandardScaler(with_mean=False)]),
    "functions": ("scale__func", [np.log1p, np.negative, double]),
    "tuples": ("clf__bad", [(7.0,), (7.0, None)]),
    "None": ("scale__func", [None, np.abs]),
    "not finite": ("clf__odd", [np.nan, np.inf]),
    "numpy": ("clf__a", np.array([0.25, 0.5])),
    "arrays": ("clf__bad", [np.array([7.0]), np.array([8.0])]),
    "booleans and numbers": ("clf__a", [True, 1, 1.0, 0]),
}


@pytest.mark.parametrize("search", [grid, randomized, bayes, halving])
@pytest.mark.parametrize("name", VALUES)
def test_params_that_are_not_json(search, journal, fits, name):
    parameter, values = VALUES[name]
    transformer = FunctionTransformer(np.abs) if "func" in parameter else "passthrough"
    pipeline = Pipeline([("scale", transformer), ("clf", Counted())])
    space = {parameter: values, "clf__b": [0.0, 0.5]}
    kwargs = {"estimator": pipeline, "space": space}
    first = make(search, journal, **kwargs).fit(X, y)
    cut(journal, 5)
    fits.clear()
    again = make(search, journal, **kwargs).fit(X, y)
    n_fits = len(read_journal(journal))
    assert len(fits) == 1 + n_fits - 5
    for a, b in zip(
        again.cv_results_["params"], first.cv_results_["params"], strict=True
    ):
        assert type(a[parameter]) is type(b[parameter])
        assert repr(a) == repr(b)


def test_a_constraint_that_changed_is_found(journal):
    first = make(randomized, journal, space={"a": uniform(0, 1)})
    first.set_params(constraint=lambda params: True).fit(X, y)
    first.set_params(constraint=lambda params: params["a"] > 0.6)
    with pytest.raises(JournalError, match="differs in: c"):
        first.fit(X, y)


def test_nested_searches_cannot_share_a_journal(journal):
    with pytest.raises(JournalError, match=r"differs in: X\."):
        cross_val_score(make(grid, journal), X, y, cv=2, error_score="raise")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_asynchronous(journal, fits, n_jobs):
    def make_one(journal=None):
        search = HyperbandSearchCV if n_jobs == 1 else SuccessiveHalvingSearchCV
        return search(
            SGDClassifier(random_state=0),
            {"alpha": [10.0**-k for k in range(20)]},
            resource="partial_fit",
            max_resources=9,
            asynchronous=True,
            cv=2,
            n_jobs=n_jobs,
            random_state=0,
            journal=journal,
        )

    with joblib.parallel_config("threading"):
        first = make_one(journal).fit(X, y)
        whole = read_journal(journal)
        again = make_one(journal).fit(X, y)
    assert_same(again, first, times=True)
    for n in (3, 2 * len(whole) // 3):
        cut(journal, n)
        with joblib.parallel_config("threading"):
            again = make_one(journal).fit(X, y)
        frame = read_journal(journal)
        places = ["candidate", "split", "iter"]
        assert not frame[places].duplicated().any()
        assert (frame[places][:n] == whole[places][:n]).all(axis=None)
        whole = frame
        if n_jobs == 1:
            assert_same(again, first)
        # Another number of workers replays what was decided with the former one.
        with joblib.parallel_config("threading"):
            replayed = make_one(journal).set_params(n_jobs=3 - n_jobs).fit(X, y)
        assert_same(replayed, again, times=True)


def test_checkpoints_live_beside_the_journal(journal, monkeypatch):
    folder = journal.with_name("search.jsonl.checkpoints")
    search = SuccessiveHalvingSearchCV(
        SGDClassifier(random_state=0),
        {"alpha": [10.0**-k for k in range(9)]},
        resource="partial_fit",
        max_resources=9,
        cv=2,
        random_state=0,
        journal=journal,
    )
    expected = search.fit(X, y).cv_results_
    assert not folder.exists()
    calls = []
    partial_fit = SGDClassifier.partial_fit

    def counted(self, *args, **kwargs):
        calls.append(0)
        if len(calls) == 25:
            raise KeyboardInterrupt
        return partial_fit(self, *args, **kwargs)

    monkeypatch.setattr(SGDClassifier, "partial_fit", counted)
    n_all = search.plan().total_resources
    journal.unlink()
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    (own,) = folder.iterdir()
    assert read_records(journal)[0]["id"] in own.name
    search.fit(X, y)
    # All but the interrupted call are made once; the refit makes 9.
    assert len(calls) == n_all + 1 + 9
    for key in ("mean_test_score", "alpha"):
        np.testing.assert_array_equal(search.cv_results_.get(key), expected.get(key))
    assert not folder.exists()


def test_checkpoints_of_another_search_are_never_read(journal, tmp_path, monkeypatch):
    kwargs = {"resource": "partial_fit", "max_resources": 9, "cv": 2}
    search = SuccessiveHalvingSearchCV(
        SGDClassifier(random_state=0),
        {"alpha": [1e-3, 1e-2, 1e-1, 1.0, 10.0, 1e-4, 1e-5, 1e-6, 1e-7]},
        random_state=0,
        journal=journal,
        checkpoints=tmp_path / "states",
        **kwargs,
    )
    stop = iter(range(30))
    partial_fit = SGDClassifier.partial_fit

    def interrupted(self, *args, **kw):
        if next(stop, None) is None:
            raise KeyboardInterrupt
        return partial_fit(self, *args, **kw)

    with monkeypatch.context() as patch:
        patch.setattr(SGDClassifier, "partial_fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            search.fit(X, y)
    (stale,) = (tmp_path / "states").iterdir()
    journal.unlink()
    other = search.set_params(estimator__loss="modified_huber").fit(X, y)
    expected = search.set_params(journal=None).fit(X, y)
    assert_same(other, expected)
    assert list((tmp_path / "states").iterdir()) == [stale]


@every_search
def test_a_full_disk_ends_the_search_and_it_continues(search, journal, monkeypatch):
    expected = make(search).fit(X, y)
    real, n = os.write, []

    def full(number, data):
        n.append(0)
        if len(n) == 5:
            real(number, data[:20])
            raise OSError(28, "No space left on device")
        return real(number, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        broken = make(search, journal)
        with pytest.raises(JournalError, match=r"No space left on device.*Make room"):
            broken.fit(X, y)
    assert len(read_journal(journal)) == 3
    assert len(broken.cv_results_["params"]) == 1
    assert_same(broken.fit(X, y), expected)


@every_search
@pytest.mark.parametrize("place", ["", "missing/search.jsonl"])
def test_no_fit_is_run_where_nothing_can_be_written(search, tmp_path, fits, place):
    with pytest.raises(JournalError, match="cannot be written"):
        make(search, tmp_path / place).fit(X, y)
    assert not fits


# -- Ctrl-C --------------------------------------------------------------------------


class Interrupted(Counted):
    """Sends Ctrl-C to its own process as its fit of a number begins."""

    at = None

    def fit(self, X, y):
        super().fit(X, y)
        if len(self.fits) == type(self).at:
            os.kill(os.getpid(), signal.SIGINT)
        return self


@every_search
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_is_complete_is_kept(
    search, journal, fits, monkeypatch, capsys, n_jobs, request
):
    expected = make(search, estimator=Interrupted()).fit(X, y)
    fits.clear()
    monkeypatch.setattr(Interrupted, "at", 6)
    searched = make(search, journal, Interrupted(), n_jobs=n_jobs)
    with joblib.parallel_config("threading"), pytest.raises(KeyboardInterrupt):
        searched.fit(X, y)
    assert not hasattr(searched, "best_estimator_")
    n = len(read_journal(journal)) // 2
    if hasattr(searched, "cv_results_"):
        results = searched.cv_results_
        assert 1 <= len(results["params"]) <= n
        assert results["params"][searched.best_index_] == searched.best_params_
        said = f"{len(results['params'])} of {len(expected.cv_results_['params'])} eval"
    else:
        said = "0 of"
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert said in message and "search.jsonl' continues it" in message
    assert n_jobs == 2 or n == 2
    # And again, and then to the end.
    monkeypatch.setattr(Interrupted, "at", len(fits) + 1)
    with joblib.parallel_config("threading"), pytest.raises(KeyboardInterrupt):
        searched.fit(X, y)
    monkeypatch.setattr(Interrupted, "at", None)
    with joblib.parallel_config("threading"):
        assert_same(searched.fit(X, y), expected)


def test_no_best_of_a_fit_before(fits, monkeypatch):
    searched = make(grid, estimator=Interrupted()).fit(X, y)
    fits.clear()
    monkeypatch.setattr(Interrupted, "at", 3)
    searched.set_params(scoring=lambda estimator, X, y: np.nan)
    with pytest.raises(KeyboardInterrupt):
        searched.fit(X, y)
    assert len(searched.cv_results_["params"]) == 1
    for name in ("best_index_", "best_params_", "best_score_", "best_estimator_"):
        assert not hasattr(searched, name)


def test_where_nothing_is_complete_nothing_is_set(fits, monkeypatch, capsys):
    monkeypatch.setattr(Interrupted, "at", 2)
    searched = make(grid, estimator=Interrupted())
    with pytest.raises(KeyboardInterrupt):
        searched.fit(X, y)
    assert not hasattr(searched, "cv_results_")
    assert not hasattr(searched, "best_params_")
    assert "a journal would let it continue" in capsys.readouterr().err


PROCESSES = """
import os, sys, time
import numpy as np
from sklearn.base import BaseEstimator
from sktune import RandomizedSearchCV

class Slow(BaseEstimator):
    def __init__(self, a=0):
        self.a = a
    def fit(self, X, y=None):
        time.sleep(0.05 if self.a < 4 else 60)
        return self
    def score(self, X, y=None):
        return self.a

search = RandomizedSearchCV(
    Slow(), {"a": list(range(6))}, n_iter=6, cv=2, n_jobs=2, random_state=0,
    journal=sys.argv[1], pre_dispatch=2,
)
search._draw = lambda first, random_state: [{"a": k} for k in range(6)]
try:
    search.fit(np.zeros((8, 1)))
except KeyboardInterrupt:
    print(len(search.cv_results_["params"]), search.best_params_, flush=True)
"""


def test_ctrl_c_with_processes(journal):
    command = [sys.executable, "-c", PROCESSES, str(journal)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, cwd=Path(__file__).parents[2],
    ) as process:  # fmt: skip
        try:
            while not (journal.exists() and len(read_records(journal)) == 10):
                assert process.poll() is None, process.stderr.read()
                signal.sigtimedwait([], 0.05)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            out, err = process.communicate(timeout=50)
        finally:
            process.kill()
    assert out == "4 {'a': 3}\n", err
    assert "RandomizedSearchCV was interrupted: 4 of 6 evaluations" in err


# -- budgets -------------------------------------------------------------------------


@every_search
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_fit_starts_when_the_time_is_over(search, journal, monkeypatch, n_jobs):
    import sktune.run.listeners._budget as budget

    clock = iter(range(1000))
    expected = make(search).fit(X, y)
    with monkeypatch.context() as patch:
        patch.setattr(budget, "monotonic", lambda: next(clock))
        short = make(search, journal, max_time=9, n_jobs=n_jobs)
        with (
            joblib.parallel_config("threading"),
            pytest.warns(UserWarning, match=r"max_time=9 was spent after (\d+) of"),
        ):
            short.fit(X, y)
    n_rows = len(short.cv_results_["params"])
    assert 1 <= n_rows < len(expected.cv_results_["params"])
    assert short.best_estimator_.a == short.best_params_["a"]
    # The journal continues; what is known takes no time.
    assert_same(make(search, journal).fit(X, y), expected)
    assert_same(make(search, journal, max_time=1e-9).fit(X, y), expected)


def test_no_time_at_all():
    with pytest.raises(ValueError, match="max_time=1e-09 was spent before the first"):
        make(grid, max_time=1e-9).fit(X, y)


@pytest.mark.parametrize("search", [SuccessiveHalvingSearchCV, HyperbandSearchCV])
@pytest.mark.parametrize("total", [25, 40, 77])
def test_resources_in_all(search, total, journal, monkeypatch):
    calls = []
    partial_fit = SGDClassifier.partial_fit

    def counted(self, *args, **kwargs):
        calls.append(0)
        return partial_fit(self, *args, **kwargs)

    monkeypatch.setattr(SGDClassifier, "partial_fit", counted)
    one = search(
        SGDClassifier(random_state=0),
        {"alpha": [10.0**-k for k in range(20)]},
        resource="partial_fit",
        max_resources=9,
        cv=2,
        random_state=0,
        refit=False,
        journal=journal,
        max_resources_total=total,
    )
    n_all = one.plan().total_resources
    if n_all > total:
        with pytest.warns(UserWarning, match=rf"max_resources_total={total} was spent"):
            one.fit(X, y)
        assert total - 2 * 8 < len(calls) <= total
    one.set_params(max_resources_total=n_all).fit(X, y)
    assert len(calls) == n_all, "everything was trained once"


@every_search
@pytest.mark.parametrize("max_time", [0, -1.0, "1 h"])
def test_limits_are_numbers_above_0(search, max_time):
    with pytest.raises(ValueError, match="'max_time' parameter"):
        make(search, max_time=max_time).fit(X, y)


def test_a_data_frame(journal):
    make(grid, journal, scoring=["accuracy"], refit="accuracy").fit(X, y)
    frame = read_journal(journal)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.candidate) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert list(frame.param_a) == [0.0, 0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75]
    assert frame.test_accuracy.between(0, 1).all()
    assert frame.ended.is_monotonic_increasing


def test_a_data_frame_needs_pandas(journal, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"read_journal needs pandas: pip install"):
        read_journal(journal)


def test_one_that_scores(journal):
    """A metric of scikit-learn's, whose scores are numpy's."""
    scoring = {"acc": lambda e, X, y: np.float64(accuracy_score(y, e.predict(X)))}
    kwargs = {"scoring": scoring, "refit": "acc"}
    first = make(GridSearchCV, journal, **kwargs).fit(X, y)
    assert_same(make(GridSearchCV, journal, **kwargs).fit(X, y), first, times=True)
