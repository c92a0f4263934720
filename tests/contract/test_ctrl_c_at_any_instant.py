"""Ctrl-C whatever a search is doing: an interrupt like any other, and nothing lost."""

import signal
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest

import sktune
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
    """Presses Ctrl-C as a function of sktune's is called or left for the n-th time."""

    def __init__(self, at=None):
        self.at = at
        self.n = 0

    def __enter__(self):
        sys.setprofile(self._look)
        return self

    def __exit__(self, *error):
        sys.setprofile(None)

    def _look(self, frame, event, arg):
        if event not in ("call", "return"):
            return
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return
        self.n += 1
        if self.n == self.at:
            signal.raise_signal(signal.SIGINT)


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
    with pytest.raises(KeyboardInterrupt) as caught, Instants(at):
        made.fit(*data)
    assert caught.type is KeyboardInterrupt  # else the signal does not end a program
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
        # With threads the number of calls differs from time to time.
        last = n if n_jobs == 1 else int(0.9 * n)
        for at in np.random.default_rng(k).integers(1, last, N_SHOTS).tolist():
            journal = tmp_path / str(at)
            made = make(search, journal, n_jobs=n_jobs, **kwargs)
            try:
                interrupt(made, data, at, journal)
            except BaseException as error:
                error.add_note(f"at instant {at} of {n}")
                raise
            assert_same(made.fit(*data), expected)
