"""Tables of accuracy and size on digits, as `tables.json` has them.

python benchmarks/objectives/make_tables.py
"""

from __future__ import annotations

import sys
import warnings
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401

# isort: split
import json
from collections.abc import Callable
from typing import Any

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

SEEDS = range(3)
N_ROWS = 900
SPACES: dict[str, dict[str, list[Any]]] = {
    "forest": {
        "n_estimators": [1, 2, 4, 8, 16, 32],
        "max_leaf_nodes": [4, 8, 16, 32, 64, 128],
        "max_features": [0.05, 0.15, 0.5],
        "criterion": ["gini", "entropy"],
    },
    "net": {
        "width": [2, 4, 8, 16, 32, 64],
        "depth": [1, 2, 3],
        "lr": [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1],
        "activation": ["relu", "tanh"],
    },
}


def forest(seed: int, **params: Any) -> RandomForestClassifier:
    return RandomForestClassifier(random_state=seed, **params)


def net(seed: int, *, width: int, depth: int, lr: float, activation: str) -> Any:
    return MLPClassifier(
        (width,) * depth,
        activation=activation,
        learning_rate_init=lr,
        max_iter=12,
        batch_size=32,
        random_state=seed,
    )


def size_of(model: Any) -> int:
    """Numbers that a net has, nodes of a forest."""
    if hasattr(model, "coefs_"):
        return int(sum(one.size for one in [*model.coefs_, *model.intercepts_]))
    return int(sum(tree.tree_.node_count for tree in model.estimators_))


def rows_of(make: Callable[..., Any], space: dict[str, list[Any]]) -> list[Any]:
    X, y = load_digits(return_X_y=True)
    X = X / 16.0
    rows = []
    for values in product(*space.values()):
        accuracy, sizes = [], []
        for seed in SEEDS:
            parts = train_test_split(
                X, y, train_size=N_ROWS, stratify=y, random_state=seed
            )
            model = make(seed, **dict(zip(space, values, strict=True)))
            model.fit(parts[0], parts[2])
            accuracy.append(round(model.score(parts[1], parts[3]), 4))
            sizes.append(size_of(model))
        size = round(sum(sizes) / len(sizes))
        rows.append({"params": values, "accuracy": accuracy, "size": size})
    return rows


def main() -> None:
    warnings.simplefilter("ignore", ConvergenceWarning)
    makers = {"forest": forest, "net": net}
    tables = {
        name: {"space": space, "rows": rows_of(makers[name], space)}
        for name, space in SPACES.items()
    }
    path = Path(__file__).parent / "tables.json"
    path.write_text(json.dumps(tables) + "\n")


if __name__ == "__main__":
    main()
