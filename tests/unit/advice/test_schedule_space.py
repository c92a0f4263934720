"""What to search of a schedule, and who sets the rates."""

import pytest
from skorch.callbacks import LRScheduler
from torch import optim

from sktune.advice import recommended_space
from sktune.nets import RelativeLRScheduler
from tests.helpers.estimators import blobs, ends, net

X, y = blobs(160)


@pytest.mark.parametrize(
    "schedule, name, limits",
    [
        (LRScheduler("StepLR", step_size=2, gamma=0.1), "gamma", (0.1, 0.5)),
        (LRScheduler("ReduceLROnPlateau", factor=0.1), "factor", (0.1, 0.5)),
        (LRScheduler("ExponentialLR", gamma=0.9), "gamma", (0.1, 0.3 ** (1 / 3))),
    ],
)
def test_schedules(schedule, name, limits):
    space = recommended_space(net(callbacks=[("schedule", schedule)]))
    found = ends(space.pop(f"callbacks__schedule__{name}"))
    assert found == pytest.approx(limits)
    assert list(space) == list(recommended_space(net()))


@pytest.mark.parametrize("kind", [LRScheduler, RelativeLRScheduler])
def test_a_schedule_with_rates_of_its_own(kind):
    options = {"max_lr": 0.1, "base_momentum": 0.8, "max_momentum": 0.9}
    if kind is LRScheduler:
        options["total_steps"] = 100
    given = net(callbacks=[("cycle", kind(optim.lr_scheduler.OneCycleLR, **options))])
    space = recommended_space(given)
    assert not {"lr", "optimizer__momentum"} & set(space)
    assert ends(space["callbacks__cycle__max_lr"]) == (0.005, 0.2)
    assert ends(space["callbacks__cycle__max_momentum"]) == (0.85, 0.98)


def test_schedules_that_have_nothing_to_search():
    for callbacks in (
        [LRScheduler("CosineAnnealingLR", T_max=3)],
        [LRScheduler("StepLR", step_size=2)],
        [LRScheduler("ExponentialLR", gamma=0.99, step_every="batch")],
        [("a", LRScheduler("StepLR", step_size=2, gamma=0.1)), ("b", LRScheduler)],
    ):
        space = recommended_space(net(callbacks=callbacks))
        assert not any("callbacks" in name for name in space)
    assert "lr" not in recommended_space(net(callbacks=[LRScheduler]))
