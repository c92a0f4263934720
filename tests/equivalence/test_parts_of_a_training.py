"""Parts of a training in a search: paused is never paused, stacked is alone.

A new part joins by one line in `PARTS`, or in `NOT_STACKED` with the reason.
"""

import pickle
from copy import deepcopy

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.dataset import ValidSplit

from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.estimators._resource import Resource
from sktune.nets import (
    LAMB,
    LARS,
    BalancedLoader,
    ClassWeights,
    GradientAccumulation,
    GradualUnfreezing,
    ParamGroups,
    SnapshotEnsemble,
    StochasticWeightAveraging,
)
from tests.helpers.estimators import net
from tests.helpers.searches import grid, halving
from tests.helpers.stacked import close, states, trained
from tests.helpers.trained import X, all_of, at_once, job_of, run, y

RUNGS = (1, 3, 6)
EPOCHS = Resource("max_epochs", "epochs", RUNGS[-1])
SCORING = ["neg_log_loss", "accuracy"]


class Accumulating(GradientAccumulation, NeuralNetClassifier):
    pass


def part(callback):
    return [("part", callback)]


PARTS = {
    "balanced batches": net(iterator_train=BalancedLoader),
    "oversampling": net(
        iterator_train=BalancedLoader,
        iterator_train__balance=0.5,
        iterator_train__length="over",
        iterator_train__drop_last=True,
        train_split=ValidSplit(3, stratified=True),
    ),
    "class weights": net(callbacks=part(ClassWeights())),
    "unfreezing": net(
        callbacks=part(GradualUnfreezing(["layers.1*", "layers.0*"], every=2)),
        optimizer=ParamGroups(torch.optim.Adam),
        optimizer__param_groups=[("layers.0*", {}), ("layers.1*", {})],
        optimizer__group_decay=2.6,
    ),
    "weight averaging": net(callbacks=part(StochasticWeightAveraging(0.5))),
    "snapshots": net(callbacks=part(SnapshotEnsemble(3))),
}
NOT_STACKED = {
    "accumulated gradients": (
        Accumulating(**net().get_params(deep=False), micro_batch_size=5),
        "method train_step_single of its own",
    ),
    "lars": (net(optimizer=LARS, lr=1.0), "LARS has no stacked step"),
    "lamb": (net(optimizer=LAMB), "LAMB has no stacked step"),
}
ALL = PARTS | {name: one for name, (one, _) in NOT_STACKED.items()}

every_part = pytest.mark.parametrize("name", ALL)


def outputs(one):
    """All that `fit` has left, and what it predicts."""
    return all_of(one), one.forward(X).numpy().tobytes()


@every_part
def test_paused_is_never_paused(name, tmp_path):
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(ALL[name], EPOCHS, checkpoints)
        paused = []
        for n_resources in RUNGS:
            run(job, n_resources)
            paused.append(outputs(job.scorer.estimator))
            if n_resources < RUNGS[-1]:
                run(job, n_resources)  # with no epoch left, as it was read
                assert outputs(job.scorer.estimator) == paused[-1]
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(ALL[name], EPOCHS, checkpoints)
        for at_rung, n_resources in zip(paused, RUNGS, strict=True):
            run(job, n_resources, candidate=n_resources)
            assert outputs(job.scorer.estimator) == at_rung
    assert paused[-1] == outputs(at_once(ALL[name], RUNGS[-1]))
    assert len(set(map(str, paused))) == len(RUNGS)


@every_part
def test_it_changes_the_training(name):
    """Else what else is tested here would be of the net without it."""
    plain = net(train_split=ALL[name].train_split)
    assert outputs(at_once(ALL[name], 6))[1] != outputs(at_once(plain, 6))[1]


@every_part
@pytest.mark.usefixtures("double_precision")
def test_stacked_is_alone(name):
    one = clone(ALL[name]).set_params(verbose=0, max_epochs=6)
    params = [{"lr": 0.05}, {"lr": 0.02}]
    together, outcomes = trained(one, params, True)
    alone, _ = trained(one, params, False)
    points = torch.as_tensor(X, dtype=torch.float64)
    for a, b in zip(together, alone, strict=True):
        close(states(a), states(b))
        close({"out": a.forward(points)}, {"out": b.forward(points)})
    for outcome in outcomes:
        path = outcome.path
        if name in PARTS:
            assert (path["stacked"], path["reason"]) == (len(outcomes), None)
        else:
            assert path["stacked"] == 1 and NOT_STACKED[name][1] in path["reason"]


@every_part
def test_cloned_and_pickled(name):
    one = ALL[name]
    fitted = at_once(one, 3)
    for other in (clone(one), pickle.loads(pickle.dumps(one)), clone(fitted)):
        assert outputs(at_once(other, 3)) == outputs(fitted)
    for other in (pickle.loads(pickle.dumps(fitted)), deepcopy(fitted)):
        assert other.forward(X).equal(fitted.forward(X))
    # Trained again it begins anew.
    with torch.random.fork_rng():
        again = at_once(fitted, 3)
    assert outputs(again) == outputs(fitted)


@every_part
def test_in_a_pipeline_with_rungs(name):
    pipeline = make_pipeline(StandardScaler(), ALL[name])
    step = pipeline.steps[-1][0]
    space = {f"{step}__lr": [0.05, 0.1, 0.2, 0.02]}
    search = halving(
        pipeline, space, resource=f"{step}__max_epochs", max_resources=4, cv=2
    ).fit(X, y)
    best = search.best_index_
    score = search.cv_results_["split0_test_score"][best]
    assert search.cv_results_["n_resources"][best] == 4 and np.isfinite(score)
    assert search.best_estimator_.predict(X).shape == y.shape


@pytest.mark.slow
def test_workers_give_the_answer_of_one_process():
    pipeline = Pipeline([("scale", StandardScaler()), ("net", net())])
    searches = []
    for n_jobs in (1, 2):
        space = {"net": [deepcopy(one) for one in ALL.values()]}
        with joblib.parallel_config("loky", n_jobs=n_jobs):
            search = grid(pipeline, space, cv=2, random_state=0, scoring=SCORING)
            searches.append(search.set_params(refit="neg_log_loss").fit(X, y))
    first, second = (search.cv_results_ for search in searches)
    for key in first:
        if key.endswith("_score"):
            np.testing.assert_array_equal(first[key], second[key])
    ours, theirs = (search.predict_proba(X) for search in searches)
    np.testing.assert_array_equal(ours, theirs)
