"""From runs to regret, ranks and tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from landscapes import is_held_out, is_noisy
from runs.trajectory import REFERENCE
from scipy import stats

BASE = "sktune Bayes"  # the one that each of the others is tested against
Runs = dict[tuple[str, str, int], dict[str, Any]]  # by landscape, searcher, seed
Regrets = dict[str, dict[str, dict[int, np.ndarray]]]  # searcher, landscape, seed: (n,)


def marks_of(n: int) -> list[int]:
    return sorted({min(12, n), min(25, n), min(50, n), n})


def regrets_of(runs: Runs) -> Regrets:
    """Regret after each candidate: 1 is what random search reaches with as many."""
    found: Regrets = {}
    for (landscape, searcher, seed), run in sorted(runs.items()):
        base = runs.get((landscape, REFERENCE, 0))
        if searcher == REFERENCE or base is None:
            continue
        scale = base["best"] - np.array(base["curve"])
        regret = (base["best"] - np.array(run["curve"])) / scale
        found.setdefault(searcher, {}).setdefault(landscape, {})[seed] = regret
    return found


def groups_of(landscapes: Iterable[str]) -> dict[str, list[str]]:
    """All landscapes, those the strategy was made with, and those held out.

    Those with noise are groups of their own.
    """
    names = list(landscapes)
    exact = [name for name in names if not is_noisy(name)]
    noisy = [name for name in names if is_noisy(name)]
    return _halves(exact) | {f"noisy_{g}": some for g, some in _halves(noisy).items()}


def _halves(names: list[str]) -> dict[str, list[str]]:
    found = {
        "all": names,
        "seen": [name for name in names if not is_held_out(name)],
        "held_out": [name for name in names if is_held_out(name)],
    }
    found = {group: some for group, some in found.items() if some}
    return {"all": names} if len(found) == 2 else found


def summarise(
    runs: Runs, landscapes: list[str], searchers: list[str], n: int, base: str = BASE
) -> dict[str, Any]:
    """What the report says. Means are over landscapes on which everybody has run."""
    regrets = regrets_of(runs)
    searchers = [name for name in searchers if name in regrets]
    everybody = [
        landscape
        for landscape in landscapes
        if all(landscape in regrets[name] for name in searchers)
    ]
    groups = groups_of(everybody)
    rows = {
        name: _row(regrets[name], landscapes, groups, n)
        | {"cpu_ms_per_candidate": _cpu(runs, name, everybody)}
        for name in searchers
    }
    for group, some in groups.items():
        for name, ranks in _mean_ranks(regrets, some, searchers, n).items():
            rows[name]["mean_rank"][group] = ranks
    others = [name for name in searchers if name != base]
    tests = {
        name: {
            group: _tests(regrets[base], regrets[name], some, n)
            for group, some in groups_of(landscapes).items()
        }
        for name in others
        if base in regrets
    }
    return {"base": base, "landscapes": groups, "searchers": rows, "tests": tests}


def _row(
    regrets: dict[str, dict[int, np.ndarray]],
    landscapes: list[str],
    groups: dict[str, list[str]],
    n: int,
) -> dict[str, Any]:
    mean = {name: _mean(regrets[name]) for name in landscapes if name in regrets}
    counts = [len(regrets[name]) for name in mean]
    curves = {
        group: np.mean([mean[name] for name in some], axis=0)
        for group, some in groups.items()
    }
    return {
        "seeds": [min(counts), max(counts)],
        "n_landscapes": len(mean),
        "regret": {name: at_marks(curve, n) for name, curve in mean.items()},
        "mean_regret": {group: at_marks(curve, n) for group, curve in curves.items()},
        "standard_error": {
            group: _error_at_marks([regrets[name] for name in some], n)
            for group, some in groups.items()
        },
        "mean_rank": {},
        "curve": {g: [round(float(v), 4) for v in c] for g, c in curves.items()},
    }


def _standard_error(by_landscape: list[dict[int, np.ndarray]]) -> np.ndarray:
    """Of the mean over landscapes, by chance of the seeds: (n,), nan with one seed."""
    variances = [
        np.var(list(by_seed.values()), axis=0, ddof=1) / len(by_seed)
        if len(by_seed) > 1
        else np.full(len(next(iter(by_seed.values()))), np.nan)
        for by_seed in by_landscape
    ]
    return np.sqrt(np.sum(variances, axis=0)) / len(variances)


def _error_at_marks(
    by_landscape: list[dict[int, np.ndarray]], n: int
) -> dict[str, float]:
    """Nothing where some landscape has one seed."""
    error = _standard_error(by_landscape)
    return at_marks(error, n) if np.isfinite(error).all() else {}


def _mean(by_seed: dict[int, np.ndarray]) -> np.ndarray:
    return np.mean(list(by_seed.values()), axis=0)


def at_marks(curve: np.ndarray, n: int) -> dict[str, float]:
    return {str(t): round(float(curve[t - 1]), 4) for t in marks_of(n)}


def _cpu(runs: Runs, name: str, landscapes: list[str]) -> float | None:
    found = [
        run["cpu_ms"]
        for (landscape, searcher, _), run in runs.items()
        if searcher == name and landscape in landscapes
    ]
    return round(float(np.mean(found)), 2) if found else None


def _mean_ranks(
    regrets: Regrets, landscapes: list[str], searchers: list[str], n: int
) -> dict[str, dict[str, float]]:
    """Ranks by the mean over seeds, those who are equal share one; then their mean."""
    found: dict[str, dict[str, float]] = {name: {} for name in searchers}
    for t in marks_of(n):
        ranks = [
            stats.rankdata(
                [round(_mean(regrets[s][name])[t - 1], 9) for s in searchers]
            )
            for name in landscapes
        ]
        for name, rank in zip(searchers, np.mean(ranks, axis=0), strict=True):
            found[name][str(t)] = round(float(rank), 2)
    return found


def _tests(
    base: dict[str, dict[int, np.ndarray]],
    other: dict[str, dict[int, np.ndarray]],
    landscapes: list[str],
    n: int,
) -> dict[str, Any]:
    """Differences of regret, below 0 where BASE is ahead, on what both have run."""
    pairs = {
        name: [
            base[name][seed] - other[name][seed]
            for seed in sorted(base[name].keys() & other[name].keys())
        ]
        for name in landscapes
        if name in base and name in other
    }
    pairs = {name: found for name, found in pairs.items() if found}
    if not pairs:
        return {}
    every = np.concatenate([np.array(found) for found in pairs.values()])
    means = np.array([np.mean(found, axis=0) for found in pairs.values()])
    return {
        str(t): {
            "pairs": compare(every[:, t - 1]),
            "landscapes": compare(means[:, t - 1]),
            "by_landscape": {
                name: mean_and_error(np.array(found)[:, t - 1])
                for name, found in pairs.items()
            },
        }
        for t in marks_of(n)
    }


def compare(differences: np.ndarray) -> dict[str, Any]:
    """Wilcoxon's signed rank test, two-sided; differences of 0 do not count."""
    d = np.round(differences, 9)
    p = 1.0
    if d.any():
        p = float(stats.wilcoxon(d[d != 0]).pvalue)
    return {
        "ahead": int((d < 0).sum()),
        "equal": int((d == 0).sum()),
        "behind": int((d > 0).sum()),
        **mean_and_error(d),
        "p": float(f"{p:.2g}"),
    }


def mean_and_error(d: np.ndarray) -> dict[str, Any]:
    """Of differences (n,)."""
    error = float(stats.sem(d)) if len(d) > 1 else None
    return {
        "n": len(d),
        "mean_difference": round(float(d.mean()), 4),
        "standard_error": error if error is None else round(error, 4),
    }
