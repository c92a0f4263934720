"""Recorded learning curves in place of training.

The recorded configurations are searched as a finite space, or as samples of the cube
around them: then a candidate runs as the nearest configuration that the search has not
used yet, and the strategy is told the params that it asked for.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from published_records import published_records
from scipy import spatial, stats

from sktune._types import NAMELESS, Fit, FitOutcome, Unit
from sktune.space import Space

POINTS = ("first", "zero", "spread")
NOISE = 0.02  # of the second split where one curve is recorded, see `second_split`


@dataclass(frozen=True)
class Task:
    """Learning curves of many configurations of one net.

    Attributes
    ----------
    points : ndarray of shape (n, d)
        Configurations in the unit cube.
    losses : ndarray of shape (n, 2, n_epochs)
        Loss of each split after each epoch; NaN where training broke down.
    """

    name: str
    space: Space
    points: np.ndarray
    losses: np.ndarray

    def regrets(self) -> np.ndarray:
        """Of every configuration after the last epoch: 0 the best, 100 the median.

        The loss is the mean of the splits; twice the median is as bad as it gets.
        """
        final = self.losses[:, :, -1].mean(axis=1)
        final = np.where(np.isfinite(final), final, np.inf)
        best, median = final.min(), np.median(final)
        return np.minimum(100.0 * (final - best) / (median - best), 200.0)


def task_names(folder: Path) -> list[str]:
    """All recorded curves that the folder's `load.py` knows of."""
    return [str(name) for name in published_records(folder).names()["curves"]]


@functools.cache
def load_task(folder: Path, name: str, n_epochs: int, points: str, space: str) -> Task:
    """One task of the folder's `load.py`, with so many epochs.

    `space` says what is searched: "recorded" are the configurations that there are, as
    a finite space; "cube" is all that lies around them. `points` says which of the
    recorded points are the epochs: "first" are those after point 0, "zero" begins with
    it (it may be from before training), "spread" are as many evenly between it and the
    end.
    """
    recorded = published_records(folder).curves(name)
    configs = np.asarray(recorded["configs"], dtype=float)
    varied = [
        j
        for j, param in enumerate(recorded["params"])
        if param["upper"] > param["lower"] and np.ptp(configs[:, j]) > 0
    ]
    params = [recorded["params"][j] for j in varied]
    columns = [_to_cube(configs[:, j], recorded["params"][j]) for j in varied]
    sign = 1.0 if recorded["minimize"] else -1.0
    curves = sign * np.asarray(recorded["curves"], dtype=float)
    if "test" in recorded:
        splits = [curves, sign * np.asarray(recorded["test"], dtype=float)]
    else:
        splits = [curves, second_split(curves)]
    length = curves.shape[1]
    chosen = {
        "first": np.arange(1, n_epochs + 1),
        "zero": np.arange(n_epochs),
        "spread": np.linspace(0, length - 1, n_epochs + 1).round().astype(int)[1:],
    }[points]
    losses = np.stack(splits, axis=1)[:, :, chosen]
    losses = np.where(np.isfinite(losses), losses, np.nan)
    names = sorted(param["name"] for param in params)
    order = [names.index(param["name"]) for param in params]
    cube = np.empty((len(configs), len(params)))
    cube[:, order] = np.column_stack(columns)
    distributions = {name: stats.uniform(0, 1) for name in names}
    if space == "cube":
        return Task(name, Space(distributions), cube, losses)
    return Task(name, Recorded(distributions, cube), cube, losses)


class Recorded(Space):
    """The recorded configurations as a finite space."""

    def __init__(self, distributions: dict[str, Any], rows: np.ndarray) -> None:
        super().__init__(distributions)
        self.rows = rows
        self._tree = spatial.cKDTree(rows)

    @property
    def size(self) -> float:
        return float(len(self.rows))

    @size.setter
    def size(self, value: float) -> None:
        pass  # that of the cube around them

    def snap(self, U: np.ndarray) -> np.ndarray:
        return self.rows[self._tree.query(np.asarray(U))[1]]

    def points(self) -> Iterator[dict[str, Any]]:
        return (self.decode(row) for row in self.rows)


def second_split(curves: np.ndarray) -> np.ndarray:
    """A curve beside the recorded one: the same, and a seeded offset for each config.

    The offset has 2 % of the spread (quartile to quartile) of the last points.
    """
    spread = np.subtract(*np.nanquantile(curves[:, -1], [0.75, 0.25]))
    offsets = np.random.default_rng(0).standard_normal((len(curves), 1))
    return curves + NOISE * spread * offsets


def _to_cube(values: np.ndarray, param: dict[str, Any]) -> np.ndarray:
    """Values of a parameter on [0, 1]: linear, log, or log of 1 - value."""
    lower, upper = param["lower"], param["upper"]
    if param["log"] == "1m":
        values, lower, upper = 1.0 - values, 1.0 - lower, 1.0 - upper
    if param["log"]:
        values, lower, upper = np.log(values), np.log(lower), np.log(upper)
    return np.clip((values - lower) / (upper - lower), 0.0, 1.0)


class OutOfBudget(Exception):
    """The search has spent what it may, or has found the best that is recorded."""


@dataclass(frozen=True)
class Step:
    """A candidate has come to a resource."""

    epochs: float  # spent by then, per split, by all that had ended
    time: float
    candidate: int
    n_epochs: int
    loss: float


class RecordedWorkers:
    """Fits that look their score up, in simulated time, on simulated workers.

    A fit of k more epochs takes k units of time, times what the candidate takes for
    one: a log-normal factor of mean 1 where `speeds` is its spread.
    """

    def __init__(
        self, task: Task, n_workers: int, budget: float, seed: int, speeds: float
    ) -> None:
        self.task = task
        self.n_workers = n_workers
        self.budget = budget
        self._rng = np.random.default_rng([seed, 1])
        self._speeds = speeds
        self._free = np.ones(len(task.points), bool)
        self.rows: dict[int, int] = {}
        self._pace: dict[int, float] = {}
        self._reached: dict[tuple[int, int], int] = {}
        self._queue: list[Fit] = []
        self._running: list[tuple[float, int, Fit, float]] = []
        self._count = 0
        self._spent = 0.0
        self._now = 0.0
        self._halves: dict[tuple[int, int], list[float]] = {}
        self._regrets = task.regrets()
        self.steps: list[Step] = []

    def submit(self, unit: Unit) -> None:
        for fit in unit:
            if fit.candidate not in self.rows:
                self._place(fit)
            self._queue.append(fit)

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        while self._queue and len(self._running) < self.n_workers:
            self._begin(self._queue.pop(0))
        if not self._running:
            return []
        self._now, _, fit, cost = heapq.heappop(self._running)
        self._spent += cost / self.task.losses.shape[1]
        if self._spent > self.budget + 1e-9:
            raise OutOfBudget
        reached = self._reached[fit.candidate, fit.split]
        loss = self.task.losses[self.rows[fit.candidate], fit.split, reached - 1]
        if self._record(fit, reached, loss):
            raise OutOfBudget
        return [(fit, FitOutcome({NAMELESS: -float(loss)}))]

    def _place(self, fit: Fit) -> None:
        u = self.task.space.encode(fit.params)
        far = np.square(self.task.points - u).sum(axis=1)
        row = int(np.argmin(np.where(self._free, far, np.inf)))
        self._free[row] = False
        self.rows[fit.candidate] = row
        z = self._rng.standard_normal()
        pace = np.exp(self._speeds * z - 0.5 * self._speeds**2)
        self._pace[fit.candidate] = float(pace)

    def _begin(self, fit: Fit) -> None:
        who = fit.candidate, fit.split
        goal = fit.n_resources or self.task.losses.shape[2]
        cost = goal - self._reached.get(who, 0)
        self._reached[who] = goal
        end = self._now + cost * self._pace[fit.candidate]
        heapq.heappush(self._running, (end, self._count, fit, cost))
        self._count += 1

    def _record(self, fit: Fit, reached: int, loss: float) -> bool:
        """Whether this was the best there is, so that no regret changes any more."""
        halves = self._halves.setdefault((fit.candidate, reached), [])
        halves.append(loss)
        if len(halves) == self.task.losses.shape[1]:
            mean = float(np.mean(halves))
            step = Step(self._spent, self._now, fit.candidate, reached, mean)
            self.steps.append(step)
            is_best = self._regrets[self.rows[fit.candidate]] == 0.0
            return bool(is_best and reached == self.task.losses.shape[2])
        return False

    def incumbents(self) -> Iterator[tuple[Step, float]]:
        """After each step, the regret of the best among those with most epochs."""
        regrets = self.task.regrets()
        most, best, regret = 0, np.inf, 200.0
        for step in self.steps:
            if np.isfinite(step.loss) and (
                step.n_epochs > most or (step.n_epochs == most and step.loss < best)
            ):
                most, best = step.n_epochs, step.loss
                regret = float(regrets[self.rows[step.candidate]])
            yield step, regret
