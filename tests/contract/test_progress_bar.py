"""In a terminal and in a notebook one bar says how far a search is."""

import json
import os
import pty
import re
import subprocess
import sys
import types

import numpy as np
import pytest
from joblib import parallel_config
from scipy.stats import uniform

from sktune.run.listeners import _progress, _progress_bar
from tests.helpers.estimators import Score, blobs, net
from tests.helpers.searches import (
    SAMPLING,
    X,
    bayes,
    every_search,
    grid,
    halving,
    hyperband,
    randomized,
    y,
)

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

SPACE = {"a": uniform(0, 1)}
RUNGS = {"resource": "b", "max_resources": 4}
FRAME = re.compile(
    r" *(\d+)%\|.*?\| (\d+)(?:/(\d+))? fits, (.*) left, best (.*?) *(?:\||$)"
)


@pytest.fixture
def frames(monkeypatch, capfd):
    """What a bar has shown so far: percents, fits done, fits in all, left, best."""
    monkeypatch.setattr(_progress, "has_screen", lambda: True)
    monkeypatch.setattr(_progress_bar, "_SECONDS_BETWEEN", 0.0)
    monkeypatch.setenv("COLUMNS", "200")

    def shown():
        parts = re.split(r"[\r\n]", capfd.readouterr().err)
        return [found.groups() for part in parts if (found := FRAME.match(part))]

    return shown


def n_fits_in(journal):
    lines = journal.read_text().splitlines()
    return sum(json.loads(line)["record"] == "fit" for line in lines)


SEARCHES = {
    "grid": lambda **kw: grid(Score(), {"a": [0.1, 0.2, 0.3]}, **kw),
    "bayes": lambda **kw: bayes(Score(), SPACE, **kw),
    "two at once": lambda **kw: bayes(Score(), SPACE, n_pending=2, n_jobs=2, **kw),
    "racing": lambda **kw: randomized(
        Score(), SPACE, n_iter=9, racing=True, **kw | {"cv": 5}
    ),
    "halving": lambda **kw: halving(Score(), SPACE, **RUNGS, **kw),
    "few splits": lambda **kw: halving(Score(), SPACE, min_splits=1, **RUNGS, **kw),
    "hyperband": lambda **kw: hyperband(Score(), SPACE, **RUNGS, **kw),
    "asynchronous": lambda **kw: halving(
        Score(), SPACE, asynchronous=True, n_jobs=2, **RUNGS, **kw
    ),
    "stopped": lambda **kw: randomized(
        net(max_epochs=6), {"lr": [0.1, 0.2, 1e-9]}, n_iter=3, early_stopping="growth",
        **kw,
    ),
    "stacked": lambda **kw: randomized(
        net(max_epochs=2), {"lr": [0.1, 0.2, 0.3]}, n_iter=3, stacked=True, **kw
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCHES)
def test_the_bar_is_full_at_the_end_and_never_goes_back(name, frames, tmp_path):
    journal = tmp_path / "search.jsonl"
    search = SEARCHES[name](cv=3, verbose=1, journal=journal)
    data = blobs(90) if name in ("stopped", "stacked") else (X, y)
    with parallel_config("threading"):
        search.fit(*data)
    shown = frames()
    percents = [int(percent) for percent, *_ in shown]
    assert percents == sorted(percents)
    assert percents[0] == 0 and percents[-1] == 100
    assert len(set(percents)) > 3
    n_fits = n_fits_in(journal)
    done = [int(n) for _, n, *_ in shown]
    assert done == sorted(done) and done[-1] == n_fits
    assert {int(n) for _, _, n, *_ in shown[-1:]} == {n_fits}
    assert shown[-1][4].startswith(f"{search.best_score_:.4g}")


@every_search
def test_every_search_has_one(search, frames):
    given = {} if search in (grid, *SAMPLING) else RUNGS
    space = {"a": [0.1, 0.2, 0.3, 0.4]} if search is grid else SPACE
    search(Score(), space, cv=2, verbose=1, **given).fit(X, y)
    shown = frames()
    assert shown[-1][0] == "100"
    search(Score(), space, cv=2, **given).fit(X, y)
    assert frames() == []


def test_best_params_are_named_as_short_as_may_be(frames, capfd):
    grid(Score(), {"a": [0.25]}, cv=2, verbose=1).fit(X, y)
    err = capfd.readouterr().err
    assert "best: a=0.25" in err
    assert "Fitting 2 folds" not in err


@pytest.mark.parametrize("n_columns", [30, 60, 80, 120])
def test_no_line_is_wider_than_the_screen(n_columns, frames, monkeypatch, capfd):
    monkeypatch.setenv("COLUMNS", str(n_columns))
    long = [np.arange(40), np.arange(50)]  # with line breaks in what they print as
    grid(Score(), {"a": [0.25], "odd": long}, cv=2, verbose=1).fit(X, y)
    lines = re.split(r"[\r\n]", capfd.readouterr().err)
    assert max(map(len, lines)) <= n_columns
    assert re.match(r"100%\|█+\| 4/4 fits", lines[-2])
    assert ("best: a=0.25, odd=" in lines[-2]) == (n_columns == 120)
    assert not lines[-2].rstrip().endswith("|")


def test_what_a_journal_has_is_done_at_once(frames, tmp_path):
    journal = tmp_path / "search.jsonl"
    given = {"cv": 2, "journal": journal}
    bayes(Score(), SPACE, n_iter=4, **given).fit(X, y)
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:-3]))
    bayes(Score(), SPACE, n_iter=4, verbose=1, **given).fit(X, y)
    shown = frames()
    assert int(shown[0][0]) >= 50
    assert shown[-1][:3] == ("100", "8", "8")


def test_a_search_that_ends_early_leaves_the_bar_where_it_is(frames):
    class Broken(Exception):
        pass

    class Breaks(Score):
        def fit(self, X, y):
            if self.a > 0.15:
                raise Broken
            return super().fit(X, y)

    search = grid(Breaks(), {"a": [0.1, 0.2]}, cv=2, error_score="raise", verbose=1)
    with pytest.raises(Broken):
        search.fit(X, y)
    assert frames()[-1][0] == "50"


def test_lines_where_each_fit_prints_one(frames, capfd):
    grid(Score(), {"a": [0.1]}, cv=2, verbose=2).fit(X, y)
    out, err = capfd.readouterr()
    assert err == ""
    assert out.count("[CV] END") == 2


SCRIPT = """
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier
from sktune import GridSearchCV
X, y = load_iris(return_X_y=True)
GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2, 3]}, verbose=1).fit(X, y)
"""


def in_a_terminal(command):
    """What a program writes on a screen."""
    parent, child = pty.openpty()
    process = subprocess.Popen(command, stdout=child, stderr=child)
    os.close(child)
    told = b""
    try:
        while part := os.read(parent, 65536):
            told += part
    except OSError:  # how a terminal ends
        pass
    assert process.wait() == 0
    os.close(parent)
    return told.decode()


def test_in_a_terminal():
    """A real one: lines to a file, a bar on a screen."""
    command = [sys.executable, "-c", SCRIPT]
    to_a_file = subprocess.run(command, capture_output=True, text=True, check=True)
    assert to_a_file.stderr == ""
    assert "[3/3] score" in to_a_file.stdout
    told = in_a_terminal(command)
    lines = told.split("\r\n")
    assert lines[0] == "Fitting 5 folds for each of 3 candidates, totalling 15 fits"
    assert lines[1].split("\r")[-1].startswith("100%|" + 20 * "█" + "| 15/15 fits")
    assert lines[2] == "Refitting the best candidate on all 150 rows"


WARNS = """
import warnings
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier
from sktune import GridSearchCV
from sktune.run.listeners import _progress_bar
_progress_bar._SECONDS_BETWEEN = 0.0
class Warns(DecisionTreeClassifier):
    def fit(self, X, y):
        warnings.warn(f"depth {self.max_depth}, to be read")
        return super().fit(X, y)
before = warnings.showwarning
X, y = load_iris(return_X_y=True)
GridSearchCV(Warns(), {"max_depth": [1, 2, 3]}, cv=2, verbose=1).fit(X, y)
assert warnings.showwarning is before
"""


def test_warnings_are_above_the_bar():
    told = in_a_terminal([sys.executable, "-W", "always", "-c", WARNS])
    lines = told.split("\r\n")
    # What a line shows in the end: a bar was wiped off it with blanks.
    shown = [line.split("\r")[-1] for line in lines]
    warned = [line for line in shown if "to be read" in line]
    assert len(warned) >= 6
    assert all(line.startswith("<string>:") for line in warned)
    last = shown.index("Refitting the best candidate on all 150 rows")
    assert shown[last - 1].startswith("100%|")


def test_in_a_notebook(monkeypatch):
    shell = type("ZMQInteractiveShell", (), {})()
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    assert not _progress_bar.has_screen()
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert _progress_bar.has_screen()
