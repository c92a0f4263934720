"""Real models: the scores of scikit-learn's on three splits, given their params.

All data sets are those that scikit-learn ships with.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.feature_selection import VarianceThreshold
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from landscapes.landscape import Params

SCALERS = {"standard": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler}


@functools.cache
def digits_sample() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))[:500]
    return X[rows] / 16.0, y[rows]


def accuracy(model: Any, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return cross_val_score(model, X, y, cv=folds)


def r2(model: Any) -> np.ndarray:
    X, y = load_diabetes(return_X_y=True)
    y = (y - y.mean()) / y.std()
    folds = KFold(3, shuffle=True, random_state=0)
    values = cross_val_score(model, X, y, cv=folds, scoring="r2")
    return np.maximum(values, -1e6)


def mlp(model: Any, params: Params, **fixed: Any) -> Any:
    """Layers of the same width, and short names for what has long ones."""
    own = dict(params)
    own["hidden_layer_sizes"] = (own.pop("width"),) * own.pop("depth", 1)
    own["learning_rate_init"] = own.pop("lr")
    return model(random_state=0, **own, **fixed)


def svc_cancer(p: Params) -> np.ndarray:
    X, y = load_breast_cancer(return_X_y=True)
    model = SVC(C=p["C"], gamma=p["gamma"], kernel=p["kernel"], max_iter=2000)
    return accuracy(make_pipeline(StandardScaler(), model), X, y)


def mlp_digits(p: Params) -> np.ndarray:
    return accuracy(mlp(MLPClassifier, p, max_iter=8), *digits_sample())


def forest_wine(p: Params) -> np.ndarray:
    model = RandomForestClassifier(
        10,
        max_features=p["max_features"],
        min_samples_leaf=p["min_samples_leaf"],
        max_depth=p["max_depth"],
        criterion=p["criterion"],
        random_state=0,
    )
    return accuracy(model, *load_wine(return_X_y=True))


def pipeline_digits(p: Params) -> np.ndarray:
    models = {
        "logistic": lambda s: LogisticRegression(C=10.0 ** (s - 3), max_iter=50),
        "knn": lambda s: KNeighborsClassifier(1 + 3 * s),
        "svc": lambda s: SVC(C=10.0 ** (s - 3)),
    }
    scaler = [] if p["scaler"] == "none" else [SCALERS[p["scaler"]]()]
    steps = [*scaler, PCA(p["n_components"], random_state=0)]
    model = models[p["model"]](p["strength"])
    return accuracy(make_pipeline(*steps, model), *digits_sample())


def boosting_diabetes(p: Params, n_trees: Sequence[int]) -> np.ndarray:
    """R2 after each number of trees: one fit serves a whole axis."""
    X, y = load_diabetes(return_X_y=True)
    found = []
    for train, test in KFold(3, shuffle=True, random_state=0).split(X):
        model = GradientBoostingRegressor(
            n_estimators=max(n_trees), random_state=0, **p
        ).fit(X[train], y[train])
        stages = list(model.staged_predict(X[test]))
        total = ((y[test] - y[test].mean()) ** 2).sum()
        found.append(
            [1 - ((y[test] - stages[k - 1]) ** 2).sum() / total for k in n_trees]
        )
    return np.transpose(found)


def boosting_cancer(p: Params, n_trees: Sequence[int]) -> np.ndarray:
    """Negative log loss after each number of trees."""
    X, y = load_breast_cancer(return_X_y=True)
    found = []
    for train, test in StratifiedKFold(3, shuffle=True, random_state=0).split(X, y):
        model = GradientBoostingClassifier(
            n_estimators=max(n_trees), random_state=0, **p
        ).fit(X[train], y[train])
        stages = list(model.staged_predict_proba(X[test]))
        found.append([-log_loss(y[test], stages[k - 1]) for k in n_trees])
    return np.transpose(found)


def svr_diabetes(p: Params) -> np.ndarray:
    return r2(make_pipeline(StandardScaler(), SVR(max_iter=5000, **p)))


def mlp_cancer(p: Params) -> np.ndarray:
    X, y = load_breast_cancer(return_X_y=True)
    model = mlp(MLPClassifier, p, max_iter=6)
    return accuracy(make_pipeline(StandardScaler(), model), X, y)


def tree_digits(p: Params) -> np.ndarray:
    return accuracy(DecisionTreeClassifier(random_state=0, **p), *digits_sample())


def extra_diabetes(p: Params) -> np.ndarray:
    return r2(ExtraTreesRegressor(random_state=0, **p))


def knn_digits(p: Params) -> np.ndarray:
    model = KNeighborsClassifier(p["n_neighbors"], weights=p["weights"], p=p["p"])
    steps = [SCALERS[p["scaler"]](), PCA(p["n_components"], random_state=0)]
    return accuracy(make_pipeline(*steps, model), *digits_sample())


def sgd_cancer(p: Params) -> np.ndarray:
    X, y = load_breast_cancer(return_X_y=True)
    model = SGDClassifier(max_iter=5, tol=None, random_state=0, **p)
    return accuracy(make_pipeline(StandardScaler(), model), X, y)


def ridge_diabetes(p: Params) -> np.ndarray:
    return r2(make_pipeline(StandardScaler(), KernelRidge(**p)))


def mlp_diabetes(p: Params) -> np.ndarray:
    return r2(make_pipeline(StandardScaler(), mlp(MLPRegressor, p, max_iter=8)))


def forest_digits(p: Params) -> np.ndarray:
    return accuracy(RandomForestClassifier(10, random_state=0, **p), *digits_sample())


def many_digits(p: Params) -> np.ndarray:
    """One of three models behind the same steps; most of 20 dimensions hardly matter.

    Too many to tabulate: it is fitted when it is asked for, so on few rows.
    """
    kinds = {"svc": SVC, "sgd": SGDClassifier, "tree": ExtraTreeClassifier}
    fixed = {"svc": {}, "sgd": {"max_iter": 10, "tol": None}, "tree": {}}[p["model"]]
    own = {k.removeprefix("model__"): v for k, v in p.items() if "model__" in k}
    model = kinds[p["model"]](random_state=0, **fixed, **own)
    scaler = [] if p["scaler"] == "none" else [SCALERS[p["scaler"]]()]
    steps = [
        VarianceThreshold(p["threshold"]),
        *scaler,
        PCA(p["n_components"], whiten=p["whiten"], random_state=0),
    ]
    X, y = digits_sample()
    return accuracy(make_pipeline(*steps, model), X[:240], y[:240])
