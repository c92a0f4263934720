"""One thread each: tests are many, tiny, and run two at a time."""

import gc
import signal

import pytest
import scipy.linalg  # noqa: F401  (its BLAS is another than numpy's)
import sklearn  # noqa: F401
import threadpoolctl
import torch

torch.set_num_threads(1)
threadpoolctl.threadpool_limits(limits=1)
# Ignored where a shell has started the tests in the background, and so in what they
# start themselves.
signal.signal(signal.SIGINT, signal.default_int_handler)


# What is decided, by code of our own on NumPy and SciPy, and whom it is told. The
# oldest versions of these two are held by `reference/`, `property/` and whole searches,
# and those of what stacks are made of by `equivalence/`. Workers of the oldest joblib
# are lost, and give one answer, in other tests.
ONE_END = (
    "tests/contract/test_annealing_and_evolution.py",
    "tests/contract/test_ctrl_c_at_any_instant.py",
    "tests/contract/test_early_stopping.py",
    "tests/contract/test_kept.py",
    "tests/contract/test_listeners.py",
    "tests/contract/test_objectives.py",
    "tests/contract/test_racing.py",
    "tests/contract/test_rungs_on_fewer_splits.py",
    "tests/contract/test_schedules.py",
    "tests/contract/test_stacked.py",
    "tests/contract/test_strategies.py",
    "tests/contract/test_structured_spaces.py",
    "tests/contract/test_what_raised.py",
    "tests/equivalence/test_a_greater_number.py",
    "tests/equivalence/test_children_go_on.py",
    "tests/equivalence/test_population_based.py",
    "tests/equivalence/test_reproduced.py",
    "tests/equivalence/test_rungs.py",
    "tests/property/test_hostile_input.py",
    "tests/unit/advice/",
    "tests/unit/architectures/",
    "tests/unit/ensemble/",
    "tests/unit/execution/dispatch/test_workers.py",
    "tests/unit/execution/guards/test_interrupts.py",
    "tests/unit/execution/guards/test_memory_limit.py",
    "tests/unit/execution/guards/test_timeout.py",
    "tests/unit/inspection/",
    "tests/unit/listeners/",
    "tests/unit/nets/test_balanced_loader.py",
    "tests/unit/nets/test_class_weights.py",
    "tests/unit/nets/test_layerwise_optimizers.py",
    "tests/unit/nets/test_lr_policies.py",
    "tests/unit/run/listeners/",
    "tests/unit/schedule/",
    "tests/unit/search/",
    "tests/unit/strategy/",
)


def pytest_collection_modifyitems(config, items):
    """Leave out what runs for minutes, unless it is named; mark what one end holds."""
    for item in items:
        if item.nodeid.startswith(ONE_END):
            item.add_marker(pytest.mark.one_end)
    if "soak" not in config.option.markexpr:
        soaks = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=soaks)
        items[:] = [item for item in items if item not in soaks]


def pytest_collection_finish(session):
    """Thousands of tests are no garbage, and are not looked through for it any more."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def locks(tmp_path, monkeypatch):
    """Locks of a test's own: other tests on this machine have devices, too."""
    monkeypatch.setenv("SKTUNE_DEVICE_LOCKS", str(tmp_path / "locks"))
    return tmp_path / "locks"
