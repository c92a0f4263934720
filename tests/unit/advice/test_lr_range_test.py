"""A sweep over learning rates: what it finds, and what it leaves alone."""

import copy
import random
import warnings

import numpy as np
import pytest
import torch
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    LRScheduler,
    TensorBoard,
)
from torch import nn

from sktune.advice import LRRangeTestDisplay, lr_range_test
from sktune.advice._lr_curve import both_ways
from tests.helpers.estimators import blobs, net

# Nets with normalized batches stand any rate, and are told so.
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*still falling at max_lr=1")

X, y = blobs(120)


def quick(estimator=None, *args, **kwargs):
    given = {"n_steps": 40, "n_seeds": 2, "random_state": 0, **kwargs}
    data = args or (X, y)
    return lr_range_test(net() if estimator is None else estimator, *data, **given)


def test_the_suggestion_is_a_rate_that_learns():
    found = quick(net(batch_size=16), n_steps=100)
    assert 1e-2 < found.suggestion < 3
    losses = []
    for rate in (found.suggestion, found.suggestion / 1000, 1e3):
        torch.manual_seed(0)
        trained = net(lr=rate, max_epochs=5, batch_size=16).fit(X, y)
        losses.append(trained.history[-1, "train_loss"])
    assert losses[0] < min(losses[1:], key=lambda v: v if v == v else np.inf)


def test_rates_rise_by_one_factor():
    found = quick(min_lr=1e-4, max_lr=1.0, n_steps=5 + 10)
    ratios = found.learning_rates[1:] / found.learning_rates[:-1]
    np.testing.assert_allclose(ratios, ratios[0])
    np.testing.assert_allclose(found.learning_rates[[0, -1]], [1e-4, 1.0])
    assert found.curves[0].losses.shape == (2, 15)


def test_losses_are_those_of_a_plain_loop():
    """Of a loop over batches that sets the rate by hand."""
    found = quick(net(batch_size=32), n_seeds=1, n_steps=12, max_lr=1e-1)
    rates = found.learning_rates

    class ByHand(Callback):
        losses = []

        def on_batch_begin(self, net, training=False, **kwargs):
            if training:
                for group in net.optimizer_.param_groups:
                    group["lr"] = rates[min(len(self.losses), 11)]

        def on_batch_end(self, net, loss=None, training=False, **kwargs):
            if training:
                self.losses.append(loss.item())

    from sktune._random import derive_seed
    from sktune.execution.guards._random_states import own_random_states

    root = int(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
    with own_random_states(derive_seed(root, "lr range test", 0)):
        net(batch_size=32, callbacks=[ByHand()], max_epochs=3).fit(X, y)
    np.testing.assert_array_equal(found.curves[0].losses[0], ByHand.losses[:12])


def test_nothing_of_the_callers_changes():
    given = net(lr=0.05, callbacks=[("stop", EarlyStopping(monitor="train_loss"))])
    before = copy.deepcopy(given.get_params())
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    quick(given)
    assert states[0] == random.getstate()
    np.testing.assert_array_equal(states[1], np.random.get_state()[1])
    assert torch.equal(states[2], torch.get_rng_state())
    assert not hasattr(given, "module_")
    after = given.get_params()
    assert before.keys() == after.keys() and after["lr"] == 0.05


def test_the_same_seed_finds_the_same():
    one, other, third = (quick(random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.curves[0].losses, other.curves[0].losses)
    assert not np.array_equal(one.curves[0].losses, third.curves[0].losses)


def test_in_a_pipeline_the_net_gets_what_the_steps_make():
    wide = X * 1000 + 500
    alone = quick(net(), StandardScaler().fit_transform(wide).astype("f4"), y)
    piped = quick(make_pipeline(StandardScaler(), net()), wide, y)
    np.testing.assert_array_equal(alone.curves[0].losses, piped.curves[0].losses)


def test_a_target_that_is_transformed():
    regressor = NeuralNetRegressor(
        nn.Linear, module__in_features=X.shape[1], module__out_features=1, verbose=0
    )
    model = TransformedTargetRegressor(regressor, transformer=StandardScaler())
    targets = 1000 * X[:, :1]
    found = quick(make_pipeline(StandardScaler(), model), X, targets)
    assert np.isfinite(found.suggestion)


def test_variants_side_by_side():
    variants = [{}, {"optimizer": torch.optim.Adam}, {"batch_size": 8}]
    found = quick(variants=variants)
    labels = [curve.label for curve in found.curves]
    assert labels == ["as given", "optimizer=Adam", "batch_size=8"]
    plain = quick()
    np.testing.assert_array_equal(plain.curves[0].losses, found.curves[0].losses)
    text = repr(found)
    assert text.count("\n") == 3 and "optimizer=Adam" in text


def test_groups_keep_their_share_of_the_rate():
    groups = [("layers.0.*", {"lr": 0.001})]
    given = net(lr=0.01, optimizer__param_groups=groups)
    seen = []

    class Looks(Callback):
        def on_batch_end(self, net, training=False, **kwargs):
            seen.append([group["lr"] for group in net.optimizer_.param_groups])

    given.set_params(callbacks=[Looks()])
    quick(given, n_seeds=1)
    slow, other = np.array(seen).T
    np.testing.assert_allclose(slow / other, 0.1)


def test_callbacks_that_would_interfere_are_left_out(tmp_path):
    callbacks = [
        LRScheduler("StepLR", step_size=1, gamma=0.1),
        EarlyStopping(monitor="train_loss", patience=1, threshold=10.0),
        Checkpoint(monitor=None, dirname=tmp_path / "states"),
    ]
    plain, other = quick(net()), quick(net(callbacks=callbacks))
    np.testing.assert_array_equal(plain.curves[0].losses, other.curves[0].losses)
    assert not list(tmp_path.rglob("*.pt"))


def test_a_net_that_cannot_learn():
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, X):
            return torch.ones(len(X), 3) + 0 * self.weight

    found = quick(net().set_params(module=Constant))
    assert np.isnan(found.suggestion)
    with pytest.raises(ValueError, match="never falls between lr=1e-08 and lr=10"):
        found.to_distribution()
    assert "nan" in repr(found)


def test_a_net_whose_loss_is_nan_at_once():
    found = quick(net(), np.full_like(X, np.nan), y)
    assert np.isnan(found.curves[0].losses).all()
    assert np.isnan(found.suggestion)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found.plot()


def test_the_distribution():
    found = quick()
    with pytest.raises(ValueError, match="variant=3 is none of the 1"):
        found.to_distribution(3)
    low, high = found.to_distribution().support()
    assert low == pytest.approx(found.suggestion / 10)
    assert high == pytest.approx(found.suggestion * 10)
    assert found.to_distribution(0).dist.name == "loguniform"


@pytest.mark.parametrize(
    "given, message",
    [
        ({"min_lr": 1.0, "max_lr": 0.1}, "min_lr=1.0 must be above 0 and below"),
        ({"min_lr": 0.0}, "min_lr=0.0"),
        ({"n_epochs": 1, "n_steps": 20}, "give one of them"),
        ({"n_steps": 3}, "n_steps=3 must be an integer of at least 10"),
        ({"n_steps": None, "n_epochs": 0}, "n_epochs=0 must be above 0"),
        ({"n_seeds": 0}, "n_seeds=0 must be an integer of at least 1"),
        ({"smoothing": 1.0}, "smoothing=1.0 must be from 0"),
        ({"stop_factor": 0}, "stop_factor=0 must be above 0"),
        ({"variants": []}, "must be a list of dicts"),
        ({"variants": [{"optimiser": 1}]}, "optimiser"),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        quick(**given)


@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), make_pipeline(LogisticRegression())]
)
def test_what_is_no_net(estimator):
    with pytest.raises(TypeError, match=r"A net of skorch is needed.*LogisticRegress"):
        quick(estimator)


def test_ctrl_c_ends_it():
    class Interrupts(Callback):
        def on_batch_end(self, net, **kwargs):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quick(net(callbacks=[Interrupts()]))


@pytest.mark.parametrize("seed", range(6))
def test_batches_that_are_all_rows(seed):
    """Losses at the smallest rates are equal but for rounding."""
    found = quick(net(batch_size=-1, max_epochs=1), random_state=seed, n_steps=60)
    assert found.suggestion > 1e-3


def test_a_rate_that_does_not_follow_the_nets():
    with pytest.raises(ValueError, match=r"optimizer__lr=0.5 is set.*Remove it"):
        quick(net(optimizer__lr=0.5))
    with pytest.raises(ValueError, match="lr=0 of the net must be a number above 0"):
        quick(net(lr=0))


def test_epochs_are_those_of_the_first_variant():
    variants = [{"batch_size": 8}, {"batch_size": 60}]
    found = quick(net(), variants=variants, n_steps=None, n_epochs=2)
    assert [curve.losses.shape[1] for curve in found.curves] == [30, 30]
    found.plot()


def test_a_range_that_ends_too_early_or_begins_too_late():
    given = {"n_steps": 60, "n_seeds": 3}
    adam = net(optimizer=torch.optim.Adam, batch_size=16)
    with pytest.warns(UserWarning, match=r"still falling at max_lr=0.06: raise it"):
        quick(adam, max_lr=0.06, **given)
    with pytest.warns(UserWarning, match=r"from the first batch on, at min_lr=0.02"):
        found = quick(adam, min_lr=2e-2, max_lr=3.0, **given)
    assert np.isfinite(found.suggestion)


def test_loggers_are_left_out():
    class Writer:
        def add_scalar(self, *args, **kwargs):
            raise AssertionError("nothing is to be written")

    quick(net(callbacks=[TensorBoard(Writer())]))


def test_all_variants_are_looked_at_before_the_first_is_swept():
    seen = []

    class Notes(Callback):
        def on_batch_end(self, net, **kwargs):
            seen.append(1)

    variants = [{}, {"module__hiden": 3}]
    with pytest.raises(TypeError, match="hiden"):
        quick(net(callbacks=[Notes()]), variants=variants)
    assert not seen


def test_names_that_are_misspelt():
    with pytest.raises(TypeError, match=r"no argument 'n_step'.*'n_steps'"):
        quick(n_step=20)


def test_epochs():
    given = net(batch_size=30, train_split=None)
    assert len(quick(given, n_steps=None, n_epochs=3).learning_rates) == 12
    assert len(quick(given, n_steps=None).learning_rates) == 100


def test_batches_of_few_rows_say_little():
    """Of 66 rows the last batch of each epoch has two."""
    found = quick(net(batch_size=32), X[:66], y[:66], n_steps=90, n_seeds=3)
    sizes = np.array([32, 32, 2] * 30)
    losses = found.curves[0].losses
    n = np.isfinite(losses).sum(axis=1).min()
    assert n > 60
    both = both_ways(losses[:, :n].mean(axis=0), 0.6, sizes[:n])
    np.testing.assert_allclose(found.curves[0].smoothed[:n], both)
    assert found.suggestion > 1e-3


def test_pictures():
    found = quick(variants=[{}, {"lr": 0.1}])
    display = found.plot()
    assert isinstance(display, LRRangeTestDisplay)
    assert display.figure_ is display.ax_.figure
    again = display.plot(display.figure_.add_subplot())
    assert again.ax_.get_xscale() == "log"
    labels = [text.get_text() for text in again.ax_.get_legend().get_texts()]
    assert labels[0].startswith("as given: lr=")
