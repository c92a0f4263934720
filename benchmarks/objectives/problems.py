"""Problems with several objectives, all greater-is-better, and their fronts.

Synthetic ones are mixed: some coordinates are floats, one an integer, one a choice.
Those of nets and forests are tables, `tables.json`, made by `make_tables.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import randint, uniform

from sktune._pareto import hypervolume, non_dominated

NOISE = 0.02  # standard deviation, of a range of 1
CHOICES = ["a", "b", "c", "d"]
SHIFT = {"a": 0.0, "b": 0.15, "c": 0.3, "d": 0.5}  # of the distance to the front


@dataclass(frozen=True)
class Problem:
    """Objectives of params, with noise and without.

    Attributes
    ----------
    space : dict
    truth : callable
        ``truth(params)``: the objectives without noise, (m,).
    observe : callable
        ``observe(params, rng)``: with noise.
    reference : tuple of float
        Hypervolume is counted from here.
    best : float
        The hypervolume of the best front that is known.
    """

    space: dict[str, Any]
    truth: Callable[[dict[str, Any]], np.ndarray]
    observe: Callable[[dict[str, Any], np.random.Generator], np.ndarray]
    reference: tuple[float, ...]
    best: float = field(default=1.0)

    def share(self, params: list[dict[str, Any]], observed: np.ndarray) -> float:
        """Share of the best hypervolume that the observed front really has."""
        chosen = np.flatnonzero(non_dominated(observed))
        real = np.array([self.truth(params[i]) for i in chosen])
        return hypervolume(real, self.reference) / self.best


def mixed_space(n_floats: int) -> dict[str, Any]:
    floats = {f"x{i}": uniform(0.0, 1.0) for i in range(n_floats)}
    return {**floats, "n": randint(0, 10), "choice": list(CHOICES)}


def distance(params: dict[str, Any], first: int) -> float:
    """How far off the front, 0 on it: floats at 0.35, n at 6, the choice "b"."""
    rest = [
        abs(v - 0.35) for k, v in params.items() if k[0] == "x" and int(k[1:]) >= first
    ]
    off = SHIFT[params["choice"]] - SHIFT["b"]
    return sum(rest) / max(len(rest), 1) + 0.08 * abs(params["n"] - 6) + abs(off)


def zdt1(p: dict[str, Any]) -> np.ndarray:
    g = 1.0 + 2.0 * distance(p, 1)
    return np.array([1.0 - p["x0"], 1.0 - g * (1.0 - math.sqrt(p["x0"] / g))])


def zdt2(p: dict[str, Any]) -> np.ndarray:
    g = 1.0 + 2.0 * distance(p, 1)
    return np.array([1.0 - p["x0"], 1.0 - g * (1.0 - (p["x0"] / g) ** 2)])


def dtlz2(p: dict[str, Any]) -> np.ndarray:
    """Three objectives on a sphere."""
    g = 2.0 * distance(p, 2)
    a, b = 0.5 * math.pi * p["x0"], 0.5 * math.pi * p["x1"]
    on_sphere = [math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a)]
    return 1.0 - (1.0 + g) * np.array(on_sphere)


def bells(p: dict[str, Any]) -> np.ndarray:
    """Two objectives, each with a bell of its own."""
    x = np.array([p["x0"], p["x1"]])
    squares = ((x - np.array([[0.25, 0.3], [0.75, 0.6]])) ** 2).sum(axis=1)
    return np.exp(-4.0 * squares) - 0.5 * distance(p, 2)


PEAKS = np.array([[0.2, 0.2], [0.8, 0.3], [0.5, 0.9]])


def peaks(p: dict[str, Any]) -> np.ndarray:
    """Three objectives, each with a peak of its own."""
    squares = ((np.array([p["x0"], p["x1"]]) - PEAKS) ** 2).sum(axis=1)
    return 1.0 - squares - 0.5 * distance(p, 2)


def _synthetic(
    truth: Callable[[dict[str, Any]], np.ndarray],
    n_floats: int,
    m: int,
    least: float = -0.1,
    in_plane: bool = True,
) -> Problem:
    def observe(params: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
        return truth(params) + NOISE * rng.standard_normal(m)

    reference = (least,) * m
    ideal: dict[str, Any] = {f"x{i}": 0.35 for i in range(n_floats)}
    ideal |= {"n": 6, "choice": "b"}
    # Where the objectives are at odds: along x0, or in the plane of x0 and x1.
    grid = np.linspace(0.0, 1.0, 60 if in_plane else 1000)
    across = grid if in_plane else [ideal["x1"]]
    front = [truth({**ideal, "x0": x, "x1": z}) for x in grid for z in across]
    points = np.array(front)
    best = hypervolume(points[non_dominated(points)], reference)
    return Problem(mixed_space(n_floats), truth, observe, reference, best)


def _tabulated(name: str) -> Problem:
    """Accuracy, and the logarithm of the size; a row has one accuracy for each seed."""
    table = json.loads((Path(__file__).parent / "tables.json").read_text())[name]
    names = list(table["space"])
    rows = {tuple(row["params"]): row for row in table["rows"]}
    sizes = np.log([row["size"] for row in table["rows"]])
    accuracies = np.array([np.mean(row["accuracy"]) for row in table["rows"]])
    low, high = sizes.min(), sizes.max()
    worst, top = np.quantile(accuracies, 0.25), accuracies.max()

    def scaled(accuracy: float, size: float) -> np.ndarray:
        lean = (high - math.log(size)) / (high - low)
        return np.array([(accuracy - worst) / (top - worst), lean])

    def row_of(params: dict[str, Any]) -> dict[str, Any]:
        return rows[tuple(params[name] for name in names)]

    def truth(params: dict[str, Any]) -> np.ndarray:
        row = row_of(params)
        return scaled(float(np.mean(row["accuracy"])), row["size"])

    def observe(params: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
        row = row_of(params)
        return scaled(row["accuracy"][rng.integers(len(row["accuracy"]))], row["size"])

    points = np.array([truth(dict(zip(names, key, strict=True))) for key in rows])
    reference = (0.0, -0.05)
    best = hypervolume(points[non_dominated(points)], reference)
    return Problem(table["space"], truth, observe, reference, best)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "zdt1": lambda: _synthetic(zdt1, 4, 2, in_plane=False),
    "zdt2": lambda: _synthetic(zdt2, 4, 2, in_plane=False),
    "bells": lambda: _synthetic(bells, 4, 2, 0.0),
    "dtlz2": lambda: _synthetic(dtlz2, 4, 3),
    "peaks": lambda: _synthetic(peaks, 4, 3, 0.3),
    "forest": lambda: _tabulated("forest"),
    "net": lambda: _tabulated("net"),
}
