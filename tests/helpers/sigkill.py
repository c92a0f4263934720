"""Searches that are killed at random instants, and what becomes of them.

``python -m tests.helpers.sigkill folder seed flat=12 halving=10`` prints JSON. A
process that has imported everything forks one for each attempt, which is sent SIGKILL
after a random time; then the search is let come to its end, and compared to one that
was left alone.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import joblib
import torch
from scipy.stats import loguniform, uniform
from skorch.callbacks import EarlyStopping, LRScheduler
from torch.optim.lr_scheduler import StepLR

from sktune import (
    BayesSearchCV,
    FreezeThawSearchCV,
    HyperbandSearchCV,
    PopulationBasedSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune.persistence import read_records
from tests.helpers.estimators import blobs, net
from tests.helpers.trained import plain

X, y = blobs(40)
SPACE = {"lr": loguniform(1e-2, 1.0), "module__hidden": [2, 3, 4]}
KILLS_OF_ONE = 6


def stateful():
    return net(
        max_epochs=4,
        verbose=0,
        optimizer=torch.optim.Adam,
        callbacks=[
            ("steps", LRScheduler(StepLR, step_size=2, gamma=0.5)),
            ("stop", EarlyStopping("train_loss", patience=3)),
        ],
    )


SEARCHES: dict[str, Any] = {
    "flat": lambda: RandomizedSearchCV(net(verbose=0), SPACE, n_iter=6),
    "bayes": lambda: BayesSearchCV(net(verbose=0), SPACE, n_iter=7),
    "halving": lambda: SuccessiveHalvingSearchCV(
        stateful(), SPACE, n_candidates=6, factor=2
    ),
    "hyperband": lambda: HyperbandSearchCV(
        stateful(), SPACE, factor=2, strategy="bayes"
    ),
    "stacked": lambda: HyperbandSearchCV(
        stateful(), SPACE, factor=2, stacked=True, max_stack=6
    ),
    "threads": lambda: SuccessiveHalvingSearchCV(
        stateful(), SPACE, n_candidates=6, factor=2, n_jobs=2
    ),
    "freeze and thaw": lambda: FreezeThawSearchCV(
        stateful(), SPACE, n_iter=4, n_pending=2
    ),
    "population": lambda: PopulationBasedSearchCV(
        net(optimizer=torch.optim.Adam, max_epochs=4, verbose=0),
        {"lr": SPACE["lr"], "module__dropout": uniform(0, 0.5)},
        population_size=4,
        interval=1,
    ),
    "asynchronous": lambda: SuccessiveHalvingSearchCV(
        stateful(), SPACE, n_candidates=6, factor=2, asynchronous=True
    ),
}


def result(name: str, journal: Path | None) -> dict[str, Any]:
    """Everything that must be equal."""
    search = SEARCHES[name]().set_params(cv=2, random_state=0, journal=journal)
    with joblib.parallel_config("threading"):
        search.fit(X, y)
    table = {k: list(v) for k, v in search.cv_results_.items() if "_time" not in k}
    weights = plain(search.best_estimator_.module_.state_dict())
    return {"table": repr(table), "best": search.best_params_, "weights": weights}


def forked(name: str, journal: Path | None, out: Path) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        out.write_bytes(pickle.dumps(result(name, journal)))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def finished(pid: int) -> bool:
    _, status = os.waitpid(pid, 0)
    assert status in (0, signal.SIGKILL), status
    return status == 0


def until_the_end(name: str, journal: Path | None, out: Path) -> dict[str, Any]:
    assert finished(forked(name, journal, out))
    return pickle.loads(out.read_bytes())


def attempt(name, journal, out, seconds, rng) -> bool:
    """Whether it was killed before it came to its end."""
    pid = forked(name, journal, out)
    time.sleep(rng.uniform(0.0, seconds))
    os.kill(pid, signal.SIGKILL)
    return not finished(pid)


def experiment(name: str, folder: Path, n_kills: int, seed: int) -> dict[str, Any]:
    rng = random.Random(f"{seed} {name}")
    out = folder / "out"
    start = time.perf_counter()
    expected = until_the_end(name, None, out)
    seconds = time.perf_counter() - start
    report: dict[str, Any] = Counter(kills=0, searches=0, torn=0, sessions=0)
    report["wrong"] = []
    while report["kills"] < n_kills:
        journal = folder / f"{name}-{report['searches']}.jsonl"
        for _ in range(min(KILLS_OF_ONE, n_kills - report["kills"])):
            if not attempt(name, journal, out, seconds, rng):
                break
            report["kills"] += 1
            if journal.exists():
                report["torn"] += not journal.read_bytes().endswith(b"\n")
        same = until_the_end(name, journal, out) == expected
        report["searches"] += 1
        records = read_records(journal)
        fits = [
            (r["candidate"], r["split"], r["iter"])
            for r in records
            if r["record"] == "fit"
        ]
        report["sessions"] += sum(r["record"] == "session" for r in records)
        if not same:
            report["wrong"].append(f"{journal}: another result")
        if len(set(fits)) < len(fits):
            report["wrong"].append(f"{journal}: a fit was run again")
        if journal.with_name(f"{journal.name}.checkpoints").exists():
            report["wrong"].append(f"{journal}: checkpoints are left")
    return {**report, "seconds": seconds}


def main(folder: str, seed: str, *kills: str) -> None:
    torch.set_num_threads(1)
    for name in ("bayes", "hyperband"):
        result(name, None)  # whatever is done only once in a process is done now
    report = {}
    for name, _, n_kills in (one.partition("=") for one in kills):
        report[name] = experiment(name, Path(folder), int(n_kills), int(seed))
    print(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
