"""`loops`: a loop in plain torch, one net after the other, beside stacks of nets."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from contest import Contestant, Found, measure
from modules import MLP
from searches import OPTIONS, key_of, random_search
from sklearn.model_selection import ParameterSampler, StratifiedKFold
from workloads import QUICK, SPACE, Work, Workload, on_digits

OPTIMIZERS = {
    "SGD": {"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9},
    "Adam": {"optimizer": torch.optim.Adam},
}
# A ratio of 0.4 is 2.5 times as quick.
GOALS = {"stacks of 5": 1 / 2.5, "stacks of 30": 1 / 4.5}


def loops(repeats: int, quick: bool) -> list[dict[str, Any]]:
    rows = []
    for name, options in OPTIMIZERS.items():
        for size in (32, 128, 256):
            workload = on_digits(batch_size=size, **options)
            work = QUICK if quick else Work(n_iter=6)
            for contestant in contestants(workload, QUICK, 0).values():
                contestant.run()
            contest = partial(contestants, workload, work)
            measured = measure(f"{name}, batch {size}", contest, repeats)
            steps = work.epochs * n_steps(len(workload.y), work.n_splits, size)
            rows += [with_ms(row, steps, work) for row in measured]
    return rows


def n_steps(n_rows: int, n_splits: int, batch_size: int) -> int:
    """Steps of one epoch on one split."""
    return math.ceil(n_rows * (1 - 1 / n_splits) / batch_size)


def with_ms(row: dict[str, Any], steps: int, work: Work) -> dict[str, Any]:
    """With the milliseconds for each net and step, all that is around it included."""
    ms = row["cpu_seconds"] / work.n_fits / steps * 1e3
    return {**row, "ms_per_net_and_step": ms}


def contestants(workload: Workload, work: Work, seed: int) -> dict[str, Contestant]:
    size = workload.net.batch_size
    stacked = {
        name: Contestant(
            partial(random_search, False, workload, work, seed, **OPTIONS[name]),
            goal if size == 32 else None,
        )
        for name, goal in GOALS.items()
    }
    return {"plain loop": Contestant(partial(plain, workload, work, seed)), **stacked}


def plain(workload: Workload, work: Work, seed: int) -> Found:
    """The candidates and splits of the search, by a loop that does what it must."""
    splits = list(StratifiedKFold(work.n_splits).split(workload.X, workload.y))
    X, y = torch.from_numpy(workload.X), torch.from_numpy(workload.y)
    scores = {
        key_of(params): tuple(
            trained(workload.net, params, work.epochs, X, y, train, test)
            for train, test in splits
        )
        for params in ParameterSampler(SPACE, work.n_iter, random_state=seed)
    }
    return Found(scores)


def trained(
    net: Any, params: Any, epochs: int, X: Any, y: Any, train: Any, test: Any
) -> float:
    module = MLP()
    given = net.get_params(deep=False)
    prefix = "optimizer__"
    options = {k.removeprefix(prefix): given[k] for k in given if k.startswith(prefix)}
    options |= {"weight_decay": params["optimizer__weight_decay"], "lr": params["lr"]}
    optimizer = net.optimizer(module.parameters(), **options)
    loss_of = torch.nn.CrossEntropyLoss()
    X_train, y_train = X[train], y[train]
    for _ in range(epochs):
        for rows in order(len(y_train)).split(net.batch_size):
            optimizer.zero_grad()
            loss_of(module(X_train[rows]), y_train[rows]).backward()
            optimizer.step()
    module.eval()
    with torch.no_grad():
        return (module(X[test]).argmax(1) == y[test]).double().mean().item()


def order(n_rows: int) -> Any:
    """The rows of an epoch in the order of torch's loader, so that scores compare."""
    torch.empty((), dtype=torch.int64).random_()  # the loader's, for its workers
    seed = int(torch.empty((), dtype=torch.int64).random_())
    return torch.randperm(n_rows, generator=torch.Generator().manual_seed(seed))
