"""A child is its parent, trained further with other params: as a plain loop has it."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Checkpoint, EarlyStopping
from skorch.dataset import ValidSplit

from sktune._types import Fit, Stage
from sktune.execution import checkpoints_in
from sktune.execution.estimators._resource import Resource
from sktune.execution.fitting._unit import run_unit
from sktune.execution.guards._random_states import (
    own_random_states,
    preserved_random_states,
)
from tests.helpers.estimators import net
from tests.helpers.trained import (
    EPOCHS,
    SEED,
    TRAIN,
    X,
    all_of,
    at_once,
    job_of,
    plain,
    y,
)


def child(job, first, second, prefix="", grandchild=None):
    """The last of a family: trained to 2, its child to 5, a grandchild to 9."""
    first, second = ({f"{prefix}{k}": v for k, v in p.items()} for p in (first, second))
    stages = (Stage(0, 2, first),)
    fits = [Fit(0, 0, first, SEED, 2, True)]
    fits += [Fit(1, 0, second, SEED, 5, True, parent=0, stages=stages)]
    if grandchild is not None:
        third = {f"{prefix}{k}": v for k, v in grandchild.items()}
        stages = (*stages, Stage(1, 5, second))
        fits += [Fit(2, 0, third, SEED, 9, parent=1, stages=stages)]
    with preserved_random_states():
        for fit in fits:
            (outcome,) = run_unit(job, (fit,))
    assert outcome.fit_error is None
    return job.scorer.estimator


def plain_loop(one, first, *further):
    """Nothing but skorch: fit, then change what is in it and train on."""
    one.set_params(verbose=0, max_epochs=2, **first)
    with preserved_random_states(), own_random_states(SEED):
        one.fit(X[TRAIN], y[TRAIN])
        for n_epochs, params in further:
            for name, value in params.items():
                if name == "module__dropout":
                    one.module_.layers[3].p = value
                elif name.startswith("optimizer__"):
                    for group in one.optimizer_.param_groups:
                        group[name.removeprefix("optimizer__")] = value
                else:
                    one.set_params(**{name: value})
            one.partial_fit(X[TRAIN], y[TRAIN], epochs=n_epochs)
    return one


ADAM = {"optimizer": torch.optim.Adam, "lr": 0.01}
CASES = [
    ({}, {"lr": 0.1}, {"lr": 0.03}, {"lr": 0.2}),
    (ADAM, {"lr": 0.1, "module__dropout": 0.1}, {"lr": 0.1, "module__dropout": 0.6}, {
        "lr": 0.2, "module__dropout": 0.6}),
    ({}, {"optimizer__momentum": 0.5}, {"optimizer__momentum": 0.9},
     {"optimizer__momentum": 0.1}),
    (ADAM, {"optimizer__weight_decay": 0.1, "batch_size": 8},
     {"optimizer__weight_decay": 0.0, "batch_size": 20},
     {"optimizer__weight_decay": 0.5, "batch_size": 32}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "first", "second", "third"),
    CASES,
    ids=["lr", "dropout", "momentum", "wd"],
)
@pytest.mark.parametrize("is_lost", [False, True])
def test_a_family_is_a_loop_of_skorch(tmp_path, given, first, second, third, is_lost):
    """Where the states of parents are lost, they are trained once more."""
    expected = plain_loop(net(**given), first, (3, second), (4, third))
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(net(**given), EPOCHS, None if is_lost else checkpoints)
        found = child(job, first, second, grandchild=third)
    assert all_of(found) == all_of(expected)
    params = found.get_params()
    assert all(params[name] == value for name, value in third.items())


def test_a_child_with_the_params_of_its_parent_is_its_parent(tmp_path):
    params = {"lr": 0.1, "module__dropout": 0.4}
    with checkpoints_in(tmp_path) as checkpoints:
        found = child(job_of(net(**ADAM), EPOCHS, checkpoints), params, dict(params))
    assert all_of(found) == all_of(at_once(net(**ADAM), 5, **params))


def test_a_child_that_is_resumed(tmp_path):
    """It goes on from its own state, whatever became of its parent."""
    stages = (Stage(0, 2, {"lr": 0.1}),)
    fits = [Fit(0, 0, {"lr": 0.1}, SEED, 2, True)]
    for n in (4, 6):
        fits += [Fit(1, 0, {"lr": 0.3}, SEED, n, True, parent=0, stages=stages)]
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(net(), EPOCHS, checkpoints)
        with preserved_random_states():
            for fit in fits:
                run_unit(job, (fit,))
                if fit.n_resources == 4:
                    checkpoints.drop(0)
    expected = plain_loop(net(), {"lr": 0.1}, (4, {"lr": 0.3}))
    assert all_of(job.scorer.estimator) == all_of(expected)


def test_the_validation_part_is_the_parents(tmp_path):
    """No child is trained on the rows that its parent was validated on."""
    valid = net(train_split=ValidSplit(4, stratified=True))
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(valid, EPOCHS, checkpoints)
        found = child(job, {"lr": 0.1}, {"lr": 0.1})
    expected = at_once(valid, 5, lr=0.1)
    assert list(found.history[:, "valid_loss"]) == list(
        expected.history[:, "valid_loss"]
    )


def test_who_has_ended_its_training_has_children_that_have(tmp_path):
    stopping = net(callbacks=[EarlyStopping("train_loss", patience=1, threshold=9.0)])
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(stopping, EPOCHS, checkpoints)
        stages = (Stage(0, 4, {"lr": 0.1}),)
        fits = [Fit(0, 0, {"lr": 0.1}, SEED, 4, True)]
        fits += [Fit(1, 0, {"lr": 0.2}, SEED, 7, True, parent=0, stages=stages)]
        with preserved_random_states():
            reached = [run_unit(job, (fit,))[0].reached for fit in (*fits, fits[-1])]
    assert reached == [2, 2, 2]


def test_files_of_callbacks_come_along(tmp_path):
    """What is loaded at the end may be of an epoch of the parent's."""
    keeping = net(callbacks=[Checkpoint(monitor="train_loss_best", load_best=True)])
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(keeping, EPOCHS, checkpoints)
        # A rate that ruins what the parent has learnt.
        found = child(job, {"lr": 0.1}, {"lr": 300.0})
    best = at_once(net(), 2, lr=0.1)
    assert plain(dict(found.module_.named_parameters())) == plain(
        dict(best.module_.named_parameters())
    )


def test_in_a_pipeline_what_is_before_the_net_is_the_parents(tmp_path):
    pipeline = make_pipeline(StandardScaler(), net())
    resource = Resource("neuralnetclassifier__max_epochs", "epochs", 9)
    with checkpoints_in(tmp_path) as checkpoints:
        found = child(
            job_of(pipeline, resource, checkpoints),
            {"lr": 0.1},
            {"lr": 0.3},
            prefix="neuralnetclassifier__",
        )
    scaled = StandardScaler().fit_transform(X[TRAIN])
    one = net(lr=0.1, verbose=0, max_epochs=2)
    with preserved_random_states(), own_random_states(SEED):
        one.fit(scaled, y[TRAIN]).set_params(lr=0.3).partial_fit(
            scaled, y[TRAIN], epochs=3
        )
    assert all_of(found[-1]) == all_of(one)


@pytest.mark.parametrize("is_lost", [False, True])
def test_others_that_go_on(tmp_path, is_lost):
    with checkpoints_in(tmp_path) as checkpoints:
        kept = None if is_lost else checkpoints
        passes = Resource("partial_fit", "partial_fit", 9)
        sgd = SGDClassifier(random_state=0)
        found = child(job_of(sgd, passes, kept), {"alpha": 1e-4}, {"alpha": 0.1})
        one = SGDClassifier(random_state=0, alpha=1e-4)
        for k in range(5):
            one.set_params(alpha=1e-4 if k < 2 else 0.1)
            one.partial_fit(X[TRAIN], y[TRAIN], classes=[0, 1, 2])
        assert (found.coef_ == one.coef_).all() and found.alpha == 0.1
        warm = Resource("max_iter", "warm_start", 9)
        mlp = MLPClassifier((3,), random_state=0, tol=0.0, n_iter_no_change=99)
        first, second = {"learning_rate_init": 0.01}, {"learning_rate_init": 0.1}
        checkpoints.drop(0), checkpoints.drop(1)
        job = job_of(mlp, warm, kept)
        with pytest.warns(UserWarning, match="Maximum iterations"):
            found = child(job, first, second)
        assert found.learning_rate_init == 0.1 and len(found.loss_curve_) == 5
