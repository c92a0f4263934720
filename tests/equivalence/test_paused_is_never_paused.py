"""Trained to 3, then to 9, then to 27 epochs is trained for 27 epochs: bit for bit."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
)
from skorch.dataset import ValidSplit
from torch.optim.lr_scheduler import (
    LambdaLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.estimators._resource import Resource
from sktune.execution.guards._random_states import (
    own_random_states,
    preserved_random_states,
)
from tests.helpers.estimators import Net, net
from tests.helpers.trained import (
    SEED,
    TEST,
    TRAIN,
    X,
    all_of,
    at_once,
    job_of,
    run,
    rungs,
    y,
)

RUNGS = (3, 9, 27)
EPOCHS = Resource("max_epochs", "epochs", RUNGS[-1])
N_BATCHES = 2  # of an epoch


class Seeded(NeuralNetClassifier):
    """Does at the beginning of `fit` what would undo a training that goes on."""

    def fit(self, X, y=None, **fit_params):
        torch.manual_seed(0)
        self.set_params(module__n_features=X.shape[1])
        self.initialize()
        with torch.no_grad():
            for parameter in self.module_.parameters():
                parameter.mul_(0.5)
        return self.partial_fit(X, y, **fit_params)


class Collecting(NeuralNetClassifier):
    """Makes a step after four batches, so that epochs end with gradients."""

    n_seen_ = 0

    def train_step(self, batch, **fit_params):
        step = self.train_step_single(batch, **fit_params)
        self.n_seen_ += 1
        if self.n_seen_ % 4 == 0:
            self.optimizer_.step()
            self.optimizer_.zero_grad()
        return step


class Normed(Net):
    """torch refuses to pickle its first layer."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        torch.nn.utils.parametrizations.weight_norm(self.layers[0])


class Noise(Callback):
    """Draws from all global generators; knows its net, and how it ends."""

    def on_train_begin(self, net, **kwargs):
        self.net_ = net

    def on_epoch_end(self, net, **kwargs):
        assert self.net_ is net
        net.history.record("noise", np.random.random() + float(torch.rand(())))

    def on_train_end(self, net, **kwargs):
        with torch.no_grad():
            net.module_.layers[0].weight.mul_(0.9)


def of(cls, **kwargs):
    return cls(**net(**kwargs).get_params(deep=False))


def plateau(**kwargs):
    return LRScheduler(ReduceLROnPlateau, monitor="train_loss", patience=1, **kwargs)


def stopping(**kwargs):
    """Ends after 13 epochs, of which the ninth was the best."""
    return EarlyStopping(monitor="valid_loss", **{"patience": 4, **kwargs})


def saving(**kwargs):
    return ("cp", Checkpoint(monitor="train_loss_best", **kwargs))


def nets():
    """Each with dropout, batch norm and shuffling."""
    adam = dict(optimizer=torch.optim.Adam, lr=0.03)
    generator = torch.Generator()
    inner = dict(train_split=ValidSplit(0.2, stratified=False), lr=1.0)
    randomly = ValidSplit(0.2, stratified=False, random_state=np.random.RandomState(0))
    step = LRScheduler(StepLR, step_size=3, gamma=0.5)
    cycle = dict(max_lr=0.5, total_steps=N_BATCHES * RUNGS[-1], step_every="batch")
    return {
        "steplr": net(optimizer__momentum=0.9, callbacks=[step]),
        "adam": net(**adam),
        "plateau": net(**adam, callbacks=[plateau()]),
        "onecycle": net(callbacks=[LRScheduler(OneCycleLR, **cycle)]),
        "lambda": net(callbacks=[LRScheduler(LambdaLR, lr_lambda=lambda e: 0.9**e)]),
        "lbfgs": net(optimizer=torch.optim.LBFGS, lr=0.1, optimizer__max_iter=3),
        "earlystopping": net(**inner, callbacks=[stopping()]),
        "earlystopping_best": net(**inner, callbacks=[stopping(load_best=True)]),
        "earlystopping_early": net(**inner, callbacks=[stopping(threshold=0.9)]),
        "checkpoint": net(**adam, callbacks=[saving()]),
        "checkpoint_best": net(lr=0.9, callbacks=[saving(load_best=True)]),
        "clipping": net(callbacks=[GradientNormClipping(0.1)]),
        "inner_split": net(train_split=ValidSplit(0.2, stratified=False)),
        "inner_split_of_its_own": net(train_split=randomly),
        "generator": net(iterator_train__generator=generator),
        "noise": net(callbacks=[Noise(), EpochScoring("accuracy", on_train=True)]),
        "weight_norm": net(**adam).set_params(module=Normed),
        "fit_of_its_own": of(Seeded, **adam),
        "collecting": of(Collecting, **adam),
    }


NETS = nets()


def expected(name: str, n_epochs: int, folder):
    writes = name.startswith("checkpoint")
    params = {"callbacks__cp__dirname": str(folder)} if writes else {}
    one = at_once(NETS[name], n_epochs, **params)
    return all_of(one), one.score(X[TEST], y[TEST])


@pytest.mark.parametrize("name", NETS)
def test_in_one_process(name, tmp_path):
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(NETS[name], EPOCHS, checkpoints)
        seen = [(all_of(one), score) for one, score in rungs(job, RUNGS)]
        assert not list(checkpoints.path.glob("0/*"))
    for n_epochs, at_rung in zip(RUNGS, seen, strict=True):
        assert at_rung == expected(name, n_epochs, tmp_path / str(n_epochs))


def segment(job, names, n_epochs):
    """Each candidate is one of the nets, trained on to so many epochs."""
    torch.set_num_threads(1)
    seen = {}
    for candidate, name in enumerate(names):
        outcome = run(job[name], n_epochs, candidate=candidate)
        seen[name] = all_of(job[name].scorer.estimator), outcome.score("score")
    return seen


@pytest.mark.slow
def test_each_segment_in_a_fresh_process(tmp_path):
    names = ("adam", "onecycle", "earlystopping_best", "checkpoint_best", "inner_split")
    with checkpoints_in(tmp_path) as checkpoints:
        jobs = {name: job_of(NETS[name], EPOCHS, checkpoints) for name in names}
        for n_epochs in RUNGS[1:]:
            with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
                seen = fresh.submit(segment, jobs, names, n_epochs).result()
    for name in names:
        assert seen[name] == expected(name, RUNGS[-1], tmp_path / name), name


def test_these_nets_do_what_they_are_there_for(tmp_path):
    stopped = at_once(NETS["earlystopping_best"], RUNGS[-1])
    assert dict(stopped.callbacks_)["EarlyStopping"].best_epoch_ <= RUNGS[1]
    assert RUNGS[1] < len(stopped.history) < RUNGS[-1]
    early = at_once(NETS["earlystopping_early"], RUNGS[-1])
    assert RUNGS[0] < len(early.history) < RUNGS[1]
    params = {"callbacks__cp__dirname": str(tmp_path)}
    best = at_once(NETS["checkpoint_best"], RUNGS[-1], **params)
    assert len(best.history) < RUNGS[-1]


# -- pipelines -------------------------------------------------------------------------

IN_PIPELINE = Resource("net__max_epochs", "epochs", RUNGS[-1])
NESTED = Resource("inner__net__max_epochs", "epochs", RUNGS[-1])


def whole(one, score):
    """Weights and all, what is before the net, and the score."""
    before, (_, last) = one.steps[:-1], one.steps[-1]
    if isinstance(last, Pipeline):
        return (plain_of(before), *whole(last, score))
    return plain_of(before), all_of(last), score


def plain_of(steps):
    return [
        (
            name,
            {k: v.tolist() for k, v in vars(step).items() if isinstance(v, np.ndarray)},
        )
        for name, step in steps
        if not isinstance(step, str)
    ]


@pytest.mark.parametrize("searched", [{}, {"scale__with_mean": False}])
def test_pipeline(searched, tmp_path):
    pipeline = Pipeline(
        [
            ("nothing", "passthrough"),
            ("scale", CountedScaler()),
            ("cast", to_float32()),
            ("net", net(optimizer=torch.optim.Adam, train_split=ValidSplit(0.2))),
        ]
    )
    CountedScaler.n_fits = 0
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(pipeline, IN_PIPELINE, checkpoints)
        seen = [whole(*one) for one in rungs(job, RUNGS, searched)]
    assert CountedScaler.n_fits == 1
    for n_epochs, at_rung in zip(RUNGS, seen, strict=True):
        one = at_once(pipeline, n_epochs, **searched)
        assert at_rung == whole(one, one.score(X[TEST], y[TEST]))


def test_nested_pipeline(tmp_path):
    inner = Pipeline([("cast", to_float32()), ("net", net())])
    outer = Pipeline([("scale", CountedScaler()), ("inner", inner)])
    CountedScaler.n_fits = 0
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(outer, NESTED, checkpoints)
        params = {"inner__net__lr": 0.05}
        seen = [whole(*one) for one in rungs(job, RUNGS, params)]
    assert CountedScaler.n_fits == 1
    one = at_once(outer, RUNGS[-1], **params)
    assert seen[-1] == whole(one, one.score(X[TEST], y[TEST]))


def test_what_is_before_the_net_is_fitted_once_for_all_candidates(tmp_path):
    steps = [("scale", CountedScaler()), ("cast", to_float32()), ("net", net())]
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(Pipeline(steps), IN_PIPELINE, checkpoints)
        CountedScaler.n_fits = 0
        for candidate, lr in enumerate((0.1, 0.2, 0.3)):
            run(job, RUNGS[0], {"net__lr": lr}, candidate)
        run(job, RUNGS[1], {"net__lr": 0.2}, 1)
        assert CountedScaler.n_fits == 1
        for candidate in (3, 4):  # as many as candidates
            run(job, RUNGS[0], {"scale__with_std": False}, candidate)
            run(job, RUNGS[1], {"scale__with_std": False}, candidate)
        assert CountedScaler.n_fits == 3


class CountedScaler(StandardScaler):
    n_fits = 0

    def fit_transform(self, X, y=None, **fit_params):
        CountedScaler.n_fits += 1
        return super().fit_transform(X, y, **fit_params)


def to_float32():
    return FunctionTransformer(np.float32)


def test_random_steps_before_the_net(tmp_path):
    """What is read later is what was fitted: the random numbers do not differ."""
    steps = [("draw", RandomlyScaled()), ("cast", to_float32()), ("net", net())]
    for params in ({}, {"draw__factor": 2.0}):
        with checkpoints_in(tmp_path) as checkpoints:
            job = job_of(Pipeline(steps), IN_PIPELINE, checkpoints)
            paused = [whole(*one) for one in rungs(job, RUNGS, params)]
        with checkpoints_in(tmp_path) as checkpoints:
            job = job_of(Pipeline(steps), IN_PIPELINE, checkpoints)
            (never,) = (whole(*one) for one in rungs(job, RUNGS[-1:], params))
        assert paused[-1] == never


def test_what_all_share_does_not_depend_on_who_comes_first(tmp_path):
    steps = [("draw", RandomlyScaled()), ("cast", to_float32()), ("net", net())]
    seen = []
    for seeds in ((1, 2), (2, 1)):
        with checkpoints_in(tmp_path) as checkpoints:
            job = job_of(Pipeline(steps), IN_PIPELINE, checkpoints)
            for candidate, seed in enumerate(seeds):
                run(job, RUNGS[0], candidate=candidate, seed=seed)
        seen.append(job.scorer.estimator[0].scale_.tolist())
    assert seen[0] == seen[1]


class RandomlyScaled(TransformerMixin, BaseEstimator):
    """Its `fit_transform` is not its `transform`, and it draws in both."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        self.scale_ = self.factor * (1 + np.random.random(X.shape[1]))
        return self

    def fit_transform(self, X, y=None):
        return self.fit(X).transform(X) + np.random.normal(size=X.shape)

    def transform(self, X):
        return X * self.scale_


# -- estimators of scikit-learn --------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (RandomForestClassifier(random_state=0), "n_estimators"),
        (ExtraTreesClassifier(), "n_estimators"),
        (BaggingClassifier(), "n_estimators"),
        (GradientBoostingClassifier(subsample=0.5), "n_estimators"),
        (HistGradientBoostingClassifier(random_state=0), "max_iter"),
    ],
)
def test_ensembles_with_warm_start(estimator, name, tmp_path):
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(estimator, Resource(name, "warm_start", 27), checkpoints)
        *_, (one, _) = rungs(job, RUNGS)
    assert one.get_params()[name] == 27 and one.warm_start is False
    if estimator.random_state == 0:
        never = clone(estimator).set_params(**{name: 27}).fit(X[TRAIN], y[TRAIN])
    else:  # where a generator would have begun anew, it goes on
        never = in_segments(estimator, name)
    np.testing.assert_array_equal(one.predict_proba(X), never.predict_proba(X))


def in_segments(estimator, name):
    """In one process, without a pickle."""
    one = clone(estimator).set_params(warm_start=True)
    with preserved_random_states(), own_random_states(SEED):
        for n in RUNGS:
            one.set_params(**{name: n}).fit(X[TRAIN], y[TRAIN])
    return one


@pytest.mark.parametrize(
    "estimator",
    [
        SGDClassifier(random_state=0),
        SGDClassifier(),
        MLPClassifier((5,)),
        Pipeline([("scale", StandardScaler()), ("clf", SGDClassifier())]),
    ],
)
def test_partial_fit(estimator, tmp_path):
    name = "clf__partial_fit" if isinstance(estimator, Pipeline) else "partial_fit"
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(estimator, Resource(name, "partial_fit", 27), checkpoints)
        *_, (one, _) = rungs(job, RUNGS)
    never, data = clone(estimator), X[TRAIN]
    with preserved_random_states(), own_random_states(SEED):
        last = never
        if isinstance(never, Pipeline):
            data, last = never[0].fit_transform(data), never[-1]
        for _ in range(27):
            last.partial_fit(data, y[TRAIN], classes=np.unique(y))
    score = "predict_proba" if hasattr(one, "predict_proba") else "decision_function"
    np.testing.assert_array_equal(getattr(one, score)(X), getattr(never, score)(X))
