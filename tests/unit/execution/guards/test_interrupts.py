"""Ctrl-C ends a program as Python does, whatever the search is doing in it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, signal, sys
import numpy as np
from scipy.stats import uniform
from sklearn.svm import SVC
from sktune import BayesSearchCV

where, n_jobs = sys.argv[1], int(sys.argv[2])
X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2


def press():
    os.kill(os.getpid(), signal.SIGINT)


class Pressing(SVC):
    def fit(self, X, y):
        if where == ("refit" if len(X) == 60 else "fit") and self.C > 0.5:
            press()
        return super().fit(X, y)


class Splits(list):
    def __iter__(self):
        press()
        return super().__iter__()


def pressed(function):
    def call(*args):
        if where == function.__name__ and len(args) == 5 and args[2] == 5:
            press()
        return function(*args)

    return call


from sktune.strategy import Bayes
Bayes.ask = pressed(Bayes.ask)
rows = np.arange(60)
cv = [(rows[:30], rows[30:]), (rows[30:], rows[:30])]
search = BayesSearchCV(
    Pressing(), {"C": uniform(0.1, 1)}, n_iter=8, random_state=0, n_jobs=n_jobs,
    cv=Splits(cv) if where == "cv" else cv,
)
try:
    search.fit(X, y)
except KeyboardInterrupt as error:
    print(type(error).__name__, hasattr(search, "cv_results_"), flush=True)
    raise
"""


# A signal within a fit of a worker is none for the program.
PLACES = [("fit", 1), *((w, n) for w in ("ask", "refit", "cv") for n in (1, 2))]


@pytest.mark.parametrize(("where", "n_jobs"), PLACES)
def test_it_is_an_interrupt_like_any_other(where, n_jobs, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program), where, str(n_jobs)],
        capture_output=True, text=True, timeout=50,
        cwd=Path(__file__).parents[4],
    )  # fmt: skip
    assert done.stdout.split() == ["KeyboardInterrupt", str(where != "cv")], done.stderr
    assert done.returncode == -signal.SIGINT
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
