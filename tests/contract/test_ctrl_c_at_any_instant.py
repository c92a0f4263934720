"""Ctrl-C whatever a search is doing: an interrupt like any other, and nothing lost."""

import signal
import sys
from contextlib import suppress
from pathlib import Path

import joblib
import numpy as np
import pytest

import sktune
from sktune.execution.checkpoint._paused_fit import PausedFit
from sktune.execution.dispatch._pool import Pool
from sktune.inspection import read_journal
from tests.helpers.estimators import Score, net
from tests.helpers.journals import assert_same, make
from tests.helpers.searches import X, bayes, grid, hyperband, y
from tests.helpers.with_rungs import X as FEW
from tests.helpers.with_rungs import y as CLASSES

pytestmark = [
    pytest.mark.filterwarnings("ignore:Hyperband plans"),
    # As Python closes a generator it loses an interrupt; the search has noted it.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

N_SHOTS = 8
PACKAGE = str(Path(sktune.__file__).parent)


class Instants:
    """Presses Ctrl-C at the n-th instant at which Python looks for signals.

    That is when a function begins, and when one of C's has returned; here those of
    sktune, and those that they call.
    """

    def __init__(self, at=None):
        self.at = at
        self.n = 0

    def __enter__(self):
        sys.setprofile(self._look)
        return self

    def __exit__(self, *error):
        sys.setprofile(None)

    def _look(self, frame, event, arg):
        if event not in ("call", "c_return") or not (
            frame.f_code.co_filename.startswith(PACKAGE)
            or frame.f_back.f_code.co_filename.startswith(PACKAGE)
        ):
            return
        self.n += 1
        if self.n == self.at:
            # A signal would be heard in the frame of this function.
            signal.getsignal(signal.SIGINT)(signal.SIGINT, frame)


def counted(fit):
    with Instants() as instants:
        fit()
    return instants.n


def searches():
    plain = {"estimator": Score()}
    of_nets = {
        "estimator": net(max_epochs=2, verbose=0),
        "space": {"lr": [0.1, 0.2, 0.3, 0.4]},
        "max_resources": 4,
    }
    return [
        (grid, plain, X, y),
        (bayes, plain, X, y),
        (hyperband, of_nets, FEW, CLASSES),
    ]


def interrupt(made, data, at, journal):
    """Ctrl-C once, in a search that had not begun before."""
    caught = None
    with Instants(at) as instants:
        try:
            made.fit(*data)
        except BaseException as error:
            caught = type(error)
    if made.n_jobs == 2 and instants.n < at:
        return  # with threads there are more or fewer from time to time
    assert caught is KeyboardInterrupt  # else the signal does not end a program
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    n = 0
    if journal.exists() and journal.stat().st_size:
        frame = read_journal(journal)
        by_row = ["candidate", "iter"]
        n = int((frame.groupby(by_row).size() == 2).sum()) if len(frame) else 0
    kept = made.cv_results_["params"] if hasattr(made, "cv_results_") else []
    # What was written last, of all workers, may not have been told to anybody.
    assert n - (1 if made.n_jobs == 1 else 4) <= len(kept) <= n
    if kept:
        assert made.best_params_ in kept


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("k", range(3), ids=["grid", "bayes", "hyperband of nets"])
def test_ctrl_c_at_any_instant(k, n_jobs, tmp_path):
    search, kwargs, *data = searches()[k]
    with joblib.parallel_config("threading"):
        expected = make(search, n_jobs=n_jobs, **kwargs).fit(*data)
        whole = make(search, tmp_path / "whole", n_jobs=n_jobs, **kwargs)
        n = counted(lambda: whole.fit(*data))
        for at in np.random.default_rng(k).integers(1, n, N_SHOTS).tolist():
            journal = tmp_path / str(at)
            made = make(search, journal, n_jobs=n_jobs, **kwargs)
            try:
                interrupt(made, data, at, journal)
            except BaseException as error:
                error.add_note(f"at instant {at} of {n}")
                raise
            assert_same(made.fit(*data), expected)


@pytest.mark.parametrize("place", ["load", "save"])
def test_a_net_that_skorch_lets_end_half_trained_is_not_kept(
    place, tmp_path, monkeypatch
):
    """It looked like one that is done, and the next `fit` went on from there."""
    search, kwargs, *data = searches()[2]
    expected = make(search, **kwargs).fit(*data)
    method = getattr(PausedFit, place)

    def pressed(self, *args, **kwargs):
        monkeypatch.undo()
        signal.raise_signal(signal.SIGINT)
        return method(self, *args, **kwargs)

    monkeypatch.setattr(PausedFit, place, pressed)
    made = make(search, tmp_path / "journal", **kwargs)
    with pytest.raises(KeyboardInterrupt):
        made.fit(*data)
    assert_same(made.fit(*data), expected)


def test_an_interrupt_that_is_swallowed_is_raised_by_the_search():
    """As Python does with one that comes while it closes a generator."""

    class Swallows(Score):
        def set_params(self, **params):
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            return super().set_params(**params)

    with pytest.raises(KeyboardInterrupt):
        make(grid, estimator=Swallows()).fit(X, y)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_that_an_interrupt_has_caused_does_not_hide_it():
    class Closes(Score):
        def set_params(self, **params):
            try:
                signal.raise_signal(signal.SIGINT)
            finally:
                raise OSError("closed twice")

    with pytest.raises(KeyboardInterrupt) as caught:
        make(grid, estimator=Closes()).fit(X, y)
    assert isinstance(caught.value.__context__, OSError)


def test_what_is_not_sent_is_not_waited_for(monkeypatch):
    """Ctrl-C as a batch is handed to threads: the search would have waited for it."""
    submit = Pool.submit

    def pressed(self, *args):
        monkeypatch.undo()
        signal.raise_signal(signal.SIGINT)
        submit(self, *args)

    monkeypatch.setattr(Pool, "submit", pressed)
    with joblib.parallel_config("threading"), pytest.raises(KeyboardInterrupt):
        make(grid, estimator=Score(), n_jobs=2).fit(X, y)
