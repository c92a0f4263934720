"""Values that a part of a net cannot have are refused before the first fit."""

import pytest
import torch
from scipy.stats import randint, uniform
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

from sktune._errors import EstimatorError
from sktune.execution.estimators._part_values import check_part_values
from sktune.nets import (
    BalancedLoader,
    ClassWeights,
    GradientAccumulation,
    GradualUnfreezing,
    LRSchedule,
    SnapshotEnsemble,
    StochasticWeightAveraging,
)


class Accumulating(GradientAccumulation, NeuralNetClassifier):
    pass


def made(callback=None, kind=NeuralNetClassifier, **params):
    callbacks = [] if callback is None else [("part", callback)]
    return kind(torch.nn.Linear, callbacks=callbacks, **params)


def balanced(**params):
    return made(iterator_train=BalancedLoader, **params)


@pytest.mark.parametrize(
    ("estimator", "space", "message"),
    [
        (balanced(iterator_train__balance=2), {}, r"iterator_train__balance\).*=2"),
        (balanced(), {"iterator_train__balance": [0, -1]}, "balance=-1 is not between"),
        (balanced(), {"iterator_train__balance": uniform(0, 3)}, "balance=2.9"),
        (balanced(), {"iterator_train__length": ["ovr"]}, "Did you mean 'over'"),
        (
            made(),
            {
                "iterator_train": [torch.utils.data.DataLoader, BalancedLoader],
                "iterator_train__shuffle": [False],
            },
            "shuffle=False",
        ),
        (made(ClassWeights("balancd")), {}, "Did you mean 'balanced'"),
        (made(ClassWeights), {"callbacks__part__n_classes": [0]}, "n_classes=0"),
        (
            made(ClassWeights()),
            {"callbacks__part": [None, ClassWeights("sqr")]},
            "Did you mean 'sqrt'",
        ),
        (made(kind=Accumulating, micro_batch_size=0), {}, "micro_batch_size=0"),
        (made(kind=Accumulating), {"micro_batch_size": [8, -1]}, "micro_batch_size=-1"),
        (made(GradualUnfreezing(["*"], start=-1)), {}, "start=-1"),
        (
            made(GradualUnfreezing(["*"])),
            {"callbacks__part__every": randint(-9, 2)},
            "every=-9",
        ),
        (made(StochasticWeightAveraging(start=1.5)), {}, "start=1.5"),
        (made(SnapshotEnsemble()), {"callbacks__part__n_cycles": [0, 2]}, "n_cycles=0"),
        (made(LRSchedule("cosine", gamma=0.5)), {}, "gamma is no argument"),
        (made(LRSchedule("cosine"), callbacks__part__gamma=0.5), {}, "gamma is no arg"),
        (made(LRSchedule("step", gamma=2)), {}, "gamma=2 must be"),
    ],
)
def test_refused(estimator, space, message):
    with pytest.raises(EstimatorError, match=message):
        check_part_values(estimator, [space])
    # In another dict, and below a pipeline.
    name = type(estimator).__name__.lower()
    below = {f"{name}__{key}": values for key, values in space.items()}
    with pytest.raises(EstimatorError, match=message):
        check_part_values(make_pipeline(StandardScaler(), estimator), [{}, below])


@pytest.mark.parametrize(
    ("estimator", "space"),
    [
        (balanced(iterator_train__balance=0.5), {}),
        (balanced(iterator_train__balance=7), {"iterator_train__balance": [0.5, 1]}),
        (balanced(), {"iterator_train__balance": uniform(0, 1)}),
        (made(ClassWeights("balancd")), {"callbacks__part__weights": [None, "sqrt"]}),
        (made(ClassWeights("balancd")), {"callbacks__part": [None]}),
        (made(ClassWeights("balancd")), {"callbacks": [None]}),
        (made(LRSchedule("step", gamma=0.5)), {}),
        (made(kind=Accumulating, micro_batch_size=None), {"micro_batch_size": [8]}),
    ],
)
def test_not_refused(estimator, space):
    check_part_values(estimator, [space])


def test_a_method_of_a_users_own_is_left_alone():
    class Own(Callback):
        def check_value(self, net, epoch):
            raise AssertionError

        def check_options(self):
            raise AssertionError

    check_part_values(made(Own()), [{}])
