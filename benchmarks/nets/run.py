"""Does Bayesian search beat random search on real nets, with as many candidates?

A small skorch net behind a scaler, on data sets that scikit-learn ships; both searches
see the same splits, and each seed is one pair. Also counted: how many candidates random
search needs on average for what Bayesian search has after `--n-iter`.

    python benchmarks/nets/run.py --json benchmarks/nets/results.json
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import torch
from scipy.stats import binomtest, loguniform, randint, uniform, wilcoxon
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from sktune import BayesSearchCV, RandomizedSearchCV

sys.path.insert(0, str(Path(__file__).parents[1]))
from report import environment, markdown_table, save

DATA = {"digits": load_digits, "cancer": load_breast_cancer, "wine": load_wine}
RANDOM_SHARE = 3  # random search gets so many times the candidates


class Net(torch.nn.Module):
    """One hidden layer with dropout."""

    def __init__(self, n_features, n_classes, hidden=32, dropout=0.0):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(n_features, hidden),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(hidden, n_classes),
        )

    def forward(self, X):
        return self.layers(X)


SPACE = {
    "net__lr": loguniform(1e-5, 1e0),
    "net__optimizer__momentum": uniform(0, 0.99),
    "net__optimizer__weight_decay": loguniform(1e-6, 1e0),
    "net__batch_size": [16, 32, 64, 128],
    "net__module__hidden": randint(4, 129),
    "net__module__dropout": uniform(0, 0.8),
}


def best_so_far(name: str, kind: str, n_iter: int, epochs: int, seed: int) -> list:
    """Best mean log loss (greater is better) after 1, 2, ... candidates."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*(fits failed|non-finite).*")
    X, y = DATA[name](return_X_y=True)
    X = X.astype(np.float32)
    net = NeuralNetClassifier(
        Net,
        module__n_features=X.shape[1],
        module__n_classes=len(np.unique(y)),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
    )
    search_type, n = BayesSearchCV, n_iter
    if kind == "random":
        search_type, n = RandomizedSearchCV, RANDOM_SHARE * n_iter
    search = search_type(
        Pipeline([("scale", StandardScaler()), ("net", net)]),
        SPACE,
        n_iter=n,
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        scoring="neg_log_loss",
        refit=False,
        random_state=seed,
    ).fit(X, y)
    scores = np.nan_to_num(search.cv_results_["mean_test_score"], nan=-np.inf)
    return np.maximum.accumulate(scores).tolist()


def compare(bayes: np.ndarray, random: np.ndarray, n_iter: int) -> dict:
    """Median log loss of both, the test, and the candidates that random needs."""
    reached = random.mean(axis=0) >= bayes[:, -1].mean()
    needed = int(reached.argmax()) + 1 if reached.any() else None
    points: dict[int, dict] = {}
    for t in (n_iter // 2, n_iter):
        ours, theirs = bayes[:, t - 1], random[:, t - 1]
        points[t] = {
            "bayes": -float(np.median(ours)),
            "random": -float(np.median(theirs)),
            "won": int((ours > theirs).sum()),
            "p": float(wilcoxon(ours, theirs, alternative="greater").pvalue),
            "scores": {"bayes": ours.tolist(), "random": theirs.tolist()},
        }
    return {"after": points, "random_needs": needed}


def table(results: dict, n_iter: int, n_seeds: int) -> str:
    cells = []
    for name, result in results.items():
        for t, row in result["after"].items():
            losses = f"{row['bayes']:.4f}", f"{row['random']:.4f}"
            won = f"{row['won']} of {n_seeds}"
            cells.append([name, str(t), *losses, won, f"{row['p']:.4f}"])
        needs = result["random_needs"] or f"more than {RANDOM_SHARE * n_iter}"
        cells.append([name, f"random needs {needs}", "", "", "", ""])
    head = ["data", "candidates", "Bayes", "random", "Bayes won", "p"]
    return markdown_table(head, cells, align="lrrrrr")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--n-iter", type=int, default=25)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2, help="searches at a time")
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    start = time.perf_counter()
    runs = [
        (name, kind, seed)
        for name in args.data
        for seed in range(args.seeds)
        for kind in ("bayes", "random")
    ]
    curves = joblib.Parallel(n_jobs=args.jobs)(
        joblib.delayed(best_so_far)(name, kind, args.n_iter, args.epochs, seed)
        for name, kind, seed in runs
    )
    report = environment("torch", "skorch")
    report["arguments"] = {k: v for k, v in vars(args).items() if k != "json"}
    report["results"] = results = {}
    for name in args.data:
        bayes, random = (
            np.array(
                [c for c, r in zip(curves, runs, strict=True) if r[:2] == (name, kind)]
            )
            for kind in ("bayes", "random")
        )
        results[name] = compare(bayes, random, args.n_iter)
    won = sum(result["after"][args.n_iter]["won"] for result in results.values())
    pairs = args.seeds * len(results)
    sign_test = float(binomtest(won, pairs, alternative="greater").pvalue)
    report["all"] = {"won": won, "pairs": pairs, "sign_test_p": sign_test}
    print(table(results, args.n_iter, args.seeds))
    print(f"\nBayes won {won} of {pairs}, sign test p = {sign_test:.4f}")
    print(f"{time.perf_counter() - start:.0f} s")
    save(args.json, report)


if __name__ == "__main__":
    main()
