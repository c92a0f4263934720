"""Data that nets cannot be trained on are refused before the first fit, with the cure.

Each cure is tried: what the message says makes the search work.
"""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    LabelEncoder,
    OneHotEncoder,
    StandardScaler,
)
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from skorch.helper import SliceDataset, SliceDict
from torch import nn
from torch.utils.data import TensorDataset

from sktune._errors import EstimatorError
from sktune.execution.estimators._nets import find_nets
from tests.helpers.searches import SEARCHES, randomized

# Spaces are small here, and Hyperband says so.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Hyperband plans"),
    # What a frame gives of one dtype is its own memory, of which torch says that once.
    pytest.mark.filterwarnings("ignore:The given NumPy array is not writable"),
    pytest.mark.filterwarnings("ignore:resource='auto'.* cannot train 'net' in pieces"),
]

N = 40
CLASSES = np.arange(N) % 2
NUMBERS = pd.DataFrame({"a": np.arange(N) / N, "b": (CLASSES + 1.0)}, dtype=np.float32)
WORDS = NUMBERS.assign(b=["u", "v"] * (N // 2))
X = NUMBERS.to_numpy()


class Linear(nn.Module):
    def __init__(self, n_outputs=2):
        super().__init__()
        self.layer = nn.LazyLinear(n_outputs)

    def forward(self, X):
        return self.layer(X)


class ByColumns(Linear):
    def forward(self, a, b):
        return self.layer(torch.cat([a, b], dim=1).float())


OPTIONS = dict(max_epochs=1, train_split=None, verbose=0)


def classifier(module=Linear, **kwargs):
    kwargs = {"criterion": nn.CrossEntropyLoss, **OPTIONS, **kwargs}
    return NeuralNetClassifier(module, **kwargs)


def binary(**kwargs):
    return NeuralNetBinaryClassifier(
        Linear, module__n_outputs=1, **{**OPTIONS, **kwargs}
    )


def regressor(**kwargs):
    kwargs = {**OPTIONS, **kwargs}
    return NeuralNetRegressor(Linear, module__n_outputs=1, **kwargs)


def _lr(estimator):
    """A space of the learning rate of the net, wherever it is."""
    (prefix,) = find_nets(estimator)
    return {f"{prefix}lr": [0.1]}


def _refused(estimator, match, X, y, search=randomized):
    with pytest.raises(EstimatorError, match=match):
        search(estimator, _lr(estimator), n_iter=1, cv=2).fit(X, y)


def _fitted(estimator, X, y, search=randomized):
    fitted = search(estimator, _lr(estimator), n_iter=1, cv=2).fit(X, y)
    assert np.isfinite(fitted.cv_results_["mean_test_score"]).all()


def _encoded(net, words=("b",)):
    """What the message says, word for word."""
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(dtype="float32", sparse_output=False), list(words)),
            remainder="passthrough",
        ),
        FunctionTransformer(np.float32),
        net,
    )


@pytest.mark.parametrize("search", SEARCHES)
def test_a_data_frame_of_numbers(search):
    cure = r"forward takes no 'a'. Pass X.to_numpy\(dtype='float32'\)"
    _refused(classifier(), cure, NUMBERS, CLASSES, search)
    _fitted(classifier(), NUMBERS.to_numpy(dtype="float32"), CLASSES, search)
    _fitted(classifier(ByColumns), NUMBERS, CLASSES, search)


@pytest.mark.parametrize("search", SEARCHES)
def test_a_data_frame_of_words(search):
    match = r"columns \['b'\] hold words.*make_pipeline\(make_column_transformer"
    for module in (Linear, ByColumns):
        for frame in (WORDS, WORDS.astype({"b": "category"}), WORDS.astype(object)):
            _refused(classifier(module), match, frame, CLASSES, search)
    _fitted(_encoded(classifier()), WORDS, CLASSES, search)
    _fitted(_encoded(classifier()), WORDS.astype({"a": float}), CLASSES, search)


@pytest.mark.parametrize(
    "around",
    [
        lambda net: make_pipeline("passthrough", net),
        lambda net: make_pipeline(FunctionTransformer(), net),
        lambda net: VotingClassifier([("lr", LogisticRegression()), ("net", net)]),
        lambda net: GridSearchCV(net, {"batch_size": [9]}, cv=2),
        lambda net: make_pipeline(make_pipeline("passthrough", net)),
        lambda net: randomized(net, {"max_epochs": [1]}, n_iter=1, cv=2),
    ],
)
def test_a_data_frame_that_reaches_a_net_through_others(around):
    _refused(around(classifier()), "X(:| is| a).*DataFrame", NUMBERS, CLASSES)
    _fitted(around(classifier(ByColumns)), NUMBERS, CLASSES)


def test_a_data_frame_that_a_step_makes():
    scaler = StandardScaler().set_output(transform="pandas")
    match = r"steps before the net make X a DataFrame.*set_output\(transform='default'"
    _refused(make_pipeline(scaler, classifier()), match, X, CLASSES)
    cured = StandardScaler().set_output(transform="default")
    _fitted(make_pipeline(cured, classifier()), X, CLASSES)
    cured = make_pipeline(scaler, FunctionTransformer(np.float32), classifier())
    _fitted(cured, X, CLASSES)
    target = TransformedTargetRegressor(regressor())
    _refused(target, "X is a DataFrame", NUMBERS, CLASSES.astype(np.float32))


def test_other_data_frames_and_series():
    nullable = NUMBERS.assign(b=pd.array(CLASSES, dtype="Int64"))
    objects = NUMBERS.astype({"b": object})
    for frame in (nullable, objects):
        cure = r"Pass X.to_numpy\(dtype='float32'\)"
        for module in (Linear, ByColumns):
            _refused(classifier(module), cure, frame, CLASSES)
        _fitted(classifier(), frame.to_numpy(dtype="float32"), CLASSES)
    dates = NUMBERS.assign(b=pd.date_range("2020", periods=N))
    _refused(classifier(), r"columns \['b'\] hold datetime64", dates, CLASSES)
    numbered = NUMBERS.set_axis([0, 1], axis=1)
    _refused(classifier(ByColumns), "forward takes no 0", numbered, CLASSES)
    _refused(classifier(), r"Series.*reshape\(-1, 1\)", NUMBERS["a"], CLASSES)
    _fitted(
        classifier(),
        NUMBERS["a"].to_numpy(dtype="float32").reshape(-1, 1),
        CLASSES,
    )


def test_arrays_of_objects_and_of_words():
    _refused(classifier(), r"X.astype\(np.float32\)", X.astype(object), CLASSES)
    words = WORDS.to_numpy()
    _refused(classifier(), r"OneHotEncoder.*, \[1\]\)", words, CLASSES)
    _fitted(_encoded(classifier(), [1]), words, CLASSES)
    text = np.array(["good", "bad"] * (N // 2))
    for data in (text, text.astype(object)):
        _refused(classifier(), "CountVectorizer", data, CLASSES)


def test_lists():
    _refused(classifier(), r"np.asarray\(X, dtype=np.float32\)", X.tolist(), CLASSES)
    ragged = [list(range(1 + i % 3)) for i in range(N)]
    _refused(classifier(), r"different lengths: pad them", ragged, CLASSES)
    rows = [torch.as_tensor(x, dtype=torch.float32) for x in ragged]
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    _fitted(classifier(), padded, CLASSES)


@pytest.mark.parametrize("search", SEARCHES)
def test_a_dict(search):
    columns = {"a": X[:, :1], "b": X[:, 1:]}
    match = r"dict of \['a', 'b'\].*skorch.helper.SliceDict\(\*\*X\)"
    _refused(classifier(ByColumns), match, columns, CLASSES, search)
    _fitted(classifier(ByColumns), SliceDict(**columns), CLASSES, search)
    in_list = list(columns.values())
    match = r"list of 2 inputs.*SliceDict"
    _refused(classifier(ByColumns), match, in_list, CLASSES, search)


def test_a_dataset():
    made = TensorDataset(torch.as_tensor(X), torch.as_tensor(CLASSES))
    match = r"TensorDataset.*skorch.helper.SliceDataset\(ds, idx=0\)"
    for y in (CLASSES, None):
        _refused(classifier(), match, made, y)
    sliced = SliceDataset(made, idx=0), np.asarray(SliceDataset(made, idx=1))
    _fitted(classifier(), *sliced)


Y_OF_CLASSES = [
    ("float64", r"CrossEntropyLoss takes classes as int64.*y.astype\(np.int64\)"),
    ("float32", r"dtype float32.*y.astype\(np.int64\)"),
    ("int32", r"dtype int32.*y.astype\(np.int64\)"),
    ("bool", r"dtype bool.*y.astype\(np.int64\)"),
]


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize(("dtype", "match"), Y_OF_CLASSES)
def test_classes_of_a_dtype_that_the_loss_refuses(search, dtype, match):
    y = CLASSES.astype(dtype)
    _refused(classifier(), match, X, y, search)
    _refused(make_pipeline(StandardScaler(), classifier()), match, X, y, search)


def test_classes_of_a_dtype_that_the_loss_takes():
    for y in (CLASSES, CLASSES.astype("uint8")):
        _fitted(classifier(), X, y)
    _fitted(classifier(), X, pd.Series(CLASSES))
    _fitted(classifier(), torch.as_tensor(X), torch.as_tensor(CLASSES))
    match = r"Pass y.to\(torch.int64\)"
    tensors = torch.as_tensor(X), torch.as_tensor(CLASSES).float()
    _refused(classifier(), match, *tensors)
    softmax = classifier(criterion=nn.NLLLoss)
    _refused(softmax, "NLLLoss takes classes as int64", X, CLASSES.astype("int32"))
    either = {"criterion": [nn.CrossEntropyLoss]}
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        randomized(classifier(), either, n_iter=1, cv=2).fit(X, CLASSES.astype("int32"))


@pytest.mark.parametrize("search", SEARCHES)
def test_classes_in_words(search):
    words = np.array(["no", "yes"])[CLASSES]
    match = r"y holds words, such as 'no'.*LabelEncoder\(\).fit_transform\(y\)"
    for y in (words, words.astype(object), pd.Series(words), words.tolist()):
        _refused(classifier(), match, X, y, search)
    _refused(make_pipeline(StandardScaler(), classifier()), match, X, words, search)
    _fitted(classifier(), X, LabelEncoder().fit_transform(words), search)
    # Which encodes them itself.
    parts = [("lr", LogisticRegression()), ("net", classifier())]
    _fitted(VotingClassifier(parts), X, words, search)


def test_other_kinds_of_y():
    _refused(classifier(), r"Pass np.asarray\(y\)", X, CLASSES.tolist())
    frame = pd.DataFrame({"y": CLASSES})
    _refused(classifier(), r"y.to_numpy\(\).ravel\(\)", X, frame)
    _refused(regressor(), r"y.to_numpy\(dtype='float32'\)", X, frame)
    _fitted(regressor(), X, frame.to_numpy(dtype="float32"))
    match = r"BCEWithLogitsLoss takes float32. Pass y.astype\(np.float32\)"
    _refused(binary(), match, X, CLASSES)
    _fitted(binary(), X, CLASSES.astype(np.float32))
    match = r"shape \(40, 1\).*Pass y.ravel\(\)"
    _refused(binary(), match, X, CLASSES.astype(np.float32)[:, None])
    huber = regressor(criterion=nn.HuberLoss)
    _refused(huber, "HuberLoss takes float32", X, CLASSES[:, None])


def test_a_dtype_in_whatever_the_net_stands():
    class Fixed(nn.Linear):
        def __init__(self, n_outputs=2):
            super().__init__(2, n_outputs)

    double, y = X.astype(float), CLASSES.astype(np.float32)
    net = regressor().set_params(module=Fixed)
    for estimator in (
        TransformedTargetRegressor(net),
        TransformedTargetRegressor(make_pipeline(StandardScaler(), net)),
        VotingRegressor([("ridge", Ridge()), ("net", net)]),
        GridSearchCV(net, {"max_epochs": [1]}, cv=2),
    ):
        _refused(estimator, r"float64.*X.astype\(np.float32\)", double, y)
    one_hot = make_column_transformer(
        (OneHotEncoder(), ["b"]), remainder="passthrough", sparse_threshold=1.0
    )
    wide = classifier(nn.Linear, module__in_features=3, module__out_features=2)
    match = r"float64.*Put FunctionTransformer\(np.float32\) as the last step"
    _refused(make_pipeline(one_hot, wide), match, WORDS, CLASSES)
    match = r"float64.*Pass X.to\(torch.float32\)"
    _refused(net, match, torch.as_tensor(double), torch.as_tensor(y)[:, None])
    match = r"float64.*Pass X.astype\(np.float32\)"
    _refused(net, match, sparse.csr_matrix(double), y[:, None])
