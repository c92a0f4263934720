"""What to search of a schedule, and who sets the rates."""

import math

import pytest
from skorch.callbacks import LRScheduler
from torch import optim

from sktune.advice import recommended_space
from sktune.nets import LRSchedule, RelativeLRScheduler
from tests.helpers.estimators import blobs, ends, net

X, y = blobs(160)


@pytest.mark.parametrize(
    "schedule, name, limits",
    [
        (LRScheduler("StepLR", step_size=2, gamma=0.1), "gamma", (0.1, 0.5)),
        (LRScheduler("ReduceLROnPlateau", factor=0.1), "factor", (0.1, 0.5)),
        (LRScheduler("ExponentialLR", gamma=0.9), "gamma", (0.1, 0.3 ** (1 / 3))),
        (LRSchedule("step"), "gamma", (0.1, 0.5)),
        (LRSchedule("piecewise", milestones=[0.5]), "gamma", (0.1, 0.5)),
        (LRSchedule("exponential", gamma=0.2), "gamma", (1e-3, 0.3)),
        (
            LRSchedule("natural_exponential"),
            "decay",
            (math.log(1 / 0.3), math.log(1000)),
        ),
        (LRSchedule("inverse_time"), "decay", (1 / 0.3 - 1, 999)),
        (LRSchedule("polynomial", floor=0.1), "power", (0.5, 2)),
        (LRSchedule("one_cycle"), "pct_start", (0.1, 0.4)),
    ],
)
def test_schedules(schedule, name, limits):
    space = recommended_space(net(callbacks=[("schedule", schedule)]))
    found = ends(space.pop(f"callbacks__schedule__{name}"))
    assert found == pytest.approx(limits)
    warmup = space.pop("callbacks__schedule__warmup", None)
    falls = isinstance(schedule, LRSchedule) and schedule.policy != "one_cycle"
    assert warmup == ([0, 0.1] if falls else None)
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
        [LRSchedule("step", period=1, warmup=1)],
        [LRSchedule("cosine", warmup=0.2)],
        [LRScheduler("ExponentialLR", gamma=0.99, step_every="batch")],
        [("a", LRScheduler("StepLR", step_size=2, gamma=0.1)), ("b", LRScheduler)],
    ):
        space = recommended_space(net(callbacks=callbacks))
        assert not any("callbacks" in name for name in space)
    assert "lr" not in recommended_space(net(callbacks=[LRScheduler]))
    assert "lr" in recommended_space(net(callbacks=[LRSchedule]))


def test_what_an_exponential_fall_leaves_is_the_same_by_either_name():
    for name, option in [("natural_exponential", "decay"), ("inverse_time", "decay")]:
        given = net(callbacks=[("schedule", LRSchedule(name))])
        space = recommended_space(given)[f"callbacks__schedule__{option}"]
        left = [
            LRSchedule(name, decay=decay).simulate(1000, 1.0)[-1]
            for decay in ends(space)
        ]
        assert left == pytest.approx([0.3, 1e-3], rel=0.01)


def test_cycles_by_name():
    given = net(callbacks=[("schedule", LRSchedule("warm_restarts"))])
    space = recommended_space(given)
    assert space["callbacks__schedule__cycles"] == [1, 2, 3]
    assert {"lr"} <= set(space)
