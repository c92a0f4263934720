"""What every search keeps towards the listeners that it is given."""

import pickle
import threading

import joblib
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from sktune.listeners import Listener
from tests.helpers.estimators import Score
from tests.helpers.journals import cut, make
from tests.helpers.searches import X, every_search, grid, halving, randomized, y

pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

HOOKS = ("of_search", "on_begin", "on_fit", "on_evaluation", "on_end", "on_close")


class Heard(Listener):
    """Writes down what it is told; cannot be copied, nor sent to workers."""

    def __init__(self, wants_replayed=False):
        self.wants_replayed = wants_replayed
        self.lock = threading.Lock()
        self.lines = []
        self.infos = []

    def of_search(self, info):
        self.infos.append(info)
        return self

    def on_begin(self):
        self.lines.append("begin")

    def on_fit(self, fit, outcome):
        score = outcome.test_scores["score"]
        self.lines.append(f"fit {fit.candidate} {fit.split} {fit.iter} {score}")

    def on_evaluation(self, evaluation, observation):
        place = evaluation.candidate.id, evaluation.iter
        self.lines.append(f"evaluation {place} {dict(observation.scores)}")

    def on_stop(self, candidate):
        self.lines.append(f"stop {candidate}")

    def on_end(self, evaluations):
        self.lines.append(f"end {len(evaluations)}")

    def on_close(self, search, error):
        best = getattr(search, "best_estimator_", None)
        self.lines.append(f"close {best is not None} {type(error).__name__}")


class Raises(Listener):
    def __init__(self, hook):
        self.hook = hook
        self.n_raised = 0

    def __getattribute__(self, name):
        if name in HOOKS and name == self.hook:
            self.n_raised += 1
            return self._raise
        return super().__getattribute__(name)

    def _raise(self, *args):
        raise RuntimeError("no network")


def heard_by(search, **kwargs):
    listener = Heard()
    make(search, listeners=[listener], **kwargs).fit(X, y)
    return listener.lines


@every_search
def test_told_the_same_however_many_workers(search):
    lines = heard_by(search)
    assert lines[0] == "begin" and lines[-1] == "close True NoneType"
    assert lines[-2].startswith("end ")
    assert sum(line.startswith("evaluation") for line in lines) == int(lines[-2][4:])
    with joblib.parallel_config("threading"):
        assert heard_by(search, n_jobs=2) == lines


@pytest.mark.slow
def test_what_cannot_be_sent_stays_here():
    assert heard_by(grid, estimator=Score(), n_jobs=2) == heard_by(grid)


@pytest.mark.parametrize("search", [grid, halving])
@pytest.mark.parametrize("hook", HOOKS)
def test_one_that_raises_is_told_no_more(search, hook):
    raises, listener = Raises(hook), Heard()
    searching = make(search, listeners=[raises, listener])
    with pytest.warns(UserWarning, match=rf"listeners\[0\].*{hook}: .*no network"):
        searching.fit(X, y)
    assert raises.n_raised == 1
    assert listener.lines == heard_by(search)
    assert searching.best_params_ == make(search).fit(X, y).best_params_


@every_search
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_was_told_is_not_told_again(search, journal, n_jobs):
    lines = heard_by(search, journal=journal)
    again = heard_by(search, journal=journal)
    assert [again[0], *again[1:]] == ["begin", *lines[-2:]]
    cut(journal, 3)  # the second candidate was not complete
    first, rest = Heard(wants_replayed=True), Heard()
    with joblib.parallel_config("threading"):
        make(search, journal, n_jobs=n_jobs, listeners=[first, rest]).fit(X, y)
    assert sorted(first.lines) == sorted(lines)
    told_before = [line for line in first.lines if line not in rest.lines]
    assert [line[:7] for line in told_before if line[0] != "s"] == [
        *("fit 0 0", "fit 0 1", "evaluat")
    ]
    (info,), (same,) = first.infos, rest.infos
    assert info is same and info.n_recorded == 3 and info.n_splits == 2
    assert not info.is_replaying()


@pytest.mark.parametrize(
    ("search", "less", "more", "kwargs"),
    [
        (randomized, {"n_iter": 3}, {"n_iter": 6}, {}),
        (
            halving,  # what is recorded of later rungs comes after what is new
            {"n_iter": 6},
            {"n_iter": 9},
            {"min_resources": 1, "max_resources": 3, "factor": 3, "resource": "odd"},
        ),
    ],
)
def test_a_grown_search_tells_what_is_new(search, less, more, kwargs, journal):
    kwargs |= {"space": {"a": [k / 10 for k in range(10)]}}
    whole = heard_by(search, **more, **kwargs)
    first = heard_by(search, **less, journal=journal, **kwargs)
    rest = heard_by(search, **more, journal=journal, **kwargs)
    of_fits = [line for line in first + rest if line.startswith("fit")]
    assert len(set(of_fits)) == len(of_fits)
    assert {line for line in whole if line.startswith("fit")} <= set(of_fits)


def test_a_continued_search_has_its_id(journal):
    listener = Heard()
    for path in (journal, journal, None, None):
        make(grid, path, listeners=[listener]).fit(X, y)
    ids = [info.id for info in listener.infos]
    assert ids[0] == ids[1] and len(set(ids)) == 3


def test_told_how_it_ended():
    class Ended(Score):
        def fit(self, X, y):
            raise KeyboardInterrupt

    listener = Heard()
    with pytest.raises(KeyboardInterrupt):
        make(grid, estimator=Ended(), listeners=[listener]).fit(X, y)
    assert listener.lines == ["begin", "close False KeyboardInterrupt"]


@every_search
def test_clones_share_them(search):
    listener = Heard()
    searching = make(search, listeners=[listener])
    cloned = clone(searching)
    assert cloned.listeners == [listener] and cloned.listeners[0] is listener
    assert clone(searching.fit(X, y)).listeners[0] is listener
    cross_val_score(cloned, X, y, cv=2)
    assert listener.lines.count("begin") == 3


def test_sent_with_its_search():
    searching = make(grid, listeners=[Listener()])
    assert isinstance(pickle.loads(pickle.dumps(searching)).listeners[0], Listener)


@every_search
@pytest.mark.parametrize(
    ("given", "error"),
    [
        (Listener(), "is one listener, and no list"),
        (Listener, r"Give listeners=\[Listener\(\)\]"),
        ([Listener], r"listeners\[0\]=Listener is a class"),
        ([Listener(), print], r"listeners\[1\]=.*print.* is no listener"),
        ("mlflow", "listeners='mlflow' is no list"),
        (7, "listeners=7 is no list"),
    ],
)
def test_mistakes_are_told_before_the_first_fit(search, given, error, fits):
    with pytest.raises(TypeError, match=error):
        make(search, listeners=given).fit(X, y)
    assert not fits


def test_candidates_that_stop_are_told():
    assert any(line.startswith("stop") for line in heard_by(halving))
