"""Population-based training, written once more as a loop over nets of skorch."""

from __future__ import annotations

from copy import deepcopy

import joblib
import numpy as np
import pytest
import torch
from scipy.stats import loguniform, uniform
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktune import PopulationBasedSearchCV
from sktune._protocols import Listener
from sktune._random import derive_seed
from sktune.execution.guards._random_states import (
    preserved_random_states,
    random_states,
    seed_everything,
    set_random_states,
)
from tests.helpers.estimators import blobs, net
from tests.helpers.journals import assert_same, cut
from tests.helpers.trained import plain

X, y = blobs(60)
SPACE = {
    "lr": loguniform(1e-3, 1.0),
    "module__dropout": uniform(0, 0.5),
    "batch_size": [8, 16, 32],
}
SEED = 5  # of a search whose best member has ancestors
CV = KFold(2, shuffle=True, random_state=0)


def population(estimator=None, space=None, **kwargs):
    defaults = {
        "population_size": 5,
        "max_resources": 8,
        "interval": 3,
        "quantile": 0.4,
        "cv": CV,
        "random_state": SEED,
    }
    estimator = estimator or net(optimizer=torch.optim.Adam, verbose=0)
    return PopulationBasedSearchCV(estimator, space or SPACE, **{**defaults, **kwargs})


@pytest.fixture(scope="module")
def searched():
    return population().fit(X, y)


class Member:
    """A net of skorch, and the random numbers that it would draw next."""

    def __init__(self, params, seed):
        one = net(optimizer=torch.optim.Adam, verbose=0)
        self.net, self.seed, self.random = one.set_params(**params), seed, None

    def copy(self, params):
        child = deepcopy(self)
        child.net.set_params(lr=params["lr"], batch_size=params["batch_size"])
        child.net.module_.layers[3].p = params["module__dropout"]
        return child

    def train(self, X, y, n_epochs):
        if self.random is None:
            seed_everything(self.seed)
            self.net.initialize()
        else:
            set_random_states(self.random)
        self.net.partial_fit(X, y, epochs=n_epochs)
        self.random = random_states()
        return self


def ids(results, generation):
    return results["candidate"][results["iter"] == generation].tolist()


def test_it_is_a_loop_over_nets_with_the_same_decisions(searched):
    results = searched.cv_results_
    params = dict(zip(results["candidate"], results["params"], strict=True))
    parents = dict(zip(results["candidate"], results["parent"], strict=True))
    origins = {}
    with preserved_random_states():
        for k, (train, test) in enumerate(CV.split(X, y)):
            nets, scores = {}, []
            for generation, n_epochs in enumerate((3, 3, 2)):
                before, nets = nets, {}
                for one in ids(results, generation):
                    if one in before:
                        nets[one] = before[one]
                    elif generation:
                        origins[one] = origins[parents[one]]
                        nets[one] = before[parents[one]].copy(params[one])
                    else:
                        origins[one] = one
                        nets[one] = Member(
                            params[one], derive_seed(SEED, "fit", one, k)
                        )
                for one in nets.values():
                    one.train(X[train], y[train], n_epochs)
                    scores.append(one.net.score(X[test], y[test]))
            np.testing.assert_array_equal(results[f"split{k}_test_score"], scores)
    assert max(parents.values()) >= 0, "somebody had children"


def test_the_refit_follows_the_lineage(searched):
    lineage = searched.best_lineage_
    assert len(lineage) > 1 and lineage[-1]["params"] == searched.best_params_
    assert lineage[-1]["n_resources"] == 8
    with preserved_random_states():
        member, n_done = None, 0
        for one in lineage:
            if member is None:
                member = Member(one["params"], derive_seed(SEED, "refit"))
            else:
                member = member.copy(one["params"])
            member.train(X, y, one["n_resources"] - n_done)
            n_done = one["n_resources"]
    best = searched.best_estimator_
    assert plain(best.module_.state_dict()) == plain(member.net.module_.state_dict())
    params = best.get_params()
    assert {name: params[name] for name in SPACE} == searched.best_params_


def test_the_worst_give_place_to_children_of_the_best(searched):
    results = searched.cv_results_
    assert searched.n_candidates_ == [5, 5, 5] and searched.n_resources_ == [3, 6, 8]
    for generation in range(2):
        rows = np.flatnonzero(results["iter"] == generation)
        order = rows[np.argsort(-results["mean_test_score"][rows], kind="stable")]
        ranked = results["candidate"][order].tolist()
        after = ids(results, generation + 1)
        assert set(after) & set(ranked) == set(ranked[:3])
        new = results["iter"] == generation + 1
        new &= ~np.isin(results["candidate"], ranked)
        assert new.sum() == 2 and set(results["parent"][new]) <= set(ranked[:2])
    space = {name: {p[name] for p in results["params"]} for name in SPACE}
    assert len(space["lr"]) == 5 + 2 * 2, "children have a rate of their own"


@pytest.mark.parametrize("kwargs", [{}, {"interval": 4, "stacked": True}])
def test_one_answer_for_any_number_of_workers(searched, kwargs):
    one = population(**kwargs).fit(X, y) if kwargs else searched
    with joblib.parallel_config("threading"):
        assert_same(population(n_jobs=2, **kwargs).fit(X, y), one)


def test_in_a_pipeline(searched):
    pipeline = make_pipeline(StandardScaler(with_mean=False, with_std=False), net())
    pipeline.set_params(
        neuralnetclassifier__optimizer=torch.optim.Adam, neuralnetclassifier__verbose=0
    )
    space = {f"neuralnetclassifier__{name}": given for name, given in SPACE.items()}
    piped = population(pipeline, space).fit(X, y)
    for key in ("mean_test_score", "candidate", "parent", "rank_test_score"):
        np.testing.assert_array_equal(piped.cv_results_[key], searched.cv_results_[key])
    found = [each[-1].module_ if hasattr(each, "steps") else each.module_
             for each in (piped.best_estimator_, searched.best_estimator_)]  # fmt: skip
    assert plain(found[0].state_dict()) == plain(found[1].state_dict())


class Interrupting(Listener):
    """Presses Ctrl-C after so many evaluations."""

    def __init__(self, n):
        self.n = n

    def on_evaluation(self, evaluation, observation):
        self.n -= 1
        if not self.n:
            raise KeyboardInterrupt


@pytest.mark.parametrize("n", [6, 8])
def test_interrupted_is_not_interrupted(tmp_path, searched, n):
    journal = tmp_path / "search.jsonl"
    with pytest.raises(KeyboardInterrupt):
        population(journal=journal, listeners=[Interrupting(n)]).fit(X, y)
    assert list(tmp_path.glob("search.jsonl*/*/*")), "states stay"
    assert_same(population(journal=journal).fit(X, y), searched)


@pytest.mark.parametrize("n_fits", [12, 17])
def test_where_states_are_lost_parents_are_trained_once_more(
    tmp_path, searched, n_fits
):
    journal = tmp_path / "search.jsonl"
    population(journal=journal, refit=False).fit(X, y)
    cut(journal, n_fits)
    assert_same(population(journal=journal).fit(X, y), searched)


def test_others_that_go_on():
    """An estimator by `partial_fit`, refitted as it came about."""
    search = population(
        SGDClassifier(random_state=0),
        {"alpha": loguniform(1e-5, 10.0)},
        resource="partial_fit",
    ).fit(X, y)
    one, n_done = SGDClassifier(random_state=0), 0
    for stage in search.best_lineage_:
        one.set_params(**stage["params"])
        for _ in range(n_done, stage["n_resources"]):
            one.partial_fit(X, y, classes=[0, 1, 2])
        n_done = stage["n_resources"]
    np.testing.assert_array_equal(one.coef_, search.best_estimator_.coef_)
