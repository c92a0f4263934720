import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch import NeuralNetBinaryClassifier, NeuralNetRegressor
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts
from torch.utils.data import DataLoader

from sktune import GridSearchCV
from sktune._errors import EstimatorError
from sktune.nets import MeanOfMembers, ParamGroups, SnapshotEnsemble
from tests.helpers.estimators import Net, blobs, net

X, y = blobs(60)  # two batches of 32


def snapshots(*args, max_epochs=6, **kwargs):
    callbacks = [("snapshots", SnapshotEnsemble(*args))]
    return net(callbacks=callbacks, verbose=0, max_epochs=max_epochs, **kwargs)


def fitted(one, X=X, y=y):
    torch.manual_seed(0)
    return one.fit(X, y)


def test_a_plain_loop_with_torchs_warm_restarts():
    one = fitted(snapshots(3, iterator_train__shuffle=False, module__dropout=0.0))
    torch.manual_seed(0)
    module, loss = Net(dropout=0.0), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    schedule = CosineAnnealingWarmRestarts(optimizer, T_0=4)
    rows = list(zip(torch.as_tensor(X), torch.as_tensor(y), strict=True))
    rates, probabilities = [], []
    for epoch in range(6):
        for inputs, labels in DataLoader(rows, batch_size=32):
            rates.append(schedule.get_last_lr()[0])
            optimizer.zero_grad()
            loss(module(inputs), labels).backward()
            optimizer.step()
            schedule.step()
        if epoch % 2:
            with torch.no_grad():
                module.eval()
                probabilities.append(module(torch.as_tensor(X)).softmax(1))
                module.train()
    found = np.ravel(one.history[:, "batches", :, "event_lr"])
    np.testing.assert_allclose(found, rates)
    expected = torch.stack(probabilities).mean(0)
    np.testing.assert_allclose(one.predict_proba(X), expected, rtol=1e-4, atol=1e-6)
    loss = -np.log(expected.numpy()[np.arange(60), y]).mean()
    outputs = one.forward(X)
    assert float(one.criterion_(outputs, torch.as_tensor(y))) == pytest.approx(loss)


@pytest.mark.parametrize(
    ("n_cycles", "max_epochs", "ends"),
    [(1, 4, [4]), (2, 5, [2, 5]), (3, 10, [3, 7, 10]), (4, 4, [1, 2, 3, 4])],
)
def test_cycles_end_with_epochs(n_cycles, max_epochs, ends):
    one = fitted(snapshots(n_cycles, max_epochs=max_epochs))
    rates = [row[0] for row in one.history[:, "batches", :, "event_lr"]]
    begins = [epoch for epoch, rate in enumerate(rates) if rate == 0.1]
    assert begins == [0, *ends[:-1]]
    assert len(one.module_.members) == n_cycles


def test_the_last_few():
    all_of_them, last = (fitted(snapshots(3, n_used)) for n_used in (None, 2))
    assert len(last.module_.members) == 2
    for ours, theirs in zip(
        last.module_.members, all_of_them.module_.members[1:], strict=True
    ):
        assert ours.layers[0].weight.equal(theirs.layers[0].weight)


def test_rates_of_groups_each_have_their_own_cycle():
    one = fitted(
        snapshots(
            2,
            optimizer=ParamGroups(torch.optim.SGD),
            optimizer__param_groups=[("layers.0*", {"lr": 0.01})],
            max_epochs=2,
        )
    )
    schedule = dict(one.callbacks_)["snapshots"].lr_scheduler_
    assert schedule.base_lrs == [0.01, 0.1]


def of_kind(cls, criterion, y):
    return fitted(
        cls(
            nn.Linear,
            module__in_features=4,
            module__out_features=1,
            criterion=criterion,
            callbacks=[SnapshotEnsemble(2)],
            max_epochs=4,
            train_split=None,
            verbose=0,
        ),
        y=y,
    )


def test_one_logit_and_regression():
    target = (y == 1).astype("float32")
    one = of_kind(NeuralNetBinaryClassifier, nn.BCEWithLogitsLoss, target)
    points = torch.as_tensor(X)
    with torch.no_grad():
        each = [member(points).sigmoid()[:, 0] for member in one.module_.members]
    np.testing.assert_allclose(
        one.predict_proba(X)[:, 1], torch.stack(each).mean(0), rtol=1e-5
    )
    one = of_kind(NeuralNetRegressor, nn.MSELoss, target[:, None])
    with torch.no_grad():
        each = [member(points) for member in one.module_.members]
    np.testing.assert_allclose(one.predict(X), torch.stack(each).mean(0), rtol=1e-5)


def test_tuples_and_scores_that_are_certain():
    class Two(nn.Module):
        def forward(self, X):
            return X, X + 1

    points = torch.tensor([[1000.0, -1000.0]])
    first, second = MeanOfMembers([Two(), Two()], "softmax")(points)
    assert first.softmax(1).tolist() == [[1, 0]] and second.equal(points + 1)
    mean = MeanOfMembers([Two(), Two()], "sigmoid")(points)[0]
    assert mean.tolist() == points.tolist()


def test_trained_on_and_anew():
    one = fitted(snapshots(2, max_epochs=2))
    trained = one.module_.members[-1].layers[0].weight.clone()
    rates = one.history[:, "batches", 0, "event_lr"]
    kept = pickle.loads(pickle.dumps(one))
    one.partial_fit(X, y)
    kept_first = dict(one.callbacks_)["snapshots"].snapshots_[0]["layers.0.weight"]
    assert len(one.module_.members) == 2 and not kept_first.equal(trained)
    assert one.history[:, "batches", 0, "event_lr"] == rates * 2
    torch.manual_seed(1)
    one = fitted(one)
    assert one.forward(X).equal(kept.forward(X))
    assert one.module_.members[0] is not one.module_.members[1]


def test_cycles_are_searched_and_stacked():
    space = {"callbacks__snapshots__n_cycles": [1, 2, 6]}
    searches = [
        GridSearchCV(
            clone(snapshots()), space, cv=2, scoring="neg_log_loss", stacked=stacked,
            random_state=0,
        ).fit(X, y)
        for stacked in (False, True)
    ]  # fmt: skip
    scores = [search.cv_results_["mean_test_score"] for search in searches]
    np.testing.assert_allclose(*scores, rtol=1e-4)
    assert len(set(scores[0])) == 3
    assert {
        row["stacked"] for row in searches[1].paths_ if row["split"] is not None
    } == {6}


@pytest.mark.parametrize("args", [(7,), (0,), (2, 0)])
def test_what_cannot_be(args):
    with pytest.raises(EstimatorError, match=f"n_cycles={args[0]}, .* with 6 epochs"):
        fitted(snapshots(*args))
