import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from skorch import NeuralNetBinaryClassifier
from skorch.dataset import ValidSplit
from torch import nn

from sktune._errors import EstimatorError, EstimatorTypeError
from sktune.nets import ClassWeights
from tests.helpers.estimators import Net, blobs, net

X, _ = blobs(60)
y = np.repeat([0, 1, 2], [40, 15, 5])
Y = (y == 2).astype("float32")


def weighted(*args, **kwargs):
    weights = [("class_weights", ClassWeights(*args))]
    return net(callbacks=weights, verbose=0, max_epochs=1, **kwargs)


def test_balanced_is_scikit_learns():
    expected = compute_class_weight("balanced", classes=np.arange(3), y=y)
    found = weighted().fit(X, y).criterion_.weight
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == torch.float32
    found = weighted("sqrt").fit(X, y).criterion_.weight
    np.testing.assert_allclose(found, np.sqrt(expected), rtol=1e-6)
    assert weighted({2: 5.0}).fit(X, y).criterion_.weight.tolist() == [1, 1, 5]
    assert weighted(None).fit(X, y).criterion_.weight is None
    four = weighted("balanced", 4).set_params(module=Four)
    assert four.fit(X, y).criterion_.weight[3] == 1


class Four(Net):
    def __init__(self):
        super().__init__()
        self.layers[-1] = nn.Linear(8, 4)


def test_it_trains_as_the_tensor_does():
    expected = compute_class_weight("balanced", classes=np.arange(3), y=y)
    nets = [
        weighted(),
        net(criterion__weight=torch.tensor(expected).float(), verbose=0, max_epochs=1),
    ]
    for one in nets:
        torch.manual_seed(0)
        one.fit(X, y)
    ours, torchs = ([*one.module_.state_dict().values()] for one in nets)
    assert all(map(torch.equal, ours, torchs))


def test_only_rows_of_the_training_part_count():
    split = ValidSplit(2, stratified=False)  # the first half is of class 0
    weights = weighted(train_split=split).fit(X, y).criterion_.weight
    expected = compute_class_weight("balanced", classes=np.arange(3), y=y[30:])
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_two_classes_by_one_number():
    one = NeuralNetBinaryClassifier(
        nn.Linear,
        module__in_features=4,
        module__out_features=1,
        callbacks=[ClassWeights()],
        train_split=None,
        max_epochs=1,
        verbose=0,
    )
    assert one.fit(X, Y).criterion_.pos_weight.item() == pytest.approx(11)


def test_each_training_has_its_own():
    one = weighted("balanced", 3).fit(X, y)
    one.partial_fit(X, (y == 1).astype(int))
    expected = compute_class_weight("balanced", classes=np.arange(2), y=(y == 1) + 0)
    np.testing.assert_allclose(one.criterion_.weight[:2], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("weights", "y", "error", "message"),
    [
        ("balancd", y, EstimatorError, "weights='balancd'.* Did you mean 'balanced'"),
        ({3: 1.0}, y, EstimatorError, "no class 3; there are 3"),
        ("balanced", y - 1, EstimatorTypeError, "counted from 0.*LabelEncoder"),
    ],
)
def test_what_cannot_be(weights, y, error, message):
    with pytest.raises(error, match=message):
        weighted(weights).fit(X, y)


def test_a_loss_that_has_none():
    one = weighted(criterion=nn.MultiMarginLoss)
    with pytest.raises(EstimatorTypeError, match="no weights of MultiMarginLoss"):
        one.fit(X, y)
