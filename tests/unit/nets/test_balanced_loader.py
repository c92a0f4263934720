import numpy as np
import pytest
import torch
from skorch.dataset import Dataset, ValidSplit
from torch.utils.data import DataLoader, Subset

from sktune import GridSearchCV
from sktune._errors import EstimatorError, EstimatorTypeError, ParamNameError
from sktune.nets import BalancedLoader
from sktune.nets._balanced_loader import BalancedSampler
from tests.helpers.estimators import blobs, net

COUNTS = [60, 30, 10]
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(3), COUNTS))
X, y = blobs(100)


def drawn(**kwargs):
    torch.manual_seed(0)
    return np.array(list(BalancedSampler(LABELS, **kwargs)))


def by_class(rows):
    return np.bincount(LABELS[rows], minlength=3).tolist()


@pytest.mark.parametrize(
    ("balance", "length", "expected"),
    [
        (0.0, "data", [60, 30, 10]),
        (1.0, "data", [34, 33, 33]),
        (0.5, "data", [47, 34, 19]),  # 100 * sqrt(n) / sum of sqrt(n), rounded
        (1.0, "over", [60, 60, 60]),
        (1.0, "under", [10, 10, 10]),
        (0.0, "over", [60, 30, 10]),
        (0.0, "under", [60, 30, 10]),
        (0.5, "over", [60, 43, 25]),  # 60 * sqrt(n / 60), at least
        (0.5, "under", [24, 17, 10]),
    ],
)
def test_how_many_rows_of_each_class(balance, length, expected):
    rows = drawn(balance=balance, length=length)
    assert by_class(rows) == expected
    assert len(BalancedSampler(LABELS, balance, length)) == len(rows) == sum(expected)


def test_no_row_comes_again_before_all_of_its_class_have_come():
    times = np.bincount(drawn(), minlength=100)
    for label in range(3):
        of_class = times[label == LABELS]
        assert of_class.max() - of_class.min() <= 1
    assert np.bincount(drawn(length="over")).min() == 1
    assert np.bincount(drawn(length="under")).max() == 1
    assert sorted(drawn(balance=0.0)) == list(range(100)), "each row once, in strata"


@pytest.mark.parametrize("balance", [0.0, 0.3, 1.0])
def test_each_batch_has_the_shares_of_all(balance):
    rows = drawn(balance=balance)
    shares = np.array(by_class(rows)) / len(rows)
    for batch in range(0, 100, 20):
        counts = np.array(by_class(rows[batch : batch + 20]))
        assert (abs(counts - 20 * shares) < 1.5).all()


def test_epochs_and_seeds_differ_and_generators_are_obeyed():
    sampler = BalancedSampler(LABELS)
    torch.manual_seed(0)
    first, second = list(sampler), list(sampler)
    assert first != second and first == drawn().tolist()
    own = [
        list(BalancedSampler(LABELS, generator=torch.Generator().manual_seed(1)))
        for _ in range(2)
    ]
    assert own[0] == own[1] != first


def test_labels_of_parts_and_of_other_datasets():
    data = Dataset(np.arange(100), torch.from_numpy(LABELS).view(-1, 1))
    part = Subset(Subset(data, np.arange(99, -1, -1)), np.arange(50))
    loader = BalancedLoader(part, batch_size=60, length="under")
    rows, _ = next(iter(loader))
    mine = LABELS[rows.numpy()]
    assert rows.min() >= 50 and len(set(np.bincount(mine))) == 1

    class Images(torch.utils.data.Dataset):
        targets = LABELS.tolist()

        def __getitem__(self, k):
            raise AssertionError("no row is read")

        def __len__(self):
            return 100

    assert len(BalancedLoader(Images(), 10)) == 10


def test_validation_and_prediction_see_all_rows_once():
    seen = []

    def loader(dataset, **kwargs):
        seen.append(len(dataset))
        return DataLoader(dataset, **kwargs)

    one = net(
        iterator_train=BalancedLoader,
        iterator_train__length="under",
        iterator_valid=loader,
        train_split=ValidSplit(4, stratified=True),
        verbose=0,
    )
    X, _ = blobs(100)
    one.fit(X, LABELS)
    last = one.history[-1]
    assert (
        sum(b["train_batch_size"] for b in last["batches"] if "train_batch_size" in b)
        == 24
    )
    assert len(one.predict(X)) == 100 and seen == [25, 100]


def test_a_net_learns_the_rare_class_with_it():
    rng = np.random.default_rng(0)
    y = (rng.random(600) < 0.05).astype(int)
    X = (rng.normal(size=(600, 4)) + y[:, None]).astype("float32")
    recall = []
    for loader in (DataLoader, BalancedLoader):
        torch.manual_seed(0)
        one = net(iterator_train=loader, verbose=0, max_epochs=5).fit(X, y)
        recall.append((one.predict(X)[y == 1] == 1).mean())
    assert recall[1] > recall[0] + 0.3


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"balance": 1.5}, EstimatorError, "balance=1.5 is not between 0"),
        ({"length": "ovr"}, EstimatorError, "'ovr' is none of .* Did you mean 'over'"),
        ({"shuffle": False}, EstimatorError, "shuffle=False. Leave that out"),
    ],
)
def test_what_cannot_be(kwargs, error, message):
    with pytest.raises(error, match=message):
        BalancedLoader(Dataset(X, y), 10, **kwargs)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "needs the class of each row, and Dataset has neither `y`"),
        (np.linspace(0, 1, 100), r"y is continuous, of shape \(100,\)"),
        (np.eye(100), "y is 2-dimensional"),
    ],
)
def test_what_are_no_classes(y, message):
    with pytest.raises(EstimatorTypeError, match=message):
        BalancedLoader(Dataset(X, y), 10)


def test_a_typo_is_found_before_the_first_fit():
    one = net(iterator_train=BalancedLoader)
    search = GridSearchCV(one, {"iterator_train__balence": [0, 1]})
    with pytest.raises(ParamNameError, match=r"Did you mean .*__balance'"):
        search.fit(X, y)
