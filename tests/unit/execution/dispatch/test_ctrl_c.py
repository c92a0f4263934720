"""Ctrl-C leaves no process behind, whoever else hears it and however often it comes."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[3] / "helpers" / "interrupted.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.one_end,  # signals and processes
    pytest.mark.skipif(
        not Path("/proc/self/stat").exists(), reason="looks for processes in /proc"
    ),
]


def processes_of(session):
    """Processes of a session that have not ended, with the state of each."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(stat[3]) == session and stat[0] != "Z":
                found[int(folder.name)] = stat[0]
    return found


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def start(folder, backend):
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), backend],
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(PROGRAM.parents[2])},
        stderr=subprocess.PIPE,
        text=True,
    )


def end(program):
    for pid in processes_of(program.pid):
        os.kill(pid, signal.SIGKILL)
    program.communicate()


def interrupt(program, how):
    """What a terminal does, what `kill` does, and what an impatient user does."""
    if how == "process":
        os.kill(program.pid, signal.SIGINT)
        return
    os.killpg(program.pid, signal.SIGINT)
    if how == "twice":
        time.sleep(0.02)
        os.killpg(program.pid, signal.SIGINT)


@pytest.mark.parametrize(
    ("backend", "how"),
    [
        ("loky", "process"),
        ("loky", "twice"),
        ("multiprocessing", "group"),
        ("threading", "group"),
    ],
)
def test_no_process_is_left(backend, how, tmp_path):
    program = start(tmp_path, backend)
    try:
        at_work = 1 if backend == "threading" else 2  # nets take turns in threads
        assert wait_for(lambda: len(list(tmp_path.glob("fit-*"))) >= at_work, 120)
        interrupt(program, how)
        _, errors = program.communicate(timeout=60)
        assert (tmp_path / "interrupted").exists(), errors
        assert program.returncode not in (None, 0)
        assert "KeyboardInterrupt" in errors
        assert wait_for(lambda: not processes_of(program.pid), 20)
    finally:
        end(program)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_workers_do_not_outlive_a_search_that_is_killed(backend, tmp_path):
    """They would keep devices from the search that continues it."""
    program = start(tmp_path, backend)
    try:
        assert wait_for(lambda: len(list(tmp_path.glob("fit-*"))) >= 2, 120)
        program.kill()
        workers = {int(path.name.split("-")[2]) for path in tmp_path.glob("fit-*")}
        alive = lambda: workers & processes_of(program.pid).keys()  # noqa: E731
        assert wait_for(lambda: not alive(), 30)
    finally:
        end(program)


SHOT_AT = """
import sys
import numpy as np
from scipy.stats import uniform
from sklearn.svm import SVC
from sktune import BayesSearchCV

X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
search = BayesSearchCV(
    SVC(), {"C": uniform(0.1, 1)}, n_iter=200, cv=2, random_state=0, n_jobs=2,
    journal=sys.argv[1],
)
print("begins", flush=True)
try:
    search.fit(X, y)
except KeyboardInterrupt as error:
    kept = search.cv_results_["params"] if hasattr(search, "cv_results_") else []
    print(type(error).__name__, len(kept))
    raise
"""


@pytest.mark.parametrize("shot", range(4))
def test_at_whatever_moment_it_comes(shot, tmp_path):
    """As processes start or work; once or twice, for all or the search alone."""
    rng = random.Random(shot)
    journal = tmp_path / "journal"
    program = subprocess.Popen(
        [sys.executable, "-c", SHOT_AT, str(journal)],
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(PROGRAM.parents[2])},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout.readline() == "begins\n"
        time.sleep(rng.uniform(0, 4))
        interrupt(program, ("process", "group", "twice")[shot % 3])
        out, errors = program.communicate(timeout=50)
        assert program.returncode == -signal.SIGINT, errors
        if out:  # else the search was over
            name, n = out.split()
            assert name == "KeyboardInterrupt"
            n_fits = journal.read_text().count('"fit_error"') if journal.exists() else 0
            assert n_fits // 2 - 3 <= int(n) <= n_fits // 2
        assert wait_for(lambda: not processes_of(program.pid), 20)
    finally:
        end(program)
