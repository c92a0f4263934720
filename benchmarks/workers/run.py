"""Are workers kept busy? The time they wait, with fits of uneven length.

An estimator that sleeps stands for one that trains, so that four workers are four on
any machine. How long a fit takes is log-normal, by the candidate (nets of different
sizes) and by the split, and in proportion to the resource that is added. Each fit notes
its process, its beginning and its end; idle is

    1 - sum of the fits / (workers x time from the first beginning to the last end).

The same searches are also driven in simulated time, by workers that cost nothing. What
is idle there is the search's own doing: barriers, and last fits that run alone.

    python benchmarks/workers/run.py --json benchmarks/workers/results.json
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections import deque
from pathlib import Path

import numpy as np
from scipy.stats import uniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
)

import sktune
from sktune._types import NAMELESS, FitOutcome
from sktune.engine import Engine
from sktune.search._base import BaseSearch
from sktune.search.inputs._data import read_data

sys.path.insert(0, str(Path(__file__).parents[1]))
from report import environment, markdown_table, save

N_JOBS, N_SPLITS, N_CANDIDATES, RESOURCES, FACTOR = 4, 5, 27, 27, 3
N_FULL = 9  # of the search that freezes and thaws
SPACE = {"a": uniform(0, 1), "b": uniform(0, 1)}
OF_CANDIDATES, OF_SPLITS = 0.5, 0.2  # spreads of the logarithms


def unevenness(a, b, X):
    """How much longer than the median a fit of a candidate on these rows takes."""
    of_candidate = np.random.default_rng([int(1e9 * a), int(1e9 * b)])
    of_split = np.random.default_rng([int(1e9 * a), int(abs(X.sum()) * 1e6)])
    return of_candidate.lognormal(0, OF_CANDIDATES) * of_split.lognormal(0, OF_SPLITS)


class Sleeps(ClassifierMixin, BaseEstimator):
    """Sleeps instead of training; its score grows with `a` and the resource.

    With ``partial_fit`` each call is one unit of the resource; `fit` is `n` of them.
    """

    def __init__(self, a=0.0, b=0.0, n=1, seconds=0.1, folder=""):
        self.a = a
        self.b = b
        self.n = n
        self.seconds = seconds
        self.folder = folder

    def fit(self, X, y):
        return self._sleep(X, self.n)

    def partial_fit(self, X, y, classes=None):
        return self._sleep(X, 1)

    def _sleep(self, X, n):
        begin = time.time()
        self.classes_ = np.array([0, 1])
        time.sleep(self.seconds * n * unevenness(self.a, self.b, X))
        with Path(self.folder, str(os.getpid())).open("a") as file:
            file.write(f"{begin} {time.time()}\n")
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)

    def score(self, X, y=None):
        return self.a


def searches(folder, seconds, n_jobs):
    """Searches that cost about the same, by their names."""
    full = Sleeps(n=1, seconds=seconds, folder=folder)
    step = Sleeps(n=1, seconds=seconds / RESOURCES * 4, folder=folder)
    options = dict(cv=N_SPLITS, n_jobs=n_jobs, refit=False, random_state=0)
    rungs = dict(
        resource="partial_fit",
        max_resources=RESOURCES,
        factor=FACTOR,
        return_train_score=False,
        **options,
    )
    thawed = {name: value for name, value in rungs.items() if name != "factor"}
    halving = sktune.SuccessiveHalvingSearchCV
    return {
        "BayesSearchCV, n_pending=1": sktune.BayesSearchCV(
            full, SPACE, n_iter=N_CANDIDATES, **options
        ),
        "BayesSearchCV, n_pending=4": sktune.BayesSearchCV(
            full, SPACE, n_iter=N_CANDIDATES, n_pending=4, **options
        ),
        "SuccessiveHalvingSearchCV": halving(
            step, SPACE, n_candidates=N_CANDIDATES, **rungs
        ),
        "SuccessiveHalvingSearchCV, asynchronous": halving(
            step, SPACE, n_candidates=N_CANDIDATES, asynchronous=True, **rungs
        ),
        "HyperbandSearchCV": sktune.HyperbandSearchCV(step, SPACE, **rungs),
        "HyperbandSearchCV, asynchronous": sktune.HyperbandSearchCV(
            step, SPACE, asynchronous=True, **rungs
        ),
        **{
            f"FreezeThawSearchCV, n_pending={n}": sktune.FreezeThawSearchCV(
                step, SPACE, n_iter=N_FULL, n_pending=n, **thawed
            )
            for n in (1, 2, 4)
        },
        "RandomizedSearchCV (scikit-learn)": RandomizedSearchCV(
            full, SPACE, n_iter=N_CANDIDATES, **options
        ),
        "HalvingRandomSearchCV (scikit-learn)": HalvingRandomSearchCV(
            step,
            SPACE,
            n_candidates=N_CANDIDATES,
            resource="n",
            max_resources=RESOURCES,
            min_resources=1,
            factor=FACTOR,
            return_train_score=False,
            **options,
        ),
    }


class Simulated:
    """Workers in a time of their own: fits start in order, and cost what they cost."""

    def __init__(self, search, n_workers, X, y):
        self.n_workers = n_workers
        self.now = self.busy = 0.0
        self._search = search
        self._X = X
        self._splits = list(StratifiedKFold(N_SPLITS).split(X, y))
        self._ready = deque()
        self._running = []  # a heap
        self._given = {}

    def submit(self, unit):
        self._ready += unit

    def next_done(self):
        while self._ready and len(self._running) < self.n_workers:
            fit = self._ready.popleft()
            seconds = self._seconds(fit)
            self.busy += seconds
            key = (self.now + seconds, fit.candidate, fit.split)
            heapq.heappush(self._running, (*key, fit))
        if not self._running:
            return []
        self.now, *_, fit = heapq.heappop(self._running)
        return [(fit, FitOutcome({NAMELESS: fit.params["a"]}))]

    def _seconds(self, fit):
        train, _ = self._splits[fit.split]
        before = self._given.get((fit.candidate, fit.split), 0)
        after = self._given[fit.candidate, fit.split] = fit.n_resources or before + 1
        times = unevenness(**fit.params, X=self._X[train])
        return self._search.estimator.seconds * (after - before) * times


def simulated_idle(search, n_workers, X, y):
    """What would be idle if workers, and whoever hands fits to them, cost nothing."""
    if not isinstance(search, BaseSearch):
        return None
    proposal = search._propose(read_data(search, [SPACE], X, y, {}), 0)
    workers = Simulated(search, n_workers, X, y)
    Engine(
        proposal.strategy,
        proposal.schedule,
        proposal.problem,
        workers,
        root=0,
        score=lambda outcome: outcome.score(NAMELESS),
        n_pending=proposal.n_pending,
    ).run()
    return 1 - workers.busy / (n_workers * workers.now)


def idle(folder, n_workers):
    """Share of the workers' time in which they did nothing, and the time it took."""
    fits = []
    for path in Path(folder).iterdir():
        fits += [[float(t) for t in line.split()] for line in path.open()]
    begin, end = min(b for b, _ in fits), max(e for _, e in fits)
    busy = sum(e - b for b, e in fits)
    return 1 - busy / (n_workers * (end - begin)), end - begin


def warm_up(n_jobs):
    """Start the workers that every search uses; that is not what is measured."""
    with tempfile.TemporaryDirectory() as folder:
        estimator = Sleeps(folder=folder, seconds=0.5)
        X, y = data()
        search = sktune.GridSearchCV(
            estimator, {"a": [0.1, 0.2, 0.3, 0.4]}, cv=4, n_jobs=n_jobs, refit=False
        )
        search.fit(X, y)


def data():
    return np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seconds", type=float, default=1.0, help="median of a fit")
    parser.add_argument("--n-jobs", type=int, default=N_JOBS)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--simulate", action="store_true", help="nothing else")
    parser.add_argument("--only", help="searches whose name contains this")
    args = parser.parse_args()
    about = environment()
    warnings.simplefilter("ignore")
    X, y = data()
    simulated = {
        name: simulated_idle(search, args.n_jobs, X, y)
        for name, search in searches("", args.seconds, args.n_jobs).items()
    }
    if args.simulate:
        print(json.dumps(simulated, indent=1))
        return
    seen = {}
    for _ in range(args.repeat):
        for name in searches("", args.seconds, args.n_jobs):
            if args.only and args.only not in name:
                continue
            warm_up(args.n_jobs)
            with tempfile.TemporaryDirectory() as folder:
                search = searches(folder, args.seconds, args.n_jobs)[name]
                search.fit(X, y)
                seen.setdefault(name, []).append(idle(folder, args.n_jobs))
                print(name, *(f"{v:.3f}" for v in seen[name][-1]), flush=True)
    table = [
        {
            "search": name,
            "idle": statistics.median(share for share, _ in runs),
            "idle_of_each": [share for share, _ in runs],
            "idle_simulated": simulated[name],
            "seconds": statistics.median(seconds for _, seconds in runs),
        }
        for name, runs in seen.items()
    ]
    cells = []
    for row in table:
        share = row["idle_simulated"]
        shares = f"{row['idle']:.0%}", "" if share is None else f"{share:.0%}"
        cells.append([row["search"], *shares, f"{row['seconds']:.1f}"])
    head = ["search", "idle", "simulated", "seconds"]
    print("\n" + markdown_table(head, cells, align="lrrr"))
    save(args.json, {**about, "args": {**vars(args), "json": None}, "table": table})


if __name__ == "__main__":
    main()
