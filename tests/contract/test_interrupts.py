"""What is left of a search after Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest

from sktune.inspection import read_journal
from sktune.persistence import read_records
from tests.helpers.journals import Counted, assert_same, make
from tests.helpers.searches import X, every_search, freeze_thaw, grid, y

pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")


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
        total = f" of {len(expected.cv_results_['params'])}"
        if search is freeze_thaw:  # how many there will be it does not know
            total = ""
        said = f"{len(results['params'])}{total} eval"
    else:
        said = "interrupted: 0 "
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


@pytest.mark.slow
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
