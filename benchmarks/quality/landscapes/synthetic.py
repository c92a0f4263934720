"""The usual synthetic functions, and mixed and conditional spaces."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from landscapes.landscape import Landscape, Params, Spaces
from landscapes.noise import gaussian, range_of_draws


def branin(p: Params) -> float:
    x, y = 15 * p["x0"] - 5, 15 * p["x1"]
    b, c, t = 5.1 / (4 * math.pi**2), 5 / math.pi, 1 / (8 * math.pi)
    return -((y - b * x**2 + c * x - 6) ** 2 + 10 * (1 - t) * math.cos(x) + 10)


HARTMANN_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
HARTMANN_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def vector(p: Params, n: int) -> np.ndarray:
    return np.array([p[f"x{j}"] for j in range(n)])


def hartmann6(p: Params) -> float:
    distance = (HARTMANN_A * (vector(p, 6) - HARTMANN_P) ** 2).sum(axis=1)
    return float(np.array([1, 1.2, 3, 3.2]) @ np.exp(-distance))


def ackley4(p: Params) -> float:
    x = 30 * vector(p, 4) - 10  # the optimum is not in the middle
    root = math.sqrt(float(np.mean(x**2)))
    waves = float(np.mean(np.cos(2 * math.pi * x)))
    return 20 * math.exp(-0.2 * root) + math.exp(waves) - 20 - math.e


def rosenbrock5(p: Params) -> float:
    x = 4 * vector(p, 5) - 2
    return -math.log1p(float((100 * (x[1:] - x[:-1] ** 2) ** 2).sum())) - math.log1p(
        float(((1 - x[:-1]) ** 2).sum())
    )


def mixed7(p: Params) -> float:
    """A ridge along a log scale that an integer and a category shift."""
    shift = {"a": 0.0, "b": 1.0, "c": -1.0, "d": 0.5}[p["kind"]]
    rate = math.log10(p["rate"]) + 3 + 0.1 * p["depth"] + 0.4 * shift
    decay = math.log10(p["decay"]) + 4
    width = (p["width"] - 40) / 40
    penalty = {"a": 0.0, "b": 0.3, "c": 0.6, "d": 0.15}[p["kind"]]
    return -(
        rate**2 + 0.1 * decay**2 + 0.5 * width**2 + 0.3 * abs(p["depth"] - 5) / 5
    ) - (penalty + 0.2 * p["skip"] + 0.5 * (p["drop"] - 0.2) ** 2)


def styblinski5(p: Params) -> float:
    x = 10 * vector(p, 5) - 5
    return -float((x**4 - 16 * x**2 + 5 * x).mean()) / 2


def levy6(p: Params) -> float:
    w = 1 + (16 * vector(p, 6) - 6 - 1) / 4
    inner = (w[:-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[:-1] + 1) ** 2)
    last = (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    return -math.sqrt(math.sin(math.pi * w[0]) ** 2 + float(inner.sum()) + last)


def cosines3(p: Params) -> float:
    x = vector(p, 3)
    target = np.array([0.3, 0.65, 0.8])
    return float((0.1 * np.cos(15 * (x - target)) - 3 * (x - target) ** 2).sum())


def optimizers5(p: Params) -> float:
    """Two optimizers that share a learning rate, whose best depends on which."""
    lr = math.log10(p["lr"])
    if p["optimizer"] == "sgd":
        momentum = -math.log10(1 - p["momentum"])
        return -((lr + 1.5 + momentum) ** 2) - 0.3 * (momentum - 1) ** 2 - 0.1
    decay = math.log10(p["decay"])
    return -((lr + 3) ** 2) - 0.1 * (decay + 4) ** 2 - 0.2 * abs(p["warmup"] - 3)


def branches5(p: Params) -> float:
    depth = p["depth"]
    if p["model"] == "trees":
        rate = math.log10(p["rate"])
        return -((rate + 1 + 0.1 * depth) ** 2) - 0.02 * (depth - 4) ** 2
    width = math.log2(p["width"])
    lr, drop = math.log10(p["lr"]), p["drop"]
    return (
        0.1
        - 0.5 * (lr + 2.5 + 0.1 * (width - 6)) ** 2
        - 0.05 * (width - 7) ** 2
        - (drop - 0.1 * depth) ** 2
        - 0.05 * (depth - 3) ** 2
    )


def sparse20(p: Params) -> float:
    """Two dicts, twenty dimensions; a rate, a depth and a kind matter."""
    shift = {"a": 0.0, "b": 0.6, "c": -0.6, "d": 1.2}[p["kind"]]
    penalty = {"a": 0.0, "b": 0.1, "c": 0.4, "d": 0.7}[p["kind"]]
    rate = math.log10(p["rate"]) + 3 + shift + 0.1 * (p["depth"] - 8)
    return -(rate**2) - 0.05 * (p["depth"] - 8) ** 2 - penalty


def sparse_space() -> list[dict[str, Any]]:
    """With the choice of a dict 20 dimensions, 11 of them in both dicts."""
    shared = {
        "rate": stats.loguniform(1e-6, 1e0),
        "depth": stats.randint(1, 13),
        "kind": ["a", "b", "c", "d"],
        "seed": [0, 1, 2, 3, 4],
        "skip": [True, False],
        "order": ["first", "last", "none"],
        "scale": stats.loguniform(1e-3, 1e3),
        "drop": stats.uniform(0, 0.8),
        "width": stats.randint(4, 257),
        "bins": [8, 16, 32, 64],
        "mix": stats.uniform(0, 1),
    }
    return [
        {
            **shared,
            "momentum": stats.uniform(0, 0.99),
            "nesterov": [True, False],
            "decay": stats.loguniform(1e-8, 1e-1),
            "warmup": stats.randint(0, 11),
        },
        {
            **shared,
            "beta": stats.uniform(0.5, 0.5),
            "epsilon": stats.loguniform(1e-10, 1e-2),
            "amsgrad": [True, False],
            "clip": [0.1, 0.3, 1.0, 3.0, 10.0],
        },
    ]


NOISE_LEVELS = (0.003, 0.01, 0.03)  # of the range from the median of draws to the best


def of_levels(
    name: str, space: Spaces, score: Callable[[Params], float], best: float
) -> Landscape:
    """With as much Gaussian noise as scores of cross-validation have."""

    def deviation(level: float) -> float:
        return level * range_of_draws(space, score, best)

    noisy = {
        f"{100 * level:g}%": gaussian(name, score, partial(deviation, level))
        for level in NOISE_LEVELS
    }
    return Landscape(name, space, score, best, noisy)


def synthetic() -> list[Landscape]:
    def unit(n: int) -> dict[str, Any]:
        return {f"x{j}": stats.uniform(0, 1) for j in range(n)}

    mixed = {
        "rate": stats.loguniform(1e-6, 1e0),
        "decay": stats.loguniform(1e-8, 1e-1),
        "width": stats.randint(4, 257),
        "depth": stats.randint(1, 11),
        "kind": ["a", "b", "c", "d"],
        "skip": [True, False],
        "drop": stats.uniform(0, 0.8),
    }
    lr = stats.loguniform(1e-6, 1e1)
    optimizers = [
        {"optimizer": ["sgd"], "lr": lr, "momentum": stats.uniform(0, 0.99)},
        {
            "optimizer": ["adam"],
            "lr": lr,
            "decay": stats.loguniform(1e-8, 1e-1),
            "warmup": stats.randint(0, 11),
        },
    ]
    depth = stats.randint(1, 9)
    branches = [
        {"model": ["trees"], "depth": depth, "rate": stats.loguniform(1e-4, 1)},
        {
            "model": ["net"],
            "depth": depth,
            "width": stats.randint(4, 513),
            "lr": stats.loguniform(1e-6, 1),
            "drop": stats.uniform(0, 0.9),
        },
    ]
    return [
        of_levels("branin-2", unit(2), branin, -0.397887),
        of_levels("hartmann-6", unit(6), hartmann6, 3.32237),
        of_levels("ackley-4", unit(4), ackley4, 0.0),
        of_levels("rosenbrock-5", unit(5), rosenbrock5, 0.0),
        of_levels("mixed-7", mixed, mixed7, 0.0),
        of_levels("cosines-3", unit(3), cosines3, 0.3),
        of_levels("optimizers-5", optimizers, optimizers5, 0.0),
        of_levels("styblinski-5", unit(5), styblinski5, 39.16617),
        of_levels("levy-6", unit(6), levy6, 0.0),
        of_levels("sparse-20", sparse_space(), sparse20, 0.0),
        of_levels("branches-5", branches, branches5, 0.1),
    ]
