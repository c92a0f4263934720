"""Real work of ten splits each: data, an estimator, its space, and a scoring.

Estimators, spaces and halves were fixed before any of it was looked at.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import loguniform, randint, uniform
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier as BoostedClassifier
from sklearn.ensemble import HistGradientBoostingRegressor as BoostedRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from skorch import NeuralNetClassifier, NeuralNetRegressor

sys.path.insert(0, str(Path(__file__).parents[1]))
from published_records import published_records

SEEN = (
    "digits SVC",
    "digits net",
    "cancer boosting",
    "diabetes linear",
    "concrete net",
)
HELD_OUT = (
    "wine logistic",
    "satimage net",
    "letter net",
    "magic forest",
    "power boosting",
)
BUNDLED = {
    "digits": load_digits,
    "cancer": load_breast_cancer,
    "diabetes": load_diabetes,
    "wine": load_wine,
}
IN_FOLDER = {
    "concrete": "reg_concrete",
    "satimage": "satimage",
    "letter": "letter",
    "magic": "magic",
    "power": "reg_power_plant",
}


@dataclass(frozen=True)
class Work:
    """What a search is given; `n_rows` are drawn from the data where it has more."""

    estimator: Any
    space: dict[str, Any]
    scoring: str
    X: Any
    y: Any


class MLP(torch.nn.Module):
    """Two hidden layers with dropout."""

    def __init__(
        self, n_in: int, n_out: int, width: int = 32, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(n_in, width),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(width, width),
            torch.nn.ReLU(),
            torch.nn.Linear(width, n_out),
        )

    def forward(self, X: Any) -> Any:
        return self.layers(X)


def net(X: np.ndarray, y: np.ndarray, epochs: int) -> tuple[Any, dict[str, Any]]:
    """A net and its space, rates that diverge included."""
    is_regression = y.ndim == 2
    net_type = NeuralNetRegressor if is_regression else NeuralNetClassifier
    estimator = net_type(
        MLP,
        module__n_in=X.shape[1],
        module__n_out=1 if is_regression else len(np.unique(y)),
        **({} if is_regression else {"criterion": torch.nn.CrossEntropyLoss}),
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    space = {
        "lr": loguniform(1e-4, 1e0),
        "optimizer": [torch.optim.SGD, torch.optim.Adam],
        "optimizer__weight_decay": loguniform(1e-6, 1e-1),
        "batch_size": [32, 64, 128],
        "module__width": [8, 16, 32, 64],
        "module__dropout": uniform(0, 0.7),
    }
    return estimator, space


def svc(X: np.ndarray, y: np.ndarray) -> tuple[Any, dict[str, Any]]:
    return SVC(), {
        "C": loguniform(1e-2, 1e3),
        "gamma": loguniform(1e-4, 1e0),
        "kernel": ["rbf", "rbf", "poly"],
    }


def boosting(boosted: Any, X: np.ndarray, y: np.ndarray) -> tuple[Any, dict[str, Any]]:
    return boosted(random_state=0, early_stopping=False), {
        "learning_rate": loguniform(1e-2, 1e0),
        "max_iter": randint(5, 60),
        "max_leaf_nodes": randint(3, 32),
        "min_samples_leaf": randint(2, 60),
        "l2_regularization": loguniform(1e-4, 1e2),
    }


def forest(X: np.ndarray, y: np.ndarray) -> tuple[Any, dict[str, Any]]:
    return RandomForestClassifier(), {
        "n_estimators": randint(5, 60),
        "max_depth": randint(2, 16),
        "max_features": uniform(0.1, 0.9),
        "min_samples_leaf": randint(1, 20),
        "criterion": ["gini", "entropy"],
    }


def linear(X: np.ndarray, y: np.ndarray) -> tuple[Any, dict[str, Any]]:
    estimator = make_pipeline(
        StandardScaler(),
        PolynomialFeatures(include_bias=False),
        ElasticNet(max_iter=500),
    )
    return estimator, {
        "polynomialfeatures__degree": [1, 2],
        "elasticnet__alpha": loguniform(1e-3, 1e2),
        "elasticnet__l1_ratio": uniform(0.05, 0.95),
    }


def logistic(X: np.ndarray, y: np.ndarray) -> tuple[Any, dict[str, Any]]:
    estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    return estimator, {
        "logisticregression__C": loguniform(1e-4, 1e3),
        "logisticregression__class_weight": [None, "balanced"],
        "standardscaler__with_std": [True, False],
    }


MADE = {
    "digits SVC": (svc, "accuracy", 900),
    "digits net": (partial(net, epochs=12), "accuracy", 1200),
    "cancer boosting": (partial(boosting, BoostedClassifier), "neg_log_loss", None),
    "diabetes linear": (linear, "r2", None),
    "concrete net": (partial(net, epochs=20), "r2", None),
    "wine logistic": (logistic, "accuracy", None),
    "satimage net": (partial(net, epochs=12), "accuracy", 1200),
    "letter net": (partial(net, epochs=15), "neg_log_loss", 1500),
    "magic forest": (forest, "roc_auc", 800),
    "power boosting": (
        partial(boosting, BoostedRegressor),
        "neg_mean_squared_error",
        800,
    ),
}


def work(name: str, folder: Path | None = None) -> Work:
    """One of `SEEN` and `HELD_OUT`; the folder's `load.py` has what is not bundled."""
    made, scoring, n_rows = MADE[name]
    X, y = data(name.split()[0], n_rows, folder)
    if made not in (svc, linear, logistic):
        X = StandardScaler().fit_transform(X).astype(np.float32)
    if name.endswith("net") and y.dtype.kind == "f":
        y = StandardScaler().fit_transform(y[:, None]).astype(np.float32)
    estimator, space = made(X, y)
    return Work(estimator, space, scoring, X, y)


def data(
    name: str, n_rows: int | None, folder: Path | None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of one data set, in an order of their own."""
    if name in BUNDLED:
        X, y = BUNDLED[name](return_X_y=True)
        X = X / 16 if name == "digits" else X
    elif folder is not None:
        found = published_records(folder).dataset(IN_FOLDER[name])
        X, y = found["X"], found["y"]
    else:
        raise SystemExit(f"{name} is no data set of scikit-learn: it needs --data.")
    rows = np.random.default_rng(0).permutation(len(X))[:n_rows]
    return X[rows], y[rows]
