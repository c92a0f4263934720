"""Who should be chosen in the end: the best mean, or what costs less and is as good?

    python benchmarks/quality/choice.py --json choice.json

Searches on noisy landscapes are told the mean of five scores of each candidate; judged
is the score without noise of the one chosen. Models of scikit-learn are searched on one
half of their rows by five-fold cross-validation; judged is the one chosen on the other.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import numpy as np
from landscapes import Landscape, Spaces, landscapes
from report import environment, markdown_table, save
from runs.trajectory import reference
from scipy.stats import loguniform, randint
from searchers import Sktune
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.model_selection import RandomizedSearchCV, train_test_split
from sklearn.tree import DecisionTreeClassifier

from sktune.inspection import OneStandardError, PosteriorMean

N_SPLITS = 5
SHARES = ("cost", "seconds")  # of those of the best mean
# What a candidate of a landscape costs, where something in it is a size.
SIZES: dict[str, Callable[[Mapping[str, Any]], float]] = {
    "mixed-7": lambda p: p["width"] * p["depth"],
    "sparse-20": lambda p: p["width"] * p["depth"],
    "fcnet-0": lambda p: p["n_units_1"] + p["n_units_2"],
    "fcnet-1": lambda p: p["n_units_1"] + p["n_units_2"],
}
PROBLEMS = (
    "hartmann-6~3%",
    "mixed-7~3%",
    "sparse-20~3%",
    "branches-5~3%",
    "fcnet-0~repeats",
    "nasbench201~repeats",
)


def one_error_of_the_best(results: Mapping[str, Any], cost: str) -> int:
    """The rule as it was first given: by the standard error of the best itself."""
    mean, std = results["mean_test_score"], results["std_test_score"]
    best = int(mean.argmax())
    error = std[best] / np.sqrt(N_SPLITS - 1)  # std divides by the number of splits
    near = np.flatnonzero(mean >= mean[best] - error)
    return int(near[np.lexsort((-mean[near], results[cost][near]))[0]])


def choices(results: Mapping[str, Any], space: Spaces) -> dict[str, int]:
    """The row that each rule names."""
    found = {
        "best mean": int(results["mean_test_score"].argmax()),
        "PosteriorMean(space)": PosteriorMean(space)(results),
        "PosteriorMean": PosteriorMean()(results),
    }
    if "cost" in results:
        half = OneStandardError("cost", n_errors=0.5)
        found |= {
            "OneStandardError": OneStandardError("cost")(results),
            "OneStandardError, half an error": half(results),
            "one error of the best itself": one_error_of_the_best(results, "cost"),
        }
    return found


def as_results(scores: np.ndarray) -> dict[str, Any]:
    """What `cv_results_` says of scores (n, n_splits)."""
    mean = scores.mean(axis=1)
    return {
        **{f"split{j}_test_score": column for j, column in enumerate(scores.T)},
        "mean_test_score": mean,
        "std_test_score": scores.std(axis=1),
        "rank_test_score": 1 + (mean[None] > mean[:, None]).sum(axis=1),
    }


# -- landscapes ----------------------------------------------------------------------


def on_landscape(landscape: Landscape, seed: int, n: int) -> dict[str, Any]:
    """Scores without noise of the rows chosen, and their costs, by rule."""
    searcher = Sktune(landscape.space, seed, n)
    observe = landscape.observe
    assert observe is not None
    tried, scores = [], []
    for k in range(n):
        params = searcher.ask()
        if params is None:
            break
        seen = [observe(params, seed, N_SPLITS * k + j) for j in range(N_SPLITS)]
        searcher.tell(params, float(np.mean(seen)))
        tried.append(params)
        scores.append(seen)
    results = as_results(np.array(scores))
    size = SIZES.get(landscape.name.partition("~")[0])
    if size:
        results["cost"] = np.array([float(size(params)) for params in tried])
    results["params"] = tried
    chosen = choices(results, landscape.space)
    true = np.array([landscape.score(params) for params in tried])
    return {
        rule: {
            "score": float(true[row]),
            "cost": float(results["cost"][row]) if size else None,
        }
        for rule, row in chosen.items()
    } | {"best tried": {"score": float(true.max()), "cost": None}}


# -- models --------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    estimator: Any
    space: dict[str, Any]
    load: Callable[..., Any]
    cost: str  # the parameter that should be small


MODELS = {
    "forest-cancer": Model(
        RandomForestClassifier(random_state=0),
        {
            "n_estimators": randint(5, 51),
            "max_depth": randint(1, 13),
            "max_features": randint(1, 31),
        },
        load_breast_cancer,
        "n_estimators",
    ),
    "boosting-diabetes": Model(
        GradientBoostingRegressor(random_state=0),
        {
            "n_estimators": randint(5, 151),
            "learning_rate": loguniform(1e-2, 1.0),
            "max_depth": randint(1, 5),
        },
        load_diabetes,
        "n_estimators",
    ),
    "tree-cancer": Model(
        DecisionTreeClassifier(random_state=0),
        {"max_leaf_nodes": randint(2, 65), "min_samples_leaf": randint(1, 31)},
        load_breast_cancer,
        "max_leaf_nodes",
    ),
}


def on_model(model: Model, seed: int, n: int) -> dict[str, Any]:
    """Scores on the other half, costs and seconds of the chosen ones, by rule."""
    X, y = model.load(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, random_state=seed)
    search = RandomizedSearchCV(
        model.estimator, model.space, n_iter=n, random_state=seed, refit=False
    ).fit(X, y)
    results = dict(search.cv_results_)
    tried = results["params"]
    cost = np.array([float(params[model.cost]) for params in tried])
    results["cost"] = cost
    chosen = choices(results, model.space)
    found = {}
    fitted: dict[int, tuple[float, float]] = {}
    for rule, row in chosen.items():
        if row not in fitted:
            start = time.process_time()
            best = model.estimator.set_params(**tried[row]).fit(X, y)
            spent = time.process_time() - start
            fitted[row] = best.score(X_test, y_test), spent
        score, spent = fitted[row]
        found[rule] = {
            "score": float(score),
            "cost": float(cost[row]),
            "seconds": spent,
        }
    return found


# -- report --------------------------------------------------------------------------


def summary(runs: list[dict[str, Any]], scale: float = 1.0) -> dict[str, Any]:
    """Of each rule against the best mean, over seeds."""
    found = {}
    for rule in runs[0]:
        pairs = [(run[rule], run["best mean"]) for run in runs]
        loss = np.array([base["score"] - one["score"] for one, base in pairs]) / scale
        row: dict[str, Any] = {
            "loss": round(float(loss.mean()), 4),
            "error": round(float(loss.std(ddof=1) / np.sqrt(len(loss))), 4),
            "changed": int((np.abs(loss) > 0).sum()),
            "n": len(loss),
        }
        for what in SHARES:
            shares = [
                one[what] / base[what]
                for one, base in pairs
                if one.get(what) is not None and base.get(what)
            ]
            if shares:
                row[what] = round(float(np.exp(np.mean(np.log(shares)))), 3)
        found[rule] = row
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of published records")
    parser.add_argument("--json", type=Path, help="where the result goes")
    parser.add_argument("--problems", nargs="*", default=PROBLEMS)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--candidates", type=int, default=25)
    parser.add_argument("--quick", action="store_true", help="a minute of it")
    args = parser.parse_args()
    if args.quick:
        args.problems, args.models, args.seeds = PROBLEMS[1:2], ["tree-cancer"], 2
    known = landscapes(None, args.data)
    tables: dict[str, Any] = {}
    about = {"candidates": args.candidates, "seeds": args.seeds, **environment()}

    def keep(name: str, table: dict[str, Any]) -> None:
        tables[name] = table
        show(name, table)
        save(args.json, {**about, "table": tables})

    for name in args.problems:
        if name not in known:
            print(f"{name} is left out: --data has it not")
            continue
        # The loss is regret: 1 is what random search is behind with as many.
        base = reference(known[name], args.candidates)
        scale = base["best"] - base["curve"][-1]
        runs = [
            on_landscape(known[name], seed, args.candidates)
            for seed in range(args.seeds)
        ]
        keep(name, summary(runs, scale))
    for name in args.models:
        runs = [
            on_model(MODELS[name], seed, args.candidates) for seed in range(args.seeds)
        ]
        keep(name, summary(runs))


def show(name: str, table: dict[str, Any]) -> None:
    rows = [
        [
            rule,
            f"{row['loss']:+.4f} ({row['error']:.4f})",
            f"{row['changed']} of {row['n']}",
            *(
                f"{row[what]:.2f}" if what in row else ""
                for what in ("cost", "seconds")
            ),
        ]
        for rule, row in table.items()
    ]
    print(f"\n{name}\n")
    head = ["rule", "loss against the best mean", "differ", "cost", "seconds"]
    print(markdown_table(head, rows), flush=True)


if __name__ == "__main__":
    main()
