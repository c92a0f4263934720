"""The guides for those who come from elsewhere: no argument of theirs is left out."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import torch
from skorch import NeuralNetClassifier

import sktune
from sktune.strategy import Bayes

PAGES = Path(__file__).parents[1] / "docs" / "guides" / "migrating"

# As `inspect.signature` has them, of the versions that the pages name.
THEIRS = {
    "scikit_learn": """
        estimator param_distributions n_candidates factor resource max_resources
        min_resources aggressive_elimination cv scoring refit error_score
        return_train_score random_state n_jobs verbose
    """,
    "scikit_optimize": """
        estimator search_spaces optimizer_kwargs n_iter scoring fit_params n_jobs
        n_points iid refit cv verbose pre_dispatch random_state error_score
        return_train_score callback
        base_estimator n_random_starts n_initial_points initial_point_generator
        acq_func acq_optimizer model_queue_size space_constraint acq_func_kwargs
        acq_optimizer_kwargs avoid_duplicates
    """,
    "dask_ml": """
        estimator parameters max_iter aggressiveness patience tol test_size
        random_state scoring verbose prefix predict_meta predict_proba_meta
        transform_meta n_initial_parameters decay_rate fits_per_score scores_per_fit
        n_initial_iter
    """,
    "tune_sklearn": """
        estimator param_distributions param_grid early_stopping n_trials scoring
        n_jobs refit cv verbose random_state error_score return_train_score local_dir
        name max_iters search_optimization use_gpu loggers pipeline_auto_early_stop
        stopper time_budget_s sk_n_jobs mode search_kwargs tune_params
    """,
    "optuna": """
        estimator param_distributions cv enable_pruning error_score max_iter n_jobs
        n_trials random_state refit return_train_score scoring study subsample timeout
        verbose callbacks catch
    """,
    "keras_tuner": """
        hypermodel objective max_epochs factor hyperband_iterations seed
        hyperparameters tune_new_entries allow_new_entries max_retries_per_trial
        max_consecutive_failed_trials max_trials num_initial_points alpha beta oracle
        max_model_size optimizer loss metrics distribution_strategy directory
        project_name logger tuner_id overwrite executions_per_trial
    """,
}


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text()


def rows(text: str) -> list[list[str]]:
    """The cells of all tables."""
    lines = (line for line in text.splitlines() if line.startswith("| "))
    return [[c.strip() for c in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("name", THEIRS)
def test_each_argument_of_theirs_is_in_a_table(name):
    said = " ".join(row[0] for row in rows(page(name)))
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", said))))
    assert set(THEIRS[name].split()) - words == set()


def ours() -> set[str]:
    """Arguments of all searches, of their fit, and of what is used beside them."""
    searches = [getattr(sktune, n) for n in sktune.__all__ if n.endswith("SearchCV")]
    net = NeuralNetClassifier(torch.nn.Linear)
    names = {a for one in searches for a in inspect.signature(one).parameters}
    names |= {f.name for f in Bayes.__dataclass_fields__.values()}
    return names | set(net.get_params()) | {"X", "y", "groups", "sample_weight"}


@pytest.mark.parametrize("name", THEIRS)
def test_each_argument_of_ours_is_one(name):
    of_others = {"random_state", "test_size", "n_splits", "n_repeats", "n"}
    said = [code for row in rows(page(name)) for code in row[1:2]]
    codes = re.findall(r"`([^`]+)`", " ".join(said))
    given = {word for code in codes for word in re.findall(r"(\w+)=(?!=)", code)}
    assert given - ours() - of_others == set()


def test_all_pages_are_found():
    assert {path.stem for path in PAGES.glob("*.md")} == set(THEIRS)
    index = (PAGES.parents[1] / "index.md").read_text()
    assert all(f"guides/migrating/{name}" in index for name in THEIRS)
